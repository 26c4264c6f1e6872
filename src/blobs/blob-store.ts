import type { Readable, Writable } from 'node:stream';

import type { Digest, DigestAlgorithm } from '../digest.js';

export type { Digest, DigestAlgorithm };

/** Where a committed blob's bytes lie. `generation` is the own id of the staged file that brought them: a name that is never used again. */
export interface BlobAddress {
  readonly digest: Digest;
  readonly generation: string;
}

/** `first` and `last` are both inclusive, as in RFC 9110 byte ranges. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export interface StagedUpload {
  /** Bytes received and kept so far; what a client may resume after. */
  readonly size: number;
  /** The bytes also stand under their digest, where the store can tell: a process died before it recorded that. */
  readonly committed?: boolean;
}

export interface CopyOptions {
  /** The algorithm to compute the running digest with, where the bytes pass through this process at all. */
  readonly algorithm: DigestAlgorithm;
  /** Aborting it ends the copy with `source_failed`. */
  readonly signal?: AbortSignal;
}

export interface AppendOptions {
  /** Where the first byte belongs; it must be the staged size. */
  readonly offset: number;
  /** The algorithm to compute the running digest with. */
  readonly algorithm: DigestAlgorithm;
  /** Aborting it ends the append; the bytes that arrived stay. */
  readonly signal?: AbortSignal;
}

/**
 * The content-addressed blob store. Uploads are staged in a file and committed under their digest. Memory does not grow with a blob's size. Several
 * processes may share one; of a staged file all but one only ask for its size, copy it or release it.
 * Errors are `BlobStoreError`s with a code. An `id` is a staged file's name: see staged-name.ts.
 */
export interface BlobStore {
  /** Begins a staged upload. */
  stage(id: string): Promise<void>;
  /** The staged upload, or undefined when there is none (never begun, cancelled, or committed and released). */
  staged(id: string): Promise<StagedUpload | undefined>;
  /**
   * Appends the stream's bytes; resolves with the size reached once the kernel has them. A stream that breaks keeps what arrived and rejects with
   * `source_failed`. Rejects with `wrong_offset`, `upload_unknown`, `storage_full` (what this append wrote is cut off again).
   */
  append(id: string, source: Readable, options: AppendOptions): Promise<StagedUpload>;
  /**
   * Begins the staged upload `to` with the bytes of `from`: all that it had when this was called. `from` stays, and may be written to meanwhile. `committed`
   * is said of `from`: its bytes are a whole blob. Rejects with `upload_unknown`, `source_failed`, `storage_full`, which leave no `to`.
   */
  copy(from: string, to: string, options: CopyOptions): Promise<StagedUpload>;
  /** The digest of all staged bytes: kept from the appends where this process saw them all with this algorithm, else the bytes are read once more. */
  digest(id: string, algorithm: DigestAlgorithm): Promise<Digest>;
  /**
   * Makes the staged bytes readable under `digest`, with the file's own id for their generation, durably: file and directories are synced before it
   * resolves. The staged upload stays until `release`. Doing it twice is doing it once. Does not check the digest.
   */
  commit(id: string, digest: Digest): Promise<BlobAddress>;
  /**
   * Stores a whole small blob at once, as durably as `commit`: for an upload whose bytes all came in one request and fit in memory. Needs no `stage`;
   * what was staged under `id` is replaced, and stays staged until `release`, so that a process that dies before it has recorded the blob leaves a trace.
   * Does not check the digest.
   */
  put(id: string, bytes: Uint8Array, digest: Digest): Promise<BlobAddress>;
  /** Drops the staged upload, whatever its state; committed bytes are not touched. No error when it is gone. */
  release(id: string): Promise<void>;
  /** Deletes a committed generation. No error when it is gone. */
  remove(address: BlobAddress): Promise<void>;
  /** The size in bytes, or undefined when that generation is not there. */
  stat(address: BlobAddress): Promise<number | undefined>;
  /**
   * Writes the bytes, or the range of them, to what `sink` gives, which it neither ends nor destroys; false when that generation is not there. `sink` is
   * called once there is something to send: not for false, nor for a range that ends behind the blob, which rejects with `storage_failed`. So do bytes that
   * turn out to be missing later; a sink that breaks or is ended is `sink_failed`. No file is open once it has resolved or rejected.
   * A chunk's memory is used again when the sink has called back: a sink that keeps chunks copies them.
   */
  send(address: BlobAddress, range: ByteRange | undefined, sink: () => Writable): Promise<boolean>;
  /** All bytes of a small blob at once (at most `limit`; larger rejects with `too_large`); undefined when not there. */
  readSmall(address: BlobAddress, limit: number): Promise<Buffer | undefined>;
  /** The names of all staged files, in no order. */
  listStaged(): AsyncIterable<string>;
  /** The store's own identity file STORE, or undefined in an empty store. */
  readIdentity(): Promise<string | undefined>;
  /** Whether the store holds nothing but its STORE, if that. */
  isEmpty(): Promise<boolean>;
  /** Writes STORE durably; rejects with `not_empty` when the store holds anything else. */
  writeIdentity(identity: string): Promise<void>;
  /** Notes durably that the store that STORE names is set up: from here on the blobs are not empty, so that no other store begins beside them. */
  markFounded(): Promise<void>;
  close(): Promise<void>;
}

export type BlobStoreErrorCode =
  | 'upload_unknown'
  | 'wrong_offset'
  | 'source_failed'
  | 'sink_failed'
  | 'storage_full'
  | 'storage_failed'
  | 'too_large'
  | 'not_empty';

/** A failure of the blob store. `staged` is the size kept, where the failure leaves an upload that can go on. */
export class BlobStoreError extends Error {
  override readonly name = 'BlobStoreError';
  constructor(
    readonly code: BlobStoreErrorCode,
    message: string,
    readonly staged?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
