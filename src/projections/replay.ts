import { createLog } from '../events/log.js';
import { formatPosition, type Position } from '../events/position.js';
import type { RecordedEvent } from '../events/types.js';
import { KeyValueError, type Transaction } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';
import { applyEvent, type Projection } from './projection.js';
import { BuildView } from './views.js';

/** Prefixes of the builds that events of one directory's log are folded into. */
export type Targets = ReadonlyMap<Projection, Buffer>;

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

/** What one transaction folds at most. */
export interface FoldLimits {
  readonly limit: number;
  /** Read of the log's content and written: it ends with the event that gets there. Default 5.5 MB. */
  readonly bytes?: number;
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
/** Half of what fits in a transaction; and far less than the work of 5 s. */
const FOLDED_BYTES = 5_500_000;

/**
 * Folds the events behind `after` into builds, as far as the limits go. The log is read by snapshot, in pieces. Throws EventDecodeError and ReplayError.
 */
export async function foldLog(
  tx: Transaction,
  keyspace: Keyspace,
  targets: Targets,
  incarnation: number,
  after: Position | undefined,
  { limit, bytes = FOLDED_BYTES }: FoldLimits,
): Promise<Folded> {
  const log = createLog(keyspace).openReader(tx.snapshot, incarnation, after);
  const folder = createFolder(tx, keyspace, targets);
  let checkpoint = after;
  let events = 0;
  for (;;) {
    const piece = await log.next({ limit: Math.min(PIECE_EVENTS, limit - events) });
    for (const event of piece.events) {
      try {
        const applied = folder.apply(event);
        if (applied !== undefined) await applied;
      } catch (error) {
        throw error instanceof KeyValueError ? error : unreplayable(event, error);
      }
      checkpoint = event.position;
      events += 1;
      if (folder.bytes >= bytes) return { events, checkpoint, tailReached: false };
    }
    if (piece.tailReached || events >= limit) return { events, checkpoint, tailReached: piece.tailReached };
  }
}

function unreplayable({ position, payload }: RecordedEvent, cause: unknown): ReplayError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ReplayError(`${payload.kind} at ${formatPosition(position)} can't be applied: ${reason}`, { cause });
}
