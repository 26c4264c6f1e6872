import { randomBytes } from 'node:crypto';

import { keyAfter } from './apply-operations.js';
import {
  limits,
  type KeyValue,
  type KeyValueError,
  type RangeOptions,
  type ReadTransaction,
  type Transaction,
  type Watch,
} from './database.js';
import type { FdbError, NativeTransaction, NativeWatch } from './foundationdb-binding.js';
import { commitUnknown, fdbCodes, isInDoubt, isOwnEnd, keyValueError } from './foundationdb-errors.js';
import { KeyWatch } from './key-watch.js';
import {
  checkAddend,
  checkedRange,
  checkKey,
  checkOffset,
  checkUnsigned,
  checkValue,
  noCommitVersion,
  OFFSET_BYTES,
  tooOld,
  transactionEnded,
  transactionTooLarge,
} from './transaction-checks.js';

/** What a transaction needs of its database. */
export interface ClusterHost {
  /** Throws when nothing may begin: closed, or the cluster is away. */
  begin(): NativeTransaction;
  isFdbError(error: unknown): error is FdbError;
  /** A call to the cluster, and how it ended: by an answer, or by this process. */
  asked(): void;
  answered(): void;
  ended(): void;
  /** What an end by this process, or by the time limit, means to the caller. */
  endedBecause(error: FdbError, phase: 'read' | 'commit'): KeyValueError;
  /** Database time at the version of `tx`, in microseconds. */
  time(tx: ReadTransaction): Promise<bigint>;
  /** A watch that is set, until `forget`. */
  keep(watch: KeyWatch): void;
  forget(watch: KeyWatch): void;
}

const METADATA_KEY = Buffer.from('\xff/metadataVersion', 'latin1');
// The only value that the C library takes for it: a stamp, and its offset.
const METADATA_STAMP = Buffer.alloc(10 + OFFSET_BYTES);

const mutations = { add: 2, max: 12, setVersionstampedKey: 14, setVersionstampedValue: 15 } as const;

// Streaming mode `exact`: one call gives all pairs, or as many as the bytes asked for, over as many requests as the library needs.
const EXACT = 0;
// What is handed over in one go while nothing else runs in this thread.
const PIECE_BYTES = 1_000_000;
const MOST_PAIRS = 2 ** 31 - 1;
// More than the library counts for a pair's own structures (fdbclient, GetRangeLimits::decrement).
const PAIR_BYTES = 48;

// A watch that the cluster refused, as one too many, fires without a change; not at once, or who watches again would never rest.
const REFUSED_WATCH_MS = 1_000;

/**
 * A transaction of the C library, whose semantics are the port's; here are its limits, and the port's words for its errors. The native transaction begins
 * with the first call. The database ends it by `commit` or `fail`; nothing can be called after that.
 */
export class ClusterTransaction implements Transaction {
  readonly snapshot: ReadTransaction;

  readonly #host: ClusterHost;
  #native: NativeTransaction | undefined;
  #state: 'open' | 'committing' | 'ended' = 'open';
  /** When the version of the reads came. */
  #readingSince: number | undefined;
  #writes = false;
  /** A key that the transaction read with a conflict, if one is known; see `commit`. */
  #conflictKey: Buffer | undefined;
  #watches: { readonly watch: KeyWatch; readonly native: NativeWatch }[] | undefined;
  #stamp: PendingStamp | undefined;

  /** After a commit that may still be on its way: the key by whose change it is made to fail if it comes later. */
  inFlight: Buffer | undefined;

  constructor(host: ClusterHost) {
    this.#host = host;
    this.snapshot = {
      readVersion: () => this.readVersion(),
      time: () => this.time(),
      get: (key) => this.#get(key, true),
      getRange: (begin, end, options) => this.#getRange(begin, end, options ?? {}, true),
      metadataVersion: () => this.#metadataVersion(true),
    };
  }

  readVersion(): Promise<bigint> {
    return this.#read(
      (native) => native.getReadVersion(),
      (version) => version.readBigUInt64BE(),
    );
  }

  time(): Promise<bigint> {
    return this.#host.time(this.snapshot);
  }

  get(key: Buffer): Promise<Buffer | undefined> {
    return this.#get(key, false);
  }

  getRange(begin: Buffer, end: Buffer, options: RangeOptions = {}): Promise<readonly KeyValue[]> {
    return this.#getRange(begin, end, options, false);
  }

  metadataVersion(): Promise<Buffer | undefined> {
    return this.#metadataVersion(false);
  }

  set(key: Buffer, value: Buffer): void {
    const native = this.#open();
    checkKey(key);
    checkValue(value.length);
    this.#writes = true;
    native.set(key, value);
  }

  clear(key: Buffer): void {
    const native = this.#open();
    // No key can be so long, so there is nothing to clear.
    if (key.length > limits.keyBytes) return;
    this.#writes = true;
    native.clear(key);
  }

  clearRange(begin: Buffer, end: Buffer): void {
    const native = this.#open();
    const range = checkedRange(begin, end);
    if (range === undefined) return;
    this.#writes = true;
    native.clearRange(range.begin, range.end);
  }

  add(key: Buffer, delta: bigint): void {
    checkAddend(delta);
    this.#atomic(mutations.add, key, BigInt.asUintN(64, delta));
  }

  max(key: Buffer, value: bigint): void {
    checkUnsigned(value);
    this.#atomic(mutations.max, key, value);
  }

  setVersionstampedKey(template: Buffer, offset: number, value: Buffer): void {
    const native = this.#open();
    checkKey(template);
    checkValue(value.length);
    checkOffset(template, offset);
    this.#writes = true;
    native.atomicOp(mutations.setVersionstampedKey, withOffset(template, offset), value);
  }

  setVersionstampedValue(key: Buffer, template: Buffer, offset: number): void {
    const native = this.#open();
    checkKey(key);
    checkValue(template.length + OFFSET_BYTES);
    checkOffset(template, offset);
    this.#writes = true;
    native.atomicOp(mutations.setVersionstampedValue, key, withOffset(template, offset));
  }

  touchMetadata(): void {
    const native = this.#open();
    this.#writes = true;
    native.atomicOp(mutations.setVersionstampedValue, METADATA_KEY, METADATA_STAMP);
  }

  addReadConflictRange(begin: Buffer, end: Buffer): void {
    const native = this.#open();
    const range = checkedRange(begin, end);
    if (range !== undefined) native.addReadConflictRange(range.begin, range.end);
  }

  addWriteConflictRange(begin: Buffer, end: Buffer): void {
    const native = this.#open();
    const range = checkedRange(begin, end);
    if (range === undefined) return;
    this.#writes = true;
    native.addWriteConflictRange(range.begin, range.end);
  }

  watch(key: Buffer): Watch {
    const native = this.#reading();
    checkKey(key);
    const own = Buffer.from(key);
    const entry = { watch: new KeyWatch(own), native: native.watch(own, true) };
    entry.native.promise.then(
      () => entry.watch.fire(),
      () => setTimeout(() => entry.watch.fire(), REFUSED_WATCH_MS).unref(),
    );
    // The library cannot commit after one of its watches was cancelled in the same transaction: `#end` does it then.
    entry.watch.onEnd(() => {
      if (this.#state !== 'ended') return;
      entry.native.cancel();
      this.#host.forget(entry.watch);
    });
    (this.#watches ??= []).push(entry);
    return entry.watch;
  }

  versionstamp(): Promise<Buffer> {
    if (this.#stamp === undefined) {
      this.#stamp = new PendingStamp();
      if (this.#state !== 'open') this.#stamp.reject(transactionEnded());
    }
    return this.#stamp.promise;
  }

  /**
   * Ends the body's part and commits what there is to commit. On a failure `fail` is still to be called; where `inFlight` is set then, the commit may
   * yet happen.
   */
  async commit(): Promise<void> {
    if (this.#state !== 'open') throw transactionEnded();
    this.#state = 'committing';
    const native = this.#native;
    const nothing = !this.#writes && this.#watches === undefined;
    if (native === undefined || nothing) {
      this.#stamp?.reject(noCommitVersion());
      this.#end();
      return;
    }
    if (this.#writes && this.#conflictKey === undefined) {
      // Nobody else knows it: a conflict with it is one that we make ourselves.
      this.#conflictKey = Buffer.concat([Buffer.from('in-flight/'), randomBytes(16)]);
      native.addReadConflictRange(this.#conflictKey, keyAfter(this.#conflictKey));
    }
    const stamp = this.#stamp === undefined ? undefined : native.getVersionstamp();
    // It rejects with the commit, too.
    stamp?.catch(() => undefined);
    this.#host.asked();
    try {
      await native.commit();
    } catch (error) {
      throw await this.#commitError(error, native);
    }
    this.#host.answered();
    this.#end();
    const pending = this.#stamp;
    if (pending === undefined) return;
    if (stamp === undefined || !this.#writes) pending.reject(noCommitVersion());
    else
      stamp.then(
        (bytes) => pending.resolve(bytes),
        (error: unknown) => pending.reject(error),
      );
  }

  /** Ends the transaction badly: nothing of it stays, and its watches fire. */
  fail(error: unknown): void {
    this.#stamp?.reject(error);
    this.#state = 'ended';
    this.#native?.cancel();
    for (const { watch } of this.#watches ?? []) watch.fire();
  }

  get committing(): boolean {
    return this.#state === 'committing';
  }

  /** From outside: whatever the body waits for rejects. */
  interrupt(): void {
    this.#native?.cancel();
  }

  /** Ends a transaction of reads. */
  finish(): void {
    this.#state = 'ended';
  }

  #end(): void {
    this.#state = 'ended';
    if (this.#watches === undefined) return;
    for (const { watch, native } of this.#watches) {
      if (watch.ended) native.cancel();
      else this.#host.keep(watch);
    }
  }

  async #commitError(error: unknown, native: NativeTransaction): Promise<unknown> {
    if (!this.#host.isFdbError(error)) {
      this.#host.ended();
      return error;
    }
    if (isInDoubt(error.code)) this.inFlight = this.#conflictKey;
    if (isOwnEnd(error.code)) {
      this.#host.ended();
      return this.#host.endedBecause(error, 'commit');
    }
    this.#host.answered();
    if (isInDoubt(error.code)) return commitUnknown('the cluster moved to another version during the commit', error);
    if (error.code !== fdbCodes.transactionTooLarge) return keyValueError(error, 'commit');
    const bytes = await native.getApproximateSize().catch(() => limits.transactionBytes + 1);
    return transactionTooLarge(bytes, { cause: error });
  }

  #open(): NativeTransaction {
    if (this.#state !== 'open') throw transactionEnded();
    this.#native ??= this.#host.begin();
    return this.#native;
  }

  #reading(): NativeTransaction {
    const native = this.#open();
    if (this.#readingSince !== undefined && performance.now() - this.#readingSince >= limits.transactionMs) throw tooOld();
    return native;
  }

  #atomic(type: number, key: Buffer, operand: bigint): void {
    const native = this.#open();
    checkKey(key);
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigUInt64LE(operand);
    this.#writes = true;
    native.atomicOp(type, key, bytes);
  }

  #get(key: Buffer, isSnapshot: boolean): Promise<Buffer | undefined> {
    return this.#read((native) => {
      if (key.length > limits.keyBytes) return Promise.resolve(undefined);
      if (!isSnapshot && this.#conflictKey === undefined && !this.#writes) this.#conflictKey = Buffer.from(key);
      return native.get(key, isSnapshot);
    }, identity);
  }

  /**
   * The C library brings it with the read version, but where it gets none, for the database is locked or too busy, says so to those alone who asked for that
   * (fdbclient/NativeAPI.actor.cpp, extractReadVersion): by itself this would wait for its time limit.
   */
  #metadataVersion(isSnapshot: boolean): Promise<Buffer | undefined> {
    return this.#read(
      (native) => Promise.all([native.getReadVersion(), native.get(METADATA_KEY, isSnapshot)]),
      ([, version]) => version,
    );
  }

  #getRange(begin: Buffer, end: Buffer, options: RangeOptions, isSnapshot: boolean): Promise<readonly KeyValue[]> {
    return unmissed(this.#pieces(begin, end, options, isSnapshot));
  }

  /** A later piece sees what the body wrote after its call: a body does not write into what it is reading a megabyte of. */
  async #pieces(
    begin: Buffer,
    end: Buffer,
    { limit = MOST_PAIRS, reverse = false, targetBytes = Infinity }: RangeOptions,
    isSnapshot: boolean,
  ): Promise<readonly KeyValue[]> {
    this.#reading();
    const range = checkedRange(begin, end);
    const pairs: KeyValue[] = [];
    if (range === undefined || limit <= 0) return pairs;
    let { begin: from, end: to } = range;
    let bytes = 0;
    for (;;) {
      const rows = Math.min(limit - pairs.length, MOST_PAIRS);
      const target = pieceBytes(targetBytes, bytes, pairs.length);
      const { results, more } = await this.#read(
        (native) => native.getRange(from, false, 1, to, false, 1, rows, target, EXACT, 1, isSnapshot, reverse),
        identity,
      );
      for (const [key, value] of results) {
        pairs.push({ key, value });
        bytes += key.length + value.length;
        if (pairs.length >= limit || bytes >= targetBytes) return pairs;
      }
      if (!more) return pairs;
      const last = pairs.at(-1)?.key;
      if (last !== undefined && reverse) to = last;
      else if (last !== undefined) from = keyAfter(last);
    }
  }

  /** All failures are rejections, and the port's errors. */
  #read<T, R>(call: (native: NativeTransaction) => Promise<T>, take: (result: T) => R): Promise<R> {
    const host = this.#host;
    let asked: Promise<T>;
    try {
      asked = call(this.#reading());
    } catch (error) {
      return Promise.reject(error);
    }
    host.asked();
    return unmissed(
      asked.then(
        (result) => {
          host.answered();
          this.#readingSince ??= performance.now();
          return take(result);
        },
        (error: unknown) => {
          throw this.#readError(error);
        },
      ),
    );
  }

  #readError(error: unknown): unknown {
    const host = this.#host;
    if (!host.isFdbError(error)) {
      host.ended();
      return error;
    }
    if (isOwnEnd(error.code)) {
      host.ended();
      return host.endedBecause(error, 'read');
    }
    host.answered();
    return keyValueError(error, 'read');
  }
}

/** The versionstamp that the commit will bring. */
class PendingStamp {
  readonly promise: Promise<Buffer>;
  resolve: (stamp: Buffer) => void = () => undefined;
  reject: (error: unknown) => void = () => undefined;

  constructor() {
    this.promise = unmissed(
      new Promise<Buffer>((resolve, reject) => {
        this.resolve = resolve;
        this.reject = reject;
      }),
    );
  }
}

/** A rejection of it that nobody awaits, since the body has failed already, is no fault of the process. */
function unmissed<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

function identity<T>(value: T): T {
  return value;
}

function withOffset(template: Buffer, offset: number): Buffer {
  const bytes = Buffer.allocUnsafe(template.length + OFFSET_BYTES);
  template.copy(bytes);
  bytes.writeUInt32LE(offset, template.length);
  return bytes;
}

/**
 * What to ask for, of `targetBytes` in keys and values of which `bytes` in so many pairs are there. The library counts more for a pair than its bytes,
 * so the first piece is short of the target; the next is asked for with what it would count, so that there are two and not ten.
 */
function pieceBytes(targetBytes: number, bytes: number, pairs: number): number {
  const rest = targetBytes - bytes;
  const counted = pairs === 0 ? rest : rest + Math.ceil((rest * pairs) / Math.max(bytes, 1)) * PAIR_BYTES;
  return Math.max(1, Math.min(counted, PIECE_BYTES));
}
