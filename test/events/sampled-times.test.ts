import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { positionNow, positionOf } from '../../src/events/database-time.js';
import { comparePositions, formatPosition, versionOf, type Position } from '../../src/events/position.js';
import { sampleTimeIn, type HostClock } from '../../src/events/sample-time.js';
import { sampledTime, timeOf, timesOf } from '../../src/events/sampled-times.js';
import { createLog } from '../../src/events/log.js';
import type { Database, ReadTransaction } from '../../src/keyvalue/database.js';
import { createKeyspace, directoryPrefix, type Keyspace } from '../../src/keyvalue/keyspace.js';
import { SimulatedStore, VirtualClock } from '../../src/keyvalue/simulated.js';
import { encodeTimeSample, readNewestSample, timeAfter } from '../../src/keyvalue/time-samples.js';
import { sampleTimes } from '../../src/processes/time-sampling.js';
import { createStore } from '../../src/projections/store.js';
import { commit, eventOn, streamAt } from './log-fixture.js';

function sampleTime(database: Database, keyspace: Keyspace, incarnation: number, clock: HostClock): Promise<number> {
  return database.transact((tx) => sampleTimeIn(tx, keyspace, incarnation, clock));
}

/** Each is of a process of its own, that knows nothing yet. */
const newKeyspace = (): Keyspace => createKeyspace(directoryPrefix('registry'));

interface Cluster {
  readonly database: Database;
  readonly clock: VirtualClock;
  /** As a recovery makes one: a hundred seconds by versions, none by clocks. */
  readonly leap: () => void;
  readonly append: (incarnation?: number) => Promise<Position>;
}

/** A store whose versions begin low, run with the clock and leap. */
function openCluster(start = Date.UTC(2026, 10, 1)): Cluster {
  const clock = new VirtualClock(start);
  const begun = BigInt(start) * 1_000n - 1_000n;
  let leapt = 0n;
  const database = new SimulatedStore({ seed: 1, clock, versions: (time) => time - begun + leapt }).connect();
  let appended = 0;
  return {
    database,
    clock,
    leap: () => void (leapt += 100_000_000n),
    append: async (incarnation = 1) => {
      appended += 1;
      const [event] = await commit(database, [eventOn(streamAt(appended))], incarnation);
      return event?.position ?? expect.fail();
    },
  };
}

const micros = (clock: VirtualClock): number => Math.floor(clock.now() * 1_000);

async function found(database: Database, keyspace: Keyspace, incarnation: number, time: number): Promise<Position | undefined> {
  const answer = await database.read((tx) => positionOf(tx, keyspace, incarnation, { time }));
  return 'reason' in answer ? undefined : answer;
}

/** A database that counts its range reads, and how many were begun when others had ended. */
function counting(database: Database): {
  readonly database: Database;
  readonly reads: () => number;
  readonly rounds: () => number;
} {
  let [reads, running, rounds] = [0, 0, 0];
  const counted = (tx: ReadTransaction): ReadTransaction => ({
    readVersion: () => tx.readVersion(),
    time: () => tx.time(),
    metadataVersion: () => tx.metadataVersion(),
    get: (key) => tx.get(key),
    async getRange(begin, end, options) {
      reads += 1;
      if (running === 0) rounds += 1;
      running += 1;
      const pairs = await tx.getRange(begin, end, options);
      running -= 1;
      return pairs;
    },
  });
  const taken = (count: number, reset: () => void): number => (reset(), count);
  return {
    database: { ...withMethods(database), read: (body) => database.read((tx) => body(counted(tx))) },
    reads: () => taken(reads, () => (reads = 0)),
    rounds: () => taken(rounds, () => (rounds = 0)),
  };
}

function withMethods(database: Database): Database {
  return {
    quietVersions: database.quietVersions,
    transact: (body, options) => database.transact(body, options),
    read: (body) => database.read(body),
    close: () => database.close(),
  };
}

type Step =
  | { readonly kind: 'append' | 'leap' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'sample'; readonly sampler: number }
  | { readonly kind: 'ask'; readonly ago: number }
  | { readonly kind: 'set clock'; readonly sampler: number; readonly skewMs: number };

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'append' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'leap' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.oneof(fc.integer({ min: 0, max: 12_000 }), fc.integer({ min: 0, max: 5 }), fc.integer({ max: 3_600_000, min: 0 })),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('sample' as const), sampler: fc.integer({ min: 0, max: 1 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      ago: fc.oneof(fc.integer({ min: -20_000_000, max: 60_000_000 }), fc.integer({ min: -5, max: 5 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('set clock' as const),
      sampler: fc.integer({ min: 0, max: 1 }),
      skewMs: fc.oneof(fc.integer({ min: -5_000, max: 5_000 }), fc.integer({ min: -3_600_000, max: 3_600_000 })),
    }),
  },
);

test('whatever the samplers, their clocks and the versions do: times follow the order of positions, and every answer stays', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 40 }), async (program) => {
      const { database, clock, leap, append } = openCluster();
      const keyspace = newKeyspace();
      const skews = [0, 0];
      const positions: Position[] = [];
      const told: { readonly position: Position; readonly time: number }[] = [];
      const answered: { readonly time: number; readonly at: Position }[] = [];
      await sampleTime(database, keyspace, 1, () => micros(clock));
      for (const step of program) {
        if (step.kind === 'append') positions.push(await append());
        if (step.kind === 'leap') leap();
        if (step.kind === 'wait') clock.advance(step.ms);
        if (step.kind === 'set clock') skews[step.sampler] = step.skewMs;
        if (step.kind === 'sample') {
          const skew = (skews[step.sampler] ?? 0) * 1_000;
          await sampleTime(database, newKeyspace(), 1, () => micros(clock) + skew);
        }
        if (step.kind === 'ask') {
          const now = (await database.read((tx) => sampledTime(tx, keyspace, 1))) ?? expect.fail();
          const time = now - step.ago;
          const at = await found(database, keyspace, 1, time);
          // Exactly what is before now has come: an event may still come at this very time.
          expect(at !== undefined).toBe(time < now);
          if (at !== undefined) answered.push({ time, at });
          const last = positions.at(-1);
          if (last !== undefined) told.push({ position: last, time: await database.read((tx) => timeOf(tx, keyspace, last)) });
        }
      }
      positions.push(await append());
      for (const knowing of [keyspace, newKeyspace()]) {
        const timeAt = await database.read((tx) => timesOf(tx, knowing, positions));
        const times = positions.map(timeAt);
        expect(times).toEqual([...times].sort((left, right) => left - right));
        for (const { position, time } of told) expect(timeAt(position)).toBe(time);
        for (const { time, at } of answered) {
          const again = (await found(database, knowing, 1, time)) ?? expect.fail();
          expect(formatPosition(again)).toBe(formatPosition(at));
          for (const position of positions) expect(comparePositions(position, at) <= 0).toBe(timeAt(position) <= time);
        }
      }
    }),
    { numRuns: 100 },
  );
});

/** Ten seconds a sample, now and then a leap, a pause, or a clock that is ahead; an event behind each sample. */
async function longHistory(samples: number) {
  const cluster = openCluster();
  const { database, clock, leap, append } = cluster;
  const keyspace = newKeyspace();
  const positions: Position[] = [];
  for (let round = 0; round < samples; round += 1) {
    const skew = round % 37 < 5 ? 4_000_000 : 0;
    await sampleTime(database, keyspace, 1, () => micros(clock) + skew);
    if (round % 7 === 0) positions.push(await append());
    clock.advance(round % 100 === 50 ? 3_600_000 : 10_500);
    if (round % 41 === 40) leap();
  }
  return { ...cluster, positions };
}

describe('a long history', () => {
  const opened = longHistory(1_200);

  test('the position of a time is found in a few reads, wherever it is', async () => {
    const { database, positions } = await opened;
    const counted = counting(database);
    const all = await database.read((tx) => timesOf(tx, newKeyspace(), positions));
    let most = 0;
    for (const position of positions) {
      const time = all(position);
      const keyspace = newKeyspace();
      counted.rounds();
      const at = (await found(counted.database, keyspace, 1, time)) ?? expect.fail();
      most = Math.max(most, counted.rounds());
      const before = (await found(database, newKeyspace(), 1, time - 1)) ?? expect.fail();
      expect(comparePositions(at, position)).toBeGreaterThanOrEqual(0);
      expect(comparePositions(before, position)).toBeLessThan(0);
      // Once a process knows it, only what time it is now is read.
      counted.reads();
      await found(counted.database, keyspace, 1, time);
      expect(counted.reads()).toBe(1);
    }
    expect(most).toBeLessThanOrEqual(10);
  });

  test('a page of a hundred entries costs one round of reads where they lie together, a few where they do not, none again', async () => {
    const { database, positions } = await opened;
    const counted = counting(database);
    const near = positions.slice(-8);
    const keyspace = newKeyspace();
    await counted.database.read((tx) => timesOf(tx, keyspace, near));
    expect(counted.reads()).toBe(1);
    expect(counted.rounds()).toBe(1);
    const everywhere = positions.slice(0, 100);
    const times = await counted.database.read((tx) => timesOf(tx, keyspace, everywhere));
    expect(counted.rounds()).toBeLessThanOrEqual(3);
    const again = await counted.database.read((tx) => timesOf(tx, keyspace, everywhere));
    // The second asking of what is alone in its interval reads nothing either.
    expect(counted.rounds()).toBe(0);
    expect(everywhere.map(again)).toEqual(everywhere.map(times));
  });

  test('what a process knows of it is right however it came to know', async () => {
    const { database, positions } = await opened;
    const right = await database.read((tx) => timesOf(tx, newKeyspace(), positions));
    const keyspace = newKeyspace();
    for (const position of [...positions].reverse()) {
      expect(await database.read((tx) => timeOf(tx, keyspace, position))).toBe(right(position));
    }
    for (const position of positions) expect(await database.read((tx) => timeOf(tx, keyspace, position))).toBe(right(position));
  });
});

test('a position that has not come yet, which anybody may ask for, teaches a process nothing', async () => {
  const { database, clock, append } = openCluster();
  const keyspace = newKeyspace();
  await sampleTime(database, keyspace, 1, () => micros(clock));
  const now = await database.read((tx) => positionNow(tx, 1));
  const later = { incarnation: 1, stamp: Buffer.from(now.stamp) };
  later.stamp.writeBigUInt64BE(versionOf(now) + 20_000_000n);
  await database.read((tx) => timeOf(tx, keyspace, later));
  clock.advance(11_000);
  await sampleTime(database, newKeyspace(), 1, () => micros(clock) + 3_600_000_000);
  const position = await append();
  const told = await database.read((tx) => timeOf(tx, keyspace, position));
  expect(told).toBe(await database.read((tx) => timeOf(tx, newKeyspace(), position)));
  expect(told).toBeGreaterThanOrEqual(micros(clock) + 3_600_000_000);
});

test('what a process keeps is bounded', async () => {
  const { database, clock } = openCluster();
  clock.advance(1_000);
  const keyspace = newKeyspace();
  const sampleOf = (index: number) => ({
    key: keyspace.timeSample(1, BigInt(index)),
    value: encodeTimeSample(BigInt(index), { floor: 0n }),
  });
  await database.transact(async (tx) => {
    for (let index = 1; index <= 5_000; index += 1) tx.set(sampleOf(index).key, sampleOf(index).value);
    return Promise.resolve();
  });
  const counted = counting(database);
  const ask = (version: number) => {
    const stamp = Buffer.alloc(12);
    stamp.writeBigUInt64BE(BigInt(version));
    return counted.database.read((tx) => timeOf(tx, keyspace, { incarnation: 1, stamp }));
  };
  for (let version = 50; version <= 5_000; version += 50) expect(await ask(version)).toBe(version);
  counted.reads();
  await ask(5_000);
  expect(counted.reads()).toBe(0);
  // The first had to go.
  expect(await ask(50)).toBe(50);
  expect(counted.reads()).toBe(1);
});

describe('sampling', () => {
  test('writes one sample of several processes that look at once, and none before it is due', async () => {
    const { database, clock } = openCluster();
    const { times } = newKeyspace();
    const count = async (): Promise<number> => (await database.read((tx) => tx.getRange(times.begin, times.end))).length;
    const all = () => Promise.all([1, 2, 3].map(() => sampleTime(database, newKeyspace(), 1, () => micros(clock))));
    await all();
    expect(await count()).toBe(1);
    clock.advance(9_900);
    await all();
    expect(await count()).toBe(1);
    clock.advance(200);
    await all();
    expect(await count()).toBe(2);
  });

  test('says how far database time is ahead of the clock, and goes on from there at half the rate', async () => {
    const { database, clock } = openCluster();
    const keyspace = newKeyspace();
    const now = (): Promise<number | undefined> => database.read((tx) => sampledTime(tx, keyspace, 1));
    expect(await sampleTime(database, keyspace, 1, () => micros(clock) + 60_000_000)).toBe(0);
    clock.advance(10_000);
    expect(Math.round((await sampleTime(database, keyspace, 1, () => micros(clock))) / 1_000)).toBe(60_000);
    const before = (await now()) ?? expect.fail();
    clock.advance(10_000);
    expect(Math.round((((await now()) ?? expect.fail()) - before) / 1_000)).toBe(5_000);
  });

  test('writes nothing where versions are times', async () => {
    const database = new SimulatedStore({ seed: 1, clock: new VirtualClock() }).connect();
    const prefixes = { registry: directoryPrefix('registry'), platform: directoryPrefix('topaz') };
    expect(await sampleTimes(createStore(database, prefixes, []))).toBe(0);
    const { times } = newKeyspace();
    expect(await database.read((tx) => tx.getRange(times.begin, times.end))).toEqual([]);
  });
});

describe('over several incarnations', () => {
  const old = [1_700_000_000_000_000, 1_700_000_100_000_000, 1_700_000_200_000_000];

  /** A log that LMDB wrote, copied into a cluster whose versions are low: its incarnation has no samples. */
  async function migrated() {
    const cluster = openCluster(1_600_000_000_000);
    const keyspace = newKeyspace();
    const log = createLog(keyspace);
    const lmdb = old.map((time, index) => {
      const stamp = Buffer.alloc(12);
      stamp.writeBigUInt64BE(BigInt(time));
      stamp.writeUInt16BE(index, 10);
      return { incarnation: 1, stamp };
    });
    await cluster.database.transact(async (tx) => {
      for (const { stamp } of lmdb) tx.set(keyspace.logKey(1, 3, stamp), Buffer.from('event'));
      return Promise.resolve();
    });
    return { ...cluster, keyspace, log, lmdb };
  }

  test('the first sample is not before what the incarnation before had reached, whatever the clock says', async () => {
    const { database, clock, keyspace, append } = await migrated();
    // Of 2020: a clock that stands far behind the log.
    await sampleTime(database, keyspace, 2, () => micros(clock));
    const first = await database.read((tx) => readNewestSample(tx, keyspace.timeSamples(2)));
    expect(first).toMatchObject({ time: BigInt(old[2] ?? 0), floor: BigInt(old[2] ?? 0) });
    clock.advance(5_000);
    const young = await append(2);
    expect(await database.read((tx) => timeOf(tx, keyspace, young))).toBe((old[2] ?? 0) + 2_500_000);
    clock.advance(4_000);
    const told = (await database.read((tx) => sampledTime(tx, keyspace, 2))) ?? expect.fail();
    await sampleTime(database, keyspace, 3, () => micros(clock));
    const third = await database.read((tx) => readNewestSample(tx, keyspace.timeSamples(3)));
    expect(Number(third?.time)).toBeGreaterThanOrEqual(told);
    // By the very version that begins the third, and not by the last event alone.
    expect(third?.time).toBe(
      timeAfter(
        (await database.read((tx) => readNewestSample(tx, keyspace.timeSamples(2)))) ?? expect.fail(),
        third?.version ?? 0n,
      ),
    );
  });

  test('each time is of the incarnation that was there then; what was there stays what it was', async () => {
    const { database, clock, keyspace, lmdb, append, leap } = await migrated();
    clock.advance((old[2] ?? 0) / 1_000 + 1_000_000 - clock.now());
    const sample = (incarnation: number) => sampleTime(database, newKeyspace(), incarnation, () => micros(clock));
    const positions: Position[] = [...lmdb];
    const moments: number[] = [];
    for (const incarnation of [2, 3]) {
      for (let round = 0; round < 3; round += 1) {
        await sample(incarnation);
        clock.advance(3_000);
        positions.push(await append(incarnation));
        clock.advance(8_000);
        if (round === 1) leap();
        moments.push(micros(clock) - 9_000_000, micros(clock) - 2_000_000);
      }
      clock.advance(50_000);
      moments.push(micros(clock) - 20_000_000);
    }
    clock.advance(50_000);
    await sample(3);
    clock.advance(1_000);
    const timeAt = await database.read((tx) => timesOf(tx, keyspace, positions));
    const times = positions.map(timeAt);
    expect(times.slice(0, 3)).toEqual(old);
    expect(times).toEqual([...times].sort((left, right) => left - right));
    const asked = [...old, ...times, ...times.map((time) => time - 1), ...moments, (old[0] ?? 0) - 1, 1_000, 0, -5];
    for (const time of asked) {
      const at = (await found(database, keyspace, 3, time)) ?? expect.fail(String(time));
      for (const position of positions) expect(comparePositions(position, at) <= 0).toBe(timeAt(position) <= time);
    }
    // Between the incarnations, before the second had an event.
    expect((await found(database, keyspace, 3, times[3] ?? 0))?.incarnation).toBe(2);
    expect((await found(database, keyspace, 3, (times[3] ?? 0) - 1))?.incarnation).toBe(1);
  });

  test('a position has come where its version has, of an incarnation that is over always, of one to come never', async () => {
    const { database, clock, keyspace, append } = await migrated();
    await sampleTime(database, keyspace, 2, () => micros(clock));
    const young = await append(2);
    const ask = (position: Position) => database.read((tx) => positionOf(tx, keyspace, 2, { position }));
    expect(await ask(young)).toEqual(young);
    const now = await database.read((tx) => positionNow(tx, 2));
    expect(await ask(now)).toEqual(now);
    const stamp = Buffer.from(now.stamp);
    stamp.writeBigUInt64BE(versionOf(now) + 1n);
    expect(await ask({ incarnation: 2, stamp })).toHaveProperty('reason');
    expect(await ask({ incarnation: 1, stamp: Buffer.alloc(12, 0xff) })).toHaveProperty('stamp');
    expect(await ask({ incarnation: 3, stamp: Buffer.alloc(12) })).toHaveProperty('reason');
  });

  test('what was appended before the first sample is told by it', async () => {
    const { database, clock, append } = openCluster();
    const keyspace = newKeyspace();
    const first = await append();
    clock.advance(4_000);
    await database.transact((tx) => sampleTimeIn(tx, keyspace, 1, () => micros(clock)));
    const second = await append();
    clock.advance(1_000);
    const timeAt = await database.read((tx) => timesOf(tx, keyspace, [first, second]));
    expect(timeAt(second) - timeAt(first)).toBe(Number(versionOf(second) - versionOf(first)));
    const at = (await found(database, keyspace, 1, timeAt(first))) ?? expect.fail();
    expect(versionOf(at)).toBe(versionOf(first));
  });
});
