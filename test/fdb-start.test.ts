import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openFoundationDb, type FoundationDbDatabase } from '../src/keyvalue/foundationdb.js';
import { createKeyspace } from '../src/keyvalue/keyspace.js';
import { clientOf, digestOf, randomBytesOf, randomImage, RegistryClient } from './support/client.js';
import { findFoundationDb, startFdbServer, type FdbServer } from './support/fdbserver.js';
import { run, temporaryFolder, waitFor } from './support/processes.js';
import { freePort, startServer, type Server } from './support/server.js';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const libraries = process.env['LD_LIBRARY_PATH'] ?? '';

/** How long Node and the modules take to come up here, of which the engine knows nothing. */
function startMs(): number {
  const begun = performance.now();
  spawnSync(process.execPath, [program, 'help']);
  return performance.now() - begun;
}

/** What a command that can't have its database says: one line, status 1, within 10 s. */
async function problemOf(env: Readonly<Record<string, string>>, args: readonly string[] = ['serve']): Promise<string> {
  const folder = temporaryFolder('problem');
  const settings = { PATH: process.env['PATH'], LD_LIBRARY_PATH: libraries, ARES_CLIENT_ADDRESS: join(folder, 'blobs') };
  const usual = startMs();
  const { code, stdout, stderr, milliseconds } = await run(process.execPath, [program, ...args], {
    env: { ...settings, ARTIFACT_STORE_ADDRESS: '127.0.0.1:0', ...env },
    cwd: folder,
  });
  expect(stderr).toMatch(/^artifact-store: [^\n]+\n$/);
  expect({ code, stdout: stdout.toString() }).toEqual({ code: 1, stdout: '' });
  expect(milliseconds - usual).toBeLessThan(10_000);
  return stderr.slice('artifact-store: '.length, -1);
}

function libraryIsFound(path: string): boolean {
  const script = "require('foundationdb').setAPIVersion(720)";
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  return (
    spawnSync(process.execPath, ['-e', script], { cwd, env: { PATH: process.env['PATH'], LD_LIBRARY_PATH: path } }).status === 0
  );
}

const hasLibrary = libraryIsFound(libraries);
if (!hasLibrary)
  console.warn(
    'skipped in fdb-start.test.ts: what needs libfdb_c.so; elsewhere than in the system, LD_LIBRARY_PATH names its folder',
  );
const folder = temporaryFolder('fdb-start');
const at = (name: string): string => join(folder, name);
writeFileSync(at('garbled.cluster'), 'this is no cluster file\n');

describe('a start without what a cluster needs is one line', () => {
  test.skipIf(libraryIsFound(''))('without the client library (skipped where the system has it)', async () => {
    const problem = await problemOf({ ARTS_DATABASE: `fdb:${at('no.cluster')}`, LD_LIBRARY_PATH: '' });
    expect(problem).toMatch(
      /^ARTS_DATABASE=fdb:\S+ cannot be used: the client library libfdb_c\.so is not found; it comes with /,
    );
  });

  test('with a client library that is none', async () => {
    mkdirSync(at('lib'));
    writeFileSync(at('lib/libfdb_c.so'), '');
    const problem = await problemOf({ FDB_CLUSTER_FILE: at('no.cluster'), LD_LIBRARY_PATH: at('lib') });
    expect(problem).toMatch(
      /^FDB_CLUSTER_FILE=\S+ cannot be used: the client library of FoundationDB can't be loaded: .*too short/,
    );
  });

  test.each(['FDB_TLS_CERTIFICATE_FILE', 'FDB_TLS_KEY_FILE', 'FDB_TLS_CA_FILE'])(
    'with a %s that is not there, or no PEM',
    async (name) => {
      const env = { ARTS_DATABASE: `fdb:${at('garbled.cluster')}` };
      expect(await problemOf({ ...env, [name]: at('none.pem') })).toMatch(
        new RegExp(`^${name}=${at('none.pem')} cannot be used: ENOENT.*; accepted: a PEM file that this user can read$`),
      );
      expect(await problemOf({ ...env, [name]: at('garbled.cluster') })).toBe(
        `${name}=${at('garbled.cluster')} cannot be used: it is no PEM file; accepted: a PEM file that this user can read`,
      );
    },
  );

  const withLibrary = test.skipIf(!hasLibrary);

  withLibrary('with a cluster file that is not there (skipped without libfdb_c.so)', async () => {
    for (const env of [{ ARTS_DATABASE: `fdb:${at('no.cluster')}` }, { FDB_CLUSTER_FILE: at('no.cluster') }]) {
      expect(await problemOf(env)).toContain(` cannot be used: the cluster file ${at('no.cluster')} is not there; `);
    }
  });

  withLibrary('with a cluster file that is none, whatever the command (skipped without libfdb_c.so)', async () => {
    const env = { ARTS_DATABASE: `fdb:${at('garbled.cluster')}` };
    for (const args of [['serve'], ['repository', 'create', 'p/r'], ['incarnation', 'raise'], ['projections', 'list']]) {
      expect(await problemOf(env, args)).toContain(` cannot be used: ${at('garbled.cluster')} is no cluster file; `);
    }
  });

  withLibrary('with nobody at the coordinator, and with somebody who says nothing (skipped without libfdb_c.so)', async () => {
    const port = await freePort();
    writeFileSync(at('silent.cluster'), `a:b@127.0.0.1:${port}\n`);
    const env = { ARTS_DATABASE: `fdb:${at('silent.cluster')}` };
    const words = ` cannot be used: no answer within 6 s from the cluster of ${at('silent.cluster')}, coordinators 127.0.0.1:${port}`;
    expect(await problemOf(env)).toContain(words);
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve));
    expect(await problemOf(env)).toContain(words);
    silent.close();
  });
});

const { programs } = findFoundationDb();
const noServer = 'missing' in programs;
if (noServer) console.warn(`skipped in fdb-start.test.ts: what needs a cluster: ${programs.missing}`);

describe.skipIf(noServer)('on a cluster of its own', () => {
  let cluster: FdbServer;
  let engine: FoundationDbDatabase;
  const servers: Server[] = [];

  beforeAll(async () => {
    cluster = await startFdbServer();
    engine = await openFoundationDb({ clusterFile: cluster.clusterFile });
  }, 120_000);

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.remove()));
    await engine.close();
    await cluster.stop();
  });

  const isThere = async (path: string): Promise<boolean> =>
    (await engine.openDirectory(path.split('/'), { create: false })) !== undefined;
  const settingsOf = (place: string): Readonly<Record<string, string>> => ({
    ARTS_DATABASE: `fdb:${cluster.clusterFile}`,
    ARTIFACT_STORE_DIRECTORY: `${place}/registry`,
    ARTS_METADATA_DIRECTORY: `${place}/topaz`,
  });

  async function startedIn(env: Readonly<Record<string, string>>): Promise<Server> {
    const server = await startServer({ env: { ...env, LD_LIBRARY_PATH: libraries } });
    servers.push(server);
    return server;
  }

  const linesOf = (server: Server): readonly Readonly<Record<string, unknown>>[] =>
    server
      .log()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  const command = (server: Server, env: Readonly<Record<string, string>>, ...args: readonly string[]) =>
    run(process.execPath, [program, ...args], {
      env: {
        PATH: process.env['PATH'],
        LD_LIBRARY_PATH: libraries,
        ARES_CLIENT_ADDRESS: join(server.directory, 'blobs'),
        ...env,
      },
    });

  describe('a store', () => {
    const place = 'store';
    let server: Server;
    const blobs = (): Readonly<Record<string, string>> => ({ ARES_CLIENT_ADDRESS: join(server.directory, 'blobs') });

    beforeAll(async () => {
      server = await startedIn(settingsOf(place));
      await clientOf(server).pushImage('p/r', 'latest', randomImage());
    });

    test('has both its directories from the first start on, and says where it is', async () => {
      expect([await isThere('store/registry'), await isThere('store/topaz')]).toEqual([true, true]);
      expect(linesOf(server).find(({ msg }) => msg === 'serving')).toMatchObject({
        database: `fdb:${cluster.clusterFile}`,
        client: expect.any(String) as string,
        directory: 'store/registry',
        metadataDirectory: 'store/topaz',
      });
      expect(server.log()).toContain(`database  fdb:${cluster.clusterFile}`);
    });

    test('is found again by FDB_CLUSTER_FILE and FDB_DIRECTORY', async () => {
      await server.restart({
        ARTS_DATABASE: '',
        FDB_CLUSTER_FILE: cluster.clusterFile,
        ARTIFACT_STORE_DIRECTORY: '',
        FDB_DIRECTORY: 'store/registry',
      });
      await clientOf(server).pullImage('p/r', 'latest');
    });

    test('is commanded beside its server', async () => {
      const created = await command(server, settingsOf(place), 'repository', 'create', 'p/second');
      expect([created.code, created.stderr]).toEqual([0, '']);
      const history = await command(server, settingsOf(place), 'history', 'p/r');
      expect(history.stdout.toString()).toContain('latest');
    });

    test('has its time sampled while it is served', async () => {
      const samples = async (name: string): Promise<number> => {
        const prefix = await engine.openDirectory([place, name], { create: false });
        const { begin, end } = createKeyspace(prefix ?? Buffer.alloc(0)).timeSamples(1);
        return (await engine.read((tx) => tx.getRange(begin, end))).length;
      };
      expect(await samples('registry')).toBeGreaterThan(0);
      await waitFor(
        async () => ((await samples('registry')) > 1 && (await samples('topaz')) > 1 ? true : undefined),
        30_000,
        () => 'there is no second sample',
      );
    });

    test('does not start in a directory that is mistyped, which is not made', async () => {
      const env = { ...settingsOf(place), ...blobs(), ARTIFACT_STORE_DIRECTORY: 'store/registrry' };
      expect(await problemOf(env)).toMatch(
        /^the blob store belongs to the store \S+, but the database has no store in this directory; check ARTS_DATABASE and ARTIFACT_STORE_DIRECTORY/,
      );
      expect(await problemOf(env, ['repository', 'create', 'p/x'])).toBe(
        `fdb:${cluster.clusterFile} has no store in the directory store/registrry; check ARTS_DATABASE and ARTIFACT_STORE_DIRECTORY, or start the server first`,
      );
      expect(await isThere('store/registrry')).toBe(false);
    });

    test('does not start with a platform directory that is mistyped, which is not made', async () => {
      const env = { ...settingsOf(place), ...blobs(), ARTS_METADATA_DIRECTORY: 'store/tpoaz' };
      for (const args of [['serve'], ['projections', 'list']]) {
        expect(await problemOf(env, args)).toMatch(
          /has a registry in the directory store\/registry, but no directory store\/tpoaz; check ARTS_METADATA_DIRECTORY/,
        );
      }
      expect(await isThere('store/tpoaz')).toBe(false);
    });

    test('does not start with both directories the same', async () => {
      expect(await problemOf({ ...settingsOf(place), ARTS_METADATA_DIRECTORY: 'store/registry' })).toMatch(/are the same/);
    });

    test("does not start beside another store's blobs, nor beside none", async () => {
      expect(await problemOf(settingsOf(place))).toMatch(/it has no file STORE, and should have one/);
      const other = await startedIn(settingsOf('elsewhere'));
      const env = { ...settingsOf(place), ARES_CLIENT_ADDRESS: join(other.directory, 'blobs') };
      expect(await problemOf(env)).toMatch(/^the blob store belongs to the store \S+, the database to /);
    });

    test('is not set up among the keys of something else', async () => {
      const prefix = await engine.openDirectory(['queue'], { create: true });
      await engine.transact(async (tx) =>
        tx.set(Buffer.concat([prefix ?? Buffer.alloc(0), Buffer.from([0x15, 1])]), Buffer.of(1)),
      );
      expect(await problemOf({ ...settingsOf('new'), ARTIFACT_STORE_DIRECTORY: 'queue' })).toMatch(
        /^ARTIFACT_STORE_DIRECTORY names/,
      );
      expect(await problemOf({ ...settingsOf('new'), ARTS_METADATA_DIRECTORY: 'queue' })).toMatch(
        /^ARTS_METADATA_DIRECTORY names/,
      );
      expect([await isThere('new/registry'), await isThere('new/topaz'), await isThere('new')]).toEqual([false, false, false]);
    });
  });

  test('two registries in directories of their own share a platform', async () => {
    const first = await startedIn(settingsOf('one'));
    const second = await startedIn({ ...settingsOf('two'), ARTS_METADATA_DIRECTORY: 'one/topaz' });
    const image = randomImage();
    await clientOf(first).pushImage('p/r', 'latest', image);
    // The owner's name and password are the platform's: the first registry's.
    const client = new RegistryClient({ url: second.url, user: first.user, password: first.password });
    expect((await client.request('GET', '/v2/', { auth: 'basic' })).status).toBe(200);
    (await client.request('GET', '/v2/p/r/manifests/latest')).expect(404);
    expect(await isThere('two/topaz')).toBe(false);
    await first.stop();
    await client.pushImage('p/r2', 'latest', image);
    await client.pullImage('p/r2', 'latest');
  });

  test('servers that start at once on a new directory end with one store', async () => {
    const directory = temporaryFolder('both');
    const both = await Promise.all(
      [0, 1].map(() => startServer({ directory, env: { ...settingsOf('both'), LD_LIBRARY_PATH: libraries } })),
    );
    servers.push(...both);
    const stores = both.map((server) => linesOf(server).find(({ msg }) => msg === 'serving')?.['store']);
    expect(new Set(stores).size).toBe(1);
    const image = randomImage();
    const [first, second] = both;
    if (first === undefined || second === undefined) throw new Error('two were started');
    await clientOf(first).pushImage('p/r', 'latest', image);
    expect((await clientOf(second).pullImage('p/r', 'latest')).manifest.digest).toBe(image.manifest.digest);
  });

  describe('a store whose log came from a cluster that was further', () => {
    const place = 'restored';
    let server: Server;

    beforeAll(async () => {
      server = await startedIn(settingsOf(place));
      await clientOf(server).pushImage('p/r', 'before', randomImage());
      await server.stop();
      const prefix = await engine.openDirectory([place, 'registry'], { create: false });
      if (prefix === undefined) throw new Error('the directory is not there');
      const keyspace = createKeyspace(prefix);
      // As fdbrestore leaves it: stamps of a cluster whose versions were further than this one's are.
      await engine.transact(async (tx) => {
        for (let partition = 0; partition < 8; partition += 1) {
          const { begin, end } = keyspace.logBounds(1, partition);
          const [last] = await tx.getRange(begin, end, { reverse: true, limit: 1 });
          if (last === undefined) continue;
          const stamp = Buffer.from(last.key.subarray(last.key.length - 12));
          stamp.writeBigUInt64BE(stamp.readBigUInt64BE(0) + 1_000_000_000_000n);
          tx.set(keyspace.logKey(1, partition, stamp), last.value);
          tx.clear(last.key);
          return;
        }
      });
    });

    test('asks for a new incarnation, and goes on in it', async () => {
      const env = { ...settingsOf(place), ARES_CLIENT_ADDRESS: join(server.directory, 'blobs') };
      for (const args of [['serve'], ['history', 'p/r']]) {
        expect(await problemOf(env, args)).toMatch(
          /^fdb:\S+ is not where its log was written: the database is at version \d+, behind the registry's log, which reaches version \d+; .*run: artifact-store incarnation raise$/,
        );
      }
      const shown = await command(server, env, 'incarnation', 'show');
      expect([shown.code, shown.stderr]).toEqual([1, '']);
      expect(shown.stdout.toString()).toMatch(
        /^registry \(restored\/registry\): incarnation 1, .*behind the registry's log, which reaches version \d+: run artifact-store incarnation raise\nplatform \(restored\/topaz\): incarnation 1, .*not behind it\n$/,
      );
      const raised = await command(server, env, 'incarnation', 'raise');
      expect([raised.code, raised.stdout.toString()]).toEqual([
        0,
        'registry (restored/registry): incarnation raised from 1 to 2\n',
      ]);
      const again = await command(server, env, 'incarnation', 'raise');
      expect([again.code, again.stderr]).toEqual([
        1,
        'artifact-store: nothing was raised: the log was written on this cluster, whose versions are not behind it; --force begins a new incarnation all the same\n',
      ]);
      await server.restart();
      const client = clientOf(server);
      const image = randomImage();
      await client.pushImage('p/r', 'after', image);
      expect((await client.pullImage('p/r', 'after')).manifest.digest).toBe(image.manifest.digest);
      const history = await command(server, env, 'history', 'p/r:after', '--json');
      expect(history.stdout.toString()).toContain('"2-');
    });

    test('a raise that is forced is served over', async () => {
      const env = { ...settingsOf(place), ARES_CLIENT_ADDRESS: join(server.directory, 'blobs') };
      const forced = await command(server, env, 'incarnation', 'raise', '--force');
      expect(forced.stdout.toString()).toBe(
        'registry (restored/registry): incarnation raised from 2 to 3\nplatform (restored/topaz): incarnation raised from 1 to 2\n',
      );
      await clientOf(server).pushImage('p/r', 'later', randomImage());
      await clientOf(server).pullImage('p/r', 'later');
    });
  });

  describe('a cluster that goes away', () => {
    let server: Server;
    let client: RegistryClient;
    const image = randomImage();

    beforeAll(async () => {
      server = await startedIn(settingsOf('away'));
      client = clientOf(server);
      await client.pushImage('p/r', 'latest', image);
    });

    const said = (what: string): number => linesOf(server).filter(({ msg }) => msg === what).length;
    const status = async (path: string): Promise<number> =>
      (await client.request('GET', path, { auth: 'none', timeoutMs: 20_000 })).status;

    async function expectAway(): Promise<void> {
      // Those that are under way when it happens wait for it no longer than the others.
      const manifest = { body: image.manifest.bytes, headers: { 'content-type': image.manifest.mediaType } };
      const underWay = Promise.all(
        [0, 1, 2, 3].map(async (number) => {
          const begun = performance.now();
          const { status: answered } = await client.request('PUT', `/v2/p/r/manifests/t${number}`, {
            auth: 'basic',
            ...manifest,
          });
          return [answered, performance.now() - begun < 10_000];
        }),
      );
      await waitFor(
        async () => ((await status('/readyz')) === 503 ? true : undefined),
        15_000,
        () => server.log().slice(-3_000),
      );
      const readiness = await client.request('GET', '/readyz', { auth: 'none' });
      expect(readiness.json()).toEqual({ status: 'not ready', reason: 'the database does not answer' });
      expect(await status('/healthz')).toBe(200);
      expect(await underWay).toEqual([0, 1, 2, 3].map(() => [503, true]));
      const begun = performance.now();
      for (const [method, path] of [
        ['GET', '/v2/p/r/manifests/latest'],
        ['POST', '/v2/p/r/blobs/uploads/'],
        ['GET', '/v2/_catalog'],
        ['GET', '/token?scope=repository:p/r:pull'],
      ] as const) {
        const answer = await client.request(method, path, { auth: 'basic' });
        expect([path, answer.status, answer.header('retry-after')]).toEqual([path, 503, '2']);
        expect(answer.codes()).toEqual(['UNKNOWN']);
      }
      const api = await client.request('GET', '/api/v1/projects/p/history', { auth: 'basic' });
      expect([api.status, api.header('retry-after'), api.header('content-type')]).toEqual([503, '2', 'application/problem+json']);
      expect(performance.now() - begun).toBeLessThan(5_000);
    }

    async function expectBack(): Promise<void> {
      await waitFor(
        async () => ((await status('/readyz')) === 200 ? true : undefined),
        60_000,
        () => server.log().slice(-3_000),
      );
      await client.pullImage('p/r', 'latest');
      await client.pushImage('p/r', 'again', randomImage());
    }

    test('by silence: requests are told so soon, an upload goes on, and all recovers by itself', async () => {
      const bytes = randomBytesOf('upload', 2_000_000);
      const upload = await client.startUpload('p/r');
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      async function* body(): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, 1_000_000);
        await held;
        yield bytes.subarray(1_000_000);
      }
      const patch = client.request('PATCH', upload.href, { body: body(), auth: 'basic', timeoutMs: 120_000 });
      await sleep(500);
      cluster.signal('SIGSTOP');
      try {
        await expectAway();
      } finally {
        cluster.signal('SIGCONT');
      }
      await expectBack();
      release();
      expect((await patch).status).toBe(202);
      const digest = digestOf(bytes);
      (await client.request('PUT', `${upload.href}?digest=${digest}`, { auth: 'basic' })).expect(201);
      await client.pullBlob('p/r', digest);
      expect([said('the database does not answer'), said('the database answers again')]).toEqual([1, 1]);
      expect(server.log()).not.toMatch(/Unhandled|\n\s+at /);
      expect(linesOf(server).filter(({ level, err }) => level === 'error' && err !== undefined)).toEqual([]);
    }, 180_000);

    test('by its death: the same', async () => {
      await cluster.kill();
      try {
        await expectAway();
        // What the chores do by themselves comes by meanwhile, and nobody has beaten for so long that a server would not be ready.
        await sleep(33_000);
      } finally {
        await cluster.start();
      }
      await sleep(2_000);
      expect(await status('/readyz')).toBe(200);
      await expectBack();
      expect([said('the database does not answer'), said('the database answers again')]).toEqual([2, 2]);
      expect(linesOf(server).filter(({ level, err }) => level === 'error' && err !== undefined)).toEqual([]);
    }, 180_000);

    test('a restart of a second or two is waited out', async () => {
      await cluster.kill();
      const restarted = cluster.startProcess();
      const answer = await client.request('GET', '/v2/p/r/manifests/latest', { auth: 'basic', timeoutMs: 30_000 });
      await restarted;
      expect(answer.status).toBe(200);
      await cluster.answers();
      await expectBack();
    });

    test('SIGTERM ends a server while it is away, in time and in order', async () => {
      cluster.signal('SIGSTOP');
      try {
        await expectAway();
        const begun = performance.now();
        expect(await server.stop()).toEqual({ code: 0, signal: null });
        expect(performance.now() - begun).toBeLessThan(15_000);
        expect(said('stopped')).toBe(1);
      } finally {
        cluster.signal('SIGCONT');
      }
      await cluster.answers();
      await server.restart();
      await clientOf(server).pullImage('p/r', 'latest');
    });
  });
});
