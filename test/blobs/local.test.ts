import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync, truncateSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, stat, truncate, symlink, unlink, writeFile } from 'node:fs/promises';
import { createServer, get, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';

import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { BlobAddress, BlobStore } from '../../src/blobs/blob-store.js';
import { openLocalBlobStore } from '../../src/blobs/local.js';
import { algorithmOf, hexOf } from '../../src/digest.js';
import {
  codeOf,
  Collector,
  describeBlobStoreContract,
  digestOf,
  sent,
  StalledSink,
  streamOf,
  upload,
  type OpenedStore,
} from './contract.js';

let base: string;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'arts-blobs-'));
});
afterAll(() => rm(base, { recursive: true, force: true }));

const newDirectory = () => join(base, uuid());
const openNew = () => openLocalBlobStore(newDirectory(), { create: true });

function pathOf(directory: string, { digest, generation }: BlobAddress): string {
  const hex = hexOf(digest);
  return join(directory, 'blobs', algorithmOf(digest), hex.slice(0, 2), hex, generation);
}

const openFiles = () => readdirSync('/proc/self/fd').length;

/** How often a file is open. */
function opened(path: string): number {
  return readdirSync('/proc/self/fd').filter((file) => {
    try {
      return readlinkSync(`/proc/self/fd/${file}`) === path;
    } catch {
      return false;
    }
  }).length;
}

async function openForContract(direct: boolean): Promise<OpenedStore> {
  const directory = newDirectory();
  const store = await openLocalBlobStore(directory, { create: true, direct });
  await store.writeIdentity('{}');
  return {
    store,
    reopen: () => openLocalBlobStore(directory, { create: false, direct }),
    openEmpty: openNew,
    dispose: () => rm(directory, { recursive: true }),
  };
}

describeBlobStoreContract('a local directory', () => openForContract(true));
describeBlobStoreContract('a local directory, with all calls in the thread pool', () => openForContract(false));

describe('on the disk', () => {
  let directory: string;
  let store: BlobStore;
  beforeAll(async () => {
    directory = newDirectory();
    store = await openLocalBlobStore(directory, { create: true });
    await store.writeIdentity('{}');
  });

  test('a blob lies at its canonical path, readable by nobody else', async () => {
    const address = await upload(store, randomBytes(10));
    const path = pathOf(directory, address);
    expect((await stat(path)).mode & 0o027).toBe(0);
    for (let above = dirname(path); above !== base; above = dirname(above)) expect((await stat(above)).mode & 0o027).toBe(0);
  });

  test("a digest's directory goes with its last generation, the fan stays", async () => {
    const bytes = randomBytes(10);
    const [one, two] = [await upload(store, bytes), await upload(store, bytes)];
    const place = dirname(pathOf(directory, one));
    await store.remove(one);
    expect(existsSync(place)).toBe(true);
    await store.remove(two);
    expect(existsSync(place)).toBe(false);
    expect(existsSync(dirname(place))).toBe(true);
  });

  test('a fan directory that someone removed is made again', async () => {
    const bytes = randomBytes(10);
    const address = await upload(store, bytes);
    await rm(dirname(dirname(pathOf(directory, address))), { recursive: true });
    expect(await store.readSmall(await upload(store, bytes), 10)).toEqual(bytes);
    await rm(join(directory, 'blobs', 'sha256'), { recursive: true });
    expect(await store.readSmall(await upload(store, bytes), 10)).toEqual(bytes);
  });

  test('what a crash left of a put is found by its id', async () => {
    const id = uuid();
    await writeFile(join(directory, 'uploads', id), 'half');
    const ids: string[] = [];
    for await (const staged of store.listStaged()) ids.push(staged);
    expect(ids).toContain(id);
    const bytes = randomBytes(20);
    expect(await store.readSmall(await store.put(id, bytes, digestOf(bytes)), 20)).toEqual(bytes);
  });

  test('a put under the id of a committed upload does not write into the committed bytes', async () => {
    const [first, second] = [randomBytes(20), randomBytes(20)];
    const id = uuid();
    await store.stage(id);
    await store.append(id, streamOf([first]), { offset: 0, algorithm: 'sha256' });
    const address = await store.commit(id, digestOf(first));
    await store.put(id, second, digestOf(second));
    expect(await store.readSmall(address, 20)).toEqual(first);
  });

  test('a commit does not believe a committed file that a power cut left short', async () => {
    const bytes = randomBytes(5_000);
    const address = await upload(store, bytes);
    await truncate(pathOf(directory, address), 100);
    expect(await codeOf(store.commit(address.generation, address.digest))).toBe('upload_unknown');
  });

  test('a commit whose rename is done already, where links are not possible, is done', async () => {
    const bytes = randomBytes(5_000);
    const id = uuid();
    await store.stage(id);
    await store.append(id, streamOf([bytes]), { offset: 0, algorithm: 'sha256' });
    const path = pathOf(directory, { digest: digestOf(bytes), generation: id });
    await mkdir(dirname(path), { recursive: true });
    await rename(join(directory, 'uploads', id), path);
    expect(await store.readSmall(await store.commit(id, digestOf(bytes)), 5_000)).toEqual(bytes);
  });

  test('a file that becomes shorter while it is sent is an error behind the bytes that are there', async () => {
    const bytes = randomBytes(3_000_000);
    const address = await upload(store, bytes);
    const path = pathOf(directory, address);
    const sink = new Collector(() => truncateSync(path, 1_500_000));
    await expect(store.send(address, undefined, () => sink)).rejects.toMatchObject({ code: 'storage_failed' });
    expect(sink.bytes.equals(bytes.subarray(0, sink.bytes.length))).toBe(true);
    expect(sink.bytes.length).toBeLessThanOrEqual(1_500_000);
    expect(sink.destroyed).toBe(false);
    expect(opened(path)).toBe(0);
  });

  test('a sink that stalls holds the file, and frees it when it is destroyed', async () => {
    const address = await upload(store, randomBytes(3_000_000));
    const path = pathOf(directory, address);
    for (const error of [undefined, new Error('reset')]) {
      const sink = new StalledSink();
      const outcome = codeOf(store.send(address, undefined, () => sink));
      await sink.stalled;
      expect(opened(path)).toBe(1);
      sink.destroy(error);
      expect(await outcome).toBe('sink_failed');
      expect(opened(path)).toBe(0);
    }
  });

  test('a sink that stalls on a small range, or on a small blob, holds no file', async () => {
    const [large, small] = [await upload(store, randomBytes(3_000_000)), await upload(store, randomBytes(65_536))];
    for (const [address, range] of [[large, { first: 1_000_000, last: 1_065_535 }] as const, [small, undefined] as const]) {
      const sink = new StalledSink();
      const outcome = codeOf(store.send(address, range, () => sink));
      await sink.stalled;
      expect(sink.writableLength).toBe(65_536);
      expect(opened(pathOf(directory, address))).toBe(0);
      sink.destroy();
      expect(await outcome).toBe('sink_failed');
    }
  });

  test('a staged file that is a symbolic link is not followed', async () => {
    const id = uuid();
    const outside = join(base, 'outside');
    await writeFile(outside, 'x');
    await symlink(outside, join(directory, 'uploads', id));
    expect(await codeOf(store.append(id, streamOf([Buffer.from('y')]), { offset: 1, algorithm: 'sha256' }))).toBe(
      'storage_failed',
    );
    expect(readFileSync(outside, 'utf8')).toBe('x');
    await unlink(join(directory, 'uploads', id));
  });

  test('nothing stays open after 1 000 broken appends, refused ones, and broken sends', async () => {
    const address = await upload(store, randomBytes(1_000_000));
    const before = openFiles();
    for (let round = 0; round < 1_000; round += 50) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const id = uuid();
          await store.stage(id);
          const broken = streamOf([randomBytes(100 * index)], new Error('reset'));
          expect(await codeOf(store.append(id, broken, { offset: 0, algorithm: 'sha256' }))).toBe('source_failed');
          expect(await codeOf(store.append(id, streamOf([]), { offset: 1_000_000, algorithm: 'sha256' }))).toBe('wrong_offset');
          await store.release(id);
          expect(await brokenSend(index)).toMatch(/^sink_failed$|^no sink$/);
        }),
      );
    }
    // Not in a while: when a send has rejected, its file is closed.
    expect(opened(pathOf(directory, address))).toBe(0);
    await expect.poll(openFiles).toBeLessThanOrEqual(before);

    async function brokenSend(index: number): Promise<string | undefined> {
      const range = index % 2 === 0 ? { first: 5, last: 999_999 } : undefined;
      if (index % 7 === 0) {
        const none = () => {
          throw Object.assign(new Error(), { code: 'no sink' });
        };
        return codeOf(store.send(address, range, none));
      }
      const sink =
        index % 3 === 0 ? new StalledSink() : new Writable({ write: (_chunk, _encoding, done) => void setImmediate(done) });
      const breakIt = () => {
        if (index % 4 === 0) sink.destroy(new Error('reset'));
        else if (index % 4 === 1) sink.end();
        else sink.destroy();
        // What is ended with a write under way that is never over waits for its destruction.
        if (index % 4 === 1 && sink instanceof StalledSink) setImmediate(() => sink.destroy());
      };
      return codeOf(
        store.send(address, range, () => {
          // Before, during and after the first read.
          if (index % 5 === 0) breakIt();
          else if (index % 5 === 1) setImmediate(breakIt);
          else if (index % 5 === 2) process.nextTick(breakIt);
          else if (sink instanceof StalledSink) void sink.stalled.then(breakIt);
          else sink.once('drain', breakIt);
          return sink;
        }),
      );
    }
  });
});

describe('over HTTP', () => {
  test('a client that hangs up leaves what arrived', async () => {
    const store = await openNew();
    const id = uuid();
    await store.stage(id);
    let outcome: Promise<unknown> = Promise.resolve();
    const started = new Promise<void>((begun) => {
      server.on('request', (incoming: Readable) => {
        outcome = store.append(id, incoming, { offset: 0, algorithm: 'sha256' }).catch((error: unknown) => error);
        begun();
      });
    });
    const client = request({
      port: (server.address() as AddressInfo).port,
      method: 'PATCH',
      headers: { 'content-length': 1_000_000 },
    });
    client.on('error', () => {});
    client.write(randomBytes(1_000));
    await started;
    await expect.poll(() => store.staged(id)).toEqual({ size: 1_000 });
    client.destroy();
    expect(await outcome).toMatchObject({ code: 'source_failed', staged: 1_000 });
    await store.close();
  });

  test('after a refused append the server can still answer', async () => {
    const store = await openNew();
    const id = uuid();
    await store.stage(id);
    server.removeAllListeners('request');
    server.on('request', (incoming: Readable, answer: NodeJS.WritableStream & { statusCode: number }) => {
      void store.append(id, incoming, { offset: 7, algorithm: 'sha256' }).catch((error: { code: string }) => {
        answer.statusCode = 416;
        answer.end(error.code);
      });
    });
    const answer = await fetch(`http://localhost:${(server.address() as AddressInfo).port}`, {
      method: 'PATCH',
      body: randomBytes(1_000),
    });
    expect([answer.status, await answer.text()]).toEqual([416, 'wrong_offset']);
    await store.close();
  });

  describe('a blob of 30 MB', () => {
    const bytes = randomBytes(30_000_000);
    let address: BlobAddress;
    let path: string;
    let outcomes: Promise<string | undefined>[];
    beforeAll(async () => {
      const directory = newDirectory();
      const store = await openLocalBlobStore(directory, { create: true });
      address = await upload(store, bytes);
      path = pathOf(directory, address);
      server.removeAllListeners('request');
      outcomes = [];
      server.on('request', (_incoming, answer: ServerResponse) => {
        answer.setHeader('content-length', bytes.length);
        const sending = store.send(address, undefined, () => answer).then(() => void answer.end());
        outcomes.push(codeOf(sending));
      });
    });

    const pull = () =>
      new Promise<IncomingMessage>((resolve, reject) => {
        get({ port: (server.address() as AddressInfo).port }, resolve).once('error', reject);
      });

    test('arrives', async () => {
      const received = Buffer.concat((await (await pull()).toArray()) as Buffer[]);
      expect(received.equals(bytes)).toBe(true);
      expect(await outcomes.at(-1)).toBeUndefined();
      expect(opened(path)).toBe(0);
    });

    test('is let go of when the client that does not read on hangs up', async () => {
      const answer = await pull();
      answer.on('error', () => {});
      expect(opened(path)).toBe(1);
      answer.destroy();
      expect(await outcomes.at(-1)).toBe('sink_failed');
      expect(opened(path)).toBe(0);
    });
  });

  const server = createServer();
  beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
});

test('300 MB pass with flat memory', async () => {
  const store = await openNew();
  const chunk = randomBytes(65_536);
  let left = 300_000_000;
  let peak = 0;
  const source = new Readable({
    read() {
      const size = Math.min(left, chunk.length);
      left -= size;
      this.push(size === 0 ? null : chunk.subarray(0, size));
    },
  });
  const before = process.memoryUsage().rss;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20);
  const id = uuid();
  await store.stage(id);
  await store.append(id, source, { offset: 0, algorithm: 'sha256' });
  const address = await store.commit(id, await store.digest(id, 'sha256'));
  await store.release(id);
  let read = 0;
  const count = new Writable({
    write(chunk: Buffer, _encoding, done) {
      read += chunk.length;
      setImmediate(done);
    },
  });
  await store.send(address, undefined, () => count);
  clearInterval(watch);
  expect(read).toBe(300_000_000);
  expect(peak - before).toBeLessThan(120_000_000);
  await store.remove(address);
  await store.close();
});

describe('opening', () => {
  test('a directory that is not there is made, or refused', async () => {
    const directory = join(newDirectory(), 'a', 'b');
    expect(await codeOf(openLocalBlobStore(directory, { create: false }))).toBe('storage_failed');
    expect(existsSync(directory)).toBe(false);
    await (await openLocalBlobStore(directory, { create: true })).writeIdentity('{}');
    expect(await (await openLocalBlobStore(directory, { create: false })).readIdentity()).toBe('{}');
  });

  test('a directory with blobs and no STORE is refused', async () => {
    const directory = newDirectory();
    const store = await openLocalBlobStore(directory, { create: true });
    await store.writeIdentity('{}');
    await upload(store, randomBytes(10));
    await unlink(join(directory, 'STORE'));
    expect(await codeOf(openLocalBlobStore(directory, { create: true }))).toBe('not_empty');
  });

  test('a directory with something else in it takes no identity; lost+found and a STORE half written are nothing', async () => {
    const directory = newDirectory();
    const store = await openLocalBlobStore(directory, { create: true });
    await writeFile(join(directory, 'other'), '');
    expect(await codeOf(store.writeIdentity('{}'))).toBe('not_empty');
    await unlink(join(directory, 'other'));
    await mkdir(join(directory, 'lost+found'));
    await writeFile(join(directory, `STORE.${uuid()}`), '{');
    await store.writeIdentity('{}');
    expect(await store.readIdentity()).toBe('{}');
  });

  test('of two processes that begin a store at once, one does', async () => {
    const directory = newDirectory();
    const stores = await Promise.all([1, 2, 3].map(() => openLocalBlobStore(directory, { create: true })));
    const codes = await Promise.all(stores.map((store, index) => codeOf(store.writeIdentity(`store ${index}`))));
    expect(codes.filter((code) => code === undefined)).toHaveLength(1);
    expect(codes.filter((code) => code === 'not_empty')).toHaveLength(2);
    expect(await stores[0]?.readIdentity()).toBe(`store ${codes.indexOf(undefined)}`);
    expect(readdirSync(directory).sort()).toEqual(['STORE', 'blobs', 'uploads']);
  });
});

describe('a full disk', () => {
  let mounted: string | undefined;
  beforeAll(async () => {
    const directory = newDirectory();
    await mkdir(directory);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], { stdio: 'pipe' });
      mounted = directory;
    } catch (error) {
      console.log(
        `skipped: the tests of a full disk, since mounting a tmpfs is not permitted here (${String(error).split('\n')[1] ?? ''})`,
      );
    }
  });
  afterAll(() => {
    if (mounted !== undefined) execFileSync('umount', [mounted]);
  });

  test('an append that fills it is cut off again, and the upload goes on when there is room', async (context) => {
    if (mounted === undefined) return context.skip();
    const before = openFiles();
    const store = await openLocalBlobStore(mounted, { create: true });
    const [filler, id] = [uuid(), uuid()];
    await store.stage(filler);
    await store.append(filler, streamOf([randomBytes(400_000)]), { offset: 0, algorithm: 'sha256' });
    await store.stage(id);
    const kept = randomBytes(100_000);
    await store.append(id, streamOf([kept]), { offset: 0, algorithm: 'sha256' });
    const more = Array.from({ length: 50 }, () => randomBytes(60_000));
    const full = streamOf(more);
    await expect(store.append(id, full, { offset: 100_000, algorithm: 'sha256' })).rejects.toMatchObject({
      code: 'storage_full',
      staged: 100_000,
    });
    expect(full.destroyed).toBe(false);
    expect(await store.staged(id)).toEqual({ size: 100_000 });
    expect(await store.digest(id, 'sha256')).toBe(digestOf(kept));

    const large = randomBytes(700_000);
    const refused = uuid();
    expect(await codeOf(store.put(refused, large, digestOf(large)))).toBe('storage_full');
    expect(await store.staged(refused)).toBeUndefined();

    await store.release(filler);
    await store.append(id, streamOf([large]), { offset: 100_000, algorithm: 'sha256' });
    const whole = Buffer.concat([kept, large]);
    expect(await store.digest(id, 'sha256')).toBe(digestOf(whole));
    expect((await sent(store, await store.commit(id, digestOf(whole))))?.equals(whole)).toBe(true);
    await store.close();
    expect(openFiles()).toBeLessThanOrEqual(before);
  });
});
