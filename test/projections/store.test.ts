import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import type { Database, ReadTransaction, Transaction } from '../../src/keyvalue/database.js';
import { directoryPrefix } from '../../src/keyvalue/keyspace.js';
import { beat } from '../../src/processes/heartbeat.js';
import { claimBuild } from '../../src/projections/builds.js';
import { parseLive, writeLive } from '../../src/projections/live.js';
import { projection } from '../../src/projections/projection.js';
import { liftFence, raiseEvents, raiseFence, switchTo } from '../../src/projections/switch-build.js';
import { createStore, indexOf, type Store } from '../../src/projections/store.js';
import { create, grant, pushImage, simulate } from '../commands/fixture.js';
import { builderOf, next, old, openWorld, rebuildBy, toTagsV2, type Process, type World } from './builds-fixture.js';

const MIB = 1024 * 1024;
const prefixes = { registry: directoryPrefix('registry'), platform: directoryPrefix('topaz') };

/** Asks for a key, and says whether its body ran. */
async function ran(store: Store, key: string, bytes: number): Promise<boolean> {
  let ran = false;
  const body = () => Promise.resolve(void (ran = true));
  await store.readCached(key, body, () => bytes);
  return ran;
}

test('a full cache of reads begins anew with what is asked for now', async () => {
  const { store } = await simulate();
  for (const key of ['a', 'b', 'c']) expect(await ran(store, key, 6 * MIB)).toBe(true);
  expect(await ran(store, 'c', 6 * MIB)).toBe(false);
  expect(await ran(store, 'a', 6 * MIB)).toBe(true);
});

test('what is larger than the whole cache is not kept, and drives nothing out', async () => {
  const { store } = await simulate();
  await ran(store, 'a', MIB);
  for (let round = 0; round < 2; round += 1) expect(await ran(store, 'large', 17 * MIB)).toBe(true);
  expect(await ran(store, 'a', MIB)).toBe(false);
});

describe.each([true, false])('what was read is kept, where versions are quiet: %s', (quietVersions) => {
  test('until an event is appended to one of the two logs', async () => {
    const at = await simulate({ quietVersions });
    const other = at.another();
    await create(at, 'alpha/one');
    const changes = [
      () => pushImage(other, 'alpha/one', 'x', ['latest']),
      () => grant(other, other.newId(), other.newId(), 'viewer'),
      () => create(other, 'beta/two'),
    ];
    for (const change of changes) {
      await ran(at.store, 'a', 1);
      expect(await ran(at.store, 'a', 1)).toBe(false);
      await change();
      expect(await ran(at.store, 'a', 1)).toBe(true);
    }
  });

  test('until meta/live changes, though no event comes', async () => {
    const at = await simulate({ quietVersions });
    await ran(at.store, 'a', 1);
    await at.another().store.transact(({ tx, platform: { keyspace, live } }) => {
      writeLive(tx, keyspace, { ...live, incarnation: live.incarnation + 1 });
      return Promise.resolve();
    });
    expect(await ran(at.store, 'a', 1)).toBe(true);
    expect(await ran(at.store, 'a', 1)).toBe(false);
  });

  test('and an index that changes without an event is not read so', async () => {
    const world = await openWorld({ quietVersions });
    const followed = projection({ name: 'followed', version: 1, directory: 'registry', mode: 'async', apply: {} });
    const process = world.connect('one', [...old, followed]);
    await process.store.transact(({ tx, registry: { keyspace, live } }) => {
      const { name, version, mode } = followed;
      writeLive(tx, keyspace, { ...live, projections: [...live.projections, { name, version, mode, build: 'followed-1' }] });
      return Promise.resolve();
    });
    const read = (reading: Parameters<typeof indexOf>[0]) => indexOf(reading, followed).get(['a']);
    expect(await process.store.read(read)).toBeUndefined();
    await expect(process.store.readCached('a', read)).rejects.toThrow('the index followed follows the log');
  });
});

test('where versions are not quiet, commits without an event leave what was read kept', async () => {
  const at = await simulate({ quietVersions: false });
  await ran(at.store, 'a', 1);
  await beat(at.another().store, at.newId(), { release: 'one', host: 'here' });
  expect(await ran(at.store, 'a', 1)).toBe(false);
  expect(await ran(at.store, 'b', 1)).toBe(true);
});

/** A database that tells of each key that is read, conflicts or not. */
function watched(database: Database, seen: (key: Buffer) => void): Database {
  const over = <Tx extends ReadTransaction>(tx: Tx): Tx =>
    new Proxy(tx, {
      get(target, name) {
        if (name === 'snapshot') return over((target as unknown as Transaction).snapshot);
        if (name === 'get') return (key: Buffer) => (seen(key), target.get(key));
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  return {
    quietVersions: database.quietVersions,
    transact: (body, options) => database.transact((tx) => body(over(tx)), options),
    read: (body) => database.read((tx) => body(over(tx))),
    close: () => database.close(),
  };
}

describe('meta/live', () => {
  /** Looks from a process that has read it before whether what it keeps is what is written. */
  async function expectSeen({ store }: Process, what: string): Promise<void> {
    for (const directory of ['registry', 'platform'] as const) {
      const { kept, written } = await store.database.read(async (tx) => ({
        kept: (await store.readDirectory(tx, directory)).live,
        written: await tx.get(store.keyspaces[directory].metaLive),
      }));
      expect(kept, `${directory} ${what}`).toEqual(written && parseLive(written));
    }
  }

  async function buildToSwitchTo(world: World, process: Process): Promise<string> {
    const claim = await claimBuild(process.store, builderOf(process.name), toTagsV2, world.newId());
    if (!('claimed' in claim)) throw new Error('not claimed');
    return claim.claimed.build;
  }

  test('is read once, and again when somebody has written it', async () => {
    const world = await openWorld();
    let reads = 0;
    const { metaLive } = world.connect('any').store.keyspaces.registry;
    const database = watched(world.simulated.connect('counted'), (key) => (reads += key.equals(metaLive) ? 1 : 0));
    const store = createStore(database, prefixes, next);
    for (let round = 0; round < 3; round += 1) {
      await store.read(() => Promise.resolve());
      await store.transact(async ({ tx }) => Promise.resolve(void tx.set(Buffer.from(`key ${round}`), Buffer.alloc(0))));
    }
    expect(reads).toBe(1);
    await rebuildBy(world, world.connect('builder'));
    reads = 0;
    expect(await store.read(({ registry }) => Promise.resolve(registry.builds.get('tags')?.projection.version))).toBe(2);
    expect(reads).toBe(1);
  });

  test('as anybody writes it is seen by those who have read it', async () => {
    const world = await openWorld();
    const [reader, builder] = [world.connect('reader'), world.connect('builder')];
    const { store } = builder;
    const me = builderOf('builder');
    await expectSeen(reader, 'as it was founded');
    const build = await buildToSwitchTo(world, builder);

    await raiseFence(store, me, 'registry', build);
    await expectSeen(reader, 'under a fence');
    await liftFence(store, 'registry', build);
    await expectSeen(reader, 'when the fence was lifted');

    await raiseFence(store, me, 'registry', build);
    await expectSeen(reader, 'under a second fence');
    world.clock.advance(2_000);
    await builder.append(1);
    await expectSeen(reader, 'when a command lifted the fence');

    await raiseFence(store, me, 'registry', build);
    expect(await switchTo(store, me, 'registry', build)).toBe('switched');
    await expectSeen(reader, 'behind the switch');

    await store.transact(({ tx, registry: { keyspace, live } }) => {
      writeLive(tx, keyspace, { ...live, events: 1 });
      return Promise.resolve();
    });
    await expectSeen(reader, 'with events of the first generation');
    await raiseEvents(store, 'registry');
    await expectSeen(reader, 'with events of the newest generation');
  });

  test('is written nowhere without saying so', () => {
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const writes = sources.flatMap((name) => {
      const parts = readFileSync(join('src', name), 'utf8').split(/\.set\([^;]*metaLive[^;]*;/);
      return parts.slice(1).map((behind) => ({ name, says: /^\s*(\/\/.*\s*)*tx\.touchMetadata\(\);/.test(behind) }));
    });
    expect(writes.filter(({ says }) => !says)).toEqual([]);
    expect(writes.map(({ name }) => name)).toContain(join('projections', 'live.ts'));
  });

  test.each(['a process that has just begun', 'a process that has read meta/live before'])(
    'under a fence holds back the commands of %s',
    async (who) => {
      const world = await openWorld();
      const [writer, builder] = [world.connect('writer'), world.connect('builder')];
      if (who.includes('before')) await writer.append(1);
      const build = await buildToSwitchTo(world, builder);
      const seen: (string | undefined)[] = [];
      let fenced = false;
      await writer.store.transact(async ({ tx, registry }) => {
        seen.push(registry.live.fence?.build);
        tx.set(Buffer.from('key'), Buffer.alloc(0));
        if (fenced) return;
        fenced = true;
        await raiseFence(builder.store, builderOf('builder'), 'registry', build);
        world.clock.advance(1_100);
      });
      // The body that saw no fence was not committed; the one that was had lifted the fence when its time was over.
      expect(seen).toEqual([undefined, build]);
    },
  );

  test('that others on the cluster touch takes no command with it', async () => {
    const world = await openWorld();
    const writer = world.connect('writer');
    await writer.append(1);
    let bodies = 0;
    await writer.store.transact(async ({ tx }) => {
      bodies += 1;
      tx.set(Buffer.from('key'), Buffer.alloc(0));
      await world.simulated.connect('another layer').transact((other) => Promise.resolve(void other.touchMetadata()));
    });
    expect(bodies).toBe(1);
  });
});
