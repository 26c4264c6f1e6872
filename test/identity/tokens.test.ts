import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';

import { RefusalError } from '../../src/errors.js';
import type { Uid } from '../../src/identifiers.js';
import { decodeSigningKey, encodeSigningKey, signingKeys, type SigningKey } from '../../src/identity/signing-keys.js';
import { LEEWAY_SECONDS, TokenIssuer, TokenVerifier } from '../../src/identity/tokens.js';

const latin1 = fc.nat(255).map((code) => String.fromCharCode(code));

const store = '01890a5d-ac96-774b-bcce-b302099a8057';
const uid = '01890a5d-ac96-774b-bcce-b302099a8058' as Uid;
const start = 1_700_000_000_000;

function newKey(createdAt = 1): SigningKey {
  return decodeSigningKey(encodeSigningKey(generateKeyPairSync('ed25519').privateKey, createdAt).value);
}

const key = newKey();
const keys = signingKeys([key]);
const request = {
  uid,
  auth: 'password' as const,
  service: 'registry.test',
  access: [{ type: 'repository' as const, name: 'acme/app', actions: ['pull' as const] }],
};

function verifierAt(now: number): TokenVerifier {
  return new TokenVerifier({ issuer: store, keys, now: () => now });
}

const { token } = new TokenIssuer({ issuer: store, keys, lifetimeSeconds: 300, now: () => start }).issue(request);

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const goodHeader = { alg: 'EdDSA', typ: 'JWT', kid: key.kid };
const goodClaims = { iss: store, sub: uid, nbf: start / 1_000, exp: start / 1_000 + 300, access: [], auth: 'password' };

function forge(header: object, claims: unknown, privateKey: KeyObject = key.privateKey): string {
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
}

function expectRefused(text: string, now = start): void {
  try {
    verifierAt(now).verify(text);
  } catch (error) {
    expect(error).toBeInstanceOf(RefusalError);
    expect((error as RefusalError).refusal.refused).toBe('TOKEN_INVALID');
    return;
  }
  expect.unreachable('the token was accepted');
}

describe('a token', () => {
  test('says who it was given to and for what', () => {
    expect(verifierAt(start).verify(token)).toEqual({
      uid,
      auth: 'password',
      access: request.access,
      expiresAt: start / 1_000 + 300,
    });
  });

  test('of nobody has no subject', () => {
    const issuer = new TokenIssuer({ issuer: store, keys, lifetimeSeconds: 60, now: () => start });
    const anonymous = issuer.issue({ uid: undefined, auth: 'none', service: 'registry.test', access: [] });
    expect(verifierAt(start).verify(anonymous.token)).toEqual({
      uid: undefined,
      auth: 'none',
      access: [],
      expiresAt: start / 1_000 + 60,
    });
  });

  test('is a JWT to other implementations', async () => {
    const { payload, protectedHeader } = await jwtVerify(token, key.publicKey, {
      issuer: store,
      audience: 'registry.test',
      currentDate: new Date(start),
    });
    expect(protectedHeader).toEqual(goodHeader);
    expect(payload).toMatchObject({ sub: uid, iat: start / 1_000, nbf: start / 1_000, exp: start / 1_000 + 300 });
    expect(payload.jti).toMatch(/^[\w-]{22}$/);
  });

  test('ends, also where it was verified before', () => {
    let now = start;
    const verifier = new TokenVerifier({ issuer: store, keys, now: () => now });
    expect(verifier.known(token)).toBeUndefined();
    const claims = verifier.verify(token);
    expect(verifier.known(token)).toBe(claims);
    now = start + (300 + LEEWAY_SECONDS) * 1_000 - 1;
    expect(verifier.known(token)).toBe(claims);
    now += 1;
    expect(verifier.known(token)).toBeUndefined();
    expect(() => verifier.verify(token)).toThrow(RefusalError);
    expectRefused(token, now);
  });

  test('of a server whose clock is ahead is good within the leeway', () => {
    expect(verifierAt(start - LEEWAY_SECONDS * 1_000).verify(token).uid).toBe(uid);
    expectRefused(token, start - LEEWAY_SECONDS * 1_000 - 1);
  });

  test('that an older key of the store signed is still good', () => {
    const both = signingKeys([newKey(2), key]);
    expect(both.signing).not.toBe(key);
    expect(new TokenVerifier({ issuer: store, keys: both, now: () => start }).verify(token).uid).toBe(uid);
  });

  test('the forgery is right but for what each case changes', () => {
    expect(verifierAt(start).verify(forge(goodHeader, goodClaims)).uid).toBe(uid);
  });

  const hmac = (): string => {
    const signed = `${part({ ...goodHeader, alg: 'HS256' })}.${part(goodClaims)}`;
    const secret = key.publicKey.export({ type: 'spki', format: 'pem' });
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  };

  test.each([
    ['signed by another key under the same kid', forge(goodHeader, goodClaims, newKey().privateKey)],
    ['of another kid', forge({ ...goodHeader, kid: newKey().kid }, goodClaims)],
    ['without a kid', forge({ alg: 'EdDSA' }, goodClaims)],
    ['with alg none', `${part({ ...goodHeader, alg: 'none' })}.${part(goodClaims)}.`],
    ['with alg none and a signature', forge({ ...goodHeader, alg: 'none' }, goodClaims)],
    ['with an HMAC under the public key', hmac()],
    ['with a critical extension', forge({ ...goodHeader, crit: ['exp'] }, goodClaims)],
    ['of another store', forge(goodHeader, { ...goodClaims, iss: uid })],
    ['without an end', forge(goodHeader, { ...goodClaims, exp: undefined })],
    ['with an end that is no number', forge(goodHeader, { ...goodClaims, exp: '9999999999' })],
    ['that has ended', forge(goodHeader, { ...goodClaims, exp: start / 1_000 - LEEWAY_SECONDS })],
    ['that has not begun', forge(goodHeader, { ...goodClaims, nbf: start / 1_000 + LEEWAY_SECONDS + 1 })],
    ['of a user without a uid', forge(goodHeader, { ...goodClaims, sub: '' })],
    ['of nobody with a uid', forge(goodHeader, { ...goodClaims, auth: 'none' })],
    ['of another kind of credentials', forge(goodHeader, { ...goodClaims, auth: 'key' })],
    ['without access', forge(goodHeader, { ...goodClaims, access: undefined })],
    ['whose claims are no object', forge(goodHeader, [goodClaims])],
    ['whose header is null', `${part(null)}.${part(goodClaims)}.${token.split('.')[2] ?? ''}`],
    ['with a fourth part', `${token}.`],
    ['with padding', `${token}==`],
    ['too long', `${token}${'A'.repeat(20_000)}`],
    ['empty', ''],
  ])('%s is refused', (_, text) => {
    expectRefused(text);
  });

  test('cut off anywhere is refused', () => {
    fc.assert(fc.property(fc.nat(token.length - 1), (length) => expectRefused(token.slice(0, length))));
  });

  test('with any one character changed is refused', () => {
    const character = fc.stringMatching(/^[A-Za-z0-9_.-]$/);
    fc.assert(
      fc.property(fc.nat(token.length - 1), character, (at, other) => {
        fc.pre(token[at] !== other);
        expectRefused(token.slice(0, at) + other + token.slice(at + 1));
      }),
    );
  });

  test('with a signature that was verified under other claims is refused', () => {
    const verifier = verifierAt(start);
    verifier.verify(token);
    const [header = '', , signature = ''] = token.split('.');
    const other = `${header}.${part({ ...goodClaims, access: [{ type: 'repository', name: 'acme/app', actions: ['*'] }] })}.${signature}`;
    expect(verifier.known(other)).toBeUndefined();
    expect(() => verifier.verify(other)).toThrow(RefusalError);
  });

  test('no text makes the verifier throw anything else', () => {
    fc.assert(fc.property(fc.string({ unit: latin1 }), (text) => expectRefused(text)));
    fc.assert(fc.property(fc.json(), fc.json(), (a, b) => expectRefused(forge({ ...goodHeader, a }, JSON.parse(b)))));
  });
});
