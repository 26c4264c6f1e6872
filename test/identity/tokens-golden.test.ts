import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import type { Uid } from '../../src/identifiers.js';
import { parseJwt } from '../../src/identity/jwt.js';
import { decodeSigningKey, signingKeys } from '../../src/identity/signing-keys.js';
import { TokenIssuer, TokenVerifier, type TokenRequest } from '../../src/identity/tokens.js';

interface Sample<Claims> {
  readonly of: string;
  readonly token: string;
  readonly claims: Claims;
}

type AccessClaims = Pick<TokenRequest, 'uid' | 'auth' | 'key' | 'access'>;

interface RefreshClaims {
  readonly uid: Uid;
  readonly auth: 'password' | 'key';
  readonly key?: Uid;
  readonly state: string;
}

// Tokens as clients hold them, while their registry is upgraded to this release. A golden file is added to, never edited.
const golden = JSON.parse(readFileSync(new URL('../golden/tokens.json', import.meta.url), 'utf8')) as {
  readonly issuer: string;
  /** When they were made. */
  readonly seconds: number;
  readonly signingKey: string;
  readonly access: readonly Sample<AccessClaims>[];
  readonly refresh: readonly Sample<RefreshClaims>[];
};

const now = () => golden.seconds * 1_000;
const keys = signingKeys([decodeSigningKey(Buffer.from(golden.signingKey))]);
const verifier = new TokenVerifier({ issuer: golden.issuer, keys, now });
const issuer = new TokenIssuer({ issuer: golden.issuer, keys, lifetimeSeconds: 300, now });

/** All that a token says but what differs each time, in the order in which it says it. */
function partsOf(token: string): readonly string[] {
  const jwt = parseJwt(token);
  return [JSON.stringify(jwt?.header), JSON.stringify({ ...jwt?.payload, jti: '' })];
}

/** The claims sorted by their names: 0.3.0 had them in another order, and an `aud` that nobody looked at. */
function sortedPartsOf(token: string): readonly unknown[] {
  const jwt = parseJwt(token);
  const claims = Object.entries({ ...jwt?.payload, jti: '' }).filter(([name]) => name !== 'aud');
  return [jwt?.header, claims.sort(([a], [b]) => (a < b ? -1 : 1))];
}

test.each(golden.access)('an access token of $of is read', async ({ token, claims }) => {
  expect(await verifier.verify(token)).toEqual(claims);
});

test.each(golden.access)('an access token of $of says the same now', ({ token, claims }) => {
  const made = issuer.issue(claims);
  expect(sortedPartsOf(made.token)).toEqual(sortedPartsOf(token));
});

test.each(golden.refresh)('a refresh token of $of is read, and made as it was', async ({ token, claims }) => {
  expect(await verifier.verifyRefresh(token)).toEqual(claims);
  expect(partsOf(issuer.issueRefresh(claims))).toEqual(partsOf(token));
});
