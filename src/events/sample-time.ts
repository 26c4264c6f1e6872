import type { ReadTransaction, Transaction } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';
import { readNewestSample, SAMPLE_DUE_MICROS, timeAfter, writeTimeSample, type TimeSample } from '../keyvalue/time-samples.js';
import { createLog, FIRST_INCARNATION } from './log.js';
import { versionOf } from './position.js';
import { timeOf } from './sampled-times.js';

/** Microseconds since 1970 by the host's clock, which may jump. */
export type HostClock = () => number;

export const hostClock: HostClock = () => Date.now() * 1_000;

/**
 * Writes a sample of database time where one is due; how far database time is ahead of the clock in microseconds, 0 where it is not. Of several transactions that
 * do so at once one does it. It then can no longer read the samples of the incarnation, nor can its `time`, where those tell it. The first sample of an incarnation is not before any time that the one before had reached; it costs a read for each partition of the log.
 */
export async function sampleTimeIn(
  tx: Transaction,
  keyspace: Keyspace,
  incarnation: number,
  clock: HostClock = hostClock,
): Promise<number> {
  const { newest, version, due, now, ahead } = await look(tx, keyspace, incarnation, clock);
  if (!due) return ahead;
  const append = keyspace.timeSampleAppend(incarnation);
  if (newest !== undefined) {
    writeTimeSample(tx, append, now, newest);
    return ahead;
  }
  const { sample, floor } = await reachedBefore(tx, keyspace, incarnation, version);
  writeTimeSample(tx, append, now, sample ?? { floor });
  return aheadOf(floor, now);
}

interface Look {
  readonly newest: TimeSample | undefined;
  readonly version: bigint;
  readonly due: boolean;
  readonly now: bigint;
  readonly ahead: number;
}

async function look(tx: ReadTransaction, keyspace: Keyspace, incarnation: number, clock: HostClock): Promise<Look> {
  const [newest, version] = await Promise.all([readNewestSample(tx, keyspace.timeSamples(incarnation)), tx.readVersion()]);
  const now = BigInt(Math.max(0, Math.floor(clock())));
  if (newest === undefined) return { newest, version, due: true, now, ahead: 0 };
  const due = version - newest.version >= SAMPLE_DUE_MICROS;
  return { newest, version, due, now, ahead: aheadOf(timeAfter(newest, version), now) };
}

function aheadOf(time: bigint, now: bigint): number {
  return time > now ? Number(time - now) : 0;
}

/**
 * What the incarnations before had told times up to. `sample`: the last of the one before, where the database still gives the versions that follow it: up to the
 * very commit of the new one there may be answers by it.
 */
async function reachedBefore(
  tx: ReadTransaction,
  keyspace: Keyspace,
  incarnation: number,
  version: bigint,
): Promise<{ readonly sample?: TimeSample; readonly floor: bigint }> {
  if (incarnation === FIRST_INCARNATION) return { floor: 0n };
  const samples = { begin: keyspace.times.begin, end: keyspace.timeSamples(incarnation).begin };
  const [position, last, mine] = await Promise.all([
    createLog(keyspace).newest(tx, incarnation - 1),
    readNewestSample(tx, samples),
    readNewestSample(tx, keyspace.timeSamples(incarnation - 1)),
  ]);
  const appended = position === undefined ? 0n : BigInt(await timeOf(tx, keyspace, position));
  const goesOn =
    mine !== undefined &&
    mine.version <= version &&
    (position?.incarnation !== incarnation - 1 || versionOf(position) <= version);
  if (goesOn) return { sample: mine, floor: timeAfter(mine, version) };
  return { floor: last !== undefined && last.time > appended ? last.time : appended };
}
