import { beforeEach, describe, expect, test } from 'vitest';

import { base, openManagement, type Management } from './fixture.js';

let api: Management;
beforeEach(async () => {
  api = await openManagement();
  await api.done('POST', '/projects', { id: 'team' });
  await api.done('POST', '/projects/team/service-accounts', { id: 'ci' });
  await api.user('ann@example.org');
});

const once = (key: string) => ({ headers: { 'idempotency-key': key } });

/** What makes something, without its id where it may be left out: a repetition must not make another one up. */
const creating = [
  ['/organizations', {}],
  ['/projects', { displayName: 'Once' }],
  ['/projects/team/repositories', {}],
  ['/projects/team/service-accounts', {}],
  ['/users', { email: 'bob@example.org', password: 'correct horse' }],
  ['/projects/team/members', { principal: 'ann@example.org', role: 'artifact_store_owner' }],
] as const;

describe.each(creating)('POST %s', (path, body) => {
  test('is done once for one key, and answered alike', async () => {
    const first = await api.send('POST', path, { body, ...once('k-1') });
    const before = await api.at.store.database.read((tx) => tx.getRange(Buffer.from([0]), Buffer.from([255])));
    const again = await api.send('POST', path, { body, ...once('k-1') });
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers['location']).toBe(first.headers['location']);
    const after = await api.at.store.database.read((tx) => tx.getRange(Buffer.from([0]), Buffer.from([255])));
    expect(after.length).toBe(before.length);
  });

  test('by many at once with one key is done once', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => api.send('POST', path, { body, ...once('k-1') })));
    for (const answer of answers) expect(answer).toMatchObject({ status: 201, body: answers[0]?.body });
  });

  test('with the same key and another body is refused', async () => {
    await api.done('POST', path, body, once('k-1'));
    const other =
      'role' in body
        ? { ...body, role: 'artifact_store_viewer' }
        : 'email' in body
          ? { ...body, password: 'another horse' }
          : { ...body, displayName: 'Twice' };
    const answer = await api.send('POST', path, { body: other, ...once('k-1') });
    expect([answer.status, answer.body['code']]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });

  test('is answered to nobody who may not any more', async () => {
    await api.done('POST', path, body, once('k-1'));
    const narrowed = { ...api.owner, access: [] };
    const answer = await api.send('POST', path, { body, as: narrowed, ...once('k-1') });
    expect(answer.status).toBe(401);
  });
});

test('the same key of two people, or at two paths, is two keys', async () => {
  await api.done('POST', '/projects/team/members', { principal: 'ann@example.org', role: 'artifact_store_owner' });
  const { body: ann } = await api.get(`${base}/users/ann@example.org`);
  const made = await Promise.all([
    api.send('POST', '/projects/team/repositories', { body: {}, ...once('k') }),
    api.send('POST', '/projects/team/repositories', { body: {}, as: { uid: ann['uid'] as never }, ...once('k') }),
    api.send('POST', '/projects/team/service-accounts', { body: {}, ...once('k') }),
  ]);
  expect(made.map(({ status }) => status)).toEqual([201, 201, 201]);
  expect(new Set(made.map(({ body }) => body['uid'])).size).toBe(3);
});

test('the same path written otherwise is the same', async () => {
  const [first, ...others] = ['/projects/team/repositories', '/projects/%74eam/repositories', '/projects/t%65am/repositories'];
  const made = await api.done('POST', first ?? '', {}, once('k'));
  for (const path of others) {
    const again = await api.send('POST', path, { body: {}, ...once('k') });
    expect([again.status, again.body]).toEqual([201, made.body]);
  }
});

test('the same body in another order is the same', async () => {
  const path = '/projects/team/repositories';
  const first = await api.done(
    'POST',
    path,
    '{"displayName":"a","description":"b","immutableTagExemptions":["x","y"]}',
    once('k'),
  );
  const again = await api.send('POST', path, {
    body: '{"immutableTagExemptions":["x","y"],"description":"b","displayName":"a"}',
    ...once('k'),
  });
  expect([again.status, again.body]).toEqual([201, first.body]);
  const other = '{"displayName":"a","description":"b","immutableTagExemptions":["y","x"]}';
  expect((await api.send('POST', path, { body: other, ...once('k') })).status).toBe(422);
});

test('a key file is shown once', async () => {
  const path = '/projects/team/service-accounts/ci/keys';
  const first = await api.done('POST', path, {}, once('k-1'));
  const again = await api.send('POST', path, { body: {}, ...once('k-1') });
  expect([again.status, again.body['code']]).toEqual([409, 'KEY_SHOWN_BEFORE']);
  expect(again.body['detail']).toContain(String(first.body['key_id']));
  expect(again.bytes.toString()).not.toContain('PRIVATE');
  expect((await api.get(`${base}${path}`)).body['keys']).toHaveLength(1);
});

test('a password that was made up is shown once', async () => {
  const first = await api.done('POST', '/users', { email: 'bob@example.org' }, once('k-1'));
  const again = await api.send('POST', '/users', { body: { email: 'bob@example.org' }, ...once('k-1') });
  expect(typeof first.body['password']).toBe('string');
  expect([again.status, again.body['code']]).toEqual([409, 'PASSWORD_SHOWN_BEFORE']);
});

test('nothing that is kept for repetitions is easier to guess a password from than its hash', async () => {
  const body = { email: 'bob@example.org', password: 'correct horse' };
  await api.done('POST', '/users', body, once('k-1'));
  const { createHash } = await import('node:crypto');
  const stored = await api.at.store.database.read((tx) => tx.getRange(Buffer.from([0]), Buffer.from([255])));
  const all = stored.map(({ value }) => value.toString('latin1')).join('\n');
  for (const text of [JSON.stringify(body), body.password]) {
    const hash = createHash('sha256').update(text).digest();
    for (const form of ['hex', 'base64', 'base64url', 'latin1'] as const) expect(all).not.toContain(hash.toString(form));
  }
  expect(all).not.toContain(body.password);
});

test('what was deleted since is not made again by a repetition', async () => {
  const made = await api.done('POST', '/projects/team/repositories', { id: 'gone' }, once('k-1'));
  await api.done('DELETE', String(made.headers['location']));
  const again = await api.send('POST', '/projects/team/repositories', { body: { id: 'gone' }, ...once('k-1') });
  expect([again.status, again.body['code']]).toEqual([404, 'REPOSITORY_UNKNOWN']);
});

test('a refusal is not remembered: the key is free for the request that is right', async () => {
  const body = { id: 'late', organization: 'later' };
  expect((await api.send('POST', '/projects', { body, ...once('k-1') })).status).toBe(404);
  await api.done('POST', '/organizations', { id: 'later' });
  expect((await api.send('POST', '/projects', { body, ...once('k-1') })).status).toBe(201);
});

test('what changed nothing is not done by a repetition either, when there is something to do again', async () => {
  const body = { principal: 'ann@example.org', role: 'artifact_store_viewer' };
  await api.done('POST', '/projects/team/members', body);
  await api.done('POST', '/projects/team/members', body, once('k-1'));
  await api.done('DELETE', '/projects/team/members/ann@example.org');
  await api.send('POST', '/projects/team/members', { body, ...once('k-1') });
  expect((await api.get(`${base}/projects/team/members/ann@example.org`)).status).toBe(404);
  const other = { ...body, role: 'artifact_store_owner' };
  const answer = await api.send('POST', '/projects/team/members', { body: other, ...once('k-1') });
  expect([answer.status, answer.body['code']]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
});

test('a key is refused where a signing key is made: a repetition would make another', async () => {
  const { body: before } = await api.get(`${base}/signing-keys`);
  const answer = await api.send('POST', '/signing-keys?compromised=true', once('k-1'));
  expect([answer.status, answer.body['code']]).toEqual([400, 'REQUEST_INVALID']);
  expect(answer.body['detail']).toContain('Idempotency-Key is not accepted here');
  expect((await api.get(`${base}/signing-keys`)).body).toEqual(before);
});

test.each(['', 'a b', 'ü', 'x'.repeat(256)])('the key %j is none', async (key) => {
  const answer = await api.send('POST', '/projects', { body: {}, ...once(key) });
  expect([answer.status, answer.body['code']]).toEqual([400, 'REQUEST_INVALID']);
});
