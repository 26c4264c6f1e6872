import { beforeEach, describe, expect, test } from 'vitest';

import { base, openManagement, type Management } from './fixture.js';

let api: Management;
beforeEach(async () => {
  api = await openManagement();
  await api.done('POST', '/projects', { id: 'team' });
  await api.done('POST', '/projects/team/repositories', { id: 'backend' });
});

const tagOf = async (path: string) => String((await api.get(`${base}${path}`)).headers['etag']);

const repository = '/projects/team/repositories/backend';

/** What can be edited, with an edit of it. */
const editable = [
  ['/organizations/default', 'PATCH', { description: 'first' }],
  ['/projects/team', 'PATCH', { displayName: 'Team' }],
  [repository, 'PATCH', { immutableTags: true }],
  ['/users/ann@example.org', 'PATCH', { disabled: true }],
  ['/organizations/default/members/ann@example.org', 'PUT', { role: 'artifact_store_editor' }],
  ['/projects/team/members/ann@example.org', 'PUT', { role: 'artifact_store_editor' }],
  [`${repository}/permissions/ann%40example.org`, 'PUT', { role: 'artifact_store_editor' }],
] as const;

describe.each(editable)('%s', (path, method, change) => {
  beforeEach(async () => {
    await api.user('ann@example.org');
    const role = { principal: 'ann@example.org', role: 'artifact_store_viewer' };
    for (const on of ['/organizations/default/members', '/projects/team/members', `${repository}/permissions`]) {
      await api.done('POST', on, role);
    }
  });

  test('has a strong ETag, which answers 304 while nothing changes', async () => {
    const tag = await tagOf(path);
    expect(tag).toMatch(/^"[\w-]{22}"$/);
    for (const sent of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const answer = await api.send('GET', path, { headers: { 'if-none-match': sent } });
      expect([answer.status, answer.bytes.length, answer.headers['etag']], sent).toEqual([304, 0, tag]);
    }
    expect((await api.send('GET', path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  test('is changed with the ETag that it has, which is another then', async () => {
    const tag = await tagOf(path);
    const changed = await api.done(method, path, change, { headers: { 'if-match': `"other", ${tag}` } });
    expect(changed.headers['etag']).toBe(await tagOf(path));
    expect(changed.headers['etag']).not.toBe(tag);
    expect(changed.body).toMatchObject(change);
  });

  test('is not changed with another ETag, a weak one, or the one before', async () => {
    const tag = await tagOf(path);
    for (const sent of ['"other"', `W/${tag}`, tag.slice(1, -1)]) {
      const answer = await api.send(method, path, { body: change, headers: { 'if-match': sent } });
      expect([answer.status, answer.body['code']], sent).toEqual([412, 'CHANGED_SINCE']);
    }
    expect(await tagOf(path)).toBe(tag);
    await api.done(method, path, change, { headers: { 'if-match': tag } });
    const again = await api.send(method, path, { body: change, headers: { 'if-match': tag } });
    expect(again.status).toBe(412);
  });

  test('who may not is told that, not whether the ETag was right', async () => {
    const stranger = await api.user('mallory@example.org');
    const tag = await tagOf(path);
    for (const sent of [tag, '"other"', '*']) {
      const answer = await api.send(method, path, { as: stranger, body: change, headers: { 'if-match': sent } });
      expect([answer.status, answer.body['code']], sent).toEqual([403, 'DENIED']);
    }
  });
});

test('of many who change the same at once with its ETag one succeeds', async () => {
  for (let round = 0; round < 5; round += 1) {
    const tag = await tagOf(repository);
    const answers = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((one) =>
        api.send('PATCH', repository, { body: { description: `${round} by ${one}` }, headers: { 'if-match': tag } }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412, 412, 412]);
    const { body } = await api.get(`${base}${repository}`);
    expect(body['description']).toBe(answers.find(({ status }) => status === 200)?.body['description']);
  }
});

test('a repository that was changed since is not deleted, and one that was not is', async () => {
  const tag = await tagOf(repository);
  await api.done('PATCH', repository, { description: 'kept' });
  expect((await api.send('DELETE', repository, { headers: { 'if-match': tag } })).status).toBe(412);
  expect((await api.get(`${base}${repository}`)).status).toBe(200);
  await api.done('DELETE', repository, undefined, { headers: { 'if-match': await tagOf(repository) } });
  expect((await api.get(`${base}${repository}`)).status).toBe(404);
});

test('an If-Match on what is not there is 404', async () => {
  const answer = await api.send('PATCH', '/projects/nothere', { body: {}, headers: { 'if-match': '*' } });
  expect([answer.status, answer.body['code']]).toEqual([404, 'PROJECT_UNKNOWN']);
});
