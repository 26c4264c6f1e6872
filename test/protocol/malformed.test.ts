import fc from 'fast-check';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { digestOf, randomBytesOf } from '../support/client.js';
import { waitFor } from '../support/processes.js';
import { startServer } from '../support/server.js';
import { exchange, openFiles, openSocket, residentMemory, type RawAnswer, type RawOptions } from './raw.js';
import { keepAliveClient, problemWithErrorBody } from './shape.js';

const server = await startServer();
const client = keepAliveClient(server);
const { port } = server;
const name = 'p/r';
const auth = `Host: ${server.host}\r\nAuthorization: ${client.basic()}\r\n`;
const blob = randomBytesOf('blob', 100_000);
const blobDigest = digestOf(blob);
let tokenAuth = auth;
let baseline = openFiles(server.pid);
let memory = 0;

beforeAll(async () => {
  await client.pushBlob(name, blob);
  // A verified password costs a hash at its first request only; a token never does.
  tokenAuth = `Host: ${server.host}\r\nAuthorization: Bearer ${await client.token([`repository:${name}:*`])}\r\n`;
  client.close();
  await sleep(500);
  baseline = openFiles(server.pid);
  memory = residentMemory(server.pid);
});

afterAll(async () => {
  client.close();
  await server.remove();
});

const staged = () => readdirSync(join(server.directory, 'blobs', 'uploads'));

const opened = new Set<string>();

/** Every answer is one that the specification has: never a fault, and errors in its shape. */
function check(answers: readonly RawAnswer[], sent: string, methods: readonly string[] = []): void {
  for (const [index, { status, headers, body }] of answers.entries()) {
    expect(status, `${sent}\n${body.toString()}`).toBeLessThan(500);
    const where = `${sent}\n${status} ${body.toString().slice(0, 300)}`;
    const location = status === 202 ? headers.get('location') : undefined;
    if (location !== undefined) opened.add(location);
    if (status >= 200) expect(headers.get('docker-distribution-api-version'), where).toBe('registry/2.0');
    if (status >= 400 && methods[index] !== 'HEAD') {
      expect(problemWithErrorBody(body), where).toBeUndefined();
      expect(headers.get('content-type'), where).toBe('application/json');
    }
  }
}

async function send(bytes: string | Buffer, options: RawOptions = {}): Promise<readonly RawAnswer[]> {
  const answers = await exchange(port, bytes, options);
  check(answers, printable(bytes), options.methods);
  return answers;
}

const printable = (bytes: string | Buffer) => JSON.stringify(Buffer.from(bytes).toString('latin1', 0, 400));

async function sendOne(bytes: string | Buffer, options: RawOptions = {}): Promise<RawAnswer> {
  const [answer] = (await send(bytes, options)).filter(({ status }) => status !== 100);
  if (answer === undefined) throw new Error(`no answer to ${printable(bytes)}`);
  return answer;
}

const get = (target: string, headers = '') => `GET ${target} HTTP/1.1\r\n${tokenAuth}${headers}\r\n`;

async function openUpload(): Promise<string> {
  return (await client.startUpload(name)).pathname;
}

const runs = { numRuns: 60 };

describe('random requests', () => {
  const methods = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND');
  const escaped = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => encodeURIComponent(Buffer.from(text).toString()));
  const wild = fc.oneof(
    escaped,
    fc.constantFrom(
      '%',
      '%0',
      '%zz',
      '%00',
      '%ff',
      '%c3%28',
      '%2F',
      '..',
      '.',
      '//',
      ':',
      '@',
      '+',
      '~',
      '%0d%0a',
      '\\',
      ';',
      '#',
    ),
    fc.string({ unit: 'grapheme-ascii', maxLength: 20 }).map((text) => text.replace(/\s/g, '_')),
  );
  const part = fc.oneof(
    fc.constantFrom('p', 'r', 'tags', 'list', 'blobs', 'uploads', 'manifests', 'referrers', blobDigest),
    wild,
  );
  const query = fc.oneof(
    fc.constant(''),
    fc
      .array(
        fc.tuple(
          fc.constantFrom('n', 'last', 'digest', 'mount', 'from', 'artifactType', 'tag', 'digest-algorithm', 'x'),
          fc.oneof(wild, fc.constantFrom('', '0', '-1', blobDigest, 'p/r', 'sha512')),
        ),
        { maxLength: 4 },
      )
      .map((pairs) => `?${pairs.map(([key, value]) => `${key}=${value}`).join('&')}`),
  );

  test('with random paths and queries are never a fault', async () => {
    await fc.assert(
      fc.asyncProperty(methods, fc.array(part, { minLength: 1, maxLength: 6 }), query, async (method, parts, text) => {
        const body = ['POST', 'PUT', 'PATCH'].includes(method) ? 'Content-Length: 0\r\n' : '';
        const head = `${method} /v2/${parts.join('/')}${text} HTTP/1.1\r\n${tokenAuth}${body}\r\n`;
        const answer = await sendOne(head, { methods: [method] });
        expect(answer.status).toBeGreaterThanOrEqual(200);
      }),
      { numRuns: 250 },
    );
  });

  const endpoints = fc.constantFrom(
    ['GET', `/v2/${name}/blobs/${blobDigest}`],
    ['HEAD', `/v2/${name}/blobs/${blobDigest}`],
    ['GET', `/v2/${name}/tags/list`],
    ['GET', `/v2/${name}/manifests/latest`],
    ['GET', '/v2/_catalog'],
    ['GET', '/token'],
  );
  const header = fc.constantFrom(
    'Range',
    'If-Range',
    'If-None-Match',
    'Accept',
    'Authorization',
    'Content-Type',
    'User-Agent',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'X-Forwarded-For',
    'Cookie',
  );
  const value = fc.oneof(
    fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
    fc.constantFrom(
      'bytes=',
      'bytes=0-0',
      'bytes=9-',
      'bytes=-0',
      'bytes=1-2,3-4',
      '*',
      '"',
      'W/',
      'Basic',
      'Bearer',
      'Basic Og==',
    ),
    fc
      .uint8Array({ maxLength: 40 })
      .map((bytes) => Buffer.from(bytes.filter((byte) => byte > 31 && byte !== 127)).toString('latin1')),
  );

  test('with random headers are never a fault', async () => {
    await fc.assert(
      fc.asyncProperty(endpoints, header, value, async ([method = '', path = ''], key, text) => {
        const authorization = key === 'Authorization' ? `Host: ${server.host}\r\n` : tokenAuth;
        await sendOne(Buffer.from(`${method} ${path} HTTP/1.1\r\n${authorization}${key}: ${text}\r\n\r\n`, 'latin1'), {
          methods: [method],
        });
      }),
      { numRuns: 150 },
    );
  });

  test('with random Content-Range on an upload leave it as it was', async () => {
    const upload = await openUpload();
    const range = fc.oneof(
      fc.tuple(fc.integer({ min: -3, max: 9 }), fc.integer({ min: -3, max: 9 })).map(([a, b]) => `${a}-${b}`),
      fc.string({ unit: 'grapheme-ascii', maxLength: 20 }).map((text) => `x${text}`),
      fc.constantFrom('1-3', 'bytes 1-3/*', `${'9'.repeat(20)}-${'9'.repeat(21)}`, '0-2-4'),
    );
    await fc.assert(
      fc.asyncProperty(range, fc.constantFrom('PATCH', 'PUT'), async (text, method) => {
        fc.pre(!/^\s*(?:bytes[ =])?0-2(?:\/\d+|\/\*)?\s*$/.test(text) && text.trim() !== '');
        const target = method === 'PUT' ? `${upload}?digest=${digestOf('abc')}` : upload;
        const head = `${method} ${target} HTTP/1.1\r\n${tokenAuth}Content-Range: ${text}\r\nContent-Length: 3\r\n\r\nabc`;
        expect([400, 416]).toContain((await sendOne(head)).status);
      }),
      runs,
    );
    const status = await sendOne(get(upload));
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-0']);
    await client.request('DELETE', upload);
  });

  test('with random bytes for a manifest are 400', async () => {
    const json = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }).map((tree) => Buffer.from(JSON.stringify(tree))),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc
        .record(
          {
            schemaVersion: fc.oneof(fc.constant(2), fc.jsonValue()),
            mediaType: fc.oneof(fc.constant('application/vnd.oci.image.manifest.v1+json'), fc.jsonValue()),
            config: fc.jsonValue(),
            layers: fc.jsonValue(),
            subject: fc.jsonValue(),
            annotations: fc.jsonValue(),
            artifactType: fc.jsonValue(),
          },
          { requiredKeys: ['schemaVersion'] },
        )
        .map((tree) => Buffer.from(JSON.stringify(tree))),
    );
    await fc.assert(
      fc.asyncProperty(json, async (body) => {
        const head = `PUT /v2/${name}/manifests/x HTTP/1.1\r\n${tokenAuth}Content-Type: application/vnd.oci.image.manifest.v1+json\r\nContent-Length: ${body.length}\r\n\r\n`;
        expect([400, 404]).toContain((await sendOne(Buffer.concat([Buffer.from(head), body]))).status);
      }),
      { numRuns: 120 },
    );
  });

  test('JSON nested without end is 400', async () => {
    for (const body of [
      '['.repeat(1_000_000),
      '{"a":'.repeat(500_000),
      `{"schemaVersion":2,"x":${'['.repeat(200)}${']'.repeat(200)}}`,
    ]) {
      const head = `PUT /v2/${name}/manifests/x HTTP/1.1\r\n${tokenAuth}Content-Type: application/vnd.oci.image.manifest.v1+json\r\nContent-Length: ${body.length}\r\n\r\n`;
      expect((await sendOne(head + body)).status).toBe(400);
    }
  });
});

describe('what is not HTTP', () => {
  // An upload that was opened before the rest turned out to be no HTTP would be there until it expires.
  const monolithic = `/v2/${name}/blobs/uploads/?digest=${digestOf('other')}`;

  test.each([
    ['nothing but noise', '\u0000\u0001\u0002\r\n\r\n'],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n'],
    ['a method that does not exist', `FROB /v2/ HTTP/1.1\r\n${auth}\r\n`],
    ['a method in lower case', `get /v2/ HTTP/1.1\r\n${auth}\r\n`],
    ['a version that does not exist', `GET /v2/ HTTP/9.9\r\n${auth}\r\n`],
    ['HTTP/2 out of nowhere', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a NUL in the path', `GET /v2/\u0000 HTTP/1.1\r\n${auth}\r\n`],
    ['a NUL in a header', `GET /v2/ HTTP/1.1\r\n${auth}X: a\u0000b\r\n\r\n`],
    ['a header without a colon', `GET /v2/ HTTP/1.1\r\n${auth}nonsense\r\n\r\n`],
    ['a space before the colon', `GET /v2/ HTTP/1.1\r\n${auth}Content-Length : 3\r\n\r\nabc`],
    ['no Host', 'GET /v2/ HTTP/1.1\r\n\r\n'],
    ['huge headers', `GET /v2/ HTTP/1.1\r\n${auth}X: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['very many headers', `GET /v2/ HTTP/1.1\r\n${auth}${'X: y\r\n'.repeat(10_000)}\r\n`],
    ['a huge path', `GET /v2/${'x'.repeat(100_000)} HTTP/1.1\r\n${auth}\r\n`],
    ['a negative Content-Length', `POST ${monolithic} HTTP/1.1\r\n${auth}Content-Length: -1\r\n\r\n`],
    ['a Content-Length that is no number', `POST ${monolithic} HTTP/1.1\r\n${auth}Content-Length: 1e3\r\n\r\n`],
    ['a Content-Length without end', `POST ${monolithic} HTTP/1.1\r\n${auth}Content-Length: ${'9'.repeat(50)}\r\n\r\n`],
    ['two Content-Lengths', `POST ${monolithic} HTTP/1.1\r\n${auth}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`],
    [
      'Content-Length beside chunked',
      `POST ${monolithic} HTTP/1.1\r\n${auth}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['another transfer coding', `POST ${monolithic} HTTP/1.1\r\n${auth}Transfer-Encoding: gzip\r\n\r\nabc`],
    ['chunks without a size', `POST ${monolithic} HTTP/1.1\r\n${auth}Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n`],
  ])('%s is a 4xx', async (_what, bytes) => {
    const answer = await sendOne(Buffer.from(bytes, 'latin1'));
    expect(answer.status).toBeGreaterThanOrEqual(400);
  });

  test('an authority for a target and an asterisk are a 4xx or a closed connection', async () => {
    await send(`CONNECT example.test:443 HTTP/1.1\r\n${auth}\r\n`, { timeoutMs: 2_000 });
    expect((await sendOne(`OPTIONS * HTTP/1.1\r\n${auth}\r\n`)).status).toBeGreaterThanOrEqual(400);
    expect((await sendOne(`GET v2/ HTTP/1.1\r\n${auth}\r\n`)).status).toBeGreaterThanOrEqual(400);
  });

  test('an upgrade is passed over', async () => {
    expect((await sendOne(get('/v2/', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'))).status).toBe(200);
  });

  test('HTTP/1.0 without a Host is served', async () => {
    const [, authorization = ''] = auth.split('\r\n');
    expect((await sendOne(`GET /v2/ HTTP/1.0\r\n${authorization}\r\n\r\n`)).status).toBe(200);
    expect((await sendOne('GET /v2/ HTTP/1.0\r\n\r\n')).status).toBe(401);
  });
});

describe('bodies', () => {
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

  test('pipelined requests are answered in their order', async () => {
    const targets = ['/v2/', `/v2/${name}/tags/list`, '/v2/none', `/v2/${name}/blobs/${blobDigest}`, '/v2/p/r/manifests/%zz'];
    const answers = await send(targets.map((target) => get(target)).join(''), { answers: targets.length });
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 200, 400]);
    expect(answers[3]?.body.equals(blob)).toBe(true);
  });

  test('Expect: 100-continue is answered with 100, then the answer; another expectation with 417', async () => {
    const upload = await openUpload();
    const socket = await openSocket(port);
    const received: Buffer[] = [];
    socket.on('data', (part) => received.push(part));
    const text = () => Buffer.concat(received).toString();
    socket.write(`PATCH ${upload} HTTP/1.1\r\n${tokenAuth}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`);
    await waitFor(() => Promise.resolve(text().startsWith('HTTP/1.1 100 Continue\r\n') ? true : undefined), 5_000, text);
    socket.write('abc');
    await waitFor(() => Promise.resolve(text().includes('HTTP/1.1 202 Accepted') ? true : undefined), 5_000, text);
    socket.destroy();
    const other = await sendOne(`PATCH ${upload} HTTP/1.1\r\n${tokenAuth}Expect: miracles\r\nContent-Length: 0\r\n\r\n`);
    expect(other.status).toBe(417);
    await client.request('DELETE', upload);
  });

  test('a Content-Length that is too small ends the body there, and what follows is no request', async () => {
    const upload = await openUpload();
    const bytes = `PATCH ${upload} HTTP/1.1\r\n${tokenAuth}Content-Length: 3\r\n\r\nabcdefgh\r\n\r\n`;
    const answers = await send(bytes, { answers: 2 });
    // The refusal of what follows may overtake the answer to what came before.
    expect(answers.map(({ status }) => status).filter((status) => status !== 202)).toEqual([400]);
    // What was not answered may have come to nothing.
    const ranges = answers.some(({ status }) => status === 202) ? ['0-2'] : ['0-2', '0-0'];
    expect(ranges).toContain((await sendOne(get(upload))).headers.get('range'));
    await client.request('DELETE', upload);
  });

  test('a client that closes in the middle of a PATCH leaves what arrived, and the upload goes on from there', async () => {
    for (const head of ['Content-Length: 1000\r\n\r\nabc', `Transfer-Encoding: chunked\r\n\r\n${chunk('abc')}`]) {
      const upload = await openUpload();
      const socket = await openSocket(port);
      socket.write(`PATCH ${upload} HTTP/1.1\r\n${tokenAuth}${head}`);
      // So that the server has begun to receive: on a cluster it asks for the session first.
      await new Promise((resolve) => setTimeout(resolve, 500));
      socket.end();
      await waitFor(
        async () => ((await sendOne(get(upload))).headers.get('range') === '0-2' ? true : undefined),
        5_000,
        () => 'the three bytes did not stay',
      );
      const rest = `Content-Range: 3-5\r\nContent-Length: 3\r\n\r\ndef`;
      expect((await sendOne(`PATCH ${upload} HTTP/1.1\r\n${tokenAuth}${rest}`)).status).toBe(202);
      const end = `PUT ${upload}?digest=${digestOf('abcdef')} HTTP/1.1\r\n${tokenAuth}\r\n`;
      expect((await sendOne(end)).status).toBe(201);
    }
  });

  test('a client that closes in the middle of a PUT can end the upload later', async () => {
    const upload = await openUpload();
    const target = `${upload}?digest=${blobDigest}`;
    for (const length of [50_000, 100_000]) {
      await exchange(
        port,
        Buffer.concat([
          Buffer.from(`PUT ${target} HTTP/1.1\r\n${tokenAuth}Content-Range: 0-99999\r\nContent-Length: 100000\r\n\r\n`),
          blob.subarray(0, length === 100_000 ? 10 : length),
        ]),
        { end: true },
      );
    }
    const status = await sendOne(get(upload));
    expect(status.status).toBe(204);
    const offset = Number(/^0-(\d+)$/.exec(status.headers.get('range') ?? '')?.[1]) + 1;
    const head = `PUT ${target} HTTP/1.1\r\n${tokenAuth}Content-Length: ${blob.length - offset}\r\n\r\n`;
    expect((await sendOne(Buffer.concat([Buffer.from(head), blob.subarray(offset)]))).status).toBe(201);
  });

  test('a client that closes in the middle of a manifest pushes none', async () => {
    const body = '{"schemaVersion":2';
    const head = `PUT /v2/${name}/manifests/cut HTTP/1.1\r\n${tokenAuth}Content-Length: 100\r\n\r\n${body}`;
    await exchange(port, head, { end: true });
    expect((await sendOne(get(`/v2/${name}/manifests/cut`))).status).toBe(404);
  });

  test('a refused monolithic POST leaves no staged upload, whether its bytes lie, end early or come after the refusal', async () => {
    const before = staged().length;
    const target = `/v2/${name}/blobs/uploads/?digest=${digestOf('other')}`;
    const start = `POST ${target} HTTP/1.1\r\n${tokenAuth}`;
    const large = randomBytesOf('refused', 200_000);
    expect((await sendOne(`${start}Content-Length: 3\r\n\r\nabc`)).status).toBe(400);
    expect((await sendOne(Buffer.concat([Buffer.from(`${start}Content-Length: 200000\r\n\r\n`), large]))).status).toBe(400);
    expect((await sendOne(`${start}Transfer-Encoding: chunked\r\n\r\n${chunk('abc')}0\r\n\r\n`)).status).toBe(400);
    for (const head of [
      'Content-Length: 1000\r\n\r\nabc',
      'Content-Length: 900000\r\n\r\nabc',
      `Transfer-Encoding: chunked\r\n\r\n${chunk('abc')}`,
    ]) {
      await exchange(port, start + head, { end: true });
    }
    const wrongRange = 'Content-Range: 5-7\r\nContent-Length: 3\r\n\r\nabc';
    expect((await sendOne(start + wrongRange)).status).toBeGreaterThanOrEqual(400);
    await waitFor(
      () => Promise.resolve(staged().length === before ? true : undefined),
      5_000,
      () => `staged: ${staged().join(' ')}`,
    );
  });

  test('a body where none belongs is passed over', async () => {
    const upload = await openUpload();
    for (const [method, target, status] of [
      ['GET', '/v2/', 200],
      ['GET', `/v2/${name}/blobs/${blobDigest}`, 200],
      ['GET', upload, 204],
      ['DELETE', upload, 204],
    ] as const) {
      const two = `${method} ${target} HTTP/1.1\r\n${tokenAuth}Content-Length: 5\r\n\r\nhello${get('/v2/')}`;
      const answers = await send(two, { answers: 2, timeoutMs: 3_000 });
      expect(answers.map((answer) => answer.status)).toEqual([status, 200]);
    }
  });

  test('a refusal reaches a client that is still sending', async () => {
    const bytes = randomBytesOf('large', 3_000_000);
    for (const target of [`/v2/app/blobs/uploads/?digest=${digestOf(bytes)}`, `/v2/${name}/blobs/uploads/?digest=sha256:x`]) {
      const answer = await client.request('POST', target, { body: bytes, auth: 'basic' });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(problemWithErrorBody(answer.body)).toBeUndefined();
    }
  });
});

test('after all that the server lives, holds no file more than before, and memory is sane', async () => {
  expect(server.isRunning()).toBe(true);
  // What random requests began is nobody's leak.
  for (const upload of opened) await client.request('DELETE', upload, { auth: 'basic' });
  client.close();
  // What a refused body may still bring is cut off after five seconds.
  await waitFor(
    () => Promise.resolve(openFiles(server.pid).sockets <= baseline.sockets ? true : undefined),
    12_000,
    () => `${JSON.stringify(openFiles(server.pid))} instead of ${JSON.stringify(baseline)}`,
  );
  expect(openFiles(server.pid).files).toEqual(baseline.files);
  expect(residentMemory(server.pid)).toBeLessThan(memory + 250_000_000);
  expect(staged()).toEqual([]);
  expect(server.log()).not.toContain('"level":"error"');
  expect((await client.request('GET', '/v2/')).status).toBe(200);
});
