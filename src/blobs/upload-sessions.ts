import type { Digest, DigestAlgorithm } from '../digest.js';
import type { Uid } from '../identifiers.js';
import { parseUid, uidFromBytes } from '../identifiers.js';
import type { ReadTransaction, Transaction } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';
import { stagedName } from './staged-name.js';

/** The server that takes an upload's bytes in, in a staged file that no other server writes to. */
export interface UploadWriter {
  /** One life of a server's process. */
  readonly server: Uid;
  /** The own id of its file, made for this upload and this writer: never used again. */
  readonly file: Uid;
  /** The name of the staged file that it is copying to its own, which counts only once this is gone. */
  readonly copying?: string | undefined;
}

/**
 * An upload under way, or one that ended less than an hour ago (so that a last PUT whose answer was lost is answered again). Not events: they are not
 * history. The bytes received are the staged upload's; only their existence is decided here. Times are database time, microseconds since 1970.
 */
export interface UploadSession {
  readonly repository: Uid;
  /** The whole name it was begun under; another name can't go on with it. */
  readonly name: string;
  /** What the running digest is computed with. */
  readonly algorithm: DigestAlgorithm;
  readonly startedAt: number;
  /** Undefined in a session that release 0.2.0 or an older one began: its staged file has the upload's id alone for a name. */
  readonly writer?: UploadWriter | undefined;
  /** When a byte was last known to arrive. */
  readonly activeAt: number;
  /** Set when the upload ended. */
  readonly finished?: Digest | undefined;
}

/**
 * As it lies in the store. Release 0.2.0, which may run beside this one, knows no writers: a PUT that it is at the end of would make bytes live that a server has
 * copied and dropped since. It takes a session without a `name` for nobody's; a finished one's it may answer.
 */
type StoredSession = UploadSession | (Omit<UploadSession, 'name'> & { readonly name?: undefined; readonly underWay: string });

function encodeSession(session: UploadSession): Buffer {
  const isHidden = session.writer !== undefined && session.finished === undefined;
  const stored: StoredSession = isHidden ? { ...session, name: undefined, underWay: session.name } : session;
  return Buffer.from(JSON.stringify(stored));
}

function decodeSession(value: Buffer): UploadSession {
  const stored = JSON.parse(value.toString()) as StoredSession;
  if (stored.name !== undefined) return stored;
  const { underWay, ...session } = stored;
  return { ...session, name: underWay };
}

export async function readSession(tx: ReadTransaction, keyspace: Keyspace, id: Uid): Promise<UploadSession | undefined> {
  const bytes = await tx.get(keyspace.upload(id));
  return bytes && decodeSession(bytes);
}

export function writeSession(tx: Transaction, keyspace: Keyspace, id: Uid, session: UploadSession): void {
  tx.set(keyspace.upload(id), encodeSession(session));
}

export function clearSession(tx: Transaction, keyspace: Keyspace, id: Uid): void {
  tx.clear(keyspace.upload(id));
}

export interface ListedSession {
  readonly id: Uid;
  readonly session: UploadSession;
}

/** At most `limit` sessions after `after`, in order of their ids. */
export async function listSessions(
  tx: ReadTransaction,
  keyspace: Keyspace,
  after: Uid | undefined,
  limit: number,
): Promise<readonly ListedSession[]> {
  const { begin, end } = keyspace.uploads;
  const from = after === undefined ? begin : Buffer.concat([keyspace.upload(after), Buffer.from([0x00])]);
  const pairs = await tx.getRange(from, end, { limit });
  // The id is the key's last 16 bytes: the tuple layer packs a UUID as it is.
  return pairs.map(({ key, value }) => ({
    id: uidFromBytes(key.subarray(key.length - 16)),
    session: decodeSession(value),
  }));
}

/** An upload's id in a URL. */
export const parseUploadId = parseUid;

/** The name of the staged file that has an upload's bytes. */
export function bytesOf(id: Uid, { writer }: UploadSession): string {
  return writer === undefined ? id : (writer.copying ?? stagedName(id, writer.file));
}

/** The names of all staged files that an upload still needs. */
export function filesOf(id: Uid, session: UploadSession): readonly string[] {
  const bytes = bytesOf(id, session);
  return session.writer?.copying === undefined ? [bytes] : [bytes, stagedName(id, session.writer.file)];
}
