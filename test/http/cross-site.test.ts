import { beforeAll, describe, expect, test } from 'vitest';

import { openManagement, type Management } from './management/fixture.js';

let api: Management;
beforeAll(async () => {
  api = await openManagement();
  await api.user('ann@example.org');
  await api.done('POST', '/projects', { id: 'team' });
});

/** Changes that need no body, and so none of what a browser asks for first; and one that has one. */
const changes = [
  ['POST', '/users/ann@example.org/forget', undefined],
  ['POST', `/content/sha256:${'0'.repeat(64)}/erase`, undefined],
  ['POST', '/signing-keys?compromised=true', undefined],
  ['DELETE', '/projects/team', undefined],
  ['PATCH', '/projects/team', { displayName: 'theirs' }],
] as const;

const elsewhere = [
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { origin: 'https://evil.test' },
  { origin: 'http://registry.test:8080' },
  { origin: 'http://registry.test.evil.test' },
  { origin: 'null' },
  { origin: '' },
  { origin: 'http://registry.test', 'sec-fetch-site': 'cross-site' },
];

describe.each(changes)('%s %s', (method, path, body) => {
  test.each(elsewhere)('from a page of another site, with %j, is refused and changes nothing', async (headers) => {
    const before = await api.at.store.database.read((tx) => tx.getRange(Buffer.from([0]), Buffer.from([255])));
    const answer = await api.send(method, path, { body, headers });
    expect([answer.status, answer.body['code']]).toEqual([403, 'CROSS_SITE']);
    expect(answer.body['detail']).toContain('a page of another site');
    const after = await api.at.store.database.read((tx) => tx.getRange(Buffer.from([0]), Buffer.from([255])));
    expect(after.length).toBe(before.length);
  });
});

test.each([
  {},
  { 'sec-fetch-site': 'same-origin', origin: 'http://registry.test' },
  // A proxy in front asks by another name.
  { 'sec-fetch-site': 'same-origin', origin: 'https://registry.example' },
  { 'sec-fetch-site': 'none' },
  { origin: 'http://registry.test' },
  // A proxy in front ends TLS.
  { origin: 'https://registry.test' },
  { origin: 'https://registry.example', 'x-forwarded-host': 'registry.example', 'x-forwarded-proto': 'https' },
  { host: 'registry.test:80', origin: 'http://registry.test' },
  { host: 'registry.test:5000', origin: 'http://registry.test:5000' },
])('a change with %j is a program’s, or of a page of this registry', async (headers) => {
  expect((await api.send('PATCH', '/projects/team', { body: { displayName: 'ours' }, headers })).status).toBe(200);
});

test.each(['GET', 'HEAD'] as const)(
  'a %s may come from anywhere: what it answers no page of another site can read',
  async (method) => {
    const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' };
    expect((await api.send(method, '/projects/team', { headers })).status).toBe(200);
  },
);
