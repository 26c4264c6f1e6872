import type { FastifyInstance } from 'fastify';
import { Writable } from 'node:stream';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';

import { BlobStoreError } from '../../src/blobs/blob-store.js';
import { createApp, type AppDeps } from '../../src/http/app.js';
import { KeyValueError } from '../../src/keyvalue/database.js';

const digest = `sha256:${'0'.repeat(64)}`;
const size = 1_000_000;

let app: FastifyInstance | undefined;
afterEach(() => app?.close());

type Line = Readonly<Record<string, unknown>>;

/** An app that holds one blob, which `send` sends; and its log. */
function newApp(overrides: {
  send?: (sink: () => Writable) => Promise<boolean>;
  checkReady?: () => Promise<Record<string, unknown>>;
}) {
  const log: Line[] = [];
  const sink = new Writable({
    write(line: Buffer, _encoding, done) {
      log.push(JSON.parse(line.toString()) as Line);
      done();
    },
  });
  const found = {
    target: { name: { name: 'p/r', project: 'p' }, repository: 'r', role: 'viewer' },
    blob: { size, generation: 'g' },
  };
  const deps = {
    logger: pino(sink),
    checkReady: overrides.checkReady ?? (() => Promise.resolve({})),
    authentication: {},
    tokens: {},
    services: {
      config: { trustedProxies: [], idleSeconds: 60, publicUrl: undefined, tls: undefined },
      newId: () => 'id',
      executor: { store: { readCached: () => Promise.resolve(found) } },
      blobs: {
        send: (_address: unknown, _range: unknown, begin: () => Writable) =>
          (overrides.send ?? (() => Promise.resolve(false)))(begin),
      },
    },
  };
  app = createApp(deps as unknown as AppDeps);
  return { app, log };
}

async function pull(send: (sink: () => Writable) => Promise<boolean>): Promise<readonly Line[]> {
  const { app, log } = newApp({ send });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const pulled = fetch(`http://127.0.0.1:${port}/v2/p/r/blobs/${digest}`).then((answer) => answer.arrayBuffer());
  await expect(pulled).rejects.toThrow();
  await expect.poll(() => log.length).toBeGreaterThan(0);
  return log;
}

test('a blob that breaks off behind its head is an error in the log, and cut', async () => {
  const log = await pull((begin) => {
    begin().write('some of it');
    return Promise.reject(new BlobStoreError('storage_failed', 'the file is too short'));
  });
  expect(log).toHaveLength(1);
  expect(log[0]).toMatchObject({ level: 50, status: 200, cut: true, err: { message: 'the file is too short' } });
});

test('a client that goes away behind the head is cut, and no error', async () => {
  const log = await pull((begin) => {
    begin().write('some of it');
    return Promise.reject(new BlobStoreError('sink_failed', 'the reader went away'));
  });
  expect(log).toHaveLength(1);
  expect(log[0]).toMatchObject({ level: 30, status: 200, cut: true });
});

test('an answer that failed before its head has the bytes of the error', async () => {
  const { app, log } = newApp({ send: () => Promise.reject(new BlobStoreError('storage_failed', 'EIO')) });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/v2/p/r/blobs/${digest}`);
  expect(answer.status).toBe(500);
  const body = await answer.arrayBuffer();
  await expect.poll(() => log.find(({ msg }) => msg === 'request')).toMatchObject({ bytes: body.byteLength });
});

test.each([
  ['a folder', Object.assign(new Error("ENOENT: no such file, open '/srv/secret/STORE'"), { code: 'ENOENT' })],
  ['the blob store', new BlobStoreError('storage_failed', 'EIO: /srv/secret/STORE')],
  ['the database', new KeyValueError('storage_failed', 'EIO: /srv/secret/data.mdb')],
])('/readyz names no file where %s fails; the log does', async (_what, error) => {
  const { app, log } = newApp({ checkReady: () => Promise.reject(error) });
  const answer = await app.inject('/readyz');
  expect(answer.statusCode).toBe(503);
  expect(answer.json<{ reason: string }>().reason).toMatch(/^the (?:database|blob store) does not work; the log says why$/);
  expect(log.find(({ msg }) => msg === 'not ready')).toMatchObject({ err: { message: error.message } });
});

test('/readyz says that the registry is shutting down', async () => {
  const { app } = newApp({ checkReady: () => Promise.reject(new Error('the registry is shutting down')) });
  expect((await app.inject('/readyz')).json()).toMatchObject({ reason: 'the registry is shutting down' });
});
