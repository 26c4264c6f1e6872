import { refuse, type Refusal } from '../errors.js';
import type { AccountId, Principal, Role } from '../events/types.js';
import { parseUid, problemOfId, type ProjectId, type Uid } from '../identifiers.js';
import type { StoredPrincipal } from '../projections/grants.js';
import { findAccount, findAccountIn } from '../projections/principals.js';
import { findProject } from '../projections/projects.js';
import type { Reading } from '../projections/store.js';
import { findUserUid } from '../projections/users.js';
import { nameHash, saltOf } from './directory.js';

/** How people and programs write principals and roles. */

const everybody: ReadonlyMap<string, Principal> = new Map([
  ['allUsers', { kind: 'all-users' }],
  ['allAuthenticatedUsers', { kind: 'all-authenticated-users' }],
]);

/**
 * Whom a text means: an e-mail (with an @, in any case; the first user's name need not have one), a service account as `<project>/<account>`, or one of the special ones. The refusal says which of
 * them it was taken for.
 */
export async function resolvePrincipal(reading: Reading, text: string): Promise<Principal | Refusal> {
  const special = everybody.get(text);
  if (special !== undefined) return special;
  if (/^all(?:authenticated)?users$/i.test(text))
    return unknown(`${text} is not known; the special principals are allUsers and allAuthenticatedUsers, written so`);
  if (!text.includes('@') && text.includes('/')) return resolveAccount(reading, text);
  const uid = await findUserUid(reading, nameHash(await saltOf(reading), text));
  if (uid !== undefined) return { kind: 'user', uid };
  return unknown(
    text.includes('@')
      ? `there is no user with the e-mail ${text}`
      : `${text} is neither an e-mail, nor a service account as <project>/<account>, nor allUsers or allAuthenticatedUsers`,
  );
}

async function resolveAccount(reading: Reading, text: string): Promise<Principal | Refusal> {
  const parts = text.split('/');
  const [projectId = '', id = ''] = parts;
  // What is no id is nobody's, and may not go into a key.
  const project =
    parts.length === 2 && parts.every((part) => problemOfId(part) === undefined)
      ? await findProject(reading, projectId as ProjectId)
      : undefined;
  const found = project && (await findAccountIn(reading, project.uid, id as AccountId));
  if (found !== undefined) return { kind: 'service-account', uid: found.uid };
  return unknown(`there is no service account ${text}; one is written <project>/<account>`);
}

function unknown(reason: string): Refusal {
  return refuse('PRINCIPAL_UNKNOWN', { reason });
}

/** A user by e-mail, or by a uid, which is not looked up: whose it is, if anybody's, is the asker's to find. */
export async function resolveUser(reading: Reading, text: string): Promise<Uid | undefined> {
  const uid = parseUid(text.toLowerCase());
  return uid ?? findUserUid(reading, nameHash(await saltOf(reading), text));
}

export interface PrincipalShown {
  /** As `resolvePrincipal` takes it; of what is gone, its uid. */
  readonly principal: string;
  readonly kind: 'user' | 'serviceAccount' | 'allUsers' | 'allAuthenticatedUsers' | 'deleted';
  readonly uid?: Uid;
}

/** A principal as people know it. Costs up to two reads. */
export async function showPrincipal(reading: Reading, principal: StoredPrincipal): Promise<PrincipalShown> {
  if (!('uid' in principal)) {
    const name = principal.kind === 'all-users' ? 'allUsers' : 'allAuthenticatedUsers';
    return { principal: name, kind: name };
  }
  const { uid } = principal;
  const { tx, platform } = reading;
  const [email, account] = await Promise.all([tx.get(platform.keyspace.personal(uid, 'login-name')), findAccount(reading, uid)]);
  if (email !== undefined) return { principal: email.toString(), kind: 'user', uid };
  if (account !== undefined) return { principal: `${account.projectId}/${account.id}`, kind: 'serviceAccount', uid };
  return { principal: uid, kind: 'deleted', uid };
}

const roles = { artifact_store_viewer: 'viewer', artifact_store_editor: 'editor', artifact_store_owner: 'owner' } as const;

export type RoleName = keyof typeof roles;

export function roleOf(name: RoleName): Role {
  return roles[name];
}

export function nameOfRole(role: Role): RoleName {
  return `artifact_store_${role}`;
}
