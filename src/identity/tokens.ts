import { randomBytes, sign, verify } from 'node:crypto';

import { reject } from '../errors.js';
import { parseUid, type Uid } from '../identifiers.js';
import { BoundedCache } from './bounded-cache.js';
import type { TokenAccess } from './scopes.js';
import type { SigningKey, SigningKeys } from './signing-keys.js';

/**
 * The registry's own tokens: JWTs (RFC 7519) signed with Ed25519 (RFC 8037). Made by node:crypto and not by jose, whose way over WebCrypto costs three times
 * as much at signing, and is never synchronous.
 */

/** How the holder proved who it is when the token was given. */
export type TokenAuth = 'password' | 'none';

/** The claims of a token that was verified. */
export interface TokenClaims {
  readonly uid: Uid | undefined;
  readonly auth: TokenAuth;
  readonly access: readonly TokenAccess[];
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

/** What a token is to say. */
export interface TokenRequest {
  /** `undefined` for an anonymous caller. */
  readonly uid: Uid | undefined;
  readonly auth: TokenAuth;
  /** Who the token is for: the registry's host. */
  readonly service: string;
  readonly access: readonly TokenAccess[];
}

/** A token with what its answer says of it. */
export interface IssuedToken {
  readonly token: string;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  readonly expiresInSeconds: number;
}

/** Servers' clocks may differ by so much. */
export const LEEWAY_SECONDS = 30;

// Node accepts 16 kB of headers, so that a longer token can't arrive in one.
const TOKEN_MAX_LENGTH = 16_384;
const SIGNATURE_BYTES = 64;
const SIGNATURE_CHARACTERS = 86;
const CACHE_GENERATION = 4_096;
// Bounds the cache in bytes, too: a longer token is rare, and verified anew each time.
const CACHED_MAX_LENGTH = 4_096;

/** Milliseconds since 1970. */
type Clock = () => number;

/** Makes tokens, signed with the store's newest key. Judges nothing: `access` is what the caller was granted before. */
export class TokenIssuer {
  readonly #issuer: string;
  readonly #key: SigningKey;
  readonly #header: string;
  readonly #lifetimeSeconds: number;
  readonly #now: Clock;

  /** `issuer` is the registry's store uuid. */
  constructor(options: { issuer: string; keys: SigningKeys; lifetimeSeconds: number; now?: Clock }) {
    this.#issuer = options.issuer;
    this.#key = options.keys.newest;
    this.#header = encodePart({ alg: 'EdDSA', typ: 'JWT', kid: this.#key.kid });
    this.#lifetimeSeconds = options.lifetimeSeconds;
    this.#now = options.now ?? Date.now;
  }

  issue(request: TokenRequest): IssuedToken {
    const issuedAt = Math.floor(this.#now() / 1_000);
    const payload = encodePart({
      iss: this.#issuer,
      aud: request.service,
      sub: request.uid ?? '',
      iat: issuedAt,
      nbf: issuedAt,
      exp: issuedAt + this.#lifetimeSeconds,
      jti: randomBytes(16).toString('base64url'),
      access: request.access,
      auth: request.auth,
    });
    const signed = `${this.#header}.${payload}`;
    const signature = sign(null, Buffer.from(signed), this.#key.privateKey).toString('base64url');
    return { token: `${signed}.${signature}`, issuedAt, expiresInSeconds: this.#lifetimeSeconds };
  }
}

/**
 * Guaranteed: a token that is accepted was signed by a key of this store, for this registry, and is inside its time. Not guaranteed: that its holder still has
 * the rights it names; those are judged live.
 */
export class TokenVerifier {
  readonly #issuer: string;
  readonly #keys: SigningKeys;
  readonly #now: Clock;
  // By the signature alone, which is what differs between tokens and quicker to hash than the whole; the whole is compared.
  readonly #verified = new BoundedCache<{ readonly token: string; readonly claims: TokenClaims }>(CACHE_GENERATION);

  constructor(options: { issuer: string; keys: SigningKeys; now?: Clock }) {
    this.#issuer = options.issuer;
    this.#keys = options.keys;
    this.#now = options.now ?? Date.now;
  }

  /** The claims of a token that was verified before and is still good. Costs a look into a map. */
  known(token: string): TokenClaims | undefined {
    const entry = this.#verified.get(token.slice(-SIGNATURE_CHARACTERS));
    return entry === undefined || entry.token !== token || this.#isOver(entry.claims) ? undefined : entry.claims;
  }

  /** Throws TOKEN_INVALID. */
  verify(token: string): TokenClaims {
    const known = this.known(token);
    if (known !== undefined) return known;
    const claims = this.#verify(token);
    if (claims === undefined || this.#isOver(claims)) return reject('TOKEN_INVALID');
    if (token.length <= CACHED_MAX_LENGTH) this.#verified.set(token.slice(-SIGNATURE_CHARACTERS), { token, claims });
    return claims;
  }

  #isOver(claims: TokenClaims): boolean {
    return this.#now() >= (claims.expiresAt + LEEWAY_SECONDS) * 1_000;
  }

  #verify(token: string): TokenClaims | undefined {
    if (token.length > TOKEN_MAX_LENGTH) return undefined;
    const [header, payload, signature, ...more] = token.split('.');
    if (header === undefined || payload === undefined || signature === undefined || more.length > 0) return undefined;
    const key = this.#keyOf(decodePart(header));
    const signatureBytes = decodeBase64Url(signature);
    if (key === undefined || signatureBytes?.length !== SIGNATURE_BYTES) return undefined;
    if (!verify(null, Buffer.from(`${header}.${payload}`), key.publicKey, signatureBytes)) return undefined;
    return this.#claimsOf(decodePart(payload));
  }

  // RFC 8725, sections 3.1 and 3.2: the verifier decides on the algorithm, the header only says the same. RFC 7515, section 4.1.11: an extension
  // in `crit` that is not understood refuses the token, and none is.
  #keyOf(header: JsonObject | undefined): SigningKey | undefined {
    if (header?.['alg'] !== 'EdDSA' || typeof header['kid'] !== 'string' || 'crit' in header) return undefined;
    return this.#keys.byKid.get(header['kid']);
  }

  #claimsOf(claims: JsonObject | undefined): TokenClaims | undefined {
    if (claims?.['iss'] !== this.#issuer) return undefined;
    const { sub, exp, nbf, auth, access } = claims;
    const uid = typeof sub === 'string' ? parseUid(sub) : undefined;
    // Only this registry's own code can have signed what follows; its shape is checked against mistakes of another version of it.
    if ((auth === 'none' ? sub !== '' : auth !== 'password' || uid === undefined) || !Array.isArray(access)) return undefined;
    if (typeof exp !== 'number' || typeof nbf !== 'number' || nbf > this.#now() / 1_000 + LEEWAY_SECONDS) return undefined;
    return { uid, auth: auth as TokenAuth, access: access as readonly TokenAccess[], expiresAt: exp };
  }
}

type JsonObject = Readonly<Record<string, unknown>>;

function encodePart(part: JsonObject): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function decodePart(part: string): JsonObject | undefined {
  const bytes = decodeBase64Url(part);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

// Node's decoder passes over what it does not know; RFC 7515 wants the one right spelling.
function decodeBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
