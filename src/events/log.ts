import { keyAfter } from '../keyvalue/apply-operations.js';
import type { KeyValue, ReadTransaction, Transaction } from '../keyvalue/database.js';
import { LOG_PARTITIONS, stampOfKey, type Keyspace } from '../keyvalue/keyspace.js';
import { unpack } from '../keyvalue/tuple.js';
import { hasChecksum } from './checksum.js';
import { decodeEvent, encodeEvent, EventDecodeError } from './codec.js';
import { formatPosition, type Position } from './position.js';
import type { EventEnvelope, RecordedEvent, Stream } from './types.js';

/** The incarnation that a store is born with; a restore from a backup raises it. */
export const FIRST_INCARNATION = 1;

/** An event on its way into the log. */
export interface AppendedEvent {
  readonly envelope: EventEnvelope;
  /** What the log will hold: an inline projection is given `decodeEvent(bytes)`. */
  readonly bytes: Buffer;
  /** The event's number in its transaction: with the commit's versionstamp, its position. */
  readonly index: number;
}

export interface ReadLimits {
  /** At most so many events. Default 256. */
  readonly limit?: number;
  /** Ends after the event that brings the bytes to this many or more. Default 1 MB. */
  readonly targetBytes?: number;
}

export interface Batch {
  readonly events: readonly RecordedEvent[];
  /** Where the next batch begins: the last event's position, or what was asked from when there is none. */
  readonly next: Position | undefined;
  /** How many of the events have no checksum: in those, damage that leaves another event is not found. */
  readonly unchecked: number;
  /** Nothing lies behind these events at this read version. */
  readonly tailReached: boolean;
}

export interface LogReader {
  next(limits?: ReadLimits): Promise<Batch>;
}

export interface StreamRange {
  /** Only events behind this one. */
  readonly after?: Position | undefined;
  /** Only events before this one. */
  readonly before?: Position | undefined;
  readonly limit?: number;
  /** From the newest to the oldest. */
  readonly reverse?: boolean;
}

/**
 * A stream's partition for ever: FNV-1a (32 bits) of the stream's ASCII text, its halves xored (the hash's low bits alone depend on the characters' low
 * bits alone), modulo the number of partitions.
 */
export function partitionOf(stream: Stream): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < stream.length; at += 1) hash = Math.imul(hash ^ stream.charCodeAt(at), 0x01000193);
  return ((hash >>> 16) ^ (hash & 0xffff)) % LOG_PARTITIONS;
}

export type Log = ReturnType<typeof createLog>;

/**
 * The log of one directory: events in commit order, and by stream. Guaranteed: an append conflicts with no other; what is read at one version is a
 * prefix of the log's order, and no later commit puts an event before it. Not guaranteed: that the events of one commit come in one batch.
 */
export function createLog(keyspace: Keyspace) {
  const counts = new WeakMap<Transaction, number>();

  /** Several calls in one transaction go on counting. Reads nothing. The transaction can no longer read the log's end, nor the streams' it writes to. */
  function append(
    tx: Transaction,
    { incarnation, events }: { readonly incarnation: number; readonly events: number },
    envelopes: readonly EventEnvelope[],
  ): readonly AppendedEvent[] {
    checkIncarnation(incarnation);
    const first = counts.get(tx) ?? 0;
    const end = first + envelopes.length;
    if (end > 0x1_0000) throw new RangeError(`a transaction appends at most 65536 events, not ${end}`);
    const appended = envelopes.map((envelope, at) => ({ envelope, bytes: encodeEvent(envelope, events), index: first + at }));
    counts.set(tx, end);
    const woken = new Map<number, bigint>();
    for (const { envelope, bytes, index } of appended) {
      const partition = partitionOf(envelope.stream);
      const log = keyspace.logAppend(incarnation, partition, index);
      const stream = keyspace.streamAppend(envelope.stream, incarnation, index);
      tx.setVersionstampedKey(log.template, log.offset, bytes);
      tx.setVersionstampedKey(stream.template, stream.offset, empty);
      woken.set(partition, (woken.get(partition) ?? 0n) + 1n);
    }
    for (const [partition, count] of woken) tx.add(keyspace.wake(partition), count);
    return appended;
  }

  /** A stream's events in order. Costs one range read and a read for each event. */
  async function readStream(tx: ReadTransaction, stream: Stream, range: StreamRange = {}): Promise<readonly RecordedEvent[]> {
    const bounds = keyspace.streamBounds(stream);
    const keyAt = ({ incarnation, stamp }: Position): Buffer => keyspace.streamKey(stream, incarnation, stamp);
    const begin = range.after === undefined ? bounds.begin : keyAfter(keyAt(range.after));
    const end = range.before === undefined ? bounds.end : keyAt(range.before);
    if (begin.compare(end) >= 0) return [];
    const { limit, reverse = false } = range;
    const index = await tx.getRange(begin, end, { reverse, ...(limit === undefined ? {} : { limit }) });
    // The stream's prefix is what its bounds begin with, less their last byte; the stamp's type code and its bytes come last.
    const incarnationAt = bounds.begin.length - 1;
    return Promise.all(
      index.map(async ({ key }) => {
        const stamp = stampOfKey(key);
        const [incarnation] = unpack(key.subarray(incarnationAt, key.length - stamp.length - 1));
        if (typeof incarnation !== 'number') throw new EventDecodeError(`no incarnation in stream key ${key.toString('hex')}`);
        return readEvent(tx, keyspace, stream, { incarnation, stamp });
      }),
    );
  }

  /** One batch of what `openReader` reads. */
  async function readFrom(
    tx: ReadTransaction,
    incarnation: number,
    after: Position | undefined,
    limits: ReadLimits = {},
  ): Promise<Batch> {
    return openReader(tx, incarnation, after).next(limits);
  }

  /**
   * The log behind `after` (without it from its beginning), up to and with `incarnation`, batch by batch in one transaction. Read by `tx.snapshot` it conflicts
   * with nobody. The first batch costs a range read for each partition and more for those whose share was too small; what it did not need the next one has.
   */
  function openReader(tx: ReadTransaction, incarnation: number, after: Position | undefined): LogReader {
    checkIncarnation(incarnation);
    let current = after?.incarnation ?? FIRST_INCARNATION;
    if (current > incarnation) throw new RangeError(`incarnation ${current} is not there yet; the newest is ${incarnation}`);
    let last = after;
    let runs = openRuns(current, after?.stamp);

    async function next({ limit = 256, targetBytes = 1_000_000 }: ReadLimits = {}): Promise<Batch> {
      const events: RecordedEvent[] = [];
      let bytes = 0;
      let unchecked = 0;
      const batch = (tailReached: boolean): Batch => ({ events, next: last, unchecked, tailReached });
      for (;;) {
        if (events.length >= limit || bytes >= targetBytes) return batch(current === incarnation && runs.every(ended));
        // A partition that was not read to its end may hold the next event: it is only known when none is without a pair.
        if (runs.some(isBare)) await Promise.all(runs.filter(isBare).map((run) => fill(tx, run, limit, targetBytes)));
        const first = earliest(runs);
        if (first?.head === undefined) {
          if (current === incarnation) return batch(true);
          current += 1;
          runs = openRuns(current, undefined);
          continue;
        }
        const { pair, stamp } = first.head;
        last = { incarnation: current, stamp };
        events.push(recorded(last, pair.value));
        if (!hasChecksum(pair.value)) unchecked += 1;
        bytes += pair.key.length + pair.value.length;
        advance(first);
      }
    }

    return { next };
  }

  /** The last event's position; undefined when there is none. Costs one read for each partition, for each empty incarnation again. */
  async function newest(tx: ReadTransaction, incarnation: number): Promise<Position | undefined> {
    checkIncarnation(incarnation);
    for (let current = incarnation; current >= FIRST_INCARNATION; current -= 1) {
      const lasts = await Promise.all(
        Array.from({ length: LOG_PARTITIONS }, (_, partition) => {
          const { begin, end } = keyspace.logBounds(current, partition);
          return tx.getRange(begin, end, { limit: 1, reverse: true });
        }),
      );
      const stamps = lasts.flat().map(({ key }) => stampOfKey(key));
      const stamp = stamps.sort((left, right) => left.compare(right)).at(-1);
      if (stamp !== undefined) return { incarnation: current, stamp };
    }
    return undefined;
  }

  /**
   * How many events there are, by the counters that appends bump: for people to read. Release 0.1.0 counted appends, so that a store from its time has more.
   * Costs a read for each partition.
   */
  async function count(tx: ReadTransaction): Promise<number> {
    const counters = Array.from({ length: LOG_PARTITIONS }, (_, partition) => tx.get(keyspace.wake(partition)));
    const values = await Promise.all(counters);
    return values.reduce((sum, value) => sum + Number(value?.readBigUInt64LE(0) ?? 0n), 0);
  }

  function openRuns(incarnation: number, after: Buffer | undefined): readonly Run[] {
    return Array.from({ length: LOG_PARTITIONS }, (_, partition) => {
      const { begin, end } = keyspace.logBounds(incarnation, partition);
      const behind = after === undefined ? begin : keyAfter(keyspace.logKey(incarnation, partition, after));
      return { begin: behind, end, pairs: [], at: 0, head: undefined, more: true, share: 1 / LOG_PARTITIONS };
    });
  }

  return { keyspace, append, readStream, readFrom, openReader, newest, count };
}

/** The event of a stream at a position that an index names. Costs one read. Throws EventDecodeError where it can't be read, or is not there. */
export async function readEvent(
  tx: ReadTransaction,
  keyspace: Keyspace,
  stream: Stream,
  position: Position,
): Promise<RecordedEvent> {
  const bytes = await tx.get(keyspace.logKey(position.incarnation, partitionOf(stream), position.stamp));
  if (bytes === undefined) throw new EventDecodeError(`${stream} names ${formatPosition(position)}, which the log lacks`);
  return recorded(position, bytes);
}

const empty = Buffer.alloc(0);

function checkIncarnation(incarnation: number): void {
  if (!Number.isSafeInteger(incarnation) || incarnation < FIRST_INCARNATION) {
    throw new RangeError(`an incarnation is a whole number from ${FIRST_INCARNATION} up, not ${incarnation}`);
  }
}

function recorded(position: Position, bytes: Buffer): RecordedEvent {
  let envelope;
  try {
    envelope = decodeEvent(bytes);
  } catch (error) {
    if (!(error instanceof EventDecodeError)) throw error;
    throw new EventDecodeError(`the event at ${formatPosition(position)} can't be read: ${error.message}`, { cause: error });
  }
  // Of this function's own object: a copy costs a third as much as the decoding.
  return Object.assign(envelope, { position });
}

// ---- One partition on its way into the merge.

/** A pair whose turn it is when it is the earliest of all; the stamp's halves as numbers, since every event is compared with all other heads. */
interface Head {
  readonly pair: KeyValue;
  readonly stamp: Buffer;
  readonly high: number;
  readonly low: number;
}

interface Run {
  begin: Buffer;
  readonly end: Buffer;
  pairs: readonly KeyValue[];
  at: number;
  head: Head | undefined;
  /** The last read stopped at its limit: what lies behind it is not known. */
  more: boolean;
  /** Of a batch, that the next read asks for: an equal one at first, larger where that was too little. */
  share: number;
}

/** What lies next in it has to be read. */
function isBare(run: Run): boolean {
  return run.head === undefined && run.more;
}

function ended(run: Run): boolean {
  return run.head === undefined && !run.more;
}

async function fill(tx: ReadTransaction, run: Run, batch: number, batchBytes: number): Promise<void> {
  const limit = Math.ceil(batch * run.share);
  const targetBytes = Math.ceil(batchBytes * run.share);
  run.share = Math.min(1, run.share * 2);
  const pairs = await tx.getRange(run.begin, run.end, { limit, targetBytes });
  const last = pairs.at(-1);
  if (last !== undefined) run.begin = keyAfter(last.key);
  const bytes = pairs.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
  run.more = pairs.length >= limit || bytes >= targetBytes;
  run.pairs = pairs;
  run.at = -1;
  advance(run);
}

function advance(run: Run): void {
  run.at += 1;
  const pair = run.pairs[run.at];
  run.head = pair === undefined ? undefined : headOf(pair);
}

function headOf(pair: KeyValue): Head {
  const stamp = stampOfKey(pair.key);
  return { pair, stamp, high: stamp.readUIntBE(0, 6), low: stamp.readUIntBE(6, 6) };
}

function earliest(runs: readonly Run[]): Run | undefined {
  let first: Run | undefined;
  for (const run of runs) {
    if (run.head !== undefined && (first?.head === undefined || isBefore(run.head, first.head))) first = run;
  }
  return first;
}

function isBefore(left: Head, right: Head): boolean {
  return left.high === right.high ? left.low < right.low : left.high < right.high;
}
