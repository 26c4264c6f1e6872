import { afterAll, expect, test } from 'vitest';

import { digestOf, randomImage, RegistryClient } from '../support/client.js';
import { waitFor } from '../support/processes.js';
import { startServer } from '../support/server.js';
import { exchange, openSocket } from './raw.js';

const server = await startServer({ env: { DEBUG: 'true' } });
const client = new RegistryClient({ url: server.url, user: server.user, password: server.password });
afterAll(() => server.remove());

interface Line {
  readonly msg: string;
  readonly level: string;
  readonly method?: string;
  readonly path?: string;
  readonly name?: string;
  readonly reference?: string;
  readonly digest?: string;
  readonly status?: number;
  readonly received?: number;
  readonly bytes?: number;
  readonly ms?: number;
  readonly actor?: string;
  readonly address?: string;
  readonly agent?: string;
  readonly cut?: boolean;
  readonly attempts?: number;
}

function lines(): readonly Line[] {
  return server
    .log()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
}

const requests = () => lines().filter(({ msg }) => msg === 'request');

let marks = 0;

/** What was logged of the requests that `send` made, however late it comes. */
async function loggedBy(count: number, send: () => Promise<unknown>): Promise<readonly Line[]> {
  // Lines are written in batches: those of earlier requests are all there once this one's is.
  marks += 1;
  const mark = `/mark-${marks}`;
  await client.request('GET', mark, { auth: 'none' });
  const before = await waitFor(
    () => Promise.resolve(requests().findIndex(({ path }) => path === mark) + 1 || undefined),
    5_000,
    () => `no line of ${mark}`,
  );
  await send();
  return waitFor(
    () => Promise.resolve(requests().length >= before + count ? requests().slice(before) : undefined),
    5_000,
    () => `${requests().length - before} lines instead of ${count}`,
  );
}

test('the first pushes of a base layer, at once, send no command round again', async () => {
  await client.pushBlob('turns/one', Buffer.from('the repository is there before'));
  const layer = Buffer.alloc(70_000, 'layer');
  const seen = lines().length;
  await Promise.all(Array.from({ length: 50 }, () => client.pushBlob('turns/one', layer)));
  const commands = await waitFor(
    () => {
      const ran = lines()
        .slice(seen)
        .filter(({ msg }) => msg === 'a command ran');
      return Promise.resolve(ran.length >= 50 ? ran : undefined);
    },
    5_000,
    () => 'fewer commands than pushes',
  );
  expect(commands.filter(({ attempts }) => attempts !== 1)).toEqual([]);
});

test('a request is one line with name, reference, digest, status, bytes, duration and actor', async () => {
  const image = randomImage({ layers: 1 });
  await client.pushImage('p/r/app', 'v1', image);
  const token = await client.token(['repository:p/r/app:pull,push,delete']);
  const headers = { 'user-agent': 'test/1.0' };
  const [pull, ...more] = await loggedBy(1, () =>
    client.request('GET', '/v2/p/r/app/manifests/v1', { auth: { token }, headers }),
  );
  expect(more).toEqual([]);
  expect(pull).toMatchObject({
    level: 'info',
    method: 'GET',
    path: '/v2/p/r/app/manifests/v1',
    name: 'p/r/app',
    reference: 'v1',
    digest: image.manifest.digest,
    status: 200,
    bytes: image.manifest.bytes.length,
    address: '127.0.0.1',
    agent: 'test/1.0',
  });
  expect(pull?.ms).toBeGreaterThan(0);
  expect(pull?.ms).toBeLessThan(10_000);
  expect(pull?.actor).toMatch(/^[0-9a-f]{8}-/);
  expect(pull?.cut).toBeUndefined();

  const [post, put] = await loggedBy(2, async () => {
    const upload = client.location(await client.request('POST', '/v2/p/r/app/blobs/uploads/', { auth: { token } }));
    await client.request('PUT', `${upload.href}?digest=${digestOf('12345')}`, { auth: { token }, body: '12345' });
  });
  expect(post).toMatchObject({ method: 'POST', status: 202, name: 'p/r/app', bytes: 0 });
  expect(put).toMatchObject({ method: 'PUT', status: 201, digest: digestOf('12345'), received: 5 });
  const [head] = await loggedBy(1, () => client.request('HEAD', `/v2/p/r/app/blobs/${digestOf('12345')}`, { auth: { token } }));
  expect(head).toMatchObject({ method: 'HEAD', status: 200, bytes: 0 });
});

test('of a chunk that is cut short by another request the line says how many bytes came', async () => {
  const upload = await client.startUpload('p/r/app');
  const socket = await openSocket(server.port);
  socket.resume();
  const head = `Host: ${server.host}\r\nAuthorization: ${client.basic()}\r\nContent-Length: 100\r\n`;
  socket.write(`PATCH ${upload.pathname} HTTP/1.1\r\n${head}\r\n1234567`);
  await waitFor(
    async () => ((await client.request('GET', upload.href)).header('range') === '0-6' ? true : undefined),
    5_000,
    () => 'the bytes did not arrive',
  );
  const logged = await loggedBy(2, async () => (await client.request('PATCH', upload.href, { body: '89' })).expect(202));
  socket.destroy();
  const patches = logged.filter(({ method }) => method === 'PATCH');
  expect(patches.find(({ status }) => status === 409)).toMatchObject({ path: upload.pathname, received: 7 });
  expect(patches.find(({ status }) => status === 202)).toMatchObject({ path: upload.pathname, received: 2 });
});

test('refusals, requests that no route serves and paths that are no URL are a line each', async () => {
  const logged = await loggedBy(5, async () => {
    await client.request('GET', '/v2/', { auth: 'none' });
    await client.request('GET', '/v2/p/r/app/manifests/none', { auth: 'basic' });
    await client.request('GET', '/nothing', { auth: 'none' });
    await client.request('OPTIONS', '/v2/', { auth: 'none' });
    await client.request('GET', '/v2/%zz', { auth: 'none' });
  });
  expect(logged.map(({ status }) => status)).toEqual([401, 404, 404, 405, 400]);
  expect(logged[0]?.actor).toBe('anonymous');
  for (const { ms, address } of logged) {
    expect(ms).toBeGreaterThanOrEqual(0);
    expect(address).toBe('127.0.0.1');
  }
});

test('a client that goes away is a line that says so', async () => {
  const logged = await loggedBy(2, async () => {
    const { pathname } = client.location(await client.request('POST', '/v2/p/r/app/blobs/uploads/', { auth: 'basic' }));
    const head = `PATCH ${pathname} HTTP/1.1\r\nHost: x\r\nAuthorization: ${client.basic()}\r\nContent-Length: 9\r\n\r\nabc`;
    await exchange(server.port, head, { timeoutMs: 300 });
  });
  expect(logged.map(({ method, cut, address }) => ({ method, cut, address }))).toEqual([
    { method: 'POST', cut: undefined, address: '127.0.0.1' },
    { method: 'PATCH', cut: true, address: '127.0.0.1' },
  ]);
});

test('no line of the whole run holds the password, a token or an Authorization value', async () => {
  const { password, user } = server;
  const basic = Buffer.from(`${user}:${password}`).toString('base64');
  const token = await client.token(['repository:p/r/app:pull']);
  const secrets = [
    password,
    encodeURIComponent(password),
    password.replaceAll(' ', '+'),
    basic,
    token,
    'not-a-token',
    'wrong-secret',
  ];
  const queries = secrets.map((secret) => `password=${encodeURIComponent(secret)}&access_token=${encodeURIComponent(secret)}`);
  for (const query of queries) {
    for (const path of [
      '/token',
      '/v2/',
      '/v2/p/r/app/tags/list',
      '/v2/_catalog',
      '/nothing',
      '/v2/p/r/%zz',
      '/v2/p/r/app/blobs/uploads/',
    ]) {
      await client.request('GET', `${path}?${query}`, { auth: 'none' });
      await client.request('POST', `${path}?${query}`, { auth: 'basic' });
    }
  }
  const form = { grant_type: 'password', service: 'x', client_id: 'x', scope: 'repository:p/r:pull' };
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  for (const [name, secret] of [
    [user, password],
    [user, 'wrong-secret'],
    ['nobody', 'wrong-secret'],
  ] as const) {
    const body = new URLSearchParams({ ...form, username: name, password: secret }).toString();
    await client.request('POST', '/token', { auth: 'none', body, headers: type });
    const authorization = `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
    await client.request('GET', '/v2/', { auth: 'none', headers: { authorization } });
    await client.request('GET', '/token', { auth: 'none', headers: { authorization } });
  }
  const wrong = Buffer.from('nobody:wrong-secret').toString('base64');
  for (const authorization of [`Bearer not-a-token`, `Bearer ${token}x`, `Digest ${token}`, `Basic ${basic}%`, password]) {
    await client.request('GET', '/v2/p/r/app/tags/list', { auth: 'none', headers: { authorization } });
  }
  for (const broken of [
    `GET /v2/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nno colon ${password}\r\n\r\n`,
    `FROB /v2/?password=${password} HTTP/1.1\r\nAuthorization: Basic ${basic}\r\n\r\n`,
    `GET /v2/ HTTP/1.1\r\nAuthorization: Basic ${basic}\r\n\r\n`,
  ]) {
    await exchange(server.port, broken);
  }
  await server.restart();
  (await client.request('GET', '/v2/', { auth: 'basic' })).expect(200);
  await server.stop();
  const log = server.log();
  for (const secret of [...secrets, wrong]) expect(log.includes(secret), `the log holds ${secret}`).toBe(false);
  expect(log).not.toMatch(/bearer |basic /i);
  expect(lines().filter(({ level }) => level === 'error')).toEqual([]);
});
