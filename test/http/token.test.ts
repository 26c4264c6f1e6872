import fastify, { type FastifyInstance } from 'fastify';
import fc from 'fast-check';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { SignJWT } from 'jose';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';

import { errorTable, messageOf, RefusalError } from '../../src/errors.js';
import type { Uid } from '../../src/identifiers.js';
import { registerTokenRoutes } from '../../src/http/token.js';
import type { ScopedVerb } from '../../src/identity/scopes.js';
import { generateAccountKey, KEY_FILE_TYPE } from '../../src/identity/key-file.js';
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
  'service-account': { 'acme/app': ['pull', 'push'] },
  anonymous: { 'acme/open': ['pull'] },
};

const account = '01890a5d-ac96-774b-bcce-b302099a8059' as Uid;
const accountKey = '01890a5d-ac96-774b-bcce-b302099a805a' as Uid;
const pair = generateAccountKey();
const keyCredentials = {
  account,
  key: accountKey,
  identifier: 'acme/ci',
  publicKey: Buffer.from(pair.publicKey, 'hex'),
  expiresAt: Math.floor(Date.now() / 1_000) + 200,
};
const keyFile = JSON.stringify({
  type: KEY_FILE_TYPE,
  project: 'acme',
  account: 'ci',
  key_id: accountKey,
  private_key: pair.privateKey,
});

/** What the store holds now. */
const atFirst = {
  user: true,
  key: true,
  passwordHash: 'hash of secret',
  /** What happens in the meantime. */
  verifying: () => Promise.resolve(),
  mayOn: (): void => undefined,
};
const there = { ...atFirst };
beforeEach(() => void Object.assign(there, atFirst));

interface Setting {
  readonly sleep?: () => Promise<void>;
  readonly trusted?: readonly string[];
  readonly publicUrl?: string;
}

function newApp({ sleep = () => Promise.resolve(), trusted, publicUrl }: Setting = {}): FastifyInstance {
  const app = fastify({ trustProxy: trusted === undefined ? false : [...trusted] });
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
    findUser: (name) => Promise.resolve(name === 'ann' ? { uid, passwordHash: there.passwordHash } : undefined),
    passwords: new VerifiedPasswords({
      verifyPassword: async (password, hash) => {
        await there.verifying();
        return hash === `hash of ${password}`;
      },
    }),
    guessing: new Guessing({ sleep }),
    findKey: (id) => Promise.resolve(id === accountKey && there.key ? keyCredentials : undefined),
    findUserByUid: (of) => Promise.resolve(of === uid && there.user ? { uid, passwordHash: there.passwordHash } : undefined),
    credentialState: (hash) => `state of ${hash}`,
    tokens,
    issuer: new TokenIssuer({ issuer: 'store', keys, lifetimeSeconds: 300 }),
    mayOn: (actor, name) => {
      there.mayOn();
      return Promise.resolve(rights[actor.kind]?.[name.name] ?? []);
    },
    publicUrl,
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

interface Granted {
  readonly token: string;
  readonly expires_in: number;
  readonly refresh_token?: string;
}

describe('a refresh token', () => {
  const offline = { ...login, access_type: 'offline', scope: 'repository:acme/app:pull' };
  const refresh = (token: string | undefined, more: Record<string, string> = {}) =>
    post(form({ grant_type: 'refresh_token', refresh_token: token ?? '', service: 'registry.test', client_id: 'x', ...more }));
  const obtain = async () => (await post(form(offline))).json<Granted>().refresh_token;

  test('is given for a POST that asks for it with credentials, and for nothing else', async () => {
    expect(await obtain()).toEqual(expect.any(String));
    const others = [
      await post(form(login)),
      await post(form({ ...login, access_type: 'online' })),
      await get('?offline_token=true&access_type=offline', basic('ann:secret')),
      await post('access_type=offline', basic(':')),
    ];
    expect(others.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 400]);
    for (const answer of others) expect(answer.json()).not.toHaveProperty('refresh_token');
  });

  test('buys access tokens for what holds now, and comes back as it is', async () => {
    const token = await obtain();
    for (const [scope, granted] of [
      [
        'repository:acme/app:pull,push repository:acme/lib:pull,push',
        ['repository:acme/app:pull,push', 'repository:acme/lib:pull'],
      ],
      ['repository:acme/nothing:pull', []],
    ] as const) {
      const answer = await refresh(token, { scope });
      expect(answer.statusCode).toBe(200);
      const body = answer.json<Granted>();
      expect(await accessOf(body)).toEqual(granted);
      expect(body.refresh_token).toBe(token);
      expect(await tokens.verify(body.token)).toMatchObject({ uid, auth: 'password' });
    }
  });

  test.each([
    ['the password is another', { passwordHash: 'hash of another' }],
    ['the user may not come in any more', { user: false }],
  ])('ends when %s', async (_, change) => {
    const token = await obtain();
    Object.assign(there, change);
    const answer = await refresh(token);
    expect([answer.statusCode, answer.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_grant' })]);
  });

  test.each([
    [
      'is looked at',
      (changed: () => void) =>
        (there.verifying = () => {
          changed();
          return Promise.resolve();
        }),
    ],
    ['was found right, before the answer', (changed: () => void) => (there.mayOn = changed)],
  ])('bought with a password that is changed while it %s is never good', async (_, during) => {
    const server = newApp();
    during(() => {
      there.passwordHash = 'hash of another';
    });
    try {
      const payload = form(offline);
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const answer = await server.inject({ method: 'POST', url: '/token', payload, headers });
      const token = answer.statusCode === 200 ? answer.json<Granted>().refresh_token : 'none';
      expect((await refresh(token)).json()).toMatchObject({ error: 'invalid_grant' });
    } finally {
      await server.close();
    }
  });

  test('is no access token, and an access token is none', async () => {
    const answer = (await post(form(offline))).json<Granted>();
    await expect(tokens.verify(answer.refresh_token ?? '')).rejects.toThrow(RefusalError);
    expect((await refresh(answer.token)).json()).toMatchObject({ error: 'invalid_grant' });
    expect((await get('', { authorization: `Bearer ${answer.refresh_token}` })).statusCode).toBe(401);
  });

  test('given twice is refused', async () => {
    const token = (await obtain()) ?? '';
    expect((await post(`${form({ grant_type: 'refresh_token', refresh_token: token })}&refresh_token=x`)).statusCode).toBe(400);
  });
});

describe('a service account', () => {
  const assertion = (more: object = {}) => {
    const now = Math.floor(Date.now() / 1_000);
    return new SignJWT({ iss: 'acme/ci', sub: 'acme/ci', aud: 'http://registry.test/token', iat: now, exp: now + 60, ...more })
      .setProtectedHeader({ alg: 'EdDSA', kid: accountKey })
      .sign(createPrivateKey(pair.privateKey));
  };
  const bearer = async (more: object = {}, parameters: Record<string, string> = {}) =>
    post(form({ grant_type: jwtBearer, assertion: await assertion(more), ...parameters }), { host: 'registry.test' });

  test.each([
    ['GET', () => get('?scope=repository:acme/app:*', basic(`_json_key:${keyFile}`))],
    [
      'GET in base64',
      () => get('?scope=repository:acme/app:*', basic(`_json_key_base64:${Buffer.from(keyFile).toString('base64')}`)),
    ],
    ['POST', () => post(form({ ...login, username: '_json_key', password: keyFile, scope: 'repository:acme/app:*' }))],
    ['an assertion', () => bearer({}, { scope: 'repository:acme/app:*' })],
  ])('gets a token by %s, which names the key and ends with it', async (_, ask) => {
    const answer = await ask();
    expect(answer.statusCode).toBe(200);
    const body = answer.json<Granted>();
    expect(await accessOf(body)).toEqual(['repository:acme/app:pull,push']);
    const claims = await tokens.verify(body.token);
    expect(claims).toMatchObject({ uid: account, auth: 'key', key: accountKey, expiresAt: keyCredentials.expiresAt });
    expect(body.expires_in).toBeLessThanOrEqual(200);
    expect(body.expires_in).toBeGreaterThan(190);
  });

  test.each(['password', 'assertion'])('gets a refresh token by its %s, which ends with the key', async (how) => {
    const answer =
      how === 'password'
        ? await post(form({ ...login, username: '_json_key', password: keyFile, access_type: 'offline' }))
        : await bearer({}, { access_type: 'offline' });
    const token = answer.json<Granted>().refresh_token ?? '';
    const again = form({ grant_type: 'refresh_token', refresh_token: token });
    const refreshed = (await post(again)).json<Granted>();
    expect(await tokens.verify(refreshed.token)).toMatchObject({ uid: account, auth: 'key', key: accountKey });
    there.key = false;
    expect((await post(again)).json()).toMatchObject({ error: 'invalid_grant' });
  });

  test('whose key is revoked is told what a wrong password is told', async () => {
    there.key = false;
    const answer = await get('', basic(`_json_key:${keyFile}`));
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toEqual((await get('', basic('ann:wrong'))).json());
  });

  test('with a file that is none is told what is wrong with it', async () => {
    const answer = await post(form({ ...login, username: '_json_key', password: '{"type":"service_account"}' }));
    expect([answer.statusCode, answer.json()]).toEqual([
      401,
      expect.objectContaining({ error: 'invalid_grant', error_description: expect.stringMatching(/its type is not/) as string }),
    ]);
  });

  describe('has its assertion held against', () => {
    const forwarded = { host: '10.0.0.7:7111', 'x-forwarded-host': 'registry.test', 'x-forwarded-proto': 'https' };
    const proxy = '192.0.2.1';
    const named = ['https://registry.test/token', 'https://registry.test', 'registry.test'];
    test.each([
      ['the host that it was sent to', {}, { host: 'registry.test' }, named, true],
      ['that by http, too', {}, { host: 'localhost:5000' }, ['http://localhost:5000/token', 'localhost:5000'], true],
      ['the host that an unlisted proxy passes on', {}, { ...forwarded, host: 'registry.test' }, named, true],
      ['the host that a trusted proxy says', { trusted: [proxy] }, forwarded, named, true],
      ['no host that anybody says', {}, forwarded, named, false],
      ['no host that who is no trusted proxy says', { trusted: ['192.0.2.2'] }, forwarded, named, false],
      ['ARTS_PUBLIC_URL', { publicUrl: 'https://registry.test' }, { host: 'x.test' }, named, true],
      ['nothing beside it', { publicUrl: 'https://x.test' }, { host: 'registry.test' }, named, false],
      ['no other scheme than its', { publicUrl: 'https://registry.test' }, {}, ['http://registry.test/token'], false],
      ['the uuid of the store', {}, { host: 'x.test' }, ['store'], true],
      ['that beside ARTS_PUBLIC_URL, too', { publicUrl: 'https://x.test' }, {}, ['store'], true],
    ] as const)('%s', async (_, setting, headers, audiences, accepted) => {
      const server = newApp(setting);
      try {
        for (const aud of audiences) {
          const answer = await server.inject({
            method: 'POST',
            url: '/token',
            payload: form({ grant_type: jwtBearer, assertion: await assertion({ aud }) }),
            headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
            remoteAddress: proxy,
          });
          expect([aud, answer.statusCode]).toEqual([aud, accepted ? 200 : 400]);
        }
      } finally {
        await server.close();
      }
    });
  });

  test.each([
    ['for another registry', { aud: 'https://registry.other/token' }],
    ['that has ended', { exp: 1 }],
    ['of another account', { iss: 'acme/cd', sub: 'acme/cd' }],
  ])('with an assertion %s is refused as RFC 6749 has it', async (_, more) => {
    const answer = await bearer(more);
    expect([answer.statusCode, answer.json()]).toEqual([
      400,
      { error: 'invalid_grant', error_description: expect.any(String) as string, errors: expect.any(Array) as unknown[] },
    ]);
  });
});

test('who guesses is answered 429 with the time to wait, by GET and by POST, and the right password elsewhere 200', async () => {
  const server = newApp({ sleep: () => new Promise(() => undefined) });
  try {
    const ask = (method: 'GET' | 'POST', password: string, remoteAddress: string) =>
      method === 'GET'
        ? server.inject({ method, url: '/token', headers: basic(`ann:${password}`), remoteAddress })
        : server.inject({
            method,
            url: '/token',
            payload: form({ ...login, password }),
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            remoteAddress,
          });
    for (let index = 0; index < 5; index += 1) expect((await ask('GET', `${index}`, '192.0.2.1')).statusCode).toBe(401);
    for (let index = 0; index < 20; index += 1) void ask('GET', `waiting ${index}`, '192.0.2.1');
    await new Promise((resolve) => setImmediate(resolve));
    for (const method of ['GET', 'POST'] as const) {
      const answer = await ask(method, 'guess', '192.0.2.1');
      expect(answer.statusCode).toBe(429);
      expect(answer.json()).toMatchObject({ errors: [{ code: 'TOOMANYREQUESTS', detail: { seconds: 11 } }] });
      expect((await ask(method, 'secret', '192.0.2.2')).statusCode).toBe(200);
    }
  } finally {
    await server.close();
  }
});
