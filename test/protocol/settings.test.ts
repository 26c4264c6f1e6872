import { afterAll, expect, test } from 'vitest';

import { digestOf, parseChallenge } from '../support/client.js';
import { waitFor } from '../support/processes.js';
import { startServer } from '../support/server.js';
import { expectError, keepAliveClient } from './shape.js';

const server = await startServer({
  env: {
    ARTS_PUBLIC_URL: 'https://registry.example.test:8443',
    ARTS_TRUSTED_PROXIES: '127.0.0.1',
    ARTS_CREATE_ON_PUSH: 'false',
  },
});
const client = keepAliveClient(server);
afterAll(async () => {
  client.close();
  await server.remove();
});

const addressesLogged = (path: string) =>
  server
    .log()
    .split('\n')
    .filter((line) => line.includes(`"path":"${path}"`))
    .map((line) => (JSON.parse(line) as { readonly address?: string }).address);

const addressOf = (path: string) =>
  waitFor(
    () => Promise.resolve(addressesLogged(path)[0]),
    5_000,
    () => `no line of ${path}`,
  );

test("ARTS_PUBLIC_URL decides the challenge's realm, whatever the headers say", async () => {
  for (const headers of [{}, { 'x-forwarded-host': 'other.test', 'x-forwarded-proto': 'http' }, { host: 'third.test' }]) {
    const answer = await client.request('GET', '/v2/', { auth: 'none', headers });
    expect(parseChallenge(answer.header('www-authenticate') ?? '').parameters).toEqual({
      realm: 'https://registry.example.test:8443/token',
      service: 'registry.example.test:8443',
    });
  }
});

test('with ARTS_CREATE_ON_PUSH=false a push to what is not there is 404 NAME_UNKNOWN that says how to create it', async () => {
  for (const [method, path, body] of [
    ['POST', '/v2/p/r/blobs/uploads/', undefined],
    ['POST', `/v2/p/r/blobs/uploads/?digest=${digestOf('x')}`, 'x'],
    ['PUT', '/v2/p/r/manifests/latest', '{}'],
  ] as const) {
    const message = expectError(await client.request(method, path, { auth: 'basic', body }), 404, 'NAME_UNKNOWN');
    expect(message).toContain('artifact-store repository create p/r');
  }
});

test("a trusted proxy's X-Forwarded-For is the client's address, and nobody else's is", async () => {
  const headers = { 'x-forwarded-for': '203.0.113.7' };
  await client.request('GET', '/v2/trusted/x/tags/list', { auth: 'none', headers });
  expect(await addressOf('/v2/trusted/x/tags/list')).toBe('203.0.113.7');
  // Only what the last trusted proxy says of its own peer counts, not what a client wrote before it.
  await client.request('GET', '/v2/chain/x/tags/list', {
    auth: 'none',
    headers: { 'x-forwarded-for': '198.51.100.1, 203.0.113.8' },
  });
  expect(await addressOf('/v2/chain/x/tags/list')).toBe('203.0.113.8');
  const other = await startServer();
  const direct = keepAliveClient(other);
  await direct.request('GET', '/v2/direct/x/tags/list', { auth: 'none', headers });
  await waitFor(
    () => Promise.resolve(other.log().includes('/v2/direct/x') ? true : undefined),
    5_000,
    () => 'no line',
  );
  expect(other.log()).toContain('"address":"127.0.0.1"');
  expect(other.log()).not.toContain('203.0.113.7');
  direct.close();
  await other.remove();
});
