import { createRequire } from 'node:module';
import { dirname } from 'node:path';

import { DatabaseUnusableError } from './database.js';

/** The part of npm's `foundationdb` 2.0.1 that the engine uses, typed as it behaves. All of it belongs to the main thread. */

export interface NativeRange {
  readonly results: readonly (readonly [Buffer, Buffer])[];
  readonly more: boolean;
}

export interface NativeWatch {
  /** True when it fired, false when it was cancelled. */
  readonly promise: Promise<boolean>;
  cancel(): void;
}

/** What reads and commits reject with is an FdbError. Keys and values are copied in the call. */
export interface NativeTransaction {
  setOption(code: number, value: number | Buffer | null): void;
  cancel(): void;
  commit(): Promise<void>;
  getApproximateSize(): Promise<number>;
  get(key: Buffer, isSnapshot: boolean): Promise<Buffer | undefined>;
  /** Both ends are key selectors; `limit` and `targetBytes` of 0 are none. */
  getRange(
    begin: Buffer,
    beginOrEqual: boolean,
    beginOffset: number,
    end: Buffer,
    endOrEqual: boolean,
    endOffset: number,
    limit: number,
    targetBytes: number,
    streamingMode: number,
    iteration: number,
    isSnapshot: boolean,
    reverse: boolean,
  ): Promise<NativeRange>;
  set(key: Buffer, value: Buffer): void;
  clear(key: Buffer): void;
  clearRange(begin: Buffer, end: Buffer): void;
  atomicOp(type: number, key: Buffer, operand: Buffer): void;
  addReadConflictRange(begin: Buffer, end: Buffer): void;
  addWriteConflictRange(begin: Buffer, end: Buffer): void;
  watch(key: Buffer, ignoreStandardErrors: boolean): NativeWatch;
  /** 8 bytes, big-endian. */
  getReadVersion(): Promise<Buffer>;
  /** Called before the commit, resolves after it. */
  getVersionstamp(): Promise<Buffer>;
}

export interface NativeDatabase {
  createTransaction(): NativeTransaction;
  setOption(code: number, value: number | Buffer | null): void;
  close(): void;
}

interface NativeModule {
  /** Does nothing from the second time on. A network that cannot be set up shows at `createDatabase`. */
  startNetwork(): void;
  stopNetwork(): void;
  createDatabase(clusterFile: string): NativeDatabase;
}

/** The package's own transaction, which its directory layer takes. */
export type LayerTransaction = object;

interface LayerDatabase {
  doTn<T>(body: (tx: LayerTransaction) => Promise<T>): Promise<T>;
}

interface LayerDirectory {
  /** Throws for a partition. */
  getSubspace(): { readonly prefix: Buffer };
}

interface DirectoryLayer {
  exists(tx: LayerTransaction, path: readonly string[]): Promise<boolean>;
  open(tx: LayerTransaction, path: readonly string[]): Promise<LayerDirectory>;
  createOrOpen(tx: LayerTransaction, path: readonly string[]): Promise<LayerDirectory>;
  removeIfExists(tx: LayerTransaction, path: readonly string[]): Promise<boolean>;
}

/** Selects an API version; with the second argument, of headers other than those that the package was built with. */
export type SelectApiVersion = (version: number, headerVersion?: number) => void;

interface ClientPackage {
  readonly setAPIVersion: SelectApiVersion;
  readonly FDBError: new (description: string, code: number) => FdbError;
  readonly Database: new (native: NativeDatabase, root: unknown) => LayerDatabase;
  readonly root: unknown;
  readonly directory: DirectoryLayer;
  readonly DirectoryError: new (description: string) => Error;
}

/** An error of the C library, by its number. */
export interface FdbError extends Error {
  readonly code: number;
}

/** The client, loaded and its network running. */
export interface FdbClient {
  readonly apiVersion: number;
  createDatabase(clusterFile: string): NativeDatabase;
  closeDatabase(database: NativeDatabase): void;
  readonly layers: Pick<ClientPackage, 'Database' | 'root' | 'directory' | 'DirectoryError'>;
  isFdbError(error: unknown): error is FdbError;
}

const WANTED =
  "it comes with FoundationDB's client package, foundationdb-clients 7.3 (github.com/apple/foundationdb/releases); where it is elsewhere than in the system's folders, LD_LIBRARY_PATH names its folder";

let loaded: FdbClient | undefined;

/** Loads package, binary and client library, once per process; starts the network's thread. Throws DatabaseUnusableError. */
export function loadFdbClient(): FdbClient {
  loaded ??= load();
  return loaded;
}

function load(): FdbClient {
  const require = createRequire(import.meta.url);
  loadBinary(require);
  const fdb = require('foundationdb') as ClientPackage;
  const { default: native } = require('foundationdb/dist/lib/native.js') as { readonly default: NativeModule };
  const isFdbError = (error: unknown): error is FdbError => error instanceof fdb.FDBError;
  const apiVersion = selectApiVersion(fdb.setAPIVersion, isFdbError);
  native.startNetwork();
  let open = 0;
  process.once('exit', () => {
    // The C library wants its thread to have ended before the process does. But the package hands over answers by a queue of 16, and nobody takes them
    // any more: with calls under way the thread would wait for room, and we for the thread, for ever.
    if (open === 0) native.stopNetwork();
  });
  return {
    apiVersion,
    layers: fdb,
    isFdbError,
    createDatabase(clusterFile) {
      const database = native.createDatabase(clusterFile);
      open += 1;
      return database;
    },
    closeDatabase(database) {
      database.close();
      open -= 1;
    },
  };
}

/** The package prints lines of its own when its binary cannot be loaded: it is tried before, as the package does it, and is loaded from then on. */
function loadBinary(require: NodeJS.Require): void {
  let packageFile: string;
  try {
    packageFile = require.resolve('foundationdb/package.json');
  } catch {
    throw new DatabaseUnusableError(
      'the npm package foundationdb is not installed; `npm ci` in the folder of artifact-store installs it',
    );
  }
  try {
    const build = createRequire(packageFile)('node-gyp-build') as (folder: string) => unknown;
    build(dirname(packageFile));
  } catch (error) {
    throw new DatabaseUnusableError(whyNoBinary(error instanceof Error ? error.message : String(error)), { cause: error });
  }
}

/** One line of what the dynamic linker or node-gyp-build said. */
export function whyNoBinary(message: string): string {
  const [firstLine = ''] = message.split('\n');
  if (/libfdb_c\.\w+.*(cannot open shared object|no such file)|Library not loaded.*libfdb_c/i.test(firstLine)) {
    return `the client library libfdb_c.so is not found; ${WANTED}`;
  }
  if (/undefined symbol: fdb_/.test(firstLine))
    return `the client library libfdb_c.so is older than FoundationDB 7.1 (${firstLine}); ${WANTED}`;
  if (firstLine.includes('No native build was found')) {
    return `the npm package foundationdb has no binary for ${process.platform}-${process.arch}; it has one for linux-x64, darwin-x64 and darwin-arm64, and elsewhere \`npm rebuild foundationdb --ignore-scripts=false\` builds it with FoundationDB's headers and a C++ compiler`;
  }
  return `the client library of FoundationDB can't be loaded: ${firstLine}; ${WANTED}`;
}

const API_VERSION_NOT_SUPPORTED = 2203;

/** 7.3 and 7.2 know API version 720. 7.1 ends at 710, and takes it only with 710 as the version of the headers. */
export function selectApiVersion(select: SelectApiVersion, isFdbError: (error: unknown) => error is FdbError): number {
  try {
    select(720);
    return 720;
  } catch (error) {
    if (!isFdbError(error) || error.code !== API_VERSION_NOT_SUPPORTED) throw notSelected(error);
  }
  try {
    select(710, 710);
    return 710;
  } catch (error) {
    throw isFdbError(error) && error.code === API_VERSION_NOT_SUPPORTED
      ? new DatabaseUnusableError(`the client library libfdb_c.so is older than FoundationDB 7.1; ${WANTED}`, { cause: error })
      : notSelected(error);
  }
}

function notSelected(error: unknown): DatabaseUnusableError {
  const why = error instanceof Error ? error.message : String(error);
  return new DatabaseUnusableError(`FoundationDB's client library does not take an API version: ${why}`, { cause: error });
}
