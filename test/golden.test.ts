import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { openLocalBlobStore } from '../src/blobs/local.js';
import type { Digest } from '../src/digest.js';
import { clearContent, readContent, readHeld, writeContent } from '../src/events/content.js';
import { nameHash } from '../src/identity/directory.js';
import { createKeyspace, directoryPrefix } from '../src/keyvalue/keyspace.js';
import { SimulatedStore, VirtualClock } from '../src/keyvalue/simulated.js';
import { encodeLive, parseLive } from '../src/projections/live.js';
import { found, sha256Of } from './commands/fixture.js';

// What stores hold besides events and keys, which test/events/golden.test.ts reads. A golden file is added to, never edited.

function golden(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8'));
}

const newStore = () => new SimulatedStore({ seed: 1, clock: new VirtualClock() });

/** By directory, the texts of `meta/live` as releases founded it; the newest is the last. */
const live = golden('live') as Readonly<Record<'registry' | 'platform', readonly string[]>>;

test.each(['registry', 'platform'] as const)(
  "the %s directory's meta/live is founded as its newest golden text",
  async (name) => {
    const { store } = await found(newStore().connect());
    const bytes = await store.database.read((tx) => tx.get(store.keyspaces[name].metaLive));
    expect(bytes?.toString(), 'a projection is new or has a new version: add the text to test/golden/live.json').toBe(
      live[name].at(-1),
    );
  },
);

const texts = [...live.registry, ...live.platform];
const isFirstFormat = (text: string) => text.startsWith('{"format":1,');

test.each(texts.filter((text) => !isFirstFormat(text)))('%s is read and written again as it is', (text) => {
  expect(encodeLive(parseLive(Buffer.from(text))).toString()).toBe(text);
});

// Release 0.1.0's, which is written no more: a switch makes it the next format.
test.each(texts.filter(isFirstFormat))('%s is read', (text) => {
  const { incarnation, projections } = JSON.parse(text) as {
    readonly incarnation: number;
    readonly projections: readonly object[];
  };
  const inline = projections.map((projection) => ({ ...projection, mode: 'inline' }));
  expect(parseLive(Buffer.from(text))).toEqual({ incarnation, events: 1, projections: inline, fence: undefined });
});

const hashes = golden('name-hashes') as {
  readonly salt: string;
  readonly names: readonly { readonly name: string; readonly hash: string }[];
};

test.each(hashes.names)('the login name $name has its golden hash', ({ name, hash }) => {
  expect(nameHash(Buffer.from(hashes.salt, 'hex'), name)).toBe(hash);
});

interface Chunked {
  readonly size: number;
  readonly chunks: readonly { readonly size: number; readonly sha256: string }[];
}

test.each(golden('content-chunks') as readonly Chunked[])('content of $size bytes lies in its golden chunks', async (sample) => {
  const database = newStore().connect();
  const keyspace = createKeyspace(directoryPrefix('registry'));
  const bytes = Buffer.from(Array.from({ length: sample.size }, (_, index) => (index * 7 + Math.floor(index / 251)) % 256));
  const digest = sha256Of(bytes);
  await database.transact((tx) => writeContent(tx, keyspace, digest, bytes));
  const { begin, end } = keyspace.contentBounds(digest);
  const pairs = await database.read((tx) => tx.getRange(begin, end));
  expect(pairs.map(({ key }) => key)).toEqual(sample.chunks.map((_, chunk) => keyspace.content(digest, chunk)));
  const chunks = pairs.map(({ value }) => ({
    size: value.length,
    sha256: createHash('sha256').update(value).digest('hex'),
  }));
  expect(chunks).toEqual(sample.chunks);
  expect(await database.read((tx) => readContent(tx, keyspace, digest))).toEqual(bytes);
});

const erased = golden('erased') as readonly { readonly layers: number; readonly chunks: readonly string[] }[];

test.each(erased)('what a manifest of $layers layers held lies in its golden chunks when it is erased', async (sample) => {
  const database = newStore().connect();
  const keyspace = createKeyspace(directoryPrefix('registry'));
  const layers = Array.from({ length: sample.layers }, (_, index) => ({ digest: sha256Of(`layer ${index}`), size: 7 }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, layers }));
  const digest = sha256Of(bytes);
  await database.transact((tx) => writeContent(tx, keyspace, digest, bytes));
  const held = await database.read((tx) => readHeld(tx, keyspace, digest));
  await database.transact((tx) => clearContent(tx, keyspace, digest));
  const { begin, end } = keyspace.erasedBounds(digest);
  const pairs = await database.read((tx) => tx.getRange(begin, end));
  expect(pairs.map(({ key }) => key)).toEqual(sample.chunks.map((_, chunk) => keyspace.erased(digest, chunk)));
  // Short ones as they are, to be read; long ones by their hash.
  const chunks = pairs.map(({ value }) => (value.length < 300 ? value.toString() : `${value.length} bytes, ${sha256Of(value)}`));
  expect(chunks).toEqual(sample.chunks);
  expect((await database.read((tx) => readHeld(tx, keyspace, digest)))?.held).toEqual(held?.held);
});

const paths = golden('blob-paths') as {
  readonly bytes: string;
  readonly blobs: readonly { readonly digest: Digest; readonly generation: string; readonly path: string }[];
};

test.each(paths.blobs)('a blob lies at $path', async ({ digest, generation, path }) => {
  const folder = await mkdtemp(join(tmpdir(), 'golden-'));
  try {
    const blobs = await openLocalBlobStore(folder, { create: true });
    expect(existsSync(join(folder, path))).toBe(false);
    await blobs.put(generation, Buffer.from(paths.bytes), digest);
    expect(await readFile(join(folder, path), 'utf8')).toBe(paths.bytes);
    await blobs.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
