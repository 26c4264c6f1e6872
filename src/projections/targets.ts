import type { Actor } from '../events/types.js';
import type { RepositoryName, Uid } from '../identifiers.js';
import { hasPlatformGrant, listOrganizationsWithOwners, listOwnedOrganizations } from './access.js';
import { principalsOf } from './grants.js';
import { isBarred } from './principals.js';
import { findProject, type Project } from './projects.js';
import { findRepositoryUid } from './repositories.js';
import { listRepositoriesOf } from './repository-access.js';
import { standingAsAdministrator, standingOnProject, standingOnRepository, type Standing } from './standing.js';
import type { Reading } from './store.js';

/** What an actor does to a repository. `manage`: its settings and permissions, and itself. */
export type Verb = 'pull' | 'push' | 'delete' | 'manage';

/** What a `<name>` means to one actor at one version: what is there, and the actor's role on it. */
export interface Target {
  readonly name: RepositoryName;
  readonly project: Project | undefined;
  readonly repository: Uid | undefined;
  /** The highest role on the repository or above. On a project that is not there: owner, for who could create it. */
  readonly role: Standing | undefined;
  /** The part of it that does not come from the repository itself. */
  readonly above: Standing | undefined;
}

/** Costs up to ten reads, in four rounds; an owner of the organization costs four in two. */
export async function findTarget(reading: Reading, actor: Actor, name: RepositoryName): Promise<Target> {
  const project = await findProject(reading, name.project);
  if (project === undefined) {
    const role = await standingOnAbsentProject(reading, actor);
    return { name, project, repository: undefined, role, above: role };
  }
  const [repository, above] = await Promise.all([
    findRepositoryUid(reading, project.uid, name.repository),
    standingOnProject(reading, actor, project),
  ]);
  // Where there is no repository, a uid that nothing has is asked for: how long it takes tells nobody what is there.
  const role = await standingOnRepository(reading, actor, repository ?? nobodys, above);
  return { name, project, repository, role, above };
}

/** The uid of what is not there. */
export const nobodys = '00000000-0000-0000-0000-000000000000' as Uid;

/** On a project that is not there: whose push would create it owns it. */
async function standingOnAbsentProject(reading: Reading, actor: Actor): Promise<Standing | undefined> {
  if (await isBarred(reading, actor)) return 'barred';
  return actor.kind === 'system' || (await findOnlyOrganization(reading, actor)) !== undefined ? 'owner' : undefined;
}

/**
 * The same for the management API, where an administrator, too, could create it, by naming an organization: who could is told that it is not there, everybody else what
 * one without a role is told of one that is.
 */
export async function standingToManageAbsentProject(reading: Reading, actor: Actor): Promise<Standing | undefined> {
  return (await standingOnAbsentProject(reading, actor)) ?? (await standingAsAdministrator(reading, actor));
}

/** Whether there can be anything that the actor, whose credentials are good, may see. */
export async function hasRoleAnywhere(reading: Reading, actor: Actor): Promise<boolean> {
  if (actor.kind === 'system') return true;
  const principals = principalsOf(actor);
  const [platform, repositories] = await Promise.all([
    hasPlatformGrant(reading, principals),
    listRepositoriesOf(reading, principals, 1),
  ]);
  return platform || repositories.length > 0;
}

/** The organization of an actor who owns exactly one: new projects are made in it. For the system, the only one that there is. */
export async function findOnlyOrganization(reading: Reading, actor: Actor): Promise<Uid | undefined> {
  if (actor.kind !== 'system' && actor.uid === undefined) return undefined;
  const owned =
    actor.uid === undefined ? await listOrganizationsWithOwners(reading) : await listOwnedOrganizations(reading, actor.uid, 2);
  return owned.length === 1 ? owned[0] : undefined;
}
