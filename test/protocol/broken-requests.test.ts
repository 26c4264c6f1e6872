import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { digestOf, randomBytesOf, RegistryClient } from '../support/client.js';
import { waitFor } from '../support/processes.js';
import { startServer } from '../support/server.js';
import { exchange, openSocket } from './raw.js';

const server = await startServer();
const client = new RegistryClient({ url: server.url, user: server.user, password: server.password });
const auth = `Host: ${server.host}\r\nAuthorization: ${client.basic()}\r\n`;
const blob = randomBytesOf('large blob', 20_000_000);
const blobDigest = digestOf(blob);

beforeAll(async () => {
  await client.pushBlob('p/r', blob);
});
afterAll(() => server.remove());

type Line = Readonly<Record<string, unknown>>;

function lines(): readonly Line[] {
  return server
    .log()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
}

/** The request's line that has these values. */
function logged(values: Line): Promise<Line> {
  const matches = (line: Line) => Object.entries(values).every(([name, value]) => line[name] === value);
  return waitFor(
    () => Promise.resolve(lines().find((line) => line['msg'] === 'request' && matches(line))),
    5_000,
    () => `no line has ${JSON.stringify(values)}`,
  );
}

describe('an answer to bytes that are no HTTP', () => {
  test('says why, and is a line in the log', async () => {
    const [answer] = await exchange(
      server.port,
      `POST /v2/ HTTP/1.1\r\n${auth}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
    );
    expect(answer?.status).toBe(400);
    expect(answer?.body.toString()).toContain('Duplicate Content-Length');
    await logged({ status: 400, code: 'HPE_UNEXPECTED_CONTENT_LENGTH', address: '127.0.0.1' });
    await exchange(server.port, `GET /v2/ HTTP/1.1\r\n${auth}X: ${'x'.repeat(300_000)}\r\n\r\n`);
    await logged({ status: 431, code: 'HPE_HEADER_OVERFLOW', address: '127.0.0.1' });
  });

  test('never stands in the middle of another answer', async () => {
    const socket = await openSocket(server.port);
    socket.write(`GET /v2/p/r/blobs/${blobDigest} HTTP/1.1\r\n${auth}\r\n`);
    await sleep(500);
    socket.write('\u0000\r\n\r\n');
    await sleep(300);
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part));
    await new Promise((resolve) => socket.once('close', resolve));
    const bytes = Buffer.concat(parts);
    expect(bytes.length).toBeLessThan(blob.length);
    expect(bytes.lastIndexOf('HTTP/1.1 ')).toBe(0);
  });

  test('does not follow a 417', async () => {
    const bytes = `POST /v2/p/r/blobs/uploads/ HTTP/1.1\r\n${auth}Expect: miracles\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const socket = await openSocket(server.port);
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part));
    socket.write(bytes);
    await waitFor(
      () => Promise.resolve(parts.length > 0 ? true : undefined),
      5_000,
      () => 'no answer',
    );
    socket.write('no chunk\r\n\r\n');
    await sleep(300);
    socket.destroy();
    expect(
      Buffer.concat(parts)
        .toString()
        .match(/HTTP\/1\.1 \d+/g),
    ).toEqual(['HTTP/1.1 417']);
    await logged({ status: 417, method: 'POST', path: '/v2/p/r/blobs/uploads/', address: '127.0.0.1' });
  });
});

test.each([
  ['a refused body', `POST /v2/p/r/blobs/uploads/?digest=sha256:x HTTP/1.1\r\n${auth}`, 400],
  ['an expectation that is not met', `POST /v2/p/r/blobs/uploads/ HTTP/1.1\r\n${auth}Expect: miracles\r\n`, 417],
])('%s on a connection that is not kept is answered before it is closed', async (_what, head, status) => {
  // As a proxy does it: it reads an answer and sends on all the same.
  const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  const errors: Error[] = [];
  const parts: Buffer[] = [];
  socket.on('error', (error) => errors.push(error));
  socket.on('data', (part) => parts.push(part));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const part = Buffer.alloc(100_000);
  socket.write(`${head}Connection: close\r\nContent-Length: ${20 * part.length}\r\n\r\n`);
  for (let sent = 0; sent < 20; sent += 1) {
    socket.write(part);
    await sleep(20);
  }
  socket.end();
  await closed;
  expect(errors).toEqual([]);
  expect(Buffer.concat(parts).toString()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
});

test('a user and a password in the target are neither logged nor echoed', async () => {
  for (const target of [
    'http://somebody:geheim@x',
    'http://somebody:geheim@x?q',
    'http://somebody:geheim@x/none',
    'ftp://somebody:geheim@x/',
  ]) {
    const [answer] = await exchange(server.port, `GET ${target} HTTP/1.1\r\nHost: ${server.host}\r\n\r\n`);
    expect(answer?.status).toBe(404);
    expect(answer?.body.toString()).not.toContain('geheim');
  }
  await logged({ path: '/none' });
  await logged({ path: '/' });
  expect(server.log()).not.toContain('geheim');
});

test('a path whose version is escaped is no route, whatever its Content-Type', async () => {
  for (const path of ['/%762/p/r/tags/list', '/%76%32/', '/v%32']) {
    const answer = await client.request('GET', path, { auth: 'basic', headers: { 'content-type': 'x' } });
    expect([path, answer.status, answer.codes()]).toEqual([path, 404, ['UNSUPPORTED']]);
  }
});

describe('the bytes of a line', () => {
  test('are none for HEAD', async () => {
    await client.request('HEAD', '/v2/p/none/tags/list', { auth: 'basic' });
    expect(await logged({ method: 'HEAD', path: '/v2/p/none/tags/list' })).toMatchObject({ status: 404, bytes: 0 });
  });

  test('are not what was announced where the answer was cut', async () => {
    const socket = await openSocket(server.port);
    socket.write(`GET /v2/p/r/blobs/${blobDigest} HTTP/1.1\r\n${auth}User-Agent: cutter\r\n\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    const line = await logged({ agent: 'cutter' });
    expect(line).toMatchObject({ status: 200, cut: true });
    expect(line['bytes']).toBeUndefined();
  });
});
