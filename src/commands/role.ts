import { refuse, type Refusal } from '../errors.js';
import {
  organizationStream,
  projectStream,
  repositoryStream,
  type OrganizationId,
  type Principal,
  type Role,
  type Stream,
} from '../events/types.js';
import type { ProjectId, RepositoryName, Uid } from '../identifiers.js';
import { findRole } from '../projections/access.js';
import { findOrganizationUid } from '../projections/organizations.js';
import { findAccount, findUserCreation } from '../projections/principals.js';
import { findProject } from '../projections/projects.js';
import { findOwnRepositoryRole } from '../projections/repository-access.js';
import { standingAsAdministrator, standingOnOrganization, standingOnProject } from '../projections/standing.js';
import type { Writing } from '../projections/store.js';
import { findTarget, standingOnNothing } from '../projections/targets.js';
import type { CommandContext, Decision, Executor } from './execute.js';
import { refuseLastOwner } from './last-owner.js';

/** What a role is granted on. */
export type Resource =
  | { readonly kind: 'organization'; readonly id: OrganizationId }
  | { readonly kind: 'project'; readonly id: ProjectId }
  | { readonly kind: 'repository'; readonly name: RepositoryName };

/** Gives a principal a role on something, in place of the one that it may have there. An owner of it may. */
export interface GrantRole {
  readonly kind: 'GrantRole';
  readonly on: Resource;
  readonly principal: Principal;
  /** The principal as it was named, for messages. */
  readonly named: string;
  readonly role: Role;
}

/** Takes the role away that was granted to a principal on something itself; what it inherits stays. */
export interface RevokeRole {
  readonly kind: 'RevokeRole';
  readonly on: Resource;
  readonly principal: Principal;
  readonly named: string;
}

interface RoleState {
  readonly denied: Refusal | undefined;
  /** Undefined: it is not there. */
  readonly stream: Stream | undefined;
  readonly principalThere: boolean;
  readonly current: Role | undefined;
  /** The refusal, where the principal is the last owner of an organization and would be one no more. */
  readonly last: Refusal | undefined;
}

export interface RoleOutcome {
  readonly changed: boolean;
}

export function decideGrantRole(state: RoleState, { on, principal, role, named }: GrantRole): Decision<RoleOutcome> {
  if (state.denied !== undefined) return state.denied;
  if (state.stream === undefined) return refuseUnknown(on);
  const isEverybody = !('uid' in principal);
  if (isEverybody && (role !== 'viewer' || on.kind === 'organization')) return refuse('EVERYBODY_VIEWS_ONLY');
  if (!state.principalThere) return refuse('PRINCIPAL_UNKNOWN', { reason: `there is no ${named} any more` });
  if (state.current === role) return { events: [], outcome: { changed: false } };
  if (state.last !== undefined) return state.last;
  return { events: [{ stream: state.stream, payload: { kind: 'RoleGranted', principal, role } }], outcome: { changed: true } };
}

export function decideRevokeRole(state: RoleState, { on, principal, named }: RevokeRole): Decision<RoleOutcome> {
  if (state.denied !== undefined) return state.denied;
  if (state.stream === undefined) return refuseUnknown(on);
  if (state.current === undefined) return refuse('ROLE_UNKNOWN', { principal: named, what: describeResource(on) });
  if (state.last !== undefined) return state.last;
  return {
    events: [{ stream: state.stream, payload: { kind: 'RoleRevoked', principal, role: state.current } }],
    outcome: { changed: true },
  };
}

export function grantRole(executor: Executor, context: CommandContext, command: GrantRole): Promise<RoleOutcome | Refusal> {
  return executor.execute(context, async (writing) => decideGrantRole(await loadRoleState(writing, context, command), command));
}

export function revokeRole(executor: Executor, context: CommandContext, command: RevokeRole): Promise<RoleOutcome | Refusal> {
  return executor.execute(context, async (writing) => decideRevokeRole(await loadRoleState(writing, context, command), command));
}

async function loadRoleState(writing: Writing, context: CommandContext, command: GrantRole | RevokeRole): Promise<RoleState> {
  const { on, principal } = command;
  const { denied, uid } = await findOwned(writing, context, on);
  if (denied !== undefined || uid === undefined) {
    return { denied, stream: undefined, principalThere: false, current: undefined, last: undefined };
  }
  const [current, principalThere] = await Promise.all([
    on.kind === 'repository' ? findOwnRepositoryRole(writing, uid, principal) : findRole(writing, uid, principal),
    isThere(writing, principal),
  ]);
  const stays = command.kind === 'GrantRole' && command.role === 'owner';
  const leaves = on.kind === 'organization' && current === 'owner' && !stays && 'uid' in principal;
  const last = leaves ? await refuseLastOwner(writing, uid, principal.uid) : undefined;
  return { denied, stream: streamOf(on, uid), principalThere, current, last };
}

/** Who was there when it was named may be gone by now, and nothing is granted to nobody. */
async function isThere(writing: Writing, principal: Principal): Promise<boolean> {
  switch (principal.kind) {
    case 'user':
      return (await findUserCreation(writing, principal.uid)) !== undefined;
    case 'service-account':
      return (await findAccount(writing, principal.uid)) !== undefined;
    default:
      return true;
  }
}

interface Owned {
  readonly denied: Refusal | undefined;
  readonly uid: Uid | undefined;
}

/** Something that the actor owns. Who does not is told the same whether it is there or not. */
async function findOwned(writing: Writing, context: CommandContext, on: Resource): Promise<Owned> {
  const { actor } = context;
  switch (on.kind) {
    case 'organization': {
      const uid = await findOrganizationUid(writing, on.id);
      const standing =
        uid === undefined ? await standingAsAdministrator(writing, actor) : await standingOnOrganization(writing, actor, uid);
      return { uid, denied: context.judgeManaging(standing, describeResource(on)) };
    }
    case 'project': {
      const project = await findProject(writing, on.id);
      const standing =
        project === undefined ? await standingOnNothing(writing, actor) : await standingOnProject(writing, actor, project);
      return { uid: project?.uid, denied: context.judgeManaging(standing, describeResource(on)) };
    }
    case 'repository': {
      const target = await findTarget(writing, actor, on.name);
      return { uid: target.repository, denied: context.judge('manage', target) };
    }
  }
}

function streamOf({ kind }: Resource, uid: Uid): Stream {
  return { organization: organizationStream, project: projectStream, repository: repositoryStream }[kind](uid);
}

function refuseUnknown(on: Resource): Refusal {
  switch (on.kind) {
    case 'organization':
      return refuse('ORGANIZATION_UNKNOWN', { organization: on.id });
    case 'project':
      return refuse('PROJECT_UNKNOWN', { project: on.id });
    case 'repository':
      return refuse('REPOSITORY_UNKNOWN', { name: on.name.name });
  }
}

function describeResource(on: Resource): string {
  return on.kind === 'repository' ? `repository ${on.name.name}` : `${on.kind} ${on.id}`;
}
