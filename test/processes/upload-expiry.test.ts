import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { BlobStore } from '../../src/blobs/blob-store.js';
import { openLocalBlobStore } from '../../src/blobs/local.js';
import { stagedName } from '../../src/blobs/staged-name.js';
import { listSessions, readSession, writeSession } from '../../src/blobs/upload-sessions.js';
import { pushBlob } from '../../src/commands/blob.js';
import { endCopy, renewUpload, startUpload, takeUploadOver } from '../../src/commands/upload.js';
import type { Digest, DigestAlgorithm } from '../../src/digest.js';
import type { Uid } from '../../src/identifiers.js';
import type { VirtualClock } from '../../src/keyvalue/simulated.js';
import { expireUploads } from '../../src/processes/upload-expiry.js';
import { accepted, create, nameOf, sha256Of, sha512Of, simulate, type Simulation } from '../commands/fixture.js';
import { newClock } from '../support/database.js';

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
  clock = newClock();
  at = await simulate({ clock });
  await create(at, 'shop/web');
});

afterEach(async () => {
  await blobs.close();
  await rm(folder, { recursive: true, force: true });
});

interface Begun {
  readonly upload: Uid;
  readonly file: Uid;
  /** The staged file's name. */
  readonly staged: string;
}

async function begin(algorithm: DigestAlgorithm = 'sha256'): Promise<Begun> {
  const [upload, server, file] = [at.newId(), at.newId(), at.newId()];
  const start = { kind: 'StartUpload', name, upload, algorithm, writer: { server, file } } as const;
  expect(await startUpload(at.executor, at.context(), start)).toBeUndefined();
  return { upload, file, staged: stagedName(upload, file) };
}

async function stage(id: string): Promise<void> {
  await blobs.stage(id);
  await blobs.append(id, Readable.from([bytes]), { offset: 0, algorithm: 'sha256' });
}

async function finish({ upload, file }: Begun, digest: Digest) {
  const ended = { digest, size: bytes.length, committed: true, lost: undefined };
  const command = { kind: 'PushBlob', name, upload, file, ...ended } as const;
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
  const { upload, file, staged: name } = await begin();
  await stage(name);
  clock.advance(0.9 * hour);
  expect(await expire()).toBe(0);
  expect(await renewUpload(at.executor, upload, file)).toBe(true);
  clock.advance(0.9 * hour);
  expect(await expire()).toBe(0);
  clock.advance(0.2 * hour);
  expect(await expire()).toBe(1);
  expect([staged(), await sessions()]).toEqual([[], []]);
});

test('an upload ends after a day, whatever comes', async () => {
  const { upload, file } = await begin();
  for (let hours = 0; hours < 49; hours += 1) {
    clock.advance(hour / 2);
    await renewUpload(at.executor, upload, file);
    await expire();
  }
  expect(await at.store.read(({ tx, registry }) => readSession(tx, registry.keyspace, upload))).toBeUndefined();
});

test.each(['commit', 'put'] as const)('what a process left that died between the %s and its event goes', async (how) => {
  for (const digest of [sha256Of(bytes), sha512Of(bytes)]) {
    const { staged: name } = await begin();
    if (how === 'put') await blobs.put(name, bytes, digest);
    else {
      await stage(name);
      await blobs.commit(name, digest);
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
    await blobs.put(upload.staged, bytes, digest);
    expect(await finish(upload, digest)).toEqual({ generation: first.file });
  }
  expect(committed()).toHaveLength(2);
  clock.advance(1.1 * hour);
  expect(await expire()).toBe(2);
  expect([staged(), committed(), await sessions()]).toEqual([[], [first.file], []]);
});

describe('an upload that another server takes over', () => {
  /** The other server's file, once it has all that it copies; where it dies before, half of it. */
  async function takeOver({ upload }: Begun, dies = false): Promise<Begun> {
    const [server, file] = [at.newId(), at.newId()];
    const taken = await takeUploadOver(at.executor, upload, { server, file });
    expect(taken).toBeDefined();
    const mine = { upload, file, staged: stagedName(upload, file) };
    if (dies) await blobs.stage(mine.staged);
    else {
      await blobs.copy(taken?.from ?? '', mine.staged, { algorithm: 'sha256' });
      expect(await endCopy(at.executor, upload, file)).toBe(true);
    }
    return mine;
  }

  test('is renewed by that one alone', async () => {
    const first = await begin();
    await stage(first.staged);
    const second = await takeOver(first);
    clock.advance(0.9 * hour);
    expect(await renewUpload(at.executor, first.upload, first.file)).toBe(false);
    expect(await renewUpload(at.executor, first.upload, second.file)).toBe(true);
    clock.advance(0.9 * hour);
    // What the one before left goes; it is named by nothing.
    expect(await expire()).toBe(1);
    expect([staged(), await sessions()]).toMatchObject([[second.staged], [{ id: first.upload }]]);
    clock.advance(1.1 * hour);
    expect(await expire()).toBe(1);
    expect([staged(), await sessions()]).toEqual([[], []]);
  });

  test('keeps what is still to be copied, when the one that began the copy has died', async () => {
    const first = await begin();
    await stage(first.staged);
    clock.advance(0.9 * hour);
    const dead = await takeOver(first, true);
    clock.advance(0.9 * hour);
    expect(await expire()).toBe(0);
    const third = await takeOver(first);
    expect(await blobs.staged(third.staged)).toEqual({ size: bytes.length });
    expect(await endCopy(at.executor, first.upload, dead.file)).toBe(false);
    clock.advance(0.9 * hour);
    expect(await expire()).toBe(2);
    expect(staged()).toEqual([third.staged]);
  });

  test('leaves nothing of any server when it ends in the middle of a copy', async () => {
    const first = await begin();
    await stage(first.staged);
    await takeOver(first, true);
    clock.advance(1.1 * hour);
    expect(await expire()).toBe(1);
    expect([staged(), await sessions()]).toEqual([[], []]);
  });

  test('goes with what the one before had committed', async () => {
    const first = await begin();
    await stage(first.staged);
    await blobs.commit(first.staged, sha256Of(bytes));
    await takeOver(first);
    expect(committed()).toHaveLength(1);
    clock.advance(1.1 * hour);
    expect(await expire()).toBe(2);
    expect([staged(), committed(), await sessions()]).toEqual([[], [], []]);
  });
});

test('an upload that release 0.2.0 began ends as any other', async () => {
  const upload = at.newId();
  const repository = at.newId();
  await at.store.transact(async ({ tx, registry }) => {
    const now = Number(await tx.time());
    const session = { repository, name: 'shop/web', algorithm: 'sha256', startedAt: now, activeAt: now } as const;
    writeSession(tx, registry.keyspace, upload, session);
  });
  await stage(upload);
  expect(await expire()).toBe(0);
  clock.advance(1.1 * hour);
  expect(await expire()).toBe(1);
  expect([staged(), await sessions()]).toEqual([[], []]);
});

test.each(Array.from({ length: 10 }, (_, seed) => seed))(
  'two expiry runs at once, at two servers, do what one does (%i)',
  async (seed) => {
    for (let index = 0; index < 6; index += 1) {
      const begun = await begin();
      if ((index + seed) % 3 > 0) await stage(begun.staged);
      if ((index + seed) % 3 > 1) await blobs.commit(begun.staged, sha256Of(bytes));
    }
    await stage(at.newId());
    clock.advance(1.1 * hour);
    const other = at.another();
    await Promise.all([expire(), expireUploads(other.executor, blobs, limits)]);
    expect([staged(), committed(), await sessions()]).toEqual([[], [], []]);
  },
);

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
