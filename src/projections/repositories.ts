import { uidFromBytes, uidToBytes, type ProjectId, type RepositoryId, type Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import { aggregateUid, decodeJson, encodeJson, projection } from './projection.js';
import { indexOf, type Reading } from './store.js';

export interface RepositoryRecord {
  readonly uid: Uid;
  readonly project: Uid;
  /** As it was when the repository was created. */
  readonly projectId: ProjectId | undefined;
  readonly id: RepositoryId;
}

/** What is still to be said of a repository when its last key is gone. */
export interface LeavingRepository {
  readonly project: Uid;
  readonly projectId: ProjectId;
  readonly id: RepositoryId;
}

/** Which repositories there are, and which are on their way out. */
export const repositories = projection({
  name: 'repositories',
  version: 1,
  directory: 'registry',
  mode: 'inline',
  apply: {
    RepositoryCreated(event, view) {
      const { project, projectId, id } = event.payload;
      const uid = aggregateUid(event);
      view.set(['uid', uuidItem(uid)], encodeJson({ uid, project, projectId, id } satisfies RepositoryRecord));
      view.set(['id', uuidItem(project), id], uidToBytes(uid));
    },
    RepositoryDeletionBegun(event, view) {
      const { project, projectId, id } = event.payload;
      const uid = uuidItem(aggregateUid(event));
      view.clear(['uid', uid]);
      view.clear(['id', uuidItem(project), id]);
      view.set(['leaving', uid], encodeJson({ project, projectId, id } satisfies LeavingRepository));
    },
    RepositoryDeleted(event, view) {
      view.clear(['leaving', uuidItem(aggregateUid(event))]);
    },
  },
});

/** Costs one read. A repository whose deletion has begun is not found. */
export async function findRepositoryUid(reading: Reading, project: Uid, id: RepositoryId): Promise<Uid | undefined> {
  const bytes = await indexOf(reading, repositories).get(['id', uuidItem(project), id]);
  return bytes === undefined ? undefined : uidFromBytes(bytes);
}

export async function findRepository(reading: Reading, uid: Uid): Promise<RepositoryRecord | undefined> {
  const bytes = await indexOf(reading, repositories).get(['uid', uuidItem(uid)]);
  return bytes === undefined ? undefined : decodeJson<RepositoryRecord>(bytes);
}

/** A project's repositories in the order of their ids, behind `after`. */
export async function listRepositories(
  reading: Reading,
  project: Uid,
  page: { readonly limit: number; readonly after?: RepositoryId | undefined },
): Promise<readonly { readonly uid: Uid; readonly id: RepositoryId }[]> {
  const { limit, after } = page;
  const behind = after === undefined ? undefined : [after];
  const found = await indexOf(reading, repositories).range(['id', uuidItem(project)], { limit, after: behind });
  return found.map(({ items, value }) => ({ uid: uidFromBytes(value), id: String(items[0]) as RepositoryId }));
}

/** Repositories whose deletion has begun and has not ended. */
export async function listLeavingRepositories(reading: Reading, limit: number): Promise<readonly Uid[]> {
  const found = await indexOf(reading, repositories).range(['leaving'], { limit });
  return found.map(({ items }) => uidItem(items[0]));
}

/** Undefined when the repository's deletion has not begun, or has ended. */
export async function findLeavingRepository(reading: Reading, uid: Uid): Promise<LeavingRepository | undefined> {
  const bytes = await indexOf(reading, repositories).get(['leaving', uuidItem(uid)]);
  return bytes === undefined ? undefined : decodeJson<LeavingRepository>(bytes);
}

/** A UUID as the tuple layer unpacks it. */
export function uidItem(item: unknown): Uid {
  const value = typeof item === 'object' && item !== null && 'value' in item ? item.value : item;
  if (!Buffer.isBuffer(value)) throw new Error('a key part that is no uid');
  return uidFromBytes(value);
}
