import { beforeAll, expect, test } from 'vitest';

import { pushImage } from '../../commands/fixture.js';
import { of, pagesOf, type As } from '../api-fixture.js';
import { base, openManagement, type Management } from './fixture.js';

let api: Management;
let ann: As;
beforeAll(async () => {
  api = await openManagement();
  ann = await api.user('ann@example.org');
  await api.done('POST', '/organizations', { id: 'acme', displayName: 'ACME' });
  await api.done('POST', '/organizations/acme/members', { principal: 'ann@example.org', role: 'artifact_store_editor' });
  await api.done('PUT', '/organizations/acme/members/ann@example.org', { role: 'artifact_store_viewer' });
  await api.done('POST', '/projects', { id: 'team', organization: 'acme' });
  await api.done('POST', '/projects/team/service-accounts', { id: 'ci' });
  const key = await api.done('POST', '/projects/team/service-accounts/ci/keys', {});
  await api.done('DELETE', String(key.headers['location']));
  await api.done('POST', '/users/ann@example.org/password', {});
});

const kinds = async (path: string, as?: As) => of(await api.get(`${base}${path}`, as), 'entries', 'kind');

test.each([
  ['/organizations/acme/history', ['OrganizationCreated', 'OrganizationDescribed', 'RoleGranted', 'RoleGranted', 'RoleGranted']],
  ['/users/ann@example.org/history', ['UserCreated', 'UserPasswordChanged']],
  ['/projects/team/service-accounts/ci/history', ['ServiceAccountCreated', 'ServiceAccountKeyAdded', 'ServiceAccountKeyRevoked']],
])('%s tells what happened, in either order, whole or page by page', async (path, expected) => {
  expect(await kinds(`${path}?order=oldest`)).toEqual(expected);
  expect(await kinds(path)).toEqual(expected.toReversed());
  const pages = await pagesOf(api, `${base}${path}?limit=1`);
  expect(pages.flatMap((page) => of(page, 'entries', 'kind'))).toEqual(expected.toReversed());
});

test('a change of a role is told with who made it, for whom', async () => {
  const { body } = await api.get(`${base}/organizations/acme/history?limit=1`);
  expect(body).toMatchObject({
    organization: 'acme',
    people: 'shown',
    entries: [
      {
        kind: 'RoleGranted',
        actor: { kind: 'user', uid: api.owner.uid, name: 'owner' },
        payload: { principal: { kind: 'user', uid: ann.uid }, role: 'viewer' },
      },
    ],
  });
  expect(JSON.stringify(body)).toContain('ann@example.org');
});

test('what is gone has its history still, for administrators', async () => {
  const gone = await api.done('POST', '/organizations', { id: 'brief' });
  await api.done('POST', '/projects', { id: 'short', organization: 'brief' });
  const account = await api.done('POST', '/projects/short/service-accounts', { id: 'ci' });
  const bob = await api.user('bob@example.org');
  await api.done('POST', '/users/bob@example.org/forget');
  await api.done('DELETE', '/projects/short');
  await api.done('DELETE', '/organizations/brief');
  expect((await api.get(`${base}/organizations/brief/history`)).status).toBe(404);
  const ends = await api.get(`${base}/history?kind=OrganizationDeleted,ProjectDeleted,ServiceAccountDeleted,UserForgotten`);
  expect(of(ends, 'entries', 'kind').toSorted()).toEqual([
    'OrganizationDeleted',
    'ProjectDeleted',
    'ServiceAccountDeleted',
    'UserForgotten',
  ]);
  expect(of(ends, 'entries', 'actor')).toEqual(Array(4).fill(expect.objectContaining({ uid: api.owner.uid, name: 'owner' })));
  const told = (uid: unknown) => kinds(`/history?of=${String(uid)}&order=oldest`);
  expect(await told(gone.body['uid'])).toEqual(['OrganizationCreated', 'RoleGranted', 'OrganizationDeleted']);
  expect(await told(account.body['uid'])).toEqual(['ServiceAccountCreated', 'ServiceAccountDeleted']);
  expect(await told(bob.uid)).toEqual(['UserCreated', 'UserForgotten']);
  expect(await kinds('/history?order=oldest&limit=1000')).toContain('ServiceAccountKeyRevoked');
  expect((await pagesOf(api, `${base}/history?limit=3`)).flatMap((page) => of(page, 'entries', 'id')).toReversed()).toEqual(
    of(await api.get(`${base}/history?limit=1000&order=oldest`), 'entries', 'id'),
  );
  const pages = await pagesOf(api, `${base}/history?of=${bob.uid}&limit=1`);
  expect(pages.flatMap((page) => of(page, 'entries', 'kind'))).toEqual(['UserForgotten', 'UserCreated']);
  for (const path of ['/history', `/history?of=${String(gone.body['uid'])}`]) {
    expect((await api.get(`${base}${path}`, ann)).status).toBe(403);
    expect((await api.get(`${base}${path}`, 'nobody')).status).toBe(401);
  }
});

test('who erased bytes is told of the bytes', async () => {
  await api.done('POST', '/projects/team/repositories', { id: 'web' });
  const { digest } = await pushImage(api.at, 'team/web', 'one', ['1']);
  await api.done('POST', `/content/${digest}/erase`);
  const told = await api.get(`${base}/content/${digest}/history`);
  expect(told.body).toMatchObject({
    digest,
    entries: [{ kind: 'ContentErased', actor: { uid: api.owner.uid, name: 'owner' }, content: { erased: true } }],
  });
  expect((await api.get(`${base}/content/${digest}/history`, ann)).status).toBe(403);
  expect((await api.get(`${base}/content/sha256:x/history`)).status).toBe(400);
});

test('filters are those of every history', async () => {
  const path = '/organizations/acme/history';
  expect(await kinds(`${path}?kind=OrganizationDescribed`)).toEqual(['OrganizationDescribed']);
  expect(await kinds(`${path}?actor=ann@example.org`)).toEqual([]);
  expect(await kinds(`${path}?actor=${api.owner.uid}&kind=RoleGranted`)).toHaveLength(3);
  const [newest] = of(await api.get(`${base}${path}`), 'entries', 'position');
  expect(await kinds(`${path}?since=${String(newest)}`)).toEqual(['RoleGranted']);
  for (const query of ['kind=None', 'since=yesterday', 'image=x', 'after=x']) {
    expect((await api.get(`${base}${path}?${query}`)).status, query).toBe(400);
  }
});

test('who has a role on an organization sees its history, without people', async () => {
  const { status, body } = await api.get(`${base}/organizations/acme/history`, ann);
  expect([status, body['people']]).toEqual([200, 'hidden']);
  expect(JSON.stringify(body)).not.toMatch(/example\.org|10\.0\.0\.7|127\.0\.0\.1/);
});

test('a user’s is for administrators, a service account’s for owners of the project', async () => {
  expect((await api.get(`${base}/users/ann@example.org/history`, ann)).status).toBe(403);
  expect((await api.get(`${base}/projects/team/service-accounts/ci/history`, ann)).status).toBe(403);
});

test('of somebody who is forgotten nothing personal is told', async () => {
  const bob = await api.user('bob@example.org');
  await api.done('POST', '/organizations/acme/members', { principal: 'bob@example.org', role: 'artifact_store_viewer' });
  await api.done('POST', '/users/bob@example.org/forget');
  const { body } = await api.get(`${base}/organizations/acme/history?order=oldest`);
  expect(JSON.stringify(body)).toContain(bob.uid);
  expect(JSON.stringify(body)).not.toContain('bob@example.org');
});

test('a role of a service account that was named by its uid is told to be a service account’s', async () => {
  const made = await api.done('POST', '/projects/team/service-accounts', { id: 'robot' });
  const { uid } = made.body;
  await api.done('POST', '/projects/team/members', { principal: 'team/robot', role: 'artifact_store_viewer' });
  await api.done('PUT', `/projects/team/members/${String(uid)}`, { role: 'artifact_store_editor' });
  await api.done('DELETE', `/projects/team/members/${String(uid)}`);
  const { body } = await api.get(`${base}/projects/team/history?limit=3`);
  const principal = { kind: 'service-account', uid };
  expect(body['entries']).toMatchObject([
    { kind: 'RoleRevoked', payload: { principal, role: 'editor' } },
    { kind: 'RoleGranted', payload: { principal, role: 'editor' } },
    { kind: 'RoleGranted', payload: { principal, role: 'viewer' } },
  ]);
});
