import fastify, { type FastifyInstance } from 'fastify';
import fc from 'fast-check';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';

import { errorTable, messageOf, RefusalError } from '../../src/errors.js';
import type { Uid } from '../../src/identifiers.js';
import { registerTokenRoutes } from '../../src/http/token.js';
import type { ScopedVerb } from '../../src/identity/scopes.js';
import { Guessing } from '../../src/identity/guessing.js';
import { decodeSigningKey, encodeSigningKey, signingKeys } from '../../src/identity/signing-keys.js';
import { TokenIssuer, TokenVerifier } from '../../src/identity/tokens.js';
import { VerifiedPasswords } from '../../src/identity/verified-passwords.js';

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const uid = '01890a5d-ac96-774b-bcce-b302099a8058' as Uid;
const keys = signingKeys([decodeSigningKey(encodeSigningKey(generateKeyPairSync('ed25519').privateKey, 1).value)]);
const tokens = new TokenVerifier({ issuer: 'store', keys });

const rights: Record<string, Record<string, readonly ScopedVerb[]>> = {
  user: { 'acme/app': ['pull', 'push', 'delete'], 'acme/lib': ['pull'], 'acme/open': ['pull'] },
  anonymous: { 'acme/open': ['pull'] },
};

function newApp(): FastifyInstance {
  const app = fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  app.setErrorHandler((error, _request, reply) => {
    if (!(error instanceof RefusalError)) return reply.status(500).send(String(error));
    const { oci, status } = errorTable[error.refusal.refused];
    return reply
      .status(status)
      .send({ errors: [{ code: oci, message: messageOf(error.refusal), detail: error.refusal.details }] });
  });
  registerTokenRoutes(app, {
    findUser: (name) => Promise.resolve(name === 'ann' ? { uid, passwordHash: 'hash of secret' } : undefined),
    passwords: new VerifiedPasswords({ verifyPassword: (password, hash) => Promise.resolve(hash === `hash of ${password}`) }),
    guessing: new Guessing({ sleep: () => Promise.resolve() }),
    findKey: () => Promise.resolve(undefined),
    findUserByUid: (of) => Promise.resolve(of === uid ? { uid, passwordHash: 'hash of secret' } : undefined),
    credentialState: (hash) => `state of ${hash}`,
    tokens,
    issuer: new TokenIssuer({ issuer: 'store', keys, lifetimeSeconds: 300 }),
    mayOn: (actor, name) => Promise.resolve(rights[actor.kind]?.[name] ?? []),
    publicUrl: undefined,
  });
  return app;
}

const app = newApp();
afterAll(() => app.close());

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
const get = (query: string, headers = {}) => app.inject({ method: 'GET', url: `/token${query}`, headers });
const post = (payload: string, headers = {}) =>
  app.inject({
    method: 'POST',
    url: '/token',
    payload,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });
const form = (entries: Record<string, string>) => new URLSearchParams(entries).toString();
const login = {
  grant_type: 'password',
  username: 'ann',
  password: 'secret',
  service: 'registry.test',
  client_id: 'containerd-client',
};

async function accessOf(body: { token: string }): Promise<string[]> {
  return (await tokens.verify(body.token)).access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`);
}

describe('GET /token', () => {
  test("answers docker's login", async () => {
    const answer = await get('?account=ann&client_id=docker&offline_token=true&service=registry.test', basic('ann:secret'));
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    const body = answer.json<Record<string, unknown> & { token: string; issued_at: string }>();
    expect(Object.keys(body).sort()).toEqual(['access_token', 'expires_in', 'issued_at', 'token']);
    expect(body).toMatchObject({ access_token: body.token, expires_in: 300 });
    expect(Math.abs(Date.parse(body.issued_at) - Date.now())).toBeLessThan(10_000);
    expect(await tokens.verify(body.token)).toMatchObject({ uid, auth: 'password', access: [] });
  });

  test.each([
    ['?scope=repository:acme/app:pull,push', ['repository:acme/app:pull,push']],
    ['?scope=repository:acme/app:*', ['repository:acme/app:pull,push,delete']],
    ['?scope=repository:acme/lib:pull,push,delete', ['repository:acme/lib:pull']],
    ['?scope=repository:acme/lib:push&scope=repository:acme/app:pull', ['repository:acme/app:pull']],
    [
      '?scope=repository:acme/lib:pull%20repository(plugin):acme/app:pull',
      ['repository:acme/lib:pull', 'repository:acme/app:pull'],
    ],
    ['?scope=registry:catalog:*', ['registry:catalog:*']],
    ['?scope=registry:catalog:pull&scope=registry:other:*&scope=printer:x:y&scope=&scope=%ZZ%', []],
    ['?scope=repository:__proto__:pull&scope=repository:acme:pull&scope=repository:ACME/app:pull', []],
  ])('grants of %s what holds', async (query, expected) => {
    const answer = await get(query, basic('ann:secret'));
    expect(answer.statusCode).toBe(200);
    expect(await accessOf(answer.json())).toEqual(expected);
  });

  test.each([{}, basic(':'), { authorization: 'Basic' }])(
    'gives nobody a token for what nobody needs to log in to (%j)',
    async (headers) => {
      const answer = await get('?scope=repository:acme/open:pull,push%20repository:acme/app:pull%20registry:catalog:*', headers);
      expect(answer.statusCode).toBe(200);
      expect(await accessOf(answer.json())).toEqual(['repository:acme/open:pull', 'registry:catalog:*']);
      expect(await tokens.verify(answer.json<{ token: string }>().token)).toMatchObject({ uid: undefined, auth: 'none' });
    },
  );

  test.each([basic('ann:wrong'), basic('bob:secret')])(
    'refuses wrong credentials in the shape of the registry',
    async (headers) => {
      const answer = await get('', { ...headers, host: 'registry.test:7111' });
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Basic realm="registry.test:7111",charset="UTF-8"');
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.json()).toEqual({
        errors: [{ code: 'UNAUTHORIZED', message: 'the user name or the password is wrong', detail: {} }],
      });
    },
  );

  test.each([['Bearer'], ['Negotiate YII='], ['Basic ***']])('refuses %s with a challenge', async (authorization) => {
    const answer = await get('', { authorization });
    expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, expect.stringMatching(/^Basic /)]);
  });

  test('gives no token for a token', async () => {
    const { token } = (await get('', basic('ann:secret'))).json<{ token: string }>();
    expect((await get('', { authorization: `Bearer ${token}` })).statusCode).toBe(401);
  });

  test('no query makes it fail', async () => {
    const query = fc.string({
      unit: fc.constantFrom('&', '=', '%', '?', ':', ',', 'scope', 'repository', 'acme/app', '%00', '[]', '*'),
    });
    await fc.assert(
      fc.asyncProperty(query, async (text) => {
        expect((await get(`?${text}`, basic('ann:secret'))).statusCode).toBe(200);
      }),
      { numRuns: 50 },
    );
  });
});

describe('POST /token', () => {
  test("answers containerd's login", async () => {
    const answer = await post(
      form({ ...login, scope: 'repository:acme/app:pull,push repository:acme/lib:pull,push', access_type: 'offline' }),
      {
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      },
    );
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    const body = answer.json<Record<string, unknown> & { token: string }>();
    expect(body).toMatchObject({
      access_token: body.token,
      expires_in: 300,
      token_type: 'Bearer',
      scope: 'repository:acme/app:pull,push repository:acme/lib:pull',
    });
    expect(await accessOf(body)).toEqual(['repository:acme/app:pull,push', 'repository:acme/lib:pull']);
  });

  test.each(['grant_type=password', 'scope=registry:catalog:*'])(
    'takes name and password from the header, too (%s)',
    async (body) => {
      expect((await post(body, basic('ann:secret'))).statusCode).toBe(200);
    },
  );

  test.each(['ann:wrong', 'bob:secret'])('refuses wrong credentials as OAuth2 and the registry do (%s)', async (text) => {
    const [username = '', password = ''] = text.split(':');
    const answer = await post(form({ ...login, username, password }));
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Basic /);
    expect(answer.json()).toEqual({
      error: 'invalid_grant',
      error_description: 'the user name or the password is wrong',
      errors: [{ code: 'UNAUTHORIZED', message: 'the user name or the password is wrong', detail: {} }],
    });
  });

  test.each([
    ['an unknown grant', form({ grant_type: 'authorization_code', code: 'x' }), {}, 400, 'unsupported_grant_type'],
    ['a refresh token that is none', form({ grant_type: 'refresh_token', refresh_token: 'x' }), {}, 400, 'invalid_grant'],
    ['no refresh token', form({ grant_type: 'refresh_token' }), {}, 400, 'invalid_request'],
    ['an assertion that is none', form({ grant_type: jwtBearer, assertion: 'x' }), {}, 400, 'invalid_grant'],
    ['no assertion', form({ grant_type: jwtBearer }), {}, 400, 'invalid_request'],
    ['no grant', form({ username: 'ann', password: 'secret' }), {}, 400, 'invalid_request'],
    ['no password', form({ grant_type: 'password', username: 'ann' }), {}, 400, 'invalid_request'],
    ['no credentials', 'grant_type=password', {}, 400, 'invalid_request'],
    ['nothing', '', {}, 400, 'invalid_request'],
    ['a name given twice', `${form(login)}&username=bob`, {}, 400, 'invalid_request'],
    ['a grant given twice', `${form(login)}&grant_type=password`, {}, 400, 'invalid_request'],
    ['JSON', '{}', { 'content-type': 'application/json' }, 400, 'invalid_request'],
    ['too much', `${form(login)}&x=${'y'.repeat(70_000)}`, {}, 400, 'invalid_request'],
    ['a token', 'grant_type=password', { authorization: 'Bearer x' }, 401, 'invalid_client'],
    ['a header that is none', 'grant_type=password', { authorization: 'Basic ***' }, 401, 'invalid_client'],
  ])('refuses %s', async (_, body, headers, status, error) => {
    const answer = await post(body, headers);
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({ error, errors: [{ message: expect.any(String) as string }] });
  });

  test('refuses no body at all', async () => {
    expect((await app.inject({ method: 'POST', url: '/token' })).statusCode).toBe(400);
  });

  test('answers who sends too much, and outlives who hangs up', async () => {
    const server = newApp();
    const url = new URL(await server.listen({ host: '127.0.0.1', port: 0 }));
    try {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const answer = await fetch(new URL('/token', url), { method: 'POST', headers, body: 'x'.repeat(5_000_000) });
      expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_request' })]);

      const socket = connect(Number(url.port), url.hostname);
      const head = [
        'POST /token HTTP/1.1',
        `Host: ${url.host}`,
        'Content-Type: application/x-www-form-urlencoded',
        'Content-Length: 99',
      ];
      socket.write([...head, '', 'grant_type='].join('\r\n'), () => socket.destroy());
      await once(socket, 'close');

      const login = new URL('/token', url);
      expect((await fetch(login, { headers: basic('ann:secret') })).status).toBe(200);
    } finally {
      await server.close();
    }
  });

  test('no body makes it fail', async () => {
    const text = fc.string({
      unit: fc.constantFrom('&', '=', '%', '%ff', 'grant_type', 'password', 'username', 'ann', 'scope', '\u0000', 'ä'),
    });
    await fc.assert(
      fc.asyncProperty(text, async (body) => {
        expect((await post(body)).statusCode).toBeLessThan(500);
      }),
      { numRuns: 50 },
    );
  });
});
