import { refuse, type Refusal } from '../errors.js';
import type { Principal } from '../events/types.js';
import { listPlatformRolesOf } from '../projections/access.js';
import type { Reading, Writing } from '../projections/store.js';

// What is deleted takes the roles on it along in the transaction of its event, and who is forgotten the roles on organizations and projects. Each costs about 800 bytes
// of the 10 MB that a transaction has. A replay has no smaller step than an event, either.

/** How many principals can have a role on one organization, project or repository. */
export const GRANTS_ON_MOST = 5_000;

/** On how many organizations and projects one user or service account can have a role; fewer, since each organization that a user owns is looked at before the user goes. */
export const GRANTS_OF_MOST = 1_000;

/** Some more than the most, which several at once may come to, harm nobody; grants that conflict with all others on the resource would. */
export function withoutConflict(writing: Writing): Reading {
  return { ...writing, tx: writing.tx.snapshot };
}

/** The refusal of one more organization or project for a principal; `named`: for the message. Roles of everybody end with what they are on. Costs what it has. */
export async function refuseOneMoreFor(writing: Writing, principal: Principal, named: string): Promise<Refusal | undefined> {
  if (!('uid' in principal)) return undefined;
  const held = await listPlatformRolesOf(withoutConflict(writing), principal);
  return held.length < GRANTS_OF_MOST ? undefined : refuse('ROLES_OF_TOO_MANY', { principal: named, most: GRANTS_OF_MOST });
}
