import { beforeAll, describe, expect, test } from 'vitest';

import { compareText, pageByName, pageOf, readAll } from '../../../src/http/management/paging.js';
import { sortable } from '../../../src/http/management/resources.js';
import { of, pagesOf } from '../api-fixture.js';
import { base, openManagement, type Management } from './fixture.js';

let api: Management;
beforeAll(async () => {
  api = await openManagement();
  await api.done('POST', '/organizations', { id: 'acme' });
  // Made in an order that is not that of their ids.
  for (const id of ['delta', 'alpha', 'echo', 'bravo', 'charlie']) {
    await api.done('POST', '/projects', {
      id,
      organization: id === 'echo' ? 'acme' : 'default',
      displayName: `The ${id.toUpperCase()}`,
    });
  }
});

const ids = async (path: string) => (await pagesOf(api, `${base}${path}`)).map((page) => of(page, 'projects', 'id'));

test.each([
  ['name', ['alpha', 'bravo', 'charlie', 'delta', 'echo']],
  ['-name', ['echo', 'delta', 'charlie', 'bravo', 'alpha']],
  ['created', ['delta', 'alpha', 'echo', 'bravo', 'charlie']],
  ['-created', ['charlie', 'bravo', 'echo', 'alpha', 'delta']],
])('sorted by %s, page by page as all at once', async (sort, expected) => {
  expect((await ids(`/projects?sort=${sort}`)).flat()).toEqual(expected);
  const pages = await ids(`/projects?sort=${sort}&limit=2`);
  expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
  expect(pages.flat()).toEqual(expected);
});

test('a page that is not the last has its next in a Link header, too, with what was asked', async () => {
  const { body, headers } = await api.get(`${base}/projects?q=a&limit=1&sort=-name`);
  expect(headers['link']).toBe(`<${String(body['next'])}>; rel="next"`);
  expect(String(body['next'])).toMatch(/^\/api\/v1\/projects\?q=a&limit=1&sort=-name&after=/);
  const last = await api.get(`${base}/projects?limit=5`);
  expect([last.body['next'], last.headers['link']]).toEqual([undefined, undefined]);
});

test.each([
  ['what is in the id or the display name, in any case', '/projects?q=The%20ch', ['charlie']],
  ['what is in no name', '/projects?q=zulu', []],
  ['of one organization', '/projects?organization=acme', ['echo']],
  ['of an organization that is not there', '/projects?organization=none', []],
])('filtered: %s', async (_what, path, expected) => {
  expect((await ids(path)).flat()).toEqual(expected);
});

test('what comes and goes between two pages moves nothing else', async () => {
  const first = await api.get(`${base}/projects?limit=2`);
  expect(of(first, 'projects', 'id')).toEqual(['alpha', 'bravo']);
  // One before the place, the last that was shown, one behind.
  await api.done('POST', '/projects', { id: 'aaron', organization: 'default' });
  await api.done('DELETE', '/projects/bravo');
  await api.done('POST', '/projects', { id: 'china', organization: 'default' });
  const rest = await pagesOf(api, String(first.body['next']));
  expect(rest.flatMap((page) => of(page, 'projects', 'id'))).toEqual(['charlie', 'china', 'delta', 'echo']);
});

test('whatever is made meanwhile, what was there is shown once', async () => {
  const there = (await ids('/projects')).flat();
  const shown: unknown[] = [];
  for (let next: unknown = `${base}/projects?limit=1&sort=-created`, round = 0; typeof next === 'string'; round += 1) {
    const [page] = await Promise.all([
      api.get(next),
      api.done('POST', '/projects', { id: `new-${round}`, organization: 'default' }),
    ]);
    shown.push(...of(page, 'projects', 'id'));
    next = page.body['next'];
  }
  const old = shown.filter((id) => there.includes(id));
  expect(new Set(old).size).toBe(old.length);
  expect(old.toSorted()).toEqual(there.toSorted());
});

describe('a cursor', () => {
  test.each(['x', '%00', 'WyJuYW1lIl0', Buffer.from('["name",1,2]').toString('base64url')])('%s is none', async (after) => {
    const { status, body } = await api.get(`${base}/projects?after=${after}`);
    expect(status).toBe(400);
    expect(body['detail']).toContain('is not accepted; it is the after of a next');
  });

  test('of another order is none', async () => {
    const { body } = await api.get(`${base}/projects?limit=1&sort=created`);
    const { status } = await api.get(String(body['next']).replace('sort=created', 'sort=name'));
    expect(status).toBe(400);
  });
});

test.each([
  // Numbers are decimal digits, as in every query: 0x10, 1e2 and a space are other things in other languages.
  ...['0', '1001', 'many', '1.5', '0x10', '1e2', '-1', '+1', ''].map((text) => [
    `limit=${text.replace('+', '%2B')}`,
    `limit="${text}" is not accepted; it is a whole number from 1 to 1000`,
  ]),
  ['limit=%2010', 'limit=" 10" is not accepted; it is a whole number from 1 to 1000'],
  ['sort=size', 'sort="size" is not accepted; it is name, -name, created or -created'],
  ['order=up', 'the parameter "order" is not known here; accepted are limit, after, q, sort, organization'],
  ['q=a&q=b', 'the parameter q is given twice'],
  ['q[]=a', 'the parameter "q[]" is not known here; accepted are limit, after, q, sort, organization'],
])('%s is refused by name', async (query, detail) => {
  const { status, body } = await api.get(`${base}/projects?${query}`);
  expect([status, body['code'], body['detail']]).toEqual([400, 'REQUEST_INVALID', detail]);
});

test('every list sorts, filters and pages in the same way', async () => {
  await api.user('ann@example.org');
  await api.user('Bob@example.org');
  const users = await pagesOf(api, `${base}/users?sort=-name&limit=1`);
  expect(users.flatMap((page) => of(page, 'users', 'email'))).toEqual(['owner', 'Bob@example.org', 'ann@example.org']);
  await api.done('POST', '/projects/delta/members', { principal: 'ann@example.org', role: 'artifact_store_editor' });
  await api.done('POST', '/projects/delta/members', { principal: 'allUsers', role: 'artifact_store_viewer' });
  const members = (query: string) =>
    api.get(`${base}/projects/delta/members${query}`).then((page) => of(page, 'members', 'principal'));
  expect(await members('')).toEqual(['allUsers', 'ann@example.org', 'owner']);
  expect(await members('?inherited=false&sort=-name')).toEqual(['ann@example.org', 'allUsers']);
  expect(await members('?inherited=true')).toEqual(['owner']);
  expect(await members('?role=artifact_store_viewer')).toEqual(['allUsers']);
  expect(await members('?q=ANN')).toEqual(['ann@example.org']);
  for (const id of ['one', 'two']) {
    await api.done('POST', '/projects/delta/repositories', { id, immutableTags: id === 'two' });
    await api.done('POST', '/projects/delta/service-accounts', { id });
    await api.done('POST', '/projects/delta/service-accounts/one/keys', {}).catch(() => undefined);
  }
  const repositories = (query: string) =>
    api.get(`${base}/projects/delta/repositories${query}`).then((page) => of(page, 'repositories', 'id'));
  expect(await repositories('?sort=-created')).toEqual(['two', 'one']);
  expect(await repositories('?immutableTags=true')).toEqual(['two']);
  expect(await repositories('?scanning=false')).toEqual([]);
  const keys = await pagesOf(api, `${base}/projects/delta/service-accounts/one/keys?limit=1&sort=-created`);
  expect(keys.flatMap((page) => of(page, 'keys', 'id'))).toHaveLength(2);
});

test.each([0, 999, 1_000, 2_500])('all of %i are read, however many are read at once', async (count) => {
  const some = (limit: number, last: number | undefined) => {
    const first = (last ?? 0) + 1;
    return Promise.resolve(Array.from({ length: Math.min(limit, count - first + 1) }, (_, index) => first + index));
  };
  expect(await readAll(some)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
});

test('text is in the order of its code points, as keys are', () => {
  const texts = ['', 'a', 'a\u{e000}', 'a\uffff', 'a\u{10000}', 'a\u{1f680}b', 'a\u{1f680}c', 'ab'];
  const byBytes = texts.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
  expect(texts.toReversed().toSorted(compareText)).toEqual(byBytes);
});

test('what was made in the tenth incarnation was made after what was made in the ninth', () => {
  const stamp = Buffer.alloc(12);
  const made = [1, 9, 10, 4_294_967_295].map((incarnation) => sortable({ incarnation, stamp }));
  expect(made.toReversed().toSorted(compareText)).toEqual(made);
});

test('a page by name is the same from the index as from all that is sorted, filtered or not', async () => {
  const all = Array.from({ length: 250 }, (_, index) => `r-${String(index).padStart(3, '0')}`);
  const isKept = (name: string) => name.endsWith('7');
  const read = (limit: number, after: string | undefined) =>
    Promise.resolve(all.filter((name) => after === undefined || name > after).slice(0, limit));
  for (const keep of [() => true, isKept]) {
    const listed = all.filter(keep).map((name) => ({ item: name, name, created: '', uid: name }));
    for (let after: string | undefined, round = 0; round === 0 || after !== undefined; round += 1) {
      const query = { limit: 3, after };
      const same = (name: string) => name;
      const page = await pageByName(query, {
        nameOf: same,
        uidOf: same,
        read,
        keep: (name) => Promise.resolve(keep(name) ? name : undefined),
      });
      expect(page.items).toEqual(pageOf(listed, query).items);
      after = page.after;
    }
  }
});
