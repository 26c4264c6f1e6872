import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

import { reject } from '../errors.js';
import type { Actor } from '../events/types.js';
import { foldLoginName, parseAuthorization, type Credentials } from './credentials.js';
import type { KeyCredentials, UserCredentials } from './directory.js';
import type { Guessing } from './guessing.js';
import { createKeyFileReader, KEY_FILE_BASE64_USER, KEY_FILE_USER } from './key-file.js';
import { unmatchableHash } from './password.js';
import type { TokenAccess } from './scopes.js';
import type { TokenClaims, TokenVerifier } from './tokens.js';
import type { Attempting, VerifiedPasswords } from './verified-passwords.js';

/** Who asks, and by what. */
export interface Caller {
  readonly actor: Actor;
  /** What the token narrows the actor's rights to; `undefined`: not narrowed. */
  readonly access: readonly TokenAccess[] | undefined;
  readonly viaToken: boolean;
  /** Seconds since 1970: when the key expires that was shown. */
  readonly until?: number | undefined;
  /** What stands for the very password that was shown, and found right: a refresh token ends with it (`createCredentialState`). Made when it is asked for. */
  readonly credentialState?: (() => string) | undefined;
}

/** What a login needs. */
export interface PasswordDeps {
  readonly findUser: (loginName: string) => Promise<UserCredentials | undefined>;
  readonly findKey: (key: string) => Promise<KeyCredentials | undefined>;
  readonly passwords: VerifiedPasswords;
  readonly guessing: Guessing;
  /** As `createCredentialState` makes it. */
  readonly credentialState: (passwordHash: string) => string;
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

// Made once: an unknown name costs what a known one does, and an unknown key.
const nobodysHash = unmatchableHash();
const nobodysKey = randomBytes(32);

const readKeyFile = createKeyFileReader();

const bearer = 'Bearer ';

/** Who asks, where that can be said without waiting: nobody, or the holder of a token that was verified before. */
export function authenticateKnown(header: string | undefined, tokens: TokenVerifier): Caller | undefined {
  if (header === undefined) return anonymous;
  if (!header.startsWith(bearer)) return undefined;
  const claims = tokens.known(header.slice(bearer.length));
  return claims === undefined ? undefined : callerOf(claims);
}

/** Who asks. `address`: the client's. Throws CREDENTIALS_WRONG, TOKEN_INVALID, or UNAUTHORIZED for a header that cannot be read. */
export async function authenticate(header: string | undefined, address: string, deps: AuthenticationDeps): Promise<Caller> {
  const credentials = parseAuthorization(header);
  if (credentials.kind === 'bearer') return callerOf(await deps.tokens.verify(credentials.token));
  return authenticateByPassword(credentials, address, deps);
}

/** As `authenticate`, where a token is not accepted: one that could buy another would never end. */
export async function authenticateByPassword(credentials: Credentials, address: string, deps: PasswordDeps): Promise<Caller> {
  switch (credentials.kind) {
    case 'none':
      return anonymous;
    case 'basic':
      return logIn(credentials.user, credentials.password, address, deps);
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
async function logIn(name: string, password: string, address: string, deps: PasswordDeps): Promise<Caller> {
  if (name === KEY_FILE_USER) return logInByKey(password, deps);
  if (name === KEY_FILE_BASE64_USER) return logInByKey(Buffer.from(password, 'base64').toString(), deps);
  const user = await deps.findUser(name);
  const account = nobodyNamed(name);
  const attempting: Attempting = {
    from: address,
    slowly: (check) => deps.guessing.attempt(account, address, check),
    // Ten seconds later the password may be another, or its bearer be let in no more.
    stillSo: async () => (await deps.findUser(name))?.passwordHash === user?.passwordHash,
  };
  const right = await deps.passwords.verify(user?.uid ?? account, user?.passwordHash ?? nobodysHash, password, attempting);
  if (user === undefined || !right) return reject('CREDENTIALS_WRONG');
  const { uid, passwordHash } = user;
  return {
    actor: { kind: 'user', uid, authentication: 'password' },
    access: undefined,
    viaToken: false,
    credentialState: () => deps.credentialState(passwordHash),
  };
}

// A hash: the name as it came may be long, and hold a NUL.
function nobodyNamed(name: string): string {
  return `nobody ${createHash('sha256').update(foldLoginName(name)).digest('hex')}`;
}

/** A key can't be guessed: nothing makes it wait. Whether it is still good is looked up each time. */
async function logInByKey(file: string, { findKey }: PasswordDeps): Promise<Caller> {
  const shown = readKeyFile(file);
  if ('problem' in shown) return reject('KEY_FILE_INVALID', { reason: shown.problem });
  const found = await findKey(shown.key);
  const right = timingSafeEqual(found?.publicKey ?? nobodysKey, shown.publicKey);
  if (!right || found?.identifier !== `${shown.project}/${shown.account}`) return reject('CREDENTIALS_WRONG');
  return keyHolder(found);
}

/** Who showed a key of a service account. */
export function keyHolder({ account, key, expiresAt }: KeyCredentials): Caller {
  const actor: Actor = { kind: 'service-account', uid: account, authentication: 'key', key };
  return { actor, access: undefined, viaToken: false, until: expiresAt };
}

function callerOf(claims: TokenClaims): Caller {
  return { actor: actorOf(claims), access: claims.access, viaToken: true };
}

function actorOf({ auth, uid, key }: TokenClaims): Actor {
  switch (auth) {
    case 'none':
      return anonymous.actor;
    case 'password':
      return { kind: 'user', uid, authentication: 'token' };
    case 'key':
      return { kind: 'service-account', uid, authentication: 'token', key };
  }
}
