import { beforeAll, describe, expect, test } from 'vitest';

import type { As } from '../api-fixture.js';
import { base, openManagement, type Management } from './fixture.js';

let api: Management;
let stranger: As;
beforeAll(async () => {
  api = await openManagement();
  stranger = await api.user('mallory@example.org');
  await api.done('POST', '/organizations', { id: 'acme' });
  await api.done('POST', '/projects', { id: 'team', organization: 'default' });
  await api.done('POST', '/projects/team/repositories', { id: 'backend' });
  await api.done('POST', '/projects/team/service-accounts', { id: 'ci' });
});

describe('a body', () => {
  test.each([
    ['{"displayName":"x","color":"red"}', '/color', 'is not known here; accepted are id, displayName, description, owner'],
    ['{"displayName":7}', '/displayName', 'is not a text'],
    [
      '{"id":"Team"}',
      '/id',
      'the name\'s part "Team" is not lower-case letters and digits, separated by one of . _ __ or hyphens',
    ],
    ['{"id":"a/b"}', '/id', 'an id is one part of a name, without a slash'],
    ['{"id":".."}', '/id', 'the name\'s part ".." is not lower-case letters and digits, separated by one of . _ __ or hyphens'],
    [`{"displayName":"${'é'.repeat(101)}"}`, '/displayName', 'it has 101 characters; at most 100 are accepted'],
    ['{"displayName":"a\\u0000b"}', '/displayName', 'it has control characters; accepted is text'],
    ['{"displayName":"\\ud800"}', '/displayName', 'it has half of a surrogate pair, which is no character; accepted is text'],
    ['{"description":"a\\ud800b"}', '/description', 'it has half of a surrogate pair, which is no character; accepted is text'],
    ['[]', '', 'is not a JSON object'],
    ['null', '', 'is not a JSON object'],
  ])('%s is refused at %s', async (body, pointer, detail) => {
    const answer = await api.send('POST', '/organizations', { body });
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.body['errors']).toContainEqual({ pointer, detail });
    expect(answer.body['detail']).toContain(detail);
  });

  test('with several faults has each of them told', async () => {
    const { body } = await api.send('POST', '/projects/team/members', { body: { rolle: 'x', role: 'owner' } });
    const pointers = (body['errors'] as readonly { readonly pointer: string }[]).map(({ pointer }) => pointer);
    expect(pointers.toSorted()).toEqual(['/principal', '/role', '/rolle']);
  });

  test.each([
    ['{', 'the body is no JSON'],
    ['{"id":"a",}', 'the body is no JSON'],
    [`{"description":"${'x'.repeat(70_000)}"}`, 'the body has more than 65536 bytes'],
  ])('that cannot be read is refused: %.20s', async (body, detail) => {
    const answer = await api.send('POST', '/projects', { body });
    expect([answer.status, answer.body['code']]).toEqual([400, 'BODY_INVALID']);
    expect(answer.body['detail']).toContain(detail);
  });

  test('that is no JSON by its type is refused, and one that says nothing of it', async () => {
    const answer = await api.send('POST', '/projects', {
      body: 'id=team',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect([answer.status, answer.body['code']]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED']);
    expect(answer.body['detail']).toBe('the body is application/x-www-form-urlencoded; accepted is application/json in UTF-8');
  });

  test('where none is accepted is refused', async () => {
    const answer = await api.send('DELETE', '/projects/team', { body: {} });
    expect([answer.status, answer.body['detail']]).toEqual([400, 'no body is accepted here']);
  });

  test('in any script and as long as is accepted is kept as it came', async () => {
    const about = { displayName: '日本語 🚀 naïve עברית', description: `${'ß'.repeat(998)}\n\t` };
    await api.done('PATCH', '/projects/team', about);
    expect((await api.get(`${base}/projects/team`)).body).toMatchObject(about);
  });
});

test.each([
  ['POST', '/users', '{"email":"\\ud800@example.org"}', '/email'],
  ['POST', '/users', '{"email":"half@example.org","password":"correct \\udc00 horse"}', '/password'],
  ['POST', '/users/mallory@example.org/password', '{"password":"correct \\udc00 horse"}', '/password'],
] as const)('%s %s of half a character is refused, and nobody is made (%s)', async (method, path, body, pointer) => {
  const before = await api.get(`${base}/users`);
  const answer = await api.send(method, path, { body });
  expect([answer.status, answer.body['code']]).toEqual([400, 'FIELD_INVALID']);
  expect(answer.body['errors']).toEqual([{ pointer, detail: expect.stringContaining('half of a surrogate pair') as string }]);
  expect((await api.get(`${base}/users`)).body).toEqual(before.body);
});

describe('a principal that is not understood', () => {
  test.each([
    ['\u0000/x', 'there is no service account \u0000/x; one is written <project>/<account>'],
    ['team/\u0000', 'there is no service account team/\u0000; one is written <project>/<account>'],
    ['\ud800/x', 'there is no service account \ud800/x; one is written <project>/<account>'],
    ['team/ci/', 'there is no service account team/ci/; one is written <project>/<account>'],
    ['TEAM/ci', 'there is no service account TEAM/ci; one is written <project>/<account>'],
    ['nobody@example.org', 'there is no user with the e-mail nobody@example.org'],
    ['team/robot', 'there is no service account team/robot; one is written <project>/<account>'],
    ['allusers', 'allusers is not known; the special principals are allUsers and allAuthenticatedUsers, written so'],
    ['bob', 'bob is neither an e-mail, nor a service account as <project>/<account>, nor allUsers or allAuthenticatedUsers'],
    [
      'constructor',
      'constructor is neither an e-mail, nor a service account as <project>/<account>, nor allUsers or allAuthenticatedUsers',
    ],
  ])('%s is told what it was taken for', async (principal, detail) => {
    const { status, body } = await api.send('POST', '/projects/team/members', {
      body: { principal, role: 'artifact_store_viewer' },
    });
    expect([status, body['code'], body['detail']]).toEqual([404, 'PRINCIPAL_UNKNOWN', detail]);
  });
});

/** Each with something that is there, and the same with something that is not. */
const asked = [
  ['GET', '/organizations/{}', ['acme', 'none']],
  ['PATCH', '/organizations/{}', ['acme', 'none']],
  ['DELETE', '/organizations/{}', ['acme', 'none']],
  ['GET', '/organizations/{}/members', ['acme', 'none']],
  ['GET', '/organizations/{}/history', ['acme', 'none']],
  ['GET', '/projects/{}', ['team', 'none']],
  ['PATCH', '/projects/{}', ['team', 'none']],
  ['GET', '/projects/{}/members', ['team', 'none']],
  ['GET', '/projects/{}/repositories', ['team', 'none']],
  ['GET', '/projects/{}/service-accounts', ['team', 'none']],
  ['GET', '/projects/team/service-accounts/{}', ['ci', 'none']],
  ['GET', '/projects/team/service-accounts/{}/keys', ['ci', 'none']],
  ['GET', '/projects/team/repositories/{}', ['backend', 'none']],
  ['PATCH', '/projects/team/repositories/{}', ['backend', 'none']],
  ['DELETE', '/projects/team/repositories/{}', ['backend', 'none']],
  ['GET', '/projects/team/repositories/{}/permissions', ['backend', 'none']],
  ['GET', '/projects/team/repositories/{}/digests', ['backend', 'none']],
  ['GET', '/projects/team/repositories/{}/tags/latest', ['backend', 'none']],
  ['GET', '/users/{}', ['owner', 'nobody@example.org']],
  ['GET', '/users/{}/history', ['mallory@example.org', 'nobody@example.org']],
] as const;

test.each(asked)('%s %s answers a stranger alike, whether it is there or not', async (method, path, [there, absent]) => {
  for (const as of [stranger, 'nobody'] as const) {
    const [one, other] = await Promise.all(
      [there, absent].map((id) => api.send(method, path.replace('{}', id), { as, ...(method === 'PATCH' ? { body: {} } : {}) })),
    );
    expect(one?.status).toBe(as === 'nobody' ? 401 : 403);
    expect([other?.status, other?.body]).toEqual([one?.status, JSON.parse(JSON.stringify(one?.body).replaceAll(there, absent))]);
  }
});

test.each(asked)('%s %s tells an administrator of several organizations what is not there', async (method, path, [, absent]) => {
  const answer = await api.send(method, path.replace('{}', absent), method === 'PATCH' ? { body: {} } : {});
  expect(answer.status).toBe(404);
});

test('who may not make an organization is not told who there is', async () => {
  for (const as of [stranger, 'nobody'] as const) {
    const [one, other] = await Promise.all(
      ['mallory@example.org', 'nobody@example.org'].map((owner) => api.send('POST', '/organizations', { as, body: { owner } })),
    );
    expect([one?.status, one?.body]).toEqual([as === 'nobody' ? 401 : 403, other?.body]);
  }
});

test('a 401 asks for a token or a password', async () => {
  const { headers } = await api.send('GET', '/projects', { as: 'nobody' });
  expect(String(headers['www-authenticate'])).toMatch(/^Bearer realm=.*,Basic realm=/);
});

test('no token is good for managing, whatever its scope', async () => {
  const access = [{ type: 'repository', name: 'team/backend', actions: ['pull', 'push', 'delete', '*'] }] as never;
  const narrowed = { ...api.owner, access };
  for (const [method, path, body] of [
    ['GET', '/me', undefined],
    ['GET', '/projects', undefined],
    ['GET', '/users', undefined],
    ['PATCH', '/projects/team/repositories/backend', { description: 'x' }],
    ['PUT', '/me/password', { current: 'none', password: 'another password' }],
    ['POST', '/projects/team/repositories', { id: 'by-token' }],
    ['GET', '/projects/team/repositories/backend/permissions', undefined],
  ] as const) {
    const answer = await api.send(method, path, { as: narrowed, ...(body === undefined ? {} : { body }) });
    expect([answer.status, answer.body['code']], `${method} ${path}`).toEqual([401, 'MANAGED_BY_TOKEN']);
    expect(String(answer.headers['www-authenticate'])).toContain('Basic');
  }
  expect((await api.send('GET', '/projects/team/repositories/backend', { as: narrowed })).status).toBe(200);
});

test.each([
  ['/projects', 'p'.repeat(196), ''],
  ['/organizations', 'o'.repeat(196), ''],
  ['/projects/team/service-accounts', 'a'.repeat(196), '/keys'],
  ['/projects/team/repositories', 'r'.repeat(195), '/permissions'],
])('in %s the longest id that can be made can be asked for, and deleted', async (path, id, inside) => {
  const body = path === '/projects' ? { id, organization: 'default' } : { id };
  await api.done('POST', path, body);
  expect((await api.get(`${base}${path}/${id}${inside}`)).status).toBe(200);
  await api.done('DELETE', `${path}/${id}`);
  const longer = await api.send('POST', path, { body: { ...body, id: `${id}x` } });
  expect([longer.status, longer.body['code']]).toEqual([400, 'FIELD_INVALID']);
});

test('a time that no clock of the registry reaches is no expiry', async () => {
  const path = '/projects/team/service-accounts/ci/keys';
  const far = await api.send('POST', path, { body: { expires: '9999-12-31T00:00:00Z' } });
  expect([far.status, far.body['code']]).toEqual([400, 'FIELD_INVALID']);
  const past = await api.send('POST', path, { body: { expires: '2000-01-01T00:00:00Z' } });
  expect([past.status, past.body['code']]).toEqual([400, 'KEY_EXPIRED_ALREADY']);
  expect((await api.done('POST', path, { expires: '2255-01-01T00:00:00+02:00' })).body['expires']).toBe(
    '2254-12-31T22:00:00.000000Z',
  );
});
