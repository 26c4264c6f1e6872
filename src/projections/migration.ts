import { formatTime } from '../events/database-time.js';
import { parseUid, type Uid } from '../identifiers.js';
import type { ReadTransaction, Transaction } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';
import { decodeJson, encodeJson, type DirectoryName } from './projection.js';

/**
 * What a migration from one database to another leaves in the two: in the source a mark in place of `meta/live`, which no release takes for a live directory, so
 * that nobody reads or writes there; in the target a record, for which no server starts there. processes/migrate.ts makes them and takes them away.
 */

/** As an operator names it in the settings. */
export interface Place {
  readonly database: string;
  readonly directories: Readonly<Record<DirectoryName, string>>;
}

/** For people: what to start the server with. */
export function settingsOf({ database, directories }: Place): string {
  return `ARTS_DATABASE=${database} ARTIFACT_STORE_DIRECTORY=${directories.registry} ARTS_METADATA_DIRECTORY=${directories.platform}`;
}

/** For people: the command's flags that name where to. */
export function flagsTo({ database, directories }: Place): string {
  return `--to ${database} --to-directory ${directories.registry} --to-metadata-directory ${directories.platform}`;
}

// ---- The mark in the source, one for each of its directories.

export interface MigrationMark {
  /** `moved` is for ever: the target may have been written to. */
  readonly state: 'moving' | 'moved';
  readonly migration: Uid;
  readonly to: Place;
  /** Microseconds of the source's time: when it got into this state. */
  readonly at: number;
  /** The bytes of `meta/live` that it stands in place of. */
  readonly live: Buffer;
}

/** No release has it as a format of `meta/live`. */
const MARK_FORMAT = 'migration';

type StoredMark = Omit<MigrationMark, 'live'> & { readonly format: typeof MARK_FORMAT; readonly live: string };

export function writeMark(tx: Transaction, keyspace: Keyspace, { live, ...mark }: MigrationMark): void {
  tx.set(keyspace.metaLive, encodeJson({ format: MARK_FORMAT, ...mark, live: live.toString('hex') } satisfies StoredMark));
  // Whoever keeps what was read of `meta/live` has to read it again.
  tx.touchMetadata();
}

/** Puts back what stood there before. */
export function clearMark(tx: Transaction, keyspace: Keyspace, { live }: MigrationMark): void {
  tx.set(keyspace.metaLive, live);
  tx.touchMetadata();
}

/** Of the bytes of `meta/live`; undefined when it is not marked. */
export function parseMark(bytes: Buffer): MigrationMark | undefined {
  const value: unknown = JSON.parse(bytes.toString());
  if (!isMark(value)) return undefined;
  const { state, migration, to, at, live } = value;
  return { state, migration, to, at, live: Buffer.from(live, 'hex') };
}

function isMark(value: unknown): value is StoredMark {
  return typeof value === 'object' && value !== null && 'format' in value && value.format === MARK_FORMAT;
}

/** Of what `meta/live` says, parsed: the line for whoever wants to serve from there. Undefined when it is not marked. */
export function describeMark(value: unknown): string | undefined {
  if (!isMark(value)) return undefined;
  const { state, to, at } = value;
  return state === 'moved'
    ? `this store was moved to ${to.database} at ${formatTime(at)}; start with ${settingsOf(to)}`
    : `this store is being moved to ${to.database} since ${formatTime(at)}; "artifact-store migrate ${flagsTo(to)}" goes on with it, "artifact-store migrate --abandon" gives it up`;
}

// ---- The record in the target, under `meta/migration` of each directory that is filled.

export interface MigrationRecord {
  readonly migration: Uid;
  readonly from: Place;
  readonly to: Place;
  /** The store's. */
  readonly identity: Uid;
  /** `abandoned`: what was copied is being cleared. */
  readonly state: 'copying' | 'abandoned';
  /** The process's own name for itself: whoever claimed it last goes on with it, the others stop. */
  readonly owner: string;
  /** Those that are filled: a platform that another registry brought here before is joined as it is. */
  readonly directories: readonly DirectoryName[];
  /** Where copying goes on; the keys before this one, in the order of the copy, are in the target. */
  readonly checkpoint: CopyCheckpoint | 'copied' | undefined;
  readonly pairs: number;
  readonly bytes: number;
}

export interface CopyCheckpoint {
  readonly directory: DirectoryName;
  /** The first item of the keys under way. */
  readonly kind: string;
  /** The next key, less the directory's prefix, in hex digits; empty: from the beginning of its kind. */
  readonly from: string;
  /** How many pairs of this kind were copied. */
  readonly done: number;
}

const RECORD_FORMAT = 1;

export function encodeRecord(record: MigrationRecord): Buffer {
  return encodeJson({ format: RECORD_FORMAT, ...record });
}

export async function readRecord(tx: ReadTransaction, keyspace: Keyspace): Promise<MigrationRecord | undefined> {
  const bytes = await tx.get(keyspace.metaMigration);
  if (bytes === undefined) return undefined;
  const { format, ...record } = decodeJson<MigrationRecord & { readonly format: number }>(bytes);
  if (format !== RECORD_FORMAT) {
    throw new Error(`the record of a migration has format ${format}, this release knows format ${RECORD_FORMAT}`);
  }
  return record;
}

/** For whoever wants to serve from a database that a migration fills. */
export function describeRecord({ from, to, state }: MigrationRecord): string {
  const doing = state === 'copying' ? 'is being filled' : 'was filled and is being cleared';
  return `${to.database} ${doing} from ${from.database} by a migration that has not ended; start with ${settingsOf(from)} and "artifact-store migrate ${flagsTo(to)}" to end it, or with --abandon to give it up`;
}

/**
 * What `meta/store` of the target says until the migration is at its end: it is nobody's identity, so that a release that knows no records does not start there
 * either.
 */
export function unfinishedIdentity(migration: Uid): Buffer {
  return Buffer.from(`migration ${migration}`);
}

/** `meta/store`'s text, if it is a store's identity. */
export function identityOf(text: Buffer | undefined): Uid | undefined {
  return text === undefined ? undefined : parseUid(text.toString());
}
