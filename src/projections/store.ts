import { keyAfter } from '../keyvalue/apply-operations.js';
import {
  KeyValueError,
  type Database,
  type ReadTransaction,
  type TransactOptions,
  type Transaction,
} from '../keyvalue/database.js';
import { createKeyspace, type Keyspace } from '../keyvalue/keyspace.js';
import { LiveMismatchError, parseLive, writeLive, type Live } from './live.js';
import { isOfAnotherCluster } from './log-cluster.js';
import type { DirectoryName, Projection } from './projection.js';
import { ReadCache, type StoreState } from './read-cache.js';
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
  /** What is found is kept until the next event (`Store.readCached`). */
  readonly isCached?: boolean;
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
   * As `read`, but what the body found under `key` is found again without it until anybody appends an event or changes `meta/live`. So the body's result depends
   * on the key, on the log and its content, and on inline projections alone: not on time, and not on what is written without an event, as uploads, requests,
   * counters of pulls and async projections are. `bytesOf`: about how much memory a result holds; large ones are not kept.
   */
  readCached<T>(key: string, body: (reading: Reading) => Promise<T>, bytesOf?: (result: T) => number): Promise<T>;
  /** While a switch holds commands back, waits and tries again; a fence that outlived its deadline is lifted on the way. */
  transact<T>(body: (writing: Writing) => Promise<T>, options?: TransactOptions): Promise<T>;
  /** For the builders, whom no fence holds. */
  readonly readDirectory: (tx: ReadTransaction, name: DirectoryName) => Promise<LiveDirectory>;
  /** All that this release knows. */
  readonly projections: readonly Projection[];
}

/** A map's entry and a record. */
const USUAL_BYTES = 1_000;

export interface StoreOptions {
  /** Opens a log, too, that was written on another cluster. */
  readonly anyCluster?: boolean;
}

/** `projections`: all that this release knows (registered.ts). */
export function createStore(
  database: Database,
  prefixes: Readonly<Record<DirectoryName, Buffer>>,
  projections: readonly Projection[],
  { anyCluster = false }: StoreOptions = {},
): Store {
  const keyspaces = { registry: createKeyspace(prefixes.registry), platform: createKeyspace(prefixes.platform) };
  const readers = {
    registry: liveReader('registry', keyspaces.registry, projections, checkCluster),
    platform: liveReader('platform', keyspaces.platform, projections, checkCluster),
  };

  /** A restore changes the metadata version, also under servers that run: whoever reads `meta/live` anew asks whether this is still the log's cluster. */
  async function checkCluster(tx: ReadTransaction, name: DirectoryName): Promise<void> {
    if (anyCluster || !(await isOfAnotherCluster(tx, database, keyspaces[name]))) return;
    throw new LiveMismatchError(
      `the ${name}'s log was written on another cluster; if this one was restored from a backup, run: artifact-store incarnation raise`,
    );
  }

  async function reading<Tx extends ReadTransaction>(tx: Tx): Promise<Reading<Tx>> {
    const version = await metadataVersionOf(tx);
    // Together: one that fails alone, while nobody waits for it yet, would end the process as an unhandled rejection.
    const [registry, platform] = await Promise.all([readers.registry(tx, version), readers.platform(tx, version)]);
    return { tx, registry, platform };
  }
  const cache = new ReadCache();

  async function readCached<T>(
    tx: ReadTransaction,
    key: string,
    body: (reading: Reading) => Promise<T>,
    bytesOf: (result: T) => number,
  ): Promise<T> {
    if (!database.quietVersions) return readCachedByState(tx, key, body, bytesOf);
    const version = await tx.readVersion();
    const kept = cache.find(version, key);
    if (kept !== undefined) return kept.value as T;
    const value = await body({ ...(await reading(tx)), isCached: true });
    cache.keep(version, key, value, bytesOf(value));
    return value;
  }

  /** Where to know the state costs a read, what is not kept at all is looked for at the same time. */
  async function readCachedByState<T>(
    tx: ReadTransaction,
    key: string,
    body: (reading: Reading) => Promise<T>,
    bytesOf: (result: T) => number,
  ): Promise<T> {
    const now = reading(tx);
    const find = async (): Promise<T> => body({ ...(await now), isCached: true });
    const finding = cache.has(key) ? undefined : find();
    const [state] = await Promise.all([stateOf(tx, now), finding]);
    const kept = cache.find(state, key);
    if (kept !== undefined) return kept.value as T;
    const value = await (finding ?? find());
    cache.keep(state, key, value, bytesOf(value));
    return value;
  }

  /**
   * Where a store at rest does not keep its version. Every append adds to a counter under `wake/`, in the transaction that applies its events to the inline
   * projections: where the counters are the same, there was none. Nothing else changes what `readCached` may read, but for the switches, which change `meta/live`.
   */
  async function stateOf(tx: ReadTransaction, now: Promise<Reading>): Promise<StoreState> {
    const wakes = [keyspaces.registry, keyspaces.platform].map(async ({ wakes: { begin, end } }) =>
      (await tx.getRange(begin, end)).map(({ key, value }) => Buffer.concat([key, value]).toString('latin1')).join(),
    );
    const [{ registry, platform }, ...counters] = await Promise.all([now, ...wakes]);
    return [registry, platform, ...counters];
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
    readDirectory: async (tx, name) => readers[name](tx, await metadataVersionOf(tx)),
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
  writeLive(tx, keyspace, { ...live, fence: undefined });
}

function writingOf(tx: ReadTransaction): Transaction | undefined {
  return 'snapshot' in tx ? (tx as Transaction) : undefined;
}

/** Without a conflict: one on it would be one with everybody on the cluster who touches it. */
function metadataVersionOf(tx: ReadTransaction): Promise<Buffer | undefined> {
  return (writingOf(tx)?.snapshot ?? tx).metadataVersion();
}

/**
 * Reads `meta/live` only when the metadata version says that it may have changed, and parses it only when its bytes did. All who write it make the metadata version
 * another one in the same transaction (`writeLive`): at two versions of the store with one metadata version it is the same.
 */
function liveReader(
  name: DirectoryName,
  keyspace: Keyspace,
  projections: readonly Projection[],
  check: (tx: ReadTransaction, name: DirectoryName) => Promise<void>,
): (tx: ReadTransaction, version: Buffer | undefined) => Promise<LiveDirectory> {
  const mine = projections.filter((projection) => projection.directory === name);
  let lastVersion: Buffer | undefined;
  let lastBytes: Buffer | undefined;
  let last: LiveDirectory | undefined;
  return async (tx, version) => {
    const writing = writingOf(tx);
    if (version !== undefined && last !== undefined && lastVersion?.equals(version) === true) {
      // As if it had been read.
      writing?.addReadConflictRange(keyspace.metaLive, keyAfter(keyspace.metaLive));
      return last;
    }
    const [bytes] = await Promise.all([tx.get(keyspace.metaLive), check(writing?.snapshot ?? tx, name)]);
    if (bytes === undefined)
      throw new LiveMismatchError(
        `the ${name} directory of this store has no meta/live: it was never set up, or its keys are gone`,
      );
    if (last === undefined || lastBytes === undefined || !lastBytes.equals(bytes)) {
      const live = parseLive(bytes);
      last = { name, keyspace, live, builds: buildsOf(mine, keyspace, live) };
      lastBytes = bytes;
    }
    lastVersion = version;
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
  const index = liveIndexOf(reading, projection);
  if (index !== undefined) return index;
  throw new ProjectionNotLiveError(`the index ${projection.name} is being built from the log and can't be asked yet`);
}

/** As `indexOf`; undefined where a store of an older release does not have it yet, for who knows what that means. */
export function liveIndexOf(reading: Reading, projection: Projection): Index | undefined {
  const found = reading[projection.directory].builds.get(projection.name);
  if (found === undefined) return undefined;
  if (reading.isCached === true && found.projection.mode === 'async') {
    throw new Error(`the index ${projection.name} follows the log: what is found in it can't be kept until the next event`);
  }
  return createIndex(reading.tx, found.prefix, found.projection.version);
}
