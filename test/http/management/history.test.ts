import { beforeAll, expect, test } from 'vitest';

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
