import { expect, test } from 'vitest';

import type { BlobStore, CopyOptions } from '../../src/blobs/blob-store.js';
import { readSession } from '../../src/blobs/upload-sessions.js';
import { startUpload } from '../../src/commands/upload.js';
import type { Uid } from '../../src/identifiers.js';
import type { Exchange } from '../../src/http/exchange.js';
import { receiving } from '../../src/http/receiving-upload.js';
import { RunningUploads } from '../../src/http/running-uploads.js';
import { create, nameOf, simulate } from '../commands/fixture.js';

const name = nameOf('shop/web');

test('a newer request at the server that copies an upload waits for the copy, and does not begin it again', async () => {
  const at = await simulate();
  await create(at, 'shop/web');
  const upload = at.newId();
  const writer = { server: at.newId(), file: at.newId() };
  await startUpload(at.executor, at.context(), { kind: 'StartUpload', name, upload, algorithm: 'sha256', writer });
  const copies: string[] = [];
  let copyOn = (): void => undefined;
  const told = new Promise<void>((resolve) => (copyOn = resolve));
  const blobs: Pick<BlobStore, 'copy' | 'release' | 'staged'> = {
    async copy(_from, to, { signal }: CopyOptions) {
      copies.push(to);
      await told;
      signal?.throwIfAborted();
      return { size: 10 };
    },
    release: () => Promise.resolve(),
    staged: () => Promise.resolve(undefined),
  };
  const runningUploads = new RunningUploads(at.newId());
  const exchange = {
    services: {
      ...{ executor: at.executor, blobs, runningUploads, newId: at.newId },
      config: { uploadIdleSeconds: 3_600, idleSeconds: 60 },
    },
    request: { raw: { socket: { setTimeout: () => undefined } } },
  } as unknown as Exchange;
  const open = async () => {
    const session = await at.store.read(({ tx, registry }) => readSession(tx, registry.keyspace, upload));
    return session === undefined ? expect.fail() : { upload, session };
  };
  const received: Uid[] = [];
  const request = async (): Promise<void> =>
    receiving(exchange, name, await open(), open, ({ file }) => Promise.resolve(void received.push(file)));
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
