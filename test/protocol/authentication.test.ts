import { SignJWT } from 'jose';
import { spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { digestOf, randomImage, RegistryClient, type Answer } from '../support/client.js';
import { startServer } from '../support/server.js';
import { makeKey, makeServiceAccount, revokeKey, type GivenKey } from '../support/service-account.js';

const server = await startServer({ env: { DEBUG: 'true' } });
const other = await startServer();
const owner = new RegistryClient({ url: server.url, user: server.user, password: server.password });
afterAll(() => Promise.all([server.remove(), other.remove()]));

const json = { 'content-type': 'application/json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});
const nobody = owner.as();

/** Whatever must never be in a log. */
const secrets: string[] = [server.password];
const secret = (text: string): string => {
  secrets.push(text);
  return text;
};

interface Granted {
  readonly token: string;
  readonly refresh_token?: string;
  readonly scope?: string;
}

const post = (entries: Record<string, string>) =>
  nobody.request('POST', '/token', { headers: form, body: new URLSearchParams(entries).toString() });

function granted(answer: Answer): Granted {
  const body = answer.expect(200).json() as Granted;
  secret(body.token);
  if (body.refresh_token !== undefined) secret(body.refresh_token);
  return body;
}

const withToken = (token: string, path = '/v2/acme/app/tags/list') => nobody.request('GET', path, { auth: { token } });
const scope = 'repository:acme/app:pull';
const refresh = (token: string | undefined) => post({ grant_type: 'refresh_token', refresh_token: token ?? '', scope });

let key: GivenKey;

beforeAll(async () => {
  await owner.pushImage('acme/app', '1', randomImage({ layerBytes: 100 }));
  key = await makeServiceAccount(owner, 'acme', 'ci');
  secret(key.private_key.split('\n')[1] ?? '');
});

describe('a service account', () => {
  test('logs in by its key file under /v2, /api/v1 and /token, in whichever shape it arrives', async () => {
    const reordered = JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(key.text) as object).reverse()), undefined, 3);
    for (const file of [key.text, reordered]) {
      const headers = basic('_json_key', file);
      (await nobody.request('GET', '/v2/', { headers })).expect(200);
      (await nobody.request('GET', '/v2/acme/app/tags/list', { headers })).expect(200);
      (await nobody.request('GET', '/api/v1/me', { headers })).expect(200);
      const { token } = granted(await nobody.request('GET', `/token?scope=${scope}`, { headers }));
      (await withToken(token)).expect(200);
      granted(await post({ grant_type: 'password', username: '_json_key', password: file, scope }));
    }
    const encoded = secret(Buffer.from(key.text).toString('base64'));
    (await nobody.request('GET', '/v2/', { headers: basic('_json_key_base64', encoded) })).expect(200);
  });

  test('pushes and pulls as any client does', async () => {
    const client = owner.as('_json_key', key.text);
    const image = randomImage({ layerBytes: 1_000 });
    await client.pushImage('acme/app', 'by-ci', image);
    expect((await client.pullImage('acme/app', 'by-ci')).manifest.digest).toBe(image.manifest.digest);
  });

  test('gets a token by an assertion that its key signed, for this registry alone', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const sign = async (claims: object) =>
      secret(
        await new SignJWT({ iss: 'acme/ci', sub: 'acme/ci', aud: `${server.url}/token`, iat: now, exp: now + 60, ...claims })
          .setProtectedHeader({ alg: 'EdDSA', kid: key.key_id })
          .sign(createPrivateKey(key.private_key)),
      );
    const ask = async (claims: object) =>
      post({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: await sign(claims), scope });
    (await withToken(granted(await ask({})).token)).expect(200);
    expect((await ask({ aud: `${other.url}/token` })).expect(400).json()).toMatchObject({ error: 'invalid_grant' });
    expect((await ask({ exp: now + 7_200 })).expect(400).json()).toMatchObject({ error: 'invalid_grant' });
  });

  test('whose key is revoked is out with the next request, by whatever it was bought; its other key stays', async () => {
    const second = await makeKey(owner, key);
    secret(second.private_key.split('\n')[1] ?? '');
    const login = { grant_type: 'password', username: '_json_key', password: second.text, scope, access_type: 'offline' };
    const bought = granted(await post(login));
    const refreshed = granted(await refresh(bought.refresh_token));
    for (const { token } of [bought, refreshed]) (await withToken(token)).expect(200);
    await revokeKey(owner, second);
    for (const { token } of [bought, refreshed]) (await withToken(token)).expect(401);
    (await refresh(bought.refresh_token)).expect(400);
    (await nobody.request('GET', '/v2/', { headers: basic('_json_key', second.text) })).expect(401);
    (await nobody.request('GET', '/v2/', { headers: basic('_json_key', key.text) })).expect(200);
  });

  test.each(['token', 'key file'])(
    'whose key is revoked in the middle of a push is out with the next request (%s)',
    async (how) => {
      const third = await makeKey(owner, key);
      secret(third.private_key.split('\n')[1] ?? '');
      const basicHeaders = basic('_json_key', third.text);
      const pushing = 'repository:acme/app:pull,push';
      const { token } = granted(await nobody.request('GET', `/token?scope=${pushing}`, { headers: basicHeaders }));
      const headers = how === 'token' ? { authorization: `Bearer ${token}` } : basicHeaders;
      const bytes = Buffer.from(`pushed by ${how}`);
      const started = (await nobody.request('POST', '/v2/acme/app/blobs/uploads/', { headers })).expect(202);
      const patched = (await nobody.request('PATCH', started.header('location') ?? '', { headers, body: bytes })).expect(202);
      const at = patched.header('location') ?? '';
      await revokeKey(owner, third);
      (await nobody.request('GET', at, { headers })).expect(401);
      (await nobody.request('PATCH', at, { headers, body: bytes })).expect(401);
      (await nobody.request('PUT', `${at}?digest=${digestOf(bytes)}`, { headers })).expect(401);
      (await owner.request('HEAD', `/v2/acme/app/blobs/${digestOf(bytes)}`)).expect(404);
    },
  );

  test('has no token beyond the end of its key', async () => {
    const expires = new Date(Date.now() + 90_000).toISOString();
    const short = await makeKey(owner, key, { expires });
    secret(short.private_key.split('\n')[1] ?? '');
    const { token } = granted(await nobody.request('GET', '/token', { headers: basic('_json_key', short.text) }));
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { readonly exp: number };
    expect(exp).toBeLessThanOrEqual(Date.parse(expires) / 1_000);
  });
});

describe('docs/authentication.md', () => {
  const text = readFileSync(new URL('../../docs/authentication.md', import.meta.url), 'utf8');
  const exampleIn = (language: string, within: RegExp): string => {
    const found = [...text.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(([, code = '']) => code);
    return (found.find((code) => within.test(code)) ?? '')
      .replaceAll('https://registry.example.com', server.url)
      .replaceAll('team/app', 'acme/app');
  };
  const tool = (name: string): boolean => spawnSync(name, ['--version']).error === undefined;

  test.each([
    ['sh', /assertion=/, ['sh', '-e', 'example.sh'], tool('jq') && tool('openssl') && tool('curl')],
    ['js', /assertion:/, [process.execPath, 'example.mjs'], true],
  ] as const)('has an assertion in %s that is taken', async (language, within, [program, ...args], there) => {
    if (!there) return void console.warn('SKIPPED: the example needs jq, openssl and curl');
    const folder = mkdtempSync(join(tmpdir(), 'assertion-'));
    try {
      writeFileSync(join(folder, 'ci.json'), key.text);
      writeFileSync(join(folder, args.at(-1) ?? ''), exampleIn(language, within));
      const { stdout, stderr, status } = spawnSync(program, args, { cwd: folder, encoding: 'utf8', timeout: 30_000 });
      expect(status, stderr).toBe(0);
      const { token, scope: given } = JSON.parse(stdout) as Granted;
      expect(given, stdout).toBe(scope);
      (await withToken(secret(token))).expect(200);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('has a key file with the fields of one', () => {
    const shown = JSON.parse(exampleIn('json', /private_key/)) as object;
    expect(Object.keys(shown)).toEqual(Object.keys(JSON.parse(key.text) as object));
  });
});

describe('a user', () => {
  const email = 'Ann@Example.test';
  let password = secret('the first password of ann');
  const login = () => ({ grant_type: 'password', username: email, password, scope, access_type: 'offline' });

  beforeAll(async () => {
    (await owner.request('POST', '/api/v1/users', { headers: json, body: JSON.stringify({ email, password }) })).expect(201);
    const member = JSON.stringify({ principal: email, role: 'artifact_store_viewer' });
    (await owner.request('POST', '/api/v1/projects/acme/members', { headers: json, body: member })).expect(201);
  });

  test('is known by the e-mail in any case', async () => {
    for (const user of [email, email.toLowerCase(), email.toUpperCase()]) {
      (await nobody.request('GET', '/v2/acme/app/tags/list', { headers: basic(user, password) })).expect(200);
    }
  });

  test('gets a refresh token by POST alone, which gives what holds now and ends with the password', async () => {
    expect(
      granted(await nobody.request('GET', '/token?offline_token=true', { headers: basic(email, password) })),
    ).not.toHaveProperty('refresh_token');
    const bought = granted(await post(login()));
    const refreshed = granted(
      await post({
        grant_type: 'refresh_token',
        refresh_token: bought.refresh_token ?? '',
        scope: 'repository:acme/app:pull,push',
      }),
    );
    expect(refreshed).toMatchObject({ scope, refresh_token: bought.refresh_token });
    (await withToken(refreshed.token)).expect(200);

    (await withToken(bought.refresh_token ?? '')).expect(401);
    (await refresh(bought.token)).expect(400);

    const next = secret('the second password of ann');
    const change = JSON.stringify({ current: password, password: next });
    const headers = { ...json, ...basic(email, password) };
    (await nobody.request('PUT', '/api/v1/me/password', { headers, body: change })).expect(204);
    (await refresh(bought.refresh_token)).expect(400);
    (await post(login())).expect(401);
    password = next;
    granted(await post(login()));
  });

  test('who is disabled is out with the next request, and told what who never was is told', async () => {
    const bought = granted(await post(login()));
    const disable = async (disabled: boolean) =>
      (await owner.request('PATCH', `/api/v1/users/${email}`, { headers: json, body: JSON.stringify({ disabled }) })).expect(200);
    await disable(true);
    (await withToken(bought.token)).expect(401);
    (await refresh(bought.refresh_token)).expect(400);
    const answers = await Promise.all([
      nobody.request('GET', '/v2/', { headers: basic(email, password) }),
      nobody.request('GET', '/v2/', { headers: basic('nobody@example.test', password) }),
      nobody.request('GET', '/v2/', { headers: basic(server.user, secret('a wrong password')) }),
      nobody.request('GET', '/v2/', { headers: basic('_json_key', key.text.replace(key.key_id, crypto.randomUUID())) }),
    ]);
    expect(new Set(answers.map((answer) => `${answer.expect(401).text()} ${answer.header('www-authenticate')}`)).size).toBe(1);
    await disable(false);
    granted(await post(login()));
  });
});

describe('a token', () => {
  test('of another server, of no algorithm or cut off is refused', async () => {
    const { token } = granted(await nobody.request('GET', `/token?scope=${scope}`, { headers: basic('_json_key', key.text) }));
    const stranger = new RegistryClient({ url: other.url, user: other.user, password: other.password });
    const [, claims = '', signature = ''] = token.split('.');
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const wrong of [
      await stranger.token([scope]),
      `${part({ alg: 'none', typ: 'JWT' })}.${claims}.`,
      `${part({ alg: 'none', typ: 'JWT', kid: 'x' })}.${claims}.${signature}`,
      token.slice(0, -1),
      token.split('.').slice(0, 2).join('.'),
      'no-token',
    ]) {
      const answer = (await withToken(secret(wrong))).expect(401);
      expect(answer.header('www-authenticate')).toContain('error="invalid_token"');
    }
  });

  test('stays good when another key is to sign, and ends when the keys are replaced', async () => {
    const { token } = granted(await nobody.request('GET', `/token?scope=${scope}`, { headers: basic('_json_key', key.text) }));
    const rotate = (query = '') => owner.request('POST', `/api/v1/signing-keys${query}`);
    expect((await rotate()).json()).toMatchObject({ code: 'SIGNING_KEY_YOUNG' });
    (await withToken(token)).expect(200);
    const { kid } = (await rotate('?compromised=true')).expect(201).json() as { readonly kid: string };
    // Another server learns of it by its start, this one by a restart here.
    await server.restart();
    (await withToken(token)).expect(401);
    const fresh = granted(await nobody.request('GET', `/token?scope=${scope}`, { headers: basic('_json_key', key.text) }));
    expect(JSON.parse(Buffer.from(fresh.token.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({ kid });
    (await withToken(fresh.token)).expect(200);
  });
});

test('neither a log line nor a refusal shows a credential', async () => {
  const wrong = [
    nobody.request('GET', `/token?password=${secret('a-password-in-a-query')}&refresh_token=x`),
    nobody.request('GET', '/v2/', { headers: { authorization: `Basic ${secret('bm8gY29sb24gaGVyZQ')}` } }),
    nobody.request('GET', '/v2/', { headers: { authorization: `Digest ${secret('digest-response-of-somebody')}` } }),
    nobody.request('GET', '/v2/', { headers: basic('_json_key', `{"private_key":"${secret('half-a-key-file')}"`) }),
    nobody.request('GET', '/v2/', {
      headers: basic('_json_key', JSON.stringify({ ...(JSON.parse(key.text) as object), private_key: secret('no-pem-at-all') })),
    }),
    post({ grant_type: 'password', username: server.user, password: secret('a password in a form') }),
    post({ grant_type: 'refresh_token', refresh_token: secret('a-refresh-token-that-is-none') }),
    post({ grant_type: secret('a-password-as-grant-type') }),
    post({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: secret('no.assertion.at-all') }),
    nobody.request('GET', '/v2/', { auth: { token: secret('a-token-that-is-none') } }),
  ];
  for (const answer of await Promise.all(wrong)) {
    for (const text of secrets) expect(`${JSON.stringify(answer.headers)} ${answer.text()}`).not.toContain(text);
  }
  const log = server.log();
  expect(log).toContain('"level":"debug"');
  for (const text of secrets) {
    expect(log).not.toContain(text);
    expect(log).not.toContain(Buffer.from(text).toString('base64'));
    expect(log).not.toContain(encodeURIComponent(text));
  }
  expect(secrets.length).toBeGreaterThan(30);
});
