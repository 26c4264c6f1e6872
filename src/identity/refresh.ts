import { createHmac } from 'node:crypto';

import type { Uid } from '../identifiers.js';
import { keyHolder, type Caller } from './caller.js';
import type { KeyCredentials, UserCredentials } from './directory.js';
import type { RefreshClaims } from './tokens.js';

export interface RefreshDeps {
  /** Undefined where the user may not come in any more. */
  readonly findUserByUid: (uid: Uid) => Promise<UserCredentials | undefined>;
  readonly findKey: (key: string) => Promise<KeyCredentials | undefined>;
  /** As `createCredentialState` makes it. */
  readonly credentialState: (passwordHash: string) => string;
}

/** What a refresh token says of the password that bought it, which is then no longer good once the password is another: not the hash, nor anything that tells of it. */
export function createCredentialState(salt: Buffer): (passwordHash: string) => string {
  return (passwordHash) => createHmac('sha256', salt).update(`refresh token\n${passwordHash}`).digest('base64url').slice(0, 22);
}

/** Who may go on by a refresh token; undefined: the password was changed, the user disabled or forgotten, the key revoked or expired, the account deleted. */
export async function refreshedCaller(claims: RefreshClaims, deps: RefreshDeps): Promise<Caller | undefined> {
  const { uid, auth, key, state } = claims;
  if (uid === undefined) return undefined;
  if (auth === 'key') {
    const found = key === undefined ? undefined : await deps.findKey(key);
    return found?.account === uid ? keyHolder(found) : undefined;
  }
  const user = await deps.findUserByUid(uid);
  if (user === undefined || deps.credentialState(user.passwordHash) !== state) return undefined;
  return { actor: { kind: 'user', uid, authentication: 'password' }, access: undefined, viaToken: false };
}
