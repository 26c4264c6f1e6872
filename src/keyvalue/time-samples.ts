import type { KeyValue, ReadTransaction, Transaction } from './database.js';
import type { KeyBounds, Stamped } from './keyspace.js';
import { stampOfKey } from './keyspace.js';

/**
 * Database time where versions are no times. Now and then a process writes down its clock; the key of such a sample ends in the versionstamp of the very
 * commit that wrote it, and between two samples time follows the versions. So the time of a version depends on the samples up to that version alone, and a
 * read that sees the version sees those: what was answered once stays so. All times in microseconds since 1970.
 *
 * Guaranteed: a later version has no earlier time. A leap of the versions, as a recovery of the cluster makes one, takes time at most `FURTHEST_MICROS` ahead
 * of the last sample. Not guaranteed: that two versions have two times.
 */
export interface TimeSample {
  /** Of the commit that wrote it; it tells the times from this version on. */
  readonly version: bigint;
  readonly time: bigint;
  /** By how much `time` is later than the clock that was written down. */
  readonly ahead: bigint;
  /** Of an incarnation's first sample that follows no other: nothing in the incarnation has an earlier time. */
  readonly floor?: bigint;
}

/** By versions, which are nominally microseconds, a sample is due so long after the one before, and by nothing else: who has read one knows the next by then. */
export const SAMPLE_DUE_MICROS = 10_000_000n;

/** How far time goes without a sample. */
export const FURTHEST_MICROS = 15_000_000n;

/** In so long a time a sample's `ahead` is caught up, or as much of it as would otherwise let time run at less than half its rate. */
const CATCH_UP_MICROS = 10_000_000n;
const CATCH_UP_MOST = CATCH_UP_MICROS / 2n;

/** The time of a version, by the last sample at or before it; by the incarnation's first sample also of the versions before that. */
export function timeAfter(sample: TimeSample, version: bigint): bigint {
  const { time, ahead, floor = 0n } = sample;
  const elapsed = version - sample.version;
  if (elapsed < 0n) return later(time + elapsed, floor);
  const lost = earlier((elapsed * slowingOf(ahead)) / CATCH_UP_MICROS, ahead);
  return time + earlier(elapsed - lost, FURTHEST_MICROS);
}

/**
 * The last version that has a time at or before this one, were the sample the incarnation's last; `all` where time stands still at it, `none` where the
 * sample tells only later times.
 */
export function versionAt(sample: TimeSample, moment: bigint): bigint | 'all' | 'none' {
  const { version, time, ahead, floor } = sample;
  const passed = moment - time;
  if (passed < 0n) return floor === undefined || moment < floor || version + passed < 0n ? 'none' : version + passed;
  if (passed >= FURTHEST_MICROS) return 'all';
  const rate = CATCH_UP_MICROS - slowingOf(ahead);
  return version + earlier((passed * CATCH_UP_MICROS) / rate, passed + ahead);
}

function slowingOf(ahead: bigint): bigint {
  return earlier(ahead, CATCH_UP_MOST);
}

function earlier(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}

function later(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}

/** Without a conflict when given a transaction's `snapshot`; costs one range read of one pair. */
export async function readNewestSample(tx: ReadTransaction, { begin, end }: KeyBounds): Promise<TimeSample | undefined> {
  const [newest] = await tx.getRange(begin, end, { reverse: true, limit: 1 });
  return newest && decodeTimeSample(newest);
}

/**
 * Writes down a clock in a transaction that read `before`, the newest sample of the incarnation, with a conflict, or where the versions of the
 * incarnation before go on, the last of that; else for the first what no time of the incarnation may be below. The samples of the incarnation can't be read in the transaction any more.
 */
export function writeTimeSample(
  tx: Transaction,
  { template, offset }: Stamped,
  clock: bigint,
  before: TimeSample | { readonly floor: bigint },
): void {
  tx.setVersionstampedKey(template, offset, encodeTimeSample(clock, before));
}

// 64-bit integers, big-endian: the clock, then the floor of a first sample, or the version, time and `ahead` of the sample before. With those the time of the
// commit is known once its version is, which is only after it was written.
const FIRST_BYTES = 16;
const LATER_BYTES = 32;

export function encodeTimeSample(clock: bigint, before: TimeSample | { readonly floor: bigint }): Buffer {
  const numbers = 'version' in before ? [clock, before.version, before.time, before.ahead] : [clock, before.floor];
  const bytes = Buffer.alloc(numbers.length * 8);
  for (const [index, number] of numbers.entries()) bytes.writeBigUInt64BE(number, index * 8);
  return bytes;
}

export function decodeTimeSample({ key, value }: KeyValue): TimeSample {
  if (value.length !== FIRST_BYTES && value.length !== LATER_BYTES) {
    throw new RangeError(
      `the sample of time at key ${key.toString('hex')} has ${value.length} bytes, not ${FIRST_BYTES} or ${LATER_BYTES}`,
    );
  }
  const version = stampOfKey(key).readBigUInt64BE(0);
  const clock = value.readBigUInt64BE(0);
  const second = value.readBigUInt64BE(8);
  const first = value.length === FIRST_BYTES;
  const reached = first
    ? second
    : timeAfter({ version: second, time: value.readBigUInt64BE(16), ahead: value.readBigUInt64BE(24) }, version);
  const time = later(clock, reached);
  return { version, time, ahead: time - clock, ...(first ? { floor: second } : {}) };
}
