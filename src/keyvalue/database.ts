/**
 * The transactional ordered key-value port. Its semantics are FoundationDB's (developer guide, "Transactions in FoundationDB"):
 * strictly serialisable, optimistic, over byte keys in unsigned lexicographic order. Engines: `foundationdb`, `lmdb`, `simulated`.
 */

export interface KeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface RangeOptions {
  /** At most so many pairs; without it, all of them. */
  readonly limit?: number;
  /** From the end to the beginning. */
  readonly reverse?: boolean;
  /** Stops after the pair that brings the bytes of keys and values to this many or more. */
  readonly targetBytes?: number;
}

/** Reads at one version. Ranges are `[begin, end)`. Buffers handed out belong to the caller. */
export interface ReadTransaction {
  /** The version of the newest commit that the reads see, or a later one that sees the same; grows with every commit. */
  readVersion(): Promise<bigint>;
  /** Database time in microseconds since 1970, never below the time of any commit that the reads see. */
  time(): Promise<bigint>;
  get(key: Buffer): Promise<Buffer | undefined>;
  getRange(begin: Buffer, end: Buffer, options?: RangeOptions): Promise<readonly KeyValue[]>;
  /**
   * What every committed `touchMetadata` of anybody on the cluster changes; comes with the read version and costs no read of its own. In a Transaction it
   * conflicts as a read of a key does. Undefined where the engine has none (a `get` costs as little there) and where nobody ever touched it: nothing
   * follows from that.
   */
  metadataVersion(): Promise<Buffer | undefined>;
}

/** A wait for one key to change. Set when its transaction commits; may fire without a change, never misses one while the process lives. */
export interface Watch {
  /** Resolves when the key's value may have changed, and after `cancel`. Never rejects. */
  readonly changed: Promise<void>;
  cancel(): void;
}

/**
 * A read-write transaction. Reads see the transaction's own writes; `get` and `getRange` add read conflict ranges, reads by `snapshot` do not.
 * Reading a key that this transaction writes by a versionstamp throws `accessed_unreadable`, and so does the commit then.
 */
export interface Transaction extends ReadTransaction {
  readonly snapshot: ReadTransaction;
  set(key: Buffer, value: Buffer): void;
  clear(key: Buffer): void;
  clearRange(begin: Buffer, end: Buffer): void;
  /** Adds to the little-endian 64-bit integer at the key (absent counts as 0) without reading it: never a conflict. */
  add(key: Buffer, delta: bigint): void;
  /** Keeps the larger of the little-endian unsigned 64-bit integer at the key and `value`, without reading it. */
  max(key: Buffer, value: bigint): void;
  /** Sets `value` at `template` with the commit's 10-byte versionstamp written over the bytes from `offset`. */
  setVersionstampedKey(template: Buffer, offset: number, value: Buffer): void;
  /** Sets at `key` the `template` with the commit's 10-byte versionstamp written over the bytes from `offset`. */
  setVersionstampedValue(key: Buffer, template: Buffer, offset: number): void;
  /** Makes `metadataVersion` another one for everybody who shares the cluster, so for changes that are rare. Unreadable in this transaction from here on. */
  touchMetadata(): void;
  addReadConflictRange(begin: Buffer, end: Buffer): void;
  addWriteConflictRange(begin: Buffer, end: Buffer): void;
  watch(key: Buffer): Watch;
  /**
   * The 10 bytes that the commit wrote in place of versionstamps. Call it in the body; await it after `transact` resolved.
   * Rejects with `no_commit_version` when the transaction wrote nothing.
   */
  versionstamp(): Promise<Buffer>;
}

export interface TransactOptions {
  /** Retries end after this many milliseconds with `retries_exhausted`. Default 30 000. */
  readonly timeoutMs?: number;
}

/**
 * One store. Guaranteed: a transaction that resolved is durable and visible to every later read of every process; conflicts are retried with jittered
 * backoff inside `transact`. Not guaranteed: that a body runs once (conflicts, `commit_unknown_result`), so a body has no effects outside the transaction;
 * what must happen once is guarded by a command id.
 */
export interface Database {
  /** Read versions grow with commits alone: two reads at one version saw the same store, and a store at rest keeps its version. */
  readonly quietVersions: boolean;
  /** Tells the cluster that answers now from every other, and is in no backup of its keys. Absent where there is no such thing. */
  clusterId?(): Promise<string | undefined>;
  /** Runs `body` until it commits; a throw of the body's own cancels the transaction and is passed on. */
  transact<T>(body: (tx: Transaction) => Promise<T>, options?: TransactOptions): Promise<T>;
  /** Runs `body` once at one version; repeats it only on `transaction_too_old`. */
  read<T>(body: (tx: ReadTransaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** FoundationDB's limits ("Known limitations"), with LMDB's bound on keys, so that what works embedded works on a cluster. */
export const limits = {
  keyBytes: 1_500,
  valueBytes: 100_000,
  transactionBytes: 10_000_000,
  transactionMs: 5_000,
} as const;

export type KeyValueErrorCode =
  /** Another transaction changed what this one read. Retried. (1020) */
  | 'not_committed'
  /** The read version is older than what the engine keeps, or the transaction lived longer than 5 s. Retried. (1007) */
  | 'transaction_too_old'
  /** Nobody knows whether the commit happened. Retried: bodies are idempotent. (1021) */
  | 'commit_unknown_result'
  | 'retries_exhausted'
  | 'key_too_large'
  | 'value_too_large'
  | 'transaction_too_large'
  /** A read of what this transaction writes by a versionstamp. (1036) */
  | 'accessed_unreadable'
  | 'no_commit_version'
  /** `begin` after `end`. (2005) */
  | 'inverted_range'
  /** The disk refused the commit: full, or broken. `cause` is the system's error. */
  | 'storage_failed'
  /** The cluster does not answer, or not in time. It may again soon; an attempt that was about to commit may have committed. */
  | 'unavailable'
  | 'closed';

/** A fault of the store; `retryable` ones are repeated by `transact` itself and reach the caller as `retries_exhausted`. */
export class KeyValueError extends Error {
  override readonly name = 'KeyValueError';
  constructor(
    readonly code: KeyValueErrorCode,
    message: string,
    options?: ErrorOptions & { readonly retryAfterMs?: number },
  ) {
    super(message, options);
    this.retryAfterMs = options?.retryAfterMs;
  }

  /** Of a retryable one that is no conflict and will pass soon: about how many milliseconds to wait, in place of a growing pause. */
  readonly retryAfterMs: number | undefined;

  get retryable(): boolean {
    return this.code === 'not_committed' || this.code === 'transaction_too_old' || this.code === 'commit_unknown_result';
  }
}

/** A database that cannot be opened as it is set up. The message is one line for a person: what is missing or wrong, and how to get it right. */
export class DatabaseUnusableError extends Error {
  override readonly name = 'DatabaseUnusableError';
}
