import type { Actor, Role } from '../events/types.js';
import type { RepositoryName, Uid } from '../identifiers.js';
import { findRole, hasGrant, listOrganizations, listOwnedOrganizations } from './access.js';
import { findProject, type Project } from './projects.js';
import { findRepositoryUid } from './repositories.js';
import type { Reading } from './store.js';

/** What an actor does to a repository. */
export type Verb = 'pull' | 'push' | 'delete';

/** What a `<name>` means to one actor at one version: what is there, and the actor's role on it. */
export interface Target {
  readonly name: RepositoryName;
  readonly project: Project | undefined;
  readonly repository: Uid | undefined;
  /** The highest role on the repository or above. On a project that is not there: owner, for who could create it. */
  readonly role: Role | undefined;
}

/** Costs three reads for an owner of the organization, four for others. */
export async function findTarget(reading: Reading, actor: Actor, name: RepositoryName): Promise<Target> {
  const project = await findProject(reading, name.project);
  if (project === undefined) {
    const creator = actor.kind === 'system' || (await findOnlyOrganization(reading, actor)) !== undefined;
    return { name, project, repository: undefined, role: creator ? 'owner' : undefined };
  }
  const [repository, role] = await Promise.all([
    findRepositoryUid(reading, project.uid, name.repository),
    roleOn(reading, actor, project),
  ]);
  return { name, project, repository, role };
}

/** The actor's role on a project, inherited from its organization. The system, that is an operator on this machine, owns everything. */
export async function roleOn(reading: Reading, actor: Actor, project: Project): Promise<Role | undefined> {
  if (actor.kind === 'system') return 'owner';
  if (actor.uid === undefined) return undefined;
  const above = await findRole(reading, project.organization, actor.uid);
  return above === 'owner' ? above : higher(above, await findRole(reading, project.uid, actor.uid));
}

/** Whether there can be anything that the actor may see. What is granted to everybody, once there is such a thing, is asked for here and in `roleOn`. */
export async function hasRoleAnywhere(reading: Reading, actor: Actor): Promise<boolean> {
  return actor.kind === 'system' || (actor.uid !== undefined && (await hasGrant(reading, actor.uid)));
}

/** The organization of an actor who owns exactly one: new projects are made in it. For the system, the only one that there is. */
export async function findOnlyOrganization(reading: Reading, actor: Actor): Promise<Uid | undefined> {
  if (actor.kind !== 'system' && actor.uid === undefined) return undefined;
  const owned = actor.uid === undefined ? await listOrganizations(reading) : await listOwnedOrganizations(reading, actor.uid, 2);
  return owned.length === 1 ? owned[0] : undefined;
}

const rank = { viewer: 1, editor: 2, owner: 3 } as const;

function higher(left: Role | undefined, right: Role | undefined): Role | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return rank[left] >= rank[right] ? left : right;
}
