import { aggregateOf, type Role } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import { projection } from './projection.js';
import { aggregateUid } from './projects.js';
import { uidItem } from './repositories.js';
import { indexOf, type Reading } from './store.js';

/** Who has which role on what, as far as the platform's log grants it. */
export const access = projection({
  name: 'access',
  version: 1,
  directory: 'platform',
  mode: 'inline',
  apply: {
    RoleGranted(event, view) {
      const { principal, role } = event.payload;
      const on = aggregateUid(event);
      view.set(['on', uuidItem(on), uuidItem(principal)], Buffer.from(role));
      view.set(['of', uuidItem(principal), aggregateOf(event.stream), uuidItem(on)], Buffer.from(role));
    },
  },
});

/** The role granted on exactly this organization or project. Costs one read. */
export async function findRole(reading: Reading, on: Uid, principal: Uid): Promise<Role | undefined> {
  return roleIn(await indexOf(reading, access).get(['on', uuidItem(on), uuidItem(principal)]));
}

/** The organizations that the principal owns, at most `limit`. */
export async function listOwnedOrganizations(reading: Reading, principal: Uid, limit: number): Promise<readonly Uid[]> {
  const found = await indexOf(reading, access).range(['of', uuidItem(principal), 'organization']);
  return found
    .filter(({ value }) => roleIn(value) === 'owner')
    .slice(0, limit)
    .map(({ items }) => uidItem(items[0]));
}

function roleIn(value: Buffer | undefined): Role | undefined {
  const text = value?.toString();
  return text === 'viewer' || text === 'editor' || text === 'owner' ? text : undefined;
}
