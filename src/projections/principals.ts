import type { AccountId, Actor } from '../events/types.js';
import type { Position } from '../events/position.js';
import type { ProjectId, Uid } from '../identifiers.js';
import { uidFromBytes, uidToBytes } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import { aggregateUid, decodeJson, encodeJson, nothing, projection, type View } from './projection.js';
import { uidItem } from './repositories.js';
import { indexOf, liveIndexOf, type Reading } from './store.js';
import { splitPosition } from './views.js';

interface StoredAccount {
  readonly project: Uid;
  readonly projectId: ProjectId;
  readonly id: AccountId;
  readonly displayName: string;
}

interface StoredKey {
  readonly account: Uid;
  /** 64 hex digits. */
  readonly publicKey: string;
  readonly expiresAt?: number | undefined;
}

/** The people, and who of them may not come in; the service accounts and their keys. */
export const principals = projection({
  name: 'principals',
  version: 1,
  directory: 'platform',
  mode: 'inline',
  apply: {
    UserCreated(event, view) {
      view.setWithPosition(['user', uuidItem(aggregateUid(event))], nothing);
    },
    UserDisabled(event, view) {
      view.set(['state', uuidItem(aggregateUid(event))], Buffer.from('disabled'));
    },
    UserEnabled(event, view) {
      view.clear(['state', uuidItem(aggregateUid(event))]);
    },
    UserForgotten(event, view) {
      view.clear(['user', uuidItem(aggregateUid(event))]);
      view.set(['state', uuidItem(aggregateUid(event))], Buffer.from('forgotten'));
    },
    ServiceAccountCreated(event, view) {
      const { project, projectId, id, displayName } = event.payload;
      const uid = aggregateUid(event);
      view.set(['account', uuidItem(uid)], encodeJson({ project, projectId, id, displayName } satisfies StoredAccount));
      view.setWithPosition(['in', uuidItem(project), id], uidToBytes(uid));
    },
    async ServiceAccountDeleted(event, view) {
      const { project, id } = event.payload;
      const uid = aggregateUid(event);
      for (const { items } of await view.range(['keys', uuidItem(uid)])) clearKey(view, uid, uidItem(items[0]));
      view.clear(['account', uuidItem(uid)]);
      view.clear(['in', uuidItem(project), id]);
    },
    ServiceAccountKeyAdded(event, view) {
      const { key, publicKey, expiresAt } = event.payload;
      const account = aggregateUid(event);
      const record = encodeJson({ account, publicKey, expiresAt } satisfies StoredKey);
      view.setWithPosition(['key', uuidItem(key)], record);
      view.set(['keys', uuidItem(account), uuidItem(key)], nothing);
    },
    ServiceAccountKeyRevoked(event, view) {
      clearKey(view, aggregateUid(event), event.payload.key);
    },
  },
});

function clearKey(view: View, account: Uid, key: Uid): void {
  view.clear(['key', uuidItem(key)]);
  view.clear(['keys', uuidItem(account), uuidItem(key)]);
}

export type UserState = 'active' | 'disabled' | 'forgotten';

// While a store of an older release has no such index yet, nobody can have been disabled, and there are no service accounts.

/** Of a user who was created. Costs one read. */
export async function findUserState(reading: Reading, user: Uid): Promise<UserState> {
  const state = (await liveIndexOf(reading, principals)?.get(['state', uuidItem(user)]))?.toString();
  return state === 'disabled' || state === 'forgotten' ? state : 'active';
}

/** Whether credentials that were good when they were looked at are good no more: a user who is disabled or forgotten, a key that is revoked. Costs one read. */
export async function isBarred(reading: Reading, { kind, uid, key }: Actor): Promise<boolean> {
  if (uid === undefined) return false;
  if (kind === 'user') return (await findUserState(reading, uid)) !== 'active';
  if (kind !== 'service-account') return false;
  return key === undefined || (await findAccountKey(reading, key))?.account !== uid;
}

export interface UserEntry {
  readonly uid: Uid;
  readonly created: Position;
}

/** The users who were not forgotten, in the order of their making. */
export async function listUsers(reading: Reading, limit: number, after?: Uid): Promise<readonly UserEntry[]> {
  const options = { limit, after: after === undefined ? undefined : [uuidItem(after)] };
  const found = await indexOf(reading, principals).range(['user'], options);
  return found.map(({ items, value }) => ({ uid: uidItem(items[0]), created: splitPosition(value).position }));
}

/** When a user was made; undefined where there is none, or no more. */
export async function findUserCreation(reading: Reading, user: Uid): Promise<Position | undefined> {
  const value = await indexOf(reading, principals).get(['user', uuidItem(user)]);
  return value === undefined ? undefined : splitPosition(value).position;
}

export interface AccountKey {
  /** Where it was made. */
  readonly created: Position;
  readonly account: Uid;
  readonly key: Uid;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Buffer;
  /** Microseconds since 1970; undefined: never. Whether it is over is the asker's to say. */
  readonly expiresAt: number | undefined;
}

/** Undefined: nobody's, revoked, or its account deleted. Costs one read. */
export async function findAccountKey(reading: Reading, key: Uid): Promise<AccountKey | undefined> {
  const value = await liveIndexOf(reading, principals)?.get(['key', uuidItem(key)]);
  return value === undefined ? undefined : accountKeyOf(key, value);
}

function accountKeyOf(key: Uid, value: Buffer): AccountKey {
  const { position, rest } = splitPosition(value);
  const { account, publicKey, expiresAt } = decodeJson<StoredKey>(rest);
  return { created: position, account, key, publicKey: Buffer.from(publicKey, 'hex'), expiresAt };
}

/** An account's keys in the order of their making. Costs a read for each, at once. Throws ProjectionNotLiveError. */
export async function listAccountKeys(
  reading: Reading,
  account: Uid,
  limit: number,
  after?: Uid,
): Promise<readonly AccountKey[]> {
  const options = { limit, after: after === undefined ? undefined : [uuidItem(after)] };
  const found = await indexOf(reading, principals).range(['keys', uuidItem(account)], options);
  const keys = await Promise.all(found.map(({ items }) => findAccountKey(reading, uidItem(items[0]))));
  return keys.filter((key) => key !== undefined);
}

/** How many keys an account has. Costs one read. Throws ProjectionNotLiveError. */
export async function countAccountKeys(reading: Reading, account: Uid): Promise<number> {
  return (await indexOf(reading, principals).range(['keys', uuidItem(account)])).length;
}

export interface Account extends StoredAccount {
  readonly uid: Uid;
}

/** Undefined where there is none, or no more. Costs one read. */
export async function findAccount(reading: Reading, uid: Uid): Promise<Account | undefined> {
  const value = await liveIndexOf(reading, principals)?.get(['account', uuidItem(uid)]);
  return value === undefined ? undefined : { uid, ...decodeJson<StoredAccount>(value) };
}

export interface AccountEntry {
  readonly uid: Uid;
  readonly id: AccountId;
  readonly created: Position;
}

/** A service account by its id in a project. Throws ProjectionNotLiveError. */
export async function findAccountIn(reading: Reading, project: Uid, id: AccountId): Promise<AccountEntry | undefined> {
  const value = await indexOf(reading, principals).get(['in', uuidItem(project), id]);
  return value === undefined ? undefined : accountEntryOf(id, value);
}

/** A project's service accounts in the order of their ids. Throws ProjectionNotLiveError. */
export async function listAccountsIn(
  reading: Reading,
  project: Uid,
  limit: number,
  after?: AccountId,
): Promise<readonly AccountEntry[]> {
  const options = { limit, after: after === undefined ? undefined : [after] };
  const found = await indexOf(reading, principals).range(['in', uuidItem(project)], options);
  return found.map(({ items, value }) => accountEntryOf(String(items[0]) as AccountId, value));
}

function accountEntryOf(id: AccountId, value: Buffer): AccountEntry {
  const { position, rest } = splitPosition(value);
  return { uid: uidFromBytes(rest), id, created: position };
}
