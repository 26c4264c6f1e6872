import type { Actor, Role } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { findPlatformRole } from './access.js';
import { higher, principalsOf } from './grants.js';
import { findFirstOrganization } from './organizations.js';
import { isBarred } from './principals.js';
import type { Project } from './projects.js';
import { findRepositoryRole } from './repository-access.js';
import type { Reading } from './store.js';

/** An actor's role on something; `barred`: the actor's credentials are good no more, whatever was granted. */
export type Standing = Role | 'barred';

/** The actor's role on an organization. The system, that is an operator on this machine, owns everything. Costs two reads. */
export async function standingOnOrganization(reading: Reading, actor: Actor, organization: Uid): Promise<Standing | undefined> {
  if (actor.kind === 'system') return 'owner';
  const [barred, role] = await Promise.all([
    isBarred(reading, actor),
    findPlatformRole(reading, organization, ownPrincipals(actor)),
  ]);
  return barred ? 'barred' : role;
}

/** The actor's role on a project, inherited from its organization. Costs two reads for the organization's owner, for others up to three more behind them. */
export async function standingOnProject(reading: Reading, actor: Actor, project: Project): Promise<Standing | undefined> {
  if (actor.kind === 'system') return 'owner';
  const above = await standingOnOrganization(reading, actor, project.organization);
  if (above === 'barred' || above === 'owner') return above;
  return higher(above, await findPlatformRole(reading, project.uid, principalsOf(actor)));
}

/** The actor's role on a repository, whose project it has `above`. Costs up to three reads, at once, and none for an owner. */
export async function standingOnRepository(
  reading: Reading,
  actor: Actor,
  repository: Uid,
  above: Standing | undefined,
): Promise<Standing | undefined> {
  if (above === 'barred' || above === 'owner') return above;
  return higher(above, await findRepositoryRole(reading, repository, principalsOf(actor)));
}

/** The owners of the first organization administer the registry: its organizations, its users, its keys. Costs up to three reads. Throws ProjectionNotLiveError. */
export async function standingAsAdministrator(reading: Reading, actor: Actor): Promise<Standing | undefined> {
  if (actor.kind === 'system') return 'owner';
  const first = await findFirstOrganization(reading);
  if (first === undefined) return (await isBarred(reading, actor)) ? 'barred' : undefined;
  const standing = await standingOnOrganization(reading, actor, first);
  return standing === 'owner' || standing === 'barred' ? standing : undefined;
}

/** On an organization nothing is granted to everybody. */
function ownPrincipals(actor: Actor) {
  return principalsOf(actor).filter((principal) => 'uid' in principal);
}
