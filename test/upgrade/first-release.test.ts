import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { registered } from '../../src/projections/registered.js';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { OpenRegistry } from '../../src/open-registry.js';
import { clientOf, randomImage, type RegistryClient } from '../support/client.js';
import { makeRelease, type Release } from '../support/next-release.js';
import { temporaryFolder, waitFor } from '../support/processes.js';
import { startServer, storeSettings, type Server } from '../support/server.js';
import { openFolder } from './registry-folder.js';

/**
 * All that a server of release 0.1.0 (commit 00db07b) left behind, its clock set to 1 March 2025, after: shop/web with the tags latest (moved once) and v1, an image
 * shop/web/worker; shop/api with a mounted blob, two images pushed and deleted by tag and by digest; an index in shop/multi; team/app pushed to, deleted and
 * created anew. Keys and values in hex, the blobs' files in base64.
 */
const stored = JSON.parse(readFileSync(new URL('../fixtures/stores/release-0.1.0.json', import.meta.url), 'utf8')) as {
  readonly pairs: Readonly<Record<string, string>>;
  readonly blobs: Readonly<Record<string, string>>;
};

let release: Release;
let server: Server;
let client: RegistryClient;

async function unpackStore(directory: string): Promise<void> {
  for (const [path, bytes] of Object.entries(stored.blobs)) {
    mkdirSync(dirname(join(directory, 'blobs', path)), { recursive: true });
    writeFileSync(join(directory, 'blobs', path), Buffer.from(bytes, 'base64'));
  }
  const { openLmdb } = await release.load('keyvalue/lmdb');
  const database = await openLmdb(join(directory, 'db'), { create: true });
  await database.transact((tx) => {
    for (const [key, value] of Object.entries(stored.pairs)) tx.set(Buffer.from(key, 'hex'), Buffer.from(value, 'hex'));
    return Promise.resolve();
  });
  await database.close();
}

beforeAll(async () => {
  release = await makeRelease({ version: '0.2.0' });
  const directory = temporaryFolder('release-0.1.0');
  await unpackStore(directory);
  server = await startServer({ program: release.main, directory });
  client = clientOf(server);
}, 120_000);

afterAll(() => server.remove());

async function withStore<T>(body: (registry: OpenRegistry) => Promise<T>): Promise<T> {
  const registry = await openFolder(release, server.directory);
  try {
    return await body(registry);
  } finally {
    await registry.close();
  }
}

const images = [
  ['shop/web', 'latest', 'sha256:e42a702a8561896e6f1dc9274e4f0373f4b1ba4c8a02b5e4f33b99b75c0c6283'],
  ['shop/web', 'v1', 'sha256:22cbcdef7a5f23061b1e56ab3e4fce7f7e5a14c04e3ccda7bbd01688a6a73b0a'],
  ['shop/web/worker', 'latest', 'sha256:61a15c4c251b674c0b4dcf349c3de754ab55d12a7f8739bccf1d362ee1292f5f'],
] as const;

async function pullAll(): Promise<void> {
  for (const [name, tag, digest] of images) expect((await client.pullImage(name, tag)).manifest.digest).toBe(digest);
  expect((await client.pullIndex('shop/multi', 'latest')).images.length).toBe(2);
  (await client.getManifest('shop/api', 'gone')).expect(404);
  (await client.getManifest('team/app', 'latest')).expect(404);
}

test('the store of release 0.1.0 is served, gets its history by itself, and is of this format then', async () => {
  let pulls = 0;
  const live = await waitFor(
    async () => {
      await pullAll();
      pulls += 1;
      const found = await withStore(({ store }) => store.read(({ registry }) => Promise.resolve(registry.live)));
      return found.projections.some(({ name }) => name === 'history') ? found : undefined;
    },
    60_000,
    () => server.log(),
  );
  expect(pulls).toBeGreaterThan(0);
  expect(live.fence).toBeUndefined();
  expect((await client.request('GET', '/readyz')).expect(200).json()).toEqual({ status: 'ready' });
  const formatOf = (name: 'registry' | 'platform') =>
    withStore(async ({ store }) => {
      const bytes = await store.database.read((tx) => tx.get(store.keyspaces[name].metaLive));
      return JSON.parse((bytes ?? '').toString()) as unknown;
    });
  const { EVENT_GENERATION: events } = await release.load('events/codec');
  expect(await formatOf('registry')).toMatchObject({ format: 2, events });
  // It has new indexes, too, and one switch of its own.
  await waitFor(
    async () => {
      const platform = (await formatOf('platform')) as { readonly format: number; readonly events?: number };
      return platform.format === 2 && platform.events === events ? true : undefined;
    },
    60_000,
    () => server.log(),
  );
});

test('its indexes equal the folded log, history too', async () => {
  const { code, output } = await release.command(['projections', 'verify', '--all'], storeSettings(server.directory));
  expect(code, output).toBe(0);
  expect(output.match(/equals the folded log/g)?.length).toBe(registered.length);
});

async function history(what: string, ...options: readonly string[]): Promise<readonly string[]> {
  const told = await release.command(['history', what, ...options], storeSettings(server.directory));
  expect(told.code, told.output).toBe(0);
  return told.stdout.toString().trimEnd().split('\n');
}

test('what happened under release 0.1.0 is told', async () => {
  const latest = await history('shop/web:latest');
  expect(latest.map((line) => line.replace(/^(\S+) \S+ {2}/, '$1 '))).toEqual([
    '2025-03-01 owner@example.test (token, 127.0.0.1)  created tag latest of shop/web at sha256:22cbcdef7a5f',
    '2025-03-01 owner@example.test (token, 127.0.0.1)  moved tag latest of shop/web from sha256:22cbcdef7a5f to sha256:e42a702a8561',
  ]);
  expect((await history('shop/api')).filter((line) => line.includes('deleted'))).toHaveLength(3);
  expect((await history('team/app')).filter((line) => line.startsWith('--'))).toEqual([
    expect.stringMatching(/^-- an earlier repository team\/app .* was deleted$/),
    expect.stringMatching(/^-- another repository team\/app .* has the name now$/),
  ]);
});

test('what is pushed from here on comes behind it, in the newest generation of events', async () => {
  await client.pushImage('shop/web', 'latest', randomImage());
  const latest = await history('shop/web:latest');
  expect(latest).toHaveLength(3);
  expect(latest[2]).toContain('moved tag latest of shop/web from sha256:e42a702a8561');
  const { hasChecksum } = await release.load('events/checksum');
  const { LOG_PARTITIONS } = await release.load('keyvalue/keyspace');
  const sums = await withStore(({ store }) =>
    store.database.read(async (tx) => {
      const partitions = Array.from({ length: LOG_PARTITIONS }, (_, partition) =>
        store.keyspaces.registry.logBounds(1, partition),
      );
      const pairs = (await Promise.all(partitions.map(({ begin, end }) => tx.getRange(begin, end)))).flat();
      return new Map(pairs.map(({ key, value }) => [key.toString('hex'), hasChecksum(value)]));
    }),
  );
  const old = [...sums].filter(([key]) => Object.hasOwn(stored.pairs, key));
  expect(old.length).toBeGreaterThan(50);
  expect(old.filter(([, has]) => has)).toEqual([]);
  expect([...sums].filter(([key, has]) => !has && !Object.hasOwn(stored.pairs, key))).toEqual([]);
  expect(sums.size).toBeGreaterThan(old.length);
});
