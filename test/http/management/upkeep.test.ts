import { expect, test } from 'vitest';

import { base, openManagement, type Management } from './fixture.js';

const keysOf = async (api: Management) => (await api.get(`${base}/signing-keys`)).body['signingKeys'];

test('a signing key that an administrator makes is told of in the log, with who it was', async () => {
  const api = await openManagement();
  for (const [query, occasion] of [
    ['', 'asked'],
    ['?compromised=true', 'compromised'],
  ]) {
    const { body } = await api.done('POST', `/signing-keys${query}`);
    const lines = api.log.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const made = lines.filter(({ msg, kid }) => msg === 'a signing key was made' && kid === body['kid']);
    expect(made).toEqual([expect.objectContaining({ level: 30, actor: api.owner.uid, occasion })]);
  }
});

test.each(['', '?compromised=true'])('who is barred before the signing key is made makes none (%s)', async (query) => {
  const api = await openManagement();
  const email = 'bob@example.org';
  const bob = await api.user(email);
  await api.done('POST', '/organizations/default/members', { principal: email, role: 'artifact_store_owner' });
  const before = await keysOf(api);

  const { database } = api.at.store;
  const transact = database.transact.bind(database);
  let barred: Promise<unknown> | undefined;
  const afterwards: typeof database.transact = async (body, options) => {
    if (barred === undefined) await (barred = api.done('PATCH', `/users/${email}`, { disabled: true }));
    return transact(body, options);
  };
  Object.assign(database, { transact: afterwards });

  const answer = await api.send('POST', `/signing-keys${query}`, { as: bob });
  expect(barred).toBeDefined();
  expect(answer.status).toBe(401);
  expect(await keysOf(api)).toEqual(before);
});

test.each(['', '?compromised=true'])(
  'who does not administer the registry is told so, and makes no signing key (%s)',
  async (query) => {
    const api = await openManagement();
    const answer = await api.send('POST', `/signing-keys${query}`, { as: await api.user('mallory@example.org') });
    expect([answer.status, answer.body['code']]).toEqual([403, 'DENIED']);
    expect(await keysOf(api)).toEqual([]);
  },
);
