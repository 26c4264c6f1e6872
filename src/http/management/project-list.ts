import type { Actor } from '../../events/types.js';
import type { ProjectId, Uid } from '../../identifiers.js';
import { listPlatformRolesOf } from '../../projections/access.js';
import { principalsOf } from '../../projections/grants.js';
import { findOrganizationUid } from '../../projections/organizations.js';
import { findProjectDetails, listProjects, type ProjectDetails } from '../../projections/project-details.js';
import { listProjectsById, type ProjectEntry } from '../../projections/projects.js';
import { standingAsAdministrator } from '../../projections/standing.js';
import type { Reading } from '../../projections/store.js';
import { inPieces, matches, pageByName, pageOf, readAll, type ListQuery, type Page } from './paging.js';
import { nobodys } from '../../projections/targets.js';
import { organizationId, sortable } from './resources.js';

/** The list of projects: which of them somebody sees, and what a page of it reads. */

interface ProjectQuery extends ListQuery {
  readonly q?: string | undefined;
  readonly organization?: string | undefined;
}

/** A page for who may log in. An administrator sees all, by name no more than the page needs; others what they have a role on, or on whose organization. */
export async function pageOfProjects(reading: Reading, actor: Actor, query: ProjectQuery): Promise<Page<ProjectDetails>> {
  const of = query.organization === undefined ? undefined : await organizationNamed(reading, query.organization);
  const seesAll = (await standingAsAdministrator(reading, actor)) === 'owner';
  if (seesAll && (query.sort ?? 'name') === 'name') return pageOfAll(reading, of, query);
  const uids = seesAll ? await listIn(reading, of) : await listHeld(reading, actor, of);
  const found = await inPieces(uids, async (uid) => {
    const details = await findProjectDetails(reading, uid);
    const kept = details !== undefined && (of ?? details.organization) === details.organization;
    return kept && matches(query.q, details.id, details.displayName) ? details : undefined;
  });
  const listed = found.map((item) => ({ item, name: item.id, created: sortable(item.created), uid: item.uid }));
  return pageOf(listed, query);
}

/** One that is not there has no projects, and is looked for no longer than one that is. */
async function organizationNamed(reading: Reading, text: string): Promise<Uid> {
  return (await findOrganizationUid(reading, organizationId(text))) ?? nobodys;
}

async function pageOfAll(reading: Reading, of: Uid | undefined, query: ProjectQuery): Promise<Page<ProjectDetails>> {
  const { items, after } = await pageByName(query, {
    nameOf: ({ id }: ProjectEntry) => id,
    uidOf: ({ uid }: ProjectEntry) => uid,
    read: (limit, behind) => listProjectsById(reading, limit, behind as ProjectId | undefined),
    keep: async ({ uid, organization }: ProjectEntry) => {
      if ((of ?? organization) !== organization) return undefined;
      if (query.q === undefined) return uid;
      const details = await findProjectDetails(reading, uid);
      return details !== undefined && matches(query.q, details.id, details.displayName) ? uid : undefined;
    },
  });
  const found = await Promise.all(items.map((uid) => findProjectDetails(reading, uid)));
  return { items: found.filter((one) => one !== undefined), after };
}

/** Begins with what was granted, not with what is there: what the actor has no role on is not looked at. */
async function listHeld(reading: Reading, actor: Actor, of: Uid | undefined): Promise<readonly Uid[]> {
  const held = (await Promise.all(principalsOf(actor).map((one) => listPlatformRolesOf(reading, one)))).flat();
  const organizations = held.filter(({ aggregate, on }) => aggregate === 'organization' && (of ?? on) === on);
  const within = await Promise.all(organizations.map(({ on }) => listIn(reading, on)));
  const own = held.filter(({ aggregate }) => aggregate === 'project').map(({ on }) => on);
  return [...new Set([...own, ...within.flat()])];
}

function listIn(reading: Reading, organization: Uid | undefined): Promise<readonly Uid[]> {
  return readAll((most, last) => listProjects(reading, organization, most, last));
}
