import type { FastifyInstance } from 'fastify';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterEach, describe, expect, test } from 'vitest';

import { createApp, type AppDeps } from '../../src/http/app.js';
import { KeyValueError } from '../../src/keyvalue/database.js';

let app: FastifyInstance | undefined;
afterEach(() => app?.close());

type Line = Readonly<Record<string, unknown>>;

/** An app whose store has nothing but this error for everybody; and its log. */
function failing(error: KeyValueError) {
  const log: Line[] = [];
  const sink = new Writable({
    write(line: Buffer, _encoding, done) {
      log.push(JSON.parse(line.toString()) as Line);
      done();
    },
  });
  const fail = () => Promise.reject(error);
  const deps = {
    logger: pino(sink),
    checkReady: fail,
    authentication: { findUser: fail, tokens: {}, passwords: {} },
    tokens: {},
    services: {
      config: { trustedProxies: [], idleSeconds: 60, publicUrl: undefined, tls: undefined },
      newId: () => 'id',
      executor: { store: { readCached: fail, read: fail }, execute: fail },
      blobs: {},
    },
  };
  app = createApp(deps as unknown as AppDeps);
  return { app, log };
}

const away = new KeyValueError('unavailable', 'the cluster of /etc/secret.cluster does not answer');
const reason = 'the database does not answer; try again in a moment';
const authorization = `Basic ${Buffer.from('somebody:something').toString('base64')}`;

describe('while the database is away', () => {
  test.each([
    ['GET', '/v2/p/r/manifests/latest', {}],
    ['HEAD', '/v2/p/r/manifests/latest', {}],
    ['GET', '/v2/_catalog', { authorization }],
    ['GET', '/v2/p/r/tags/list', { authorization }],
    ['POST', '/v2/p/r/blobs/uploads/', { authorization }],
    ['PUT', '/v2/p/r/manifests/latest', { authorization }],
    ['GET', '/token?scope=repository:p/r:pull', { authorization }],
  ] as const)("%s %s is 503 with Retry-After and the specification's body", async (method, url, headers) => {
    const { app, log } = failing(away);
    const answer = await app.inject({ method, url, headers });
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '2']);
    if (method !== 'HEAD') expect(answer.json()).toEqual({ errors: [{ code: 'UNKNOWN', message: reason, detail: { reason } }] });
    expect(answer.body).not.toContain('secret');
    // One line for a request, as for every other; what happened is told where it began, with its stack nowhere.
    await expect.poll(() => log.length).toBe(1);
    expect(log[0]).toMatchObject({ msg: 'request', status: 503, error: 'UNAVAILABLE' });
    expect(log[0]).not.toHaveProperty('err');
  });

  test("POST /token has RFC 6749's members, too", async () => {
    const { app } = failing(away);
    const payload = 'grant_type=password&username=somebody&password=something';
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await app.inject({ method: 'POST', url: '/token', headers, payload });
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '2']);
    expect(answer.json()).toEqual({
      error: 'temporarily_unavailable',
      error_description: reason,
      errors: [{ code: 'UNKNOWN', message: reason, detail: { reason } }],
    });
  });

  test('the API has its own form', async () => {
    const { app } = failing(away);
    const answer = await app.inject({ url: '/api/v1/projects/p/history', headers: { authorization } });
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '2']);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.json()).toMatchObject({ status: 503, code: 'UNAVAILABLE', detail: reason });
  });

  test('/readyz says so without a name, /healthz is well', async () => {
    const { app, log } = failing(away);
    const answer = await app.inject('/readyz');
    expect([answer.statusCode, answer.json()]).toEqual([503, { status: 'not ready', reason: 'the database does not answer' }]);
    await expect.poll(() => log.length).toBe(2);
    const line = log.find(({ msg }) => msg === 'not ready');
    expect(line).toMatchObject({ reason: away.message });
    expect(line).not.toHaveProperty('err');
    expect((await app.inject('/healthz')).statusCode).toBe(200);
  });
});

test.each([
  ['transaction_too_old', 'took longer than the store allows'],
  ['commit_unknown_result', 'did not say in time whether this was done'],
  ['not_committed', 'too many changes of the same things at once'],
] as const)('retries that ended in %s are 503 and say why', async (code, words) => {
  const { app } = failing(new KeyValueError('retries_exhausted', 'gave up', { cause: new KeyValueError(code, 'the last') }));
  const answer = await app.inject('/v2/p/r/manifests/latest');
  expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '2']);
  expect(answer.json<{ errors: { message: string }[] }>().errors[0]?.message).toContain(words);
});
