import { ABORT, open } from 'lmdb';

/** The part of lmdb-js that the engine uses, typed as it behaves: its own declarations miss `transaction`, `getWriteTxnId` and the range flags. */

/** A read transaction; whoever holds it sees one version. */
export interface LmdbRead {
  done(): void;
}

export interface LmdbReadOptions {
  readonly transaction?: LmdbRead;
}

export interface LmdbRangeOptions extends LmdbReadOptions {
  readonly start: Buffer;
  readonly end: Buffer;
  readonly reverse?: boolean;
  /** For reverse ranges, whose natural bounds are the wrong way round: `(end, begin]`. */
  readonly exclusiveStart?: boolean;
  readonly inclusiveEnd?: boolean;
  readonly limit?: number;
}

export interface LmdbTable {
  get(key: Buffer, options?: LmdbReadOptions): Buffer | undefined;
  getRange(options: LmdbRangeOptions): Iterable<{ readonly key: Buffer; readonly value: Buffer }>;
  getKeys(options: LmdbRangeOptions): Iterable<Buffer>;
  getKeysCount(options?: object): number;
  put(key: Buffer, value: Buffer): unknown;
  remove(key: Buffer): unknown;
  close(): Promise<void>;
}

export interface LmdbEnvironment extends LmdbTable {
  openDB(name: string, options: object): LmdbTable | undefined;
  transactionSync(body: () => unknown): unknown;
  /** 0 in a write transaction that LMDB refused to begin: lmdb-js does not look at that result, and a write into such a transaction kills the process. */
  getWriteTxnId(): number;
  resetReadTxn(): void;
  useReadTransaction(): LmdbRead;
  /** Frees the slots of dead processes; their number. */
  readerCheck(): number;
  getStats(): { readonly lastPageNumber: number; readonly root: { readonly pageSize: number } };
}

/** What a body of `transactionSync` returns to leave no trace. */
export const abort: unknown = ABORT;

// Copies out of lmdb-js's reused buffer; half the time of its own `encoding: 'binary'`, which goes through a Buffer's species.
const bytesCodec = {
  encode: (value: Buffer): Buffer => value,
  decode: (reused: Buffer): Buffer => {
    const length = reused.length;
    const bytes = Buffer.allocUnsafe(length);
    // `length` is an own property that lmdb-js sets; the array below it is longer.
    bytes.set(new Uint8Array(reused.buffer, reused.byteOffset, length));
    return bytes;
  },
};

export const tableOptions = { keyEncoding: 'binary', encoding: 'binary', encoder: bytesCodec, cache: false } as const;

export interface EnvironmentOptions {
  readonly mapSize: number;
  readonly maxReaders: number;
  readonly readOnly?: boolean;
}

/**
 * Opens an environment whose commits are on the disk before anybody sees them. lmdb-js's own default on Linux and macOS is `overlappingSync`, which shows
 * commits to other processes first. A fixed `mapSize` is address space alone; it keeps the map from moving under readers.
 */
export function openEnvironment(file: string, options: EnvironmentOptions): LmdbEnvironment {
  const environment: unknown = open({
    ...tableOptions,
    ...options,
    path: file,
    noSubdir: true,
    maxDbs: 4,
    overlappingSync: false,
    remapChunks: false,
  } as never);
  return environment as LmdbEnvironment;
}

/** The number in an error of LMDB: negative for its own, otherwise an errno. */
export function lmdbErrorCode(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}
