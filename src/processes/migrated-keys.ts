import { keyAfter } from '../keyvalue/apply-operations.js';
import type { Database, ReadTransaction } from '../keyvalue/database.js';
import { boundsOf, kindBounds, kindOf, type Keyspace } from '../keyvalue/keyspace.js';

/**
 * What a migration does with the keys of a directory, by their first item, in the order of the keys. What is copied is copied as it is: none of it depends on
 * the database that it lies in, since positions keep their incarnation.
 */
export const keyKinds = {
  /** Of indexes that are made anew. */
  build: 'made anew',
  /** A client may repeat a request that it sent before the migration. */
  command: 'copied',
  content: 'copied',
  counter: 'copied',
  erased: 'copied',
  /** It goes on in the target. */
  erasure: 'copied',
  /** As `command`. */
  idempotent: 'copied',
  log: 'copied',
  /**
   * Key by key: `meta/live` gets another incarnation and other builds, `meta/store` is written when all is there, the salt is copied. The cluster is noted by the
   * target's first start.
   */
  meta: 'set up',
  personal: 'copied',
  projection: 'made anew',
  request: 'copied',
  /** Those processes serve from the source. */
  server: 'left behind',
  'signing-key': 'copied',
  stream: 'copied',
  /** Positions of the past have the times that they had. */
  time: 'copied',
  upload: 'copied',
  wake: 'copied',
} as const;

export type KeyKind = keyof typeof keyKinds;

/** Of which kind the keys of each member of a keyspace are: one that is added does not compile until it was thought of here. */
export const memberKinds: Readonly<Record<Exclude<keyof Keyspace, 'directory'>, KeyKind>> = {
  metaStore: 'meta',
  metaLive: 'meta',
  metaSalt: 'meta',
  metaMigration: 'meta',
  metaCluster: 'meta',
  signingKeys: 'signing-key',
  signingKey: 'signing-key',
  logBounds: 'log',
  logAppend: 'log',
  logKey: 'log',
  streamBounds: 'stream',
  streamAppend: 'stream',
  streamKey: 'stream',
  streams: 'stream',
  wake: 'wake',
  wakes: 'wake',
  times: 'time',
  timeSamples: 'time',
  timeSampleAppend: 'time',
  timeSample: 'time',
  content: 'content',
  contentBounds: 'content',
  contents: 'content',
  counter: 'counter',
  counters: 'counter',
  erased: 'erased',
  erasedBounds: 'erased',
  erasure: 'erasure',
  erasures: 'erasure',
  personal: 'personal',
  request: 'request',
  requestsBefore: 'request',
  command: 'command',
  commands: 'command',
  idempotent: 'idempotent',
  idempotents: 'idempotent',
  build: 'build',
  builds: 'build',
  projection: 'projection',
  server: 'server',
  servers: 'server',
  upload: 'upload',
  uploads: 'upload',
};

/** In the order in which they are copied. */
export const copiedKinds: readonly string[] = Object.entries(keyKinds)
  .filter(([, fate]) => fate === 'copied')
  .map(([kind]) => kind);

const isKnown = (kind: string): boolean => Object.hasOwn(keyKinds, kind);

/**
 * The first key of the directory that this release has no use for, in hex digits: a later release's, which would be left behind. Costs a read for each kind of key.
 */
export async function findUnknownKey(database: Database, keyspace: Keyspace): Promise<string | undefined> {
  const { directory, metaStore, metaLive, metaSalt, metaMigration, metaCluster } = keyspace;
  const known = [metaStore, metaLive, metaSalt, metaMigration, metaCluster];
  const { begin, end } = boundsOf(directory);
  return database.read(async (tx) => {
    for (let from = begin; ;) {
      const key = await firstKey(tx, from, end);
      if (key === undefined) return undefined;
      const kind = kindOf(keyspace, key);
      if (kind === undefined || !isKnown(kind)) return key.toString('hex');
      if (kind === 'meta' && !known.some((one) => one.equals(key))) return key.toString('hex');
      from = kind === 'meta' ? keyAfter(key) : kindBounds(keyspace, kind).end;
    }
  });
}

async function firstKey(tx: ReadTransaction, begin: Buffer, end: Buffer): Promise<Buffer | undefined> {
  const [first] = await tx.getRange(begin, end, { limit: 1 });
  return first?.key;
}
