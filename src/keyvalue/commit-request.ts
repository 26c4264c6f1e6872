/** What the engines with an optimistic protocol of our own (`lmdb`, `simulated`) hand from a transaction to the commit. */

/** `[begin, end)` in key order. */
export interface KeyRange {
  readonly begin: Buffer;
  readonly end: Buffer;
}

/** One write, in the order of the body's calls. */
export type WriteOperation =
  | { readonly kind: 'set'; readonly key: Buffer; readonly value: Buffer }
  | { readonly kind: 'clear'; readonly key: Buffer }
  | { readonly kind: 'clearRange'; readonly begin: Buffer; readonly end: Buffer }
  | { readonly kind: 'add'; readonly key: Buffer; readonly delta: bigint }
  | { readonly kind: 'max'; readonly key: Buffer; readonly value: bigint }
  | { readonly kind: 'setVersionstampedKey'; readonly template: Buffer; readonly offset: number; readonly value: Buffer }
  | { readonly kind: 'setVersionstampedValue'; readonly key: Buffer; readonly template: Buffer; readonly offset: number };

/** A transaction that wants to commit: it may when nothing in `reads` was written after `readVersion`. */
export interface CommitRequest {
  readonly readVersion: bigint;
  readonly reads: readonly KeyRange[];
  /** Explicit write conflict ranges; the ranges of `operations` come on top. */
  readonly writes: readonly KeyRange[];
  readonly operations: readonly WriteOperation[];
}

/** A frozen view of the store; its reads are synchronous in both engines. */
export interface Snapshot {
  readonly version: bigint;
  get(key: Buffer): Buffer | undefined;
  /** Pairs of `[begin, end)`, lazily, so that an overlay can merge and stop early. */
  range(begin: Buffer, end: Buffer, reverse: boolean): Iterable<{ readonly key: Buffer; readonly value: Buffer }>;
}
