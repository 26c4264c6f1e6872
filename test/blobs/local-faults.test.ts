import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';

import type { BlobStore } from '../../src/blobs/blob-store.js';
import { openLocalBlobStore } from '../../src/blobs/local.js';
import { hexOf } from '../../src/digest.js';
import { codeOf, Collector, digestOf, sent, StalledSink, streamOf, upload } from './contract.js';

type Fault = (path: string) => string | undefined;
type Callback = (error: Error | null) => void;

const faults = vi.hoisted(() => ({
  /** What the disk answers: a system error's code for the call on a path, or undefined for the call itself. */
  answer: new Map<string, Fault>(),
  /** The calls in their order, as `fdatasync <path>`, when they are over. */
  log: [] as string[],
  /** What a large read waits for before it is made. */
  beforeRead: (): Promise<void> | undefined => undefined,
}));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const { promisify } = await import('node:util');
  const failure = (call: string, path: string): Error | undefined => {
    const code = faults.answer.get(call)?.(path);
    return code === undefined ? undefined : Object.assign(new Error(`${code}: ${call}`), { code, syscall: call });
  };
  const pathOf = (file: number): string => real.readlinkSync(`/proc/self/fd/${file}`);
  const sync = (call: 'fsync' | 'fdatasync') => (file: number, callback: Callback) => {
    const path = pathOf(file);
    const error = failure(call, path);
    const over: Callback = (failed) => {
      faults.log.push(`${call} ${path}`);
      callback(failed);
    };
    if (error === undefined) real[call](file, over);
    else setTimeout(over, 1, error);
  };
  // Direct or in the pool: the store decides by how busy the machine is.
  const onPaths =
    (call: string, run: (from: string, to: string) => void) =>
    (from: string, to: string): void => {
      const error = failure(call, from);
      if (error !== undefined) throw error;
      run(from, to);
      faults.log.push(`${call} ${to}`);
    };
  const inPool = (direct: (from: string, to: string) => void) => (from: string, to: string, callback: Callback) => {
    try {
      direct(from, to);
      setImmediate(callback, null);
    } catch (error) {
      setImmediate(callback, error as Error);
    }
  };
  const link = onPaths('link', real.linkSync);
  const rename = onPaths('rename', real.renameSync);
  function writev(
    file: number,
    chunks: NodeJS.ArrayBufferView[],
    position: number,
    callback: (error: Error | null, bytes?: number) => void,
  ) {
    const error = failure('writev', pathOf(file));
    if (error === undefined) real.writev(file, chunks, position, callback);
    else setTimeout(callback, 1, error);
  }
  // As util.promisify knows the original: an object of its own for the two results.
  Object.defineProperty(writev, Symbol.for('nodejs.util.promisify.custom'), {
    value: (file: number, chunks: NodeJS.ArrayBufferView[], position: number) =>
      new Promise((resolve, reject) =>
        writev(file, chunks, position, (error, bytesWritten) => (error === null ? resolve({ bytesWritten }) : reject(error))),
      ),
  });
  function read(
    file: number,
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytes?: number) => void,
  ) {
    const error = failure('read', pathOf(file));
    const gate = faults.beforeRead();
    if (error !== undefined) setTimeout(callback, 1, error);
    else if (gate === undefined) real.read(file, buffer, offset, length, position, callback);
    else void gate.then(() => real.read(file, buffer, offset, length, position, callback));
  }
  Object.defineProperty(read, Symbol.for('nodejs.util.promisify.custom'), { value: promisify(real.read) });
  return {
    ...real,
    read,
    writev,
    fsync: sync('fsync'),
    fdatasync: sync('fdatasync'),
    linkSync: link,
    link: inPool(link),
    renameSync: rename,
    rename: inPool(rename),
  };
});

let directory: string;
let store: BlobStore;
const sha256 = { offset: 0, algorithm: 'sha256' } as const;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arts-faults-'));
  store = await openLocalBlobStore(directory, { create: true });
  await store.writeIdentity('{}');
});
beforeEach(() => {
  faults.answer.clear();
  faults.log.length = 0;
  faults.beforeRead = () => undefined;
});
afterAll(() => rm(directory, { recursive: true }));

const openFiles = () => fs.readdirSync('/proc/self/fd').length;

async function stagedWith(bytes: Buffer): Promise<string> {
  const id = uuid();
  await store.stage(id);
  await store.append(id, streamOf([bytes]), sha256);
  return id;
}

function zeros(size: number): Readable {
  const chunk = Buffer.alloc(65_536);
  let left = size;
  return new Readable({
    read() {
      const next = Math.min(left, chunk.length);
      left -= next;
      this.push(next === 0 ? null : chunk.subarray(0, next));
    },
  });
}

test.each(['commit', 'put'] as const)(
  'a %s has synced the file, its directory and the fan after it gave the name, when it resolves',
  async (how) => {
    const bytes = randomBytes(1_000);
    const hex = hexOf(digestOf(bytes));
    const id = how === 'put' ? uuid() : await stagedWith(bytes);
    faults.log.length = 0;
    await (how === 'put' ? store.put(id, bytes, digestOf(bytes)) : store.commit(id, digestOf(bytes)));
    const fan = join(directory, 'blobs/sha256', hex.slice(0, 2));
    const path = join(fan, hex, id);
    const named = faults.log.indexOf(`link ${path}`);
    expect(named).toBeGreaterThanOrEqual(0);
    const after = faults.log.slice(named + 1);
    expect(after).toContain(`fsync ${join(fan, hex)}`);
    expect(after).toContain(`fsync ${fan}`);
    // The staged file and the committed one are one file, known by the name that it was opened under.
    expect(after.some((call) => call === `fdatasync ${path}` || call === `fdatasync ${join(directory, 'uploads', id)}`)).toBe(
      true,
    );
    await store.release(id);
  },
);

test('a new store has synced each directory that it made', async () => {
  const fresh = join(directory, '..', `arts-fresh-${uuid()}`, 'deep');
  await openLocalBlobStore(fresh, { create: true });
  expect(faults.log).toContain(`fsync ${fresh}`);
  expect(faults.log).toContain(`fsync ${join(fresh, '..')}`);
  expect(faults.log).toContain(`fsync ${join(fresh, '../..')}`);
  await rm(join(fresh, '..'), { recursive: true });
});

test.each(['EIO', 'ENOSPC'])('a commit whose sync fails with %s leaves neither the name nor the upload', async (code) => {
  for (const call of ['fdatasync', 'fsync']) {
    const before = openFiles();
    const bytes = randomBytes(1_000);
    const id = await stagedWith(bytes);
    // Not the making of the fan: its failure costs nothing, and the commit may be tried again.
    faults.answer.set(call, (path) => (call === 'fdatasync' || path.endsWith(hexOf(digestOf(bytes))) ? code : undefined));
    expect(await codeOf(store.commit(id, digestOf(bytes)))).toBe(code === 'EIO' ? 'storage_failed' : 'storage_full');
    expect(await codeOf(store.put(uuid(), bytes, digestOf(bytes)))).toBe(code === 'EIO' ? 'storage_failed' : 'storage_full');
    faults.answer.clear();
    expect(await store.stat({ digest: digestOf(bytes), generation: id })).toBeUndefined();
    expect(await codeOf(store.commit(id, digestOf(bytes)))).toBe('upload_unknown');
    expect(openFiles()).toBe(before);
  }
  expect(await readdir(join(directory, 'uploads'))).toEqual([]);
});

test('a sync that fails behind a big append ends the upload', async () => {
  const before = openFiles();
  const id = await stagedWith(Buffer.alloc(0));
  faults.answer.set('fdatasync', () => 'EIO');
  expect(await codeOf(store.append(id, zeros(150_000_000), sha256))).toBe('storage_failed');
  expect(await store.staged(id)).toBeUndefined();
  expect(openFiles()).toBe(before);
});

test('a write that fails is cut off again, and the digest is of what is there', async () => {
  const kept = randomBytes(1_000);
  const id = await stagedWith(kept);
  let writes = 0;
  faults.answer.set('writev', () => ((writes += 1) > 2 ? 'EIO' : undefined));
  const failed = store.append(id, zeros(5_000_000), { offset: 1_000, algorithm: 'sha256' });
  await expect(failed).rejects.toMatchObject({ code: 'storage_failed', staged: 1_000 });
  faults.answer.clear();
  expect(await store.staged(id)).toEqual({ size: 1_000 });
  expect(await store.digest(id, 'sha256')).toBe(digestOf(kept));
  await store.release(id);
});

test('a copy whose disk fails leaves nothing, and the upload as it was', async () => {
  const before = openFiles();
  const [from, to] = [await stagedWith(randomBytes(3_000_000)), uuid()];
  faults.answer.set('writev', () => 'EIO');
  expect(await codeOf(store.copy(from, to, { algorithm: 'sha256' }))).toBe('storage_failed');
  faults.answer.clear();
  expect(await store.staged(to)).toBeUndefined();
  expect(await store.staged(from)).toEqual({ size: 3_000_000 });
  await store.release(from);
  expect(openFiles()).toBe(before);
});

test('a commit whose staged file another process takes away is told so', async () => {
  const bytes = randomBytes(1_000);
  const id = await stagedWith(bytes);
  faults.answer.set('link', (path) => {
    fs.rmSync(path, { force: true });
    return undefined;
  });
  expect(await codeOf(store.commit(id, digestOf(bytes)))).toBe('upload_unknown');
});

/** Has another process, which took the upload over, drop the committed name before the directory that it is in can be synced; `also`, what else it drops. */
function dropWhileSyncing(digest: string, id: string, also?: string): { readonly left: () => number } {
  const hex = digest.slice(digest.indexOf(':') + 1);
  const held = join(directory, 'blobs/sha256', hex.slice(0, 2), hex);
  let left = 1;
  faults.answer.set('fdatasync', () => {
    if (left === 0) return undefined;
    left -= 1;
    fs.rmSync(join(held, id));
    fs.rmdirSync(held);
    if (also !== undefined) fs.rmSync(also);
    return undefined;
  });
  return { left: () => left };
}

test.each(['commit', 'put'] as const)(
  'a %s whose name and staged file another process drops before they are synced is told that the upload is gone',
  async (how) => {
    const before = openFiles();
    const bytes = randomBytes(1_000);
    const digest = digestOf(bytes);
    const id = how === 'put' ? uuid() : await stagedWith(bytes);
    const { left } = dropWhileSyncing(digest, id, join(directory, 'uploads', id));
    expect(await codeOf(how === 'put' ? store.put(id, bytes, digest) : store.commit(id, digest))).toBe('upload_unknown');
    expect(left()).toBe(0);
    expect(await store.stat({ digest, generation: id })).toBeUndefined();
    expect(openFiles()).toBe(before);
  },
);

test('a commit whose name alone is dropped before it is synced gives it again: its staged file is still there', async () => {
  const bytes = randomBytes(1_000);
  const digest = digestOf(bytes);
  const id = await stagedWith(bytes);
  const { left } = dropWhileSyncing(digest, id);
  expect(await store.readSmall(await store.commit(id, digest), 1_000)).toEqual(bytes);
  expect(left()).toBe(0);
  await store.release(id);
});

test('a commit that finds its work done, which another process drops meanwhile, is told that the upload is gone', async () => {
  const bytes = randomBytes(1_000);
  const { digest, generation } = await upload(store, bytes);
  const { left } = dropWhileSyncing(digest, generation);
  expect(await codeOf(store.commit(generation, digest))).toBe('upload_unknown');
  expect(left()).toBe(0);
});

test('a sync that fails is told of, though the directory is gone as well', async () => {
  const bytes = randomBytes(1_000);
  const id = await stagedWith(bytes);
  dropWhileSyncing(digestOf(bytes), id);
  const drop = faults.answer.get('fdatasync');
  faults.answer.set('fdatasync', (path) => drop?.(path) ?? 'EIO');
  expect(await codeOf(store.commit(id, digestOf(bytes)))).toBe('storage_failed');
  expect(await store.staged(id)).toBeUndefined();
});

test('a copy by blocks that another process takes over and drops is told that the upload is gone', async () => {
  // One that has not learnt yet that this file system has no such copies.
  const fresh = await openLocalBlobStore(directory, { create: false });
  const [from, to] = [await stagedWith(randomBytes(1_000)), uuid()];
  const copied = vi.spyOn(fs.promises, 'copyFile').mockResolvedValue(undefined);
  expect(await codeOf(fresh.copy(from, to, { algorithm: 'sha256' }))).toBe('upload_unknown');
  expect(copied).toHaveBeenCalledOnce();
  copied.mockRestore();
  await fresh.close();
  await store.release(from);
});

test.each(['EPERM', 'EXDEV', 'ENOTSUP'])('where hard links answer %s, a commit renames', async (code) => {
  faults.answer.set('link', () => code);
  const bytes = randomBytes(1_000);
  const address = await upload(store, bytes);
  expect(await sent(store, address)).toEqual(bytes);
  expect(faults.log.filter((call) => call.startsWith('rename '))).toHaveLength(1);
  expect(await store.commit(address.generation, address.digest)).toEqual(address);
});

test('a sweep that removes the directory between two calls of a commit does not lose it', async () => {
  const bytes = randomBytes(1_000);
  const hex = hexOf(digestOf(bytes));
  const id = await stagedWith(bytes);
  let sweeps = 3;
  faults.answer.set('link', () => {
    if (sweeps > 0) fs.rmdirSync(join(directory, 'blobs/sha256', hex.slice(0, 2), hex));
    sweeps -= 1;
    return undefined;
  });
  expect(await store.readSmall(await store.commit(id, digestOf(bytes)), 1_000)).toEqual(bytes);
  expect(sweeps).toBe(-1);
});

test('a link that always finds its directory gone is a failure, not a loop', async () => {
  const bytes = randomBytes(1_000);
  const id = await stagedWith(bytes);
  faults.answer.set('link', () => 'ENOENT');
  expect(await codeOf(store.commit(id, digestOf(bytes)))).toBe('storage_failed');
  expect(await store.staged(id)).toEqual({ size: 1_000 });
});

test('a send whose sink breaks during a read closes the file only when the read is over', async () => {
  const address = await upload(store, randomBytes(3_000_000));
  for (const breakIt of [(sink: StalledSink) => sink.destroy(), (sink: StalledSink) => sink.destroy(new Error('reset'))]) {
    const before = openFiles();
    let letRead = () => {};
    let reads = 0;
    // The second: it is under way while the first chunk is being written.
    faults.beforeRead = () => ((reads += 1) < 2 ? undefined : new Promise((resolve) => (letRead = resolve)));
    const sink = new StalledSink();
    let over = false;
    const outcome = codeOf(store.send(address, undefined, () => sink)).finally(() => (over = true));
    await sink.stalled;
    expect(reads).toBe(2);
    breakIt(sink);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(over).toBe(false);
    expect(openFiles()).toBe(before + 1);
    letRead();
    expect(await outcome).toBe('sink_failed');
    expect(openFiles()).toBe(before);
  }
});

test('a read that fails is an error of the store, also behind the first chunk', async () => {
  const address = await upload(store, randomBytes(3_000_000));
  for (const good of [0, 1, 3]) {
    const before = openFiles();
    let reads = 0;
    faults.answer.set('read', () => ((reads += 1) > good ? 'EIO' : undefined));
    const sink = new Collector();
    expect(await codeOf(store.send(address, undefined, () => sink))).toBe('storage_failed');
    expect(openFiles()).toBe(before);
  }
});
