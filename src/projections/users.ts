import { uidFromBytes, uidToBytes, type Uid } from '../identifiers.js';
import { aggregateUid, projection } from './projection.js';
import { indexOf, type Reading } from './store.js';

/** The people by the hashes of their login names. */
export const users = projection({
  name: 'users',
  version: 1,
  directory: 'platform',
  mode: 'inline',
  apply: {
    UserCreated(event, view) {
      view.set(['name', Buffer.from(event.payload.nameHash, 'hex')], uidToBytes(aggregateUid(event)));
    },
    UserForgotten(event, view) {
      view.clear(['name', Buffer.from(event.payload.nameHash, 'hex')]);
    },
  },
});

/** `nameHash`: as in UserCreated. Costs one read. */
export async function findUserUid(reading: Reading, nameHash: string): Promise<Uid | undefined> {
  const value = await indexOf(reading, users).get(['name', Buffer.from(nameHash, 'hex')]);
  return value === undefined ? undefined : uidFromBytes(value);
}

export async function anyUser(reading: Reading): Promise<boolean> {
  return (await indexOf(reading, users).range(['name'], { limit: 1 })).length > 0;
}
