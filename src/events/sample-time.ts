import type { Database, ReadTransaction, Transaction } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';
import { readNewestSample, timeAfter, writeTimeSample, type TimeSample } from '../keyvalue/time-samples.js';
import { createLog, FIRST_INCARNATION } from './log.js';
import { timeOf } from './sampled-times.js';

/** Microseconds since 1970 by the host's clock, which may jump. */
export type HostClock = () => number;

export const hostClock: HostClock = () => Date.now() * 1_000;

/** Of versions, which are nominally microseconds. Time stands still at a sample that is 15 s old. */
const DUE_MICROS = 10_000_000n;
/** Database time that is so far behind a clock waits no longer: the cluster was away, or this host slept. */
const BEHIND_MICROS = 2_000_000n;

/**
 * Writes a sample of database time where one is due; nothing where versions are times. Of several processes that do so at once one does it. How far database
 * time is ahead of the clock in microseconds, 0 where it is not. Throws as `transact`.
 */
export async function sampleTime(
  database: Database,
  keyspace: Keyspace,
  incarnation: number,
  clock: HostClock = hostClock,
): Promise<number> {
  if (database.quietVersions) return 0;
  const looked = await database.read((tx) => look(tx, keyspace, incarnation, clock));
  if (!looked.due) return looked.ahead;
  return database.transact((tx) => sampleTimeIn(tx, keyspace, incarnation, clock));
}

/**
 * `sampleTime` as a part of a transaction, whatever the database. It then can no longer read the samples of the incarnation, nor can its `time`, where those tell it.
 * The first sample of an incarnation is not before any time that the one before had reached; it costs a read for each partition of the log.
 */
export async function sampleTimeIn(
  tx: Transaction,
  keyspace: Keyspace,
  incarnation: number,
  clock: HostClock = hostClock,
): Promise<number> {
  const { newest, due, now, ahead } = await look(tx, keyspace, incarnation, clock);
  if (!due) return ahead;
  const append = keyspace.timeSampleAppend(incarnation);
  if (newest !== undefined) {
    writeTimeSample(tx, append, now, newest);
    return ahead;
  }
  const floor = await timeReachedBefore(tx, keyspace, incarnation);
  writeTimeSample(tx, append, now, { floor });
  return aheadOf(floor, now);
}

interface Look {
  readonly newest: TimeSample | undefined;
  readonly due: boolean;
  readonly now: bigint;
  readonly ahead: number;
}

async function look(tx: ReadTransaction, keyspace: Keyspace, incarnation: number, clock: HostClock): Promise<Look> {
  const [newest, version] = await Promise.all([readNewestSample(tx, keyspace.timeSamples(incarnation)), tx.readVersion()]);
  const now = BigInt(Math.max(0, Math.floor(clock())));
  if (newest === undefined) return { newest, due: true, now, ahead: 0 };
  const time = timeAfter(newest, version);
  const due = version - newest.version >= DUE_MICROS || now - time >= BEHIND_MICROS;
  return { newest, due, now, ahead: aheadOf(time, now) };
}

function aheadOf(time: bigint, now: bigint): number {
  return time > now ? Number(time - now) : 0;
}

async function timeReachedBefore(tx: ReadTransaction, keyspace: Keyspace, incarnation: number): Promise<bigint> {
  if (incarnation === FIRST_INCARNATION) return 0n;
  const samples = { begin: keyspace.times.begin, end: keyspace.timeSamples(incarnation).begin };
  const [position, sample] = await Promise.all([createLog(keyspace).newest(tx, incarnation - 1), readNewestSample(tx, samples)]);
  const last = position === undefined ? 0n : BigInt(await timeOf(tx, keyspace, position));
  return sample !== undefined && sample.time > last ? sample.time : last;
}
