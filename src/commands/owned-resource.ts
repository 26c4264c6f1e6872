import { refuse, type Refusal } from '../errors.js';
import type { OrganizationId } from '../events/types.js';
import type { ProjectId, RepositoryName, Uid } from '../identifiers.js';
import { findOrganizationUid } from '../projections/organizations.js';
import { findProject, type Project } from '../projections/projects.js';
import { standingAsAdministrator, standingOnOrganization, standingOnProject } from '../projections/standing.js';
import type { Reading } from '../projections/store.js';
import { findTarget, standingToManageAbsentProject } from '../projections/targets.js';
import type { Judging } from './execute.js';

/** What a role is granted on. */
export type Resource =
  | { readonly kind: 'organization'; readonly id: OrganizationId }
  | { readonly kind: 'project'; readonly id: ProjectId }
  | { readonly kind: 'repository'; readonly name: RepositoryName };

export interface Owned {
  /** The refusal of an actor who does not own it: the same whether it is there or not. */
  readonly denied: Refusal | undefined;
  /** Undefined: it is not there. */
  readonly uid: Uid | undefined;
  /** The project that it is, or lies in. */
  readonly project: Project | undefined;
}

/**
 * What the actor wants to manage, with the "no" to one who may not: the same whether it is there or not. Who could make it is told that it is not there (DESIGN,
 * section 9).
 */
export async function findOwned(reading: Reading, { actor, judge, judgeManaging }: Judging, on: Resource): Promise<Owned> {
  switch (on.kind) {
    case 'organization': {
      const uid = await findOrganizationUid(reading, on.id);
      const standing =
        uid === undefined ? await standingAsAdministrator(reading, actor) : await standingOnOrganization(reading, actor, uid);
      return { uid, project: undefined, denied: judgeManaging(standing, describeResource(on)) };
    }
    case 'project': {
      const project = await findProject(reading, on.id);
      const standing =
        project === undefined
          ? await standingToManageAbsentProject(reading, actor)
          : await standingOnProject(reading, actor, project);
      return { uid: project?.uid, project, denied: judgeManaging(standing, describeResource(on)) };
    }
    case 'repository': {
      const target = await findTarget(reading, actor, on.name);
      return { uid: target.repository, project: target.project, denied: judge('manage', target) };
    }
  }
}

export function refuseUnknown(on: Resource): Refusal {
  switch (on.kind) {
    case 'organization':
      return refuse('ORGANIZATION_UNKNOWN', { organization: on.id });
    case 'project':
      return refuse('PROJECT_UNKNOWN', { project: on.id });
    case 'repository':
      return refuse('REPOSITORY_UNKNOWN', { name: on.name.name });
  }
}

/** For messages. */
export function describeResource(on: Resource): string {
  return on.kind === 'repository' ? `repository ${on.name.name}` : `${on.kind} ${on.id}`;
}
