import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';

import type { BlobStore } from '../../src/blobs/blob-store.js';
import { openLocalBlobStore } from '../../src/blobs/local.js';
import { stagedName } from '../../src/blobs/staged-name.js';
import { readSession } from '../../src/blobs/upload-sessions.js';
import { eraseContent } from '../../src/commands/erase-content.js';
import { createTurns } from '../../src/commands/in-turn.js';
import { startUpload } from '../../src/commands/upload.js';
import { RefusalError } from '../../src/errors.js';
import type { Exchange } from '../../src/http/exchange.js';
import { finish } from '../../src/http/finishing-upload.js';
import type { Receiving } from '../../src/http/receiving-upload.js';
import { accepted, create, nameOf, push, sha256Of, simulate, type Simulation } from '../commands/fixture.js';

const name = nameOf('shop/web');
const bytes = Buffer.from('a secret');
const digest = sha256Of(bytes);

let folder: string;
let blobs: BlobStore;
let at: Simulation;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finishing-'));
  blobs = await openLocalBlobStore(folder, { create: true });
  at = await simulate();
  await create(at, 'shop/web');
});

afterEach(async () => {
  await blobs.close();
  await rm(folder, { recursive: true, force: true });
});

/** The names of all files with bytes, staged or committed. */
async function files(): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && entry.name !== 'STORE').map((entry) => join(entry.parentPath, entry.name));
}

async function eraseIt(): Promise<void> {
  const command = { kind: 'EraseContent', digest, erasure: at.newId() } as const;
  accepted(await eraseContent(at.executor, () => at.context(), command));
}

/** The last request of an upload, with these bytes in its body. */
function exchangeOf(body: Buffer, given: Partial<BlobStore> = {}): Exchange {
  const headers = { 'content-length': String(body.length) };
  const raw = Object.assign(Readable.from([body]), { headers, socket: { setTimeout: () => undefined } });
  const services = {
    ...{ executor: at.executor, newId: at.newId, hashClient: () => 'c1'.repeat(32), inTurn: createTurns() },
    blobs: new Proxy(blobs, { get: (target, key) => bound(key in given ? { ...target, ...given } : target, key) }),
    config: { uploadIdleSeconds: 3_600, idleSeconds: 60 },
  };
  const request = { raw, headers, ip: '192.0.2.7', told: {} };
  return { services, request, caller: { actor: at.owner, access: undefined, viaToken: false } } as unknown as Exchange;
}

function bound(target: BlobStore, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key);
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
}

/** An upload that this server has begun, with bytes that came in requests before. */
async function begin(before: Buffer): Promise<Receiving> {
  const [upload, file] = [at.newId(), at.newId()];
  const writer = { server: upload, file };
  const command = { kind: 'StartUpload', name, upload, algorithm: 'sha256', writer } as const;
  expect(await startUpload(at.executor, at.context(), command)).toBeUndefined();
  const staged = stagedName(upload, file);
  await blobs.stage(staged);
  if (before.length > 0) await blobs.append(staged, Readable.from([before]), { offset: 0, algorithm: 'sha256' });
  return { name, upload, algorithm: 'sha256', file, staged, whole: false, signal: new AbortController().signal };
}

const refusalOf = (error: unknown): unknown => (error instanceof RefusalError ? error.refusal : error);

const sessionOf = ({ upload }: Receiving) => at.store.read(({ tx, registry }) => readSession(tx, registry.keyspace, upload));

test.each([
  ['came before', bytes, Buffer.alloc(0)],
  ['came at once', Buffer.alloc(0), bytes],
])('bytes that were erased and %s are gone from the disk with the refusal, and so is their upload', async (_, before, body) => {
  accepted(await push(at, 'shop/web', { digest, size: bytes.length }));
  await eraseIt();
  const mine = await begin(before);
  const refused = await finish(exchangeOf(body), mine, digest).catch(refusalOf);
  expect(refused).toMatchObject({ refused: 'CONTENT_ERASED', details: { digest } });
  expect(await files()).toEqual([]);
  expect(await sessionOf(mine)).toBeUndefined();
});

test('bytes that are erased while they are committed are gone from the disk with the refusal', async () => {
  accepted(await push(at, 'shop/web', { digest, size: bytes.length }));
  const mine = await begin(bytes);
  const commit: BlobStore['commit'] = async (...given) => {
    const committed = await blobs.commit(...given);
    await eraseIt();
    return committed;
  };
  const refused = await finish(exchangeOf(Buffer.alloc(0), { commit }), mine, digest).catch(refusalOf);
  expect(refused).toMatchObject({ refused: 'CONTENT_ERASED' });
  expect(await files()).toEqual([]);
});

test('other bytes are pushed, and stay', async () => {
  const mine = await begin(bytes);
  await finish(exchangeOf(Buffer.alloc(0)), mine, digest);
  expect(await files()).toHaveLength(1);
  expect(await sessionOf(mine)).toMatchObject({ finished: digest });
});
