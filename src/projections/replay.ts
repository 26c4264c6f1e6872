import { createLog } from '../events/log.js';
import { formatPosition, type Position } from '../events/position.js';
import type { RecordedEvent } from '../events/types.js';
import { KeyValueError, type Transaction } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';
import type { Projection } from './projection.js';
import { applyToEach, BuildView } from './views.js';

/** Prefixes of the builds that events of one directory's log are folded into. */
export type Targets = ReadonlyMap<Projection, Buffer>;

/** What one transaction folds at most. */
export interface FoldLimits {
  readonly limit: number;
  /** Read of the log's content and written: it ends with the event that gets there. Default 2 MB. */
  readonly bytes?: number;
  /** It ends with the event in which so many milliseconds are over. */
  readonly time?: { readonly now: () => number; readonly ms: number };
}

/** An event that a projection can't be made of: what lies beside it in the store is damaged, or missing. */
export class ReplayError extends Error {
  override readonly name = 'ReplayError';
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
/** A fifth of what fits in a transaction: larger ones hold others up in a cluster, and save nothing. */
export const FOLDED_BYTES = 2_000_000;

/**
 * Folds the events behind `after` into builds, as far as the limits go, and by one in any case. The log is read by snapshot, in pieces, and the builds are, too: whoever calls
 * this reads the build's record with a conflict and writes it, and so do all who write to a build that is not live. Throws EventDecodeError and ReplayError.
 */
export async function foldLog(
  tx: Transaction,
  keyspace: Keyspace,
  targets: Targets,
  incarnation: number,
  after: Position | undefined,
  { limit, bytes = FOLDED_BYTES, time }: FoldLimits,
): Promise<Folded> {
  const log = createLog(keyspace).openReader(tx.snapshot, incarnation, after);
  const builds = Array.from(targets, ([projection, prefix]) => ({
    projection,
    view: new BuildView(tx, keyspace, prefix, tx.snapshot),
  }));
  const isTooMuch = (): boolean => builds.reduce((sum, { view }) => sum + view.bytes, 0) >= bytes;
  const end = time === undefined ? Infinity : time.now() + time.ms;
  const isOver = (): boolean => time !== undefined && time.now() >= end;
  let checkpoint = after;
  let events = 0;
  for (;;) {
    const piece = await log.next({ limit: Math.min(PIECE_EVENTS, limit - events) });
    for (const event of piece.events) {
      try {
        const applied = applyToEach(builds, event, event.position);
        if (applied !== undefined) await applied;
      } catch (error) {
        throw error instanceof KeyValueError ? error : unreplayable(event, error);
      }
      checkpoint = event.position;
      events += 1;
      if (isTooMuch() || isOver()) return { events, checkpoint, tailReached: false };
    }
    if (piece.tailReached || events >= limit) return { events, checkpoint, tailReached: piece.tailReached };
  }
}

function unreplayable({ position, payload }: RecordedEvent, cause: unknown): ReplayError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ReplayError(`${payload.kind} at ${formatPosition(position)} can't be applied: ${reason}`, { cause });
}
