import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { digestOf, randomBytesOf, type RegistryClient } from '../support/client.js';
import { waitFor } from '../support/processes.js';
import { startServer, type Server } from '../support/server.js';
import { openFiles, openSocket, parseAnswers } from './raw.js';
import { keepAliveClient } from './shape.js';

const server = await startServer({ env: { ARTS_IDLE_TIMEOUT_SECS: '1' } });
const client = keepAliveClient(server);
const name = 'p/r';
const headOf = ({ host }: Server, client: RegistryClient): string => `Host: ${host}\r\nAuthorization: ${client.basic()}\r\n`;
const head = headOf(server, client);
afterAll(async () => {
  client.close();
  await server.remove();
});

const blobFiles = () => openFiles(server.pid).files.filter((file) => file.includes('/blobs/'));

const holdsNoFile = () =>
  waitFor(
    () => Promise.resolve(blobFiles().length === 0 ? true : undefined),
    6_000,
    () => `still open: ${blobFiles().join(' ')}`,
  );

const closed = (socket: Socket) => new Promise<number>((resolve) => socket.once('close', () => resolve(performance.now())));

async function stalledPatch(upload: URL, bytes: Uint8Array, of = { server, client }): Promise<Socket> {
  const socket = await openSocket(of.server.port);
  socket.resume();
  socket.write(`PATCH ${upload.pathname} HTTP/1.1\r\n${headOf(of.server, of.client)}Content-Length: 100000\r\n\r\n`);
  socket.write(bytes);
  await waitFor(
    async () => ((await of.client.request('GET', upload.href)).header('range') === `0-${bytes.length - 1}` ? true : undefined),
    5_000,
    () => 'the bytes did not arrive',
  );
  return socket;
}

describe('with ARTS_IDLE_TIMEOUT_SECS=1', () => {
  test('a client that stops sending in the middle of a PATCH is cut, holds no file, and can go on later', async () => {
    const upload = await client.startUpload(name);
    const bytes = randomBytesOf('stalled', 50_000);
    const started = performance.now();
    const socket = await stalledPatch(upload, bytes.subarray(0, 20_000));
    expect((await closed(socket)) - started).toBeLessThan(6_000);
    await holdsNoFile();
    const headers = { 'content-range': '20000-49999' };
    (await client.request('PATCH', upload.href, { body: bytes.subarray(20_000), headers })).expect(202);
    (await client.finishUpload(upload, digestOf(bytes))).expect(201);
  });

  test('a client that stops sending in the middle of a monolithic POST is cut and leaves nothing', async () => {
    const socket = await openSocket(server.port);
    socket.resume();
    const digest = digestOf('x');
    socket.write(`POST /v2/${name}/blobs/uploads/?digest=${digest} HTTP/1.1\r\n${head}Content-Length: 100000\r\n\r\nabc`);
    await closed(socket);
    await holdsNoFile();
  });

  test('a client that stops sending in the middle of its headers is cut', async () => {
    const socket = await openSocket(server.port);
    socket.resume();
    socket.write(`GET /v2/ HTTP/1.1\r\nHost: x`);
    await closed(socket);
  });

  test('a client that stops reading in the middle of a blob is cut and holds no file', async () => {
    const bytes = randomBytesOf('unread', 30_000_000);
    const digest = await client.pushBlob(name, bytes);
    const socket = await openSocket(server.port);
    socket.pause();
    socket.write(`GET /v2/${name}/blobs/${digest} HTTP/1.1\r\n${head}\r\n`);
    await waitFor(
      () => Promise.resolve(blobFiles().length > 0 ? true : undefined),
      5_000,
      () => 'the blob was never opened',
    );
    await holdsNoFile();
    let received = 0;
    socket.on('data', (part: Buffer) => (received += part.length));
    const end = closed(socket);
    socket.resume();
    await end;
    expect(received).toBeLessThan(bytes.length);
  });

  test('a client that goes away in the middle of a blob holds no file', async () => {
    const bytes = randomBytesOf('vanished', 30_000_000);
    const digest = await client.pushBlob(name, bytes);
    for (const leave of [(socket: Socket) => socket.destroy(), (socket: Socket) => socket.resetAndDestroy()]) {
      const socket = await openSocket(server.port);
      socket.write(`GET /v2/${name}/blobs/${digest} HTTP/1.1\r\n${head}\r\n`);
      await new Promise((resolve) => socket.once('data', resolve));
      leave(socket);
    }
    await holdsNoFile();
  });

  test('a slow client that keeps sending is not cut', async () => {
    const upload = await client.startUpload(name);
    const socket = await openSocket(server.port);
    const received: Buffer[] = [];
    socket.on('data', (part) => received.push(part));
    socket.write(`PATCH ${upload.pathname} HTTP/1.1\r\n${head}Content-Length: 6\r\n\r\n`);
    for (const byte of 'abcdef') {
      await sleep(500);
      socket.write(byte);
    }
    await waitFor(
      () => Promise.resolve(received.length > 0 ? true : undefined),
      5_000,
      () => 'no answer',
    );
    socket.destroy();
    expect(parseAnswers(Buffer.concat(received)).map(({ status }) => status)).toEqual([202]);
    expect((await client.finishUpload(upload, digestOf('abcdef'))).status).toBe(201);
  });

  test('of many that stall at once none holds a file afterwards, and the server goes on', async () => {
    const sockets: Socket[] = [];
    for (let index = 0; index < 20; index += 1) {
      sockets.push(await stalledPatch(await client.startUpload(name), randomBytesOf(`s${index}`, 1_000)));
    }
    await Promise.all(sockets.map((socket) => (socket.destroyed ? Promise.resolve(0) : closed(socket))));
    await holdsNoFile();
    (await client.request('GET', '/v2/')).expect(200);
    expect(server.log()).not.toContain('"level":"error"');
  });
});

describe('where a connection may be idle for a minute', () => {
  // However busy the machine is: it is the newer request that ends the older one, and not its silence.
  let patient: Server;
  let client: RegistryClient;
  beforeAll(async () => {
    patient = await startServer();
    client = keepAliveClient(patient);
  });
  afterAll(async () => {
    client.close();
    await patient.remove();
  });

  test('a new PATCH takes an upload over from one that stalls, which is told 409', async () => {
    const upload = await client.startUpload(name);
    const bytes = randomBytesOf('taken over', 40_000);
    const socket = await stalledPatch(upload, bytes.subarray(0, 10_000), { server: patient, client });
    const received: Buffer[] = [];
    socket.on('data', (part) => received.push(part));
    const started = performance.now();
    const headers = { 'content-range': '10000-39999' };
    (await client.request('PATCH', upload.href, { body: bytes.subarray(10_000), headers })).expect(202);
    expect(performance.now() - started).toBeLessThan(30_000);
    (await client.finishUpload(upload, digestOf(bytes))).expect(201);
    await closed(socket);
    expect(parseAnswers(Buffer.concat(received)).map(({ status }) => status)).toEqual([409]);
    expect((await client.pullBlob(name, digestOf(bytes))).equals(bytes)).toBe(true);
  });

  test('a new PUT takes an upload over from a small one that stalls, which is told 409', async () => {
    const upload = await client.startUpload(name);
    const socket = await openSocket(patient.port);
    const received: Buffer[] = [];
    socket.on('data', (part) => received.push(part));
    const end = closed(socket);
    const digest = digestOf('whole');
    socket.write(`PUT ${upload.pathname}?digest=${digest} HTTP/1.1\r\n${headOf(patient, client)}Content-Length: 5\r\n\r\nwho`);
    // A small blob is held in memory: nothing shows that its first bytes arrived.
    await sleep(300);
    (await client.finishUpload(upload, digest, Buffer.from('whole'))).expect(201);
    await end;
    expect(parseAnswers(Buffer.concat(received)).map(({ status }) => status)).toEqual([409]);
  });
});
