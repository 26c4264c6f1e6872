import { aggregateOf, type Actor, type Principal, type Role } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import type { KeyItem } from '../keyvalue/tuple.js';
import { aggregateUid, type AppliedEvent, type View } from './projection.js';
import { uidItem } from './repositories.js';
import type { Index } from './views.js';

/**
 * The keys that both logs' roles have in common: the platform's on organizations and projects (access.ts), the registry's on repositories (repository-access.ts).
 * `on/<uid>/<principal>` and `of/<principal>/<aggregate>/<uid>`, the role in the value.
 */

export function applyGrant(event: AppliedEvent<'RoleGranted'>, view: View): void {
  const { principal, role } = event.payload;
  for (const key of keysOf(event, principal)) view.set(key, Buffer.from(role));
}

export function applyRevocation(event: AppliedEvent<'RoleRevoked'>, view: View): void {
  for (const key of keysOf(event, event.payload.principal)) view.clear(key);
}

function keysOf(event: AppliedEvent<'RoleGranted' | 'RoleRevoked'>, principal: Principal): readonly KeyItem[][] {
  const on = uuidItem(aggregateUid(event));
  const who = principalItem(principal);
  return [
    ['on', on, who],
    ['of', who, aggregateOf(event.stream), on],
  ];
}

/** What is deleted leaves no roles behind. Costs what was granted on it. */
export async function clearGrantsOn(on: Uid, aggregate: 'organization' | 'project' | 'repository', view: View): Promise<void> {
  for (const { items } of await view.range(['on', uuidItem(on)])) {
    const who = itemAgain(items[0]);
    view.clear(['on', uuidItem(on), who]);
    view.clear(['of', who, aggregate, uuidItem(on)]);
  }
}

/** Who is gone for ever has no roles. Costs what was granted to it. */
export async function clearGrantsOf(principal: Uid, view: View): Promise<void> {
  for (const { items } of await view.range(['of', uuidItem(principal)])) {
    const [aggregate, on] = [String(items[0]), uuidItem(uidItem(items[1]))];
    view.clear(['of', uuidItem(principal), aggregate, on]);
    view.clear(['on', on, uuidItem(principal)]);
  }
}

/** Whom an actor's roles may have been granted to: itself, and everybody. */
export function principalsOf({ kind, uid }: Actor): readonly Principal[] {
  if (kind === 'system') return [];
  if (uid === undefined || (kind !== 'user' && kind !== 'service-account')) return [{ kind: 'all-users' }];
  return [{ kind, uid }, { kind: 'all-authenticated-users' }, { kind: 'all-users' }];
}

/** The highest of the roles granted to these on exactly this. Costs a read for each, at once. */
export async function highestRole(index: Index, on: Uid, principals: readonly Principal[]): Promise<Role | undefined> {
  const found = await Promise.all(principals.map((one) => index.get(['on', uuidItem(on), principalItem(one)])));
  return found.map(roleIn).reduce(higher, undefined);
}

/** The roles granted on exactly this, behind `after`: everybody first, then users and accounts in the order of their uids. */
export async function listGrants(index: Index, on: Uid, limit: number, after?: StoredPrincipal): Promise<readonly StoredGrant[]> {
  const options = { limit, after: after === undefined ? undefined : [principalItem(after)] };
  const found = await index.range(['on', uuidItem(on)], options);
  return found.flatMap(({ items, value }) => {
    const role = roleIn(value);
    return role === undefined ? [] : [{ principal: storedPrincipal(items[0]), role }];
  });
}

/** As the keys have it: which of users and service accounts a uid is, they do not say. */
export type StoredPrincipal = { readonly uid: Uid } | { readonly kind: 'all-users' | 'all-authenticated-users' };

/** A role on one thing, as it was granted there. */
export interface StoredGrant {
  readonly principal: StoredPrincipal;
  readonly role: Role;
}

const everybody = { allUsers: 'all-users', allAuthenticatedUsers: 'all-authenticated-users' } as const;

function storedPrincipal(item: unknown): StoredPrincipal {
  if (item === 'allUsers' || item === 'allAuthenticatedUsers') return { kind: everybody[item] };
  return { uid: uidItem(item) };
}

function itemAgain(item: unknown): KeyItem {
  return typeof item === 'string' ? item : uuidItem(uidItem(item));
}

export function principalItem(principal: Principal | StoredPrincipal): KeyItem {
  if ('uid' in principal) return uuidItem(principal.uid);
  return principal.kind === 'all-users' ? 'allUsers' : 'allAuthenticatedUsers';
}

export function roleIn(value: Buffer | undefined): Role | undefined {
  const text = value?.toString();
  return text === 'viewer' || text === 'editor' || text === 'owner' ? text : undefined;
}

const rank = { viewer: 1, editor: 2, owner: 3 } as const;

export function higher(left: Role | undefined, right: Role | undefined): Role | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return rank[left] >= rank[right] ? left : right;
}
