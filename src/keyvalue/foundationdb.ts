import { keyAfter } from './apply-operations.js';
import {
  DatabaseUnusableError,
  KeyValueError,
  type Database,
  type ReadTransaction,
  type TransactOptions,
  type Transaction,
} from './database.js';
import { Availability } from './foundationdb-availability.js';
import { loadFdbClient, type FdbClient, type FdbError, type NativeDatabase } from './foundationdb-binding.js';
import { defaultClusterFile, readClusterFile, type ClusterFile } from './foundationdb-cluster-file.js';
import { openLayerDirectory, removeLayerDirectory } from './foundationdb-directories.js';
import { commitUnknown, fdbCodes, isOwnEnd, keyValueError, unavailable } from './foundationdb-errors.js';
import { ClusterTime } from './foundationdb-time.js';
import { ClusterTransaction, type ClusterHost } from './foundationdb-transaction.js';
import type { KeyWatch } from './key-watch.js';
import type { KeyBounds } from './keyspace.js';
import { DEFAULT_TIMEOUT_MS, readRetries, withRetries } from './retry.js';

export interface FoundationDbOptions {
  /** Without it, where every client looks: FDB_CLUSTER_FILE, ./fdb.cluster, /etc/foundationdb/fdb.cluster. */
  readonly clusterFile?: string;
  /** A cluster that answers nothing for so many milliseconds is away; below 10 000. Default 6 000. */
  readonly timeoutMs?: number;
}

export interface FoundationDbDatabase extends Database {
  readonly clusterFile: string;
  /** What the client library was taken for, for the log. */
  readonly clientVersion: string;
  /** False while the cluster does not answer: everything fails with `unavailable` at once. */
  readonly available: boolean;
  /**
   * The prefix of a directory's keys, by the directory layer. Undefined when it is not there and not to be created. Throws DatabaseUnusableError for a
   * path that cannot be one.
   */
  openDirectory(path: readonly string[], options: { readonly create: boolean }): Promise<Buffer | undefined>;
  /** With all of its keys, and all directories below it; nothing when it is not there. */
  removeDirectory(path: readonly string[]): Promise<void>;
  /** From here on the newest sample in these bounds tells the time; before, this host's clock does. */
  keepTimeBy(samples: KeyBounds): void;
}

const SILENCE_MS = 6_000;
// What no transaction of ours takes while the cluster is well: reads end after 5 s, and a commit takes milliseconds.
const ATTEMPT_MS = 10_000;
const PROBE_MS = 2_000;
// Longer than that nobody who closes waits for commits on their way.
const CLOSE_MS = 5_000;

/**
 * Connects to the cluster of a cluster file. Throws DatabaseUnusableError, within 10 s, with the one thing that is missing: the npm package or its binary,
 * the client library, the cluster file, an answer of the cluster.
 *
 * Guaranteed: what the port guarantees, over restarts and recoveries of the cluster, which are waited out where they take a few seconds; while it
 * is away longer, everything fails with `unavailable`, and goes on by itself when it is back. One network thread serves all databases of a process; it ends
 * with the process, which `close` lets end.
 */
export async function openFoundationDb(options: FoundationDbOptions = {}): Promise<FoundationDbDatabase> {
  const client = loadFdbClient();
  const file = await readClusterFile(options.clusterFile ?? defaultClusterFile());
  const timeoutMs = options.timeoutMs ?? SILENCE_MS;
  let native: NativeDatabase;
  try {
    native = client.createDatabase(file.path);
    native.setOption(TRANSACTION_TIMEOUT, ATTEMPT_MS);
  } catch (error) {
    throw notOpened(error);
  }
  const database = new OpenFoundationDb(client, native, file, timeoutMs);
  try {
    await database.firstAnswer(timeoutMs);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

// Option numbers (fdbclient/vexillographer/fdb.options); the one of a database is the default of its transactions.
const TRANSACTION_TIMEOUT = 500;
const READ_SYSTEM_KEYS = 302;

// Written once, by `configure new` (fdbclient/SystemData.cpp, initIdKey). Backups and restores leave the system's keys alone.
const INIT_ID_KEY = Buffer.from('\xff/init_id', 'latin1');

function notOpened(error: unknown): DatabaseUnusableError {
  const why = error instanceof Error ? error.message : String(error);
  return new DatabaseUnusableError(
    `FoundationDB's client library does not start: ${why}; where FDB_TLS_* are set, the files that they name must be PEM files that belong together`,
    { cause: error },
  );
}

class OpenFoundationDb implements FoundationDbDatabase, ClusterHost {
  readonly quietVersions = false;
  readonly clusterFile: string;
  readonly clientVersion: string;

  readonly #client: FdbClient;
  readonly #native: NativeDatabase;
  readonly #file: ClusterFile;
  readonly #availability: Availability;
  readonly #silenceMs: number;
  readonly #time = new ClusterTime();
  readonly #attempts = new Set<ClusterTransaction>();
  readonly #watches = new Set<KeyWatch>();
  #closing: Promise<void> | undefined;
  /** Called when the last attempt has ended. */
  #onIdle: (() => void) | undefined;

  constructor(client: FdbClient, native: NativeDatabase, file: ClusterFile, silenceMs: number) {
    this.#client = client;
    this.#native = native;
    this.#file = file;
    this.#silenceMs = silenceMs;
    this.clusterFile = file.path;
    this.clientVersion = `API version ${client.apiVersion}`;
    this.#availability = new Availability({
      silenceMs,
      probe: () => this.#probe(),
      onAway: () => this.#interruptAll(),
    });
  }

  get available(): boolean {
    return !this.#availability.away;
  }

  transact<T>(body: (tx: Transaction) => Promise<T>, options: TransactOptions = {}): Promise<T> {
    return withRetries(() => this.#attempt(body), { timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS });
  }

  read<T>(body: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    return withRetries(() => this.#readOnce(body), readRetries);
  }

  async openDirectory(path: readonly string[], options: { readonly create: boolean }): Promise<Buffer | undefined> {
    return this.#layered((client, native) => openLayerDirectory(client, native, path, options));
  }

  async removeDirectory(path: readonly string[]): Promise<void> {
    return this.#layered((client, native) => removeLayerDirectory(client, native, path));
  }

  keepTimeBy(samples: KeyBounds): void {
    this.#time.keepBy(samples);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Of the cluster to anybody's first question. */
  async firstAnswer(timeoutMs: number): Promise<void> {
    try {
      await this.#readClusterId(timeoutMs);
    } catch (error) {
      if (!this.#client.isFdbError(error)) throw error;
      const { path, coordinators } = this.#file;
      if (error.code !== fdbCodes.transactionTimedOut) {
        throw new DatabaseUnusableError(`the cluster of ${path} refuses: ${error.message} (${error.code})`, { cause: error });
      }
      const encrypted = coordinators.some((address) => address.endsWith(':tls'))
        ? '; with :tls, do FDB_TLS_CERTIFICATE_FILE, FDB_TLS_KEY_FILE and FDB_TLS_CA_FILE name what its servers accept'
        : '';
      throw new DatabaseUnusableError(
        `no answer within ${timeoutMs / 1_000} s from the cluster of ${path}, coordinators ${coordinators.join(', ')}: is fdbserver running there, of the client library's own release series, and is the database configured (fdbcli: configure new single ssd)${encrypted}?`,
        { cause: error },
      );
    }
  }

  async clusterId(): Promise<string | undefined> {
    this.#checkUsable();
    try {
      return await this.#readClusterId(this.#silenceMs);
    } catch (error) {
      if (!this.isFdbError(error)) throw error;
      throw isOwnEnd(error.code) ? this.#away({ cause: error }) : keyValueError(error, 'read');
    }
  }

  // What transactions need of their database.

  begin(): ReturnType<NativeDatabase['createTransaction']> {
    this.#checkUsable();
    return this.#native.createTransaction();
  }

  isFdbError(error: unknown): error is FdbError {
    return this.#client.isFdbError(error);
  }

  asked(): void {
    this.#availability.asked();
  }

  answered(): void {
    this.#availability.answered();
  }

  ended(): void {
    this.#availability.ended();
  }

  endedBecause(error: FdbError, phase: 'read' | 'commit'): KeyValueError {
    if (this.#closing !== undefined) return closed();
    // Cancelled by `#interruptAll`, though the cluster may have come back before the body noticed.
    if (this.#availability.away || error.code !== fdbCodes.transactionTimedOut) return this.#away({ cause: error });
    return phase === 'read'
      ? unavailable(`the cluster of ${this.clusterFile} did not answer a read within ${ATTEMPT_MS / 1_000} s`, { cause: error })
      : commitUnknown(`no answer to the commit within ${ATTEMPT_MS / 1_000} s`, error);
  }

  time(tx: ReadTransaction): Promise<bigint> {
    return this.#time.at(tx);
  }

  keep(watch: KeyWatch): void {
    if (this.#closing !== undefined) {
      watch.fire();
      return;
    }
    this.#watches.add(watch);
  }

  forget(watch: KeyWatch): void {
    this.#watches.delete(watch);
  }

  async #attempt<T>(body: (tx: Transaction) => Promise<T>): Promise<T> {
    this.#checkUsable();
    const tx = new ClusterTransaction(this);
    this.#attempts.add(tx);
    try {
      const result = await body(tx);
      await tx.commit();
      return result;
    } catch (error) {
      tx.fail(error);
      const key = tx.inFlight;
      if (key !== undefined && error instanceof KeyValueError && error.code === 'commit_unknown_result') await this.#fence(key);
      throw error;
    } finally {
      this.#leave(tx);
    }
  }

  async #readOnce<T>(body: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    this.#checkUsable();
    const tx = new ClusterTransaction(this);
    this.#attempts.add(tx);
    try {
      return await body(tx.snapshot);
    } finally {
      tx.finish();
      this.#leave(tx);
    }
  }

  #leave(tx: ClusterTransaction): void {
    this.#attempts.delete(tx);
    if (this.#attempts.size === 0) this.#onIdle?.();
  }

  /**
   * Makes a commit that may still be on its way fail if it arrives after this: it read `key`, which this changes as far as conflicts go. The C library does
   * the same before it says `commit_unknown_result` itself (fdbclient/NativeAPI.actor.cpp, commitDummyTransaction), and not where its time limit ends a commit.
   */
  async #fence(key: Buffer): Promise<void> {
    await withRetries(async () => {
      const native = this.begin();
      const end = keyAfter(key);
      native.addReadConflictRange(key, end);
      native.addWriteConflictRange(key, end);
      this.asked();
      try {
        await native.commit();
        this.answered();
      } catch (error) {
        if (!this.isFdbError(error)) {
          this.ended();
          throw error;
        }
        if (isOwnEnd(error.code)) {
          this.ended();
          throw this.#away({ cause: error });
        }
        this.answered();
        throw keyValueError(error, 'commit');
      }
    });
  }

  #checkUsable(): void {
    if (this.#closing !== undefined) throw closed();
    if (this.#availability.away) throw this.#away();
  }

  #away(options?: ErrorOptions): KeyValueError {
    return unavailable(`the cluster of ${this.clusterFile} does not answer`, options);
  }

  #interruptAll(): void {
    for (const tx of this.#attempts) tx.interrupt();
  }

  /** A refusal is an answer, too. */
  async #probe(): Promise<void> {
    try {
      await this.#ask(PROBE_MS);
    } catch (error) {
      if (!this.isFdbError(error) || isOwnEnd(error.code)) throw error;
    }
  }

  /** Asks the servers that hold keys, too, which a read version does not. Rejects with an FdbError where nothing is worth another attempt. */
  #readClusterId(timeoutMs: number): Promise<string | undefined> {
    const readOnce = async (): Promise<string | undefined> => {
      const native = this.#native.createTransaction();
      native.setOption(TRANSACTION_TIMEOUT, timeoutMs);
      native.setOption(READ_SYSTEM_KEYS, null);
      try {
        return (await native.get(INIT_ID_KEY, true))?.toString('latin1');
      } catch (error) {
        if (!this.isFdbError(error)) throw error;
        const known = keyValueError(error, 'read');
        throw known.retryable ? known : error;
      }
    };
    return withRetries(readOnce, { timeoutMs });
  }

  /** Rejects with an FdbError. */
  async #ask(timeoutMs: number): Promise<void> {
    const native = this.#native.createTransaction();
    native.setOption(TRANSACTION_TIMEOUT, timeoutMs);
    await native.getReadVersion();
  }

  async #layered<T>(work: (client: FdbClient, native: NativeDatabase) => Promise<T>): Promise<T> {
    this.#checkUsable();
    this.asked();
    try {
      return await work(this.#client, this.#native);
    } catch (error) {
      if (!this.isFdbError(error)) throw error;
      throw isOwnEnd(error.code) ? this.#away({ cause: error }) : keyValueError(error, 'commit');
    } finally {
      this.ended();
    }
  }

  async #close(): Promise<void> {
    // Whoever is interrupted finds that it is closing.
    await Promise.resolve();
    for (const tx of this.#attempts) if (!tx.committing) tx.interrupt();
    for (const watch of [...this.#watches]) watch.fire();
    if (this.#attempts.size > 0) {
      const patience = setTimeout(() => this.#interruptAll(), CLOSE_MS);
      await new Promise<void>((resolve) => (this.#onIdle = resolve));
      clearTimeout(patience);
    }
    this.#availability.close();
    this.#client.closeDatabase(this.#native);
  }
}

function closed(): KeyValueError {
  return new KeyValueError('closed', 'the database is closed');
}
