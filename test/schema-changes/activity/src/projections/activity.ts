import type { AppliedEvent, View } from './projection.js';
import type { EventKind } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import { aggregateUid, projection } from './projection.js';
import { indexOf, type Reading } from './store.js';

/** Kinds that people call activity: what moves in a repository. */
const counted = ['ManifestPushed', 'ManifestDeleted', 'TagMoved', 'TagDeleted', 'BlobPushed', 'BlobMounted'] as const;

export type Counted = (typeof counted)[number];

/**
 * How often each thing happened in a repository. Async: inline, every push into a repository would read and write one counter, and of two at once one would have to
 * be done again.
 */
export const activity = projection({
  name: 'activity',
  version: 1,
  directory: 'registry',
  mode: 'async',
  apply: { ...Object.fromEntries(counted.map((kind) => [kind, count])) },
});

async function count(event: AppliedEvent<EventKind>, view: View): Promise<void> {
  const key = ['repository', uuidItem(aggregateUid(event)), event.payload.kind];
  const before = await view.get(key);
  const value = Buffer.alloc(6);
  value.writeUIntBE((before?.readUIntBE(0, 6) ?? 0) + 1, 0, 6);
  view.set(key, value);
}

/** What is counted of a repository so far: a moment behind what happened in it. Costs one range read. Throws ProjectionNotLiveError. */
export async function readActivity(reading: Reading, repository: Uid): Promise<ReadonlyMap<Counted, number>> {
  const found = await indexOf(reading, activity).range(['repository', uuidItem(repository)]);
  return new Map(found.map(({ items: [kind], value }) => [String(kind) as Counted, value.readUIntBE(0, 6)]));
}
