import { added, coalesced, COMMIT_STAMP_BYTES, keyAfter, larger, withStamp } from './apply-operations.js';
import type { CommitRequest, KeyRange, Snapshot, WriteOperation } from './commit-request.js';
import {
  limits,
  type KeyValue,
  type KeyValueError,
  type RangeOptions,
  type ReadTransaction,
  type Transaction,
  type Watch,
} from './database.js';
import { KeyWatch } from './key-watch.js';
import { OwnWrites } from './own-writes.js';
import { gaps, RangeSet } from './range-set.js';
import { everything, SortedMap } from './sorted-map.js';
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
  unreadable,
} from './transaction-checks.js';

/** What a transaction needs of its engine. */
export interface TransactionHost {
  /** Called at most once, synchronously by the first read that needs the store. The snapshot's buffers belong to whom they are handed. */
  openSnapshot(): Snapshot;
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** Database time in microseconds, at least `readVersion`'s. */
  time(readVersion: bigint): bigint;
  /** Where this engine keeps its metadata version; without it, it has none. */
  readonly metadataKey?: Buffer;
  /** Awaited by every asynchronous call, after its result is determined; a simulation yields and crashes here. */
  readonly pause?: () => Promise<void>;
}

/** A watch of a committed transaction. It must fire when the store has, or gets, a commit after `since` that writes its key. */
export interface WatchRegistration {
  readonly watch: KeyWatch;
  readonly since: bigint;
}

interface Atomic {
  readonly kind: 'add' | 'max';
  readonly operand: bigint;
}

/** What this transaction did to one key. `known` needs no read; `atomics` wait for the value below them. */
type OwnWrite =
  | { readonly kind: 'known'; readonly value: Buffer | undefined }
  | { readonly kind: 'atomic'; readonly atomics: readonly Atomic[] }
  | { readonly kind: 'stamped'; readonly template: Buffer; readonly offset: number; readonly atomics: readonly Atomic[] };

interface StampedKey {
  readonly template: Buffer;
  readonly offset: number;
  readonly value: Buffer;
}

// FoundationDB counts its own structures, too: VectorRef::expectedSize adds sizeof(MutationRef) and sizeof(KeyRangeRef) for each element
// (flow/Arena.h; Transaction::getSize). 56 is the largest of the clients 7.1 to 7.4.
const MUTATION_BYTES = 56;
const RANGE_BYTES = 32;

/**
 * A transaction over a frozen snapshot, as FoundationDB's client does it (fdbclient/ReadYourWrites.actor.cpp): own writes lie over the snapshot, reads of
 * the snapshot become read conflict ranges, and nothing leaves before the commit. The engine takes the request by `seal` and ends the transaction by
 * `committed` or `failed`; nothing can be called after that.
 *
 * A read's result is determined when it is called, not when it is awaited: a later write of the body is not in it.
 */
export class OptimisticTransaction implements Transaction {
  readonly snapshot: ReadTransaction;

  readonly #host: TransactionHost;
  #snapshot: Snapshot | undefined;
  #openedAt = 0;
  #state: 'open' | 'expired' | 'sealed' | 'ended' = 'open';

  readonly #own = new OwnWrites<OwnWrite>();
  readonly #cleared = new RangeSet();
  /** Where a versionstamp may put something: nobody can say what a read would see. */
  readonly #unreadable = new RangeSet();
  /** By the smallest key that each may become. */
  readonly #stampedKeys = new SortedMap<readonly StampedKey[]>();
  /** Of a read that was refused, whether or not the body took note of it. */
  #refused: KeyValueError | undefined;
  readonly #reads = new RangeSet();
  readonly #writes = new RangeSet();
  readonly #watches: { readonly watch: KeyWatch; own: boolean }[] = [];
  readonly #stamp: {
    readonly promise: Promise<Buffer>;
    readonly resolve: (stamp: Buffer) => void;
    readonly reject: (error: unknown) => void;
  };

  constructor(host: TransactionHost) {
    this.#host = host;
    let resolve: (stamp: Buffer) => void = () => undefined;
    let reject: (error: unknown) => void = () => undefined;
    const promise = new Promise<Buffer>((onResolve, onReject) => {
      resolve = onResolve;
      reject = onReject;
    });
    // Most bodies never ask for it; a rejection that nobody awaits must not end the process.
    promise.catch(() => undefined);
    this.#stamp = { promise, resolve, reject };
    this.snapshot = {
      readVersion: () => this.readVersion(),
      time: () => this.time(),
      get: (key) => this.#reading(() => this.#get(key, false)),
      getRange: (begin, end, options) => this.#reading(() => this.#getRange(begin, end, options ?? {}, false)),
      metadataVersion: () => this.#reading(() => this.#metadataVersion(false)),
    };
  }

  readVersion(): Promise<bigint> {
    return this.#reading(() => this.#store().version);
  }

  time(): Promise<bigint> {
    return this.#reading(() => this.#host.time(this.#store().version));
  }

  get(key: Buffer): Promise<Buffer | undefined> {
    return this.#reading(() => this.#get(key, true));
  }

  getRange(begin: Buffer, end: Buffer, options: RangeOptions = {}): Promise<readonly KeyValue[]> {
    return this.#reading(() => this.#getRange(begin, end, options, true));
  }

  metadataVersion(): Promise<Buffer | undefined> {
    return this.#reading(() => this.#metadataVersion(true));
  }

  set(key: Buffer, value: Buffer): void {
    this.#writing();
    checkKey(key);
    checkValue(value.length);
    this.#put(Buffer.from(key), { kind: 'known', value: Buffer.from(value) });
  }

  clear(key: Buffer): void {
    this.#writing();
    // No key can be so long, so there is nothing to clear (FoundationDB answers the same).
    if (key.length > limits.keyBytes) return;
    const own = Buffer.from(key);
    // A cleared key is known to be empty: readable again.
    if (this.#unreadable.ranges.length > 0) this.#unreadable.subtract(own, keyAfter(own));
    this.#stampedKeys.delete(own);
    this.#put(own, { kind: 'known', value: undefined });
  }

  clearRange(begin: Buffer, end: Buffer): void {
    this.#writing();
    const range = ownRange(begin, end);
    if (range === undefined) return;
    this.#touched(range.begin, range.end);
    this.#own.deleteRange(range.begin, range.end);
    this.#stampedKeys.deleteRange(range.begin, range.end);
    this.#unreadable.subtract(range.begin, range.end);
    this.#cleared.add(range.begin, range.end);
  }

  add(key: Buffer, delta: bigint): void {
    checkAddend(delta);
    this.#atomic(key, { kind: 'add', operand: delta });
  }

  max(key: Buffer, value: bigint): void {
    checkUnsigned(value);
    this.#atomic(key, { kind: 'max', operand: value });
  }

  setVersionstampedKey(template: Buffer, offset: number, value: Buffer): void {
    this.#writing();
    checkKey(template);
    checkValue(value.length);
    checkOffset(template, offset);
    // Atomic.h, getVersionstampKeyRange: from the known read version, or 0, up to a stamp of 0xff. (Clients after 7.3 begin one version later: a body
    // that works here works with either.)
    const lowest = Buffer.alloc(COMMIT_STAMP_BYTES);
    if (this.#snapshot !== undefined) lowest.writeBigUInt64BE(this.#snapshot.version);
    const begin = withStamp(template, offset, lowest);
    const end = keyAfter(withStamp(template, offset, Buffer.alloc(COMMIT_STAMP_BYTES, 0xff)));
    this.#touched(begin, end);
    this.#unreadable.add(begin, end);
    const others = (this.#stampedKeys.get(begin) ?? []).filter((other) => other.offset !== offset);
    this.#stampedKeys.set(begin, [...others, { template: Buffer.from(template), offset, value: Buffer.from(value) }]);
  }

  setVersionstampedValue(key: Buffer, template: Buffer, offset: number): void {
    this.#writing();
    checkKey(key);
    checkValue(template.length + OFFSET_BYTES);
    checkOffset(template, offset);
    const own = Buffer.from(key);
    // It stays unreadable until it is cleared, even when it is set again (fdbclient/WriteMap.cpp).
    this.#unreadable.add(own, keyAfter(own));
    this.#put(own, { kind: 'stamped', template: Buffer.from(template), offset, atomics: [] });
  }

  touchMetadata(): void {
    this.#writing();
    const { metadataKey } = this.#host;
    if (metadataKey !== undefined) this.setVersionstampedValue(metadataKey, Buffer.alloc(COMMIT_STAMP_BYTES), 0);
  }

  addReadConflictRange(begin: Buffer, end: Buffer): void {
    this.#writing();
    const range = ownRange(begin, end);
    if (range !== undefined) this.#conflict(range.begin, range.end);
  }

  addWriteConflictRange(begin: Buffer, end: Buffer): void {
    this.#writing();
    const range = ownRange(begin, end);
    if (range !== undefined) this.#writes.add(range.begin, range.end);
  }

  /** Reads the key, with a conflict, as FoundationDB's client does: what the watch compares with is what this transaction saw. */
  watch(key: Buffer): Watch {
    this.#readable();
    checkKey(key);
    this.#store();
    this.#get(key, true);
    const watch = new KeyWatch(Buffer.from(key));
    this.#watches.push({ watch, own: this.#own.get(key) !== undefined || this.#cleared.has(key) });
    return watch;
  }

  versionstamp(): Promise<Buffer> {
    return this.#stamp.promise;
  }

  /** Makes every further read throw `transaction_too_old` and drops the snapshot: the engine is about to release it. */
  expire(): void {
    if (this.#state === 'open') this.#state = 'expired';
  }

  /**
   * Ends the body's part: nothing can be read or written from here. Undefined when there is nothing to commit; what was only read was read at one version
   * and needs no check. A request without `reads` conflicts with nothing, whatever its `readVersion` (0 when the store was never read).
   * Throws `transaction_too_large`, and `transaction_too_old` when the reads are older than 5 s.
   */
  seal(): CommitRequest | undefined {
    this.#writing();
    // As in FoundationDB's client, whose commit waits for the reads and fails with theirs.
    if (this.#refused !== undefined) throw this.#refused;
    const expired = this.#state === 'expired' || this.#tooOld();
    this.#state = 'sealed';
    const operations = this.#operations();
    if (operations.length === 0 && this.#writes.ranges.length === 0) return undefined;
    const reads = [...this.#reads.ranges];
    if (expired && reads.length > 0) throw tooOld();
    const writes = [...this.#writes.ranges];
    checkTransaction(reads, writes, operations);
    // Read conflict ranges added without a read get the version of the commit's begin.
    const readVersion = reads.length > 0 ? this.#store().version : (this.#snapshot?.version ?? 0n);
    return { readVersion, reads, writes, operations };
  }

  /** Ends the transaction well. `commit` is what the engine stamped it with, undefined when there was nothing to commit. */
  committed(commit: { readonly version: bigint; readonly stamp: Buffer } | undefined): readonly WatchRegistration[] {
    this.#state = 'ended';
    if (commit === undefined) this.#stamp.reject(noCommitVersion());
    else this.#stamp.resolve(Buffer.from(commit.stamp));
    const readVersion = this.#snapshot?.version ?? 0n;
    // A key that this transaction wrote before it watched it has changed only when somebody else writes it later.
    return this.#watches
      .filter(({ watch }) => !watch.ended)
      .map(({ watch, own }) => ({ watch, since: own && commit !== undefined ? commit.version : readVersion }));
  }

  /** Ends the transaction badly: its watches fire, so that nobody waits for them for ever. */
  failed(error: unknown): void {
    this.#state = 'ended';
    this.#stamp.reject(error);
    for (const { watch } of this.#watches) watch.fire();
  }

  async #reading<T>(evaluate: () => T): Promise<T> {
    this.#readable();
    const result = evaluate();
    await this.#host.pause?.();
    return result;
  }

  #readable(): void {
    this.#writing();
    if (this.#state === 'expired' || this.#tooOld()) throw tooOld();
  }

  #writing(): void {
    if (this.#state === 'sealed' || this.#state === 'ended') throw transactionEnded();
  }

  #tooOld(): boolean {
    return this.#snapshot !== undefined && this.#host.now() - this.#openedAt >= limits.transactionMs;
  }

  #store(): Snapshot {
    if (this.#snapshot === undefined) {
      this.#snapshot = this.#host.openSnapshot();
      this.#openedAt = this.#host.now();
    }
    return this.#snapshot;
  }

  #metadataVersion(conflict: boolean): Buffer | undefined {
    const { metadataKey } = this.#host;
    return metadataKey === undefined ? undefined : this.#get(metadataKey, conflict);
  }

  #get(key: Buffer, conflict: boolean): Buffer | undefined {
    if (key.length > limits.keyBytes) return undefined;
    if (this.#unreadable.has(key)) throw this.#refuse();
    const own = this.#own.get(key);
    if (own?.kind === 'known') return own.value === undefined ? undefined : Buffer.from(own.value);
    if (own === undefined && this.#cleared.has(key)) return undefined;
    if (conflict) {
      const read = Buffer.from(key);
      this.#reads.add(read, keyAfter(read));
    }
    const stored = this.#store().get(key);
    return own === undefined ? stored : valueOver(own, stored);
  }

  #getRange(begin: Buffer, end: Buffer, options: RangeOptions, conflict: boolean): readonly KeyValue[] {
    const range = ownRange(begin, end);
    const limit = options.limit ?? Infinity;
    if (range === undefined || limit <= 0) return [];
    const reverse = options.reverse ?? false;
    const targetBytes = options.targetBytes ?? Infinity;
    const closed = this.#unreadable.within(range.begin, range.end).at(reverse ? -1 : 0);
    const open =
      closed === undefined ? range : reverse ? { begin: closed.end, end: range.end } : { begin: range.begin, end: closed.begin };

    const pairs: KeyValue[] = [];
    let bytes = 0;
    let last: Buffer | undefined;
    for (const pair of this.#pairs(open, reverse)) {
      pairs.push(pair);
      bytes += pair.key.length + pair.value.length;
      if (pairs.length >= limit || bytes >= targetBytes) {
        last = pair.key;
        break;
      }
    }
    // Only a read that gets there fails: a limit may stop it before.
    if (last === undefined && closed !== undefined) throw this.#refuse();
    if (conflict) {
      // What lies beyond the last pair of a limited read cannot have changed its result.
      if (last === undefined) this.#conflict(range.begin, range.end);
      else if (reverse) this.#conflict(Buffer.from(last), range.end);
      else this.#conflict(range.begin, keyAfter(last));
    }
    return pairs;
  }

  #refuse(): KeyValueError {
    this.#refused ??= unreadable();
    return this.#refused;
  }

  /** What the body sees of a range; where it wrote nothing, what the snapshot has. */
  #pairs(range: KeyRange, reverse: boolean): Iterable<KeyValue> {
    const wrote = this.#own.hasWithin(range.begin, range.end) || this.#cleared.within(range.begin, range.end).length > 0;
    return wrote ? this.#merged(range, reverse) : this.#store().range(range.begin, range.end, reverse);
  }

  /** The snapshot's pairs with the own writes over them. */
  *#merged(range: KeyRange, reverse: boolean): Generator<KeyValue> {
    const own = this.#own.range(range.begin, range.end, reverse)[Symbol.iterator]();
    const stored = this.#stored(range, reverse);
    try {
      let mine = own.next();
      let theirs = stored.next();
      while (mine.done !== true || theirs.done !== true) {
        if (mine.done === true) {
          if (theirs.done !== true) yield theirs.value;
          theirs = stored.next();
          continue;
        }
        const order = theirs.done === true ? -1 : Buffer.compare(mine.value.key, theirs.value.key) * (reverse ? -1 : 1);
        if (order > 0 && theirs.done !== true) {
          yield theirs.value;
          theirs = stored.next();
          continue;
        }
        const value = valueOver(mine.value.value, order === 0 && theirs.done !== true ? theirs.value.value : undefined);
        if (value !== undefined) yield { key: Buffer.from(mine.value.key), value };
        mine = own.next();
        if (order === 0) theirs = stored.next();
      }
    } finally {
      // An early end must close the engine's cursor.
      stored.return(undefined);
    }
  }

  /** The snapshot's pairs without what this transaction cleared; does not open the snapshot when that is all. */
  *#stored(range: KeyRange, reverse: boolean): Generator<KeyValue> {
    const parts = gaps(range.begin, range.end, this.#cleared.within(range.begin, range.end));
    for (const part of reverse ? parts.reverse() : parts) yield* this.#store().range(part.begin, part.end, reverse);
  }

  /** Adds what of `[begin, end)` is not determined by own writes; updateConflictMap in FoundationDB's client. */
  #conflict(begin: Buffer, end: Buffer): void {
    const determined: KeyRange[] = this.#cleared.within(begin, end);
    for (const { key, value } of this.#own.range(begin, end, false)) {
      if (value.kind !== 'atomic') determined.push({ begin: key, end: keyAfter(key) });
    }
    for (const gap of gaps(begin, end, coalesced(determined))) this.#reads.add(Buffer.from(gap.begin), Buffer.from(gap.end));
  }

  #put(key: Buffer, write: OwnWrite): void {
    if (this.#watches.length > 0) this.#touched(key, keyAfter(key));
    this.#own.set(key, write);
  }

  #atomic(key: Buffer, atomic: Atomic): void {
    this.#writing();
    checkKey(key);
    const own = this.#own.get(key);
    const known = own === undefined ? this.#cleared.has(key) : own.kind === 'known';
    if (known) {
      const value = applied(atomic, own?.kind === 'known' ? own.value : undefined);
      this.#put(Buffer.from(key), { kind: 'known', value });
    } else if (own?.kind === 'stamped') {
      this.#put(Buffer.from(key), { ...own, atomics: folded(own.atomics, atomic) });
    } else {
      this.#put(Buffer.from(key), { kind: 'atomic', atomics: folded(own?.kind === 'atomic' ? own.atomics : [], atomic) });
    }
  }

  /** A watch set before an own write to its key must fire: its key is no longer what the body saw. */
  #touched(begin: Buffer, end: Buffer): void {
    for (const entry of this.#watches) {
      if (Buffer.compare(entry.watch.key, begin) >= 0 && Buffer.compare(entry.watch.key, end) < 0) entry.own = false;
    }
  }

  /** Ranges first, then keys, then stamped keys: to the store the same as the order of the calls. */
  #operations(): WriteOperation[] {
    const operations: WriteOperation[] = this.#cleared.ranges.map((range) => ({ kind: 'clearRange', ...range }));
    for (const { key, value: own } of this.#own.all()) {
      if (own.kind === 'known' && own.value !== undefined) operations.push({ kind: 'set', key, value: own.value });
      else if (own.kind === 'known') operations.push({ kind: 'clear', key });
      else {
        if (own.kind === 'stamped')
          operations.push({ kind: 'setVersionstampedValue', key, template: own.template, offset: own.offset });
        for (const { kind, operand } of own.atomics) {
          operations.push(kind === 'add' ? { kind, key, delta: operand } : { kind, key, value: operand });
        }
      }
    }
    for (const { value: stampedKeys } of everything(this.#stampedKeys)) {
      for (const stampedKey of stampedKeys) operations.push({ kind: 'setVersionstampedKey', ...stampedKey });
    }
    return operations;
  }
}

function applied(atomic: Atomic, value: Buffer | undefined): Buffer {
  return atomic.kind === 'add' ? added(value, atomic.operand) : larger(value, atomic.operand);
}

/** `atomics` and one more; two of a kind become one. */
function folded(atomics: readonly Atomic[], next: Atomic): readonly Atomic[] {
  const last = atomics.at(-1);
  if (last?.kind !== next.kind) return [...atomics, next];
  const operand =
    next.kind === 'add'
      ? BigInt.asIntN(64, last.operand + next.operand)
      : last.operand > next.operand
        ? last.operand
        : next.operand;
  return [...atomics.slice(0, -1), { kind: next.kind, operand }];
}

function valueOver(own: OwnWrite, stored: Buffer | undefined): Buffer | undefined {
  switch (own.kind) {
    case 'known':
      return own.value === undefined ? undefined : Buffer.from(own.value);
    case 'atomic':
      return own.atomics.reduce<Buffer | undefined>((value, atomic) => applied(atomic, value), stored);
    case 'stamped':
      throw unreadable();
  }
}

/** A copy of the checked range, which is the transaction's own. */
function ownRange(begin: Buffer, end: Buffer): KeyRange | undefined {
  const range = checkedRange(begin, end);
  return range && { begin: Buffer.from(range.begin), end: Buffer.from(range.end) };
}

function mutationBytes(operation: WriteOperation): number {
  switch (operation.kind) {
    case 'set':
      return operation.key.length + operation.value.length;
    case 'clear':
      return 2 * operation.key.length + 1;
    case 'clearRange':
      return operation.begin.length + operation.end.length;
    case 'add':
    case 'max':
      return operation.key.length + 8;
    case 'setVersionstampedKey':
      return operation.template.length + OFFSET_BYTES + operation.value.length;
    case 'setVersionstampedValue':
      return operation.key.length + operation.template.length + OFFSET_BYTES;
  }
}

/** The client's write conflict ranges; the ones of versionstamped keys are added by the cluster and are not counted. */
function ownWriteRanges(writes: readonly KeyRange[], operations: readonly WriteOperation[]): KeyRange[] {
  const ranges = [...writes];
  for (const operation of operations) {
    if (operation.kind === 'clearRange') ranges.push(operation);
    else if (operation.kind !== 'setVersionstampedKey') ranges.push({ begin: operation.key, end: keyAfter(operation.key) });
  }
  return coalesced(ranges);
}

function rangeBytes(ranges: readonly KeyRange[]): number {
  return ranges.reduce((bytes, { begin, end }) => bytes + RANGE_BYTES + begin.length + end.length, 0);
}

/** What its own write conflict ranges come to where none of them meets another. */
function mostRangeBytes(operation: WriteOperation): number {
  switch (operation.kind) {
    case 'clearRange':
      return RANGE_BYTES + operation.begin.length + operation.end.length;
    case 'setVersionstampedKey':
      return 0;
    default:
      return RANGE_BYTES + 2 * operation.key.length + 1;
  }
}

/** Throws `transaction_too_large` by what FoundationDB would count: mutations, and both ends of read and write conflict ranges. */
function checkTransaction(reads: readonly KeyRange[], writes: readonly KeyRange[], operations: readonly WriteOperation[]): void {
  const readBytes = rangeBytes(reads);
  let mutations = 0;
  let most = readBytes + rangeBytes(writes);
  for (const operation of operations) {
    mutations += MUTATION_BYTES + mutationBytes(operation);
    most += mostRangeBytes(operation);
  }
  // To merge the ranges costs more than all the rest, and makes them fewer: hardly a transaction needs it.
  if (mutations + most <= limits.transactionBytes) return;
  const bytes = mutations + readBytes + rangeBytes(ownWriteRanges(writes, operations));
  if (bytes > limits.transactionBytes) throw transactionTooLarge(bytes);
}
