import { refuse, type Refusal } from '../errors.js';
import { organizationStream, type Description, type OrganizationId, type Principal } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { findFirstOrganization, findOrganization, findOrganizationUid, type Organization } from '../projections/organizations.js';
import { listProjects } from '../projections/project-details.js';
import { standingAsAdministrator } from '../projections/standing.js';
import type { Writing } from '../projections/store.js';
import { refuseDescription, sameDescription } from './descriptions.js';
import type { CommandContext, Decision, Executor, NewEvent } from './execute.js';
import { refuseOneMoreFor } from './grant-limits.js';
import { canLogIn } from './last-owner.js';
import { findOwned } from './owned-resource.js';

/** Makes an organization. Only an administrator may. */
export interface CreateOrganization {
  readonly kind: 'CreateOrganization';
  readonly organization: Uid;
  readonly id: OrganizationId;
  readonly about: Description;
  /** Its first owner: a user who can log in. */
  readonly owner: Principal;
  /** The owner as it was named, for messages. */
  readonly named: string;
}

export interface OrganizationMade {
  readonly organization: Uid;
}

interface CreationState {
  readonly denied: Refusal | undefined;
  readonly ownerCanLogIn: boolean;
  /** The refusal, where the owner has as many roles as there can be. */
  readonly refusedAsTooMany: Refusal | undefined;
  readonly taken: boolean;
}

export function decideCreateOrganization(state: CreationState, command: CreateOrganization): Decision<OrganizationMade> {
  const { organization, id, about, owner, named } = command;
  if (state.denied !== undefined) return state.denied;
  if (owner.kind === 'all-users' || owner.kind === 'all-authenticated-users') return refuse('EVERYBODY_VIEWS_ONLY');
  if (!state.ownerCanLogIn) return refuse('OWNER_CANNOT_LOG_IN', { owner: named });
  const wrong = refuseDescription(about);
  if (wrong !== undefined) return wrong;
  if (state.taken) return refuse('ORGANIZATION_EXISTS', { organization: id });
  if (state.refusedAsTooMany !== undefined) return state.refusedAsTooMany;
  const stream = organizationStream(organization);
  const events: NewEvent[] = [{ stream, payload: { kind: 'OrganizationCreated', id } }];
  if (about.displayName !== '' || about.description !== '') {
    events.push({ stream, payload: { kind: 'OrganizationDescribed', ...about } });
  }
  events.push({ stream, payload: { kind: 'RoleGranted', principal: owner, role: 'owner' } });
  return { events, outcome: { organization } };
}

export function createOrganization(
  executor: Executor,
  context: CommandContext,
  command: CreateOrganization,
): Promise<OrganizationMade | Refusal> {
  return executor.execute(context, async (writing) => {
    const standing = await standingAsAdministrator(writing, context.actor);
    const denied = context.judgeManaging(standing, 'organizations');
    if (denied !== undefined) return denied;
    const { owner, named, id } = command;
    const [ownerCanLogIn, refusedAsTooMany, found] = await Promise.all([
      owner.kind === 'user' && canLogIn(writing, owner.uid),
      refuseOneMoreFor(writing, owner, named),
      findOrganizationUid(writing, id),
    ]);
    return decideCreateOrganization({ denied, ownerCanLogIn, refusedAsTooMany, taken: found !== undefined }, command);
  });
}

/** Says what an organization is called and is for. */
export interface DescribeOrganization {
  readonly kind: 'DescribeOrganization';
  readonly id: OrganizationId;
  /** What is left out stays. */
  readonly change: Partial<Description>;
}

interface OwnedState {
  readonly denied: Refusal | undefined;
  readonly organization: Organization | undefined;
}

function decideDescribeOrganization(
  { denied, organization }: OwnedState,
  { id, change }: DescribeOrganization,
): Decision<OrganizationMade> {
  if (denied !== undefined) return denied;
  if (organization === undefined) return refuse('ORGANIZATION_UNKNOWN', { organization: id });
  const { uid, displayName, description } = organization;
  const about = { displayName: change.displayName ?? displayName, description: change.description ?? description };
  const wrong = refuseDescription(about);
  if (wrong !== undefined) return wrong;
  const outcome = { organization: uid };
  if (sameDescription(about, organization)) return { events: [], outcome };
  return { events: [{ stream: organizationStream(uid), payload: { kind: 'OrganizationDescribed', ...about } }], outcome };
}

export function describeOrganization(
  executor: Executor,
  context: CommandContext,
  command: DescribeOrganization,
): Promise<OrganizationMade | Refusal> {
  return executor.execute(context, async (writing) =>
    decideDescribeOrganization(await loadOwned(writing, context, command.id), command),
  );
}

/** Takes an organization away that has no projects. */
export interface DeleteOrganization {
  readonly kind: 'DeleteOrganization';
  readonly id: OrganizationId;
}

interface DeletionState extends OwnedState {
  readonly isFirst: boolean;
  readonly hasProjects: boolean;
}

export function decideDeleteOrganization(state: DeletionState, { id }: DeleteOrganization): Decision<OrganizationMade> {
  const { denied, organization } = state;
  if (denied !== undefined) return denied;
  if (organization === undefined) return refuse('ORGANIZATION_UNKNOWN', { organization: id });
  if (state.isFirst) return refuse('ORGANIZATION_IS_FIRST', { organization: id });
  if (state.hasProjects) return refuse('ORGANIZATION_NOT_EMPTY', { organization: id });
  const { uid } = organization;
  return {
    events: [{ stream: organizationStream(uid), payload: { kind: 'OrganizationDeleted', id } }],
    outcome: { organization: uid },
  };
}

export function deleteOrganization(
  executor: Executor,
  context: CommandContext,
  command: DeleteOrganization,
): Promise<OrganizationMade | Refusal> {
  return executor.execute(context, async (writing) => {
    const owned = await loadOwned(writing, context, command.id);
    const uid = owned.organization?.uid;
    const isFirst = uid !== undefined && (await findFirstOrganization(writing)) === uid;
    const hasProjects = uid !== undefined && (await listProjects(writing, uid, 1)).length > 0;
    return decideDeleteOrganization({ ...owned, isFirst, hasProjects }, command);
  });
}

async function loadOwned(writing: Writing, context: CommandContext, id: OrganizationId): Promise<OwnedState> {
  const { denied, uid } = await findOwned(writing, context, { kind: 'organization', id });
  const organization = uid === undefined || denied !== undefined ? undefined : await findOrganization(writing, uid);
  return { denied, organization };
}
