import { refuse, type Refusal } from '../errors.js';
import { projectStream, type Actor, type Description, type OrganizationId } from '../events/types.js';
import type { ProjectId, Uid } from '../identifiers.js';
import { listOwnedOrganizations } from '../projections/access.js';
import { findOrganizationUid } from '../projections/organizations.js';
import { listAccountsIn } from '../projections/principals.js';
import { findProjectDetails, type ProjectDetails } from '../projections/project-details.js';
import { findProject } from '../projections/projects.js';
import { listRepositoriesByTime } from '../projections/repository-details.js';
import { standingAsAdministrator, standingOnOrganization, type Standing } from '../projections/standing.js';
import type { Writing } from '../projections/store.js';
import { findOnlyOrganization } from '../projections/targets.js';
import { refuseDescription, sameDescription } from './descriptions.js';
import { isRefusal, type CommandContext, type Decision, type Executor, type NewEvent } from './execute.js';
import { departureOf, loadLeavingAccount, type LeavingAccount } from './leaving-accounts.js';
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

/**
 * Takes a project away that has no repositories, and its service accounts with it. In one transaction, unless these are more than one takes: then accounts go before the
 * project, each whole, so that it can be repeated after a crash. Not guaranteed is that the accounts are still there where the deletion ends in a refusal on its way,
 * as when a repository is made meanwhile.
 */
export interface DeleteProject {
  readonly kind: 'DeleteProject';
  readonly id: ProjectId;
}

interface DeletionState extends OwnedState {
  readonly hasRepositories: boolean;
  /** In the order in which they go. */
  readonly accounts: readonly LeavingAccount[];
  /** There are more accounts than these. */
  readonly hasMoreAccounts: boolean;
}

interface DeletionStep extends ProjectMade {
  readonly done: boolean;
}

export function decideDeleteProject(state: DeletionState, { id }: DeleteProject): Decision<DeletionStep> {
  const { denied, project, accounts, hasMoreAccounts } = state;
  if (denied !== undefined) return denied;
  if (project === undefined) return refuse('PROJECT_UNKNOWN', { project: id });
  if (state.hasRepositories) return refuse('PROJECT_NOT_EMPTY', { project: id });
  const { uid, organization } = project;
  const { events, isComplete } = departureOf(project, accounts);
  if (!isComplete || hasMoreAccounts) return { events, outcome: { project: uid, done: false } };
  const deleted: NewEvent = { stream: projectStream(uid), payload: { kind: 'ProjectDeleted', organization, id } };
  return { events: [...events, deleted], outcome: { project: uid, done: true } };
}

/** `contextOf` makes a context with a command id of its own for each of the transactions. */
export async function deleteProject(
  executor: Executor,
  contextOf: () => CommandContext,
  command: DeleteProject,
): Promise<ProjectMade | Refusal> {
  for (let begun: Uid | undefined; ;) {
    const context = contextOf();
    const step = await executor.execute<DeletionStep>(context, async (writing) => {
      // Somebody else may have taken it away meanwhile, and made another one under its id.
      if (begun !== undefined && (await findProject(writing, command.id))?.uid !== begun) {
        return { events: [], outcome: { project: begun, done: true } };
      }
      const owned = await loadOwnedProject(writing, context, command.id);
      return decideDeleteProject({ ...owned, ...(await loadContents(writing, context.actor, owned.project)) }, command);
    });
    if (isRefusal(step)) return step;
    begun = step.project;
    if (step.done) return { project: begun };
  }
}

// Each is looked at for what goes with it, at once: up to a hundred keys.
const ACCOUNTS_AT_ONCE = 50;

type Contents = Pick<DeletionState, 'hasRepositories' | 'accounts' | 'hasMoreAccounts'>;

async function loadContents(writing: Writing, actor: Actor, project: ProjectDetails | undefined): Promise<Contents> {
  if (project === undefined) return { hasRepositories: false, accounts: [], hasMoreAccounts: false };
  const [repositories, found] = await Promise.all([
    listRepositoriesByTime(writing, project.uid, { limit: 1 }),
    listAccountsIn(writing, project.uid, ACCOUNTS_AT_ONCE + 1),
  ]);
  // An account that takes its own project away is the last to go: whoever is gone may do no more.
  const others = found.filter(({ uid }) => uid !== actor.uid);
  const hasMoreAccounts = found.length > ACCOUNTS_AT_ONCE;
  const leaving = hasMoreAccounts
    ? others.slice(0, ACCOUNTS_AT_ONCE)
    : [...others, ...found.filter(({ uid }) => uid === actor.uid)];
  const accounts = await Promise.all(leaving.map((account) => loadLeavingAccount(writing, account)));
  return { hasRepositories: repositories.length > 0, accounts, hasMoreAccounts };
}

/** A project that the actor owns. */
export async function loadOwnedProject(writing: Writing, context: CommandContext, id: ProjectId): Promise<OwnedState> {
  const { denied, uid } = await findOwned(writing, context, { kind: 'project', id });
  const project = uid === undefined || denied !== undefined ? undefined : await findProjectDetails(writing, uid);
  return { denied, project };
}
