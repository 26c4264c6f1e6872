import type { Principal, Role } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import {
  applyGrant,
  applyRevocation,
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
import { indexOf, liveIndexOf, type Reading } from './store.js';

/** Who has which role on which repository, as far as it was granted there. */
export const repositoryAccess = projection({
  name: 'repository-access',
  version: 1,
  directory: 'registry',
  mode: 'inline',
  apply: {
    RoleGranted: applyGrant,
    RoleRevoked: applyRevocation,
    RepositoryDeletionBegun: (event, view) => clearGrantsOn(aggregateUid(event), 'repository', view),
  },
});

// While a store of an older release has no such index yet, nobody can have granted anything: GrantRole asks for it (commands/role.ts).

/** The highest of the roles granted to these on exactly this repository. Costs a read for each. */
export async function findRepositoryRole(
  reading: Reading,
  repository: Uid,
  principals: readonly Principal[],
): Promise<Role | undefined> {
  const index = liveIndexOf(reading, repositoryAccess);
  return index === undefined ? undefined : highestRole(index, repository, principals);
}

/** The role granted to this one on exactly this repository. Throws ProjectionNotLiveError. */
export async function findOwnRepositoryRole(reading: Reading, repository: Uid, principal: Principal): Promise<Role | undefined> {
  return roleIn(await indexOf(reading, repositoryAccess).get(['on', uuidItem(repository), principalItem(principal)]));
}

/** The repositories that one of these has a role on, at most `limit` for each. */
export async function listRepositoriesOf(
  reading: Reading,
  principals: readonly Principal[],
  limit: number,
): Promise<readonly Uid[]> {
  const index = liveIndexOf(reading, repositoryAccess);
  if (index === undefined) return [];
  const found = await Promise.all(principals.map((one) => index.range(['of', principalItem(one), 'repository'], { limit })));
  return found.flat().map(({ items }) => uidItem(items[0]));
}

export interface RepositoryRole {
  readonly repository: Uid;
  readonly role: Role;
}

/** The roles on repositories that were granted to exactly this one, at most `limit`. */
export async function listRepositoryRolesOf(
  reading: Reading,
  principal: Principal,
  limit: number,
): Promise<readonly RepositoryRole[]> {
  const found = await liveIndexOf(reading, repositoryAccess)?.range(['of', principalItem(principal), 'repository'], { limit });
  return (found ?? []).flatMap(({ items, value }) => {
    const role = roleIn(value);
    return role === undefined ? [] : [{ repository: uidItem(items[0]), role }];
  });
}

/** The roles granted on exactly this repository, behind `after`. Throws ProjectionNotLiveError. */
export async function listRepositoryGrants(
  reading: Reading,
  repository: Uid,
  limit: number,
  after?: StoredPrincipal,
): Promise<readonly StoredGrant[]> {
  return listGrants(indexOf(reading, repositoryAccess), repository, limit, after);
}
