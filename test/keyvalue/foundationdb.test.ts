import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { DatabaseUnusableError, KeyValueError, type Database } from '../../src/keyvalue/database.js';
import { openFoundationDb, type FoundationDbDatabase } from '../../src/keyvalue/foundationdb.js';
import { boundsOf } from '../../src/keyvalue/keyspace.js';
import { findFoundationDb, startFdbServer, type FdbServer } from '../support/fdbserver.js';
import { describeDatabaseContract } from './contract.js';

const { cluster, programs } = findFoundationDb();
const clusterFile = 'missing' in cluster ? undefined : cluster.clusterFile;
if ('missing' in cluster) console.warn(`SKIPPED the key-value contract on FoundationDB: ${cluster.missing}`);
if ('missing' in programs) console.warn(`SKIPPED clusters that go away and come back: ${programs.missing}`);

const bytes = (text: string): Buffer => Buffer.from(text);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof KeyValueError ? error.code : error),
  );
const newDirectory = (): readonly string[] => ['artifact-store-tests', randomUUID()];

async function prefixOf(database: FoundationDbDatabase, directory: readonly string[]): Promise<Buffer> {
  const prefix = await database.openDirectory(directory, { create: true });
  if (prefix === undefined) throw new Error('a directory that was created is there');
  return prefix;
}

const writing = (database: Database, key: Buffer, value = 'x'): Promise<void> =>
  database.transact(async (tx) => {
    await Promise.resolve();
    tx.set(key, bytes(value));
  });

if (clusterFile !== undefined) {
  describeDatabaseContract('foundationdb', async () => {
    const directory = newDirectory();
    const database = await openFoundationDb({ clusterFile });
    return {
      database,
      prefix: await prefixOf(database, directory),
      connect: () => openFoundationDb({ clusterFile }),
      close: async () => {
        await database.removeDirectory(directory);
        await database.close();
      },
    };
  });
}

describe.runIf(clusterFile !== undefined)('foundationdb', () => {
  const directory = newDirectory();
  let database: FoundationDbDatabase;
  let prefix: Buffer;
  const key = (suffix: string): Buffer => Buffer.concat([prefix, bytes(suffix)]);

  beforeAll(async () => {
    database = await openFoundationDb({ clusterFile: clusterFile ?? '' });
    prefix = await prefixOf(database, directory);
  });

  afterAll(async () => {
    await database.removeDirectory(directory);
    await database.close();
  });

  test('says that its versions follow a clock, and which cluster it is', () => {
    expect(database.quietVersions).toBe(false);
    expect(database.clusterFile).toBe(clusterFile);
    expect(database.available).toBe(true);
  });

  describe('directories', () => {
    test('have one prefix each, are not there until they are created, and go with their keys', async () => {
      const path = [...directory, 'inner'];
      expect(await database.openDirectory(path, { create: false })).toBeUndefined();
      const created = await prefixOf(database, path);
      expect(await database.openDirectory(path, { create: false })).toEqual(created);
      expect(await database.openDirectory(path, { create: true })).toEqual(created);
      expect(created.equals(prefix)).toBe(false);
      await writing(database, Buffer.concat([created, bytes('a')]));
      await database.removeDirectory(path);
      expect(await database.openDirectory(path, { create: false })).toBeUndefined();
      expect(await database.read((tx) => tx.get(Buffer.concat([created, bytes('a')])))).toBeUndefined();
      await database.removeDirectory(path);
    });

    test('of no path are refused in one line', async () => {
      await expect(database.openDirectory([], { create: true })).rejects.toThrow(DatabaseUnusableError);
    });
  });

  describe('ranges', () => {
    const bounds = (): readonly [Buffer, Buffer] => [key('r/'), key('r0')];

    test('of several megabytes come whole, from either end', async () => {
      const value = Buffer.alloc(10_000, 0x76);
      for (let batch = 0; batch < 5; batch += 1) {
        await database.transact(async (tx) => {
          await Promise.resolve();
          for (let index = 0; index < 100; index += 1) tx.set(key(`r/${String(batch * 100 + index).padStart(6, '0')}`), value);
        });
      }
      const names = Array.from({ length: 500 }, (_, index) => `r/${String(index).padStart(6, '0')}`);
      const found = (pairs: readonly { readonly key: Buffer }[]): string[] =>
        pairs.map((pair) => pair.key.subarray(prefix.length).toString());
      expect(found(await database.read((tx) => tx.getRange(...bounds())))).toEqual(names);
      expect(found(await database.read((tx) => tx.getRange(...bounds(), { reverse: true })))).toEqual([...names].reverse());
      expect(found(await database.transact((tx) => tx.getRange(...bounds(), { limit: 250 })))).toEqual(names.slice(0, 250));
    });

    test('stop at the pair that reaches their bytes, whatever the library counts', async () => {
      const small = Array.from({ length: 2_000 }, (_, index) => key(`s/${String(index).padStart(6, '0')}`));
      await database.transact(async (tx) => {
        await Promise.resolve();
        for (const at of small) tx.set(at, bytes('12345678'));
      });
      const pairBytes = key('s/000000').length + 8;
      for (const targetBytes of [1, pairBytes, 10 * pairBytes, 1_000 * pairBytes - 1, 1_999 * pairBytes + 1]) {
        for (const reverse of [false, true]) {
          const pairs = await database.read((tx) => tx.getRange(key('s/'), key('s0'), { targetBytes, reverse }));
          expect(pairs).toHaveLength(Math.ceil(targetBytes / pairBytes));
        }
      }
    });
  });

  test('a read that nobody awaits does not end the process when its body fails', async () => {
    const rejections: unknown[] = [];
    const note = (error: unknown): void => void rejections.push(error);
    process.on('unhandledRejection', note);
    const failing = database.transact(async (tx) => {
      void tx.get(key('a'));
      void tx.getRange(key('a'), key('b'));
      void tx.readVersion();
      void tx.versionstamp();
      throw new Error('of the body');
    });
    await expect(failing).rejects.toThrow('of the body');
    await sleep(50);
    process.off('unhandledRejection', note);
    expect(rejections).toEqual([]);
  });

  test('a watch that is cancelled in the body does no harm to the commit', async () => {
    await database.transact(async (tx) => {
      await Promise.resolve();
      const watch = tx.watch(key('w'));
      watch.cancel();
      tx.set(key('w2'), bytes('committed'));
      await watch.changed;
    });
    expect((await database.read((tx) => tx.get(key('w2'))))?.toString()).toBe('committed');
  });

  test('a watch outlives its transaction’s time limit', { timeout: 30_000 }, async () => {
    let fired = false;
    const watch = await database.transact(async (tx) => tx.watch(key('long')));
    void watch.changed.then(() => (fired = true));
    await sleep(11_000);
    expect(fired).toBe(false);
    await writing(database, key('long'));
    await watch.changed;
  });

  test('closing ends watches, and attempts that wait for something else', async () => {
    const third = await openFoundationDb({ clusterFile: clusterFile ?? '' });
    const watch = await third.transact(async (tx) => tx.watch(key('closing')));
    let release = (): void => undefined;
    const reading = third.read(async (tx) => {
      await tx.get(key('a'));
      await new Promise<void>((resolve) => (release = resolve));
      return tx.get(key('b'));
    });
    await sleep(100);
    const closed = third.close();
    release();
    expect(await codeOf(reading)).toBe('closed');
    await closed;
    await watch.changed;
    await third.close();
  });

  test('a process that ends with calls under way ends, with its own code', { timeout: 30_000 }, () => {
    const script = fileURLToPath(new URL('foundationdb-exiting.js', import.meta.url));
    const { status } = spawnSync(process.execPath, [script, clusterFile ?? ''], { timeout: 20_000, killSignal: 'SIGKILL' });
    expect(status).toBe(3);
  });

  test('time is the host’s before there are samples', async () => {
    const before = BigInt(Date.now()) * 1_000n;
    const time = await database.read((tx) => tx.time());
    expect(time).toBeGreaterThanOrEqual(before);
    database.keepTimeBy(boundsOf(key('time/')));
    expect(await database.transact((tx) => tx.time())).toBeGreaterThanOrEqual(time);
  });
});

describe.runIf(!('missing' in programs))('a cluster of one server', () => {
  let server: FdbServer;
  let database: FoundationDbDatabase;
  const TIMES = { timeout: 120_000 };

  beforeAll(async () => {
    server = await startFdbServer();
    database = await openFoundationDb({ clusterFile: server.clusterFile });
  }, 120_000);

  afterAll(async () => {
    await database.close();
    await server.stop();
  });

  /** Adds once however often it is tried. */
  const deposit = (on: Database, id: string, beforeCommit: () => Promise<void> = async () => undefined): Promise<number> => {
    let attempts = 0;
    return on.transact(
      async (tx) => {
        attempts += 1;
        if ((await tx.get(bytes(`command/${id}`))) !== undefined) return attempts;
        const held = Number((await tx.get(bytes('balance')))?.toString() ?? 0);
        tx.set(bytes('balance'), bytes(String(held + 1)));
        tx.set(bytes(`command/${id}`), bytes('done'));
        if (attempts === 1) await beforeCommit();
        return attempts;
      },
      { timeoutMs: 60_000 },
    );
  };
  const balance = async (): Promise<number> => Number((await database.read((tx) => tx.get(bytes('balance'))))?.toString() ?? 0);

  test('that is killed and started at once is waited out, by reads and by writes', TIMES, async () => {
    await writing(database, bytes('a'), 'before');
    await server.kill();
    const reading = database.read((tx) => tx.get(bytes('a')));
    const depositing = deposit(database, 'over a restart');
    await server.startProcess();
    expect((await reading)?.toString()).toBe('before');
    await depositing;
    expect(await balance()).toBe(1);
    expect(database.available).toBe(true);
  });

  test('a commit that the server’s death overtakes is done once', TIMES, async () => {
    const before = await balance();
    for (let round = 0; round < 3; round += 1) {
      let restarted: Promise<void> | undefined;
      await deposit(database, `killed ${round}`, async () => {
        // The commit leaves in the same turn.
        restarted = server.kill().then(() => server.startProcess());
      });
      await restarted;
      await server.answers();
    }
    expect(await balance()).toBe(before + 3);
  });

  test('that stays away fails everything as unavailable, soon and then at once, and is found again', TIMES, async () => {
    await server.kill();
    const started = performance.now();
    expect(await codeOf(database.read((tx) => tx.get(bytes('a'))))).toBe('unavailable');
    const silence = performance.now() - started;
    expect(silence).toBeGreaterThan(3_000);
    expect(silence).toBeLessThan(9_000);
    expect(database.available).toBe(false);
    const again = performance.now();
    expect(await codeOf(database.read((tx) => tx.get(bytes('a'))))).toBe('unavailable');
    expect(await codeOf(writing(database, bytes('b')))).toBe('unavailable');
    expect(performance.now() - again).toBeLessThan(100);
    await server.start();
    const deadline = performance.now() + 10_000;
    while (!database.available && performance.now() < deadline) await sleep(50);
    await writing(database, bytes('b'), 'after');
    expect((await database.read((tx) => tx.get(bytes('b'))))?.toString()).toBe('after');
  });

  test('what was interrupted when it fell silent fails as unavailable, though it is back', TIMES, async () => {
    const impatient = await openFoundationDb({ clusterFile: server.clusterFile, timeoutMs: 1_000 });
    const interrupted = impatient.read(async (tx) => {
      await tx.get(bytes('a'));
      server.signal('SIGSTOP');
      expect(await codeOf(impatient.read((other) => other.get(bytes('a'))))).toBe('unavailable');
      server.signal('SIGCONT');
      while (!impatient.available) await sleep(20);
      return tx.get(bytes('a'));
    });
    expect(await codeOf(interrupted)).toBe('unavailable');
    await impatient.close();
  });

  test('a watch is not lost over a restart', TIMES, async () => {
    const watch = await database.transact(async (tx) => tx.watch(bytes('watched')));
    await server.kill();
    await server.start();
    await writing(database, bytes('watched'), randomUUID());
    expect(await Promise.race([watch.changed.then(() => 'fired'), sleep(20_000)])).toBe('fired');
  });

  test('a commit on its way when its time limit ends it is done once, though it arrives after all', TIMES, async () => {
    const patient = await openFoundationDb({ clusterFile: server.clusterFile, timeoutMs: 60_000 });
    const before = await balance();
    const depositing = deposit(patient, 'stopped', async () => server.signal('SIGSTOP'));
    // Behind the limit of 10 s: what was sent lies before the server that stands still, and is the first that it reads.
    await sleep(12_000);
    server.signal('SIGCONT');
    expect(await depositing).toBeGreaterThan(1);
    expect(await balance()).toBe(before + 1);
    await patient.close();
  });

  // The last: this server is not unlocked any more.
  test('that is locked says so at once, and is not taken for silent', TIMES, async () => {
    await server.fdbcli('lock');
    const begun = performance.now();
    const said = async (asked: Promise<unknown>): Promise<unknown> => asked.catch((error: unknown) => error);
    const locked = { code: 'unavailable', message: expect.stringContaining('locked') as unknown };
    expect(await said(database.read((tx) => tx.metadataVersion()))).toMatchObject(locked);
    expect(await said(database.transact((tx) => tx.snapshot.metadataVersion()))).toMatchObject(locked);
    expect(await said(database.read((tx) => tx.get(bytes('a'))))).toMatchObject(locked);
    expect(await said(writing(database, bytes('a')))).toMatchObject(locked);
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(database.available).toBe(true);
  });
});
