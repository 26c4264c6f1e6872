import { subjectOf } from '../events/types.js';
import { parseUid } from '../identifiers.js';
import { clearPulls } from '../keyvalue/pull-counters.js';
import type { Writing } from '../projections/store.js';
import type { NewEvent } from './execute.js';

/** The counters of manifests go with them, in the transaction of the deletion: one that is pushed again begins at none. */
export function clearPullsOfDeleted({ tx, registry }: Writing, events: readonly NewEvent[]): void {
  for (const { stream, payload } of events) {
    const repository = parseUid(subjectOf(stream));
    if (payload.kind !== 'ManifestDeleted' || repository === undefined) continue;
    clearPulls(tx, registry.keyspace, { repository, image: payload.image, digest: payload.digest });
  }
}
