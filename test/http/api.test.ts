import parquet from 'parquetjs-lite';
import { describe, expect, test } from 'vitest';

import { mountBlob } from '../../src/commands/blob.js';
import { repositoryStream } from '../../src/events/types.js';
import { eventKinds } from '../../src/events/words.js';
import { partitionOf } from '../../src/events/log.js';
import { parsePosition } from '../../src/events/position.js';
import {
  accepted,
  blobOf,
  create,
  nameOf,
  push,
  pushImage,
  putManifest,
  removeManifest,
  removeRepository,
  uidOf,
} from '../commands/fixture.js';
import { of, openApi, pagesOf, type Api } from './api-fixture.js';

const base = '/api/v1/projects/team/repositories/backend';

/** A repository with two pushes of one tag, a second apart, and one of another image. */
async function opened(): Promise<Api> {
  const api = await openApi();
  await create(api.at, 'team/backend');
  await pushImage(api.at, 'team/backend', 'one', ['latest']);
  api.clock.advance(1_000);
  await pushImage(api.at, 'team/backend', 'two', ['latest']);
  api.clock.advance(1_000);
  await pushImage(api.at, 'team/backend/api', 'three', ['v1']);
  api.clock.advance(1_000);
  return api;
}

describe('history', () => {
  test('comes in pages, the newest first or the oldest first, each entry once', async () => {
    const api = await opened();
    const oldest = await pagesOf(api, `${base}/history?order=oldest&limit=4`);
    const newest = await pagesOf(api, `${base}/history?limit=5`);
    const positions = oldest.flatMap((page) => of(page, 'entries', 'position'));
    expect(positions).toHaveLength(13);
    expect(positions).toEqual([...positions].sort());
    expect(newest.flatMap((page) => of(page, 'entries', 'position'))).toEqual([...positions].reverse());
    expect(oldest[0]?.headers['link']).toBe(`<${String(oldest[0]?.body['next'])}>; rel="next"`);
    expect(oldest[0]?.headers['cache-control']).toBe('no-store');
    expect(oldest.flatMap((page) => of(page, 'entries', 'kind')).slice(0, 6)).toEqual([
      'RepositoryCreated',
      'BlobPushed',
      'BlobPushed',
      'ManifestPushed',
      'TagMoved',
      'BlobPushed',
    ]);
  });

  test('says what happened, when, by whom, from where, and the position that it was read at', async () => {
    const api = await opened();
    const { keyspace } = await api.at.store.read(({ platform }) => Promise.resolve(platform));
    const named = await api.get(`${base}/history?tag=latest&limit=1`);
    expect(named.body).toMatchObject({
      project: 'team',
      repository: 'backend',
      people: 'shown',
      order: 'newest',
      position: expect.stringMatching(/^1-[0-9a-f]{24}$/) as unknown,
      time: expect.stringMatching(/^2026-11-01T09:00:0\d\.\d{6}Z$/) as unknown,
    });
    const [entry] = named.body['entries'] as readonly Record<string, unknown>[];
    const uid = await uidOf(api.at, 'team/backend');
    expect(entry).toEqual({
      position: expect.any(String) as unknown,
      time: expect.stringMatching(/^2026-11-01T09:00:01\.\d{6}Z$/) as unknown,
      occurredAt: '2026-01-01T00:00:00.000000Z',
      id: expect.any(String) as unknown,
      kind: 'TagMoved',
      text: expect.stringMatching(/^moved tag latest of team\/backend from sha256:\w{12} to sha256:\w{12}$/) as unknown,
      stream: `repository/${uid ?? ''}`,
      repository: { uid, id: 'backend', project: { uid: expect.any(String) as unknown, id: 'team' }, current: true },
      actor: { kind: 'user', uid: api.owner.uid, authentication: 'password', name: 'owner', text: 'owner' },
      client: { address: '10.0.0.7', userAgent: 'docker/27.1 go/go1.21 os/linux' },
      requestId: expect.any(String) as unknown,
      commandId: expect.any(String) as unknown,
      correlationId: expect.any(String) as unknown,
      payload: {
        image: '',
        tag: 'latest',
        from: expect.stringMatching(/^sha256:/) as unknown,
        to: expect.stringMatching(/^sha256:/) as unknown,
      },
    });
    // Erased: the name, and what lies under the request.
    await api.at.store.database.transact((tx) => {
      tx.clear(keyspace.personal(api.owner.uid, 'login-name'));
      tx.clear(api.at.store.keyspaces.registry.request(entry?.['requestId'] as never));
      return Promise.resolve();
    });
    const erased = await api.get(`${base}/history?tag=latest&limit=1`);
    expect((erased.body['entries'] as readonly unknown[])[0]).toMatchObject({
      actor: { erased: true, text: `user ${api.owner.uid} (name erased)` },
      client: { erased: true },
    });
  });

  test('is filtered by image, tag, digest, kind, actor and time', async () => {
    const api = await opened();
    const texts = async (query: string) => of(await api.get(`${base}/history?order=oldest&${query}`), 'entries', 'text');
    expect(await texts('image=api')).toHaveLength(2);
    expect(await texts('image=')).toHaveLength(4);
    expect(await texts('tag=v1')).toEqual([]);
    expect(await texts('image=api&tag=v1')).toHaveLength(1);
    expect(await texts('kind=TagMoved,RepositoryCreated')).toHaveLength(4);
    expect(await texts(`kind=TagMoved&actor=${api.owner.uid}`)).toHaveLength(3);
    expect(await texts('actor=system')).toEqual([]);
    expect(await texts('actor=anonymous,system')).toEqual([]);
    expect(await texts('since=2026-11-01T09:00:01Z&kind=TagMoved')).toHaveLength(2);
    expect(await texts('since=2026-11-01T10:00:01%2B01:00&until=2026-11-01T09:00:01.999999Z&kind=TagMoved')).toHaveLength(1);
    expect(await texts('since=2036-01-01T00:00:00Z')).toEqual([]);
    expect(await texts('until=2036-01-01T00:00:00Z')).toHaveLength(13);
    const [, second, third] = of(await api.get(`${base}/history?order=oldest`), 'entries', 'position');
    expect(of(await api.get(`${base}/history?since=${String(second)}&until=${String(third)}`), 'entries', 'position')).toEqual([
      third,
      second,
    ]);
    const digest = String(of(await api.get(`${base}/tags?image=api`), 'tags', 'digest')[0]);
    expect(await texts(`digest=${digest}`)).toHaveLength(2);
    expect(await texts(`digest=${digest}&image=`)).toEqual([]);
  });

  test('outlives its repository, and shows that one created anew is another', async () => {
    const api = await opened();
    const first = await uidOf(api.at, 'team/backend');
    await removeRepository(api.at, 'team/backend');
    const gone = await api.get(`${base}/history?limit=1`);
    expect(gone).toMatchObject({ status: 200, body: { bearers: [{ uid: first, current: false }] } });
    expect(of(gone, 'entries', 'text')).toEqual(['finished deleting repository team/backend: all its images are gone']);
    await create(api.at, 'team/backend');
    const second = await uidOf(api.at, 'team/backend');
    const both = await api.get(`${base}/history?kind=RepositoryCreated,RepositoryDeleted`);
    expect(both.body).toMatchObject({
      bearers: [
        { uid: first, current: false },
        { uid: second, current: true },
      ],
      entries: [
        { repository: { uid: second, current: true } },
        { repository: { uid: first, current: false } },
        { repository: { uid: first, current: false } },
      ],
    });
    const one = await api.get(`${base}/history?bearer=${first ?? ''}&kind=RepositoryCreated`);
    expect(of(one, 'entries', 'kind')).toEqual(['RepositoryCreated']);
    expect((await api.get(`${base}/history?bearer=${api.at.newId()}`)).status).toBe(404);
  });

  test("of a project is of its own stream, and of its repositories' coming and going", async () => {
    const api = await opened();
    await api.somebody('team', 'viewer');
    const { body } = await api.get('/api/v1/projects/team/history?order=oldest');
    expect((body['entries'] as readonly Record<string, unknown>[]).map(({ text }) => text)).toEqual([
      'created project team in organization default',
      'created repository team/backend by the first push to it, with scanning on',
      expect.stringMatching(/^granted the role viewer on project team to user [0-9a-f-]{36} \(name erased\)$/) as unknown,
    ]);
    expect(body).not.toHaveProperty('repository');
  });

  test('does not say where a blob was mounted from in a project that the caller may not see', async () => {
    const api = await opened();
    await create(api.at, 'secret/base');
    accepted(await push(api.at, 'secret/base', blobOf('shared')));
    const from = await uidOf(api.at, 'secret/base');
    accepted(
      await mountBlob(api.at.executor, api.at.context(), {
        kind: 'MountBlob',
        name: nameOf('team/backend'),
        digest: blobOf('shared').digest,
        from: nameOf('secret/base'),
      }),
    );
    const seen = await api.get(`${base}/history?kind=BlobMounted`);
    expect(of(seen, 'entries', 'text')[0]).toContain('from another repository into team/backend');
    expect(JSON.stringify(seen.body)).not.toContain(from);
    expect(JSON.stringify(seen.body)).not.toContain('secret');
  });

  test('ends a page before an event that cannot be read, and then tells of it', async () => {
    const api = await opened();
    const before = await api.get(`${base}/history?order=oldest`);
    const broken = String(of(before, 'entries', 'position')[6]);
    await damage(api, broken);
    const page = await api.get(`${base}/history?order=oldest`);
    const read = of(page, 'entries', 'position');
    expect(read.length).toBeGreaterThan(0);
    expect(read).toEqual(of(before, 'entries', 'position').slice(0, read.length));
    let last = page;
    while (last.status === 200) last = await api.get(String(last.body['next']));
    expect(last).toMatchObject({ status: 500, body: { code: 'INTERNAL' } });
    expect(api.log.join('')).toContain(`the event at ${broken} can't be read`);
  });
});

async function damage({ at }: Api, text: string): Promise<void> {
  const position = parsePosition(text);
  const uid = await uidOf(at, 'team/backend');
  if (position === undefined || uid === undefined) throw new Error('nothing to damage');
  const key = at.store.keyspaces.registry.logKey(position.incarnation, partitionOf(repositoryStream(uid)), position.stamp);
  await at.store.database.transact(async (tx) => {
    const bytes = await tx.get(key);
    if (bytes === undefined) throw new Error('no event there');
    bytes.writeUInt8(bytes.readUInt8(20) ^ 0x10, 20);
    tx.set(key, bytes);
  });
}

describe('the past', () => {
  test("of an image's tags is as it was at a time, and says which position that is", async () => {
    const api = await opened();
    const [one] = of(await api.get(`${base}/tags?at=2026-11-01T09:00:00.5Z`), 'tags', 'digest');
    const [two] = of(await api.get(`${base}/tags?at=2026-11-01T09:00:01.5Z`), 'tags', 'digest');
    expect(one).not.toBe(two);
    const then = await api.get(`${base}/tags?at=2026-11-01T09:00:00.5Z`);
    expect(then.body).toMatchObject({ image: '', position: expect.stringMatching(/^1-/) as unknown });
    expect(then.body['time']).toMatch(/^2026-11-01T09:00:00\.5/);
    expect(of(await api.get(`${base}/tags`), 'tags', 'digest')).toEqual([two]);
    expect(of(await api.get(`${base}/tags?image=api&at=${String(then.body['position'])}`), 'tags', 'tag')).toEqual([]);
    expect((await api.get(`${base}/manifests/latest?at=2026-11-01T09:00:00.5Z`)).body).toMatchObject({
      digest: one,
      tag: { tag: 'latest', digest: one },
    });
  });

  test('of a manifest that was deleted since says when and by whom', async () => {
    const api = await opened();
    const [digest] = of(await api.get(`${base}/tags?image=api`), 'tags', 'digest');
    await removeManifest(api.at, 'team/backend/api', digest as never);
    api.clock.advance(1_000);
    const at = '2026-11-01T09:00:02.5Z';
    const gone = { actor: { name: 'owner' }, time: expect.stringMatching(/^2026-11-01T09:00:03/) as unknown };
    expect((await api.get(`${base}/manifests/v1?image=api&at=${at}`)).body).toMatchObject({ digest, gone });
    expect((await api.get(`${base}/manifests?at=${at}`)).body['manifests']).toMatchObject([{}, {}, { digest, gone }]);
    expect((await api.get(`${base}/tags?image=api&at=${at}`)).body['tags']).toMatchObject([{ tag: 'v1', digest, gone }]);
    expect((await api.get(`${base}/manifests?at=${at}`)).body['manifests']).toMatchObject([
      { image: '' },
      { image: '' },
      { image: 'api' },
    ]);
    const now = await api.get(`${base}/manifests/v1?image=api`);
    expect(now).toMatchObject({ status: 404, body: { code: 'MANIFEST_UNKNOWN' } });
    expect(now.body['detail']).toMatch(/v1 at position .* it was deleted at 2026-11-01T09:00:03\.\d{6}Z by owner$/);
    expect((await api.get(`${base}/manifests/${String(digest)}?image=api`)).status).toBe(404);
    expect((await api.get(`${base}/manifests/${String(digest).replace(':', '%3A')}?image=api&at=${at}`)).status).toBe(200);
  });

  test('comes in pages', async () => {
    const api = await opened();
    const image = await pushImage(api.at, 'team/backend', 'four', ['a', 'b', 'c']);
    accepted(await putManifest(api.at, 'team/backend', image, ['d']));
    const tags = await pagesOf(api, `${base}/tags?limit=2`);
    expect(tags.flatMap((page) => of(page, 'tags', 'tag'))).toEqual(['a', 'b', 'c', 'd', 'latest']);
    const all = of(await api.get(`${base}/manifests`), 'manifests', 'digest');
    const manifests = await pagesOf(api, `${base}/manifests?limit=1`);
    expect(manifests.flatMap((page) => of(page, 'manifests', 'digest'))).toEqual(all);
    expect(all).toHaveLength(4);
  });

  test('speaks of the repository that bears the id now', async () => {
    const api = await opened();
    await removeRepository(api.at, 'team/backend');
    expect(await api.get(`${base}/tags?at=2026-11-01T09:00:01Z`)).toMatchObject({
      status: 404,
      body: { code: 'REPOSITORY_UNKNOWN' },
    });
  });
});

describe('an export', () => {
  test('as NDJSON is the whole history, the oldest first, an entry a line', async () => {
    const api = await opened();
    const { body } = await api.get(`${base}/history?order=oldest`);
    const exported = await api.get(`${base}/history/export`);
    expect(exported.headers).toMatchObject({
      'content-type': 'application/x-ndjson',
      'content-disposition': 'attachment; filename="team-backend-history.ndjson"',
      'cache-control': 'no-store',
      'artifact-store-position': body['position'],
    });
    const lines = exported.bytes.toString().trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(body['entries']);
  });

  test('goes on behind the position that the one before ended at', async () => {
    const api = await opened();
    const first = await api.get(`${base}/history/export`);
    const position = String(first.headers['artifact-store-position']);
    expect((await api.get(`${base}/history/export?after=${position}`)).bytes).toHaveLength(0);
    accepted(await push(api.at, 'team/backend', blobOf('later')));
    const second = await api.get(`${base}/history/export?after=${position}`);
    expect(second.bytes.toString().trimEnd().split('\n')).toEqual([expect.stringContaining('"BlobPushed"') as unknown]);
  });

  test('as Parquet is read back with the same facts', async () => {
    const api = await opened();
    const { body } = await api.get(`${base}/history?order=oldest`);
    const exported = await api.get(`${base}/history/export?format=parquet`);
    expect(exported.headers['content-type']).toBe('application/vnd.apache.parquet');
    const reader = await parquet.ParquetReader.openBuffer(exported.bytes);
    const cursor = reader.getCursor();
    const rows: Readonly<Record<string, unknown>>[] = [];
    for (let row = await cursor.next(); row !== null; row = await cursor.next()) rows.push(row);
    const entries = body['entries'] as readonly Readonly<Record<string, unknown>>[];
    expect(rows.map(({ position, kind, text, payload }) => ({ position, kind, text, payload }))).toEqual(
      entries.map(({ position, kind, text, payload }) => ({ position, kind, text, payload })),
    );
    const moved = rows.filter(({ kind }) => kind === 'TagMoved')[1];
    expect(moved).toMatchObject({
      project: 'team',
      repository: 'backend',
      repository_current: true,
      actor_kind: 'user',
      actor_uid: api.owner.uid,
      actor_name: 'owner',
      actor_erased: false,
      authentication: 'password',
      client_address: '10.0.0.7',
      client_erased: false,
      image: '',
      tag: 'latest',
    });
    expect((moved?.['time'] as Date).toISOString()).toMatch(/^2026-11-01T09:00:01/);
    expect(moved?.['previous']).toBe(rows.find(({ kind }) => kind === 'TagMoved')?.['digest']);
    expect(rows.find(({ kind }) => kind === 'BlobPushed')?.['size']).toBe(13n);
  });

  test('is filtered, of a project too, and of HEAD the headers alone', async () => {
    const api = await opened();
    const tags = await api.get(`${base}/history/export?kind=TagMoved&since=2026-11-01T09:00:01Z`);
    expect(tags.bytes.toString().trimEnd().split('\n')).toHaveLength(2);
    const none = await api.get(`${base}/history/export?actor=system`);
    expect(none).toMatchObject({ status: 200 });
    expect(none.bytes).toHaveLength(0);
    const project = await api.get('/api/v1/projects/team/history/export');
    expect(project.headers['content-disposition']).toBe('attachment; filename="team-history.ndjson"');
    expect(project.bytes.toString().trimEnd().split('\n')).toHaveLength(2);
    const head = await api.get(`${base}/history/export?format=parquet`, api.owner, 'HEAD');
    expect(head).toMatchObject({ status: 200, headers: { 'content-type': 'application/vnd.apache.parquet' } });
    expect(head.bytes).toHaveLength(0);
  });

  test('that meets what it cannot read is broken off, and the log says why', async () => {
    const api = await opened();
    for (let index = 0; index < 30; index += 1) await pushImage(api.at, 'team/backend', `more ${index}`, ['more']);
    const [last] = of(await api.get(`${base}/history?limit=1`), 'entries', 'position');
    await damage(api, String(last));
    const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
    try {
      const answer = await fetch(`${url}${base}/history/export`, {
        headers: { authorization: `Bearer ${JSON.stringify(api.owner)}` },
      });
      expect(answer.status).toBe(200);
      await expect(answer.text()).rejects.toThrow();
      await expect.poll(() => api.log.join('')).toContain(`the event at ${String(last)} can't be read`);
    } finally {
      await api.app.close();
    }
  });

  test('that cannot begin is refused as anything else', async () => {
    const api = await opened();
    expect(await api.get(`${base}/history/export?format=csv`)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
    expect((await api.get(`${base}/history/export?limit=5`)).status).toBe(400);
    expect((await api.get(`${base}/history/export`, 'nobody')).status).toBe(401);
  });
});

describe('who may see it', () => {
  test('a viewer sees what happened, and of people their uids alone', async () => {
    const api = await opened();
    const viewer = await api.somebody('team', 'viewer');
    for (const path of [`${base}/history`, `${base}/manifests/latest`, '/api/v1/projects/team/history']) {
      const { status, body } = await api.get(path, viewer);
      expect({ status, people: body['people'] }).toEqual({ status: 200, people: 'hidden' });
      const text = JSON.stringify(body);
      expect(text).toContain(api.owner.uid);
      expect(text).not.toMatch(/"name":"owner"|"text":"owner"|10\.0\.0\.7|docker\/27|erased/);
    }
    const exported = await api.get(`${base}/history/export`, viewer);
    expect(exported.bytes.toString()).not.toMatch(/"owner"|10\.0\.0\.7|docker\/27/);
    const refused = await api.get(`${base}/history?actor=owner`, viewer);
    expect(refused.status).toBe(400);
    expect(refused.body['detail']).toMatch(/a uid, system or anonymous/);
  });

  test('a token shows people only where it is given for all that an owner may, and only what it names', async () => {
    const api = await opened();
    const narrowed = (name: string, ...actions: readonly ('pull' | 'delete')[]) =>
      ({ ...api.owner, access: [{ type: 'repository', name, actions }] }) as const;
    expect((await api.get(`${base}/history`, narrowed('team/backend', 'pull'))).body['people']).toBe('hidden');
    expect((await api.get(`${base}/history`, narrowed('team/backend', 'pull', 'delete'))).body['people']).toBe('shown');
    expect((await api.get(`${base}/history`, narrowed('team/other', 'pull'))).status).toBe(401);
    expect((await api.get(`${base}/history?image=api`, narrowed('team/backend', 'pull'))).status).toBe(401);
    expect((await api.get(`${base}/history?image=api`, narrowed('team/backend/api', 'pull'))).status).toBe(200);
    expect((await api.get('/api/v1/projects/team/history', narrowed('team/backend', 'pull'))).status).toBe(401);
  });

  test('who may not see a repository cannot tell it from one that never was', async () => {
    const api = await opened();
    const stranger = await api.somebody('team', undefined);
    for (const rest of ['history', 'history/export', 'tags', 'manifests', 'manifests/latest', 'history?tag=nothing']) {
      for (const who of [stranger, 'nobody'] as const) {
        const seen = await api.get(`${base}/${rest}`, who);
        const never = await api.get(`${base.replace('backend', 'no-such')}/${rest}`, who);
        const project = await api.get(`${base.replace('team', 'no-team')}/${rest}`, who);
        expect(seen.status).toBe(who === 'nobody' ? 401 : 403);
        const told = ({ status, body }: typeof seen) =>
          JSON.stringify({ status, body }).replace(/no-such|no-team|backend|team/g, '');
        expect(told(never)).toBe(told(seen));
        expect(told(project)).toBe(told(seen));
      }
    }
  });

  test('nobody is challenged for Bearer and Basic', async () => {
    const api = await opened();
    const { status, headers, body } = await api.get(`${base}/history`, 'nobody');
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toEqual([
      'Bearer realm="http://registry.test/token",service="registry.test",scope="repository:team/backend:pull"',
      'Basic realm="registry.test",charset="UTF-8"',
    ]);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(body).toEqual({
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      detail: 'authentication is required',
      code: 'UNAUTHORIZED',
    });
  });
});

describe('what is not understood', () => {
  const uid = '0190a000-0000-7000-8000-00000000000';
  test.each([
    ['history?foo=1', /"foo" is not known here; accepted are image, tag, digest, bearer, kind/],
    ['history?limit=0', /limit="0" .* from 1 to 1000/],
    ['history?limit=1001', /limit="1001"/],
    ['history?limit=', /limit=""/],
    ['history?limit=1&limit=2', /limit is given twice/],
    ['history?order=up', /order="up" .* newest or oldest/],
    ['history?kind=TagMoved,tagmoved', new RegExp(`"tagmoved" is no kind of event; accepted are ${eventKinds.join(', ')}`)],
    ['history?kind=', /"" is no kind of event/],
    ['history?since=yesterday', /since: "yesterday" is no (?:moment|time); accepted is a time like/],
    ['history?until=2026-13-01T00:00:00Z', /until: /],
    ['history?after=1', /after="1" .* a position like/],
    [`history?bearer=${uid}`, /bearer=/],
    ['history?tag=-', /tag="-"/],
    ['history?digest=sha256:12', /digest="sha256:12"/],
    ['history?tag=a&digest=sha256:' + '0'.repeat(64), /tag and digest are both given/],
    ['history?actor=nobody', /actor: nobody has the login name "nobody"/],
    ['tags?at=2036-01-01T00:00:00Z', /at: 2036-01-01T00:00:00.000000Z has not come yet/],
    ['tags?at=9-000660dedd52faa800000001', /at: the position .* has not come yet/],
    ['tags?after=-', /after="-"/],
    ['manifests?after=x', /after="x" .* <image>@<digest>/],
    ['manifests/-?at=2026-11-01T09:00:00Z', /"-" is not a tag/],
    ['manifests/sha256:12', /is not a digest/],
    ['history?%', /the parameter "%" is not known/],
  ])('%s is refused with what is accepted', async (rest, detail) => {
    const api = await opened();
    const { status, body, headers } = await api.get(`${base}/${rest}`);
    expect({ status, code: body['code'], type: headers['content-type'] }).toEqual({
      status: 400,
      code: 'REQUEST_INVALID',
      type: 'application/problem+json',
    });
    expect(body['detail']).toMatch(detail);
  });

  test.each(['/api/v1', '/api/v1/', `${base}/history/`, `${base}/history/x`, `${base}/manifests/a/b`])(
    '%s is nothing that is served',
    async (path) => {
      const api = await opened();
      expect(await api.get(path)).toMatchObject({
        status: 404,
        headers: { 'content-type': 'application/problem+json' },
        body: { status: 404, title: 'Not Found', code: 'ROUTE_UNKNOWN' },
      });
    },
  );

  test('a slash that is escaped is none: the id has it, and is no id', async () => {
    const api = await opened();
    expect(await api.get(`${base}%2fhistory`)).toMatchObject({
      status: 400,
      headers: { 'content-type': 'application/problem+json' },
      body: { code: 'FIELD_INVALID', detail: 'repository: an id is one part of a name, without a slash' },
    });
  });

  test('outside of /api/v1 errors are those of /v2', async () => {
    const api = await opened();
    for (const path of ['/api', '/api/v2/x', '/api/v1%2fprojects/team/history', '/api/v10/projects/team/history']) {
      const { status, body } = await api.get(path);
      expect({ status, errors: body['errors'] }).toEqual({
        status: 404,
        errors: [expect.objectContaining({ code: 'UNSUPPORTED' })],
      });
    }
  });

  // Not '..': a client takes it as RFC 3986 says, and asks for /api/v1/history.
  test.each(['', 'team%2fbackend', 'Team', 'a b'])('%j is no id', async (project) => {
    const api = await opened();
    const path = `/api/v1/projects/${project.replaceAll(' ', '%20')}/history`;
    expect((await api.get(path)).body['code']).toMatch(/^(?:NAME_INVALID|REQUEST_INVALID|ROUTE_UNKNOWN)$/);
  });

  test('another method is told which are accepted', async () => {
    const api = await opened();
    for (const method of ['POST', 'DELETE'] as const) {
      expect(await api.get(`${base}/history`, api.owner, method)).toMatchObject({
        status: 405,
        headers: { allow: 'GET, HEAD' },
        body: { status: 405, code: 'METHOD_UNSUPPORTED' },
      });
    }
  });

  test('a repository that never was, and a project, are 404 to who may see them', async () => {
    const api = await opened();
    expect((await api.get('/api/v1/projects/team/repositories/never/history')).body['code']).toBe('REPOSITORY_UNKNOWN');
    expect((await api.get('/api/v1/projects/never/history')).body['code']).toBe('PROJECT_UNKNOWN');
  });
});
