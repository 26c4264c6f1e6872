import { serviceAccountStream, type AccountId, type Principal } from '../events/types.js';
import type { ProjectId, Uid } from '../identifiers.js';
import { listPlatformRolesOf } from '../projections/access.js';
import { countAccountKeys } from '../projections/principals.js';
import { listRepositoryRolesOf, type RepositoryRole } from '../projections/repository-access.js';
import type { Writing } from '../projections/store.js';
import type { NewEvent } from './execute.js';
import { REVOKED_AT_ONCE, revocationsOf } from './revoke-repository-roles.js';

/** A service account that is to go, with what has to go with it. */
export interface LeavingAccount {
  readonly uid: Uid;
  readonly id: AccountId;
  /** Its roles on repositories, the first `REVOKED_AT_ONCE`. */
  readonly roles: readonly RepositoryRole[];
  /** How many things go with it: keys and roles of whichever kind. */
  readonly weight: number;
}

/** Costs three range reads, at once: of at most so many keys and roles as an account can have. */
export async function loadLeavingAccount(
  writing: Writing,
  { uid, id }: { readonly uid: Uid; readonly id: AccountId },
): Promise<LeavingAccount> {
  const [keys, held, roles] = await Promise.all([
    countAccountKeys(writing, uid),
    listPlatformRolesOf(writing, principalOf(uid)),
    listRepositoryRolesOf(writing, principalOf(uid), REVOKED_AT_ONCE),
  ]);
  return { uid, id, roles, weight: 1 + keys + held.length + roles.length };
}

// A key or a role on a project costs a transaction about 800 bytes, a role on a repository three times as much; it takes 10 MB.
const STEP_WEIGHT = 1_000;

export interface Departure {
  readonly events: readonly NewEvent[];
  /** Nothing of the accounts is left for another transaction. */
  readonly isComplete: boolean;
}

/**
 * The events by which accounts of a project go, as many as one transaction takes and one at least. Each goes whole, so that no account is ever there without its keys; one
 * with more roles on repositories than a transaction takes loses these before.
 */
export function departureOf(
  project: { readonly uid: Uid; readonly id: ProjectId },
  accounts: readonly LeavingAccount[],
): Departure {
  const events: NewEvent[] = [];
  let weight = 0;
  for (const { uid, id, roles, weight: own } of accounts) {
    if (weight > 0 && weight + own > STEP_WEIGHT) return { events, isComplete: false };
    weight += own;
    events.push(...revocationsOf(principalOf(uid), roles));
    if (roles.length >= REVOKED_AT_ONCE) return { events, isComplete: false };
    const payload = { kind: 'ServiceAccountDeleted', project: project.uid, projectId: project.id, id } as const;
    events.push({ stream: serviceAccountStream(uid), payload });
  }
  return { events, isComplete: true };
}

const principalOf = (uid: Uid): Principal => ({ kind: 'service-account', uid });
