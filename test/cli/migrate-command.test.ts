import { randomUUID } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

import { openFoundationDb } from '../../src/keyvalue/foundationdb.js';
import { clientOf, randomImage } from '../support/client.js';
import { findFoundationDb } from '../support/fdbserver.js';
import { run, startDaemon, temporaryFolder, waitFor } from '../support/processes.js';
import { startServer, storeSettings, type Server } from '../support/server.js';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const servers: Server[] = [];
afterAll(async () => {
  for (const server of servers) await server.remove();
});

async function start(): Promise<Server> {
  const server = await startServer();
  servers.push(server);
  return server;
}

async function cli(env: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const settings = { PATH: process.env['PATH'], ...env };
  const { code, stdout, stderr } = await run(process.execPath, [program, ...args], { env: settings, timeoutMs: 90_000 });
  return { code, stdout: stdout.toString(), stderr };
}

/** A clean start of the same blobs on another database. */
const onDatabase = (server: Server, folder: string) => ({ ...storeSettings(server.directory), ARTS_DATABASE: `lmdb:${folder}` });

const newFolder = () => join(temporaryFolder('target'), 'db');

test('a registry that was pushed to is moved, pulled from, and has the history that it had', async () => {
  const server = await start();
  const images = [randomImage(), randomImage()];
  for (const [at, image] of images.entries()) await clientOf(server).pushImage('shop/web', `v${at}`, image);
  await clientOf(server).request('DELETE', '/v2/shop/web/manifests/v0');
  const source = storeSettings(server.directory);
  const folder = newFolder();
  const to = `lmdb:${folder}`;

  const running = await cli(source, 'migrate', '--to', to);
  expect(running).toMatchObject({ code: 1, stdout: '' });
  expect(running.stderr).toMatch(/^artifact-store: servers run on the source: .+ \(heard from \d+ s ago\); stop them first\./);
  expect(existsSync(folder)).toBe(false);

  await server.stop();
  const before = await cli(source, 'history', 'shop/web', '--json');
  const tags = await cli(source, 'history', 'shop', '--json');
  const moved = await cli(source, 'migrate', '--to', to);
  expect(moved).toMatchObject({ code: 0 });
  expect(moved.stdout).toMatch(/^copied: \d+ events, \d+ keys, \d+\.\d MB in \d+\.\d s, /);
  expect(moved.stdout).toMatch(/^verified the log of registry: \d+ events and 4 manifests and configs, 0 damaged$/m);
  expect(moved.stdout).toMatch(
    new RegExp(
      `^moved to ${to} in [0-9.]+ s; start the servers with ARTS_DATABASE=${to} ARTIFACT_STORE_DIRECTORY=registry `,
      'm',
    ),
  );

  for (const args of [['serve'], ['history', 'shop/web'], ['projections', 'list'], ['repository', 'create', 'shop/other']]) {
    const { code, stderr } = await cli(source, ...args);
    expect({ args, code, stderr }).toEqual({
      args,
      code: 1,
      stderr: expect.stringMatching(
        new RegExp(`^artifact-store: this store was moved to ${to} at .*Z; start with ARTS_DATABASE=`),
      ) as unknown,
    });
    expect(stderr.split('\n')).toHaveLength(2);
  }
  expect((await cli(source, 'migrate', '--to', to)).stderr).toMatch(
    /^artifact-store: this store was moved to .* already; start with/,
  );
  expect((await cli(source, 'migrate', '--abandon')).code).toBe(1);

  const target = onDatabase(server, folder);
  expect(await cli(target, 'history', 'shop/web', '--json')).toEqual(before);
  expect(await cli(target, 'history', 'shop', '--json')).toEqual(tags);
  await server.restart({ ARTS_DATABASE: to });
  const pulled = await clientOf(server).pullImage('shop/web', 'v1');
  expect(pulled.manifest.digest).toBe(images[1]?.manifest.digest);
  await clientOf(server).pushImage('shop/web', 'v2', randomImage());
  const after = await cli(target, 'history', 'shop/web', '--json');
  expect(after.stdout.startsWith(before.stdout)).toBe(true);
  expect(after.stdout.slice(before.stdout.length)).toMatch(/"position":"2-/);
  expect((await cli(target, 'projections', 'verify', '--all')).code).toBe(0);
}, 180_000);

test('a migration that is killed is gone on with, and one that is given up leaves the source as it was', async () => {
  const server = await start();
  const client = clientOf(server);
  for (let index = 0; index < 12; index += 1) await client.pushImage('shop/web', `v${index}`, randomImage({ layers: 1 }));
  await server.stop();
  const source = storeSettings(server.directory);
  const before = await cli(source, 'history', 'shop/web', '--json');
  const folder = newFolder();
  const args = ['migrate', '--to', `lmdb:${folder}`];
  const env = { PATH: process.env['PATH'], ...source };
  async function killedWhen(isDue: (log: string) => boolean): Promise<void> {
    const daemon = await startDaemon(process.execPath, [program, ...args], { env });
    await waitFor(
      () => Promise.resolve(isDue(daemon.log()) || !daemon.isRunning() || undefined),
      120_000,
      () => daemon.log(),
    );
    daemon.signal('SIGKILL');
    expect({ ...(await daemon.ended), log: daemon.log() }).toMatchObject({ signal: 'SIGKILL' });
  }
  await killedWhen(() => existsSync(join(folder, 'store.mdb')));
  await killedWhen((log) => log.includes('copied: '));
  const { code, stdout } = await cli(source, 'migrate', '--abandon');
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^given up: registry of lmdb:.* is usable; lmdb:.* is cleared\n$/) as unknown,
  });
  expect(await cli(source, 'history', 'shop/web', '--json')).toEqual(before);
  await killedWhen((log) => log.includes('copied: '));
  rmSync(folder, { recursive: true });
  const lost = await cli(source, 'migrate', '--abandon');
  expect(lost.code).toBe(1);
  expect(lost.stderr).toMatch(
    /^artifact-store: given up: lmdb:.* is usable; but the target is not cleared: --to=lmdb:.* cannot be used: [^\n]*\n$/,
  );
  expect(await cli(source, 'history', 'shop/web', '--json')).toEqual(before);
  for (const line of ['copied: ', 'replayed ', 'compared: ']) await killedWhen((log) => log.includes(line));
  const refused = await cli(source, 'serve');
  expect(refused.stderr).toMatch(
    /^artifact-store: this store is being moved to lmdb:.* "artifact-store migrate --abandon" gives it up/,
  );
  expect((await cli(onDatabase(server, folder), 'serve')).stderr).toMatch(
    / is being filled from lmdb:.* by a migration that has not ended/,
  );
  const ended = await cli(source, ...args);
  expect({ code: ended.code, stderr: ended.stderr }).toMatchObject({ code: 0 });
  expect(ended.stdout).toMatch(/ keys \(\d+ of them by an earlier process\)/);
  expect(await cli(onDatabase(server, folder), 'history', 'shop/web', '--json')).toEqual(before);
  await server.restart({ ARTS_DATABASE: `lmdb:${folder}` });
  for (let index = 0; index < 12; index += 1) await clientOf(server).pullImage('shop/web', `v${index}`);
}, 300_000);

const { cluster } = findFoundationDb();
if ('missing' in cluster) process.stderr.write(`skipped: migrations to a cluster and back: ${cluster.missing}\n`);

test.skipIf('missing' in cluster)(
  'a store goes to a cluster and comes back, with the history that it had',
  async () => {
    if ('missing' in cluster) return;
    const server = await start();
    for (let index = 0; index < 3; index += 1)
      await clientOf(server).pushImage('shop/web', `v${index}`, randomImage({ layers: 1 }));
    await server.stop();
    const { clusterFile } = cluster;
    const path = `test-${randomUUID()}`;
    const source = storeSettings(server.directory);
    const before = await cli(source, 'history', 'shop/web', '--json');
    const onCluster = {
      ...{ LD_LIBRARY_PATH: process.env['LD_LIBRARY_PATH'] ?? '', ARTS_DATABASE: `fdb:${clusterFile}` },
      ...{ ARTIFACT_STORE_DIRECTORY: `${path}/registry`, ARTS_METADATA_DIRECTORY: `${path}/platform` },
    };
    const directories = ['--to-directory', `${path}/registry`, '--to-metadata-directory', `${path}/platform`];
    try {
      const env = { ...source, LD_LIBRARY_PATH: onCluster.LD_LIBRARY_PATH };
      const there = await cli(env, 'migrate', '--to', `fdb:${clusterFile}`, ...directories);
      expect(there, there.stderr).toMatchObject({ code: 0 });
      expect(await cli({ ...source, ...onCluster }, 'history', 'shop/web', '--json')).toEqual(before);
      await server.restart(onCluster);
      expect((await clientOf(server).pullImage('shop/web', 'v1')).layers).toHaveLength(1);
      await clientOf(server).pushImage('shop/web', 'v3', randomImage({ layers: 1 }));
      await server.stop();
      const after = await cli({ ...source, ...onCluster }, 'history', 'shop/web', '--json');
      expect(after.stdout.startsWith(before.stdout)).toBe(true);
      const folder = newFolder();
      const back = await cli(
        { ...source, ...onCluster },
        ...['migrate', '--to', `lmdb:${folder}`, '--to-directory', 'registry', '--to-metadata-directory', 'topaz'],
      );
      expect(back, back.stderr).toMatchObject({ code: 0 });
      expect(await cli(onDatabase(server, folder), 'history', 'shop/web', '--json')).toEqual(after);
      const embedded = { ARTIFACT_STORE_DIRECTORY: 'registry', ARTS_METADATA_DIRECTORY: 'topaz' };
      await server.restart({ ARTS_DATABASE: `lmdb:${folder}`, ...embedded });
      await clientOf(server).pullImage('shop/web', 'v3');
    } finally {
      const database = await openFoundationDb({ clusterFile });
      await database.removeDirectory([path]);
      await database.close();
    }
  },
  300_000,
);

test.each([
  [[], '--to is missing: the database to move to'],
  [['--to', ''], '--to is empty; accepted is lmdb:<folder> or fdb:<cluster file>'],
  [['--to', 'lmdb:x', '--keep'], "Unknown option '--keep'"],
])('%j is told what is accepted', async (args, message) => {
  const { code, stdout, stderr } = await cli({}, 'migrate', ...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr.startsWith(`artifact-store: ${message}`)).toBe(true);
});

test('a target that cannot be is one line that names the flag', async () => {
  const folder = temporaryFolder('no-store');
  const env = storeSettings(folder);
  const wrong = await cli(env, 'migrate', '--to', 'mysql:x');
  expect(wrong).toMatchObject({ code: 1, stdout: '' });
  expect(wrong.stderr).toMatch(/^artifact-store: --to=mysql:x is not understood; accepted: lmdb:<folder>, fdb:/);
  const directory = await cli(env, 'migrate', '--to', 'lmdb:x', '--to-directory', 'a b');
  expect(directory.stderr).toMatch(/^artifact-store: --to-directory=a b is not understood; accepted: a name of /);
  const same = await cli(env, 'migrate', '--to', env.ARTS_DATABASE);
  expect(same.stderr).toMatch(/is the source itself; accepted is another folder, or a cluster\n$/);
  const missing = await cli(env, 'migrate', '--to', `lmdb:${join(folder, 'target')}`);
  expect(missing.code).toBe(1);
  expect(missing.stderr.split('\n')).toHaveLength(2);
  expect(existsSync(join(folder, 'target'))).toBe(false);
}, 60_000);
