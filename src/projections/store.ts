import {
  KeyValueError,
  type Database,
  type ReadTransaction,
  type TransactOptions,
  type Transaction,
} from '../keyvalue/database.js';
import { createKeyspace, type Keyspace } from '../keyvalue/keyspace.js';
import { encodeLive, LiveMismatchError, parseLive, type Live } from './live.js';
import type { DirectoryName, Projection } from './projection.js';
import { createIndex, type Index } from './views.js';

/** A build that pulls are answered from. */
export interface LiveBuild {
  /** The version that the build has. */
  readonly projection: Projection;
  readonly build: string;
  /** Of its keys. */
  readonly prefix: Buffer;
}

/** One directory of the store as a transaction finds it. */
export interface LiveDirectory {
  readonly name: DirectoryName;
  readonly keyspace: Keyspace;
  readonly live: Live;
  /** By projection, in the order of application. What this release knows and is not live yet is not in it. */
  readonly builds: ReadonlyMap<string, LiveBuild>;
}

/** What was asked needs an index that is being built; the message says which. */
export class ProjectionNotLiveError extends Error {
  override readonly name = 'ProjectionNotLiveError';
}

/** A read transaction that knows which builds are live at its version. */
export interface Reading<Tx extends ReadTransaction = ReadTransaction> {
  readonly tx: Tx;
  readonly registry: LiveDirectory;
  readonly platform: LiveDirectory;
}

export type Writing = Reading<Transaction>;

/**
 * The store as all but the ports see it: every transaction reads `meta/live` first, and refuses with a LiveMismatchError when an inline projection is live that
 * this release does not know in that version, so that a release never reads or writes an index of another schema, and never leaves one out.
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
  /** While a switch holds commands back, waits and tries again; a fence that outlived its deadline is lifted on the way. */
  transact<T>(body: (writing: Writing) => Promise<T>, options?: TransactOptions): Promise<T>;
  /** For the builders, whom no fence holds. */
  readonly readDirectory: (tx: ReadTransaction, name: DirectoryName) => Promise<LiveDirectory>;
  /** All that this release knows. */
  readonly projections: readonly Projection[];
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
    transact: (body, options) =>
      database.transact(async (tx) => {
        const writing = await reading(tx);
        await passFence(writing, writing.registry);
        await passFence(writing, writing.platform);
        return body(writing);
      }, options),
    readDirectory: (tx, name) => readers[name](tx),
    projections,
  };
}

/** A switch takes some tens of milliseconds. */
const HELD_MS = 20;

/** `meta/live` was read with a conflict: a fence that is set meanwhile, or lifted by another, repeats the transaction. */
async function passFence({ tx }: Writing, { live, keyspace }: LiveDirectory): Promise<void> {
  const { fence } = live;
  if (fence === undefined) return;
  if ((await tx.time()) < fence.deadline) {
    throw new KeyValueError('not_committed', `the switch to build ${fence.build} holds this back until it has happened`, {
      retryAfterMs: HELD_MS,
    });
  }
  tx.set(keyspace.metaLive, encodeLive({ ...live, fence: undefined }));
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

function buildsOf(mine: readonly Projection[], keyspace: Keyspace, live: Live): ReadonlyMap<string, LiveBuild> {
  const builds = new Map<string, LiveBuild>();
  for (const newest of mine) {
    const entry = live.projections.find(({ name }) => name === newest.name);
    if (entry === undefined) continue;
    const projection = versionOf(newest, entry.version);
    if (projection !== undefined) {
      builds.set(newest.name, { projection, build: entry.build, prefix: keyspace.projection(entry.name, entry.build) });
    } else if (entry.mode === 'inline') {
      const known = knownVersions(newest).join(' and ');
      throw new LiveMismatchError(
        `projection ${entry.name} is live in version ${entry.version}, this release knows ${known}; start the release that knows it`,
      );
    }
  }
  const unknown = live.projections.find(({ name, mode }) => mode === 'inline' && !mine.some((one) => one.name === name));
  if (unknown !== undefined) throw new LiveMismatchError(`projection ${unknown.name} is live; this release does not know it`);
  return builds;
}

/** The projection in that version, if this release knows it. */
export function versionOf(newest: Projection, version: number): Projection | undefined {
  for (let known: Projection | undefined = newest; known !== undefined; known = known.previous) {
    if (known.version === version) return known;
  }
  return undefined;
}

/** The newest first. */
export function knownVersions({ version, previous }: Projection): readonly number[] {
  return [version, ...(previous === undefined ? [] : knownVersions(previous))];
}

/** The live build of a projection, for its queries. Throws ProjectionNotLiveError. */
export function indexOf(reading: Reading, projection: Projection): Index {
  const found = reading[projection.directory].builds.get(projection.name);
  if (found === undefined) {
    throw new ProjectionNotLiveError(`the index ${projection.name} is being built from the log and can't be asked yet`);
  }
  return createIndex(reading.tx, found.prefix, found.projection.version);
}
