import { randomBytes, sign, verify } from 'node:crypto';

import { reject } from '../errors.js';
import { parseUid, type Uid } from '../identifiers.js';
import { BoundedCache } from './bounded-cache.js';
import { encodePart, parseJwt, type JsonObject } from './jwt.js';
import type { TokenAccess } from './scopes.js';
import type { SigningKey, SigningKeys, VerifyingKeys } from './signing-keys.js';

/**
 * The registry's own tokens: JWTs (RFC 7519) signed with Ed25519 (RFC 8037). Made by node:crypto and not by jose, whose way over WebCrypto costs three times
 * as much at signing, and is never synchronous.
 */

/** How the holder proved who it is when the token was given: a user by a password, a service account by a key. */
export type TokenAuth = 'password' | 'key' | 'none';

/** Who a token was given to. */
export interface TokenHolder {
  /** Of a user or a service account; nobody has none. */
  readonly uid: Uid | undefined;
  readonly auth: TokenAuth;
  /** The service account's key: it is held against the live index at every request, so that its tokens end with it. */
  readonly key?: Uid | undefined;
}

/** The claims of a token that was verified. */
export interface TokenClaims extends TokenHolder {
  readonly access: readonly TokenAccess[];
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

/** What a token is to say. */
export interface TokenRequest extends TokenHolder {
  readonly access: readonly TokenAccess[];
  /** Seconds since 1970: when the key expires that bought it, and so it at the latest. */
  readonly until?: number | undefined;
}

/** A token with what its answer says of it. */
export interface IssuedToken {
  readonly token: string;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  readonly expiresInSeconds: number;
}

/** The claims of a refresh token that was verified. */
export interface RefreshClaims extends TokenHolder {
  /** As it was when the token was given: `credentialState` of refresh.ts. */
  readonly state: string;
}

/** What another's clock wrote may be from the future by so much. A token's end is its end: it is got anew. */
export const LEEWAY_SECONDS = 30;

/** How long a client may go on without its password or key. No setting: a signing key is kept for as long. */
export const REFRESH_LIFETIME_SECONDS = 30 * 24 * 3_600;

/** How long a key that signs no more still verifies: no token lives longer than a refresh token; a day more, for clocks. */
export const SIGNING_KEY_KEPT_MS = (REFRESH_LIFETIME_SECONDS + 24 * 3_600) * 1_000;

const SIGNATURE_CHARACTERS = 86;
const CACHE_GENERATION = 4_096;
// Bounds the cache in bytes, too: a longer token is rare, and verified anew each time.
const CACHED_MAX_LENGTH = 4_096;

// The header's `typ` parts them (RFC 8725, section 3.11): neither passes for the other.
const ACCESS_TYPE = 'JWT';
const REFRESH_TYPE = 'refresh+jwt';

/** Milliseconds since 1970. */
type Clock = () => number;

/**
 * Makes tokens, signed with the key that signs now. Judges nothing: `access` is what the caller was granted before. Who a token is for is who made it, `iss`: there is no
 * `aud`, which would be a name that the registry was called by, and it may have several.
 */
export class TokenIssuer {
  /** The `iss` of tokens. */
  readonly name: string;
  readonly #keys: Pick<SigningKeys, 'signing'>;
  readonly #lifetimeSeconds: number;
  readonly #now: Clock;

  /** `issuer` is the registry's store uuid. */
  constructor(options: { issuer: string; keys: Pick<SigningKeys, 'signing'>; lifetimeSeconds: number; now?: Clock }) {
    this.name = options.issuer;
    this.#keys = options.keys;
    this.#lifetimeSeconds = options.lifetimeSeconds;
    this.#now = options.now ?? Date.now;
  }

  issue({ uid, auth, key, access, until }: TokenRequest): IssuedToken {
    const issuedAt = Math.floor(this.#now() / 1_000);
    const expiresAt = endOf(issuedAt, this.#lifetimeSeconds, until);
    const token = this.#sign(ACCESS_TYPE, {
      ...this.#claims(uid, issuedAt, expiresAt),
      access,
      auth,
      ...(key === undefined ? {} : { key }),
    });
    return { token, issuedAt, expiresInSeconds: expiresAt - issuedAt };
  }

  /** For a client that asked for it: buys access tokens for as long as the credentials stay what they are. */
  issueRefresh({ uid, auth, key, state, until }: RefreshClaims & Pick<TokenRequest, 'until'>): string {
    const issuedAt = Math.floor(this.#now() / 1_000);
    const expiresAt = endOf(issuedAt, REFRESH_LIFETIME_SECONDS, until);
    return this.#sign(REFRESH_TYPE, {
      ...this.#claims(uid, issuedAt, expiresAt),
      auth,
      ...(key === undefined ? {} : { key }),
      state,
    });
  }

  #claims(uid: Uid | undefined, issuedAt: number, expiresAt: number): JsonObject {
    const jti = randomBytes(16).toString('base64url');
    return { iss: this.name, sub: uid ?? '', iat: issuedAt, nbf: issuedAt, exp: expiresAt, jti };
  }

  #sign(typ: string, claims: JsonObject): string {
    const { kid, privateKey } = this.#keys.signing;
    const signed = `${encodePart({ alg: 'EdDSA', typ, kid })}.${encodePart(claims)}`;
    return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
  }
}

// A key's end is told by the store's clock: by this one it may be over already.
function endOf(issuedAt: number, lifetimeSeconds: number, until = Infinity): number {
  return Math.max(issuedAt, Math.min(issuedAt + lifetimeSeconds, until));
}

/**
 * Guaranteed: a token that is accepted was signed by a key of this store, for this registry, and is inside its time. Not guaranteed: that its holder still has
 * the rights it names, or may come in at all; that is judged live.
 */
export class TokenVerifier {
  readonly #issuer: string;
  readonly #keys: VerifyingKeys;
  readonly #now: Clock;
  // By the signature alone, which is what differs between tokens and quicker to hash than the whole; the whole is compared.
  readonly #verified = new BoundedCache<{ readonly token: string; readonly claims: TokenClaims; readonly key: SigningKey }>(
    CACHE_GENERATION,
  );

  constructor(options: { issuer: string; keys: VerifyingKeys; now?: Clock }) {
    this.#issuer = options.issuer;
    this.#keys = options.keys;
    this.#now = options.now ?? Date.now;
  }

  /** The claims of a token that was verified before and is still good. Costs a look into two maps. */
  known(token: string): TokenClaims | undefined {
    const entry = this.#verified.get(token.slice(-SIGNATURE_CHARACTERS));
    if (entry === undefined || entry.token !== token || this.#isOver(entry.claims.expiresAt)) return undefined;
    // A key that was taken out of use takes its tokens along.
    return this.#keys.byKid.has(entry.key.kid) ? entry.claims : undefined;
  }

  /** Throws TOKEN_INVALID. Waits for nothing, unless no key is known that the token could be signed with. */
  async verify(token: string): Promise<TokenClaims> {
    const known = this.known(token);
    if (known !== undefined) return known;
    const verified = await this.#verify(token, ACCESS_TYPE);
    const claims = verified && claimsOf(verified.payload);
    if (verified === undefined || claims === undefined) return reject('TOKEN_INVALID');
    const { key } = verified;
    if (token.length <= CACHED_MAX_LENGTH) this.#verified.set(token.slice(-SIGNATURE_CHARACTERS), { token, claims, key });
    return claims;
  }

  /** Undefined: it is none, or good no more. Whether the credentials are still what they were is the asker's to say. */
  async verifyRefresh(token: string): Promise<RefreshClaims | undefined> {
    const payload = (await this.#verify(token, REFRESH_TYPE))?.payload;
    const holder = payload && holderOf(payload);
    const state = payload?.['state'];
    return holder === undefined || holder.auth === 'none' || typeof state !== 'string' ? undefined : { ...holder, state };
  }

  #isOver(expiresAt: number): boolean {
    return this.#now() >= expiresAt * 1_000;
  }

  async #verify(token: string, typ: string): Promise<{ readonly payload: JsonObject; readonly key: SigningKey } | undefined> {
    const jwt = parseJwt(token);
    if (jwt === undefined || jwt.header['typ'] !== typ) return undefined;
    // What can be told without a key is told first: only what this registry might have signed makes it look for one. Registries that share a platform share its signing
    // keys: another's token is told by its `iss` alone.
    const { iss, exp, nbf } = jwt.payload;
    if (iss !== this.#issuer || typeof exp !== 'number' || this.#isOver(exp)) return undefined;
    if (typeof nbf !== 'number' || nbf > this.#now() / 1_000 + LEEWAY_SECONDS) return undefined;
    const { kid } = jwt;
    const key = this.#keys.byKid.get(kid) ?? (await this.#keys.lookAgain?.(kid));
    if (key === undefined || !verify(null, jwt.signed, key.publicKey, jwt.signature)) return undefined;
    return { payload: jwt.payload, key };
  }
}

// Only this registry's own code can have signed what follows; its shape is checked against mistakes of another version of it.
function holderOf({ sub, auth, key }: JsonObject): TokenHolder | undefined {
  const uid = typeof sub === 'string' ? parseUid(sub) : undefined;
  switch (auth) {
    case 'none':
      return sub === '' ? { uid: undefined, auth } : undefined;
    case 'password':
      return uid === undefined ? undefined : { uid, auth };
    case 'key': {
      const parsed = typeof key === 'string' ? parseUid(key) : undefined;
      return uid === undefined || parsed === undefined ? undefined : { uid, auth, key: parsed };
    }
    default:
      return undefined;
  }
}

function claimsOf(payload: JsonObject): TokenClaims | undefined {
  const holder = holderOf(payload);
  const { access, exp } = payload;
  if (holder === undefined || !Array.isArray(access)) return undefined;
  return { ...holder, access: access as readonly TokenAccess[], expiresAt: Number(exp) };
}
