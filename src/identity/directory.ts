import { createHmac } from 'node:crypto';

import { parseUid, type Uid } from '../identifiers.js';
import { findAccount, findAccountKey, findUserState } from '../projections/principals.js';
import type { Reading, Store } from '../projections/store.js';
import { nobodys } from '../projections/targets.js';
import { findUserUid } from '../projections/users.js';
import { foldLoginName } from './credentials.js';

/** What stands for a login name in events, for ever: HMAC-SHA256 of its lower-case NFC form under the registry's salt, 64 hex digits. */
export function nameHash(salt: Buffer, loginName: string): string {
  return createHmac('sha256', salt).update(foldLoginName(loginName)).digest('hex');
}

/** The secret that login names are hashed with: made when the store was founded, never changed. */
export async function readSalt(store: Store): Promise<Buffer> {
  return store.read((reading) => saltOf(reading));
}

/** As `readSalt`, in a transaction. */
export async function saltOf({ tx, platform }: Reading): Promise<Buffer> {
  const salt = await tx.get(platform.keyspace.metaSalt);
  if (salt === undefined) throw new Error('the store has no salt: it was never set up');
  return salt;
}

/** What a login is checked against. */
export interface UserCredentials {
  readonly uid: Uid;
  readonly passwordHash: string;
}

/** Looks people up by their login names; undefined where there is no such name, it was erased, or its bearer may not come in. */
export function createUserLookup(store: Store, salt: Buffer): (loginName: string) => Promise<UserCredentials | undefined> {
  return async (loginName) => {
    const hash = nameHash(salt, loginName);
    return store.read(async (reading) => {
      const uid = await findUserUid(reading, hash);
      // A name that nobody has costs the same reads.
      const found = await findUserCredentials(reading, uid ?? nobodys);
      return uid === undefined ? undefined : found;
    });
  };
}

/** Undefined where the user may not come in, or has no password. */
export async function findUserCredentials(reading: Reading, uid: Uid): Promise<UserCredentials | undefined> {
  const [passwordHash, state] = await Promise.all([
    reading.tx.get(reading.platform.keyspace.personal(uid, 'password')),
    findUserState(reading, uid),
  ]);
  return passwordHash === undefined || state !== 'active' ? undefined : { uid, passwordHash: passwordHash.toString() };
}

/** What a service account's key is checked against. */
export interface KeyCredentials {
  readonly account: Uid;
  readonly key: Uid;
  /** `<project>/<account>`. */
  readonly identifier: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Buffer;
  /** Seconds since 1970. */
  readonly expiresAt: number | undefined;
}

/** Looks keys up by their ids; undefined where there is none, or it is revoked or expired by the store's clock. */
export function createKeyLookup(store: Store): (key: string) => Promise<KeyCredentials | undefined> {
  return async (text) => {
    const id = parseUid(text);
    return id === undefined ? undefined : store.read((reading) => findKeyCredentials(reading, id));
  };
}

async function findKeyCredentials(reading: Reading, id: Uid): Promise<KeyCredentials | undefined> {
  const [found, now] = await Promise.all([findAccountKey(reading, id), reading.tx.time()]);
  // An id that no key has costs the same reads.
  const account = await findAccount(reading, found?.account ?? nobodys);
  if (found === undefined || account === undefined) return undefined;
  const { key, publicKey, expiresAt } = found;
  if (expiresAt !== undefined && expiresAt <= Number(now)) return undefined;
  return {
    account: account.uid,
    key,
    identifier: `${account.projectId}/${account.id}`,
    publicKey,
    expiresAt: expiresAt === undefined ? undefined : Math.floor(expiresAt / 1_000_000),
  };
}
