import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';

import { RefusalError } from '../../src/errors.js';
import type { Uid } from '../../src/identifiers.js';
import { anonymous, authenticate, authenticateByPassword, authenticateKnown } from '../../src/identity/caller.js';
import { Guessing } from '../../src/identity/guessing.js';
import { decodeSigningKey, encodeSigningKey, signingKeys } from '../../src/identity/signing-keys.js';
import { TokenIssuer, TokenVerifier } from '../../src/identity/tokens.js';
import { VerifiedPasswords } from '../../src/identity/verified-passwords.js';

const uid = '01890a5d-ac96-774b-bcce-b302099a8058' as Uid;
const keys = signingKeys([decodeSigningKey(encodeSigningKey(generateKeyPairSync('ed25519').privateKey, 1).value)]);
const issuer = new TokenIssuer({ issuer: 'store', keys, lifetimeSeconds: 300 });
const access = [{ type: 'repository' as const, name: 'acme/app', actions: ['pull' as const] }];

function newDeps() {
  const verified: string[] = [];
  const passwords = new VerifiedPasswords({
    verifyPassword: (password, hash) => {
      verified.push(hash);
      return Promise.resolve(hash === `hash of ${password}`);
    },
  });
  return {
    verified,
    passwords,
    guessing: new Guessing({ sleep: () => Promise.resolve() }),
    credentialState: (hash: string) => `state of ${hash}`,
    findKey: () => Promise.resolve(undefined),
    tokens: new TokenVerifier({ issuer: 'store', keys }),
    findUser: (name: string) => Promise.resolve(name === 'ann' ? { uid, passwordHash: 'hash of secret' } : undefined),
  };
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'nothing';
  } catch (error) {
    return error instanceof RefusalError ? error.refusal.refused : String(error);
  }
}

describe('a caller', () => {
  test.each([undefined, '', 'Basic Og=='])('with the header %j is nobody', async (header) => {
    expect(await authenticate(header, '127.0.0.1', newDeps())).toEqual(anonymous);
  });

  test('with name and password is the user, not narrowed', async () => {
    const caller = await authenticate(basic('ann:secret'), '127.0.0.1', newDeps());
    expect(caller).toMatchObject({
      actor: { kind: 'user', uid, authentication: 'password' },
      access: undefined,
      viaToken: false,
    });
    expect(caller.credentialState?.()).toBe('state of hash of secret');
  });

  test.each([
    ['changed', { uid, passwordHash: 'hash of another' }],
    ['gone with its user', undefined],
  ])('whose password is %s when it is found right is refused', async (_, then) => {
    const deps = newDeps();
    const found = [{ uid, passwordHash: 'hash of secret' }, then];
    const findUser = () => Promise.resolve(found.length > 1 ? found.shift() : found[0]);
    expect(await codeOf(authenticate(basic('ann:secret'), '127.0.0.1', { ...deps, findUser }))).toBe('CREDENTIALS_WRONG');
  });

  test('whose password was verified within the minute costs one look', async () => {
    const deps = newDeps();
    const asked: string[] = [];
    const findUser = (name: string) => {
      asked.push(name);
      return deps.findUser(name);
    };
    for (let index = 0; index < 3; index += 1) await authenticate(basic('ann:secret'), '127.0.0.1', { ...deps, findUser });
    expect(asked).toHaveLength(4);
  });

  test('with a wrong name is told and costs the same as with a wrong password', async () => {
    const deps = newDeps();
    expect(await codeOf(authenticate(basic('ann:wrong'), '127.0.0.1', deps))).toBe('CREDENTIALS_WRONG');
    expect(await codeOf(authenticate(basic('bob:wrong'), '127.0.0.1', deps))).toBe('CREDENTIALS_WRONG');
    expect(deps.verified).toEqual(['hash of secret', expect.stringMatching(/^\$scrypt\$ln=15,r=8,p=1\$/)]);
  });

  test('whose name nobody has shares no verification with another such name, just as two users do not', async () => {
    const deps = newDeps();
    const together = (...users: readonly string[]) =>
      Promise.all(users.map((user) => codeOf(authenticate(basic(`${user}:wrong`), '127.0.0.1', deps))));
    expect(await together('bob', 'eve')).toEqual(['CREDENTIALS_WRONG', 'CREDENTIALS_WRONG']);
    expect(deps.verified).toHaveLength(2);
    // A user's spellings share one.
    await together('jos\u00e9', 'Jose\u0301', 'JOS\u00c9');
    expect(deps.verified).toHaveLength(3);
  });

  test('with a token is its holder, narrowed to its access', async () => {
    const { token } = issuer.issue({ uid, auth: 'password', access });
    expect(await authenticate(`Bearer ${token}`, '127.0.0.1', newDeps())).toEqual({
      actor: { kind: 'user', uid, authentication: 'token' },
      access,
      viaToken: true,
    });
  });

  test('with a token of nobody is nobody, narrowed to its access', async () => {
    const { token } = issuer.issue({ uid: undefined, auth: 'none', access });
    expect(await authenticate(`Bearer ${token}`, '127.0.0.1', newDeps())).toEqual({ ...anonymous, access, viaToken: true });
  });

  test('is known without waiting once the token was verified', async () => {
    const deps = newDeps();
    const header = `Bearer ${issuer.issue({ uid, auth: 'password', access }).token}`;
    expect(authenticateKnown(header, deps.tokens)).toBeUndefined();
    const caller = await authenticate(header, '127.0.0.1', deps);
    expect(authenticateKnown(header, deps.tokens)).toEqual(caller);
    expect(authenticateKnown(undefined, deps.tokens)).toEqual(anonymous);
    expect(authenticateKnown(basic('ann:secret'), deps.tokens)).toBeUndefined();
  });

  test.each([
    ['Bearer', 'TOKEN_INVALID'],
    ['Bearer nonsense', 'TOKEN_INVALID'],
    ['Negotiate YII=', 'UNAUTHORIZED'],
    ['Basic ***', 'UNAUTHORIZED'],
    [basic(':secret'), 'CREDENTIALS_WRONG'],
    [basic('ann:'), 'CREDENTIALS_WRONG'],
  ])('with the header %j is refused with %s', async (header, code) => {
    expect(await codeOf(authenticate(header, '127.0.0.1', newDeps()))).toBe(code);
  });

  test('cannot log in with a token where a password is wanted', async () => {
    const { token } = issuer.issue({ uid, auth: 'password', access });
    expect(await codeOf(authenticateByPassword({ kind: 'bearer', token }, '127.0.0.1', newDeps()))).toBe('UNAUTHORIZED');
  });
});
