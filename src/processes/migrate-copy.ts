import { createLog } from '../events/log.js';
import { keyAfter } from '../keyvalue/apply-operations.js';
import type { Database, KeyValue, RangeOptions } from '../keyvalue/database.js';
import { kindBounds } from '../keyvalue/keyspace.js';
import { encodeRecord, type CopyCheckpoint, type MigrationRecord } from '../projections/migration.js';
import type { DirectoryName } from '../projections/projection.js';
import { BuildStoppedError } from './build-run.js';
import { copiedKinds } from './migrated-keys.js';
import { heldRecord, keyspaceOf, MigrationError, type End } from './migration-ends.js';

/** How far a pass over all that is copied has come. */
export interface CopyProgress {
  readonly doing: 'copying' | 'comparing';
  readonly directory: DirectoryName;
  readonly kind: string;
  /** Pairs of this kind, and how many there are, where that is known. */
  readonly done: number;
  readonly total: number | undefined;
  /** Since this process began with it, of all kinds. */
  readonly bytes: number;
  readonly seconds: number;
  /** Until this kind is done. */
  readonly secondsLeft: number | undefined;
}

export interface CopyOptions {
  readonly progress: (progress: CopyProgress) => void;
  /** Ends it with a BuildStoppedError; it is gone on with from its checkpoint. */
  readonly signal: AbortSignal;
  readonly page?: PageLimits | undefined;
}

/** Of one transaction. */
export interface PageLimits {
  readonly limit: number;
  readonly targetBytes: number;
}

/** A tenth of what fits in a transaction, and far less than the work of 5 s. */
const PAGE: PageLimits = { limit: 10_000, targetBytes: 1_000_000 };

/** A range of the source, and where its keys belong. */
interface Part {
  readonly directory: DirectoryName;
  readonly kind: string;
  readonly begin: Buffer;
  readonly end: Buffer;
  readonly fromPrefix: Buffer;
  readonly toPrefix: Buffer;
}

function partsOf(source: End, target: End, directories: readonly DirectoryName[]): readonly Part[] {
  return directories.flatMap((directory) => {
    const keyspace = keyspaceOf(source, directory);
    const toPrefix = keyspaceOf(target, directory).directory;
    return copiedKinds.map((kind) => {
      const { begin, end } = kindBounds(keyspace, kind);
      return { directory, kind, begin, end, fromPrefix: keyspace.directory, toPrefix };
    });
  });
}

function translated({ fromPrefix, toPrefix }: Part, key: Buffer): Buffer {
  return Buffer.concat([toPrefix, key.subarray(fromPrefix.length)]);
}

/**
 * Copies what the record's checkpoint says is left, each page with the checkpoint behind it in one transaction of the target; the record at its end. Throws
 * MigrationError where another process has taken the migration over, or given it up, and BuildStoppedError.
 */
export async function copyAll(
  source: End,
  target: End,
  claimed: MigrationRecord,
  options: CopyOptions,
): Promise<MigrationRecord> {
  let record = claimed;
  if (record.checkpoint === 'copied') return record;
  const parts = partsOf(source, target, record.directories);
  const { checkpoint } = record;
  const first =
    checkpoint === undefined
      ? 0
      : parts.findIndex(({ directory, kind }) => directory === checkpoint.directory && kind === checkpoint.kind);
  if (first < 0)
    throw new MigrationError('the checkpoint of this migration is of a release that copies other keys; go on with that');
  const meter = new Meter(source, 'copying', options);
  for (const part of parts.slice(first)) {
    const isResumed = part.kind === checkpoint?.kind && part.directory === checkpoint.directory && checkpoint.from !== '';
    const begin = isResumed ? Buffer.concat([part.fromPrefix, Buffer.from(checkpoint.from, 'hex')]) : part.begin;
    await meter.begin(part, isResumed ? checkpoint.done : 0);
    for await (const page of pagesOf(source.database, begin, part.end, options.page)) {
      const next: CopyCheckpoint = {
        ...{ directory: part.directory, kind: part.kind },
        from: keyAfter(page.last.key).subarray(part.fromPrefix.length).toString('hex'),
        done: meter.done + page.pairs.length,
      };
      const { pairs, bytes } = record;
      const after = { ...record, checkpoint: next, pairs: pairs + page.pairs.length, bytes: bytes + page.bytes };
      await writePage(target, record, after, part, page.pairs);
      record = after;
      meter.add(page.pairs.length, page.bytes);
      if (options.signal.aborted) throw new BuildStoppedError('stopped');
    }
  }
  const copied: MigrationRecord = { ...record, checkpoint: 'copied' };
  await writePage(target, record, copied, undefined, []);
  return copied;
}

async function writePage(
  target: End,
  before: MigrationRecord,
  after: MigrationRecord,
  part: Part | undefined,
  pairs: readonly KeyValue[],
): Promise<void> {
  const [expected, next] = [encodeRecord(before), encodeRecord(after)];
  await target.database.transact(async (tx) => {
    const found = await heldRecord(tx, target, before);
    // The commit whose outcome nobody knew was this one's.
    if (found.equals(next)) return;
    if (!found.equals(expected)) throw new MigrationError('the checkpoint of this migration was changed by another process');
    if (part !== undefined) for (const { key, value } of pairs) tx.set(translated(part, key), value);
    tx.set(keyspaceOf(target, 'registry').metaMigration, next);
  });
}

/**
 * Whether all that was copied is in the target as it is in the source, and nothing else of its kinds, byte for byte; how many events were among it. Throws
 * MigrationError at the first difference.
 */
export async function compareAll(
  source: End,
  target: End,
  { directories }: MigrationRecord,
  options: CopyOptions,
): Promise<{ readonly pairs: number; readonly bytes: number }> {
  let [pairs, bytes] = [0, 0];
  const meter = new Meter(source, 'comparing', options);
  for (const part of partsOf(source, target, directories)) {
    await meter.begin(part, 0);
    let from = translated(part, part.begin);
    const end = translated(part, part.end);
    for await (const page of pagesOf(source.database, part.begin, part.end, options.page)) {
      const until = keyAfter(translated(part, page.last.key));
      const begin = from;
      const found = await target.database.read((tx) => tx.getRange(begin, until, { limit: page.pairs.length + 1 }));
      page.pairs.forEach(({ key, value }, at) => {
        const other = found[at];
        if (other?.key.equals(translated(part, key)) !== true || !other.value.equals(value)) throw differs(part, key);
      });
      const extra = found[page.pairs.length];
      if (extra !== undefined) throw differs(part, extra.key);
      from = until;
      pairs += page.pairs.length;
      bytes += page.bytes;
      meter.add(page.pairs.length, page.bytes);
      if (options.signal.aborted) throw new BuildStoppedError('stopped');
    }
    const begin = from;
    const [extra] = await target.database.read((tx) => tx.getRange(begin, end, { limit: 1 }));
    if (extra !== undefined) throw differs(part, extra.key);
  }
  return { pairs, bytes };
}

function differs({ directory, kind }: Part, key: Buffer): MigrationError {
  return new MigrationError(
    `the copy differs from its source, in ${kind} of the ${directory} directory at key ${key.toString('hex')}; give it up with "artifact-store migrate --abandon" and begin anew`,
  );
}

interface Page {
  readonly pairs: readonly KeyValue[];
  readonly last: KeyValue;
  readonly bytes: number;
}

/** Each in a transaction of its own; the next one is read while this one is worked on. Nobody writes there meanwhile. */
async function* pagesOf(database: Database, begin: Buffer, end: Buffer, limits: RangeOptions = PAGE): AsyncGenerator<Page> {
  const read = (from: Buffer) => {
    const reading = database.read((tx) => tx.getRange(from, end, limits));
    // One that fails while nobody waits for it yet is waited for later.
    reading.catch(() => undefined);
    return reading;
  };
  let reading = read(begin);
  for (;;) {
    const pairs = await reading;
    const last = pairs.at(-1);
    if (last === undefined) return;
    reading = read(keyAfter(last.key));
    yield { pairs, last, bytes: pairs.reduce((sum, { key, value }) => sum + key.length + value.length, 0) };
  }
}

/** Tells how far a pass has come, and how long it will take. */
class Meter {
  readonly #source: End;
  readonly #doing: CopyProgress['doing'];
  readonly #options: CopyOptions;
  readonly #startedAt = performance.now();
  #part: Part | undefined;
  #partAt = 0;
  #resumedAt = 0;
  #total: number | undefined;
  #bytes = 0;
  /** Pairs of this kind that are done. */
  done = 0;

  constructor(source: End, doing: CopyProgress['doing'], options: CopyOptions) {
    this.#source = source;
    this.#doing = doing;
    this.#options = options;
  }

  async begin(part: Part, done: number): Promise<void> {
    this.#part = part;
    this.#partAt = performance.now();
    this.#resumedAt = this.done = done;
    const { kind, directory } = part;
    // Every event is in its stream once.
    const isCounted = kind === 'log' || kind === 'stream';
    const log = createLog(keyspaceOf(this.#source, directory));
    this.#total = isCounted ? await this.#source.database.read((tx) => log.count(tx)) : undefined;
  }

  add(pairs: number, bytes: number): void {
    if (this.#part === undefined) return;
    this.done += pairs;
    this.#bytes += bytes;
    // Release 0.1.0 counted appends, which are fewer than events.
    const total = this.#total === undefined ? undefined : Math.max(this.#total, this.done);
    const now = performance.now();
    const rate = (this.done - this.#resumedAt) / (now - this.#partAt);
    this.#options.progress({
      ...{ doing: this.#doing, directory: this.#part.directory, kind: this.#part.kind },
      ...{ done: this.done, total, bytes: this.#bytes, seconds: (now - this.#startedAt) / 1_000 },
      secondsLeft: total === undefined || rate <= 0 ? undefined : (total - this.done) / rate / 1_000,
    });
  }
}
