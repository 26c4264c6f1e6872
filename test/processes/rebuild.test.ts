import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { EventDecodeError } from '../../src/events/codec.js';
import { formatPosition } from '../../src/events/position.js';
import type { KeyValue } from '../../src/keyvalue/database.js';
import { boundsOf } from '../../src/keyvalue/keyspace.js';
import { openLmdb } from '../../src/keyvalue/lmdb.js';
import { CrashedError } from '../../src/keyvalue/simulated.js';
import { pack } from '../../src/keyvalue/tuple.js';
import { BuildStoppedError, type Progress } from '../../src/processes/build-run.js';
import { beat } from '../../src/processes/heartbeat.js';
import { VerifyDisturbedError } from '../../src/processes/verify.js';
import { BuildLostError } from '../../src/projections/builds.js';
import { createLog } from '../../src/events/log.js';
import { createIds } from '../commands/fixture.js';
import {
  contentsOf,
  faultsOf,
  found,
  next,
  old,
  openWorld,
  rebuildBy,
  verifyBy,
  versionOfTags,
  worker,
  type Process,
  type World,
} from '../projections/builds-fixture.js';
import { engine, onFoundationDb, runs } from '../support/database.js';

/** All of so many places, or about five of them where each takes seconds. */
const stepThrough = (places: number): number => (engine === 'simulated' ? 1 : Math.ceil(places / 5));

async function withEvents(commits: number, options: Parameters<typeof openWorld>[0] = {}): Promise<World> {
  const world = await openWorld(options);
  const writer = world.connect('first writer', old);
  for (let commit = 0; commit < commits; commit += 1) await writer.append(10);
  return world;
}

async function expectSwitched(process: Process): Promise<void> {
  expect(await versionOfTags(process)).toBe(2);
  expect(await faultsOf(process)).toEqual([]);
}

/** Appends every `everyMs` until it is told to stop. */
function keepAppending(world: World, process: Process, everyMs: number, events = 2): { stop(): Promise<number> } {
  let [isOver, commits] = [false, 0];
  const running = (async () => {
    while (!isOver) {
      await process.append(events);
      commits += 1;
      if (everyMs > 0) await world.clock.sleep(everyMs);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await running;
      return commits;
    },
  };
}

describe('a rebuild', () => {
  test('makes the next version beside the live one and switches, while commands go on', async () => {
    const world = await withEvents(20);
    const writing = keepAppending(world, world.connect('writer'), 3);
    const seen = new Set<string>();
    const builder = world.connect('builder');
    const build = await rebuildBy(world, builder, { progress: ({ phase }) => void seen.add(phase) });
    await writing.stop();
    await expectSwitched(builder);
    expect(build.events).toBeGreaterThanOrEqual(200);
    expect([...seen]).toEqual(['building', 'switching', 'clearing']);
  });

  /** At how many places a rebuild of this can die. */
  async function placesIn(commits: number): Promise<number> {
    const world = await withEvents(commits);
    let places = 0;
    world.simulated.crash = (_, process) => {
      if (process === 'builder') places += 1;
    };
    await rebuildBy(world, world.connect('builder'));
    return places;
  }

  test('that is killed at any await is gone on with by another process, where it was', async () => {
    const places = await placesIn(8);
    expect(places).toBeGreaterThan(50);
    let [resumed, tried] = [0, 0];
    for (let place = 1; place <= places; place += stepThrough(places)) {
      tried += 1;
      const world = await withEvents(8);
      let left = place;
      world.simulated.crash = (_, process) => {
        if (process === 'builder' && --left === 0) throw new CrashedError(`at ${place}`);
      };
      const writing = keepAppending(world, world.connect('writer'), 400);
      await expect(rebuildBy(world, world.connect('builder'))).rejects.toThrow(CrashedError);
      const second = world.connect('second');
      const begun = world.clock.now();
      let resumedAt = 0;
      await rebuildBy(world, second, { progress: (told) => void ({ resumedAt } = told) });
      if (resumedAt > 0) resumed += 1;
      // A lease is 10 s; the virtual clock runs ahead while others work.
      expect(world.clock.now() - begun).toBeLessThan(20_000);
      await writing.stop();
      expect(await versionOfTags(second), `killed at place ${place} of ${places}`).toBe(2);
      expect(await faultsOf(second), `killed at place ${place} of ${places}`).toEqual([]);
    }
    expect(resumed).toBeGreaterThan(tried / 3);
  }, 240_000);

  test.each(['unknownApplied', 'unknownLost', 'notCommitted'] as const)(
    'changes nothing twice when the outcome of any of its commits is %s',
    async (fault) => {
      for (let commit = 1, isStruck = true; isStruck; commit += stepThrough(12)) {
        const world = await withEvents(8);
        let commits = 0;
        world.simulated.crash = (point, process) => {
          if (process !== 'builder' || point !== 'commit') return;
          commits += 1;
          if (commits === commit) world.simulated.force(fault);
        };
        const builder = world.connect('builder');
        const build = await rebuildBy(world, builder);
        isStruck = commits >= commit;
        expect(build.events, `at commit ${commit}`).toBe(80);
        await expectSwitched(builder);
        if (!isStruck) expect(commit).toBeGreaterThan(8);
      }
    },
  );

  test('takes over from a builder that stands still, which then writes no more', async () => {
    const world = await withEvents(20);
    let release = (): void => undefined;
    const stuck = new Promise<void>((resolve) => (release = resolve));
    const clock = { now: () => world.clock.now(), sleep: () => stuck };
    let begin = (): void => undefined;
    const building = new Promise<void>((resolve) => (begin = resolve));
    const first = rebuildBy(world, world.connect('first'), { clock, rate: 20, progress: () => begin() });
    const lost = expect(first).rejects.toThrow(BuildLostError);
    await building;
    const second = world.connect('second');
    const phases = new Set<string>();
    await rebuildBy(world, second, { progress: ({ phase }) => void phases.add(phase) });
    release();
    await lost;
    expect(phases.has('waiting for another builder')).toBe(true);
    await expectSwitched(second);
  });

  test('by two processes at once is done once', async () => {
    const world = await withEvents(20);
    const [one, two] = [world.connect('one'), world.connect('two')];
    const builds = await Promise.all([rebuildBy(world, one), rebuildBy(world, two)]);
    expect(new Set(builds.map(({ build }) => build)).size).toBe(1);
    await expectSwitched(one);
  });

  test('that is stopped keeps what it has, and gives its lease back', async () => {
    const world = await withEvents(20);
    const abort = new AbortController();
    const progress = ({ events }: Progress): void => {
      if (events >= 100) abort.abort();
    };
    await expect(rebuildBy(world, world.connect('one'), { signal: abort.signal, progress })).rejects.toThrow(BuildStoppedError);
    let resumedAt = 0;
    const two = world.connect('two');
    const before = world.clock.now();
    await rebuildBy(world, two, { progress: (told) => void ({ resumedAt } = told) });
    expect(resumedAt).toBe(100);
    expect(world.clock.now() - before).toBeLessThan(1_000);
    await expectSwitched(two);
  });

  test('waits for servers that know only the version before, for as long as they are heard from', async () => {
    const world = await withEvents(5);
    const server = world.connect('server', old);
    const id = world.newId();
    await beat(server.store, id, { release: 'old', host: 'here' });
    const begun = world.clock.now();
    const builder = world.connect('builder');
    const waitedFor = new Set<string>();
    await rebuildBy(world, builder, { progress: ({ behind }) => behind.forEach(({ host }) => waitedFor.add(host)) });
    expect([...waitedFor]).toEqual(['here']);
    expect(world.clock.now() - begun).toBeGreaterThan(29_000);
    expect(world.clock.now() - begun).toBeLessThan(33_000);
    await expectSwitched(builder);
  });

  test('waits for nobody when it is forced, also by another process', async () => {
    const world = await withEvents(5);
    await beat(world.connect('server', old).store, world.newId(), { release: 'old', host: 'here' });
    const [builder, operator] = [world.connect('builder'), world.connect('operator')];
    const begun = world.clock.now();
    let [isForced, looksAfter] = [false, 0];
    const looked = ({ phase }: Progress): void => {
      if (phase === 'waiting for servers' && isForced) looksAfter += 1;
    };
    const waiting = rebuildBy(world, builder, { progress: looked });
    await world.clock.sleep(3_000);
    expect(await versionOfTags(builder)).toBe(1);
    const order = { directory: 'registry', projections: next.filter(({ name }) => name === 'tags'), purpose: 'switch' } as const;
    const told = new Set<string>();
    // It tells of the other builder once that one's build is noted as forced.
    const progress = ({ phase }: Progress): void => {
      told.add(phase);
      isForced = true;
    };
    await rebuildBy(world, operator, { order: { ...order, force: true }, progress });
    await waiting;
    expect(told).toEqual(new Set(['waiting for another builder']));
    // At the worst it has just looked. How long that takes the virtual clock does not tell: it runs ahead while others work. The server's 30 s are not over, though.
    expect(looksAfter).toBeLessThanOrEqual(1);
    expect(world.clock.now() - begun).toBeLessThan(29_000);
    await expectSwitched(builder);
  });
});

describe('a switch under a busy log', () => {
  test('does not starve, though more is appended than the builder folds', async () => {
    const world = await withEvents(20);
    const writers = Array.from({ length: 3 }, (_, number) => keepAppending(world, world.connect(`writer ${number}`), 0, 20));
    const builder = world.connect('builder');
    const build = await rebuildBy(world, builder, { limit: 40 });
    const commits = await Promise.all(writers.map((writer) => writer.stop()));
    // Otherwise it has caught up, and was not tried.
    expect(commits.reduce((sum, some) => sum + some, 0) * 20).toBeGreaterThan(build.events - 200);
    await expectSwitched(builder);
  }, 120_000);

  test('goes on behind a fence that outlived its deadline', async () => {
    const world = await withEvents(20);
    const writing = keepAppending(world, world.connect('writer'), 50);
    let fences = 0;
    // Twice the builder is too slow under its fence.
    const progress = ({ phase }: Progress): void => {
      if (phase !== 'switching') return;
      fences += 1;
      if (fences <= 2) world.clock.advance(2_500);
    };
    const builder = world.connect('builder');
    await rebuildBy(world, builder, { progress });
    await writing.stop();
    expect(fences).toBe(3);
    await expectSwitched(builder);
  });

  test.skipIf(onFoundationDb)(
    'does not starve on LMDB, where transactions are large and come without a pause',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'rebuild-'));
      const database = await openLmdb(folder, { create: true });
      try {
        const newId = createIds();
        await found(database, newId);
        const work = worker(newId);
        const writer = work(database, 'writer', next);
        for (let commit = 0; commit < 10; commit += 1) await writer.append(200);
        const clock = {
          now: () => performance.now(),
          sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
        };
        const world = { newId, clock } as unknown as World;
        const writers = Array.from({ length: 4 }, (_, number) =>
          keepAppending(world, work(database, `writer ${number}`, next), 0, 200),
        );
        const builder = work(database, 'builder', next);
        // Half as much at a time as a command appends, and there are four who append.
        await rebuildBy(world, builder, { limit: 100 });
        await Promise.all(writers.map((one) => one.stop()));
        expect(await versionOfTags(builder)).toBe(2);
        expect((await verifyBy(world, builder, { limit: 5_000 })).differences).toEqual([]);
      } finally {
        await database.close();
        await rm(folder, { recursive: true, force: true });
      }
    },
    120_000,
  );
});

describe('what limits a rebuild', () => {
  test('a rate holds for what was in the log when it began, and not for what came since', async () => {
    const world = await withEvents(30);
    // Twice as fast as the limit: it would never get there.
    const writing = keepAppending(world, world.connect('writer'), 50, 10);
    const builder = world.connect('builder');
    const begun = world.clock.now();
    await rebuildBy(world, builder, { rate: 100, limit: 100 });
    const took = world.clock.now() - begun;
    await writing.stop();
    // Three steps of 100, the last of which nothing waits for.
    expect(took).toBeGreaterThan(1_900);
    expect(took).toBeLessThan(6_000);
    await expectSwitched(builder);
  });

  test('a share of the thread is left to others, as long as each step took', async () => {
    const world = await withEvents(30);
    let [now, slept] = [0, 0];
    world.simulated.crash = (point, process) => {
      if (process === 'builder' && point === 'commit') now += 5;
    };
    const clock = {
      now: () => now,
      sleep(ms: number) {
        slept += ms;
        now += ms;
        return Promise.resolve();
      },
    };
    const builder = world.connect('builder');
    await rebuildBy(world, builder, { share: 0.25, clock });
    // 300 events in steps of 20: 15 pauses of 15 ms, but for the last step, which is behind the end.
    expect(slept).toBe(14 * 15);
    await expectSwitched(builder);
  });
});

describe('verify', () => {
  const indexKey = ({ store }: Process, ...items: (string | number)[]): Buffer =>
    pack(store.keyspaces.registry.projection('tags', '1'), items);

  test('finds a changed value, a missing key and one too many, and changes nothing', async () => {
    const world = await withEvents(10);
    const process = world.connect('operator', old);
    const { begin, end } = boundsOf(process.store.keyspaces.registry.projection('tags', '1'));
    const pairs = await process.store.database.read((tx) => tx.getRange(begin, end));
    const [changed, missing] = [pairs[3], pairs[7]] as [KeyValue, KeyValue];
    const extra = indexKey(process, 'tag', 'nobody pushed this');
    await process.store.database.transact((tx) => {
      tx.set(changed.key, Buffer.concat([changed.value, Buffer.from('!')]));
      tx.clear(missing.key);
      tx.set(extra, Buffer.from('x'));
      return Promise.resolve();
    });
    const before = await contentsOf(world);
    const { verified, differences } = await verifyBy(world, process);
    expect(await contentsOf(world)).toEqual(before);
    expect(Object.fromEntries(verified.map(({ name, differences: number }) => [name, number]))).toEqual({
      repositories: 0,
      tags: 3,
      history: 0,
    });
    const prefix = process.store.keyspaces.registry.projection('tags', '1').length;
    const expected = [
      { key: changed.key, live: Buffer.concat([changed.value, Buffer.from('!')]), folded: changed.value },
      { key: missing.key, live: undefined, folded: missing.value },
      { key: extra, live: Buffer.from('x'), folded: undefined },
    ];
    expect(differences).toEqual(
      expected
        .map(({ key, ...values }) => ({ projection: 'tags', version: 1, key: key.subarray(prefix), ...values }))
        .sort((left, right) => left.key.compare(right.key)),
    );
  });

  test('under writes never tells of a difference that is none', async () => {
    const world = fc.record({
      seed: fc.integer({ min: 1, max: 1e9 }),
      everyMs: fc.integer({ min: 1, max: 20 }),
      events: fc.integer({ min: 1, max: 10 }),
      notCommitted: fc.constantFrom(0, 0.2),
      unknownApplied: fc.constantFrom(0, 0.1),
    });
    await fc.assert(
      fc.asyncProperty(world, async ({ seed, everyMs, events, ...faults }) => {
        const at = await withEvents(10, { seed });
        at.simulated.faults = { ...at.simulated.faults, ...faults };
        const writers = [1, 2].map((number) => keepAppending(at, at.connect(`writer ${number}`, old), everyMs, events));
        const { verified, differences } = await verifyBy(at, at.connect('operator', old), { limit: 500 });
        await Promise.all(writers.map((writer) => writer.stop()));
        expect(differences).toEqual([]);
        expect(verified.length).toBe(3);
      }),
      { numRuns: runs(40) },
    );
  }, 120_000);

  /** How a verification ends; what is not one of its ends is thrown. */
  async function outcomeOf(verifying: ReturnType<typeof verifyBy>): Promise<string> {
    try {
      return `${(await verifying).differences.length} differences`;
    } catch (error) {
      if (error instanceof VerifyDisturbedError) return 'disturbed';
      throw error;
    }
  }

  /** A builder that comes to its first pause, behind 20 of the events, and goes on when it is told to. */
  function pausing(world: World) {
    let goOn = (): void => undefined;
    const told = new Promise<void>((resolve) => (goOn = resolve));
    let pause = (): void => undefined;
    const paused = new Promise<void>((resolve) => (pause = resolve));
    const clock = {
      now: () => world.clock.now(),
      async sleep(ms: number) {
        pause();
        await told;
        await world.clock.sleep(ms);
      },
    };
    return { options: { clock, rate: 20 }, paused, goOn };
  }

  test('beside a rebuild that has not switched yet sees what it had', async () => {
    const world = await withEvents(10);
    const writing = keepAppending(world, world.connect('writer'), 5);
    const { options, paused, goOn } = pausing(world);
    const builder = world.connect('builder');
    const building = rebuildBy(world, builder, options);
    await paused;
    expect(await outcomeOf(verifyBy(world, world.connect('operator')))).toBe('0 differences');
    goOn();
    await building;
    await writing.stop();
    await expectSwitched(builder);
  });

  test('is told of the switch that a rebuild makes meanwhile', async () => {
    const world = await withEvents(10);
    const writing = keepAppending(world, world.connect('writer'), 5);
    const { options, paused, goOn } = pausing(world);
    const verifying = outcomeOf(verifyBy(world, world.connect('operator'), options));
    await paused;
    const builder = world.connect('builder');
    await rebuildBy(world, builder);
    goOn();
    expect(await verifying).toBe('disturbed');
    await writing.stop();
    await expectSwitched(builder);
  });

  test('and a rebuild at once end, whenever the one begins', async () => {
    for (let seed = 1; seed <= 20; seed += stepThrough(20)) {
      const world = await withEvents(10, { seed });
      const writing = keepAppending(world, world.connect('writer'), 5);
      const builder = world.connect('builder');
      const verifying = world.clock.sleep(seed * 2).then(() => outcomeOf(verifyBy(world, world.connect('operator'))));
      const [outcome] = await Promise.all([verifying, rebuildBy(world, builder)]);
      expect(['disturbed', '0 differences']).toContain(outcome);
      await writing.stop();
      await expectSwitched(builder);
    }
  });

  test('twice at once says the same twice', async () => {
    const world = await withEvents(10);
    const both = await Promise.all([1, 2].map((number) => verifyBy(world, world.connect(`operator ${number}`, old))));
    expect(both.map(({ differences }) => differences)).toEqual([[], []]);
    expect(await faultsOf(world.connect('last', old))).toEqual([]);
  });
});

test.each(['rebuild', 'verify'] as const)('a flipped byte in the log stops a %s, which names its position', async (what) => {
  const world = await withEvents(5);
  const process = world.connect('operator', what === 'verify' ? old : next);
  const { database, keyspaces } = process.store;
  const { events } = await database.read((tx) => createLog(keyspaces.registry).readFrom(tx, 1, undefined, { limit: 50 }));
  const position = events[30]?.position;
  if (position === undefined) throw new Error('there are too few events');
  const [damaged] = (await world.simulated.contents()).filter(
    ({ key }) => key.subarray(-12).equals(position.stamp) && key.includes('log'),
  );
  if (damaged === undefined) throw new Error('the event has no bytes');
  const value = Buffer.from(damaged.value);
  value[20] = (value[20] ?? 0) ^ 0x04;
  await database.transact((tx) => {
    tx.set(damaged.key, value);
    return Promise.resolve();
  });
  const act = what === 'verify' ? verifyBy(world, process) : rebuildBy(world, process);
  const error: unknown = await act.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(EventDecodeError);
  expect((error as Error).message).toContain(formatPosition(position));
  expect(await versionOfTags(process)).toBe(1);
});
