import type { Database, ReadTransaction, Transaction, TransactOptions } from '../keyvalue/database.js';
import { createKeyspace, type Keyspace } from '../keyvalue/keyspace.js';
import { LiveMismatchError, parseLive, type Live } from './live.js';
import type { DirectoryName, Projection } from './projection.js';
import { createIndex, type Index } from './views.js';

/** One directory of the store as a transaction finds it. */
export interface LiveDirectory {
  readonly name: DirectoryName;
  readonly keyspace: Keyspace;
  readonly live: Live;
  /** Prefix of the live build of each inline projection. */
  readonly builds: ReadonlyMap<Projection, Buffer>;
}

/** A read transaction that knows which builds are live at its version. */
export interface Reading<Tx extends ReadTransaction = ReadTransaction> {
  readonly tx: Tx;
  readonly registry: LiveDirectory;
  readonly platform: LiveDirectory;
}

export type Writing = Reading<Transaction>;

/**
 * The store as all but the ports see it: every transaction reads `meta/live` first, and refuses with a LiveMismatchError when this release's projections
 * are not the live ones, so that a release never reads or writes an index of another schema.
 */
export interface Store {
  readonly database: Database;
  readonly keyspaces: Readonly<Record<DirectoryName, Keyspace>>;
  read<T>(body: (reading: Reading) => Promise<T>): Promise<T>;
  /**
   * As `read`, but what the body found under `key` is found again without it until the next commit of anybody: the same version has the same answer.
   * The body's result depends on the key and the store alone. `bytesOf`: about how much memory a result holds; large ones are not kept.
   */
  readCached<T>(key: string, body: (reading: Reading) => Promise<T>, bytesOf?: (result: T) => number): Promise<T>;
  transact<T>(body: (writing: Writing) => Promise<T>, options?: TransactOptions): Promise<T>;
}

const CACHED_BYTES = 16 * 1024 * 1024;
/** A map's entry and a record. */
const USUAL_BYTES = 1_000;

/** `projections`: all that this release knows (registered.ts). */
export function createStore(
  database: Database,
  prefixes: Readonly<Record<DirectoryName, Buffer>>,
  projections: readonly Projection[],
): Store {
  const keyspaces = { registry: createKeyspace(prefixes.registry), platform: createKeyspace(prefixes.platform) };
  const readers = {
    registry: liveReader('registry', keyspaces.registry, projections),
    platform: liveReader('platform', keyspaces.platform, projections),
  };
  async function reading<Tx extends ReadTransaction>(tx: Tx): Promise<Reading<Tx>> {
    // Together: one that fails alone, while nobody waits for it yet, would end the process as an unhandled rejection.
    const [registry, platform] = await Promise.all([readers.registry(tx), readers.platform(tx)]);
    return { tx, registry, platform };
  }
  const cache = new Map<string, unknown>();
  let cachedVersion: bigint | undefined;
  let cachedBytes = 0;
  async function readCached<T>(
    tx: ReadTransaction,
    key: string,
    body: (reading: Reading) => Promise<T>,
    bytesOf: (result: T) => number,
  ): Promise<T> {
    const version = await tx.readVersion();
    if (version !== cachedVersion) {
      cache.clear();
      cachedVersion = version;
      cachedBytes = 0;
    }
    if (cache.has(key)) return cache.get(key) as T;
    const value = await body(await reading(tx));
    const bytes = key.length + bytesOf(value);
    // While the body waited, another read may have seen a newer version, or found the same.
    if (version !== cachedVersion || cache.has(key) || bytes > CACHED_BYTES) return value;
    if (cachedBytes + bytes > CACHED_BYTES) {
      // Begun anew: what is asked for again comes back, what came first and is asked for no more is not kept until the next commit.
      cache.clear();
      cachedBytes = 0;
    }
    cache.set(key, value);
    cachedBytes += bytes;
    return value;
  }
  return {
    database,
    keyspaces,
    readCached: (key, body, bytesOf = () => USUAL_BYTES) => database.read((tx) => readCached(tx, key, body, bytesOf)),
    read: (body) => database.read(async (tx) => body(await reading(tx))),
    transact: (body, options) => database.transact(async (tx) => body(await reading(tx)), options),
  };
}

/** Parses `meta/live` anew only when its bytes changed. */
function liveReader(
  name: DirectoryName,
  keyspace: Keyspace,
  projections: readonly Projection[],
): (tx: ReadTransaction) => Promise<LiveDirectory> {
  const mine = projections.filter((projection) => projection.directory === name);
  let lastBytes: Buffer | undefined;
  let last: LiveDirectory | undefined;
  return async (tx) => {
    const bytes = await tx.get(keyspace.metaLive);
    if (bytes === undefined) throw new LiveMismatchError(`the ${name} directory of this store was never set up`);
    if (last === undefined || lastBytes === undefined || !lastBytes.equals(bytes)) {
      const live = parseLive(bytes);
      last = { name, keyspace, live, builds: buildsOf(mine, keyspace, live) };
      lastBytes = bytes;
    }
    return last;
  };
}

function buildsOf(mine: readonly Projection[], keyspace: Keyspace, live: Live): ReadonlyMap<Projection, Buffer> {
  const builds = new Map<Projection, Buffer>();
  for (const projection of mine) {
    const entry = live.projections.find((candidate) => candidate.name === projection.name);
    if (entry === undefined || entry.version !== projection.version) {
      const found = entry === undefined ? 'is not live' : `is live in version ${entry.version}`;
      throw new LiveMismatchError(`projection ${projection.name} ${found}; this release knows version ${projection.version}`);
    }
    builds.set(projection, keyspace.projection(projection.name, entry.build));
  }
  const unknown = live.projections.find((entry) => !mine.some((projection) => projection.name === entry.name));
  if (unknown !== undefined) throw new LiveMismatchError(`projection ${unknown.name} is live; this release does not know it`);
  return builds;
}

/** The live build of a projection, for its queries. */
export function indexOf(reading: Reading, projection: Projection): Index {
  const prefix = reading[projection.directory].builds.get(projection);
  if (prefix === undefined) throw new Error(`projection ${projection.name} is not registered`);
  return createIndex(reading.tx, prefix);
}
