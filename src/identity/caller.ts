import { createHash } from 'node:crypto';

import { reject } from '../errors.js';
import type { Actor } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { foldLoginName, parseAuthorization, type Credentials } from './credentials.js';
import { unmatchableHash } from './password.js';
import type { TokenAccess } from './scopes.js';
import type { TokenClaims, TokenVerifier } from './tokens.js';
import type { VerifiedPasswords } from './verified-passwords.js';

/** Who asks, and by what. */
export interface Caller {
  readonly actor: Actor;
  /** What the token narrows the actor's rights to; `undefined`: not narrowed. */
  readonly access: readonly TokenAccess[] | undefined;
  readonly viaToken: boolean;
}

/** What a login is checked against. */
export interface UserCredentials {
  readonly uid: Uid;
  readonly passwordHash: string;
}

/** What a login needs. */
export interface PasswordDeps {
  readonly findUser: (loginName: string) => Promise<UserCredentials | undefined>;
  readonly passwords: VerifiedPasswords;
}

/** What reading any Authorization header needs. */
export interface AuthenticationDeps extends PasswordDeps {
  readonly tokens: TokenVerifier;
}

/** Nobody, without a token. */
export const anonymous: Caller = {
  actor: { kind: 'anonymous', authentication: 'none' },
  access: undefined,
  viaToken: false,
};

// Made once: an unknown name costs what a known one does.
const nobodysHash = unmatchableHash();

const bearer = 'Bearer ';

/** Who asks, where that can be said without waiting: nobody, or the holder of a token that was verified before. */
export function authenticateKnown(header: string | undefined, tokens: TokenVerifier): Caller | undefined {
  if (header === undefined) return anonymous;
  if (!header.startsWith(bearer)) return undefined;
  const claims = tokens.known(header.slice(bearer.length));
  return claims === undefined ? undefined : callerOf(claims);
}

/** Who asks. Throws CREDENTIALS_WRONG, TOKEN_INVALID, or UNAUTHORIZED for a header that cannot be read. */
export async function authenticate(header: string | undefined, deps: AuthenticationDeps): Promise<Caller> {
  const credentials = parseAuthorization(header);
  if (credentials.kind === 'bearer') return callerOf(deps.tokens.verify(credentials.token));
  return authenticateByPassword(credentials, deps);
}

/** As `authenticate`, where a token is not accepted: one that could buy another would never end. */
export async function authenticateByPassword(credentials: Credentials, deps: PasswordDeps): Promise<Caller> {
  switch (credentials.kind) {
    case 'none':
      return anonymous;
    case 'basic':
      return logIn(credentials.user, credentials.password, deps);
    case 'bearer':
      return reject('UNAUTHORIZED', { reason: 'a token is not accepted here; send a user name and a password' });
    case 'unreadable':
      return reject('UNAUTHORIZED', { reason: credentials.reason });
  }
}

/**
 * A wrong name and a wrong password are the same error after the same time, in a crowd too: a name that nobody has is a principal of its own, or requests
 * with two of them and one password would share a scrypt that those with two users' names do not share.
 */
async function logIn(name: string, password: string, deps: PasswordDeps): Promise<Caller> {
  const user = await deps.findUser(name);
  const right = await deps.passwords.verify(user?.uid ?? nobodyNamed(name), user?.passwordHash ?? nobodysHash, password);
  if (user === undefined || !right) return reject('CREDENTIALS_WRONG');
  return { actor: { kind: 'user', uid: user.uid, authentication: 'password' }, access: undefined, viaToken: false };
}

// A hash: the name as it came may be long, and hold a NUL.
function nobodyNamed(name: string): string {
  return `nobody ${createHash('sha256').update(foldLoginName(name)).digest('hex')}`;
}

function callerOf(claims: TokenClaims): Caller {
  return { actor: actorOf(claims), access: claims.access, viaToken: true };
}

function actorOf({ auth, uid }: TokenClaims): Actor {
  switch (auth) {
    case 'none':
      return anonymous.actor;
    case 'password':
      return { kind: 'user', uid, authentication: 'token' };
  }
}
