import { createHmac } from 'node:crypto';

import type { Store } from '../projections/store.js';
import { findUserUid } from '../projections/users.js';
import type { UserCredentials } from './caller.js';
import { foldLoginName } from './credentials.js';

/** What stands for a login name in events, for ever: HMAC-SHA256 of its lower-case NFC form under the registry's salt, 64 hex digits. */
export function nameHash(salt: Buffer, loginName: string): string {
  return createHmac('sha256', salt).update(foldLoginName(loginName)).digest('hex');
}

/** The secret that login names are hashed with: made when the store was founded, never changed. */
export async function readSalt(store: Store): Promise<Buffer> {
  const salt = await store.database.read((tx) => tx.get(store.keyspaces.platform.metaSalt));
  if (salt === undefined) throw new Error('the store has no salt: it was never set up');
  return salt;
}

/** Looks people up by their login names; undefined where there is no such name, or it was erased. */
export function createUserLookup(store: Store, salt: Buffer): (loginName: string) => Promise<UserCredentials | undefined> {
  return async (loginName) => {
    const hash = nameHash(salt, loginName);
    return store.read(async (reading) => {
      const uid = await findUserUid(reading, hash);
      if (uid === undefined) return undefined;
      const passwordHash = await reading.tx.get(reading.platform.keyspace.personal(uid, 'password'));
      return passwordHash === undefined ? undefined : { uid, passwordHash: passwordHash.toString() };
    });
  };
}
