import { commitStamp } from './apply-operations.js';
import {
  limits,
  type Database,
  type KeyValue,
  type RangeOptions,
  type ReadTransaction,
  type TransactOptions,
  type Transaction,
} from './database.js';
import { DatabaseClock } from './database-clock.js';
import { Committer } from './lmdb-committer.js';
import { closed, Snapshots, type LmdbSnapshot } from './lmdb-snapshots.js';
import { DEFAULT_MAP_SIZE, openReadableStore, readState, type ReadableStore } from './lmdb-store.js';
import { Watches } from './lmdb-watches.js';
import { OptimisticTransaction } from './optimistic-transaction.js';
import { DEFAULT_TIMEOUT_MS, readRetries, withRetries } from './retry.js';
import { checkedRange } from './transaction-checks.js';

export interface LmdbOptions {
  /** Makes the folder, and an empty store in it, when there is none. Without it a missing store is an error. */
  readonly create: boolean;
  /** Bytes of address space, not of disk or memory, for the file's map. Default 1 TiB; less where `ulimit -v` forbids it. */
  readonly mapSize?: number;
  /** For tests: another commit worker than the built one. */
  readonly worker?: URL;
}

export interface LmdbDatabase extends Database {
  /** Frees what processes that died were reading, so that the file can use its pages again; their number. Runs by itself every 10 s. */
  readerCheck(): number;
  /** Write transactions of this process so far, each with one sync for all of its commits. */
  readonly commitBatches: number;
  /** How far database time is ahead of this host's clock, because that once was ahead itself; 0 as a rule. */
  readonly aheadMs: number;
}

/**
 * Opens the store in `folder`, which any number of processes of one host may do at one time.
 *
 * Guaranteed: a commit is on the disk before its promise resolves and before anybody sees it; the main thread waits neither for the disk nor for other
 * processes. Not guaranteed: anything on a network file system, whose locks and maps are not LMDB's; processes in different PID namespaces (containers that
 * share a volume), whose readers LMDB confuses.
 */
export async function openLmdb(folder: string, options: LmdbOptions): Promise<LmdbDatabase> {
  const mapSize = options.mapSize ?? DEFAULT_MAP_SIZE;
  let onCommitted = (): void => undefined;
  const committer = await Committer.open({
    folder,
    create: options.create,
    mapSize,
    worker: options.worker,
    onCommitted: () => onCommitted(),
  });
  try {
    const database = new OpenLmdb(openReadableStore(folder, mapSize), committer);
    onCommitted = () => database.committed();
    return database;
  } catch (error) {
    await committer.close();
    throw error;
  }
}

const READER_CHECK_MS = 10_000;

// What an attempt that began just before its deadline leaves to the disk.
const SHORTEST_COMMIT_MS = 1_000;

class OpenLmdb implements LmdbDatabase {
  readonly quietVersions = true;
  readonly #store: ReadableStore;
  readonly #committer: Committer;
  readonly #snapshots: Snapshots;
  readonly #watches: Watches;
  readonly #readerCheck: NodeJS.Timeout;
  readonly #clock = new DatabaseClock();
  #closing: Promise<void> | undefined;

  constructor(store: ReadableStore, committer: Committer) {
    this.#store = store;
    this.#committer = committer;
    this.#snapshots = new Snapshots(store);
    this.#watches = new Watches(this.#snapshots);
    this.#clock.after(readState(store).version);
    this.#readerCheck = setInterval(() => this.readerCheck(), READER_CHECK_MS).unref();
  }

  get commitBatches(): number {
    return this.#committer.batches;
  }

  get aheadMs(): number {
    return this.#clock.aheadMs;
  }

  readerCheck(): number {
    return this.#store.environment.readerCheck();
  }

  transact<T>(body: (tx: Transaction) => Promise<T>, options: TransactOptions = {}): Promise<T> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const deadline = performance.now() + timeoutMs;
    return withRetries(() => this.#attempt(body, deadline), { timeoutMs });
  }

  read<T>(body: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    return withRetries(() => this.#readOnce(body), readRetries);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Commits of this process have become visible. */
  committed(): void {
    this.#watches.check();
  }

  async #close(): Promise<void> {
    await this.#committer.close(async () => {
      clearInterval(this.#readerCheck);
      this.#watches.close();
      this.#snapshots.close();
      // Before the worker's: the last one to close does what only the worker may do.
      await this.#store.environment.close();
    });
  }

  async #readOnce<T>(body: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    const snapshot = this.#snapshots.open();
    try {
      return await body(new SnapshotReads(snapshot, this.#clock));
    } finally {
      this.#snapshots.release(snapshot);
    }
  }

  async #attempt<T>(body: (tx: Transaction) => Promise<T>, deadline: number): Promise<T> {
    if (this.#closing !== undefined) throw closed();
    let held: LmdbSnapshot | undefined;
    const release = (): void => {
      if (held !== undefined) this.#snapshots.release(held);
    };
    const tx = new OptimisticTransaction({
      openSnapshot: () => {
        const snapshot = (held = this.#snapshots.open(() => tx.expire()));
        // The transaction asks for it after its snapshot is gone, too; only now does it come out of the store.
        void snapshot.version;
        return snapshot;
      },
      now: () => performance.now(),
      time: (readVersion) => this.#clock.after(readVersion),
    });
    try {
      const result = await body(tx);
      const request = tx.seal();
      // Not held while the commit waits for the disk: its pages could be used for it.
      release();
      const waitMs = Math.max(deadline - performance.now(), SHORTEST_COMMIT_MS);
      const version = request && (await this.#committer.commit(request, waitMs));
      this.#watches.add(tx.committed(version === undefined ? undefined : { version, stamp: commitStamp(version, 0) }));
      return result;
    } catch (error) {
      tx.failed(error);
      throw error;
    } finally {
      release();
    }
  }
}

/** What the body of `read` gets: a transaction without a memory. */
class SnapshotReads implements ReadTransaction {
  readonly #snapshot: LmdbSnapshot;
  readonly #clock: DatabaseClock;

  constructor(snapshot: LmdbSnapshot, clock: DatabaseClock) {
    this.#snapshot = snapshot;
    this.#clock = clock;
  }

  async readVersion(): Promise<bigint> {
    return this.#snapshot.version;
  }

  async time(): Promise<bigint> {
    return this.#clock.after(this.#snapshot.version);
  }

  async metadataVersion(): Promise<undefined> {
    return undefined;
  }

  async get(key: Buffer): Promise<Buffer | undefined> {
    return key.length > limits.keyBytes ? undefined : this.#snapshot.get(key);
  }

  async getRange(begin: Buffer, end: Buffer, options: RangeOptions = {}): Promise<readonly KeyValue[]> {
    const range = checkedRange(begin, end);
    const limit = options.limit ?? Infinity;
    const targetBytes = options.targetBytes ?? Infinity;
    const pairs: KeyValue[] = [];
    if (range === undefined || limit <= 0) return pairs;
    let bytes = 0;
    for (const pair of this.#snapshot.range(range.begin, range.end, options.reverse ?? false)) {
      pairs.push(pair);
      bytes += pair.key.length + pair.value.length;
      if (pairs.length >= limit || bytes >= targetBytes) break;
    }
    return pairs;
  }
}
