import type { Principal, Role } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import {
  applyGrant,
  applyRevocation,
  clearGrantsOf,
  clearGrantsOn,
  highestRole,
  listGrants,
  principalItem,
  roleIn,
  type StoredGrant,
  type StoredPrincipal,
} from './grants.js';
import { aggregateUid, projection } from './projection.js';
import { uidItem } from './repositories.js';
import { indexOf, type Reading } from './store.js';

/** Who has which role on what, as far as the platform's log grants it: on organizations and projects. */
export const access = projection({
  name: 'access',
  version: 1,
  directory: 'platform',
  mode: 'inline',
  apply: {
    RoleGranted: applyGrant,
    RoleRevoked: applyRevocation,
    OrganizationDeleted: (event, view) => clearGrantsOn(aggregateUid(event), 'organization', view),
    ProjectDeleted: (event, view) => clearGrantsOn(aggregateUid(event), 'project', view),
    ServiceAccountDeleted: (event, view) => clearGrantsOf(aggregateUid(event), view),
    UserForgotten: (event, view) => clearGrantsOf(aggregateUid(event), view),
  },
});

/** The highest of the roles granted to these on exactly this organization or project. Costs a read for each. */
export async function findPlatformRole(reading: Reading, on: Uid, principals: readonly Principal[]): Promise<Role | undefined> {
  return highestRole(indexOf(reading, access), on, principals);
}

/** The role granted to this one on exactly this organization or project. Costs one read. */
export async function findRole(reading: Reading, on: Uid, principal: Principal): Promise<Role | undefined> {
  return roleIn(await indexOf(reading, access).get(['on', uuidItem(on), principalItem(principal)]));
}

/** Whether one of these has a role on an organization or a project. Costs a read for each. */
export async function hasPlatformGrant(reading: Reading, principals: readonly Principal[]): Promise<boolean> {
  const index = indexOf(reading, access);
  const found = await Promise.all(principals.map((one) => index.range(['of', principalItem(one)], { limit: 1 })));
  return found.flat().length > 0;
}

export interface HeldRole {
  readonly on: Uid;
  readonly aggregate: 'organization' | 'project';
  readonly role: Role;
}

/** What a principal has roles on, organizations before projects. Costs what it has. */
export async function listPlatformRolesOf(reading: Reading, principal: Principal): Promise<readonly HeldRole[]> {
  const found = await indexOf(reading, access).range(['of', principalItem(principal)]);
  return found.flatMap(({ items: [aggregate, on], value }) => {
    const role = roleIn(value);
    if (role === undefined || (aggregate !== 'organization' && aggregate !== 'project')) return [];
    return [{ on: uidItem(on), aggregate, role }];
  });
}

/** The roles granted on exactly this organization or project, behind `after`. */
export async function listPlatformGrants(
  reading: Reading,
  on: Uid,
  limit: number,
  after?: StoredPrincipal,
): Promise<readonly StoredGrant[]> {
  return listGrants(indexOf(reading, access), on, limit, after);
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
export async function listOrganizationsWithOwners(reading: Reading): Promise<readonly Uid[]> {
  const grants = await indexOf(reading, access).range(['of']);
  const owned = grants.filter(({ items, value }) => items[1] === 'organization' && roleIn(value) === 'owner');
  return [...new Set(owned.map(({ items }) => uidItem(items[2])))];
}
