import type { Snapshot } from './commit-request.js';
import { KeyValueError, limits } from './database.js';
import type { LmdbRead } from './lmdb-binding.js';
import { commitsAfter, type LoggedCommit } from './lmdb-conflict-log.js';
import { getValue, rangeOf, readState, type Pair, type ReadableStore, type StoreState } from './lmdb-store.js';

const SWEEP_MS = 250;

/** The store at one version, as LMDB keeps it for as long as somebody holds it. */
export class LmdbSnapshot implements Snapshot {
  readonly openedAt = performance.now();
  readonly #store: ReadableStore;
  readonly #read: LmdbRead;
  readonly #onExpired: (() => void) | undefined;
  #version: bigint | undefined;
  #released: (() => KeyValueError) | undefined;

  constructor(store: ReadableStore, read: LmdbRead, onExpired: (() => void) | undefined) {
    this.#store = store;
    this.#read = read;
    this.#onExpired = onExpired;
  }

  get version(): bigint {
    return (this.#version ??= this.state().version);
  }

  get(key: Buffer): Buffer | undefined {
    return getValue(this.#store, key, this.#held());
  }

  range(begin: Buffer, end: Buffer, reverse: boolean): Iterable<Pair> {
    return rangeOf(this.#store, begin, end, reverse, this.#held());
  }

  state(): StoreState {
    return readState(this.#store, this.#held());
  }

  commitsAfter(version: bigint): Iterable<LoggedCommit> {
    return commitsAfter(this.#store, version, this.#held());
  }

  /** Further reads throw `why`. */
  release(why: () => KeyValueError): void {
    if (this.#released !== undefined) return;
    this.#released = why;
    this.#read.done();
  }

  /** Takes the snapshot away from a body that still runs. */
  expire(): void {
    this.#onExpired?.();
    this.release(tooOld);
  }

  #held(): LmdbRead {
    if (this.#released !== undefined) throw this.#released();
    if (performance.now() - this.openedAt >= limits.transactionMs) throw tooOld();
    return this.#read;
  }
}

/** All snapshots that this process holds. None is held longer than 5 s: LMDB frees no page that the oldest one may read. */
export class Snapshots {
  readonly #store: ReadableStore;
  readonly #held = new Set<LmdbSnapshot>();
  readonly #sweep: NodeJS.Timeout;
  #isClosed = false;

  constructor(store: ReadableStore) {
    this.#store = store;
    this.#sweep = setInterval(() => this.#expire(), SWEEP_MS).unref();
  }

  /** Sees every commit that was acknowledged to anybody before this call. */
  open(onExpired?: () => void): LmdbSnapshot {
    if (this.#isClosed) throw closed();
    const { environment } = this.#store;
    // lmdb-js keeps one read transaction for the whole event turn: a commit of another process would be missed.
    environment.resetReadTxn();
    const snapshot = new LmdbSnapshot(this.#store, environment.useReadTransaction(), onExpired);
    this.#held.add(snapshot);
    return snapshot;
  }

  release(snapshot: LmdbSnapshot): void {
    this.#held.delete(snapshot);
    snapshot.release(ended);
  }

  /** Releases everything; reads that still run fail with `closed`. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    for (const snapshot of this.#held) snapshot.release(closed);
    this.#held.clear();
  }

  #expire(): void {
    const limit = performance.now() - limits.transactionMs;
    // A Set goes in the order of adding, here the order of age.
    for (const snapshot of this.#held) {
      if (snapshot.openedAt > limit) return;
      this.#held.delete(snapshot);
      snapshot.expire();
    }
  }
}

export function closed(): KeyValueError {
  return new KeyValueError('closed', 'the database is closed');
}

function ended(): KeyValueError {
  return new KeyValueError('closed', 'the transaction has ended; its body must not use it any more');
}

function tooOld(): KeyValueError {
  return new KeyValueError('transaction_too_old', `the transaction has been reading for longer than ${limits.transactionMs} ms`);
}
