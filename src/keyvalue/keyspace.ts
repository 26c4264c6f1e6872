import { digestFromBytes, digestToBytes, parseDigest, type Digest } from '../digest.js';
import { parseUid, uidFromBytes, uidToBytes, type ImagePath, type Uid } from '../identifiers.js';
import { pack, unpack, type KeyItem, type Uuid } from './tuple.js';

/**
 * Every key of the store is built here, with FoundationDB's tuple encoding under a directory's prefix. What stands here is stored for ever;
 * test/golden/ keeps the bytes. ARCHITECTURE.md, "Keyspace", says what each key is for.
 */

/** Log partitions of a directory: fixed at the store's birth, since a stream's partition is its hash modulo this. */
export const LOG_PARTITIONS = 8;

/** A key or value with room for the commit's 10-byte versionstamp at `offset`. */
export interface Stamped {
  readonly template: Buffer;
  readonly offset: number;
}

export interface KeyBounds {
  readonly begin: Buffer;
  readonly end: Buffer;
}

/** `last`: when, in microseconds of database time. */
export type CounterName = 'pulls' | 'last';

/** The 10-byte versionstamp and the event's 2-byte number inside its transaction. */
export const STAMP_BYTES = 12;

// Tuple layer specification: 0x33 is the type code of an 80-bit versionstamp with 16 bits of the user's.
const VERSIONSTAMP_CODE = 0x33;

const empty = Buffer.alloc(0);

/** The prefix of a directory on the engines that have no directory layer. */
export function directoryPrefix(name: string): Buffer {
  return pack(empty, [name]);
}

/** A tuple that ends in the versionstamp of the coming commit and `index`, the event's number in it. */
export function stampedTemplate(prefix: Buffer, index: number): Stamped {
  const template = Buffer.alloc(prefix.length + 1 + STAMP_BYTES);
  prefix.copy(template);
  template[prefix.length] = VERSIONSTAMP_CODE;
  template.writeUInt16BE(index, prefix.length + 11);
  return { template, offset: prefix.length + 1 };
}

/** The same tuple once the stamp is known. */
export function stampedKey(prefix: Buffer, stamp: Buffer): Buffer {
  return Buffer.concat([prefix, Buffer.from([VERSIONSTAMP_CODE]), stamp]);
}

/** All keys that have `prefix` as their tuple's beginning. */
export function boundsOf(prefix: Buffer): KeyBounds {
  return { begin: Buffer.concat([prefix, Buffer.from([0x00])]), end: Buffer.concat([prefix, Buffer.from([0xff])]) };
}

export function uuidItem(uid: Uid): Uuid {
  return { uuid: uidToBytes(uid) };
}

// RFC 9562, UUIDv7: the first 48 bits are the time.
function firstUuidOf(time: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(Math.max(time, 0), 0, 6);
  return bytes;
}

/** The first stamp that a commit of this version can have. */
function firstStampOf(version: bigint): Buffer {
  const stamp = Buffer.alloc(STAMP_BYTES);
  stamp.writeBigUInt64BE(version);
  return stamp;
}

/** What a stream, `<aggregate>/<uid or digest>`, is in a key: its subject in its binary form. */
function streamItems(stream: string): readonly [string, KeyItem] {
  const slash = stream.indexOf('/');
  const subject = stream.slice(slash + 1);
  const uid = parseUid(subject);
  const item = uid === undefined ? digestItem(subject) : uuidItem(uid);
  if (slash <= 0 || item === undefined) throw new RangeError(`no stream's name: ${stream}`);
  return [stream.slice(0, slash), item];
}

function digestItem(text: string): Buffer | undefined {
  const digest = parseDigest(text);
  return digest && digestToBytes(digest);
}

export type Keyspace = ReturnType<typeof createKeyspace>;

export function createKeyspace(directory: Buffer) {
  const under = (...items: KeyItem[]): Buffer => pack(directory, items);
  const cache = new Map<string, Buffer>();
  const cached = (...items: (string | number)[]): Buffer => {
    const name = items.join('\u0000');
    let key = cache.get(name);
    if (key === undefined) cache.set(name, (key = under(...items)));
    return key;
  };
  const logPrefix = (incarnation: number, partition: number): Buffer => cached('log', incarnation, partition);
  const streamPrefix = (stream: string, ...behind: number[]): Buffer => under('stream', ...streamItems(stream), ...behind);
  const timePrefix = (incarnation: number): Buffer => cached('time', incarnation);

  return {
    directory,
    metaStore: under('meta', 'store'),
    metaLive: under('meta', 'live'),
    /** Salts the hashes that stand for names in events. */
    metaSalt: under('meta', 'salt'),
    /** In a directory that a migration fills: projections/migration.ts. */
    metaMigration: under('meta', 'migration'),
    /** Of the cluster that the incarnation's positions are of. */
    metaCluster: under('meta', 'cluster'),
    /** Private keys that sign tokens; not events, since they must be gone when they are gone. */
    signingKeys: boundsOf(under('signing-key')),
    signingKey: (kid: string): Buffer => under('signing-key', kid),

    logBounds: (incarnation: number, partition: number): KeyBounds => boundsOf(logPrefix(incarnation, partition)),
    logAppend: (incarnation: number, partition: number, index: number): Stamped =>
      stampedTemplate(logPrefix(incarnation, partition), index),
    logKey: (incarnation: number, partition: number, stamp: Buffer): Buffer =>
      stampedKey(logPrefix(incarnation, partition), stamp),

    streamBounds: (stream: string): KeyBounds => boundsOf(streamPrefix(stream)),
    streamAppend: (stream: string, incarnation: number, index: number): Stamped =>
      stampedTemplate(streamPrefix(stream, incarnation), index),
    streamKey: (stream: string, incarnation: number, stamp: Buffer): Buffer =>
      stampedKey(streamPrefix(stream, incarnation), stamp),

    streams: boundsOf(under('stream')),

    wake: (partition: number): Buffer => cached('wake', partition),
    wakes: boundsOf(under('wake')),

    /** Samples of database time, of all incarnations: keyvalue/time-samples.ts. */
    times: boundsOf(under('time')),
    timeSamples: (incarnation: number): KeyBounds => boundsOf(timePrefix(incarnation)),
    timeSampleAppend: (incarnation: number): Stamped => stampedTemplate(timePrefix(incarnation), 0),
    /** Of the sample that the commit of this version wrote; also the end of those before it. */
    timeSample: (incarnation: number, version: bigint): Buffer => stampedKey(timePrefix(incarnation), firstStampOf(version)),

    content: (digest: Digest, chunk: number): Buffer => under('content', digestToBytes(digest), chunk),
    contentBounds: (digest: Digest): KeyBounds => boundsOf(under('content', digestToBytes(digest))),

    contents: boundsOf(under('content')),
    /** What stands for content that was erased. */
    erased: (digest: Digest, chunk: number): Buffer => under('erased', digestToBytes(digest), chunk),
    erasedBounds: (digest: Digest): KeyBounds => boundsOf(under('erased', digestToBytes(digest))),

    /** What an erasure has still to clear. */
    erasure: (id: Uid): Buffer => under('erasure', uuidItem(id)),
    erasures: boundsOf(under('erasure')),

    personal: (uid: Uid, field: string): Buffer => under('personal', uuidItem(uid), field),
    request: (id: Uid): Buffer => under('request', uuidItem(id)),
    /** Of requests whose UUIDv7 was made before this time, in milliseconds since 1970. */
    requestsBefore: (time: number): KeyBounds => ({
      begin: boundsOf(under('request')).begin,
      end: under('request', { uuid: firstUuidOf(time) }),
    }),

    command: (id: Uid): Buffer => under('command', uuidItem(id)),
    commands: boundsOf(under('command')),
    /** As `command`, of ids that follow from a client's key and so are in no order of time. */
    idempotent: (id: Uid): Buffer => under('idempotent', uuidItem(id)),
    idempotents: boundsOf(under('idempotent')),

    build: (build: string): Buffer => under('build', build),
    builds: boundsOf(under('build')),
    projection: (name: string, build: string): Buffer => under('projection', name, build),

    /** Heartbeats of the processes that serve. */
    server: (id: Uid): Buffer => under('server', uuidItem(id)),
    servers: boundsOf(under('server')),

    /** Of a manifest: 64-bit little-endian integers, by their names. keyvalue/pull-counters.ts. */
    counter: (repository: Uid, image: ImagePath, digest: Digest, name: CounterName): Buffer =>
      under('counter', uuidItem(repository), image, digestToBytes(digest), name),
    counters: (repository: Uid, image: ImagePath, digest: Digest): KeyBounds =>
      boundsOf(under('counter', uuidItem(repository), image, digestToBytes(digest))),

    upload: (id: Uid): Buffer => under('upload', uuidItem(id)),
    uploads: boundsOf(under('upload')),
  };
}

/** All keys of a directory whose first item is this one. */
export function kindBounds({ directory }: Keyspace, kind: string): KeyBounds {
  return boundsOf(pack(directory, [kind]));
}

/** The first item of a key of this directory. Undefined for bytes that are no such key. */
export function kindOf({ directory }: Keyspace, key: Buffer): string | undefined {
  try {
    const [kind] = itemsBehind(directory, key);
    return typeof kind === 'string' ? kind : undefined;
  } catch {
    return undefined;
  }
}

export interface StreamEntry {
  readonly stream: string;
  readonly incarnation: number;
  readonly stamp: Buffer;
}

/** What a key within `Keyspace.streams` says; undefined for bytes that are no such key. */
export function readStreamKey({ streams }: Keyspace, key: Buffer): StreamEntry | undefined {
  try {
    const prefix = streams.begin.subarray(0, streams.begin.length - 1);
    const [aggregate, subject, incarnation] = itemsBehind(prefix, key.subarray(0, key.length - STAMP_BYTES - 1));
    const text = subjectText(subject);
    if (typeof aggregate !== 'string' || text === undefined || typeof incarnation !== 'number') return undefined;
    return { stream: `${aggregate}/${text}`, incarnation, stamp: stampOfKey(key) };
  } catch {
    return undefined;
  }
}

/** The inverse of what `streamItems` does with a stream's subject. */
function subjectText(item: unknown): string | undefined {
  if (Buffer.isBuffer(item)) return digestFromBytes(item);
  const value = typeof item === 'object' && item !== null && 'value' in item ? item.value : undefined;
  return Buffer.isBuffer(value) ? uidFromBytes(value) : undefined;
}

/** The stamp at the end of a log's or stream's key. */
export function stampOfKey(key: Buffer): Buffer {
  return key.subarray(key.length - STAMP_BYTES);
}

/** The tuple behind `prefix` in `key`. */
export function itemsBehind(prefix: Buffer, key: Buffer): ReturnType<typeof unpack> {
  return unpack(key.subarray(prefix.length));
}
