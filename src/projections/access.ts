import { aggregateOf, type Principal, type Role } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import type { KeyItem } from '../keyvalue/tuple.js';
import { aggregateUid, projection } from './projection.js';
import { uidItem } from './repositories.js';
import { indexOf, type Reading } from './store.js';

/** Who has which role on what, as far as the platform's log grants it. */
export const access = projection({
  name: 'access',
  version: 1,
  directory: 'platform',
  mode: 'inline',
  apply: {
    RoleGranted(event, view) {
      const { principal, role } = event.payload;
      const on = aggregateUid(event);
      const who = principalItem(principal);
      view.set(['on', uuidItem(on), who], Buffer.from(role));
      view.set(['of', who, aggregateOf(event.stream), uuidItem(on)], Buffer.from(role));
    },
  },
});

/** The role granted to a user or service account on exactly this organization or project. Costs one read. */
export async function findRole(reading: Reading, on: Uid, principal: Uid): Promise<Role | undefined> {
  return roleIn(await indexOf(reading, access).get(['on', uuidItem(on), uuidItem(principal)]));
}

/** Whether the principal has a role on anything. Costs one read. */
export async function hasGrant(reading: Reading, principal: Uid): Promise<boolean> {
  return (await indexOf(reading, access).range(['of', uuidItem(principal)], { limit: 1 })).length > 0;
}

/** The organizations that the principal owns, at most `limit`. */
export async function listOwnedOrganizations(reading: Reading, principal: Uid, limit: number): Promise<readonly Uid[]> {
  const found = await indexOf(reading, access).range(['of', uuidItem(principal), 'organization']);
  return found
    .filter(({ value }) => roleIn(value) === 'owner')
    .slice(0, limit)
    .map(({ items }) => uidItem(items[0]));
}

/** The organizations that have an owner, which is all of them. Reads every grant: for an operator's command, not for a request. */
export async function listOrganizations(reading: Reading): Promise<readonly Uid[]> {
  const grants = await indexOf(reading, access).range(['of']);
  const owned = grants.filter(({ items, value }) => items[1] === 'organization' && roleIn(value) === 'owner');
  return [...new Set(owned.map(({ items }) => uidItem(items[2])))];
}

function principalItem(principal: Principal): KeyItem {
  switch (principal.kind) {
    case 'user':
    case 'service-account':
      return uuidItem(principal.uid);
    case 'all-users':
      return 'allUsers';
    case 'all-authenticated-users':
      return 'allAuthenticatedUsers';
  }
}

function roleIn(value: Buffer | undefined): Role | undefined {
  const text = value?.toString();
  return text === 'viewer' || text === 'editor' || text === 'owner' ? text : undefined;
}
