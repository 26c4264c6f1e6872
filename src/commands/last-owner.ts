import { refuse, type Refusal } from '../errors.js';
import type { Principal } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { listOwnedOrganizations, listPlatformGrants } from '../projections/access.js';
import { findOrganization } from '../projections/organizations.js';
import { findUserCreation, findUserState } from '../projections/principals.js';
import type { Writing } from '../projections/store.js';

const PAGE = 200;

/**
 * The refusal of what would take an organization's last owner away: the last user who can log in. A service account may be an owner, but is nobody who could ever
 * come back by himself. Costs what is granted on the organization, and conflicts on it.
 */
export async function refuseLastOwner(writing: Writing, organization: Uid, leaving: Uid): Promise<Refusal | undefined> {
  for (let after: Principal | undefined; ;) {
    const page = await listPlatformGrants(writing, organization, PAGE, after);
    for (const { principal, role } of page) {
      if (role !== 'owner' || !('uid' in principal) || principal.uid === leaving) continue;
      if (await canLogIn(writing, principal.uid)) return undefined;
    }
    const last = page.at(-1)?.principal;
    if (last === undefined || page.length < PAGE) break;
    after = 'uid' in last ? { kind: 'user', uid: last.uid } : last;
  }
  const found = await findOrganization(writing, organization);
  return refuse('LAST_OWNER', { organization: found?.id ?? organization });
}

/** As `refuseLastOwner`, of all organizations that a user owns: for who is to come in no more. */
export async function refuseLastOwnerAnywhere(writing: Writing, user: Uid): Promise<Refusal | undefined> {
  for (const organization of await listOwnedOrganizations(writing, user, Infinity)) {
    const refusal = await refuseLastOwner(writing, organization, user);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

async function canLogIn(writing: Writing, uid: Uid): Promise<boolean> {
  const [created, state] = await Promise.all([findUserCreation(writing, uid), findUserState(writing, uid)]);
  return created !== undefined && state === 'active';
}
