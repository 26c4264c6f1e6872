import { expect, test } from 'vitest';

import { foundStore } from '../../src/commands/found-store.js';
import { createLog } from '../../src/events/log.js';
import type { Database } from '../../src/keyvalue/database.js';
import { directoryPrefix } from '../../src/keyvalue/keyspace.js';
import { readNewestSample } from '../../src/keyvalue/time-samples.js';
import { SimulatedStore, VirtualClock } from '../../src/keyvalue/simulated.js';
import { noteCluster, raiseIncarnations, readIncarnations, whyToRaise } from '../../src/processes/incarnation.js';
import { sampleTimes } from '../../src/processes/time-sampling.js';
import { registered } from '../../src/projections/registered.js';
import { createStore } from '../../src/projections/store.js';
import { identityOnly } from '../support/blobs-identity.js';
import { createIds } from '../commands/fixture.js';

const newId = createIds();

const prefixes = { registry: directoryPrefix('registry'), platform: directoryPrefix('topaz') };

/** A store as it is founded, on an engine whose versions are no times. */
async function founded() {
  const simulated = new SimulatedStore({ seed: 1, clock: new VirtualClock() }).connect();
  // The port's methods are the prototype's.
  const database: Database = {
    quietVersions: false,
    read: (body) => simulated.read(body),
    transact: (body, options) => simulated.transact(body, options),
    close: () => simulated.close(),
  };
  const store = createStore(database, prefixes, registered);
  const { keyspaces } = store;
  await foundStore({
    database,
    keyspaces,
    blobs: identityOnly(),
    projections: registered,
    identity: newId(),
    salt: Buffer.alloc(32),
  });
  return store;
}

type Founded = Awaited<ReturnType<typeof founded>>;

const AHEAD = 1_000_000_000_000n;

/** An event as it lies in a log that another cluster wrote, whose versions were so far ahead of this one's. */
async function restore({ database, keyspaces }: Founded, directory: 'registry' | 'platform', incarnation = 1) {
  await database.transact(async (tx) => {
    const stamp = Buffer.alloc(12);
    stamp.writeBigUInt64BE((await tx.readVersion()) + AHEAD);
    tx.set(keyspaces[directory].logKey(incarnation, 3, stamp), Buffer.from('an event'));
  });
}

const seen = async (store: Founded) =>
  (await readIncarnations(store)).map(({ directory, incarnation, isPast }) => [directory, incarnation, isPast]);

test('a store that was never restored needs no other incarnation, and none is raised', async () => {
  const store = await founded();
  await sampleTimes(store);
  expect(await seen(store)).toEqual([
    ['registry', 1, false],
    ['platform', 1, false],
  ]);
  expect(await raiseIncarnations(store, false)).toEqual([]);
});

test('one directory that was restored is raised alone, once, and begins with a sample of its time', async () => {
  const store = await founded();
  await sampleTimes(store);
  await restore(store, 'registry');
  expect(await seen(store)).toEqual([
    ['registry', 1, true],
    ['platform', 1, false],
  ]);
  expect(await raiseIncarnations(store, false)).toEqual([{ directory: 'registry', from: 1, to: 2 }]);
  expect(await seen(store)).toEqual([
    ['registry', 2, false],
    ['platform', 1, false],
  ]);
  expect(await raiseIncarnations(store, false)).toEqual([]);
  const sample = await store.database.read((tx) => readNewestSample(tx, store.keyspaces.registry.timeSamples(2)));
  expect(sample?.floor).toBeGreaterThan(0n);
});

test('the newest event is still that of the incarnation before, which is no reason to raise again', async () => {
  const store = await founded();
  await restore(store, 'registry');
  await raiseIncarnations(store, false);
  const [registry] = await readIncarnations(store);
  expect(registry).toMatchObject({ incarnation: 2, newest: { incarnation: 1 }, isPast: false });
  const log = createLog(store.keyspaces.registry);
  expect(await store.database.read((tx) => log.newest(tx, 2))).toMatchObject({ incarnation: 1 });
});

test('samples of time that are to come say it, too: a quiet log has nothing else', async () => {
  const store = await founded();
  await store.database.transact(async (tx) => {
    const version = (await tx.readVersion()) + AHEAD;
    const value = Buffer.alloc(16);
    value.writeBigUInt64BE(1_700_000_000_000_000n);
    tx.set(store.keyspaces.platform.timeSample(1, version), value);
  });
  expect(await seen(store)).toEqual([
    ['registry', 1, false],
    ['platform', 1, true],
  ]);
});

test('what nothing needs can be forced, in both directories', async () => {
  const store = await founded();
  expect(await raiseIncarnations(store, true)).toEqual([
    { directory: 'registry', from: 1, to: 2 },
    { directory: 'platform', from: 1, to: 2 },
  ]);
  expect(await seen(store)).toEqual([
    ['registry', 2, false],
    ['platform', 2, false],
  ]);
});

test('a commit that nobody knew the outcome of raises once', async () => {
  const store = await founded();
  await restore(store, 'platform');
  const twice: Founded = {
    ...store,
    database: {
      ...store.database,
      async transact(body, options) {
        await store.database.transact(body, options);
        return store.database.transact(body, options);
      },
    },
  };
  expect(await raiseIncarnations(twice, false)).toEqual([{ directory: 'platform', from: 1, to: 2 }]);
  expect(await seen(store)).toEqual([
    ['registry', 1, false],
    ['platform', 2, false],
  ]);
});

test('a copy on another cluster, whose versions are further on, is raised, and is of that cluster from then on', async () => {
  const { database, ...rest } = await founded();
  const on = (clusterId: string): Founded => ({
    ...rest,
    database: { ...database, clusterId: () => Promise.resolve(clusterId) },
  });
  const whys = async (store: Founded) => (await readIncarnations(store)).map(whyToRaise);
  await noteCluster(on('one'));
  await noteCluster(on('two'));
  expect(await whys(on('one'))).toEqual([undefined, undefined]);
  expect(await raiseIncarnations(on('one'), false)).toEqual([]);
  expect(await whys(on('two'))).toEqual([
    expect.stringContaining('another cluster') as string,
    expect.stringContaining('another cluster') as string,
  ]);
  expect(await raiseIncarnations(on('two'), false)).toHaveLength(2);
  expect(await whys(on('two'))).toEqual([undefined, undefined]);
  expect(await whys(on('one'))).toEqual([expect.anything(), expect.anything()]);
});

test('a server under which its cluster was replaced by another with a restored copy refuses everything until the incarnation is raised', async () => {
  const { database } = await founded();
  let cluster = 'one';
  const replaced: Database = { ...database, clusterId: () => Promise.resolve(cluster) };
  const server = createStore(replaced, prefixes, registered);
  await noteCluster(server);
  const ask = () => server.transact(() => Promise.resolve('answered'));
  expect(await ask()).toBe('answered');
  cluster = 'two';
  // As a restore does at its end.
  await database.transact(async (tx) => tx.touchMetadata());
  await expect(ask()).rejects.toThrow(/written on another cluster/);
  await expect(server.read(() => Promise.resolve('answered'))).rejects.toThrow(/incarnation raise/);
  await raiseIncarnations(createStore(replaced, prefixes, registered, { anyCluster: true }), false);
  expect(await ask()).toBe('answered');
});
