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
  if (value === undefined) return undefined;
  return { uid: uidFromBytes(value.subarray(0, 16)), organization: uidFromBytes(value.subarray(16)) };
}
