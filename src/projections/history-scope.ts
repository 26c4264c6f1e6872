import type { Digest } from '../digest.js';
import { refuse, type Refusal } from '../errors.js';
import type { ImagePath, ProjectId, RepositoryId, Tag, Uid } from '../identifiers.js';
import { listBearers, type Bearer, type HistoryOf } from './history-pages.js';
import { findProject, type Project } from './projects.js';
import type { Reading } from './store.js';

/** What people ask the history of, by the ids that they know. */
export interface HistoryScope {
  readonly project: ProjectId;
  /** Without it, the project's own history. */
  readonly repository?: RepositoryId | undefined;
  /** Without it, all images of the repository. */
  readonly image?: ImagePath | undefined;
  /** Of `image`, which is then given. */
  readonly tag?: Tag | undefined;
  /** Of `image`, or without one of the whole repository, blobs included. */
  readonly digest?: Digest | undefined;
  /** Only this one of the repositories that bore the id. */
  readonly bearer?: Uid | undefined;
}

export interface FoundHistory {
  readonly project: Project;
  /** Every repository that ever bore the id and was asked for, the oldest first. */
  readonly bearers: readonly Bearer[];
  readonly of: readonly HistoryOf[];
}

/** Outlives the repository. Refused: a project that is not there, and a repository that never was. Throws ProjectionNotLiveError. */
export async function findHistory(reading: Reading, scope: HistoryScope): Promise<FoundHistory | Refusal> {
  const project = await findProject(reading, scope.project);
  if (project === undefined) return refuse('PROJECT_UNKNOWN', { project: scope.project });
  if (scope.repository === undefined) return { project, bearers: [], of: [{ kind: 'project', project: project.uid }] };
  const all = await listBearers(reading, project.uid, scope.repository);
  const bearers = scope.bearer === undefined ? all : all.filter(({ repository }) => repository === scope.bearer);
  if (bearers.length === 0) return refuse('REPOSITORY_UNKNOWN', { name: `${scope.project}/${scope.repository}` });
  return { project, bearers, of: bearers.map(({ repository }) => partOf(repository, scope)) };
}

function partOf(repository: Uid, { image, tag, digest }: HistoryScope): HistoryOf {
  if (digest !== undefined) return { kind: 'digest', repository, image, digest };
  if (image === undefined) return { kind: 'repository', repository };
  return tag === undefined ? { kind: 'image', repository, image } : { kind: 'tag', repository, image, tag };
}
