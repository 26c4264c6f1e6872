import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';

import type { BlobStore } from '../../src/blobs/blob-store.js';
import { openLocalBlobStore } from '../../src/blobs/local.js';
import { listSessions, readSession } from '../../src/blobs/upload-sessions.js';
import { pushBlob, startUpload } from '../../src/commands/blob.js';
import { renewUpload } from '../../src/commands/blob.js';
import type { Digest, DigestAlgorithm } from '../../src/digest.js';
import type { Uid } from '../../src/identifiers.js';
import { VirtualClock } from '../../src/keyvalue/simulated.js';
import { expireUploads } from '../../src/processes/upload-expiry.js';
import { accepted, create, nameOf, sha256Of, sha512Of, simulate, type Simulation } from '../commands/fixture.js';

const name = nameOf('shop/web');
const bytes = Buffer.from('some bytes');
const hour = 3_600_000;
const limits = { idleSeconds: 3_600, timeoutSeconds: 86_400 };

let folder: string;
let blobs: BlobStore;
let clock: VirtualClock;
let at: Simulation;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'expiry-'));
  blobs = await openLocalBlobStore(folder, { create: true });
  clock = new VirtualClock();
  at = await simulate({ clock });
  await create(at, 'shop/web');
});

afterEach(async () => {
  await blobs.close();
  await rm(folder, { recursive: true, force: true });
});

async function begin(algorithm: DigestAlgorithm = 'sha256'): Promise<Uid> {
  const upload = at.newId();
  const start = { kind: 'StartUpload', name, upload, algorithm } as const;
  expect(await startUpload(at.executor, at.context(), start)).toBeUndefined();
  return upload;
}

async function stage(upload: Uid): Promise<void> {
  await blobs.stage(upload);
  await blobs.append(upload, Readable.from([bytes]), { offset: 0, algorithm: 'sha256' });
}

async function finish(upload: Uid, digest: Digest) {
  const command = { kind: 'PushBlob', name, upload, digest, size: bytes.length, committed: true, lost: undefined } as const;
  return accepted(await pushBlob(at.executor, at.context(), command));
}

const expire = () => expireUploads(at.executor, blobs, limits);
const staged = (): readonly string[] => readdirSync(join(folder, 'uploads'));
const committed = (): readonly string[] =>
  readdirSync(join(folder, 'blobs'), { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
const sessions = () => at.store.read(({ tx, registry }) => listSessions(tx, registry.keyspace, undefined, 10));

test('an upload ends after an hour without a byte, not before', async () => {
  const upload = await begin();
  await stage(upload);
  clock.advance(0.9 * hour);
  expect(await expire()).toBe(0);
  await renewUpload(at.executor, upload);
  clock.advance(0.9 * hour);
  expect(await expire()).toBe(0);
  clock.advance(0.2 * hour);
  expect(await expire()).toBe(1);
  expect([staged(), await sessions()]).toEqual([[], []]);
});

test('an upload ends after a day, whatever comes', async () => {
  const upload = await begin();
  for (let hours = 0; hours < 49; hours += 1) {
    clock.advance(hour / 2);
    await renewUpload(at.executor, upload);
    await expire();
  }
  expect(await at.store.read(({ tx, registry }) => readSession(tx, registry.keyspace, upload))).toBeUndefined();
});

test.each(['commit', 'put'] as const)('what a process left that died between the %s and its event goes', async (how) => {
  for (const digest of [sha256Of(bytes), sha512Of(bytes)]) {
    const upload = await begin();
    if (how === 'put') await blobs.put(upload, bytes, digest);
    else {
      await stage(upload);
      await blobs.commit(upload, digest);
    }
  }
  expect(committed()).toHaveLength(2);
  clock.advance(1.1 * hour);
  expect(await expire()).toBe(2);
  expect([staged(), committed(), await sessions()]).toEqual([[], [], []]);
});

test('what a process left that died behind the event stays when it is the live generation, and goes when it is not', async () => {
  const digest = sha512Of(bytes);
  const [first, second] = [await begin(), await begin()];
  for (const upload of [first, second]) {
    await blobs.put(upload, bytes, digest);
    expect(await finish(upload, digest)).toEqual({ generation: first });
  }
  expect(committed()).toHaveLength(2);
  clock.advance(1.1 * hour);
  expect(await expire()).toBe(2);
  expect([staged(), committed(), await sessions()]).toEqual([[], [first], []]);
});

test('staged bytes that no upload names go when they are old', async () => {
  // Ids tell when they were made: this one in 2024, the clock stands in 2026.
  const old = at.newId();
  await stage(old);
  await blobs.commit(old, sha256Of(bytes));
  const young = `${Math.floor(clock.now())
    .toString(16)
    .padStart(12, '0')
    .replace(/^(.{8})/, '$1-')}-7000-8000-000000000001` as Uid;
  await stage(young);
  expect(await expire()).toBe(1);
  expect([staged(), committed()]).toEqual([[young], []]);
});
