import { refuse, type Refusal } from '../errors.js';
import { organizationStream, projectStream, repositoryStream, type Principal, type Role, type Stream } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { findRole, listPlatformGrants } from '../projections/access.js';
import { findAccount, findUserCreation } from '../projections/principals.js';
import { findOwnRepositoryRole, listRepositoryGrants } from '../projections/repository-access.js';
import type { Writing } from '../projections/store.js';
import type { CommandContext, Decision, Executor } from './execute.js';
import { GRANTS_ON_MOST, refuseOneMoreFor, withoutConflict } from './grant-limits.js';
import { refuseLastOwner } from './last-owner.js';
import { describeResource, findOwned, refuseUnknown, type Resource } from './owned-resource.js';

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
  /** The uid of what the role is on. Undefined: it is not there. */
  readonly resource: Uid | undefined;
  readonly current: Role | undefined;
  /** The refusal, where the principal is the last owner of an organization and would be one no more. */
  readonly refusedAsLastOwner: Refusal | undefined;
}

interface GrantState extends RoleState {
  readonly principalExists: boolean;
  /** The refusal, where the role would be one more than there can be. */
  readonly refusedAsTooMany: Refusal | undefined;
}

export interface RoleOutcome {
  readonly changed: boolean;
}

export function decideGrantRole(state: GrantState, { on, principal, role, named }: GrantRole): Decision<RoleOutcome> {
  if (state.denied !== undefined) return state.denied;
  if (state.resource === undefined) return refuseUnknown(on);
  const isEverybody = !('uid' in principal);
  if (isEverybody && (role !== 'viewer' || on.kind === 'organization')) return refuse('EVERYBODY_VIEWS_ONLY');
  if (!state.principalExists) return refuse('PRINCIPAL_UNKNOWN', { reason: `there is no ${named} any more` });
  if (state.current === role) return { events: [], outcome: { changed: false } };
  const refused = state.refusedAsLastOwner ?? state.refusedAsTooMany;
  if (refused !== undefined) return refused;
  const stream = streamOf(on, state.resource);
  return { events: [{ stream, payload: { kind: 'RoleGranted', principal, role } }], outcome: { changed: true } };
}

export function decideRevokeRole(state: RoleState, { on, principal, named }: RevokeRole): Decision<RoleOutcome> {
  if (state.denied !== undefined) return state.denied;
  if (state.resource === undefined) return refuseUnknown(on);
  if (state.current === undefined) return refuse('ROLE_UNKNOWN', { principal: named, what: describeResource(on) });
  if (state.refusedAsLastOwner !== undefined) return state.refusedAsLastOwner;
  const stream = streamOf(on, state.resource);
  return { events: [{ stream, payload: { kind: 'RoleRevoked', principal, role: state.current } }], outcome: { changed: true } };
}

export function grantRole(executor: Executor, context: CommandContext, command: GrantRole): Promise<RoleOutcome | Refusal> {
  return executor.execute(context, async (writing) => {
    const state = await loadRoleState(writing, context, command);
    const [principalExists, refusedAsTooMany] = await Promise.all([
      exists(writing, command.principal),
      state.current === undefined ? refuseOneMore(writing, state.resource, command) : undefined,
    ]);
    return decideGrantRole({ ...state, principalExists, refusedAsTooMany }, command);
  });
}

export function revokeRole(executor: Executor, context: CommandContext, command: RevokeRole): Promise<RoleOutcome | Refusal> {
  return executor.execute(context, async (writing) => decideRevokeRole(await loadRoleState(writing, context, command), command));
}

async function loadRoleState(writing: Writing, context: CommandContext, command: GrantRole | RevokeRole): Promise<RoleState> {
  const { on, principal } = command;
  const { denied, uid: resource } = await findOwned(writing, context, on);
  if (denied !== undefined || resource === undefined) {
    return { denied, resource: undefined, current: undefined, refusedAsLastOwner: undefined };
  }
  const current = await (on.kind === 'repository' ? findOwnRepositoryRole : findRole)(writing, resource, principal);
  const remainsOwner = command.kind === 'GrantRole' && command.role === 'owner';
  const losesOrganization = on.kind === 'organization' && current === 'owner' && !remainsOwner && 'uid' in principal;
  const refusedAsLastOwner = losesOrganization ? await refuseLastOwner(writing, resource, principal.uid) : undefined;
  return { denied, resource, current, refusedAsLastOwner };
}

/** Costs all that is granted on the resource, and what the principal has. */
async function refuseOneMore(
  writing: Writing,
  resource: Uid | undefined,
  { on, principal, named }: GrantRole,
): Promise<Refusal | undefined> {
  if (resource === undefined) return undefined;
  const [grants, refusedForPrincipal] = await Promise.all([
    (on.kind === 'repository' ? listRepositoryGrants : listPlatformGrants)(withoutConflict(writing), resource, GRANTS_ON_MOST),
    on.kind === 'repository' ? undefined : refuseOneMoreFor(writing, principal, named),
  ]);
  if (grants.length < GRANTS_ON_MOST) return refusedForPrincipal;
  return refuse('ROLES_ON_TOO_MANY', { what: describeResource(on), most: GRANTS_ON_MOST });
}

/** Who was there when it was named may be gone by now, and nothing is granted to nobody. */
async function exists(writing: Writing, principal: Principal): Promise<boolean> {
  switch (principal.kind) {
    case 'user':
      return (await findUserCreation(writing, principal.uid)) !== undefined;
    case 'service-account':
      return (await findAccount(writing, principal.uid)) !== undefined;
    default:
      return true;
  }
}

function streamOf({ kind }: Resource, uid: Uid): Stream {
  return { organization: organizationStream, project: projectStream, repository: repositoryStream }[kind](uid);
}
