import { describe, expect, test } from 'vitest';

import { BlobStoreError, type BlobStore, type CopyOptions } from '../../src/blobs/blob-store.js';
import { readSession, writeSession } from '../../src/blobs/upload-sessions.js';
import { startUpload } from '../../src/commands/upload.js';
import type { Digest } from '../../src/digest.js';
import { refuse, RefusalError } from '../../src/errors.js';
import type { Uid } from '../../src/identifiers.js';
import type { Exchange } from '../../src/http/exchange.js';
import { notMine, receiving, type Receiving } from '../../src/http/receiving-upload.js';
import { RunningUploads } from '../../src/http/running-uploads.js';
import { create, nameOf, sha256Of, simulate } from '../commands/fixture.js';

const name = nameOf('shop/web');
type Blobs = Pick<BlobStore, 'copy' | 'release' | 'staged'>;

/** An upload that another server has begun, and a server that a request for it comes to. */
async function uploadElsewhere(blobs: Blobs) {
  const at = await simulate();
  await create(at, 'shop/web');
  const upload = at.newId();
  const writer = { server: at.newId(), file: at.newId() };
  await startUpload(at.executor, at.context(), { kind: 'StartUpload', name, upload, algorithm: 'sha256', writer });
  const headers: Record<string, string> = {};
  const exchange = {
    services: {
      ...{ executor: at.executor, blobs, runningUploads: new RunningUploads(at.newId()), newId: at.newId },
      config: { uploadIdleSeconds: 3_600, idleSeconds: 60 },
    },
    request: { raw: { socket: { setTimeout: () => undefined } } },
    reply: { header: (key: string, value: string) => (headers[key] = value) },
  } as unknown as Exchange;
  const open = async () => {
    const session = await at.store.read(({ tx, registry }) => readSession(tx, registry.keyspace, upload));
    return session === undefined ? expect.fail() : { upload, session };
  };
  const receive = async <T>(work: (mine: Receiving) => Promise<T>) => receiving(exchange, name, await open(), open, work);
  /** A third server takes it over; `finished`: and has finished it. */
  const takeAway = (finished?: Digest) =>
    at.store.transact(async ({ tx, registry }) => {
      const session = await readSession(tx, registry.keyspace, upload);
      const elsewhere = { server: at.newId(), file: at.newId() };
      if (session !== undefined) writeSession(tx, registry.keyspace, upload, { ...session, writer: elsewhere, finished });
    });
  return { upload, exchange, headers, receive, takeAway };
}

test('a newer request at the server that copies an upload waits for the copy, and does not begin it again', async () => {
  const copies: string[] = [];
  let copyOn = (): void => undefined;
  const told = new Promise<void>((resolve) => (copyOn = resolve));
  const { upload, receive } = await uploadElsewhere({
    async copy(_from, to, { signal }: CopyOptions) {
      copies.push(to);
      await told;
      signal?.throwIfAborted();
      return { size: 10 };
    },
    release: () => Promise.resolve(),
    staged: () => Promise.resolve(undefined),
  });
  const received: Uid[] = [];
  const request = () => receive(({ file }) => Promise.resolve(void received.push(file)));
  const older = request();
  await expect.poll(() => copies.length).toBe(1);
  const newer = request();
  await new Promise((resolve) => setTimeout(resolve, 20));
  copyOn();
  await Promise.all([older, newer]);
  expect(copies).toHaveLength(1);
  expect(new Set(received).size).toBe(1);
  expect(copies[0]).toBe(`${upload}.${received[0] ?? ''}`);
});

describe('a request whose upload another server takes over', () => {
  const blobs: Blobs = {
    copy: () => Promise.resolve({ size: 10 }),
    release: () => Promise.resolve(),
    staged: () => Promise.resolve(undefined),
  };
  const refusalOf = (error: unknown): unknown => (error instanceof RefusalError ? error.refusal.refused : error);

  test.each(['UPLOAD_TAKEN_OVER', 'UPLOAD_UNKNOWN'] as const)(
    'and finishes is told that it is finished, where it would have been refused by %s',
    async (code) => {
      const { receive, takeAway, headers } = await uploadElsewhere(blobs);
      const outcome = await receive(async (): Promise<string> => {
        await takeAway(sha256Of('what it brings'));
        throw new RefusalError(refuse(code, {}));
      });
      expect(outcome).toBeUndefined();
      expect(headers).toEqual({});
    },
  );

  test('and finishes while it is copied is told that it is finished', async () => {
    const { receive, takeAway } = await uploadElsewhere({
      ...blobs,
      async copy() {
        await takeAway(sha256Of('what it brings'));
        throw new BlobStoreError('upload_unknown', 'dropped');
      },
    });
    expect(await receive(() => expect.fail('it was not copied'))).toBeUndefined();
  });

  test('and has not finished is refused, and told where to go on', async () => {
    const { upload, exchange, receive, takeAway, headers } = await uploadElsewhere(blobs);
    const outcome = receive(async (mine) => {
      await takeAway();
      return notMine(exchange, mine);
    });
    expect(await outcome.catch(refusalOf)).toBe('UPLOAD_TAKEN_OVER');
    expect(headers).toEqual({ location: `/v2/shop/web/blobs/uploads/${upload}` });
  });
});
