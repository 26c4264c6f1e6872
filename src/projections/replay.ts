import type { RecordedEvent } from '../events/types.js';
import type { Transaction } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';
import { applyEvent, type Projection } from './projection.js';
import { BuildView } from './views.js';

/** Prefixes of the builds that events of one directory's log are folded into. */
export type Targets = ReadonlyMap<Projection, Buffer>;

/** Folds events, which come in the order of the log, into builds. The log's content has to be in the same store. */
export async function applyEvents(
  tx: Transaction,
  keyspace: Keyspace,
  targets: Targets,
  events: readonly RecordedEvent[],
): Promise<void> {
  const first = events[0];
  if (first === undefined) return;
  const views = Array.from(targets, ([projection, prefix]) => ({
    projection,
    view: new BuildView(tx, keyspace, prefix, first.position),
  }));
  for (const event of events) {
    for (const { projection, view } of views) {
      view.position = event.position;
      const applied = applyEvent(projection, event, view);
      // Most are not asynchronous, and to wait for nothing costs as much as they do.
      if (applied !== undefined) await applied;
    }
  }
}

/** About 200 ms of work: a transaction has 5 s, on a busy machine, too. */
const PORTION_WEIGHT = 2_000_000;
/** A deletion reads its manifest again, whose size its event does not say. */
const DELETION_WEIGHT = 100_000;

/** What an event costs to apply: next to nothing, but for a manifest with thousands of descriptors. */
function weigh({ payload }: RecordedEvent): number {
  if (payload.kind === 'ManifestPushed') return payload.size;
  return payload.kind === 'ManifestDeleted' ? DELETION_WEIGHT : 0;
}

/** The events in runs that a transaction has time for each. */
export function* inPortions(events: readonly RecordedEvent[]): Generator<readonly RecordedEvent[]> {
  let portion: RecordedEvent[] = [];
  let weight = 0;
  for (const event of events) {
    weight += weigh(event);
    if (portion.length > 0 && weight > PORTION_WEIGHT) {
      yield portion;
      portion = [];
      weight = weigh(event);
    }
    portion.push(event);
  }
  if (portion.length > 0) yield portion;
}
