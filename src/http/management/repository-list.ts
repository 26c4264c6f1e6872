import { reject } from '../../errors.js';
import type { Actor } from '../../events/types.js';
import { judgeSeeing } from '../../identity/judge.js';
import type { RepositoryId, Uid } from '../../identifiers.js';
import { principalsOf } from '../../projections/grants.js';
import { findProject } from '../../projections/projects.js';
import { findRepository, listRepositories } from '../../projections/repositories.js';
import { findRepositoryRole, listRepositoriesOf } from '../../projections/repository-access.js';
import { findRepositoryCreation, findSettings } from '../../projections/repository-details.js';
import type { Reading } from '../../projections/store.js';
import type { Exchange } from '../exchange.js';
import { inPieces, isByTime, matches, pageByName, pageOf, readAll, type ListQuery, type Page } from './paging.js';
import { nobodys } from '../../projections/targets.js';
import { projectId, sortable, standingOnProjectOrNone, throwIf } from './resources.js';

/** The list of a project's repositories: which of them somebody sees, and what a page of it reads. */

interface Found {
  readonly uid: Uid;
  readonly id: RepositoryId;
}

export interface SeenRepositories {
  readonly project: Uid;
  /** Those that the caller has a role on; undefined: has one above, and so sees all. */
  readonly own: readonly Found[] | undefined;
}

/** Who has a role on none of them, nor on the project, is told the same as where there is none, after the same reads. */
export async function seenRepositories(reading: Reading, exchange: Exchange, text: string): Promise<SeenRepositories> {
  const { caller } = exchange;
  const id = projectId(text);
  const project = await findProject(reading, id);
  const standing = await standingOnProjectOrNone(reading, caller.actor, project);
  const own = standing === undefined ? await listGranted(reading, caller.actor, project?.uid ?? nobodys) : undefined;
  throwIf(judgeSeeing(caller, own === undefined || own.length === 0 ? standing : 'viewer', `project ${id}`));
  return project === undefined ? reject('PROJECT_UNKNOWN', { project: id }) : { project: project.uid, own };
}

// So many roles on repositories are looked up one by one, of each of the caller's principals.
const GRANTED_AT_MOST = 5_000;

/**
 * The repositories of a project that the actor has a role on itself. Begins with what was granted, not with what is there: a project without any costs the same,
 * however large it is, and one that is not there. Not guaranteed where more than 5 000 were granted to somebody one by one, say to allUsers in a registry of as many
 * public repositories: then the project's are looked at.
 */
async function listGranted(reading: Reading, actor: Actor, project: Uid): Promise<readonly Found[]> {
  const principals = principalsOf(actor);
  const each = await Promise.all(principals.map((one) => listRepositoriesOf(reading, [one], GRANTED_AT_MOST)));
  if (each.some(({ length }) => length === GRANTED_AT_MOST)) {
    const all = await readAll((most, last: Found | undefined) =>
      listRepositories(reading, project, { limit: most, after: last?.id }),
    );
    return inPieces(all, async (one) =>
      (await findRepositoryRole(reading, one.uid, principals)) === undefined ? undefined : one,
    );
  }
  return inPieces([...new Set(each.flat())], async (uid) => {
    const found = await findRepository(reading, uid);
    return found?.project === project ? { uid, id: found.id } : undefined;
  });
}

interface RepositoryQuery extends ListQuery {
  readonly q?: string | undefined;
  readonly scanning?: boolean | undefined;
  readonly immutableTags?: boolean | undefined;
}

/** The uids of a page. By name no more is read than it needs; in another order all of them are. */
export async function pageOfRepositories(
  reading: Reading,
  { project, own }: SeenRepositories,
  query: RepositoryQuery,
): Promise<Page<Uid>> {
  const read = (limitOfSome: number, behind: string | undefined) =>
    listRepositories(reading, project, { limit: limitOfSome, after: behind as RepositoryId | undefined });
  const isKept = async (found: Found) => ((await keeps(reading, found, query)) ? found.uid : undefined);
  if (own === undefined && (query.sort ?? 'name') === 'name') {
    return pageByName(query, { nameOf: ({ id }) => id, uidOf: ({ uid }) => uid, read, keep: isKept });
  }
  const all = own ?? (await readAll((most, last: Found | undefined) => read(most, last?.id)));
  const listed = await inPieces(all, async (found) => {
    if (!(await keeps(reading, found, query))) return undefined;
    const created = isByTime(query) ? await findRepositoryCreation(reading, found.uid) : undefined;
    return { item: found.uid, name: found.id, created: created === undefined ? '' : sortable(created), uid: found.uid };
  });
  return pageOf(listed, query);
}

async function keeps(
  reading: Reading,
  { uid, id }: Found,
  { q: sought, scanning: scan, immutableTags: immutable }: RepositoryQuery,
) {
  if (sought === undefined && scan === undefined && immutable === undefined) return true;
  const about = await findSettings(reading, uid);
  const kept = (scan ?? about.scanning) === about.scanning && (immutable ?? about.immutableTags) === about.immutableTags;
  return kept && matches(sought, id, about.displayName);
}
