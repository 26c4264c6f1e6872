import type { Log, ReadLimits } from '../events/log.js';
import { comparePositions, formatPosition, parsePosition, type Position } from '../events/position.js';
import type { RecordedEvent } from '../events/types.js';
import { KeyValueError, type Database, type ReadTransaction } from '../keyvalue/database.js';
import { applyEvent, type Projection } from './projection.js';
import { createView } from './views.js';

/** A directory's log on its way into builds of its projections. */
export interface Replay {
  readonly log: Log;
  /** Up to and with this one. */
  readonly incarnation: number;
  /** Prefix of the build of each projection that is made. */
  readonly builds: ReadonlyMap<Projection, Buffer>;
  /** Key beside the builds that says how far they have come; without a value they begin with the first event. */
  readonly checkpoint: Buffer;
}

/**
 * Folds what the log of `source` has behind the checkpoint into the builds in `target`, which may be the same store, up to the log's end as the last
 * batch saw it. Goes on where an earlier call, or process, stopped; one that applies at the same time does no harm. The log's content has to be in `target`.
 */
export async function replay(
  source: Database,
  target: Database,
  replaying: Replay,
  limits: ReadLimits = { limit: 100 },
): Promise<Position | undefined> {
  for (;;) {
    const after = await target.read((tx) => readCheckpoint(tx, replaying.checkpoint));
    const batch = await source.read((tx) => replaying.log.readFrom(tx, replaying.incarnation, after, limits));
    for (const events of inPortions(batch.events)) await applyAll(target, replaying, events);
    if (batch.tailReached) return batch.next;
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

function* inPortions(events: readonly RecordedEvent[]): Generator<readonly RecordedEvent[]> {
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

/** In one transaction, or in as many as it takes: one event fits in any case, since its command's transaction had to hold more. */
async function applyAll(target: Database, replaying: Replay, events: readonly RecordedEvent[]): Promise<void> {
  const last = events.at(-1);
  if (last === undefined) return;
  const { builds, checkpoint, log } = replaying;
  try {
    await target.transact(async (tx) => {
      // A deletion can't be applied twice: a commit whose outcome nobody knew is found by its checkpoint.
      const done = await readCheckpoint(tx, checkpoint);
      for (const event of events) {
        if (done !== undefined && comparePositions(event.position, done) <= 0) continue;
        for (const [projection, prefix] of builds) {
          await applyEvent(projection, event, createView(tx, log.keyspace, prefix, event.position));
        }
      }
      if (done === undefined || comparePositions(last.position, done) > 0) {
        tx.set(checkpoint, Buffer.from(formatPosition(last.position)));
      }
    });
  } catch (error) {
    if (!(error instanceof KeyValueError) || error.code !== 'transaction_too_large' || events.length === 1) throw error;
    const half = events.length >> 1;
    await applyAll(target, replaying, events.slice(0, half));
    await applyAll(target, replaying, events.slice(half));
  }
}

async function readCheckpoint(tx: ReadTransaction, key: Buffer): Promise<Position | undefined> {
  const bytes = await tx.get(key);
  if (bytes === undefined) return undefined;
  const position = parsePosition(bytes.toString());
  if (position === undefined) throw new Error(`the checkpoint ${bytes.toString()} is no position`);
  return position;
}
