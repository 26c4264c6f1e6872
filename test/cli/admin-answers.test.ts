import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';

import { findTool } from '../clients/tools.js';
import { freePort } from '../support/ports.js';
import { mustRun, run, temporaryFolder } from '../support/processes.js';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
}

/** A server that is not ours; what it was asked. */
async function serverThat(answer: RequestListener, tls?: { readonly key: string; readonly cert: string }) {
  const asked: Asked[] = [];
  const listener: RequestListener = (request: IncomingMessage, response) => {
    asked.push({ method: request.method, url: request.url });
    answer(request, response);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, url: `${tls === undefined ? 'http' : 'https'}://${host}`, asked };
}

async function artifactStore(server: string, args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env['PATH'], ARTS_SERVER: server, ARTS_USER: 'ann@example.test', ARTS_PASSWORD: 'secret', ...more };
  const { code, stdout, stderr } = await run(process.execPath, [program, ...args], { env });
  return { code, stdout: stdout.toString(), stderr };
}

const json = (status: number, body: object): RequestListener => {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
};

test('a redirection is not followed: nothing was made, and where it leads to is said', async () => {
  const elsewhere = await serverThat(json(200, { users: [] }));
  const server = await serverThat((_request, response) => {
    response.writeHead(301, { location: `${elsewhere.url}/api/v1/users` }).end();
  });
  expect(await artifactStore(server.url, ['admin', 'users', 'create', 'bob@example.test'])).toEqual({
    code: 1,
    stdout: '',
    stderr: `artifact-store: ${server.url} answers 301 and sends on to ${elsewhere.url}/api/v1/users; where that is right, give it as the server\n`,
  });
  expect(server.asked).toEqual([{ method: 'POST', url: '/api/v1/users' }]);
  expect(elsewhere.asked).toEqual([]);
});

const html: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>');
};
const notOurs = 'it is no Artifact Store of release 0.4.0 or newer, or something stands before it';

test.each<[string, RequestListener, string]>([
  ['a page', html, `answers with something that is no JSON to GET /api/v1/me: ${notOurs}`],
  [
    'an older release',
    json(404, { title: 'Not Found', status: 404, detail: 'GET /api/v1/me is nothing that ...', code: 'ROUTE_UNKNOWN' }),
    `answers 404 Not Found to GET /api/v1/me: ${notOurs}`,
  ],
  [
    'another server',
    (_request, response) => response.writeHead(404).end('no'),
    `answers 404 Not Found to GET /api/v1/me: ${notOurs}`,
  ],
  ['a proxy in front', (_request, response) => response.writeHead(502).end('<h1>'), 'answers 502 Bad Gateway to GET /api/v1/me'],
])('%s in the server’s place is said, and fails', async (_what, answer, reason) => {
  const { url } = await serverThat(answer);
  expect(await artifactStore(url, ['admin', 'me'])).toEqual({
    code: 1,
    stdout: '',
    stderr: `artifact-store: ${url} ${reason}\n`,
  });
});

test('login needs a token', async () => {
  const { url } = await serverThat(json(200, {}));
  expect(await artifactStore(url, ['login'])).toMatchObject({ code: 1, stdout: '' });
});

test('of an answer that breaks off it is not known what was done', async () => {
  const { url } = await serverThat((_request, response) => {
    response.writeHead(201, { 'content-length': '100' }).write('{"email"');
    setTimeout(() => response.destroy(), 100);
  });
  expect(await artifactStore(url, ['admin', 'users', 'create', 'bob@example.test'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^artifact-store: http:.* does not answer: .*whether it did what was asked is not known.*\n$/,
    ) as string,
  });
});

test('nothing listens: a line says so, for a name with several addresses, too', async () => {
  const port = await freePort();
  for (const host of ['127.0.0.1', 'localhost']) {
    expect(await artifactStore(`${host}:${port}`, ['admin', 'me'])).toEqual({
      code: 1,
      stdout: '',
      stderr: `artifact-store: http://${host}:${port} does not answer: nothing listens there (connection refused)\n`,
    });
  }
});

test('plain HTTP where TLS was asked for, and the other way round, is said', async () => {
  const plain = await serverThat(json(200, {}));
  expect(await artifactStore(`https://${plain.host}`, ['admin', 'me'])).toMatchObject({
    code: 1,
    stderr: `artifact-store: https://${plain.host} does not answer: it speaks no TLS; where that is meant, write http://\n`,
  });
});

const openssl = findTool('openssl');

test.skipIf(openssl === undefined)('a certificate that is nobody’s, or has expired, is said', async () => {
  const folder = temporaryFolder('certificates');
  const file = (name: string): string => join(folder, name);
  writeFileSync(file('names'), 'subjectAltName=IP:127.0.0.1\n');
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await mustRun('openssl', ['req', ...ec, '-subj', '/CN=127.0.0.1', '-keyout', file('key'), '-out', file('request')]);
  const serverWith = async (days: number) => {
    const sign = ['-signkey', file('key'), '-extfile', file('names'), '-days', String(days)];
    await mustRun('openssl', ['x509', '-req', '-in', file('request'), ...sign, '-out', file(`for ${days}`)]);
    return serverThat(json(200, {}), { key: readFileSync(file('key'), 'utf8'), cert: readFileSync(file(`for ${days}`), 'utf8') });
  };
  const untrusted = await serverWith(1);
  expect(await artifactStore(untrusted.url, ['admin', 'me'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('its certificate is of no authority that is trusted here; NODE_EXTRA_CA_CERTS') as string,
  });
  const expired = await serverWith(-1);
  expect(await artifactStore(expired.url, ['admin', 'me'], { NODE_EXTRA_CA_CERTS: file('for -1') })).toMatchObject({
    code: 1,
    stderr: `artifact-store: ${expired.url} does not answer: its certificate has expired\n`,
  });
});
