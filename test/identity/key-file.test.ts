import fc from 'fast-check';
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';

import { RefusalError } from '../../src/errors.js';
import type { Uid } from '../../src/identifiers.js';
import { verifyAssertion } from '../../src/identity/assertions.js';
import { authenticate, type AuthenticationDeps } from '../../src/identity/caller.js';
import type { KeyCredentials } from '../../src/identity/directory.js';
import { Guessing } from '../../src/identity/guessing.js';
import { generateAccountKey, KEY_FILE_TYPE, parseKeyFile, type KeyFile } from '../../src/identity/key-file.js';
import { VerifiedPasswords } from '../../src/identity/verified-passwords.js';

const account = '01890a5d-ac96-774b-bcce-b302099a8058' as Uid;
const key = '01890a5d-ac96-774b-bcce-b302099a8059' as Uid;
const pair = generateAccountKey();
const file: KeyFile = {
  type: KEY_FILE_TYPE,
  project: 'team',
  account: 'ci',
  key_id: key,
  private_key: pair.privateKey,
  created: '2026-11-28T00:00:00Z',
  expires: null,
};
const credentials: KeyCredentials = {
  account,
  key,
  identifier: 'team/ci',
  publicKey: Buffer.from(pair.publicKey, 'hex'),
  expiresAt: 2_000_000_000,
};

const findKey = (id: string) => Promise.resolve(id === key ? credentials : undefined);
const deps = {
  findUser: () => Promise.resolve(undefined),
  findKey,
  passwords: new VerifiedPasswords({ verifyPassword: () => Promise.resolve(false) }),
  guessing: new Guessing(),
} as unknown as AuthenticationDeps;

const logIn = (user: string, password: string) =>
  authenticate(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`, '127.0.0.1', deps);

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'nothing';
  } catch (error) {
    return error instanceof RefusalError ? error.refusal.refused : String(error);
  }
}

// As it was first given out: such files are kept by others, for ever.
const golden = JSON.parse(readFileSync(new URL('../golden/key-file.json', import.meta.url), 'utf8')) as {
  readonly text: string;
  readonly publicKey: string;
};

const otherPem = generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicPem = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();

describe('a key file as password', () => {
  test.each([
    ['as it was downloaded', JSON.stringify(file, undefined, 2)],
    ['on one line', JSON.stringify(file)],
    [
      'in another order, with a field that somebody added',
      JSON.stringify({ note: 'x', ...Object.fromEntries(Object.entries(file).reverse()) }),
    ],
    ['with white space around it', `\n\t ${JSON.stringify(file)} \n`],
    ['with the line breaks of Windows', JSON.stringify(file, undefined, 2).replaceAll('\n', '\r\n')],
    ['as the echo of some shells writes it', JSON.stringify(file).replaceAll('\\n', '\n')],
    ['with the byte order mark of PowerShell', `\uFEFF${JSON.stringify(file)}`],
  ])('is taken %s', async (_, text) => {
    expect(await logIn('_json_key', text)).toEqual({
      actor: { kind: 'service-account', uid: account, authentication: 'key', key },
      access: undefined,
      viaToken: false,
      until: 2_000_000_000,
    });
    expect((await logIn('_json_key_base64', Buffer.from(text).toString('base64'))).actor.uid).toBe(account);
  });

  test('in base64 is taken with and without line breaks, of either alphabet', async () => {
    const encoded = Buffer.from(JSON.stringify(file)).toString('base64');
    for (const text of [encoded.replace(/.{76}/g, '$&\n'), Buffer.from(JSON.stringify(file)).toString('base64url')]) {
      expect((await logIn('_json_key_base64', text)).actor.uid).toBe(account);
    }
    expect(await codeOf(logIn('_json_key_base64', JSON.stringify(file)))).toBe('KEY_FILE_INVALID');
  });

  test.each([
    ['nothing', '', /no JSON object/],
    ['no JSON', 'hunter2', /no JSON object/],
    ['half of it', JSON.stringify(file).slice(0, 200), /no JSON object/],
    ['a list', '[]', /no JSON object/],
    ['null', 'null', /no JSON object/],
    ['another type', JSON.stringify({ ...file, type: 'service_account' }), /its type is not artifact_store/],
    ['no account', JSON.stringify({ ...file, account: 7 }), /its project or its account/],
    ['no private key', JSON.stringify({ ...file, private_key: undefined }), /its private_key/],
    ['a cut private key', JSON.stringify({ ...file, private_key: file.private_key.slice(0, 60) }), /its private_key/],
    ['a public key', JSON.stringify({ ...file, private_key: publicPem }), /its private_key/],
    ['a key of another kind', JSON.stringify({ ...file, private_key: otherPem }), /its private_key/],
    ['an id that is none', JSON.stringify({ ...file, key_id: '../x' }), /its key_id/],
  ])('is refused with %s, and told what is wrong with its form', async (_, text, reason) => {
    const error = await logIn('_json_key', text).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RefusalError);
    expect((error as RefusalError).refusal.refused).toBe('KEY_FILE_INVALID');
    expect((error as RefusalError).message).toMatch(reason);
  });

  test.each([
    ['another account', JSON.stringify({ ...file, account: 'cd' })],
    ['another project', JSON.stringify({ ...file, project: 'other' })],
    ['an unknown key', JSON.stringify({ ...file, key_id: account })],
    ['another private key', JSON.stringify({ ...file, private_key: generateAccountKey().privateKey })],
  ])('is refused with %s as any wrong password is', async (_, text) => {
    expect(await codeOf(logIn('_json_key', text))).toBe('CREDENTIALS_WRONG');
  });

  test('is looked up each time, and was read before: a key that is revoked ends at once', async () => {
    const text = JSON.stringify(file);
    expect((await logIn('_json_key', text)).actor.uid).toBe(account);
    const revoked = { ...deps, findKey: () => Promise.resolve(undefined) };
    const header = `Basic ${Buffer.from(`_json_key:${text}`).toString('base64')}`;
    expect(await codeOf(authenticate(header, '127.0.0.1', revoked))).toBe('CREDENTIALS_WRONG');
  });

  test('has the form that it had at first', () => {
    const { text, publicKey } = golden;
    expect(parseKeyFile(text)).toEqual({ project: 'team', account: 'ci', key, publicKey: Buffer.from(publicKey, 'hex') });
  });

  test('no text makes the reader throw, and no text costs it more than its length', () => {
    const pieces = fc.constantFrom('"', '\\', '\n', '{', '}', ':', 'type', KEY_FILE_TYPE, 'private_key', '\uFEFF', '\ud800');
    fc.assert(
      fc.property(fc.string({ unit: pieces, maxLength: 60 }), (text) => {
        expect(parseKeyFile(text)).toHaveProperty('problem');
      }),
    );
    for (const piece of ['"\\', '"', '\\"', '{"a":"', '"\n'])
      expect(parseKeyFile(piece.repeat(20_000))).toHaveProperty('problem');
  }, 5_000);
});

describe('an assertion', () => {
  const now = 1_900_000_000;
  const audiences = ['https://registry.test/token', 'registry.test'];
  const claims = { iss: 'team/ci', sub: 'team/ci', aud: 'registry.test', iat: now, exp: now + 60 };
  const make = (more: object = {}, header: object = {}, signer = pair.privateKey) =>
    new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: 'EdDSA', kid: key, ...header }).sign(createPrivateKey(signer));
  const verify = (assertion: string) => verifyAssertion(assertion, audiences, { findKey, now: () => now * 1_000 });

  test('of a key says whose it is', async () => {
    expect(await verify(await make())).toEqual(credentials);
    expect(await verify(await make({ aud: ['x', 'https://registry.test/token'] }))).toEqual(credentials);
  });

  test.each([
    ['another key', {}, {}, generateAccountKey().privateKey],
    ['an unknown key', {}, { kid: account }, undefined],
    ['a kid that is none', {}, { kid: 'x' }, undefined],
    ['another account', { iss: 'team/cd', sub: 'team/cd' }, {}, undefined],
  ] as const)('by %s is told no more than that', async (_, more, header, signer) => {
    expect(await verify(await make(more, header, signer))).toBe('unknown');
  });

  test.each([
    ['that has expired', { exp: now - 31 }, /expired/],
    ['without an end', { exp: undefined }, /exp/],
    ['that is good for too long', { exp: now + 3_700 }, /3600 s/],
    ['of the future', { nbf: now + 60 }, /nbf/],
    ['made in the future', { iat: now + 60 }, /iat/],
    ['for somebody else', { aud: 'other.test' }, /aud.*registry\.test/],
    ['without an audience', { aud: undefined }, /aud/],
    ['with another subject', { sub: 'team/cd' }, /iss and sub/],
  ])('%s says what is wrong', async (_, more, message) => {
    const problem = await verify(await make(more));
    expect(problem).toMatchObject({ malformed: expect.stringMatching(message) as string });
  });

  test.each([
    ['no algorithm', 'none'],
    ["an algorithm of the header's choice", 'HS256'],
  ])('with %s is none', async (_, alg) => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg, kid: key })}.${part(claims)}`;
    const signature = sign(null, Buffer.from(signed), createPrivateKey(pair.privateKey)).toString('base64url');
    expect(await verify(`${signed}.${signature}`)).toMatchObject({ malformed: expect.any(String) as string });
    expect(await verify(`${signed}.`)).toMatchObject({ malformed: expect.any(String) as string });
  });
});
