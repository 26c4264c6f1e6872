import type { CommitRequest, KeyRange, WriteOperation } from './commit-request.js';

/** What both engines with an optimistic protocol of our own do at a commit: find conflicts, stamp, apply. Pure functions over byte keys. */

/** A store that a commit writes into; reads see the writes before them. */
export interface OperationTarget {
  get(key: Buffer): Buffer | undefined;
  set(key: Buffer, value: Buffer): void;
  clear(key: Buffer): void;
  clearRange(begin: Buffer, end: Buffer): void;
}

/** Bytes of a commit's versionstamp. */
export const COMMIT_STAMP_BYTES = 10;

/** The first key after `key`. */
export function keyAfter(key: Uint8Array): Buffer {
  const after = Buffer.allocUnsafe(key.length + 1);
  after.set(key);
  after[key.length] = 0;
  return after;
}

/** 8 bytes of version and 2 of the commit's order in its batch, both big-endian: bytewise order is commit order. */
export function commitStamp(version: bigint, order: number): Buffer {
  const stamp = Buffer.alloc(COMMIT_STAMP_BYTES);
  stamp.writeBigUInt64BE(version);
  stamp.writeUInt16BE(order, 8);
  return stamp;
}

/** A copy of `template` with `stamp` over the bytes from `offset`. */
export function withStamp(template: Uint8Array, offset: number, stamp: Uint8Array): Buffer {
  const bytes = Buffer.from(template);
  bytes.set(stamp, offset);
  return bytes;
}

/** The unsigned 64-bit little-endian integer in `value`. As FoundationDB does: absent is 0, shorter is padded, longer is cut (fdbclient/Atomic.h). */
function littleEndian(value: Uint8Array | undefined): bigint {
  const bytes = Buffer.alloc(8);
  if (value !== undefined) bytes.set(value.subarray(0, 8));
  return bytes.readBigUInt64LE();
}

function littleEndianBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes;
}

/** What `add` leaves at a key that held `current`; wraps at 64 bits, so a negative `delta` subtracts. */
export function added(current: Uint8Array | undefined, delta: bigint): Buffer {
  return littleEndianBytes(littleEndian(current) + delta);
}

/** What `max` leaves at a key that held `current`. */
export function larger(current: Uint8Array | undefined, value: bigint): Buffer {
  const held = littleEndian(current);
  const offered = BigInt.asUintN(64, value);
  return littleEndianBytes(held > offered ? held : offered);
}

/** Applies a commit's writes in order. `stamp` is what `commitStamp` made for it. */
export function applyOperations(target: OperationTarget, operations: readonly WriteOperation[], stamp: Buffer): void {
  for (const operation of operations) {
    switch (operation.kind) {
      case 'set':
        target.set(operation.key, operation.value);
        break;
      case 'clear':
        target.clear(operation.key);
        break;
      case 'clearRange':
        target.clearRange(operation.begin, operation.end);
        break;
      case 'add':
        target.set(operation.key, added(target.get(operation.key), operation.delta));
        break;
      case 'max':
        target.set(operation.key, larger(target.get(operation.key), operation.value));
        break;
      case 'setVersionstampedKey':
        target.set(withStamp(operation.template, operation.offset, stamp), operation.value);
        break;
      case 'setVersionstampedValue':
        target.set(operation.key, withStamp(operation.template, operation.offset, stamp));
        break;
    }
  }
}

/** The same keys in as few ranges as possible, sorted; empty ranges vanish, touching ones merge. */
export function coalesced(ranges: readonly KeyRange[]): KeyRange[] {
  const sorted = ranges
    .filter((range) => Buffer.compare(range.begin, range.end) < 0)
    .sort((a, b) => Buffer.compare(a.begin, b.begin) || Buffer.compare(a.end, b.end));
  const merged: KeyRange[] = [];
  let open: KeyRange | undefined;
  for (const range of sorted) {
    if (open === undefined || Buffer.compare(range.begin, open.end) > 0) {
      if (open !== undefined) merged.push(open);
      open = range;
    } else if (Buffer.compare(range.end, open.end) > 0) {
      open = { begin: open.begin, end: range.end };
    }
  }
  if (open !== undefined) merged.push(open);
  return merged;
}

/** Index of the first range that ends after `key`; `ranges` coalesced. */
function firstEndingAfter(ranges: readonly KeyRange[], key: Uint8Array): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const range = ranges[middle];
    if (range !== undefined && Buffer.compare(range.end, key) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The first of the coalesced `ranges` that overlaps `[begin, end)`. */
export function firstOverlap(ranges: readonly KeyRange[], begin: Uint8Array, end: Uint8Array): KeyRange | undefined {
  const range = ranges[firstEndingAfter(ranges, begin)];
  return range !== undefined && Buffer.compare(range.begin, end) < 0 && Buffer.compare(begin, end) < 0 ? range : undefined;
}

/** Whether a key lies in one of the coalesced `ranges`. */
export function covers(ranges: readonly KeyRange[], key: Uint8Array): boolean {
  const range = ranges[firstEndingAfter(ranges, key)];
  return range !== undefined && Buffer.compare(range.begin, key) <= 0;
}

/**
 * Whether a transaction that read `reads` must not commit after one that wrote `writes`. `reads` must be coalesced, as a CommitRequest's are;
 * `writes` may be in any order. Costs a binary search in `reads` for each write.
 */
export function conflicts(reads: readonly KeyRange[], writes: readonly KeyRange[]): boolean {
  if (reads.length === 0) return false;
  return writes.some((write) => firstOverlap(reads, write.begin, write.end) !== undefined);
}

function single(key: Uint8Array): KeyRange {
  return { begin: Buffer.from(key), end: keyAfter(key) };
}

/**
 * All that a commit writes, coalesced: its explicit ranges and every key and range of its operations, stamped keys under their final names. Costs little for
 * the keys that explicit ranges cover.
 */
export function writeRanges(request: Pick<CommitRequest, 'writes' | 'operations'>, stamp: Buffer): KeyRange[] {
  const explicit = coalesced(request.writes);
  const ranges: KeyRange[] = [...explicit];
  for (const operation of request.operations) {
    if (operation.kind === 'clearRange') {
      ranges.push({ begin: operation.begin, end: operation.end });
      continue;
    }
    const key =
      operation.kind === 'setVersionstampedKey' ? withStamp(operation.template, operation.offset, stamp) : operation.key;
    if (!covers(explicit, key)) ranges.push(single(key));
  }
  return coalesced(ranges);
}
