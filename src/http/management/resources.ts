import { digestForm, parseDigest, type Digest } from '../../digest.js';
import type { Refusal } from '../../errors.js';
import { refuse, reject, RefusalError } from '../../errors.js';
import { formatTime } from '../../events/database-time.js';
import { formatPosition, type Position } from '../../events/position.js';
import { timesOf } from '../../events/sampled-times.js';
import type { AccountId, Actor, OrganizationId } from '../../events/types.js';
import { parseName, problemOfId, type ProjectId, type RepositoryId, type RepositoryName, type Uid } from '../../identifiers.js';
import { judgeManaging, judgeSeeing } from '../../identity/judge.js';
import { findOrganization, findOrganizationUid, type Organization } from '../../projections/organizations.js';
import { findProjectDetails, type ProjectDetails } from '../../projections/project-details.js';
import { isBarred } from '../../projections/principals.js';
import { findProject, type Project } from '../../projections/projects.js';
import { findRepository } from '../../projections/repositories.js';
import { findRepositoryCreation, findSettings } from '../../projections/repository-details.js';
import { standingAsAdministrator, standingOnOrganization, standingOnProject, type Standing } from '../../projections/standing.js';
import type { LiveDirectory, Reading } from '../../projections/store.js';
import { findTarget, nobodys, standingToManageAbsentProject, type Target } from '../../projections/targets.js';
import { deny, type Exchange } from '../exchange.js';

/** What the answers show, and what has to hold before they do. */

/** The outcome, or the refusal thrown. */
export function granted<T>(outcome: T | Refusal): T {
  if (typeof outcome === 'object' && outcome !== null && 'refused' in outcome) throw new RefusalError(outcome);
  return outcome;
}

export function throwIf(refusal: Refusal | undefined): void {
  if (refusal !== undefined) throw new RefusalError(refusal);
}

/** Holds for an administrator of the registry; `what`: what would be managed, for the message. */
export async function administering(reading: Reading, { caller }: Exchange, what: string): Promise<void> {
  throwIf(judgeManaging(caller, await standingAsAdministrator(reading, caller.actor), what));
}

/** Holds for who could log in: a list has what one may see, and may be empty. */
export async function listing(reading: Reading, { caller }: Exchange, what: string): Promise<void> {
  const { actor } = caller;
  const standing = (await isBarred(reading, actor)) ? 'barred' : actor.kind === 'anonymous' ? undefined : 'viewer';
  throwIf(judgeSeeing(caller, standing, what));
}

// ---- Ids

/** One part of a `<name>`, or the refusal of what is none, with the reason. */
function idIn<T extends string>(field: string, text: string): T {
  const reason = problemOfId(text);
  return reason === undefined ? (text as T) : reject('FIELD_INVALID', { field, reason });
}

/** `field`: where the text stood. */
export const organizationId = (text: string, field = 'organization'): OrganizationId => idIn(field, text);
export const projectId = (text: string, field = 'project'): ProjectId => idIn(field, text);
export const accountId = (text: string, field = 'account'): AccountId => idIn(field, text);

export function repositoryName(project: string, repository: string, field = 'repository'): RepositoryName {
  const [of, id] = [idIn<ProjectId>('project', project), idIn<RepositoryId>(field, repository)];
  const name = parseName(`${of}/${id}`);
  return 'problem' in name ? reject('FIELD_INVALID', { field, reason: name.reason }) : name;
}

/** A digest in a path, whatever it may be of. */
export function digestIn(text: string): Digest {
  const reason = `${JSON.stringify(text)} is none; accepted is ${digestForm}`;
  return parseDigest(text) ?? reject('FIELD_INVALID', { field: 'digest', reason });
}

// ---- Times

/** Each with the time of its position in place of it. */
export async function withTimes<T extends { readonly created: Position }>(
  { tx }: Reading,
  { keyspace }: LiveDirectory,
  found: readonly T[],
): Promise<readonly (Omit<T, 'created'> & { readonly created: string })[]> {
  const timeOf = await timesOf(
    tx,
    keyspace,
    found.map(({ created }) => created),
  );
  return found.map((one) => ({ ...one, created: formatTime(timeOf(one.created)) }));
}

export async function withTime<T extends { readonly created: Position }>(reading: Reading, directory: LiveDirectory, found: T) {
  const [shown] = await withTimes(reading, directory, [found]);
  if (shown === undefined) throw new Error('one of one is missing');
  return shown;
}

/** A position as text that sorts as it, from the tenth incarnation on, too. */
export function sortable(position: Position): string {
  return formatPosition(position).padStart(POSITION_LENGTH_MOST, '0');
}

// An incarnation has 32 bits: ten digits, a hyphen, and 24 hexadecimal digits.
const POSITION_LENGTH_MOST = 10 + 1 + 24;

// ---- Organizations

export async function showOrganization(reading: Reading, found: Organization): Promise<object> {
  const { uid, id, displayName, description, created } = await withTime(reading, reading.platform, found);
  return { uid, id, displayName, description, created };
}

/** An organization that the caller may see: who has a role on it, or administers the registry. */
export async function seenOrganization(reading: Reading, { caller }: Exchange, text: string): Promise<Organization> {
  const id = organizationId(text);
  const uid = await findOrganizationUid(reading, id);
  // Where there is none, one that nobody has is asked for: how long it takes tells nobody what is there.
  const own = await standingOnOrganization(reading, caller.actor, uid ?? nobodys);
  throwIf(judgeSeeing(caller, own ?? (await standingAsAdministrator(reading, caller.actor)), `organization ${id}`));
  const found = uid && (await findOrganization(reading, uid));
  return found === undefined ? reject('ORGANIZATION_UNKNOWN', { organization: id }) : found;
}

// ---- Projects

export async function showProject(reading: Reading, found: ProjectDetails): Promise<object> {
  const organization = await findOrganization(reading, found.organization);
  const { uid, id, displayName, description, created } = await withTime(reading, reading.platform, found);
  return { uid, id, organization: organization?.id ?? found.organization, displayName, description, created };
}

export interface SeenProject {
  readonly details: ProjectDetails;
  readonly project: Project;
  readonly standing: Standing | undefined;
}

/** A project that the caller has a role on; who could create it, or administers the registry, is told that it is not there. */
export async function seenProject(reading: Reading, { caller }: Exchange, text: string): Promise<SeenProject> {
  const id = projectId(text);
  const project = await findProject(reading, id);
  const standing = await standingOnProjectOrNone(reading, caller.actor, project);
  throwIf(judgeSeeing(caller, standing, `project ${id}`));
  const details = project && (await findProjectDetails(reading, project.uid));
  return project === undefined || details === undefined
    ? reject('PROJECT_UNKNOWN', { project: id })
    : { details, project, standing };
}

/** The actor's role on a project, or on one that is not there. Costs who has none the same, whether it is there. */
export async function standingOnProjectOrNone(
  reading: Reading,
  actor: Actor,
  project: Project | undefined,
): Promise<Standing | undefined> {
  const own = await standingOnProject(reading, actor, project ?? nobodysProject);
  if (own !== undefined) return own;
  const onNone = await standingToManageAbsentProject(reading, actor);
  return project === undefined ? onNone : undefined;
}

const nobodysProject: Project = { uid: nobodys, organization: nobodys };

// ---- Repositories

/** A repository that the caller may pull from. */
export async function seenRepository(
  reading: Reading,
  { caller }: Exchange,
  name: RepositoryName,
): Promise<Target & { readonly repository: Uid; readonly project: Project }> {
  const target = await findTarget(reading, caller.actor, name);
  throwIf(deny(caller, 'pull', target));
  const { repository, project } = target;
  if (repository === undefined || project === undefined)
    throw new RefusalError(refuse('REPOSITORY_UNKNOWN', { name: name.name }));
  return { ...target, repository, project };
}

export async function showRepository(reading: Reading, project: string, uid: Uid): Promise<object> {
  const [record, settings, created] = await Promise.all([
    findRepository(reading, uid),
    findSettings(reading, uid),
    findRepositoryCreation(reading, uid),
  ]);
  if (record === undefined || created === undefined)
    throw new RefusalError(refuse('REPOSITORY_UNKNOWN', { name: `${project}/${uid}` }));
  const shown = await withTime(reading, reading.registry, { created });
  const { displayName, description, scanning, immutableTags, immutableTagExemptions } = settings;
  const about = { displayName, description, scanning, immutableTags, immutableTagExemptions };
  return { uid, id: record.id, project, ...about, created: shown.created };
}
