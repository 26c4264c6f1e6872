import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { threadId } from 'node:worker_threads';
import { abort, openEnvironment, tableOptions, type LmdbEnvironment, type LmdbRead, type LmdbTable } from './lmdb-binding.js';

/** The files of a store and the one way to write into them, for the commit worker; and the way to read them, for everybody. */

export interface StoreOptions {
  /** Makes the folder and an empty store in it when there is none. */
  readonly create: boolean;
  /** Address space for the map, in bytes. */
  readonly mapSize: number;
}

/** A terabyte of address space; the file itself is as long as its data. lmdb-js grows a smaller map when it is full, and keeps the old ones beside it. */
export const DEFAULT_MAP_SIZE = 2 ** 40;

const STORE_FILE = 'store.mdb';
const GUARD_FILE = 'guard.mdb';

/** Every read that is open at one time holds a slot, in all processes together. */
const MAX_READERS = 4_096;

const FORMAT = Buffer.from('artifact-store key-value 1');
const FORMAT_KEY = Buffer.from('format');
const STATE_KEY = Buffer.from('state');
// LMDB has no empty key; the port has.
const EMPTY_KEY_KEY = Buffer.from('empty-key');
const FIRST_KEY = Buffer.alloc(1);

/** The last commit's version, and the highest one that the conflict log has forgotten. */
export interface StoreState {
  readonly version: bigint;
  readonly forgotten: bigint;
}

export interface Tables {
  readonly data: LmdbTable;
  /** Written ranges by the 8 bytes of their commit's version. */
  readonly conflicts: LmdbTable;
  readonly meta: LmdbTable;
}

/** What a process has open to read a store. */
export interface ReadableStore extends Tables {
  readonly environment: LmdbEnvironment;
}

/**
 * Opens a store for reading. This process's commit worker must have it open: lmdb-js then finds the open environment and does not run LMDB's
 * `mdb_env_open` again, which only the worker can do safely (see `WritableStore`).
 */
export function openReadableStore(folder: string, mapSize: number): ReadableStore {
  const environment = openEnvironment(join(folder, STORE_FILE), { mapSize, maxReaders: MAX_READERS, readOnly: true });
  return { environment, ...tablesOf(environment, false) };
}

export function readState(tables: Tables, transaction?: LmdbRead): StoreState {
  const bytes = tables.meta.get(STATE_KEY, transaction && { transaction });
  if (bytes === undefined) return { version: 0n, forgotten: 0n };
  return { version: bytes.readBigUInt64BE(0), forgotten: bytes.readBigUInt64BE(8) };
}

export function writeState(tables: Tables, state: StoreState): void {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64BE(state.version, 0);
  bytes.writeBigUInt64BE(state.forgotten, 8);
  tables.meta.put(STATE_KEY, bytes);
}

export function getValue(tables: Tables, key: Buffer, transaction?: LmdbRead): Buffer | undefined {
  const options = transaction && { transaction };
  return key.length === 0 ? tables.meta.get(EMPTY_KEY_KEY, options) : tables.data.get(key, options);
}

export function putValue(tables: Tables, key: Buffer, value: Buffer): void {
  if (key.length === 0) tables.meta.put(EMPTY_KEY_KEY, value);
  else tables.data.put(key, value);
}

export function removeValue(tables: Tables, key: Buffer): void {
  if (key.length === 0) tables.meta.remove(EMPTY_KEY_KEY);
  else tables.data.remove(key);
}

export interface Pair {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** The pairs of `[begin, end)`, lazily. */
export function rangeOf(tables: Tables, begin: Buffer, end: Buffer, reverse: boolean, transaction?: LmdbRead): Iterable<Pair> {
  if (Buffer.compare(begin, end) >= 0) return [];
  const from = begin.length === 0 ? FIRST_KEY : begin;
  const read = transaction && { transaction };
  const pairs = reverse
    ? tables.data.getRange({ start: end, exclusiveStart: true, end: from, inclusiveEnd: true, reverse, ...read })
    : tables.data.getRange({ start: from, end, ...read });
  return begin.length === 0 ? withEmptyKey(pairs, tables.meta.get(EMPTY_KEY_KEY, read), reverse) : pairs;
}

function* withEmptyKey(pairs: Iterable<Pair>, value: Buffer | undefined, reverse: boolean): Generator<Pair> {
  const first = value && { key: Buffer.alloc(0), value };
  if (first !== undefined && !reverse) yield first;
  yield* pairs;
  if (first !== undefined && reverse) yield first;
}

const CLEAR_CHUNK = 10_000;

/** Removes the pairs of `[begin, end)`; inside `WritableStore.write`. */
export function clearValues(tables: Tables, begin: Buffer, end: Buffer): void {
  if (Buffer.compare(begin, end) >= 0) return;
  if (begin.length === 0) tables.meta.remove(EMPTY_KEY_KEY);
  const start = begin.length === 0 ? FIRST_KEY : begin;
  for (;;) {
    // A cursor does not survive deletes beside it, so keys are collected first.
    const keys = [...tables.data.getKeys({ start, end, limit: CLEAR_CHUNK })];
    for (const key of keys) tables.data.remove(key);
    if (keys.length < CLEAR_CHUNK) return;
  }
}

/**
 * A store open for writing: one for each commit worker.
 *
 * LMDB's `mdb_env_open` copies the newest transaction's number out of the file into the table that all processes share, without a lock. When another
 * process commits between the two, the number goes back, and the next writer builds on the version before that commit: it is lost, though it was synced
 * and acknowledged, and the free list may break with it. (lmdb-js 3.5, mdb.c, `mdb_env_open2`; seen within seconds.) `mdb_env_close` in the last process has
 * a gap of the same kind. So opening, writing and closing exclude each other across processes, through the write lock of a second, empty environment:
 * LMDB's own lock, which survives the death of its holder. The guard's data is nothing, so opening it needs no guard.
 */
export class WritableStore implements Tables {
  readonly data: LmdbTable;
  readonly conflicts: LmdbTable;
  readonly meta: LmdbTable;
  readonly #environment: LmdbEnvironment;
  readonly #guard: LmdbEnvironment;

  private constructor(environment: LmdbEnvironment, tables: Tables, guard: LmdbEnvironment) {
    this.#environment = environment;
    this.#guard = guard;
    this.data = tables.data;
    this.conflicts = tables.conflicts;
    this.meta = tables.meta;
  }

  /** Waits for other processes that write or open; not for the main thread. */
  static open(folder: string, options: StoreOptions): WritableStore {
    const file = join(folder, STORE_FILE);
    const isNew = !existsSync(file);
    const firstMade = options.create ? mkdirSync(folder, { recursive: true }) : undefined;
    if (!options.create && isNew) throw new Error(`there is no store in ${folder}: it has no ${STORE_FILE}`);
    assertWritable(folder, isNew);
    assertStoreFile(file);
    const guardFile = join(folder, GUARD_FILE);
    removeUnwritten(guardFile);
    assertStoreFile(guardFile);
    makeLockFile(guardFile, 1);
    const guard = openEnvironment(guardFile, { mapSize: 2 ** 20, maxReaders: 1 });
    // Nothing is ever committed in it, so LMDB never syncs it.
    syncPath(guardFile);
    let opened: WritableStore | undefined;
    holding(guard, () => {
      opened = new WritableStore(...openAlone(file, options), guard);
    });
    if (opened === undefined) throw new Error(`the store in ${folder} did not open`);
    // LMDB syncs what is in its files, and not that they are there. Whoever made them may have died before this, so everybody does it.
    syncFolders(folder, firstMade);
    return opened;
  }

  /**
   * Runs `body` in the only write transaction of all processes. When this returns, what it wrote is on the disk and visible; when it throws, nothing is
   * written.
   */
  write(body: () => void): void {
    holding(this.#guard, () => {
      writing(this.#environment, body);
    });
  }

  async close(): Promise<void> {
    const closing: Promise<void>[] = [];
    holding(this.#guard, () => {
      closing.push(this.#environment.close());
    });
    await Promise.all(closing);
    await this.#guard.close();
  }
}

/** From `folder` up to what holds `firstMade`, the highest folder that this process made, or `folder` itself. */
function syncFolders(folder: string, firstMade: string | undefined): void {
  const last = dirname(resolve(firstMade ?? folder));
  for (let level = resolve(folder); ; level = dirname(level)) {
    try {
      syncPath(level);
    } catch (error) {
      // What this process made it may read; what holds a folder of others perhaps not.
      if (level !== last || !isErrno(error, 'EACCES')) throw error;
    }
    if (level === last) return;
  }
}

function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function holding(guard: LmdbEnvironment, body: () => void): void {
  guard.transactionSync(() => {
    assertBegun(guard);
    body();
    return abort;
  });
}

function writing(environment: LmdbEnvironment, body: () => void): void {
  environment.transactionSync(() => {
    assertBegun(environment);
    body();
  });
}

function assertBegun(environment: LmdbEnvironment): void {
  if (environment.getWriteTxnId() === 0)
    throw new Error(
      'LMDB refuses to begin a write: the disk failed while it wrote a page of its header, and this process must be restarted',
    );
}

function openAlone(file: string, options: StoreOptions): [LmdbEnvironment, Tables] {
  makeLockFile(file, MAX_READERS);
  const environment = openEnvironment(file, { mapSize: options.mapSize, maxReaders: MAX_READERS });
  try {
    makeWhole(file, environment);
    return [environment, tablesWithFormat(file, environment, options.create)];
  } catch (error) {
    void environment.close();
    throw error;
  }
}

// lmdb-js 3.5 does not throw when LMDB refuses to open a file, but uses memory that it has freed. So what can be wrong is looked at first.
function assertWritable(folder: string, isNew: boolean): void {
  accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  for (const name of [STORE_FILE, GUARD_FILE]) {
    for (const file of [join(folder, name), join(folder, `${name}-lock`)]) {
      if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
    }
  }
  const { bavail, bsize } = statfsSync(folder);
  if (isNew && bavail * bsize < ROOM_TO_BEGIN) throw new Error(`the disk of ${folder} is full: no store can be made there`);
}

const ROOM_TO_BEGIN = 4 * 1024 * 1024;

// mdb.c: MDB_page is 24 bytes long in front of MDB_meta, which begins with its magic number and its version, and has the page size 24 bytes behind.
const META_OFFSET = 24;
const META_MAGIC = 0xbeefc0de;
const META_VERSION = 2;

/**
 * Removes a guard of which a power cut has left the length and no bytes. Who has it open all the same keeps it: what processes share is its lock file.
 */
function removeUnwritten(guardFile: string): void {
  if (!existsSync(guardFile)) return;
  const bytes = readFileSync(guardFile);
  if (bytes.length > 0 && bytes.every((byte) => byte === 0)) rmSync(guardFile, { force: true });
}

/** LMDB's format, version 2, or nothing yet. */
function assertStoreFile(file: string): void {
  if (!existsSync(file)) return;
  const { size } = statSync(file);
  if (size === 0) return;
  const header = Buffer.alloc(META_OFFSET + 28);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, header, 0, header.length, 0);
  } finally {
    // Of the data, which LMDB does not lock: closing a descriptor of the lock file would end the locks of this process.
    closeSync(descriptor);
  }
  const isLmdb = header.readUInt32LE(META_OFFSET) === META_MAGIC && header.readUInt16LE(META_OFFSET + 4) === META_VERSION;
  if (!isLmdb || size < 2 * header.readUInt32LE(META_OFFSET + 24))
    throw new Error(`${file} is not a store of this program, or damaged: it does not begin as LMDB's files do`);
}

/** A lock file of its full length, where there is none: LMDB's own has holes, and a hole that is touched when the disk is full is a SIGBUS. */
function makeLockFile(file: string, readers: number): void {
  const lockFile = `${file}-lock`;
  if (existsSync(lockFile)) return;
  // Whoever opens it meanwhile must not find half of it: LMDB would begin to use what is then overwritten.
  const draft = `${lockFile}-${process.pid}-${threadId}`;
  try {
    writeFileSync(draft, Buffer.alloc(272 + (readers - 1) * 64), { mode: 0o664 });
    linkSync(draft, lockFile);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

// LMDB maps the file: a page behind its end is not an error but a SIGBUS. Pages that were freed before they were written may lie there, never many.
function makeWhole(file: string, environment: LmdbEnvironment): void {
  const stats = environment.getStats();
  const needed = (stats.lastPageNumber + 1) * stats.root.pageSize;
  const { size } = statSync(file);
  if (size >= needed) return;
  if (size < needed / 2) throw new Error(`${file} is damaged: it has ${size} bytes where its header speaks of ${needed}`);
  truncateSync(file, needed);
}

function tablesWithFormat(file: string, environment: LmdbEnvironment, create: boolean): Tables {
  if (environment.getKeysCount() === 0) {
    // Also what a process leaves that died between making the file and its tables.
    if (!create) throw new Error(`${file} is empty: no store was made in it`);
    writing(environment, () => {
      tablesOf(environment, true).meta.put(FORMAT_KEY, FORMAT);
    });
  }
  let tables: Tables;
  try {
    tables = tablesOf(environment, false);
  } catch (error) {
    throw new Error(`${file} is not a store of this program: ${messageOf(error)}`, { cause: error });
  }
  const format = tables.meta.get(FORMAT_KEY);
  if (format === undefined || !format.equals(FORMAT))
    throw new Error(`${file} has the format '${format?.toString() ?? 'none'}', and this program knows '${FORMAT.toString()}'`);
  return tables;
}

function tablesOf(environment: LmdbEnvironment, create: boolean): Tables {
  const table = (name: string): LmdbTable => {
    const opened = environment.openDB(name, { ...tableOptions, create });
    if (opened === undefined) throw new Error(`it has no table '${name}'`);
    return opened;
  };
  return { data: table('data'), conflicts: table('conflicts'), meta: table('meta') };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
