import type { Position } from '../events/position.js';
import type { Description } from '../events/types.js';
import { uidFromBytes, uidToBytes, type ProjectId, type Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import { descriptionIn } from './organizations.js';
import { aggregateUid, encodeJson, nothing, projection } from './projection.js';
import { uidItem } from './repositories.js';
import { indexOf, type Reading } from './store.js';
import { splitPosition } from './views.js';

/** The projects by uid and by organization, with what is said of them. By id, which every request asks for: projects.ts. */
export const projectDetails = projection({
  name: 'project-details',
  version: 1,
  directory: 'platform',
  mode: 'inline',
  apply: {
    ProjectCreated(event, view) {
      const uid = aggregateUid(event);
      const { organization, id } = event.payload;
      view.setWithPosition(['uid', uuidItem(uid)], Buffer.concat([uidToBytes(organization), Buffer.from(id)]));
      view.set(['in', uuidItem(organization), uuidItem(uid)], nothing);
    },
    ProjectDescribed(event, view) {
      const { displayName, description } = event.payload;
      view.set(['about', uuidItem(aggregateUid(event))], encodeJson({ displayName, description } satisfies Description));
    },
    ProjectDeleted(event, view) {
      const uid = uuidItem(aggregateUid(event));
      view.clear(['uid', uid]);
      view.clear(['about', uid]);
      view.clear(['in', uuidItem(event.payload.organization), uid]);
    },
  },
});

export interface ProjectDetails extends Description {
  readonly uid: Uid;
  readonly id: ProjectId;
  readonly organization: Uid;
  readonly created: Position;
}

/** Undefined where there is none, or no more. Throws ProjectionNotLiveError. Costs two reads. */
export async function findProjectDetails(reading: Reading, uid: Uid): Promise<ProjectDetails | undefined> {
  const index = indexOf(reading, projectDetails);
  const [value, about] = await Promise.all([index.get(['uid', uuidItem(uid)]), index.get(['about', uuidItem(uid)])]);
  if (value === undefined) return undefined;
  const { position, rest } = splitPosition(value);
  const organization = uidFromBytes(rest.subarray(0, 16));
  return { uid, organization, id: rest.subarray(16).toString() as ProjectId, created: position, ...descriptionIn(about) };
}

/** The uids of an organization's projects, or of all, in the order of their making, behind `after`. Throws ProjectionNotLiveError. */
export async function listProjects(
  reading: Reading,
  organization: Uid | undefined,
  limit: number,
  after?: Uid,
): Promise<readonly Uid[]> {
  const items = organization === undefined ? ['uid'] : ['in', uuidItem(organization)];
  const options = { limit, after: after === undefined ? undefined : [uuidItem(after)] };
  const found = await indexOf(reading, projectDetails).range(items, options);
  return found.map(({ items: [uid] }) => uidItem(uid));
}
