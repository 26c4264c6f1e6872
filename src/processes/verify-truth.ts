import { algorithmOf, digestFromBytes, digestOf, type Digest } from '../digest.js';
import { createLog, partitionOf, type ReadLimits } from '../events/log.js';
import { formatPosition, type Position } from '../events/position.js';
import { parseStream } from '../events/types.js';
import { keyAfter } from '../keyvalue/apply-operations.js';
import type { ReadTransaction } from '../keyvalue/database.js';
import { itemsBehind, readStreamKey, type Keyspace } from '../keyvalue/keyspace.js';
import type { DirectoryName } from '../projections/projection.js';
import type { Store } from '../projections/store.js';

/**
 * Looks at what no index can be made from when it is damaged: the log with its streams, and the bytes of manifests and configs beside it. Reads only, in
 * bounded transactions, while everybody goes on writing.
 */
export interface TruthOptions {
  readonly signal: AbortSignal;
  /** Told for each damage: a line for people. */
  readonly onDamage: (what: string) => void;
}

export interface VerifiedTruth {
  readonly events: number;
  /** Of release 0.1.0: nobody can say whether a byte of theirs was changed. */
  readonly unchecked: number;
  /** Manifests and configs. */
  readonly contents: number;
  readonly damages: number;
}

/** Throws the EventDecodeError of an event that can't be read: what lies behind it can't be trusted. */
export async function verifyTruth(store: Store, directory: DirectoryName, options: TruthOptions): Promise<VerifiedTruth> {
  const log = await verifyStreams(store, directory, options);
  const entries = await verifyStreamEntries(store, store.keyspaces[directory], options);
  const content = await verifyContents(store, store.keyspaces[directory], options);
  return {
    events: log.events,
    unchecked: log.unchecked,
    contents: content.contents,
    damages: log.damages + entries.damages + content.damages,
  };
}

/** Every event is found in its stream, too. */
async function verifyStreams(store: Store, directory: DirectoryName, { signal, onDamage }: TruthOptions) {
  const keyspace = store.keyspaces[directory];
  const log = createLog(keyspace);
  let [events, unchecked, damages] = [0, 0, 0];
  for (let after: Position | undefined; !signal.aborted;) {
    const from = after;
    const step = await store.database.read(async (tx) => {
      const { live } = await store.readDirectory(tx, directory);
      const batch = await log.readFrom(tx, live.incarnation, from, READ_LIMITS);
      const entries = batch.events.map(({ stream, position }) =>
        tx.get(keyspace.streamKey(stream, position.incarnation, position.stamp)),
      );
      return { batch, entries: await Promise.all(entries) };
    });
    step.batch.events.forEach(({ stream, position }, at) => {
      if (step.entries[at] !== undefined) return;
      damages += 1;
      onDamage(`the event at ${formatPosition(position)} is not in its stream ${stream}`);
    });
    events += step.batch.events.length;
    unchecked += step.batch.unchecked;
    after = step.batch.next;
    if (step.batch.tailReached) break;
  }
  return { events, unchecked, damages };
}

/** Of one transaction. */
const READ_LIMITS: ReadLimits = { limit: 2_000, targetBytes: 1_000_000 };
/** Every entry of a stream has its event: one that is gone from the log is missed by no reader of the log alone. */
async function verifyStreamEntries(store: Store, keyspace: Keyspace, { signal, onDamage }: TruthOptions) {
  const { begin, end } = keyspace.streams;
  let damages = 0;
  for (let from = begin; !signal.aborted;) {
    const start = from;
    const page = await store.database.read(async (tx) => {
      const entries = await tx.getRange(start, end, READ_LIMITS);
      return Promise.all(entries.map(async ({ key }) => ({ key, missing: await missingEvent(tx, keyspace, key) })));
    });
    for (const { missing } of page) {
      if (missing === undefined) continue;
      damages += 1;
      onDamage(missing);
    }
    const last = page.at(-1);
    if (last === undefined) break;
    from = keyAfter(last.key);
  }
  return { damages };
}

/** What is wrong with an entry of a stream. */
async function missingEvent(tx: ReadTransaction, keyspace: Keyspace, key: Buffer): Promise<string | undefined> {
  const entry = readStreamKey(keyspace, key);
  const stream = entry && parseStream(entry.stream);
  if (entry === undefined || stream === undefined) return `${key.toString('hex')} is no entry of a stream`;
  const { incarnation, stamp } = entry;
  const bytes = await tx.get(keyspace.logKey(incarnation, partitionOf(stream), stamp));
  return bytes === undefined
    ? `the log lacks the event at ${formatPosition({ incarnation, stamp })}, which ${stream} names`
    : undefined;
}

const PAGE_BYTES = 2_000_000;

/** The bytes under each digest have it. */
async function verifyContents(store: Store, keyspace: Keyspace, { signal, onDamage }: TruthOptions) {
  const { begin, end } = keyspace.contents;
  const prefix = begin.subarray(0, begin.length - 1);
  let [contents, damages] = [0, 0];
  let open: { readonly digest: Digest; readonly chunks: Buffer[] } | undefined;
  const close = (): void => {
    if (open === undefined) return;
    contents += 1;
    if (digestOf(Buffer.concat(open.chunks), algorithmOf(open.digest)) === open.digest) return;
    damages += 1;
    onDamage(`the content of ${open.digest} is of another digest`);
  };
  for (let from = begin; !signal.aborted;) {
    const start = from;
    const page = await store.database.read((tx) => tx.getRange(start, end, { targetBytes: PAGE_BYTES }));
    for (const { key, value } of page) {
      const digest = digestIn(prefix, key);
      if (digest === undefined) {
        damages += 1;
        onDamage(`${key.toString('hex')} is no key of content`);
        continue;
      }
      if (open?.digest !== digest) {
        close();
        open = { digest, chunks: [] };
      }
      open.chunks.push(value);
    }
    const last = page.at(-1);
    if (last === undefined) break;
    from = keyAfter(last.key);
  }
  close();
  return { contents, damages };
}

function digestIn(prefix: Buffer, key: Buffer): Digest | undefined {
  try {
    const [item] = itemsBehind(prefix, key);
    return Buffer.isBuffer(item) ? digestFromBytes(item) : undefined;
  } catch {
    return undefined;
  }
}
