import { connect } from 'node:net';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';

import { clientOf, digestOf, digestsOf, imageOf, randomBytesOf, randomImage, RegistryClient } from '../support/client.js';
import { startServer, type Server } from '../support/server.js';
import { gzipLayer, tar } from '../support/tar.js';
import { findDamage, sessionsOf } from './aftermath.js';

let server: Server | undefined;
afterEach(async () => {
  await server?.remove();
  server = undefined;
});

async function start(env: Readonly<Record<string, string>> = {}): Promise<{ running: Server; client: RegistryClient }> {
  const running = await startServer({ env });
  server = running;
  return { running, client: clientOf(running) };
}

/** How many bytes the server has of an upload. (`0-0` is none here: no chunk has one byte.) */
async function received(client: RegistryClient, upload: URL): Promise<number> {
  const range = (await client.request('GET', upload.href)).expect(204).header('range') ?? '';
  const last = Number(/^0-(\d+)$/.exec(range)?.[1]);
  return last === 0 ? 0 : last + 1;
}

describe('an upload of 64 chunks', () => {
  test('goes on where it was after a SIGKILL, a kill in the middle of a chunk, and a SIGTERM', async () => {
    const { running, client } = await start();
    const bytes = randomBytesOf('64 chunks', 64 * 50_000);
    const upload = await client.startUpload('shop/web');
    const chunk = (number: number): Buffer => bytes.subarray(number * 50_000, (number + 1) * 50_000);
    for (let number = 0; number < 64; number += 1) {
      if (number === 20) {
        await running.kill();
        await running.restart();
        expect(await received(client, upload)).toBe(20 * 50_000);
      }
      if (number === 45) {
        expect(await running.stop()).toEqual({ code: 0, signal: null });
        await running.restart();
        expect(await received(client, upload)).toBe(45 * 50_000);
      }
      if (number === 30) {
        // Half of the chunk, and no end: what arrived is kept.
        async function* half(): AsyncGenerator<Uint8Array> {
          yield chunk(30).subarray(0, 20_000);
          for (let tries = 0; tries < 400 && (await received(client, upload)) < 31 * 50_000 - 30_000; tries += 1) await sleep(10);
          await running.kill();
          yield chunk(30).subarray(20_000);
        }
        await expect(client.request('PATCH', upload.href, { body: half() })).rejects.toThrow();
        await running.restart();
        const there = await received(client, upload);
        expect([30 * 50_000, 30 * 50_000 + 20_000]).toContain(there);
        const body = bytes.subarray(there, 31 * 50_000);
        const headers = { 'content-range': `${there}-${31 * 50_000 - 1}` };
        (await client.request('PATCH', upload.href, { body, headers })).expect(202);
        continue;
      }
      const headers = { 'content-range': `${number * 50_000}-${(number + 1) * 50_000 - 1}` };
      (await client.request('PATCH', upload.href, { body: chunk(number), headers })).expect(202);
    }
    const digest = digestOf(bytes);
    (await client.finishUpload(upload, digest)).expect(201);
    expect((await client.pullBlob('shop/web', digest)).equals(bytes)).toBe(true);
    await running.stop();
    expect(await findDamage(running)).toEqual([]);
  });
});

test.each([
  ['PATCH', (client: RegistryClient) => client.startUpload('shop/web')],
  ['PUT', async (client: RegistryClient) => new URL(`?digest=${digestOf('x')}`, await client.startUpload('shop/web'))],
  ['POST', async (client: RegistryClient) => new URL(`/v2/shop/web/blobs/uploads/?digest=${digestOf('x')}`, client.url)],
] as const)('a %s whose bytes come slowly is known to be active, however short the idle time is', async (method, open) => {
  const { running, client } = await start({ ARTS_UPLOAD_IDLE_SECS: '1' });
  const url = await open(client);
  async function* slowly(): AsyncGenerator<Uint8Array> {
    for (let part = 0; part < 20; part += 1) {
      yield Buffer.from(`part ${part}`);
      await sleep(100);
    }
    await running.kill();
  }
  await expect(client.request(method, url.href, { body: slowly() })).rejects.toThrow();
  const [session] = await sessionsOf(running);
  expect((session?.activeAt ?? 0) - (session?.startedAt ?? 0)).toBeGreaterThan(1_000_000);
});

describe('twenty clients at once', () => {
  const base = gzipLayer(tar([{ path: 'base', bytes: randomBytesOf('base', 300_000) }]));

  test.each([
    ['into one repository', () => 'shop/web'],
    ['into many', (number: number) => `p${number % 3}/r${number}`],
  ])('push %s, and everyone gets back what they gave', async (_, nameFor) => {
    const { running, client } = await start();
    const images = Array.from({ length: 20 }, (_unused, number) =>
      imageOf([base, gzipLayer(tar([{ path: 'own', bytes: randomBytesOf(`own ${number}`, 20_000 + number * 5_000) }]))], {
        annotations: { number: String(number) },
      }),
    );
    const hows = ['monolithic', 'single', 'chunked', 'streamed'] as const;
    await Promise.all(
      images.map((image, number) =>
        clientOf(running).pushImage(nameFor(number), `t${number}`, image, {
          how: hows[number % 4] ?? 'single',
          chunkBytes: 50_000,
        }),
      ),
    );
    for (const [number, image] of images.entries()) {
      expect(digestsOf(await client.pullImage(nameFor(number), `t${number}`))).toEqual(digestsOf(image));
    }
    await running.stop();
    expect(await findDamage(running)).toEqual([]);
  });
});

describe('the last PUT of an upload', () => {
  const bytes = randomBytesOf('last', 2_000_000);
  const digest = digestOf(bytes);

  test('is answered again when its answer was lost, and after a restart', async () => {
    const { running, client } = await start();
    const upload = await client.startUpload('shop/web');
    (await client.request('PATCH', upload.href, { body: bytes })).expect(202);
    (await client.finishUpload(upload, digest)).expect(201);
    const again = (await client.finishUpload(upload, digest)).expect(201);
    expect(again.header('docker-content-digest')).toBe(digest);
    await running.kill();
    await running.restart();
    (await client.finishUpload(upload, digest)).expect(201);
    (await client.finishUpload(upload, digestOf('another'))).expect(404);
    await running.stop();
    expect(await findDamage(running)).toEqual([]);
  });

  test('is answered alike to a client that sends it ten times at once', async () => {
    const { running, client } = await start();
    for (let round = 0; round < 5; round += 1) {
      const other = randomBytesOf(`round ${round}`, 30_000);
      const upload = await client.startUpload('shop/web');
      (await client.request('PATCH', upload.href, { body: other })).expect(202);
      const answers = await Promise.all(Array.from({ length: 10 }, () => client.finishUpload(upload, digestOf(other))));
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 201));
      expect((await client.pullBlob('shop/web', digestOf(other))).equals(other)).toBe(true);
    }
    await running.stop();
    expect(await findDamage(running)).toEqual([]);
  });

  test('is answered to a client that hung up on the first', async () => {
    const { client } = await start();
    for (let round = 0; round < 8; round += 1) {
      const other = randomBytesOf(`round ${round}`, 400_000);
      const upload = await client.startUpload('shop/web');
      (await client.request('PATCH', upload.href, { body: other })).expect(202);
      const url = new URL(upload);
      url.searchParams.set('digest', digestOf(other));
      await client.request('PUT', url.href, { signal: AbortSignal.timeout(1 + round * 2) }).catch(() => undefined);
      (await client.finishUpload(upload, digestOf(other))).expect(201);
    }
  });
});

describe('SIGTERM', () => {
  /** A response whose body waits until it is asked for. */
  async function openSlowly(client: RegistryClient, path: string): Promise<IncomingMessage> {
    const authorization = `Bearer ${await client.token(['repository:shop/web:pull,push,delete'])}`;
    return new Promise((resolve, reject) => {
      const request = httpRequest(new URL(path, client.url), { headers: { authorization } }, resolve);
      request.on('error', reject).end();
    });
  }

  test('lets a running pull and a running push end, takes no new connection, and ends with 0', async () => {
    const { running, client } = await start();
    const large = randomBytesOf('large', 30_000_000);
    await client.pushBlob('shop/web', large);
    const keeping = new RegistryClient({
      url: running.url,
      user: running.user,
      password: running.password,
      keepAlive: true,
    });
    (await keeping.headBlob('shop/web', digestOf(large))).expect(200);

    const pull = await openSlowly(client, `/v2/shop/web/blobs/${digestOf(large)}`);
    const parts: Buffer[] = [];
    const bytes = randomBytesOf('pushed', 600_000);
    const upload = await client.startUpload('shop/web');
    let goOn = (): void => undefined;
    const told = new Promise<void>((resolve) => (goOn = resolve));
    async function* body(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 200_000);
      await told;
      yield bytes.subarray(200_000);
    }
    const url = new URL(upload);
    url.searchParams.set('digest', digestOf(bytes));
    const push = client.request('PUT', url.href, { body: body(), timeoutMs: 30_000 });
    await sleep(200);

    const stopped = running.stop();
    await sleep(500);
    expect(running.isRunning()).toBe(true);
    await expect(connected(running.port)).resolves.toBe(false);
    goOn();
    (await push).expect(201);
    for await (const part of pull) parts.push(part as Buffer);
    expect(Buffer.concat(parts).equals(large)).toBe(true);
    const began = performance.now();
    expect(await stopped).toEqual({ code: 0, signal: null });
    // Not by the cut after 30 s: an idle connection that is kept alive holds nobody up.
    expect(performance.now() - began).toBeLessThan(10_000);
    keeping.close();

    await running.restart();
    expect((await client.pullBlob('shop/web', digestOf(bytes))).equals(bytes)).toBe(true);
    await running.stop();
    expect(await findDamage(running)).toEqual([]);
  });

  test('does not wait for a connection whose request ended while it drained and that its client keeps alive', async () => {
    const { running, client } = await start();
    const large = randomBytesOf('large', 20_000_000);
    await client.pushBlob('shop/web', large);
    const keeping = new RegistryClient({
      url: running.url,
      user: running.user,
      password: running.password,
      keepAlive: true,
    });
    let goOn = (): void => undefined;
    const told = new Promise<void>((resolve) => (goOn = resolve));
    const upload = await keeping.startUpload('shop/web');
    async function* body(): AsyncGenerator<Uint8Array> {
      yield large.subarray(0, 100_000);
      await told;
      yield large.subarray(100_000, 200_000);
    }
    const push = keeping.request('PATCH', upload.href, { body: body() });
    await sleep(200);
    const stopped = running.stop();
    await sleep(200);
    goOn();
    (await push).expect(202);
    const began = performance.now();
    expect(await stopped).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(5_000);
    keeping.close();
  });
});

function connected(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

test('images pushed before a SIGTERM are there after it', async () => {
  const { running, client } = await start();
  const image = randomImage();
  await client.pushImage('shop/web', 'latest', image);
  await running.restart();
  expect(digestsOf(await client.pullImage('shop/web', 'latest'))).toEqual(digestsOf(image));
});
