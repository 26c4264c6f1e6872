import { createHash, randomUUID } from 'node:crypto';
import { cpSync } from 'node:fs';
import { join } from 'node:path';

import type { Database } from '../../src/keyvalue/database.js';
import { directoryPrefix } from '../../src/keyvalue/keyspace.js';
import { SimulatedStore, VirtualClock, type SimulatedOptions } from '../../src/keyvalue/simulated.js';
import { confine } from './confined.js';
import { findFoundationDb } from './fdbserver.js';
import { temporaryFolder } from './processes.js';
import { PatientClock, RemoteStore, type TestStore } from './remote-store.js';

/**
 * What the suites run on, by ARTS_TEST_DATABASE: the simulated store (servers: the embedded one), the embedded one for both, or the cluster of
 * FDB_CLUSTER_FILE, in a directory of this process's own that is removed at its end.
 */
export const engine = readEngine();
export const onFoundationDb = engine === 'fdb';

function readEngine(): 'simulated' | 'lmdb' | 'fdb' {
  const text = process.env['ARTS_TEST_DATABASE'] ?? '';
  if (text === '' || text === 'simulated') return 'simulated';
  if (text === 'lmdb' || text === 'fdb') return text;
  throw new Error(`ARTS_TEST_DATABASE=${text} is not understood; accepted: simulated, lmdb or fdb`);
}

/** How many runs of a random test there are, of so many where they cost nothing. */
export const runs = (count: number): number => (engine === 'simulated' ? count : Math.ceil(count / 10));

/** A store of its own for a test, with as many connections as it likes. */
export function newStore(options: SimulatedOptions = {}): TestStore {
  return engine === 'simulated' ? new SimulatedStore(options) : new RemoteStore(openConfined, options);
}

/** A clock that stands still while anybody works. */
export function newClock(): VirtualClock {
  return engine === 'simulated' ? new VirtualClock() : new PatientClock();
}

let opened: Promise<{ readonly database: Database; readonly prefix: Buffer }> | undefined;
let stores = 0;

async function openConfined(): Promise<Database> {
  opened ??= engine === 'lmdb' ? openEmbedded() : openCluster();
  const { database, prefix } = await opened;
  stores += 1;
  return confine(database, Buffer.concat([prefix, directoryPrefix(String(stores))]));
}

async function openEmbedded() {
  const { openLmdb } = await import('../../src/keyvalue/lmdb.js');
  return { database: await openLmdb(join(temporaryFolder('lmdb'), 'db'), { create: true }), prefix: Buffer.alloc(0) };
}

async function openCluster() {
  const database = await openEngine();
  const prefix = await database.openDirectory([...directory(), 'stores'], { create: true });
  if (prefix === undefined) throw new Error('the directory was not created');
  return { database, prefix };
}

async function openEngine() {
  const { openFoundationDb } = await import('../../src/keyvalue/foundationdb.js');
  return openFoundationDb({ clusterFile: clusterFile() });
}

function clusterFile(): string {
  const { cluster } = findFoundationDb();
  if ('missing' in cluster) throw new Error(`ARTS_TEST_DATABASE=fdb: ${cluster.missing}`);
  return cluster.clusterFile;
}

const own = randomUUID();
let isUsed = false;

/** Of this process: below that of the whole run, which `npm run test:fdb` removes, too. */
function directory(): readonly string[] {
  isUsed = true;
  const ofRun = process.env['ARTS_TEST_FDB_DIRECTORY'] ?? '';
  return [...(ofRun === '' ? [] : ofRun.split('/')), ofRun === '' ? `artifact-store-test-${own}` : own];
}

/** The settings that a server and its commands need to find the database that belongs to a test's folder; the same for the same folder. */
export function serverDatabase(folder: string): Readonly<Record<string, string>> & { readonly ARTS_DATABASE: string } {
  if (!onFoundationDb) return { ARTS_DATABASE: `lmdb:${join(folder, 'db')}` };
  const place = [...directory(), createHash('sha256').update(folder).digest('hex').slice(0, 16)];
  const { LD_LIBRARY_PATH: libraries } = process.env;
  return {
    ARTS_DATABASE: `fdb:${clusterFile()}`,
    ARTIFACT_STORE_DIRECTORY: [...place, 'registry'].join('/'),
    ARTS_METADATA_DIRECTORY: [...place, 'platform'].join('/'),
    ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }),
  };
}

/** The database of a test's folder for another folder that has none; nobody may have either open. */
export async function copyDatabase(from: string, to: string): Promise<void> {
  if (!onFoundationDb) {
    cpSync(join(from, 'db'), join(to, 'db'), { recursive: true });
    return;
  }
  const database = await openEngine();
  try {
    for (const name of ['ARTIFACT_STORE_DIRECTORY', 'ARTS_METADATA_DIRECTORY']) {
      const [source, target] = [from, to].map((folder) => (serverDatabase(folder)[name] ?? '').split('/'));
      const prefix = await database.openDirectory(source ?? [], { create: false });
      const other = await database.openDirectory(target ?? [], { create: true });
      if (prefix === undefined || other === undefined) throw new Error(`${from} has no database`);
      await copyPrefix(database, prefix, other);
    }
  } finally {
    await database.close();
  }
}

async function copyPrefix(database: Database, from: Buffer, to: Buffer): Promise<void> {
  const end = Buffer.concat([from, Buffer.of(0xff)]);
  for (let begin = from; ;) {
    const start = begin;
    const pairs = await database.read((tx) => tx.getRange(start, end, { targetBytes: 1_000_000 }));
    const last = pairs.at(-1);
    if (last === undefined) return;
    await database.transact((tx) => {
      for (const { key, value } of pairs) tx.set(Buffer.concat([to, key.subarray(from.length)]), value);
      return Promise.resolve();
    });
    begin = Buffer.concat([last.key, Buffer.of(0)]);
  }
}

if (engine !== 'simulated') {
  // The simulation bundles this file and runs without vitest.
  const { afterAll } = await import('vitest');
  // Hooks run last in, first out: after those of the tests, which stop their servers.
  afterAll(async () => {
    const { database } = (await opened) ?? {};
    await database?.close();
    if (!isUsed) return;
    const cluster = await openEngine();
    await cluster.removeDirectory(directory());
    await cluster.close();
  });
}
