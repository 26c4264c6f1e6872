import { refuse, type Refusal } from '../errors.js';
import { projectStream, repositoryStream, type RepositoryCreated, type RepositorySettings } from '../events/types.js';
import type { RepositoryName, Uid } from '../identifiers.js';
import { listManifestsOfRepository } from '../projections/manifests.js';
import { listLinks } from '../projections/references.js';
import { defaultSettings, findSettings } from '../projections/repository-details.js';
import { findLeavingRepository, listLeavingRepositories } from '../projections/repositories.js';
import { listTagsOfRepository } from '../projections/tags.js';
import { findOnlyOrganization, findTarget, type Target } from '../projections/targets.js';
import type { Writing } from '../projections/store.js';
import { clearPullsOfDeleted } from './deleted-pulls.js';
import { refuseSettings, sameDescription } from './descriptions.js';
import { isImmutable, TAGS_LOOKED_AT } from './immutable-tags.js';
import { isRefusal, type CommandContext, type Decision, type Executor, type NewEvent } from './execute.js';

/** Creates the repository of `name`, and its project where the actor owns exactly one organization to create it in. */
export interface CreateRepository {
  readonly kind: 'CreateRepository';
  readonly name: RepositoryName;
  readonly origin: RepositoryCreated['origin'];
  readonly scanning: boolean;
  /** What is left out is as by default. */
  readonly settings?: Partial<Omit<RepositorySettings, 'scanning'>>;
  /** Nothing is created where the project is not there. */
  readonly inProject?: boolean;
  /** Uids for what may have to be made. */
  readonly newRepository: Uid;
  readonly newProject: Uid;
}

interface CreationState extends Target {
  readonly denied: Refusal | undefined;
  /** Where a new project would go. */
  readonly organization: Uid | undefined;
}

export interface RepositoryMade {
  readonly repository: Uid;
  readonly created: boolean;
}

export function decideCreateRepository(state: CreationState, command: CreateRepository): Decision<RepositoryMade> {
  const { name, newRepository, origin, scanning } = command;
  if (state.denied !== undefined) return state.denied;
  if (state.repository !== undefined) {
    if (origin === 'push') return { events: [], outcome: { repository: state.repository, created: false } };
    return refuse('REPOSITORY_EXISTS', { name: `${name.project}/${name.repository}` });
  }
  if (state.role !== 'owner') return refuse('REPOSITORY_NEEDS_OWNER', { name: name.name, project: name.project });
  const settings = { ...defaultSettings, ...command.settings, scanning };
  const wrong = refuseSettings(settings);
  if (wrong !== undefined) return wrong;
  const events: NewEvent[] = [];
  const project = state.project?.uid ?? command.newProject;
  if (state.project === undefined) {
    if (state.organization === undefined || command.inProject === true)
      return refuse('PROJECT_UNKNOWN', { project: name.project });
    events.push({
      stream: projectStream(project),
      payload: { kind: 'ProjectCreated', organization: state.organization, id: name.project },
    });
  }
  events.push({
    stream: repositoryStream(newRepository),
    payload: { kind: 'RepositoryCreated', project, projectId: name.project, id: name.repository, origin, scanning },
  });
  if (!sameSettings(settings, { ...defaultSettings, scanning })) {
    events.push({ stream: repositoryStream(newRepository), payload: { kind: 'RepositorySettingsChanged', ...settings } });
  }
  return { events, outcome: { repository: newRepository, created: true } };
}

/** Two at once create one repository: the second conflicts on the id, and then finds it. */
export function createRepository(
  executor: Executor,
  context: CommandContext,
  command: CreateRepository,
): Promise<RepositoryMade | Refusal> {
  return executor.execute(context, async (writing) => {
    const target = await findTarget(writing, context.actor, command.name);
    const organization = target.project === undefined ? await findOnlyOrganization(writing, context.actor) : undefined;
    const denied = refuseByToken(context, command, target) ?? context.judge('push', target);
    const state = { ...target, organization, denied };
    return decideCreateRepository(state, command);
  });
}

/** A push creates what it goes to; else it is managing, which no token is good for. */
function refuseByToken(context: CommandContext, { origin, name }: CreateRepository, { role }: Target): Refusal | undefined {
  return origin === 'push' || role !== 'owner' ? undefined : context.judgeManaging(role, name.name);
}

/** Changes some of a repository's settings. An owner of it may. */
export interface ChangeRepositorySettings {
  readonly kind: 'ChangeRepositorySettings';
  readonly name: RepositoryName;
  /** What is left out stays. */
  readonly change: Partial<RepositorySettings>;
}

interface SettingsState extends Target {
  readonly denied: Refusal | undefined;
  readonly settings: RepositorySettings;
}

function decideChangeRepositorySettings(
  state: SettingsState,
  { name, change }: ChangeRepositorySettings,
): Decision<{ readonly repository: Uid }> {
  if (state.denied !== undefined) return state.denied;
  if (state.repository === undefined) return refuse('REPOSITORY_UNKNOWN', { name: name.name });
  const settings = { ...state.settings, ...change };
  const wrong = refuseSettings(settings);
  if (wrong !== undefined) return wrong;
  const outcome = { repository: state.repository };
  if (sameSettings(settings, state.settings)) return { events: [], outcome };
  const payload = { kind: 'RepositorySettingsChanged', ...settings } as const;
  return { events: [{ stream: repositoryStream(state.repository), payload }], outcome };
}

export function changeRepositorySettings(
  executor: Executor,
  context: CommandContext,
  command: ChangeRepositorySettings,
): Promise<{ readonly repository: Uid } | Refusal> {
  return executor.execute(context, async (writing) => {
    const target = await findTarget(writing, context.actor, command.name);
    const denied = context.judge('manage', target);
    const { repository } = target;
    const settings = repository === undefined || denied !== undefined ? defaultSettings : await findSettings(writing, repository);
    return decideChangeRepositorySettings({ ...target, denied, settings }, command);
  });
}

function sameSettings(left: RepositorySettings, right: RepositorySettings): boolean {
  return (
    sameDescription(left, right) &&
    left.scanning === right.scanning &&
    left.immutableTags === right.immutableTags &&
    left.immutableTagExemptions.join('\n') === right.immutableTagExemptions.join('\n')
  );
}

/** Deletes a repository with all its images: invisible at once, then emptied in bounded transactions, gone in the last. */
export interface DeleteRepository {
  readonly kind: 'DeleteRepository';
  readonly name: RepositoryName;
}

interface DeletionState extends Target {
  readonly denied: Refusal | undefined;
  /** Why its tags have to stay. */
  readonly kept: Refusal | undefined;
}

export function decideDeleteRepository(state: DeletionState, { name }: DeleteRepository): Decision<{ readonly repository: Uid }> {
  if (state.denied !== undefined) return state.denied;
  const { repository, project } = state;
  if (repository === undefined || project === undefined) return refuse('REPOSITORY_UNKNOWN', { name: name.name });
  if (state.kept !== undefined) return state.kept;
  const facts = { project: project.uid, projectId: name.project, id: name.repository };
  return {
    events: [{ stream: repositoryStream(repository), payload: { kind: 'RepositoryDeletionBegun', ...facts } }],
    outcome: { repository },
  };
}

/** `contextOf` makes a context with a command id of its own for each of the transactions. */
export async function deleteRepository(
  executor: Executor,
  contextOf: () => CommandContext,
  command: DeleteRepository,
): Promise<{ readonly repository: Uid } | Refusal> {
  const context = contextOf();
  const begun = await executor.execute(context, async (writing) => {
    const target = await findTarget(writing, context.actor, command.name);
    const denied = context.judge('manage', target);
    const { repository } = target;
    const kept =
      repository === undefined || denied !== undefined ? undefined : await refuseKept(writing, repository, command.name.name);
    return decideDeleteRepository({ ...target, denied, kept }, command);
  });
  if (!isRefusal(begun)) await emptyRepository(executor, contextOf, begun.repository);
  return begun;
}

async function refuseKept(writing: Writing, repository: Uid, name: string): Promise<Refusal | undefined> {
  const settings = await findSettings(writing, repository);
  if (!settings.immutableTags) return undefined;
  const tags = await listTagsOfRepository(writing, repository, TAGS_LOOKED_AT);
  const kept = tags.find(({ tag }) => isImmutable(settings, tag));
  if (kept !== undefined) return refuse('REPOSITORY_IMMUTABLE', { name, tag: kept.tag });
  return tags.length < TAGS_LOOKED_AT ? undefined : refuse('IMMUTABLE_TAGS_UNREAD', { name, most: TAGS_LOOKED_AT });
}

/** Goes on with the deletions that an earlier process began and did not end. */
export async function resumeDeletions(executor: Executor, contextOf: () => CommandContext): Promise<void> {
  for (;;) {
    const [repository] = await executor.store.read((reading) => listLeavingRepositories(reading, 1));
    if (repository === undefined) return;
    await emptyRepository(executor, contextOf, repository);
  }
}

async function emptyRepository(executor: Executor, contextOf: () => CommandContext, repository: Uid): Promise<void> {
  for (;;) {
    const step = await executor.execute(contextOf(), async (writing) => {
      const decision = decideEmptying(await loadRemains(writing, repository));
      if (!isRefusal(decision)) clearPullsOfDeleted(writing, decision.events);
      return decision;
    });
    if (isRefusal(step) || step.done) return;
  }
}

// A manifest's references cost about three times its bytes in keys and conflict ranges; a transaction has 10 MB.
const STEP_MANIFEST_BYTES = 1_000_000;
const STEP_KEYS = 200;
// Each is read for what it held, one after the other: a transaction has 5 s.
const STEP_MANIFESTS = 100;

type Remains = Awaited<ReturnType<typeof loadRemains>>;

/** What goes next: tags, then manifests, then links, then the repository. */
async function loadRemains(writing: Writing, repository: Uid) {
  const leaving = await findLeavingRepository(writing, repository);
  const tags = leaving !== undefined ? await listTagsOfRepository(writing, repository, STEP_KEYS) : [];
  const manifests =
    leaving !== undefined && tags.length === 0 ? await listManifestsOfRepository(writing, repository, STEP_MANIFESTS) : [];
  const links =
    leaving !== undefined && tags.length === 0 && manifests.length === 0 ? await listLinks(writing, repository, STEP_KEYS) : [];
  return { repository, leaving, tags, manifests, links };
}

export function decideEmptying(remains: Remains): Decision<{ readonly done: boolean }> {
  const stream = repositoryStream(remains.repository);
  if (remains.leaving === undefined) return { events: [], outcome: { done: true } };
  const events: NewEvent[] = remains.tags.map((tag) => ({ stream, payload: { kind: 'TagDeleted', ...tag } }));
  let bytes = 0;
  for (const { image, digest, size } of remains.manifests) {
    if (bytes > 0 && bytes + size > STEP_MANIFEST_BYTES) break;
    bytes += size;
    events.push({ stream, payload: { kind: 'ManifestDeleted', image, digest } });
  }
  events.push(...remains.links.map((digest): NewEvent => ({ stream, payload: { kind: 'BlobUnlinked', digest } })));
  if (events.length > 0) return { events, outcome: { done: false } };
  return { events: [{ stream, payload: { kind: 'RepositoryDeleted', ...remains.leaving } }], outcome: { done: true } };
}
