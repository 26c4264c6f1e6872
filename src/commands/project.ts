import { refuse, type Refusal } from '../errors.js';
import { projectStream, serviceAccountStream, type Actor, type Description, type OrganizationId } from '../events/types.js';
import type { ProjectId, Uid } from '../identifiers.js';
import { listOwnedOrganizations } from '../projections/access.js';
import { findOrganizationUid } from '../projections/organizations.js';
import { listAccountsIn, type AccountEntry } from '../projections/principals.js';
import { findProjectDetails, type ProjectDetails } from '../projections/project-details.js';
import { findProject } from '../projections/projects.js';
import { listRepositoriesByTime } from '../projections/repository-details.js';
import { standingAsAdministrator, standingOnOrganization, type Standing } from '../projections/standing.js';
import type { Writing } from '../projections/store.js';
import { findOnlyOrganization } from '../projections/targets.js';
import { refuseDescription, sameDescription } from './descriptions.js';
import type { CommandContext, Decision, Executor, NewEvent } from './execute.js';
import { findOwned } from './owned-resource.js';

/** Makes a project. An owner of its organization may. */
export interface CreateProject {
  readonly kind: 'CreateProject';
  readonly project: Uid;
  readonly id: ProjectId;
  /** Without it, the one that the actor owns, where that is exactly one. */
  readonly organization: OrganizationId | undefined;
  readonly about: Description;
}

export interface ProjectMade {
  readonly project: Uid;
}

interface CreationState {
  readonly denied: Refusal | undefined;
  readonly organization: Uid | undefined;
  readonly taken: boolean;
}

export function decideCreateProject(state: CreationState, command: CreateProject): Decision<ProjectMade> {
  const { project, id, about } = command;
  if (state.denied !== undefined) return state.denied;
  if (state.organization === undefined) {
    const { organization } = command;
    return organization === undefined ? refuse('ORGANIZATION_NEEDED') : refuse('ORGANIZATION_UNKNOWN', { organization });
  }
  const wrong = refuseDescription(about);
  if (wrong !== undefined) return wrong;
  if (state.taken) return refuse('PROJECT_EXISTS', { project: id });
  const stream = projectStream(project);
  const events: NewEvent[] = [{ stream, payload: { kind: 'ProjectCreated', organization: state.organization, id } }];
  if (about.displayName !== '' || about.description !== '') {
    events.push({ stream, payload: { kind: 'ProjectDescribed', ...about } });
  }
  return { events, outcome: { project } };
}

export function createProject(
  executor: Executor,
  context: CommandContext,
  command: CreateProject,
): Promise<ProjectMade | Refusal> {
  return executor.execute(context, async (writing) => {
    const { organization: id } = command;
    const organization =
      id === undefined ? await findOnlyOrganization(writing, context.actor) : await findOrganizationUid(writing, id);
    const standing =
      organization === undefined
        ? await standingWithoutOrganization(writing, context.actor, id)
        : await standingOnOrganization(writing, context.actor, organization);
    const denied = context.judgeManaging(standing, id === undefined ? 'an organization' : `organization ${id}`);
    const taken = denied === undefined && (await findProject(writing, command.id)) !== undefined;
    return decideCreateProject({ denied, organization, taken }, command);
  });
}

/** Where it is not known in which organization the project is to be: who owns several is asked which, and an administrator is told that there is none of that id. */
async function standingWithoutOrganization(
  writing: Writing,
  actor: Actor,
  id: OrganizationId | undefined,
): Promise<Standing | undefined> {
  const standing = await standingAsAdministrator(writing, actor);
  if (id !== undefined || standing === 'barred' || actor.uid === undefined) return standing;
  return (await listOwnedOrganizations(writing, actor.uid, 1)).length > 0 ? 'owner' : standing;
}

export interface DescribeProject {
  readonly kind: 'DescribeProject';
  readonly id: ProjectId;
  /** What is left out stays. */
  readonly change: Partial<Description>;
}

interface OwnedState {
  readonly denied: Refusal | undefined;
  readonly project: ProjectDetails | undefined;
}

function decideDescribeProject({ denied, project }: OwnedState, { id, change }: DescribeProject): Decision<ProjectMade> {
  if (denied !== undefined) return denied;
  if (project === undefined) return refuse('PROJECT_UNKNOWN', { project: id });
  const { uid, displayName, description } = project;
  const about = { displayName: change.displayName ?? displayName, description: change.description ?? description };
  const wrong = refuseDescription(about);
  if (wrong !== undefined) return wrong;
  const outcome = { project: uid };
  if (sameDescription(about, project)) return { events: [], outcome };
  return { events: [{ stream: projectStream(uid), payload: { kind: 'ProjectDescribed', ...about } }], outcome };
}

export function describeProject(
  executor: Executor,
  context: CommandContext,
  command: DescribeProject,
): Promise<ProjectMade | Refusal> {
  return executor.execute(context, async (writing) =>
    decideDescribeProject(await loadOwnedProject(writing, context, command.id), command),
  );
}

/** Takes a project away that has no repositories, and its service accounts with it. */
export interface DeleteProject {
  readonly kind: 'DeleteProject';
  readonly id: ProjectId;
}

// Each is an event and clears its keys and roles.
const ACCOUNTS_AT_ONCE = 200;

interface DeletionState extends OwnedState {
  readonly hasRepositories: boolean;
  /** One more than go in one transaction, where there are as many. */
  readonly accounts: readonly AccountEntry[];
}

export function decideDeleteProject(state: DeletionState, { id }: DeleteProject): Decision<ProjectMade> {
  const { denied, project, accounts } = state;
  if (denied !== undefined) return denied;
  if (project === undefined) return refuse('PROJECT_UNKNOWN', { project: id });
  if (state.hasRepositories) return refuse('PROJECT_NOT_EMPTY', { project: id });
  if (accounts.length > ACCOUNTS_AT_ONCE) return refuse('PROJECT_HAS_ACCOUNTS', { project: id, most: ACCOUNTS_AT_ONCE });
  const { uid, organization } = project;
  const events = accounts.map((account): NewEvent => ({
    stream: serviceAccountStream(account.uid),
    payload: { kind: 'ServiceAccountDeleted', project: uid, projectId: id, id: account.id },
  }));
  events.push({ stream: projectStream(uid), payload: { kind: 'ProjectDeleted', organization, id } });
  return { events, outcome: { project: uid } };
}

export function deleteProject(
  executor: Executor,
  context: CommandContext,
  command: DeleteProject,
): Promise<ProjectMade | Refusal> {
  return executor.execute(context, async (writing) => {
    const own = await loadOwnedProject(writing, context, command.id);
    if (own.project === undefined) return decideDeleteProject({ ...own, hasRepositories: false, accounts: [] }, command);
    const { uid } = own.project;
    const [repositories, accounts] = await Promise.all([
      listRepositoriesByTime(writing, uid, { limit: 1 }),
      listAccountsIn(writing, uid, ACCOUNTS_AT_ONCE + 1),
    ]);
    return decideDeleteProject({ ...own, hasRepositories: repositories.length > 0, accounts }, command);
  });
}

/** A project that the actor owns. */
export async function loadOwnedProject(writing: Writing, context: CommandContext, id: ProjectId): Promise<OwnedState> {
  const { denied, uid } = await findOwned(writing, context, { kind: 'project', id });
  const project = uid === undefined || denied !== undefined ? undefined : await findProjectDetails(writing, uid);
  return { denied, project };
}
