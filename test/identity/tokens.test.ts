import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';

import { RefusalError } from '../../src/errors.js';
import type { Uid } from '../../src/identifiers.js';
import { decodeSigningKey, encodeSigningKey, signingKeys, type SigningKey } from '../../src/identity/signing-keys.js';
import { LEEWAY_SECONDS, REFRESH_LIFETIME_SECONDS, TokenIssuer, TokenVerifier } from '../../src/identity/tokens.js';

const latin1 = fc.nat(255).map((code) => String.fromCharCode(code));

const store = '01890a5d-ac96-774b-bcce-b302099a8057';
const uid = '01890a5d-ac96-774b-bcce-b302099a8058' as Uid;
const accountKey = '01890a5d-ac96-774b-bcce-b302099a8059' as Uid;
const start = 1_700_000_000_000;

function newKey(createdAt = 1): SigningKey {
  return decodeSigningKey(encodeSigningKey(generateKeyPairSync('ed25519').privateKey, createdAt).value);
}

const key = newKey();
const keys = signingKeys([key]);
const request = {
  uid,
  auth: 'password' as const,
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

async function expectRefused(text: string, now = start): Promise<void> {
  const error: unknown = await verifierAt(now)
    .verify(text)
    .catch((thrown: unknown) => thrown);
  expect(error, 'the token was accepted').toBeInstanceOf(RefusalError);
  expect((error as RefusalError).refusal.refused).toBe('TOKEN_INVALID');
}

describe('a token', () => {
  test('says who it was given to and for what', async () => {
    expect(await verifierAt(start).verify(token)).toEqual({
      uid,
      auth: 'password',
      access: request.access,
      expiresAt: start / 1_000 + 300,
    });
  });

  test('of nobody has no subject', async () => {
    const issuer = new TokenIssuer({ issuer: store, keys, lifetimeSeconds: 60, now: () => start });
    const anonymous = issuer.issue({ uid: undefined, auth: 'none', access: [] });
    expect(await verifierAt(start).verify(anonymous.token)).toEqual({
      uid: undefined,
      auth: 'none',
      access: [],
      expiresAt: start / 1_000 + 60,
    });
  });

  test('is a JWT to other implementations', async () => {
    const { payload, protectedHeader } = await jwtVerify(token, key.publicKey, {
      issuer: store,
      currentDate: new Date(start),
    });
    expect(protectedHeader).toEqual(goodHeader);
    expect(payload).toMatchObject({ sub: uid, iat: start / 1_000, nbf: start / 1_000, exp: start / 1_000 + 300 });
    expect(payload.jti).toMatch(/^[\w-]{22}$/);
    expect(payload).not.toHaveProperty('aud');
  });

  test('of a registry that shares the platform, and so the keys, is not for this one', async () => {
    const theirs = '01890a5d-ac96-774b-bcce-b302099a8060';
    const made = new TokenIssuer({ issuer: theirs, keys, lifetimeSeconds: 300, now: () => start }).issue(request);
    expect((await new TokenVerifier({ issuer: theirs, keys, now: () => start }).verify(made.token)).uid).toBe(uid);
    await expectRefused(made.token);
  });

  test('ends, also where it was verified before', async () => {
    let now = start;
    const verifier = new TokenVerifier({ issuer: store, keys, now: () => now });
    expect(verifier.known(token)).toBeUndefined();
    const claims = await verifier.verify(token);
    expect(verifier.known(token)).toBe(claims);
    now = start + 300 * 1_000 - 1;
    expect(verifier.known(token)).toBe(claims);
    now += 1;
    expect(verifier.known(token)).toBeUndefined();
    await expect(verifier.verify(token)).rejects.toThrow(RefusalError);
    await expectRefused(token, now);
  });

  test('of a server whose clock is ahead is good within the leeway', async () => {
    expect((await verifierAt(start - LEEWAY_SECONDS * 1_000).verify(token)).uid).toBe(uid);
    await expectRefused(token, start - LEEWAY_SECONDS * 1_000 - 1);
  });

  test('that an older key of the store signed is still good', async () => {
    const both = signingKeys([newKey(2), key]);
    expect(both.signing).not.toBe(key);
    expect((await new TokenVerifier({ issuer: store, keys: both, now: () => start }).verify(token)).uid).toBe(uid);
  });

  test('the forgery is right but for what each case changes', async () => {
    expect((await verifierAt(start).verify(forge(goodHeader, goodClaims))).uid).toBe(uid);
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
    ['that has ended', forge(goodHeader, { ...goodClaims, exp: start / 1_000 })],
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
  ])('%s is refused', async (_, text) => {
    await expectRefused(text);
  });

  test('cut off anywhere is refused', async () => {
    await fc.assert(fc.asyncProperty(fc.nat(token.length - 1), (length) => expectRefused(token.slice(0, length))));
  });

  test('with any one character changed is refused', async () => {
    const character = fc.stringMatching(/^[A-Za-z0-9_.-]$/);
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), character, async (at, other) => {
        fc.pre(token[at] !== other);
        await expectRefused(token.slice(0, at) + other + token.slice(at + 1));
      }),
    );
  });

  test('with a signature that was verified under other claims is refused', async () => {
    const verifier = verifierAt(start);
    await verifier.verify(token);
    const [header = '', , signature = ''] = token.split('.');
    const other = `${header}.${part({ ...goodClaims, access: [{ type: 'repository', name: 'acme/app', actions: ['*'] }] })}.${signature}`;
    expect(verifier.known(other)).toBeUndefined();
    await expect(verifier.verify(other)).rejects.toThrow(RefusalError);
  });

  test('no text makes the verifier throw anything else', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: latin1 }), (text) => expectRefused(text)));
    await fc.assert(fc.asyncProperty(fc.json(), fc.json(), (a, b) => expectRefused(forge({ ...goodHeader, a }, JSON.parse(b)))));
  });

  test('of a key of a service account says which, and ends with the key at the latest', async () => {
    const issuer = new TokenIssuer({ issuer: store, keys, lifetimeSeconds: 300, now: () => start });
    const holder = { uid, auth: 'key', key: accountKey, access: [] } as const;
    const verified = async (until: number | undefined) => verifierAt(start).verify(issuer.issue({ ...holder, until }).token);
    const claims = { uid, auth: 'key', key: accountKey, access: [] };
    expect(await verified(undefined)).toEqual({ ...claims, expiresAt: start / 1_000 + 300 });
    expect(await verified(start / 1_000 + 999)).toEqual({ ...claims, expiresAt: start / 1_000 + 300 });
    expect(await verified(start / 1_000 + 10)).toEqual({ ...claims, expiresAt: start / 1_000 + 10 });
    expect(issuer.issue({ ...holder, until: start / 1_000 - 5 }).expiresInSeconds).toBe(0);
  });

  test('of a key without the key is refused', async () => {
    await expectRefused(forge(goodHeader, { ...goodClaims, auth: 'key', key: 'x' }));
    await expectRefused(forge(goodHeader, { ...goodClaims, auth: 'key', key: [accountKey] }));
  });

  test('of a key that was made just now makes the keys be looked at again, a forged one too, and nothing else does', async () => {
    const asked: string[] = [];
    const newer = newKey(2);
    const lookAgain = (kid: string) => {
      asked.push(kid);
      return Promise.resolve(kid === newer.kid ? newer : undefined);
    };
    const verifier = new TokenVerifier({ issuer: store, keys: { byKid: keys.byKid, lookAgain }, now: () => start });
    const header = { ...goodHeader, kid: newer.kid };
    const late = forge(header, goodClaims, newer.privateKey);
    expect(verifier.known(late)).toBeUndefined();
    expect((await verifier.verify(late)).uid).toBe(uid);
    expect(asked).toEqual([newer.kid]);
    await expect(verifier.verify(forge(header, goodClaims))).rejects.toThrow(RefusalError);
    await expect(verifier.verify(forge({ ...goodHeader, kid: 'x' }, goodClaims))).rejects.toThrow(RefusalError);
    expect(asked).toEqual([newer.kid, newer.kid, 'x']);
    for (const [others, claims] of [
      [{ typ: 'x' }, {}],
      [{ alg: 'none' }, {}],
      [{}, { iss: uid }],
      [{}, { exp: start / 1_000 - 60 }],
    ]) {
      const text = forge({ ...header, ...others }, { ...goodClaims, ...claims }, newer.privateKey);
      await expect(verifier.verify(text)).rejects.toThrow(RefusalError);
    }
    expect(asked).toHaveLength(3);
  });

  test('ends with the key that signed it, also where it was verified before', async () => {
    const byKid = new Map(keys.byKid);
    const verifier = new TokenVerifier({ issuer: store, keys: { byKid }, now: () => start });
    await verifier.verify(token);
    byKid.delete(key.kid);
    expect(verifier.known(token)).toBeUndefined();
    await expect(verifier.verify(token)).rejects.toThrow(RefusalError);
  });
});

describe('a refresh token', () => {
  const issuer = new TokenIssuer({ issuer: store, keys, lifetimeSeconds: 300, now: () => start });
  const refresh = issuer.issueRefresh({ uid, auth: 'password', state: 'abc' });
  const ofKey = issuer.issueRefresh({ uid, auth: 'key', key: accountKey, state: '', until: start / 1_000 + 3_600 });

  test('says who it was given to, and by which credentials', async () => {
    expect(await verifierAt(start).verifyRefresh(refresh)).toEqual({ uid, auth: 'password', state: 'abc' });
    expect(await verifierAt(start).verifyRefresh(ofKey)).toEqual({ uid, auth: 'key', key: accountKey, state: '' });
  });

  test('ends after its time, and with the key at the latest', async () => {
    const end = start + REFRESH_LIFETIME_SECONDS * 1_000;
    expect(await verifierAt(end - 1).verifyRefresh(refresh)).toBeDefined();
    expect(await verifierAt(end).verifyRefresh(refresh)).toBeUndefined();
    expect(await verifierAt(start + 3_631_000).verifyRefresh(ofKey)).toBeUndefined();
  });

  test('does not pass for an access token, nor the other way round', async () => {
    await expectRefused(refresh);
    expect(await verifierAt(start).verifyRefresh(token)).toBeUndefined();
    // Not by what else they say: by their type alone.
    const both = { ...goodClaims, state: 'abc' };
    expect((await verifierAt(start).verify(forge(goodHeader, both))).uid).toBe(uid);
    expect(await verifierAt(start).verifyRefresh(forge(goodHeader, both))).toBeUndefined();
    expect(await verifierAt(start).verifyRefresh(forge({ ...goodHeader, typ: 'refresh+jwt' }, both))).toBeDefined();
    await expectRefused(forge({ ...goodHeader, typ: 'refresh+jwt' }, both));
  });

  test.each([
    ['of nobody', { sub: '', auth: 'none' }],
    ['without a state', { state: undefined }],
    ['of another store', { iss: uid }],
    ['of a key that it does not name', { auth: 'key' }],
  ])('%s is none', async (_, claims) => {
    const text = forge({ ...goodHeader, typ: 'refresh+jwt' }, { ...goodClaims, state: 'abc', ...claims });
    expect(await verifierAt(start).verifyRefresh(text)).toBeUndefined();
  });

  test('that is cut off, empty or signed by another is none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(refresh.length - 1), async (length) => {
        expect(await verifierAt(start).verifyRefresh(refresh.slice(0, length))).toBeUndefined();
      }),
    );
    const header = { ...goodHeader, typ: 'refresh+jwt' };
    const forged = forge(header, { ...goodClaims, state: 'abc' }, newKey().privateKey);
    expect(await verifierAt(start).verifyRefresh(forged)).toBeUndefined();
  });
});
