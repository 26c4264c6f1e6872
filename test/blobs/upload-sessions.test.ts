import { expect, test } from 'vitest';

import { readSession, writeSession, type UploadSession } from '../../src/blobs/upload-sessions.js';
import { createKeyspace, directoryPrefix } from '../../src/keyvalue/keyspace.js';
import { SimulatedStore, VirtualClock } from '../../src/keyvalue/simulated.js';
import { createIds, sha256Of } from '../commands/fixture.js';

const newId = createIds();
const keyspace = createKeyspace(directoryPrefix('registry'));
const database = new SimulatedStore({ seed: 1, clock: new VirtualClock() }).connect();

/** What was written, as it is read here, and as release 0.2.0 reads it. */
async function written(session: UploadSession) {
  const id = newId();
  await database.transact((tx) => Promise.resolve(void writeSession(tx, keyspace, id, session)));
  const bytes = await database.read((tx) => tx.get(keyspace.upload(id)));
  const here = await database.read((tx) => readSession(tx, keyspace, id));
  return { here, before: JSON.parse(String(bytes)) as Partial<UploadSession> };
}

const old: UploadSession = { repository: newId(), name: 'shop/web', algorithm: 'sha256', startedAt: 1, activeAt: 2 };
const mine: UploadSession = { ...old, writer: { server: newId(), file: newId() } };

test('an upload under way that has a writer has no name for release 0.2.0, which would end it without asking whose it is', async () => {
  const { here, before } = await written(mine);
  expect(here).toEqual(mine);
  // That release takes an upload for unknown unless repository and name are those of the request, and renews it as it is.
  expect(before).toMatchObject({ repository: old.repository, activeAt: 2 });
  expect(before.name).toBeUndefined();
});

test.each([
  ['one that release 0.2.0 began', old],
  ['one that is finished', { ...mine, finished: sha256Of(Buffer.from('bytes')) }],
])('%s is an upload for both', async (_, session) => {
  const { here, before } = await written(session);
  expect(here).toEqual(session);
  expect(before).toEqual(session);
});
