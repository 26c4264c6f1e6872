import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { listSessions, readSession, writeSession, type UploadSession } from '../../src/blobs/upload-sessions.js';
import { readConfig } from '../../src/config.js';
import type { Uid } from '../../src/identifiers.js';
import { openRegistry, type OpenRegistry } from '../../src/open-registry.js';
import { expireUploads } from '../../src/processes/upload-expiry.js';
import { faultsIn, findDamage } from '../crash/aftermath.js';
import { clientOf, digestOf, digestsOf, imageOf, type Answer } from '../support/client.js';
import { randomBytesOf } from '../support/images.js';
import { temporaryFolder } from '../support/processes.js';
import { startServer, storeSettings, type Server } from '../support/server.js';
import { gzipLayer, tar } from '../support/tar.js';

const name = 'shop/web';

let directory: string;
let servers: readonly [Server, Server];
/** A third process on the same data: this one. */
let registry: OpenRegistry;

beforeAll(async () => {
  directory = temporaryFolder('servers');
  const env = { ARTS_UPLOAD_IDLE_SECS: '3' };
  const first = await startServer({ directory, env });
  servers = [first, await startServer({ directory, env })];
  await clientOf(first).pushBlob(name, randomBytesOf('the first', 10));
  registry = await openRegistry(readConfig(storeSettings(directory)), false);
}, 120_000);

afterAll(async () => {
  await registry.close();
  const [first, second] = servers;
  await second.stop();
  await first.remove();
});

const staged = (): readonly string[] => readdirSync(join(directory, 'blobs', 'uploads'));

/** The names of the generations that a digest has on the disk. */
function generationsOf(digest: string): readonly string[] {
  const [algorithm = '', hex = ''] = digest.split(':');
  return readdirSync(join(directory, 'blobs', 'blobs', algorithm, hex.slice(0, 2), hex));
}

function ask(server: Server, method: string, path: string, body?: Uint8Array | AsyncIterable<Uint8Array>, from?: number) {
  const range = body instanceof Uint8Array && from !== undefined ? `${from}-${from + body.length - 1}` : undefined;
  return clientOf(server).request(method, path, { body, headers: range === undefined ? {} : { 'content-range': range } });
}

const begin = async (server: Server): Promise<string> => (await clientOf(server).startUpload(name)).pathname;
const put = (server: Server, path: string, digest: string, body?: Uint8Array): Promise<Answer> =>
  ask(server, 'PUT', `${path}?digest=${digest}`, body);

async function* streamed(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

/** How many bytes a server says that it has of an upload. (`0-0` is none here: no part has one byte.) */
async function received(server: Server, path: string): Promise<number> {
  const last = Number(/^0-(\d+)$/.exec((await ask(server, 'GET', path)).expect(204).header('range') ?? '')?.[1]);
  return last === 0 ? 0 : last + 1;
}

async function expectPulled(bytes: Buffer): Promise<void> {
  for (const server of servers) expect((await clientOf(server).pullBlob(name, digestOf(bytes))).equals(bytes)).toBe(true);
  expect(generationsOf(digestOf(bytes))).toHaveLength(1);
}

/** A body of which a part comes at once and the rest when it is told to. */
function inTwoParts(
  first: Uint8Array,
  rest: Uint8Array,
): { readonly body: AsyncIterable<Uint8Array>; readonly goOn: () => void } {
  let goOn = (): void => undefined;
  const told = new Promise<void>((resolve) => (goOn = resolve));
  async function* parts(): AsyncGenerator<Uint8Array> {
    yield first;
    await told;
    yield rest;
  }
  return { body: parts(), goOn };
}

const both = [0, 1] as const;
const mixes = both.flatMap((post) =>
  both.flatMap((first) => both.flatMap((second) => both.map((last) => [post, first, second, last] as const))),
);

describe.each(['chunked', 'streamed'] as const)('an upload in %s parts', (how) => {
  test.each(mixes)('begun at server %i goes on at %i and %i, and is finished at %i', async (post, first, second, last) => {
    const bytes = randomBytesOf(`${how} ${post}${first}${second}${last}`, 200_000);
    const parts = [bytes.subarray(0, 90_000), bytes.subarray(90_000, 150_000), bytes.subarray(150_000)] as const;
    const path = await begin(servers[post]);
    const patch = (server: Server, part: Buffer, from: number): Promise<Answer> =>
      how === 'chunked' ? ask(server, 'PATCH', path, part, from) : ask(server, 'PATCH', path, streamed(part));
    expect((await patch(servers[first], parts[0], 0)).expect(202).header('range')).toBe('0-89999');
    for (const server of servers) expect(await received(server, path)).toBe(90_000);
    expect((await patch(servers[second], parts[1], 90_000)).expect(202).header('range')).toBe('0-149999');
    for (const server of servers) expect(await received(server, path)).toBe(150_000);
    (await put(servers[last], path, digestOf(bytes), parts[2])).expect(201);
    // Its answer was lost, and it is asked for again at the other.
    (await put(servers[last === 0 ? 1 : 0], path, digestOf(bytes))).expect(201);
    await expectPulled(bytes);
    expect(staged()).toEqual([]);
  });
});

test('a chunk that comes to another server with the wrong offset is told the right one, and nothing is lost', async () => {
  const bytes = randomBytesOf('offset', 100_000);
  const path = await begin(servers[0]);
  (await ask(servers[0], 'PATCH', path, bytes.subarray(0, 60_000), 0)).expect(202);
  const refused = (await ask(servers[1], 'PATCH', path, bytes.subarray(0, 60_000), 0)).expect(416);
  expect([refused.header('range'), refused.header('location')]).toEqual(['0-59999', path]);
  (await ask(servers[0], 'PATCH', path, bytes.subarray(60_000), 60_000)).expect(202);
  (await put(servers[1], path, digestOf(bytes))).expect(201);
  await expectPulled(bytes);
});

describe('a server that still receives an upload', () => {
  const bytes = randomBytesOf('slow', 3_000_000);
  const half = bytes.subarray(0, 1_500_000);
  // Not what the client sends elsewhere: it would show in the blob.
  const late = inTwoParts(half, Buffer.alloc(500_000, 'x'));

  test('acknowledges nothing once another one has gone on with it, and its late bytes are nowhere', async () => {
    const path = await begin(servers[0]);
    const slow = ask(servers[0], 'PATCH', path, late.body);
    await vi.waitFor(async () => expect(await received(servers[1], path)).toBe(half.length), 20_000);
    (await ask(servers[1], 'PATCH', path, bytes.subarray(half.length, 2_000_000), half.length)).expect(202);
    late.goOn();
    const refused = (await slow).expect(409);
    expect(refused.codes()).toEqual(['BLOB_UPLOAD_INVALID']);
    expect(refused.header('location')).toBe(path);
    for (const server of servers) expect(await received(server, path)).toBe(2_000_000);
    (await put(servers[1], path, digestOf(bytes), bytes.subarray(2_000_000))).expect(201);
    await expectPulled(bytes);
    expect(staged()).toEqual([]);
  });

  test('is told of it while its client is silent, when it renews the upload', async () => {
    const path = await begin(servers[0]);
    const { body } = inTwoParts(half, half);
    const slow = ask(servers[0], 'PATCH', path, body);
    await vi.waitFor(async () => expect(await received(servers[1], path)).toBe(half.length), 20_000);
    (await ask(servers[1], 'PATCH', path, bytes.subarray(half.length), half.length)).expect(202);
    (await slow).expect(409);
    (await put(servers[1], path, digestOf(bytes))).expect(201);
    expect(staged()).toEqual([]);
  });

  test('is told when it is cancelled at another one', async () => {
    const path = await begin(servers[0]);
    const { body, goOn } = inTwoParts(half, half);
    const slow = ask(servers[0], 'PATCH', path, body);
    await vi.waitFor(async () => expect(await received(servers[1], path)).toBe(half.length), 20_000);
    (await ask(servers[1], 'DELETE', path)).expect(204);
    goOn();
    (await slow).expect(404);
    (await ask(servers[0], 'GET', path)).expect(404);
    expect(staged()).toEqual([]);
  });

  test('keeps it, however often another one looks for what has expired', async () => {
    const path = await begin(servers[0]);
    const { body, goOn } = inTwoParts(half, bytes.subarray(half.length));
    const slow = ask(servers[0], 'PATCH', path, body);
    const until = performance.now() + 6_000;
    // Two at once, as two servers do it.
    const expire = () => expireUploads(registry.executor, registry.blobs, { idleSeconds: 3, timeoutSeconds: 3_600 });
    while (performance.now() < until) await Promise.all([expire(), expire()]);
    goOn();
    (await slow).expect(202);
    (await put(servers[1], path, digestOf(bytes))).expect(201);
    await expectPulled(bytes);
    expect(staged()).toEqual([]);
  });

  test('is told when its time is over at another one', async () => {
    const path = await begin(servers[0]);
    const { body, goOn } = inTwoParts(half, half);
    const slow = ask(servers[0], 'PATCH', path, body);
    await vi.waitFor(async () => expect(await received(servers[1], path)).toBe(half.length), 20_000);
    await expireUploads(registry.executor, registry.blobs, { idleSeconds: 3_600, timeoutSeconds: 0 });
    goOn();
    (await slow).expect(404);
    expect(staged()).toEqual([]);
  });
});

test('the upload of a server that is killed in the middle is finished at the other at once, however it was killed', async () => {
  for (const part of [1_000, 700_000]) {
    const bytes = randomBytesOf(`killed ${part}`, 2_000_000);
    const path = await begin(servers[0]);
    (await ask(servers[0], 'PATCH', path, bytes.subarray(0, 500_000), 0)).expect(202);
    const { body } = inTwoParts(bytes.subarray(500_000, 500_000 + part), bytes);
    const lost = ask(servers[0], 'PATCH', path, body).catch(() => 'no answer');
    await vi.waitFor(async () => expect(await received(servers[1], path)).toBe(500_000 + part), 20_000);
    await servers[0].kill();
    expect(await lost).toBe('no answer');
    const began = performance.now();
    const there = await received(servers[1], path);
    expect(there).toBe(500_000 + part);
    (await put(servers[1], path, digestOf(bytes), bytes.subarray(there))).expect(201);
    // Less than any lease of ours.
    expect(performance.now() - began).toBeLessThan(8_000);
    expect(staged()).toEqual([]);
    await servers[0].restart();
    await expectPulled(bytes);
  }
});

test('twenty clients push the same image to both at once: each blob is there once, and nothing is left staged', async () => {
  const layers = ['base', 'own'].map((path) => gzipLayer(tar([{ path, bytes: randomBytesOf(path, 150_000) }])));
  const image = imageOf(layers, {});
  const hows = ['monolithic', 'single', 'chunked', 'streamed'] as const;
  await Promise.all(
    Array.from({ length: 20 }, (_, number) =>
      clientOf(number % 2 === 0 ? servers[0] : servers[1]).pushImage(name, `t${number % 4}`, image, {
        how: hows[number % 4] ?? 'single',
        chunkBytes: 40_000,
      }),
    ),
  );
  for (const server of servers) expect(digestsOf(await clientOf(server).pullImage(name, 't0'))).toEqual(digestsOf(image));
  for (const { digest } of [image.config, ...image.layers]) expect(generationsOf(digest)).toHaveLength(1);
  expect(staged()).toEqual([]);
});

test('one upload that both are asked to finish, ten times at once, is finished once', async () => {
  for (let round = 0; round < 10; round += 1) {
    const bytes = randomBytesOf(`both ${round}`, 200_000);
    const path = await begin(servers[0]);
    (await ask(servers[0], 'PATCH', path, bytes)).expect(202);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, number) => put(number % 2 === 0 ? servers[0] : servers[1], path, digestOf(bytes))),
    );
    // 409: asked while another one had it, which had not finished it yet. Never 404, since it is finished with these very bytes, nor 500.
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].filter((status) => status !== 201 && status !== 409)).toEqual([]);
    expect(statuses).toContain(201);
    (await put(servers[0], path, digestOf(bytes))).expect(201);
    await expectPulled(bytes);
    expect(staged()).toEqual([]);
  }
});

test('an upload that release 0.2.0 began is finished here', async () => {
  const bytes = randomBytesOf('older', 50_000);
  const upload = uuid() as Uid;
  const begun = (await begin(servers[0])).split('/').at(-1) as Uid;
  const session = await registry.store.transact(async ({ tx, registry: { keyspace } }) => {
    const of = await readSession(tx, keyspace, begun);
    if (of === undefined) throw new Error('no session');
    // As that release wrote it.
    const { repository, algorithm, startedAt, activeAt } = of;
    const older: UploadSession = { repository, name, algorithm, startedAt, activeAt };
    writeSession(tx, keyspace, upload, older);
    return older;
  });
  expect(Object.keys(session)).toEqual(['repository', 'name', 'algorithm', 'startedAt', 'activeAt']);
  writeFileSync(join(directory, 'blobs', 'uploads', upload), bytes.subarray(0, 20_000));
  const path = `/v2/${name}/blobs/uploads/${upload}`;
  for (const server of servers) expect(await received(server, path)).toBe(20_000);
  (await ask(servers[1], 'PATCH', path, bytes.subarray(20_000, 30_000), 20_000)).expect(202);
  (await put(servers[0], path, digestOf(bytes), bytes.subarray(30_000))).expect(201);
  await expectPulled(bytes);
  (await ask(servers[0], 'DELETE', `/v2/${name}/blobs/uploads/${begun}`)).expect(204);
  expect(staged()).toEqual([]);
});

test('at the end nothing is broken, lost or left over', async () => {
  const sessions = await registry.store.read(({ tx, registry: { keyspace } }) => listSessions(tx, keyspace, undefined, 200));
  expect(sessions.filter(({ session }) => session.finished === undefined)).toEqual([]);
  expect(servers.flatMap((server) => faultsIn(server.log())).slice(0, 5)).toEqual([]);
  for (const server of servers) await server.stop();
  expect(await findDamage(servers[0])).toEqual([]);
});
