import type { Position } from '../events/position.js';
import type { Description, OrganizationId } from '../events/types.js';
import { uidFromBytes, uidToBytes, type Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import { aggregateUid, decodeJson, encodeJson, projection } from './projection.js';
import { uidItem } from './repositories.js';
import { indexOf, type Reading } from './store.js';
import { splitPosition, type Index } from './views.js';

/** The organizations: by their ids, which are unique in the whole registry, and by their uids. */
export const organizations = projection({
  name: 'organizations',
  version: 1,
  directory: 'platform',
  mode: 'inline',
  apply: {
    async OrganizationCreated(event, view) {
      const uid = aggregateUid(event);
      const { id } = event.payload;
      view.set(['id', id], uidToBytes(uid));
      view.setWithPosition(['uid', uuidItem(uid)], Buffer.from(id));
      if ((await view.get(['first'])) === undefined) view.set(['first'], uidToBytes(uid));
    },
    OrganizationDescribed(event, view) {
      const { displayName, description } = event.payload;
      view.set(['about', uuidItem(aggregateUid(event))], encodeJson({ displayName, description } satisfies Description));
    },
    OrganizationDeleted(event, view) {
      const uid = uuidItem(aggregateUid(event));
      view.clear(['id', event.payload.id]);
      view.clear(['uid', uid]);
      view.clear(['about', uid]);
    },
  },
});

/** Undefined where there is none, or no more. Throws ProjectionNotLiveError. Costs one read. */
export async function findOrganizationUid(reading: Reading, id: OrganizationId): Promise<Uid | undefined> {
  const value = await indexOf(reading, organizations).get(['id', id]);
  return value === undefined ? undefined : uidFromBytes(value);
}

/**
 * The one that the first start made, whose owners administer the registry. Costs one read. Throws ProjectionNotLiveError: while nobody knows who administers, an
 * administrator is told to wait, not that it is forbidden.
 */
export async function findFirstOrganization(reading: Reading): Promise<Uid | undefined> {
  const value = await indexOf(reading, organizations).get(['first']);
  return value === undefined ? undefined : uidFromBytes(value);
}

export interface Organization extends Description {
  readonly uid: Uid;
  readonly id: OrganizationId;
  readonly created: Position;
}

/** Undefined where there is none, or no more. Throws ProjectionNotLiveError. Costs two reads. */
export async function findOrganization(reading: Reading, uid: Uid): Promise<Organization | undefined> {
  const index = indexOf(reading, organizations);
  const value = await index.get(['uid', uuidItem(uid)]);
  return value === undefined ? undefined : organizationOf(index, uid, value);
}

/** In the order of their making. Throws ProjectionNotLiveError. */
export async function listOrganizations(reading: Reading, limit: number, after?: Uid): Promise<readonly Organization[]> {
  const index = indexOf(reading, organizations);
  const options = { limit, after: after === undefined ? undefined : [uuidItem(after)] };
  const found = await index.range(['uid'], options);
  return Promise.all(found.map(({ items, value }) => organizationOf(index, uidItem(items[0]), value)));
}

async function organizationOf(index: Index, uid: Uid, value: Buffer): Promise<Organization> {
  const { position, rest } = splitPosition(value);
  const id = rest.toString() as OrganizationId;
  return { uid, id, created: position, ...descriptionIn(await index.get(['about', uuidItem(uid)])) };
}

/** Of what nobody has described, empty. */
export function descriptionIn(value: Buffer | undefined): Description {
  return value === undefined ? { displayName: '', description: '' } : decodeJson<Description>(value);
}
