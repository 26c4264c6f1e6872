import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import parquet from 'parquetjs-lite';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { readConfig } from '../../src/config.js';
import { partitionOf } from '../../src/events/log.js';
import { parsePosition } from '../../src/events/position.js';
import type { Stream } from '../../src/events/types.js';
import type { Database } from '../../src/keyvalue/database.js';
import type { Keyspace } from '../../src/keyvalue/keyspace.js';
import { openRegistry } from '../../src/open-registry.js';
import { randomImage, RegistryClient } from '../support/client.js';
import { run, startDaemon, temporaryFolder, waitFor } from '../support/processes.js';
import { startServer, storeSettings } from '../support/server.js';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const server = await startServer();
afterAll(() => server.remove());
const client = new RegistryClient({ url: server.url, user: server.user, password: server.password });

const settings = {
  PATH: process.env['PATH'],
  TZ: 'UTC',
  ...storeSettings(server.directory),
};

async function cli(...args: readonly string[]) {
  const { code, stdout, stderr } = await run(process.execPath, [program, ...args], { env: settings });
  return { code, stdout: stdout.toString(), stderr };
}

const history = (...args: readonly string[]) => cli('history', ...args);
const linesOf = (text: string): readonly string[] => text.split('\n').slice(0, -1);

interface Line {
  readonly position: string;
  readonly kind: string;
  readonly text: string;
  readonly repository: { readonly uid: string; readonly current: boolean };
}

async function json(...args: readonly string[]): Promise<readonly Line[]> {
  const { code, stdout, stderr } = await history(...args, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return linesOf(stdout).map((line) => JSON.parse(line) as Line);
}

// One image twice under a tag, the repository deleted, and created anew by a push of 200 tags.
beforeAll(async () => {
  await client.pushImage('team/backend', 'latest', randomImage({ seed: 'one', layers: 1 }));
  await client.pushImage('team/backend', 'latest', randomImage({ seed: 'two', layers: 1 }));
  await cli('repository', 'delete', 'team/backend');
  const image = randomImage({ seed: 'three', layers: 1 });
  const { digest, bytes, mediaType } = image.manifest;
  await client.pushImage('team/backend', digest, image);
  for (const first of [0, 100]) {
    const tags = Array.from({ length: 100 }, (_, index) => `tag=v${first + index}`).join('&');
    const put = await client.request('PUT', `/v2/team/backend/manifests/${digest}?${tags}`, {
      body: bytes,
      headers: { 'content-type': mediaType },
      scopes: ['repository:team/backend:pull,push'],
    });
    put.expect(201);
  }
}, 60_000);

test('the lines say when, who, how, from where and what, the oldest first', async () => {
  const { code, stdout, stderr } = await history('team/backend:latest');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const when = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}Z {2}/;
  const [border, first, second, third] = linesOf(stdout);
  expect(border).toMatch(/^-- an earlier repository team\/backend \([0-9a-f-]{36}\), which was deleted$/);
  for (const line of [first, second, third]) expect(line).toMatch(when);
  expect(first?.replace(when, '')).toMatch(
    /^owner@example\.test \(token, 127\.0\.0\.1\) {2}created tag latest of team\/backend at sha256:\w{12}$/,
  );
  expect(second?.replace(when, '')).toMatch(/moved tag latest of team\/backend from sha256:\w{12} to sha256:\w{12}$/);
  expect(third?.replace(when, '')).toMatch(/^the registry or its operator {2}deleted tag latest of team\/backend, which was at/);
  expect(linesOf(stdout)).toHaveLength(4);
  // eslint-disable-next-line no-control-regex -- it looks for colors
  expect(stdout).not.toMatch(/\u001b/);
});

test('a repository created anew is shown as another, and both have their history', async () => {
  const all = await json('team/backend');
  const uids = [...new Set(all.map(({ repository }) => repository.uid))];
  expect(uids).toHaveLength(2);
  expect(all.filter(({ kind }) => kind === 'RepositoryCreated').map(({ repository }) => repository)).toMatchObject([
    { uid: uids[0], current: false },
    { uid: uids[1], current: true },
  ]);
  expect(all.map(({ position }) => position)).toEqual(all.map(({ position }) => position).sort());
  const { stdout } = await history('team/backend', '--kind', 'RepositoryCreated');
  expect(linesOf(stdout).map((line) => line.slice(0, 14))).toEqual([
    '-- an earlier ',
    expect.stringMatching(/^\d{4}-/) as unknown,
    '-- another rep',
    expect.stringMatching(/^\d{4}-/) as unknown,
  ]);
});

test('options narrow it: kinds, actors, moments, the newest so many, the newest first', async () => {
  const all = await json('team/backend');
  expect(await json('team/backend', '-n', '3')).toEqual(all.slice(-3));
  expect(await json('team/backend', '--newest', '--limit', '3')).toEqual(all.slice(-3).reverse());
  expect(await json('team/backend', '--newest')).toEqual([...all].reverse());
  expect(await json('team/backend', '--kind', 'tagmoved')).toEqual(all.filter(({ kind }) => kind === 'TagMoved'));
  const mine = all.filter(({ kind }) => kind === 'TagDeleted' || kind === 'BlobUnlinked').length;
  expect((await json('team/backend', '--actor', 'system', '--kind', 'TagDeleted,BlobUnlinked')).length).toBe(mine);
  expect(await json('team/backend', '--actor', `${server.user},system`)).toEqual(all);
  expect(await json('team/backend', '--since', '1h')).toEqual(all);
  const [, second, third] = all;
  expect(await json('team/backend', '--since', second?.position ?? '', '--until', third?.position ?? '')).toEqual([
    second,
    third,
  ]);
  expect((await json('team')).map(({ kind }) => kind)).toEqual([
    'ProjectCreated',
    'RepositoryCreated',
    'RepositoryDeletionBegun',
    'RepositoryDeleted',
    'RepositoryCreated',
  ]);
});

test('files are whole, and hold what --json prints', async () => {
  const folder = temporaryFolder();
  const all = await json('team/backend');
  const ndjson = join(folder, 'history.ndjson');
  expect(await history('team/backend', '--ndjson', ndjson)).toEqual({
    code: 0,
    stdout: `wrote ${all.length} events to ${ndjson}\n`,
    stderr: '',
  });
  expect(linesOf(readFileSync(ndjson, 'utf8')).map((line) => JSON.parse(line) as unknown)).toEqual(all);
  const file = join(folder, 'history.parquet');
  expect(await history('team/backend', '--parquet', file)).toMatchObject({ code: 0, stderr: '' });
  const cursor = (await parquet.ParquetReader.openBuffer(readFileSync(file))).getCursor();
  const rows: unknown[] = [];
  for (let row = await cursor.next(); row !== null; row = await cursor.next()) rows.push([row['position'], row['text']]);
  expect(rows).toEqual(all.map(({ position, text }) => [position, text]));
  expect(readdirSync(folder).sort()).toEqual(['history.ndjson', 'history.parquet']);
  const nowhere = await history('team/backend', '--parquet', join(folder, 'none', 'file'));
  expect(nowhere).toMatchObject({ code: 1, stdout: '' });
  expect(nowhere.stderr).toMatch(/^artifact-store: [^\n]+none\/file cannot be written: ENOENT[^\n]*\n$/);
});

test.each([
  [['team/never'], 1, /repository team\/never is not known to this registry$/],
  [['never'], 1, /project never is not known to this registry$/],
  [['team/backend:never'], 1, /team\/backend:never is not there, nor was it ever$/],
  [['team/backend/never'], 1, /team\/backend\/never is not there, nor was it ever$/],
  [['team/backend', '--kind', 'Foo'], 2, /"Foo" is no kind of event; accepted are RepositoryCreated, /],
  [['team/backend', '--since', 'yesterday'], 2, /--since: "yesterday" .* or so long ago like 90s/],
  [['team/backend', '--actor', 'nobody'], 2, /nobody has the login name "nobody"; accepted are/],
  [['team/backend', '--frob'], 2, /"--frob" is no option of history; accepted are/],
  [[], 2, /whose history\?/],
] as const)('%j is one line on standard error, with status %d', async (args, status, message) => {
  const { code, stdout, stderr } = await history(...args);
  expect({ code, stdout }).toEqual({ code: status, stdout: '' });
  expect(stderr).toMatch(/^artifact-store: [^\n]+\n$/);
  expect(stderr.trimEnd()).toMatch(message);
});

test('what did nothing in the span asked for is no error', async () => {
  expect(await history('team/backend:latest', '--actor', 'anonymous')).toEqual({
    code: 0,
    stdout: '',
    stderr: 'artifact-store: nothing in the history of team/backend:latest is so\n',
  });
});

test('--help says what is accepted', async () => {
  expect(await history('--help')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^usage: artifact-store history/) as unknown,
  });
  expect((await cli('help')).stdout).toContain('history <what>');
});

test('--follow goes on with what comes, and ends cleanly when it is interrupted', async () => {
  const follower = await startDaemon(
    process.execPath,
    [program, 'history', 'team/backend', '--follow', '-n', '2', '--kind', 'TagMoved,TagDeleted'],
    {
      env: settings,
    },
  );
  const project = await startDaemon(process.execPath, [program, 'history', 'team', '--follow', '--json'], { env: settings });
  const shown = (daemon: typeof follower) => linesOf(daemon.log()).filter((line) => !line.startsWith('--'));
  await waitFor(
    async () => (shown(follower).length === 2 && shown(project).length === 5 ? true : undefined),
    15_000,
    () => follower.log(),
  );
  await client.pushImage('team/backend', 'followed', randomImage({ seed: 'followed', layers: 1 }));
  await client.pushImage('team/other', 'followed', randomImage({ seed: 'other', layers: 1 }));
  await client.deleteManifest('team/backend', 'followed');
  await waitFor(
    async () => (shown(follower).length >= 4 && shown(project).length >= 6 ? true : undefined),
    15_000,
    () => follower.log(),
  );
  follower.signal('SIGINT');
  project.signal('SIGINT');
  expect(await follower.ended).toEqual({ code: 0, signal: null });
  expect(await project.ended).toEqual({ code: 0, signal: null });
  expect(shown(follower).slice(2)).toEqual([
    expect.stringContaining('created tag followed of team/backend at sha256:') as unknown,
    expect.stringContaining('deleted tag followed of team/backend, which was at sha256:') as unknown,
  ]);
  expect(shown(project).slice(5)).toEqual([
    expect.stringContaining('created repository team/other by the first push') as unknown,
  ]);
}, 60_000);

test.each(['', '--follow'])('a reader that has enough ends it without a word (%s)', async (more) => {
  const line = `"$0" "$1" history team/backend --json ${more} | head -n 1; echo "status \${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await run('/bin/bash', ['--norc', '-c', line, process.execPath, program], { env: settings });
  expect(stderr).toBe('');
  const [first, status] = linesOf(stdout.toString());
  expect(JSON.parse(first ?? '')).toMatchObject({ kind: 'RepositoryCreated' });
  expect(status).toBe('status 0');
});

test('the API answers a real server as it answers the tests, and exports what the command does', async () => {
  const base = '/api/v1/projects/team/repositories/backend';
  const all = await json('team/backend');
  const exported = await client.request('GET', `${base}/history/export`, { auth: 'basic' });
  expect(linesOf(exported.text()).map((line) => JSON.parse(line) as unknown)).toEqual(all);
  const get = await client.request('GET', `${base}/history`, { auth: 'basic' });
  const head = await client.request('HEAD', `${base}/history`, { auth: 'basic' });
  expect(head.status).toBe(200);
  expect(head.body).toHaveLength(0);
  expect(head.header('content-length')).toBe(String(get.body.length));
  const token = await client.token(['repository:team/backend:pull']);
  expect((await client.request('GET', `${base}/tags`, { auth: { token } })).json()).toMatchObject({ people: 'hidden' });
  expect((await client.request('GET', `${base}/tags`, { auth: 'none' })).status).toBe(401);
  expect((await client.request('GET', `${base}/history?actor=${server.user}&limit=1`, { auth: 'basic' })).status).toBe(200);
});

// From here on the server is down, and its store is spoilt.

async function withStore(change: (database: Database, keyspace: Keyspace) => Promise<void>): Promise<void> {
  if (server.isRunning()) await server.stop();
  const registry = await openRegistry(readConfig(settings), false);
  try {
    await change(registry.store.database, registry.store.keyspaces.registry);
  } finally {
    await registry.close();
  }
}

test('an event that cannot be read ends it with its position, behind all that was before', async () => {
  const all = (await json('team/backend')) as readonly (Line & { readonly stream: Stream })[];
  const broken = all.at(-4);
  const position = parsePosition(broken?.position ?? '');
  if (position === undefined || broken === undefined) throw new Error('no event to break');
  await withStore((database, keyspace) =>
    database.transact(async (tx) => {
      const key = keyspace.logKey(position.incarnation, partitionOf(broken.stream), position.stamp);
      const bytes = await tx.get(key);
      if (bytes === undefined) throw new Error('it is not there');
      bytes.writeUInt8(bytes.readUInt8(30) ^ 1, 30);
      tx.set(key, bytes);
    }),
  );
  const told = new RegExp(`^artifact-store: the event at ${broken.position} can't be read: [^\\n]+\\n$`);
  const oldest = await history('team/backend', '--json');
  expect(oldest).toMatchObject({ code: 1, stderr: expect.stringMatching(told) as unknown });
  expect(linesOf(oldest.stdout).map((line) => JSON.parse(line) as unknown)).toEqual(all.slice(0, -4));
  const newest = await history('team/backend', '--json', '--newest');
  expect(newest).toMatchObject({ code: 1, stderr: expect.stringMatching(told) as unknown });
  expect(linesOf(newest.stdout)).toHaveLength(3);
  const last = await history('team/backend', '--json', '-n', '10');
  expect(last).toMatchObject({ code: 1, stderr: expect.stringMatching(told) as unknown });
  expect(linesOf(last.stdout)).toHaveLength(3);
  const file = join(temporaryFolder(), 'half');
  expect(await history('team/backend', '--parquet', file)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(told) as unknown,
  });
  expect(existsSync(file)).toBe(false);
});

test('a store whose index of history is not there yet says so', async () => {
  await withStore((database, keyspace) =>
    database.transact(async (tx) => {
      const live = JSON.parse((await tx.get(keyspace.metaLive))?.toString() ?? '') as { projections: { name: string }[] };
      const projections = live.projections.filter(({ name }) => name !== 'history');
      expect(projections.length).toBe(live.projections.length - 1);
      tx.set(keyspace.metaLive, Buffer.from(JSON.stringify({ ...live, projections })));
    }),
  );
  const { code, stdout, stderr } = await history('team/backend');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^artifact-store: the index history is being built[^\n]+\n$/);
});
