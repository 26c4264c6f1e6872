import { describe, expect, test } from 'vitest';

import { EVENT_GENERATION } from '../../src/events/codec.js';
import { advanceBuild } from '../../src/projections/advance-build.js';
import {
  BuildLostError,
  claimBuild,
  dropBuild,
  LEASE_MICROS,
  listBuilds,
  releaseBuild,
  renewLease,
  type Build,
  type Claim,
} from '../../src/projections/builds.js';
import { clearSuperfluous } from '../../src/projections/clear-builds.js';
import { raiseFence, switchTo } from '../../src/projections/switch-build.js';
import { findTag } from '../../src/projections/tags.js';
import {
  builderOf,
  faultsOf,
  keysOf,
  old,
  openWorld,
  rebuildBy,
  toTagsV2,
  versionOfTags,
  type Process,
  type World,
} from './builds-fixture.js';

const LIMIT = 20;
const [one, other] = [builderOf('one'), builderOf('other')];

function claimedOf(claim: Claim): Build {
  if ('claimed' in claim) return claim.claimed;
  throw new Error('finished' in claim ? 'it is live' : `held by ${claim.held.lease?.owner ?? 'nobody'}`);
}

const claimBy = (world: World, { store }: Process, builder = one) => claimBuild(store, builder, toTagsV2, world.newId());

/** A world with 100 events, and a build with the first 20 of them. */
async function begun() {
  const world = await openWorld();
  const writer = world.connect('writer', old);
  for (let commit = 0; commit < 10; commit += 1) await writer.append(10);
  const process = world.connect('builder');
  const claimed = claimedOf(await claimBy(world, process));
  const { build } = await advanceBuild(process.store, one, 'registry', claimed.build, { limit: LIMIT });
  return { world, writer, process, build };
}

async function catchUp({ store }: Process, from: Build, builder = one): Promise<Build> {
  for (let build = from; ;) {
    const step = await advanceBuild(store, builder, 'registry', build.build, { limit: LIMIT });
    build = step.build;
    if (step.tailReached) return build;
  }
}

async function clearAll({ store }: Process): Promise<number> {
  let transactions = 0;
  while (await clearSuperfluous(store, 'registry')) transactions += 1;
  return transactions;
}

describe('a lease', () => {
  test('keeps others off until it has run out, and each step renews it', async () => {
    const { world, process, build } = await begun();
    world.clock.advance(LEASE_MICROS / 1_000 - 1);
    expect(await claimBy(world, process, other)).toMatchObject({ held: { build: build.build } });
    await renewLease(process.store, one, 'registry', build.build);
    world.clock.advance(LEASE_MICROS / 1_000 - 1);
    expect(await claimBy(world, process, other)).toMatchObject({ held: { build: build.build } });
    world.clock.advance(2);
    const taken = claimedOf(await claimBy(world, process, other));
    expect(taken).toMatchObject({ build: build.build, events: 20, checkpoint: build.checkpoint });
  });

  test('that was lost lets its holder write nothing more', async () => {
    const { world, process, build } = await begun();
    world.clock.advance(LEASE_MICROS / 1_000 + 1);
    const taken = claimedOf(await claimBy(world, process, other));
    const before = await keysOf(process, build.build);
    const { store } = process;
    for (const act of [
      () => advanceBuild(store, one, 'registry', build.build, { limit: LIMIT }),
      () => renewLease(store, one, 'registry', build.build),
      () => raiseFence(store, one, 'registry', build.build),
      () => switchTo(store, one, 'registry', build.build),
    ])
      await expect(act()).rejects.toThrow(BuildLostError);
    await releaseBuild(store, one, 'registry', build.build);
    expect(await keysOf(process, build.build)).toBe(before);
    // Nor does it take anything from the new one.
    expect((await catchUp(process, taken, other)).events).toBe(100);
  });

  test('that is given back is taken at once', async () => {
    const { world, process, build } = await begun();
    await releaseBuild(process.store, one, 'registry', build.build);
    expect(claimedOf(await claimBy(world, process, other)).build).toBe(build.build);
  });
});

test('what another release has half made is dropped, begun anew, and its keys are cleared in bounded transactions', async () => {
  const { world, process, build } = await begun();
  await releaseBuild(process.store, one, 'registry', build.build);
  const later = { owner: 'later', release: 'the one after' };
  const fresh = claimedOf(await claimBuild(process.store, later, toTagsV2, world.newId()));
  expect(fresh).toMatchObject({ events: 0, checkpoint: undefined });
  expect(fresh.build).not.toBe(build.build);
  expect(await keysOf(process, build.build)).toBeGreaterThan(0);
  expect(await clearAll(process)).toBe(2);
  expect(await keysOf(process, build.build)).toBe(0);
  const builds = await process.store.database.read((tx) => listBuilds(tx, process.store.keyspaces.registry));
  expect(builds.map((record) => record.build)).toEqual([fresh.build]);
  await expect(advanceBuild(process.store, one, 'registry', build.build, { limit: LIMIT })).rejects.toThrow(BuildLostError);
});

test('a build that is dropped, or given up by a verify that was killed, leaves nothing', async () => {
  const { world, process, build } = await begun();
  await dropBuild(process.store, one, 'registry', build.build);
  const aside = claimedOf(await claimBuild(process.store, one, { ...toTagsV2, purpose: 'verify' }, world.newId()));
  await catchUp(process, aside);
  expect(await clearAll(process)).toBe(2);
  world.clock.advance(LEASE_MICROS / 1_000 + 1);
  await clearAll(process);
  expect(await faultsOf(process)).toEqual([]);
});

test('a switch clears the keys of the build that it replaced, thousands of them a thousand at a time', async () => {
  const { world, process } = await begun();
  const { store } = process;
  const prefix = store.keyspaces.registry.projection('tags', '1');
  for (let at = 0; at < 2_500; at += 500) {
    await store.database.transact((tx) => {
      for (let key = at; key < at + 500; key += 1)
        tx.set(Buffer.concat([prefix, Buffer.from([0x15, key >> 8, key & 0xff])]), Buffer.from('x'));
      return Promise.resolve();
    });
  }
  world.clock.advance(LEASE_MICROS / 1_000 + 1);
  const commits: number[] = [];
  const { build } = await rebuildBy(world, world.connect('another'), {
    progress: ({ phase }) => void (phase === 'clearing' && commits.push(1)),
  });
  expect(build).not.toBe('1');
  expect(await keysOf(process, '1')).toBe(0);
  expect(await faultsOf(process)).toEqual([]);
});

describe('a fence', () => {
  /** A build that has come to the log's end, its fence standing, and a command that came then. */
  async function fenced() {
    const { world, writer, process, build } = await begun();
    await catchUp(process, build);
    expect(await raiseFence(process.store, one, 'registry', build.build)).toBe(true);
    const newer = world.connect('newer');
    let isDone = false;
    const waiting = newer.append(3).then(() => (isDone = true));
    return { world, writer, newer, process, build: build.build, waiting, isDone: () => isDone };
  }

  test('makes commands wait, not fail, and the switch lets them go on', async () => {
    const { world, newer, process, build, waiting, isDone } = await fenced();
    // A fence is good for 1 s.
    await world.clock.sleep(900);
    expect(isDone()).toBe(false);
    expect(await switchTo(process.store, one, 'registry', build)).toBe('switched');
    await waiting;
    expect(await versionOfTags(process)).toBe(2);
    await clearAll(process);
    expect(await faultsOf(newer)).toEqual([]);
  });

  test('holds no pull', async () => {
    const { world, writer, process, build, waiting } = await fenced();
    const read = writer.store.read((reading) => findTag(reading, world.newId(), '' as never, 'latest' as never));
    await expect(read).resolves.toBeUndefined();
    await switchTo(process.store, one, 'registry', build);
    await waiting;
  });

  test('holds other builders off while it stands', async () => {
    const { world, process, build, waiting } = await fenced();
    const order = { ...toTagsV2, projections: process.store.projections.filter(({ name }) => name === 'history') };
    const second = claimedOf(await claimBuild(process.store, other, order, world.newId()));
    expect(await raiseFence(process.store, other, 'registry', second.build)).toBe(false);
    await switchTo(process.store, one, 'registry', build);
    await waiting;
    expect(await raiseFence(process.store, other, 'registry', second.build)).toBe(true);
  });

  test('that outlived its deadline is lifted by the next command, and its builder begins another', async () => {
    const { world, process, build, waiting } = await fenced();
    world.clock.advance(2_001);
    await waiting;
    expect(await switchTo(process.store, one, 'registry', build)).toBe('fence lost');
    expect(await versionOfTags(process)).toBe(1);
    expect(await raiseFence(process.store, one, 'registry', build)).toBe(true);
    expect(await switchTo(process.store, one, 'registry', build)).toBe('switched');
    await clearAll(process);
    expect(await faultsOf(process)).toEqual([]);
  });

  test('conflicts with the commands that were under way: none is left out of the new build', async () => {
    const { world, process, build } = await begun();
    await catchUp(process, build);
    const writers = Array.from({ length: 5 }, (_, number) => world.connect(`writer ${number}`));
    const appends = writers.map((writer) => writer.append(2));
    await raiseFence(process.store, one, 'registry', build.build);
    expect(await switchTo(process.store, one, 'registry', build.build)).toBe('switched');
    await Promise.all(appends);
    await clearAll(process);
    expect(await faultsOf(process)).toEqual([]);
  });
});

test('a switch raises the generation of events when it is told so, and never lowers it', async () => {
  const { process, build } = await begun();
  await catchUp(process, build);
  await raiseFence(process.store, one, 'registry', build.build);
  await switchTo(process.store, one, 'registry', build.build);
  const { live } = await process.store.database.read((tx) => process.store.readDirectory(tx, 'registry'));
  expect(live.events).toBe(EVENT_GENERATION);
});
