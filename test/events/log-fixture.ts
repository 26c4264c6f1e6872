import { v7 } from 'uuid';

import type { Uid } from '../../src/identifiers.js';
import { EVENT_GENERATION } from '../../src/events/codec.js';
import { createLog, type Batch, type Log, type ReadLimits } from '../../src/events/log.js';
import { positionInCommit, type Position } from '../../src/events/position.js';
import { repositoryStream, type EventEnvelope, type RecordedEvent, type Stream } from '../../src/events/types.js';
import type { Database } from '../../src/keyvalue/database.js';
import { createKeyspace, directoryPrefix } from '../../src/keyvalue/keyspace.js';
import { envelopeOf, sha256 } from './samples.js';

export const log = createLog(createKeyspace(directoryPrefix('registry')));

/** Enough that every partition has some. */
export const streams: readonly Stream[] = Array.from({ length: 24 }, (_, index) =>
  repositoryStream(`0190a000-0000-7000-8000-${String(index).padStart(12, '0')}` as Uid),
);

export function streamAt(index: number): Stream {
  const stream = streams[index % streams.length];
  if (stream === undefined) throw new Error(`no stream ${index}`);
  return stream;
}

export function eventOn(stream: Stream, size = 1): EventEnvelope {
  return envelopeOf(stream, { kind: 'BlobPushed', digest: sha256('a'), size }, { id: v7() as Uid });
}

export interface Committed {
  readonly id: Uid;
  readonly position: Position;
}

/** One commit of events; where they came to stand. */
export async function commit(
  database: Database,
  events: readonly EventEnvelope[],
  incarnation = 1,
  into: Log = log,
): Promise<Committed[]> {
  // The versionstamp's promise is wrapped: bare, it would be awaited before the commit that it waits for.
  const { appended, versionstamp } = await database.transact(async (tx) => ({
    appended: into.append(tx, { incarnation, events: EVENT_GENERATION }, events),
    versionstamp: tx.versionstamp(),
  }));
  const stamp = await versionstamp;
  return appended.map(({ envelope, index }) => ({ id: envelope.id, position: positionInCommit(incarnation, stamp, index) }));
}

/** The whole log, batch by batch, each at a read version of its own. */
export async function readAll(
  database: Database,
  limits: ReadLimits,
  incarnation = 1,
  after?: Position,
): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  let next = after;
  for (;;) {
    const from = next;
    const batch: Batch = await database.read((tx) => log.readFrom(tx, incarnation, from, limits));
    events.push(...batch.events);
    next = batch.next;
    if (batch.tailReached) return events;
  }
}
