import { createHash, randomBytes } from 'node:crypto';
import { PassThrough, Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import fc from 'fast-check';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import type { BlobAddress, BlobStore, BlobStoreErrorCode, ByteRange } from '../../src/blobs/blob-store.js';
import { parseDigest, type Digest, type DigestAlgorithm } from '../../src/digest.js';

export interface OpenedStore {
  readonly store: BlobStore;
  /** Another instance on the same bytes, as after a restart. */
  reopen(): Promise<BlobStore>;
  /** An instance on no bytes at all. */
  openEmpty(): Promise<BlobStore>;
  dispose(): Promise<void>;
}

export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  const digest = parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`);
  if (digest === undefined) throw new Error('no digest');
  return digest;
}

/** A stream of these chunks that breaks after them, or ends. */
export function streamOf(chunks: readonly Uint8Array[], breaks?: Error): Readable {
  const left = [...chunks];
  return new Readable({
    read() {
      const chunk = left.shift();
      if (chunk !== undefined) this.push(chunk);
      else if (breaks === undefined) this.push(null);
      else this.destroy(breaks);
    },
  });
}

/** A sink that looks at a chunk only some time after it was given it: the chunk must not have changed meanwhile. */
export class Collector extends Writable {
  readonly #chunks: Buffer[] = [];

  constructor(readonly seen: (sink: Collector) => unknown = () => undefined) {
    super();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    setImmediate(() => {
      this.#chunks.push(Buffer.from(chunk));
      Promise.resolve(this.seen(this)).then(() => callback(), callback);
    });
  }
}

/** A sink that takes a chunk and never says that it has no more use for it. */
export class StalledSink extends Writable {
  readonly stalled: Promise<void>;
  #stall!: () => void;

  constructor() {
    super();
    this.stalled = new Promise((resolve) => (this.#stall = resolve));
  }

  override _write(): void {
    this.#stall();
  }
}

/** The bytes that `send` writes; undefined where there is no such generation. */
export async function sent(store: BlobStore, address: BlobAddress, range?: ByteRange): Promise<Buffer | undefined> {
  let sink: Collector | undefined;
  const found = await store.send(address, range, () => (sink = new Collector()));
  expect(sink !== undefined).toBe(found);
  return sink?.bytes;
}

export function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  pieces.push(bytes.subarray(at));
  return pieces;
}

export async function codeOf(promise: Promise<unknown>): Promise<BlobStoreErrorCode | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return (error as { code?: BlobStoreErrorCode }).code;
  }
}

/** Stages, appends, commits and releases, as an upload in one request does. */
export async function upload(store: BlobStore, bytes: Buffer, algorithm: DigestAlgorithm = 'sha256'): Promise<BlobAddress> {
  const id = uuid();
  await store.stage(id);
  await store.append(id, streamOf([bytes]), { offset: 0, algorithm });
  const address = await store.commit(id, await store.digest(id, algorithm));
  await store.release(id);
  return address;
}

/** What every driver of the blob store promises. */
export function describeBlobStoreContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`the blob store contract: ${name}`, () => {
    let opened: OpenedStore;
    let store: BlobStore;
    const sha256 = { algorithm: 'sha256' } as const;

    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterAll(async () => {
      await store.close();
      await opened.dispose();
    });

    async function begin(id: string = uuid()): Promise<string> {
      await store.stage(id);
      return id;
    }

    async function listed(): Promise<string[]> {
      const ids: string[] = [];
      for await (const id of store.listStaged()) ids.push(id);
      return ids;
    }

    test.each(['sha256', 'sha512'] as const)('an upload in one piece is read back under its %s digest', async (algorithm) => {
      const bytes = randomBytes(100_000);
      const address = await upload(store, bytes, algorithm);
      expect(address.digest).toBe(digestOf(bytes, algorithm));
      expect(await store.stat(address)).toBe(bytes.length);
      expect((await sent(store, address))?.equals(bytes)).toBe(true);
    });

    test('an upload in several appends has the digest of the whole', async () => {
      const bytes = randomBytes(2_000_000);
      const id = await begin();
      let size = 0;
      for (const piece of cut(bytes, [1, 700_000, 0, 500_000])) {
        ({ size } = await store.append(id, streamOf([piece]), { offset: size, ...sha256 }));
        expect(await store.staged(id)).toEqual({ size });
      }
      const digest = await store.digest(id, 'sha256');
      expect(digest).toBe(digestOf(bytes));
      expect((await sent(store, await store.commit(id, digest)))?.equals(bytes)).toBe(true);
    });

    test('an empty blob is a blob', async () => {
      const address = await upload(store, Buffer.alloc(0));
      expect(await store.stat(address)).toBe(0);
      expect(await store.readSmall(address, 0)).toEqual(Buffer.alloc(0));
      expect(await sent(store, address)).toEqual(Buffer.alloc(0));
    });

    test('however a stream is chunked, its digest and bytes are those of the whole', async () => {
      const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 300_000 })), { maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(sizes, sizes, async (first, second) => {
          const total = [...first, ...second].reduce((sum, size) => sum + size, 0);
          const bytes = randomBytes(total);
          const middle = first.reduce((sum, size) => sum + size, 0);
          const id = await begin();
          await store.append(id, streamOf(cut(bytes.subarray(0, middle), first)), { offset: 0, ...sha256 });
          await store.append(id, streamOf(cut(bytes.subarray(middle), second)), { offset: middle, ...sha256 });
          const digest = await store.digest(id, 'sha256');
          expect(digest).toBe(digestOf(bytes));
          const address = await store.commit(id, digest);
          expect(digestOf((await sent(store, address)) ?? Buffer.of(0))).toBe(digest);
          await store.release(id);
          await store.remove(address);
        }),
        { numRuns: 40 },
      );
    });

    test('many tiny chunks and slow chunks arrive', async () => {
      const bytes = randomBytes(5_000);
      const id = await begin();
      await store.append(id, streamOf([...bytes].map((byte) => Buffer.of(byte))), { offset: 0, ...sha256 });
      async function* slowly() {
        yield bytes.subarray(0, 10);
        await delay(250);
        yield bytes.subarray(10, 20);
      }
      expect(await store.append(id, Readable.from(slowly()), { offset: 5_000, ...sha256 })).toEqual({ size: 5_020 });
      expect(await store.digest(id, 'sha256')).toBe(digestOf(Buffer.concat([bytes, bytes.subarray(0, 20)])));
    });

    test('bytes of a stalled stream are staged while it waits', async () => {
      const id = await begin();
      const source = new Readable({ read() {} });
      const appending = store.append(id, source, { offset: 0, ...sha256 });
      source.push(Buffer.from('hello'));
      await expect.poll(() => store.staged(id)).toEqual({ size: 5 });
      source.push(null);
      expect(await appending).toEqual({ size: 5 });
    });

    test('the final digest may be of another algorithm than the running one', async () => {
      const bytes = randomBytes(3_000_000);
      const id = await begin();
      await store.append(id, streamOf([bytes]), { offset: 0, ...sha256 });
      expect(await store.digest(id, 'sha512')).toBe(digestOf(bytes, 'sha512'));
      expect(await store.digest(id, 'sha256')).toBe(digestOf(bytes));
    });

    test('an upload that changes its algorithm on the way has the right digest', async () => {
      const bytes = randomBytes(10_000);
      const id = await begin();
      await store.append(id, streamOf([bytes.subarray(0, 5_000)]), { offset: 0, ...sha256 });
      await store.append(id, streamOf([bytes.subarray(5_000)]), { offset: 5_000, algorithm: 'sha512' });
      expect(await store.digest(id, 'sha256')).toBe(digestOf(bytes));
      expect(await store.digest(id, 'sha512')).toBe(digestOf(bytes, 'sha512'));
    });

    test('asking for the digest does not end it', async () => {
      const bytes = randomBytes(2_000);
      const id = await begin();
      await store.append(id, streamOf([bytes.subarray(0, 900)]), { offset: 0, ...sha256 });
      expect(await store.digest(id, 'sha256')).toBe(digestOf(bytes.subarray(0, 900)));
      await store.append(id, streamOf([bytes.subarray(900)]), { offset: 900, ...sha256 });
      expect(await store.digest(id, 'sha256')).toBe(digestOf(bytes));
    });

    test('an upload goes on in another instance, which reads the staged bytes once more', async () => {
      const bytes = randomBytes(3_000_000);
      const id = await begin();
      await store.append(id, streamOf([bytes.subarray(0, 1_500_000)]), { offset: 0, ...sha256 });
      const next = await opened.reopen();
      expect(await next.staged(id)).toEqual({ size: 1_500_000 });
      await next.append(id, streamOf([bytes.subarray(1_500_000)]), { offset: 1_500_000, ...sha256 });
      expect(await next.digest(id, 'sha256')).toBe(digestOf(bytes));
      // And the first instance does not believe what it remembers.
      expect(await store.digest(id, 'sha256')).toBe(digestOf(bytes));
      await next.close();
    });

    test('a source that breaks leaves what arrived, and the upload goes on', async () => {
      const bytes = randomBytes(1_000_000);
      const id = await begin();
      const broken = streamOf(cut(bytes.subarray(0, 600_000), [100_000, 1]), new Error('connection reset'));
      await expect(store.append(id, broken, { offset: 0, ...sha256 })).rejects.toMatchObject({
        code: 'source_failed',
        staged: 600_000,
      });
      expect(await store.staged(id)).toEqual({ size: 600_000 });
      await store.append(id, streamOf([bytes.subarray(600_000)]), { offset: 600_000, ...sha256 });
      expect(await store.digest(id, 'sha256')).toBe(digestOf(bytes));
    });

    test('a source that is closed before its end has failed', async () => {
      const id = await begin();
      const source = new Readable({ read() {} });
      source.push(Buffer.from('abc'));
      setTimeout(() => source.destroy(), 20);
      await expect(store.append(id, source, { offset: 0, ...sha256 })).rejects.toMatchObject({
        code: 'source_failed',
        staged: 3,
      });
    });

    test('a source that was destroyed or read to its end before is no riddle', async () => {
      const id = await begin();
      const destroyed = streamOf([Buffer.from('abc')]);
      destroyed.destroy();
      expect(await codeOf(store.append(id, destroyed, { offset: 0, ...sha256 }))).toBe('source_failed');
      const read = streamOf([Buffer.from('abc')]);
      await read.toArray();
      expect(await store.append(id, read, { offset: 0, ...sha256 }).catch((error: Error) => error.message)).toEqual({ size: 0 });
    });

    test('an aborted append keeps what arrived and leaves the source alone', async () => {
      const id = await begin();
      const source = new Readable({ read() {} });
      const abort = new AbortController();
      const appending = store.append(id, source, { offset: 0, ...sha256, signal: abort.signal });
      source.push(Buffer.from('abcdef'));
      await expect.poll(() => store.staged(id)).toEqual({ size: 6 });
      abort.abort();
      await expect(appending).rejects.toMatchObject({ code: 'source_failed', staged: 6 });
      expect(source.destroyed).toBe(false);
      // A later error of the source is nobody's uncaught exception.
      source.destroy(new Error('late'));
      await delay(5);
      expect(
        await codeOf(store.append(id, streamOf([Buffer.from('g')]), { offset: 6, ...sha256, signal: AbortSignal.abort() })),
      ).toBe('source_failed');
      await store.append(id, streamOf([Buffer.from('g')]), { offset: 6, ...sha256 });
      expect(await store.digest(id, 'sha256')).toBe(digestOf(Buffer.from('abcdefg')));
    });

    test('a wrong offset is refused with the right one', async () => {
      const id = await begin();
      await store.append(id, streamOf([randomBytes(10)]), { offset: 0, ...sha256 });
      for (const offset of [0, 9, 11]) {
        const wrong = store.append(id, streamOf([randomBytes(10)]), { offset, ...sha256 });
        await expect(wrong).rejects.toMatchObject({ code: 'wrong_offset', staged: 10 });
      }
    });

    test('a second append during the first is refused', async () => {
      const id = await begin();
      const source = new Readable({ read() {} });
      const first = store.append(id, source, { offset: 0, ...sha256 });
      expect(await codeOf(store.append(id, streamOf([randomBytes(10)]), { offset: 0, ...sha256 }))).toBe('wrong_offset');
      expect(await codeOf(store.commit(id, digestOf(Buffer.alloc(0))))).toBe('wrong_offset');
      source.push(null);
      expect(await first).toEqual({ size: 0 });
    });

    test('an upload that was never staged, or is released, is unknown', async () => {
      const released = await begin();
      await store.release(released);
      for (const id of [uuid(), released]) {
        expect(await store.staged(id)).toBeUndefined();
        expect(await codeOf(store.append(id, streamOf([]), { offset: 0, ...sha256 }))).toBe('upload_unknown');
        expect(await codeOf(store.digest(id, 'sha256'))).toBe('upload_unknown');
        expect(await codeOf(store.commit(id, digestOf(randomBytes(10))))).toBe('upload_unknown');
        await store.release(id);
      }
    });

    test('staging twice is staging once', async () => {
      const id = await begin();
      await store.append(id, streamOf([Buffer.from('abc')]), { offset: 0, ...sha256 });
      await store.stage(id);
      expect(await store.staged(id)).toEqual({ size: 3 });
    });

    test('committing twice is committing once, also after the release', async () => {
      const bytes = randomBytes(5_000);
      const id = await begin();
      await store.append(id, streamOf([bytes]), { offset: 0, ...sha256 });
      const address = await store.commit(id, digestOf(bytes));
      expect(await store.commit(id, digestOf(bytes))).toEqual(address);
      await store.release(id);
      expect(await store.commit(id, digestOf(bytes))).toEqual(address);
      expect(await store.readSmall(address, 5_000)).toEqual(bytes);
    });

    test('a commit whose process died before the release is finished by the next one', async () => {
      const bytes = randomBytes(5_000);
      const id = await begin();
      await store.append(id, streamOf([bytes]), { offset: 0, ...sha256 });
      await store.commit(id, digestOf(bytes));
      const next = await opened.reopen();
      const address = await next.commit(id, await next.digest(id, 'sha256'));
      await next.release(id);
      expect(await next.readSmall(address, 5_000)).toEqual(bytes);
      expect(await listed()).not.toContain(id);
      await next.close();
    });

    test('a committed upload takes no more bytes', async () => {
      const bytes = randomBytes(5_000);
      const id = await begin();
      await store.append(id, streamOf([bytes]), { offset: 0, ...sha256 });
      const address = await store.commit(id, digestOf(bytes));
      expect(await codeOf(store.append(id, streamOf([bytes]), { offset: 5_000, ...sha256 }))).toBe('upload_unknown');
      expect(await store.readSmall(address, 10_000)).toEqual(bytes);
    });

    test('two generations of one digest live and die alone', async () => {
      const bytes = randomBytes(70_000);
      const [first, second] = [await upload(store, bytes), await upload(store, bytes)];
      expect(first.generation).not.toBe(second.generation);
      await store.remove(first);
      await store.remove(first);
      expect(await store.stat(first)).toBeUndefined();
      expect((await sent(store, second))?.equals(bytes)).toBe(true);
      await store.remove(second);
      expect(await sent(store, second)).toBeUndefined();
      expect(await sent(store, second, { first: 0, last: 5 })).toBeUndefined();
      expect(await store.readSmall(second, 100_000)).toBeUndefined();
    });

    test('generations of one digest come and go at the same time, and none is lost', async () => {
      const bytes = randomBytes(100);
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          for (let round = 0; round < 12; round += 1) {
            const address = round % 2 === 0 ? await upload(store, bytes) : await store.put(uuid(), bytes, digestOf(bytes));
            expect(await store.readSmall(address, 100)).toEqual(bytes);
            await store.remove(address);
          }
        }),
      );
    });

    test.each([0, 1, 1_000, 300_000])(
      'a blob of %i bytes that is put at once is there, and staged until it is released',
      async (size) => {
        const bytes = randomBytes(size);
        const id = uuid();
        const address = await store.put(id, bytes, digestOf(bytes));
        expect(address).toEqual({ digest: digestOf(bytes), generation: id });
        expect((await store.readSmall(address, size))?.equals(bytes)).toBe(true);
        expect(await store.staged(id)).toEqual({ size, committed: true });
        expect(await store.put(id, bytes, digestOf(bytes))).toEqual(address);
        await store.release(id);
        expect(await store.staged(id)).toBeUndefined();
        expect((await store.readSmall(address, size))?.equals(bytes)).toBe(true);
      },
    );

    test('a put takes the place of what was staged under its id', async () => {
      const id = await begin();
      await store.append(id, streamOf([randomBytes(100)]), { offset: 0, ...sha256 });
      const bytes = randomBytes(50);
      const address = await store.put(id, bytes, digestOf(bytes));
      expect(await store.readSmall(address, 100)).toEqual(bytes);
      expect(await store.staged(id)).toMatchObject({ size: 50 });
      await store.release(id);
      expect(await listed()).not.toContain(id);
    });

    describe('reading', () => {
      const bytes = randomBytes(3_000_000);
      let address: BlobAddress;
      beforeAll(async () => {
        address = await upload(store, bytes);
      });

      test.each([
        ['the first byte', 0, 0],
        ['the last byte', bytes.length - 1, bytes.length - 1],
        ['all of it', 0, bytes.length - 1],
        ['a chunk', 1, 524_288],
        ['a chunk and a byte', 1, 524_289],
        ['what is read at once', 100, 65_635],
        ['a byte more than is read at once', 100, 65_636],
      ])('%s', async (_what, first, last) => {
        expect((await sent(store, address, { first, last }))?.equals(bytes.subarray(first, last + 1))).toBe(true);
      });

      test('any range equals the slice', async () => {
        const position = fc.nat({ max: bytes.length - 1 });
        await fc.assert(
          fc.asyncProperty(position, position, async (one, other) => {
            const range = { first: Math.min(one, other), last: Math.max(one, other) };
            const read = await sent(store, address, range);
            expect(read?.equals(bytes.subarray(range.first, range.last + 1))).toBe(true);
          }),
          { numRuns: 60 },
        );
      });

      test.each([
        ['ends a byte behind the blob', 5, bytes.length],
        ['is small and ends behind the blob', bytes.length - 5, bytes.length + 10],
        ['begins behind the blob', bytes.length, bytes.length],
        ['ends far behind the blob', bytes.length - 5, bytes.length + 1_000_000],
      ])('a range that %s is an error, and nothing is written', async (_what, first, last) => {
        const sink = vi.fn(() => new Collector());
        expect(await codeOf(store.send(address, { first, last }, sink))).toBe('storage_failed');
        expect(sink).not.toHaveBeenCalled();
      });

      test.each([
        [-1, 5],
        [5, 3],
        [0.5, 1.5],
        [0, Infinity],
        [NaN, 5],
      ])('%d to %d is no range', async (first, last) => {
        await expect(sent(store, address, { first, last })).rejects.toThrow(TypeError);
      });

      test.each([0, 1, 65_536, 65_537])('a whole blob of %i bytes', async (size) => {
        const small = await upload(store, bytes.subarray(0, size));
        expect((await sent(store, small))?.equals(bytes.subarray(0, size))).toBe(true);
      });

      test('a small read of a larger blob is refused', async () => {
        expect(await codeOf(store.readSmall(address, bytes.length - 1))).toBe('too_large');
        expect((await store.readSmall(address, bytes.length))?.equals(bytes)).toBe(true);
      });

      test('a blob that is removed while it is sent is sent to its end', async () => {
        const doomed = await upload(store, bytes);
        const sink = new Collector(() => store.remove(doomed));
        expect(await store.send(doomed, undefined, () => sink)).toBe(true);
        expect(sink.bytes.equals(bytes)).toBe(true);
        expect(await store.stat(doomed)).toBeUndefined();
      });
    });

    describe.each([
      ['small', 10_000],
      ['large', 3_000_000],
    ])('sending a %s blob', (_what, size) => {
      const bytes = randomBytes(size);
      let address: BlobAddress;
      beforeAll(async () => {
        address = await upload(store, bytes);
      });

      const sending = (sink: Writable) => store.send(address, undefined, () => sink);

      test('the sink is left as it was: neither ended nor destroyed, with no listeners', async () => {
        const sink = new Collector();
        const before = sink.eventNames();
        expect([await sending(sink), await sending(sink)]).toEqual([true, true]);
        expect(sink.bytes.equals(Buffer.concat([bytes, bytes]))).toBe(true);
        expect([sink.writableEnded, sink.destroyed]).toEqual([false, false]);
        expect(sink.eventNames()).toEqual(before);
      });

      test('a sink that is slow is not written to before it is done', async () => {
        let most = 0;
        const sink = new Collector(async ({ writableLength }) => {
          most = Math.max(most, writableLength);
          await delay(5);
        });
        await sending(sink);
        expect(sink.bytes.equals(bytes)).toBe(true);
        expect(most).toBe(Math.min(size, 524_288));
      });

      test.each([
        ['without an error', undefined],
        ['with an error', new Error('connection reset')],
      ])('a sink that takes a chunk, stalls and is destroyed %s has failed', async (_how, error) => {
        const sink = new StalledSink();
        const outcome = codeOf(sending(sink));
        await sink.stalled;
        sink.destroy(error);
        expect(await outcome).toBe('sink_failed');
      });

      test('a sink that was destroyed or ended before has failed, and nothing is written to it', async () => {
        for (const how of ['destroy', 'end'] as const) {
          const sink = new Collector();
          sink[how]();
          expect(await codeOf(sending(sink))).toBe('sink_failed');
          expect(sink.bytes).toHaveLength(0);
          expect(sink.errored).toBeNull();
        }
      });

      test('a sink whose write fails says why', async () => {
        const cause = new Error('EPIPE');
        const sink = new Writable({ write: (_chunk, _encoding, callback) => callback(cause) });
        await expect(sending(sink)).rejects.toMatchObject({ code: 'sink_failed', cause });
      });

      test('a sink that cannot be had is the error of who was asked for it', async () => {
        const error = new Error('no sink');
        const none = () => {
          throw error;
        };
        await expect(store.send(address, undefined, none)).rejects.toBe(error);
      });

      test('an error of the sink after its end or close is no uncaught exception', async () => {
        const sink = new StalledSink();
        sink._destroy = (_error, callback) => void setTimeout(callback, 20, new Error('late'));
        const outcome = codeOf(sending(sink));
        await sink.stalled;
        sink.destroy();
        expect(await outcome).toBe('sink_failed');
        await delay(30);
      });
    });

    test.each(['destroy', 'end'] as const)('a sink whose owner calls %s mid-way has failed', async (how) => {
      const bytes = randomBytes(3_000_000);
      const address = await upload(store, bytes);
      const sink = new Collector(() => void sink[how]());
      expect(await codeOf(store.send(address, undefined, () => sink))).toBe('sink_failed');
      expect(sink.bytes.equals(bytes.subarray(0, sink.bytes.length))).toBe(true);
      expect(sink.bytes.length).toBeLessThan(bytes.length);
    });

    test('staged uploads are listed, released ones are not', async () => {
      const [one, two, named] = [await begin(), await begin(), await begin(`${uuid()}.${uuid()}`)];
      await store.release(two);
      const ids = await listed();
      expect(ids).toContain(one);
      expect(ids).toContain(named);
      expect(ids).not.toContain(two);
    });

    test("a staged file's own id is the generation of its bytes", async () => {
      const [theirs, mine] = [uuid(), uuid()];
      const id = await begin(`${theirs}.${mine}`);
      const bytes = randomBytes(1_000);
      await store.append(id, streamOf([bytes]), { offset: 0, ...sha256 });
      expect(await store.commit(id, digestOf(bytes))).toEqual({ digest: digestOf(bytes), generation: mine });
      expect((await store.staged(id))?.committed).toBe(true);
      expect(await store.put(`${theirs}.${uuid()}`, bytes, digestOf(bytes))).not.toMatchObject({ generation: theirs });
    });

    describe('a copy of a staged upload', () => {
      test.each([0, 1, 100_000, 5_000_000])('has its %i bytes, and goes on alone', async (size) => {
        const [first, more, other] = [randomBytes(size), randomBytes(2_000), randomBytes(500)];
        const from = await begin();
        await store.append(from, streamOf([first]), { offset: 0, ...sha256 });
        // In another instance, as in another server.
        const second = await opened.reopen();
        const to = `${from}.${uuid()}`;
        expect(await second.copy(from, to, sha256)).toEqual({ size });
        await store.append(from, streamOf([other]), { offset: size, ...sha256 });
        await second.append(to, streamOf([more]), { offset: size, ...sha256 });
        expect(await second.digest(to, 'sha256')).toBe(digestOf(Buffer.concat([first, more])));
        expect(await store.digest(from, 'sha256')).toBe(digestOf(Buffer.concat([first, other])));
        const address = await second.commit(to, digestOf(Buffer.concat([first, more])));
        expect((await sent(store, address))?.equals(Buffer.concat([first, more]))).toBe(true);
        expect(await second.digest(to, 'sha512')).toBe(digestOf(Buffer.concat([first, more]), 'sha512'));
        await second.close();
      });

      test('is made while bytes arrive, of those that are there', async () => {
        const bytes = randomBytes(600_000);
        const from = await begin();
        const body = new PassThrough();
        const running = store.append(from, body, { offset: 0, ...sha256 });
        body.write(bytes.subarray(0, 550_000));
        await vi.waitFor(async () => expect((await store.staged(from))?.size).toBe(550_000));
        const second = await opened.reopen();
        const to = uuid();
        expect(await second.copy(from, to, sha256)).toEqual({ size: 550_000 });
        body.end(bytes.subarray(550_000));
        await running;
        expect(await second.digest(to, 'sha256')).toBe(digestOf(bytes.subarray(0, 550_000)));
        expect(await store.digest(from, 'sha256')).toBe(digestOf(bytes));
        await second.close();
      });

      test('takes the place of what an earlier one left', async () => {
        const [bytes, from, to] = [randomBytes(1_000), await begin(), await begin()];
        await store.append(from, streamOf([bytes]), { offset: 0, ...sha256 });
        await store.append(to, streamOf([randomBytes(5_000)]), { offset: 0, ...sha256 });
        expect(await store.copy(from, to, sha256)).toEqual({ size: 1_000 });
        expect(await store.digest(to, 'sha256')).toBe(digestOf(bytes));
      });

      test('of one that is committed says so, and is not', async () => {
        const [bytes, from, to] = [randomBytes(1_000), await begin(), uuid()];
        await store.append(from, streamOf([bytes]), { offset: 0, ...sha256 });
        await store.commit(from, digestOf(bytes));
        expect(await store.copy(from, to, sha256)).toEqual({ size: 1_000, committed: true });
        expect(await store.staged(to)).toEqual({ size: 1_000 });
      });

      test('of one that is not there is refused, and is not there', async () => {
        const to = uuid();
        expect(await codeOf(store.copy(uuid(), to, sha256))).toBe('upload_unknown');
        expect(await store.staged(to)).toBeUndefined();
      });

      test('that is aborted is not there', async () => {
        const [from, to] = [await begin(), uuid()];
        await store.append(from, streamOf([randomBytes(3_000_000)]), { offset: 0, ...sha256 });
        // Where the file system clones there is nothing to abort.
        const code = await codeOf(store.copy(from, to, { ...sha256, signal: AbortSignal.abort() }));
        expect(code === 'source_failed' ? await store.staged(to) : undefined).toBeUndefined();
      });
    });

    test.each(['../../etc/passwd', '', 'x', `${uuid()}/..`, uuid().toUpperCase(), `${uuid()}.`, `.${uuid()}`, `${uuid()}.x`])(
      'the id %j is refused',
      async (id) => {
        await expect(store.stage(id)).rejects.toThrow(TypeError);
        await expect(store.append(id, streamOf([]), { offset: 0, ...sha256 })).rejects.toThrow(TypeError);
        await expect(store.commit(id, digestOf(Buffer.alloc(0)))).rejects.toThrow(TypeError);
        await expect(store.release(id)).rejects.toThrow(TypeError);
        await expect(store.copy(uuid(), id, sha256)).rejects.toThrow(TypeError);
        await expect(store.copy(id, uuid(), sha256)).rejects.toThrow(TypeError);
        await expect(store.stat({ digest: digestOf(Buffer.alloc(0)), generation: id })).rejects.toThrow(TypeError);
      },
    );

    test.each(['sha256:../..', 'sha256:AB', 'md5:d41d8cd98f00b204e9800998ecf8427e'])('the digest %j is refused', async (text) => {
      const digest = text as Digest;
      await expect(store.commit(uuid(), digest)).rejects.toThrow(TypeError);
      await expect(sent(store, { digest, generation: uuid() })).rejects.toThrow(TypeError);
      await expect(store.remove({ digest, generation: uuid() })).rejects.toThrow(TypeError);
    });

    test('an empty store takes an identity, once', async () => {
      const empty = await opened.openEmpty();
      expect(await empty.readIdentity()).toBeUndefined();
      await empty.writeIdentity('{"store":1}');
      expect(await empty.readIdentity()).toBe('{"store":1}');
      expect(await codeOf(empty.writeIdentity('{"store":2}'))).toBe('not_empty');
      expect(await empty.readIdentity()).toBe('{"store":1}');
      await empty.close();
    });

    test('a store with an identity is empty until it is said to be founded, which may be said again', async () => {
      const empty = await opened.openEmpty();
      await empty.writeIdentity('{"store":1}');
      expect(await empty.isEmpty()).toBe(true);
      await empty.markFounded();
      await empty.markFounded();
      expect(await empty.isEmpty()).toBe(false);
      expect(await empty.readIdentity()).toBe('{"store":1}');
      await empty.close();
    });

    test.each(['staged upload', 'blob'])('a store that holds a %s takes no identity', async (what) => {
      const other = await opened.openEmpty();
      if (what === 'blob') await upload(other, randomBytes(10));
      else await other.stage(uuid());
      expect(await codeOf(other.writeIdentity('{}'))).toBe('not_empty');
      expect(await other.readIdentity()).toBeUndefined();
      await other.close();
    });
  });
}
