import type { Digest } from '../digest.js';
import { readHeld } from '../events/content.js';
import type { Held } from '../events/held-descriptors.js';
import type { Position } from '../events/position.js';
import type { EventEnvelope } from '../events/types.js';
import type { KeyValue, RangeOptions, ReadTransaction, Transaction } from '../keyvalue/database.js';
import { boundsOf, itemsBehind, STAMP_BYTES, stampedKey, stampedTemplate, type Keyspace } from '../keyvalue/keyspace.js';
import { pack, type KeyItem } from '../keyvalue/tuple.js';
import { applyEvent, type Projection, type View, type ViewEntry, type ViewRange } from './projection.js';

/** Bytes of a position in front of a value: incarnation (4, big-endian), versionstamp (10), number of the event in its commit (2). */
export const POSITION_BYTES = 4 + STAMP_BYTES;

/** Where the event being applied stands: known in a replay, a place in the coming commit while its command runs. */
export type ApplyPosition = Position | { readonly incarnation: number; readonly index: number };

/** Splits a value that `setWithPosition` wrote. */
export function splitPosition(value: Buffer): { readonly position: Position; readonly rest: Buffer } {
  return {
    position: { incarnation: value.readUInt32BE(0), stamp: value.subarray(4, POSITION_BYTES) },
    rest: value.subarray(POSITION_BYTES),
  };
}

/**
 * The view of one build under `prefix`, for one event after the other. `reads`: without it, what is read conflicts, as it must where others write to the build, too.
 */
export class BuildView implements View {
  readonly #tx: Transaction;
  readonly #keyspace: Keyspace;
  readonly #prefix: Buffer;
  readonly #reads: ReadTransaction;
  #position: ApplyPosition | undefined;
  #bytes = 0;

  constructor(tx: Transaction, keyspace: Keyspace, prefix: Buffer, reads: ReadTransaction = tx) {
    this.#tx = tx;
    this.#keyspace = keyspace;
    this.#prefix = prefix;
    this.#reads = reads;
  }

  /** This view for the event that stands there; the one before is applied. */
  at(position: ApplyPosition): this {
    this.#position = position;
    return this;
  }

  /** About what a transaction counts for what was written, and what was read of the log's content. */
  get bytes(): number {
    return this.#bytes;
  }

  get(items: readonly KeyItem[]): Promise<Buffer | undefined> {
    return this.#reads.get(pack(this.#prefix, items));
  }

  range(items: readonly KeyItem[], options?: ViewRange): Promise<readonly ViewEntry[]> {
    return rangeBehind(this.#reads, this.#prefix, items, options);
  }

  set(items: readonly KeyItem[], value: Buffer): void {
    this.#set(pack(this.#prefix, items), value);
  }

  setWithPosition(items: readonly KeyItem[], value: Buffer): void {
    const position = this.#known();
    const key = pack(this.#prefix, items);
    const template = Buffer.alloc(POSITION_BYTES + value.length);
    template.writeUInt32BE(position.incarnation, 0);
    template.set(value, POSITION_BYTES);
    if ('stamp' in position) {
      template.set(position.stamp, 4);
      this.#set(key, template);
    } else {
      template.writeUInt16BE(position.index, 14);
      this.#count(key, template);
      this.#tx.setVersionstampedValue(key, template, 4);
    }
  }

  setAtPosition(items: readonly KeyItem[], value: Buffer): void {
    const position = this.#known();
    const behind = pack(this.#prefix, [...items, position.incarnation]);
    if ('stamp' in position) {
      this.#set(stampedKey(behind, position.stamp), value);
    } else {
      const { template, offset } = stampedTemplate(behind, position.index);
      this.#count(template, value);
      this.#tx.setVersionstampedKey(template, offset, value);
    }
  }

  clear(items: readonly KeyItem[]): void {
    const key = pack(this.#prefix, items);
    this.#count(key, key);
    this.#tx.clear(key);
  }

  async held(digest: Digest): Promise<readonly Held[]> {
    // It never changes, and what is erased goes on holding what it held: nothing to conflict with.
    const found = await readHeld(this.#tx.snapshot, this.#keyspace, digest);
    if (found === undefined) throw new Error(`the log's content ${digest} is not there`);
    this.#bytes += found.bytes;
    return found.held;
  }

  #set(key: Buffer, value: Buffer): void {
    this.#count(key, value);
    this.#tx.set(key, value);
  }

  #count(key: Buffer, value: Buffer): void {
    this.#bytes += OPERATION_BYTES + key.length + value.length;
  }

  #known(): ApplyPosition {
    if (this.#position === undefined) throw new Error('a view without an event');
    return this.#position;
  }
}

/**
 * Hands an event to several projections at once, since each sees its own keys alone; what one waits for, the others do not. Undefined where none had to wait, which
 * is the rule. The next event is handed to them when this one is applied.
 */
export function applyToEach(
  builds: readonly { readonly projection: Projection; readonly view: BuildView }[],
  event: EventEnvelope,
  position: ApplyPosition,
): Promise<unknown> | undefined {
  let first: Promise<void> | undefined;
  let others: Promise<void>[] | undefined;
  try {
    for (const { projection, view } of builds) {
      const applied = applyEvent(projection, event, view.at(position));
      if (applied === undefined) continue;
      if (first === undefined) first = applied;
      else (others ??= []).push(applied);
    }
  } catch (error) {
    // Nobody waits for the others any more: that they fail as well must not end the process.
    for (const one of [first, ...(others ?? [])]) one?.catch(() => undefined);
    throw error;
  }
  return first === undefined || others === undefined ? first : Promise.all([first, ...others]);
}

// What FoundationDB counts beside a write's key and value.
const OPERATION_BYTES = 56;

async function rangeBehind(tx: ReadTransaction, prefix: Buffer, items: readonly KeyItem[], options: ViewRange = {}) {
  const behind = pack(prefix, items);
  const { begin, end } = boundsOf(behind);
  const pairs = await tx.getRange(begin, end, options);
  return pairs.map(({ key, value }) => ({ items: itemsBehind(behind, key), value }));
}

export interface PageOptions extends RangeOptions {
  /** Only what comes after these items (behind the range's own). */
  readonly after?: readonly KeyItem[] | undefined;
  /** Only what comes before these items. */
  readonly before?: readonly KeyItem[] | undefined;
}

/** Reads a live build, for queries. */
export interface Index {
  /** Of the schema that the build has: the newest that this release knows, or the one before. */
  readonly version: number;
  /** Of its keys. */
  readonly prefix: Buffer;
  get(items: readonly KeyItem[]): Promise<Buffer | undefined>;
  range(
    items: readonly KeyItem[],
    options?: PageOptions,
  ): Promise<readonly { readonly items: readonly unknown[]; readonly value: Buffer }[]>;
}

export function createIndex(tx: ReadTransaction, prefix: Buffer, version: number): Index {
  return {
    version,
    prefix,
    get: (items) => tx.get(pack(prefix, items)),
    async range(items, { after, before, ...options } = {}) {
      const behind = pack(prefix, items);
      const bounds = boundsOf(behind);
      // 0xff sorts behind every type code of the tuple layer: all keys that begin with `after` are passed over.
      const begin = after === undefined ? bounds.begin : Buffer.concat([pack(behind, after), Buffer.from([0xff])]);
      const end = before === undefined ? bounds.end : pack(behind, before);
      // Behind what is before it nothing lies.
      if (Buffer.compare(begin, end) > 0) return [];
      const pairs: readonly KeyValue[] = await tx.getRange(begin, end, options);
      return pairs.map(({ key, value }) => ({ items: itemsBehind(behind, key), value }));
    },
  };
}
