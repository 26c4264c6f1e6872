import { createPublicKey, generateKeyPairSync, verify, type KeyObject } from 'node:crypto';

import { parseUid } from '../identifiers.js';
import type { KeyCredentials } from './directory.js';
import { parseJwt } from './jwt.js';
import { LEEWAY_SECONDS } from './tokens.js';

/** Seconds: an assertion is made for the request that it comes with. */
export const ASSERTION_MAX_SECONDS = 3_600;

export interface AssertionDeps {
  readonly findKey: (key: string) => Promise<KeyCredentials | undefined>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Why an assertion is not accepted, where telling it tells nothing of what is there; `unknown`: no key of that id, or another's signature. */
export type AssertionProblem = { readonly malformed: string } | 'unknown';

/**
 * Who signed a JWT bearer assertion (RFC 7523, section 3): `kid` is the key's id, `iss` and `sub` are `<project>/<account>`, `aud` names this registry, by one
 * of the `audiences`; `exp` is an hour ahead at most. A `jti` is not remembered: whoever has the assertion has what it is good for until then.
 */
export async function verifyAssertion(
  assertion: string,
  audiences: readonly string[],
  { findKey, now }: AssertionDeps,
): Promise<KeyCredentials | AssertionProblem> {
  const jwt = parseJwt(assertion);
  if (jwt === undefined) return { malformed: 'the assertion is no JWT signed with EdDSA whose header names the key in kid' };
  const { iss, sub, aud, exp, nbf, iat } = jwt.payload;
  const seconds = now() / 1_000;
  if (typeof exp !== 'number') return { malformed: 'the assertion has no exp, the time of its end in seconds since 1970' };
  if (exp + LEEWAY_SECONDS <= seconds) return { malformed: 'the assertion has expired' };
  if (exp > seconds + ASSERTION_MAX_SECONDS + LEEWAY_SECONDS) {
    return { malformed: `the assertion's exp is more than ${ASSERTION_MAX_SECONDS} s ahead` };
  }
  for (const [name, from] of Object.entries({ nbf, iat })) {
    if (from !== undefined && (typeof from !== 'number' || from > seconds + LEEWAY_SECONDS)) {
      return { malformed: `the assertion's ${name} is no time in seconds since 1970 that has come` };
    }
  }
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!named.some((one) => typeof one === 'string' && audiences.includes(one))) {
    return { malformed: `the assertion's aud does not name this registry; accepted are ${audiences.join(', ')}` };
  }
  if (typeof iss !== 'string' || iss !== sub) {
    return { malformed: "the assertion's iss and sub are not both <project>/<account>" };
  }
  const kid = parseUid(jwt.kid);
  const found = kid === undefined ? undefined : await findKey(kid);
  const right = verify(null, jwt.signed, found === undefined ? nobodysKey : publicKeyOf(found.publicKey), jwt.signature);
  return found !== undefined && right && found.identifier === iss ? found : 'unknown';
}

// An id that no key has costs what another's does.
const nobodysKey = generateKeyPairSync('ed25519').publicKey;

function publicKeyOf(raw: Buffer): KeyObject {
  // RFC 8037, section 2.
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
}
