import { conflicts } from './apply-operations.js';
import type { KeyRange } from './commit-request.js';
import { packRanges, unpackRanges } from './lmdb-messages.js';
import { readState, writeState, type Tables } from './lmdb-store.js';
import type { LmdbRead } from './lmdb-binding.js';

/** What one commit wrote. */
export interface LoggedCommit {
  readonly version: bigint;
  readonly ranges: readonly KeyRange[];
}

interface CachedCommit extends LoggedCommit {
  readonly bytes: number;
}

// A transaction lives 5 s; the rest is for clocks of processes that differ. Versions are microseconds.
const KEPT_MICROSECONDS = 10_000_000n;
// Whatever the clock says, the cache stays within memory: who read before what was dropped begins again.
const KEPT_COMMITS = 100_000;
const KEPT_BYTES = 64 * 1024 * 1024;
// In memory, of what is packed: each range is an object with two buffers.
const MEMORY_PER_BYTE = 2.5;
// What an old version has piled up goes in steps, not in one commit.
const FORGOTTEN_AT_ONCE = 1_000;

const LAST_VERSION = 2n ** 64n - 1n;

/**
 * What every commit of the last seconds wrote, in LMDB for all processes, with a cache of it in the commit worker. Used inside a write transaction:
 * `catchUp` first, then any number of `conflictsSince` and `append`, then `finish`. After a write transaction that failed, `forget` what it left here.
 */
export class ConflictLog {
  #commits: CachedCommit[] = [];
  #bytes = 0;
  /** The newest version whose commit is in `#commits`, or undefined when nothing was read yet. */
  #known: bigint | undefined;
  #forgotten = 0n;
  #version = 0n;
  #appended = false;

  constructor(private readonly tables: Tables) {}

  /** The version of the newest commit. */
  get version(): bigint {
    return this.#version;
  }

  /** A transaction that read before this version cannot be checked any more. */
  get forgotten(): bigint {
    return this.#forgotten;
  }

  /** Reads what other processes have committed since this one was last here. */
  catchUp(): void {
    const state = readState(this.tables);
    this.#version = state.version;
    this.#forgotten = state.forgotten;
    this.#dropForgotten();
    const from = this.#known === undefined || this.#known < state.forgotten ? state.forgotten : this.#known;
    if (from < state.version) {
      for (const commit of commitsAfter(this.tables, from)) this.#remember(commit);
    }
    this.#known = state.version;
  }

  conflictsSince(version: bigint, reads: readonly KeyRange[]): boolean {
    for (let index = this.#commits.length - 1; index >= 0; index -= 1) {
      const commit = this.#commits[index];
      if (commit === undefined || commit.version <= version) return false;
      if (conflicts(reads, commit.ranges)) return true;
    }
    return false;
  }

  append(version: bigint, ranges: readonly KeyRange[]): void {
    const packed = packRanges(ranges);
    this.tables.conflicts.put(versionKey(version), packed);
    // Of the packed copy: the ranges themselves keep their whole request in memory.
    this.#remember({ version, ranges: unpackRanges(packed), bytes: packed.length });
    this.#version = version;
    this.#known = version;
    this.#appended = true;
  }

  /** Drops what nobody needs any more and writes the state, when there is anything to write. */
  finish(nowMicroseconds: bigint): void {
    if (!this.#appended) return;
    this.#appended = false;
    const limit = nowMicroseconds - KEPT_MICROSECONDS;
    let count = 0;
    let bytes = this.#bytes;
    for (const commit of this.#commits.slice(0, FORGOTTEN_AT_ONCE)) {
      const isOver = this.#commits.length - count > KEPT_COMMITS || bytes > KEPT_BYTES;
      if (commit.version >= limit && !isOver) break;
      this.tables.conflicts.remove(versionKey(commit.version));
      this.#forgotten = commit.version;
      bytes -= commit.bytes * MEMORY_PER_BYTE;
      count += 1;
    }
    if (count > 0) this.#commits.splice(0, count);
    this.#bytes = bytes;
    writeState(this.tables, { version: this.#version, forgotten: this.#forgotten });
  }

  forget(): void {
    this.#commits = [];
    this.#bytes = 0;
    this.#known = undefined;
    this.#appended = false;
  }

  #remember(commit: CachedCommit): void {
    this.#commits.push(commit);
    this.#bytes += commit.bytes * MEMORY_PER_BYTE;
  }

  /** Another process may have pruned the log. */
  #dropForgotten(): void {
    let count = 0;
    for (const commit of this.#commits) {
      if (commit.version > this.#forgotten) break;
      this.#bytes -= commit.bytes * MEMORY_PER_BYTE;
      count += 1;
    }
    if (count > 0) this.#commits.splice(0, count);
  }
}

/** The log's commits after `version`, oldest first. */
export function* commitsAfter(tables: Tables, version: bigint, transaction?: LmdbRead): Generator<CachedCommit> {
  const start = versionKey(version + 1n);
  const read = transaction && { transaction };
  for (const { key, value } of tables.conflicts.getRange({ start, end: versionKey(LAST_VERSION), ...read })) {
    yield { version: key.readBigUInt64BE(), ranges: unpackRanges(value), bytes: value.length };
  }
}

function versionKey(version: bigint): Buffer {
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(version);
  return key;
}
