import { refuse, type Refusal } from '../errors.js';
import type { Uid } from '../identifiers.js';
import { listOwnedOrganizations, listPlatformGrants } from '../projections/access.js';
import type { StoredPrincipal } from '../projections/grants.js';
import { findOrganization } from '../projections/organizations.js';
import { findUserCreation, findUserState } from '../projections/principals.js';
import type { Writing } from '../projections/store.js';

const PAGE = 200;

/**
 * The refusal of what would take an organization's last owner away: the last user who can log in. A service account may be an owner, but is never the one that an
 * organization must have (`canLogIn`): so nothing that happens to accounts and their keys takes the last owner away. Costs what is granted on the organization, and
 * conflicts on it.
 */
export async function refuseLastOwner(writing: Writing, organization: Uid, leaving: Uid): Promise<Refusal | undefined> {
  for (let after: StoredPrincipal | undefined; ;) {
    const page = await listPlatformGrants(writing, organization, PAGE, after);
    for (const { principal, role } of page) {
      if (role !== 'owner' || !('uid' in principal) || principal.uid === leaving) continue;
      if (await canLogIn(writing, principal.uid)) return undefined;
    }
    if (page.length < PAGE) break;
    after = page.at(-1)?.principal;
  }
  const found = await findOrganization(writing, organization);
  return refuse('LAST_OWNER', { organization: found?.id ?? organization });
}

/** As `refuseLastOwner`, of all organizations that a user owns: for who is to come in no more. They are looked at all at once, since each is a way to the cluster and back. */
export async function refuseLastOwnerAnywhere(writing: Writing, user: Uid): Promise<Refusal | undefined> {
  const owned = await listOwnedOrganizations(writing, user, Infinity);
  const refusals = await Promise.all(owned.map((organization) => refuseLastOwner(writing, organization, user)));
  return refusals.find((refusal) => refusal !== undefined);
}

/** Whether this is a user who may come in, neither disabled nor forgotten: the owner that an organization must always have. Of a service account it is false. */
export async function canLogIn(writing: Writing, uid: Uid): Promise<boolean> {
  const [created, state] = await Promise.all([findUserCreation(writing, uid), findUserState(writing, uid)]);
  return created !== undefined && state === 'active';
}
