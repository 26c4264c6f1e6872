import { createLog } from '../events/log.js';
import type { Position } from '../events/position.js';
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
  const folder = createFolder(tx, keyspace, targets);
  for (const event of events) {
    const applied = folder.apply(event);
    if (applied !== undefined) await applied;
  }
}

/** Applies events one after the other; `bytes`: what that has read of the log's content and written so far. */
function createFolder(tx: Transaction, keyspace: Keyspace, targets: Targets) {
  const views = Array.from(targets, ([projection, prefix]) => ({ projection, view: new BuildView(tx, keyspace, prefix) }));

  async function rest(event: RecordedEvent, from: number, first: Promise<void>): Promise<void> {
    await first;
    for (const { projection, view } of views.slice(from)) await applyEvent(projection, event, view.at(event.position));
  }

  return {
    /** Most projections are not asynchronous, and to wait for nothing costs as much as they do. */
    apply(event: RecordedEvent): Promise<void> | undefined {
      let index = 0;
      for (const { projection, view } of views) {
        index += 1;
        const applied = applyEvent(projection, event, view.at(event.position));
        if (applied !== undefined) return rest(event, index, applied);
      }
      return undefined;
    },
    get bytes(): number {
      return views.reduce((sum, { view }) => sum + view.bytes, 0);
    },
  };
}

/** How far a transaction has folded the log. */
export interface Folded {
  readonly events: number;
  /** The last of them, or where it began. */
  readonly checkpoint: Position | undefined;
  /** The log ended behind them at the transaction's version. */
  readonly tailReached: boolean;
}

// Events that are read at once: of thousands that wait, decoded, for their turn the garbage collector makes more work than all the rest.
const PIECE_EVENTS = 256;
/** Half of what fits in a transaction; and about 200 ms of work, where it has 5 s. */
const FOLDED_BYTES = 5_000_000;

/**
 * Folds at most `limit` events behind `after` into builds, fewer where the transaction has no room or time for more. The log is read by snapshot, in pieces. Throws
 * EventDecodeError.
 */
export async function foldLog(
  tx: Transaction,
  keyspace: Keyspace,
  targets: Targets,
  incarnation: number,
  after: Position | undefined,
  limit: number,
): Promise<Folded> {
  const log = createLog(keyspace).openReader(tx.snapshot, incarnation, after);
  const folder = createFolder(tx, keyspace, targets);
  let checkpoint = after;
  let events = 0;
  for (;;) {
    const piece = await log.next({ limit: Math.min(PIECE_EVENTS, limit - events) });
    for (const event of piece.events) {
      const applied = folder.apply(event);
      if (applied !== undefined) await applied;
      checkpoint = event.position;
      events += 1;
      if (folder.bytes >= FOLDED_BYTES) return { events, checkpoint, tailReached: false };
    }
    if (piece.tailReached || events >= limit) return { events, checkpoint, tailReached: piece.tailReached };
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
