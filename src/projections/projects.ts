import { uidFromBytes, uidToBytes, type ProjectId, type Uid } from '../identifiers.js';
import { aggregateUid, projection } from './projection.js';
import { indexOf, type Reading } from './store.js';

export interface Project {
  readonly uid: Uid;
  readonly organization: Uid;
}

/** The projects by their ids, which are unique in the whole registry. */
export const projects = projection({
  name: 'projects',
  version: 1,
  directory: 'platform',
  mode: 'inline',
  apply: {
    ProjectCreated(event, view) {
      const { organization, id } = event.payload;
      view.set(['id', id], Buffer.concat([uidToBytes(aggregateUid(event)), uidToBytes(organization)]));
    },
    ProjectDeleted(event, view) {
      view.clear(['id', event.payload.id]);
    },
  },
});

/** Costs one read. */
export async function findProject(reading: Reading, id: ProjectId): Promise<Project | undefined> {
  const value = await indexOf(reading, projects).get(['id', id]);
  return value === undefined ? undefined : projectIn(value);
}

export interface ProjectEntry extends Project {
  readonly id: ProjectId;
}

/** The projects in the order of their ids, behind `after`. */
export async function listProjectsById(reading: Reading, limit: number, after?: ProjectId): Promise<readonly ProjectEntry[]> {
  const options = { limit, after: after === undefined ? undefined : [after] };
  const found = await indexOf(reading, projects).range(['id'], options);
  return found.map(({ items: [id], value }) => ({ id: String(id) as ProjectId, ...projectIn(value) }));
}

function projectIn(value: Buffer): Project {
  return { uid: uidFromBytes(value.subarray(0, 16)), organization: uidFromBytes(value.subarray(16)) };
}
