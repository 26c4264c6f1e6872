import type { ReadTransaction } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';
import { decodeTimeSample, readNewestSample, timeAfter, versionAt, type TimeSample } from '../keyvalue/time-samples.js';
import { versionOf, type Position } from './position.js';

/** What one sample tells the times of: from its own version to `upTo`, both included. Never changes. */
interface Span {
  readonly sample: TimeSample;
  readonly upTo: bigint;
}

interface KnownSpans {
  first: TimeSample | undefined;
  /** In the order of versions, none overlapping; some may lack between. */
  spans: Span[];
}

/** About 1 MB, and eleven hours at a sample every 10 s; what came first is not kept on the way to more. */
const SPANS_MOST = 4_096;
/** Of one range read; some 6 kB. */
const SAMPLES_A_READ = 64;

/** A position that somebody makes up may be later than a date can be. */
const LATEST_MICROS = Date.UTC(9_999, 11, 31) * 1_000;

// A keyspace is of one store: a store has its own.
const known = new WeakMap<Keyspace, Map<number, KnownSpans>>();

function knownOf(keyspace: Keyspace, incarnation: number): KnownSpans {
  let incarnations = known.get(keyspace);
  if (incarnations === undefined) known.set(keyspace, (incarnations = new Map<number, KnownSpans>()));
  let found = incarnations.get(incarnation);
  if (found === undefined) incarnations.set(incarnation, (found = { first: undefined, spans: [] }));
  return found;
}

/**
 * Database time of positions that are there, in microseconds since 1970: what is given back answers for those that were asked for. In an incarnation without
 * samples versions are microseconds, as on LMDB. Costs no read where the process knows, else one for positions that are near each other, one for each that is not.
 */
export async function timesOf(
  tx: ReadTransaction,
  keyspace: Keyspace,
  positions: readonly Position[],
): Promise<(position: Position) => number> {
  const asked = new Map<number, Set<bigint>>();
  for (const position of positions) {
    const versions = asked.get(position.incarnation);
    if (versions === undefined) asked.set(position.incarnation, new Set([versionOf(position)]));
    else versions.add(versionOf(position));
  }
  const times = new Map<number, ReadonlyMap<bigint, number>>();
  await Promise.all(
    [...asked].map(async ([incarnation, versions]) => {
      times.set(incarnation, await timesIn(tx, keyspace, incarnation, [...versions]));
    }),
  );
  return (position) => {
    const time = times.get(position.incarnation)?.get(versionOf(position));
    if (time === undefined) throw new RangeError('the time of a position that was not asked for');
    return time;
  };
}

/** `timesOf` for one. */
export async function timeOf(tx: ReadTransaction, keyspace: Keyspace, position: Position): Promise<number> {
  return (await timesOf(tx, keyspace, [position]))(position);
}

async function timesIn(
  tx: ReadTransaction,
  keyspace: Keyspace,
  incarnation: number,
  versions: readonly bigint[],
): Promise<ReadonlyMap<bigint, number>> {
  const times = new Map<bigint, number>();
  const spansOf = knownOf(keyspace, incarnation);
  const tell = (spans: readonly Span[]): bigint[] => {
    const untold: bigint[] = [];
    for (const version of versions) {
      if (times.has(version)) continue;
      const span = spanOf(spans, version);
      if (span !== undefined) times.set(version, Number(timeAfter(span.sample, version)));
      else if (spansOf.first !== undefined && version < spansOf.first.version) {
        times.set(version, Number(timeAfter(spansOf.first, version)));
      } else untold.push(version);
    }
    return untold;
  };
  let untold = tell(spansOf.spans);
  if (untold.length === 0) return times;
  // What is asked for together mostly lies together: the samples up to the latest often tell the others, too.
  const latest = untold.reduce((left, right) => (left > right ? left : right));
  untold = tell(await readSpans(tx, keyspace, incarnation, latest, SAMPLES_A_READ));
  if (untold.length === 0) return times;
  if ((await readFirstSample(tx, keyspace, incarnation)) === undefined) {
    for (const version of untold) times.set(version, Math.min(Number(version), LATEST_MICROS));
    return times;
  }
  const alone = await Promise.all(tell([]).map((version) => readSpans(tx, keyspace, incarnation, version, 1)));
  for (const spans of alone) tell(spans);
  return times;
}

/** In spans in the order of versions. */
function spanOf(spans: readonly Span[], version: bigint): Span | undefined {
  const span = spans[countUntil(spans, ({ sample }) => sample.version <= version) - 1];
  return span !== undefined && version <= span.upTo ? span : undefined;
}

/** How many items from the first on are so, where none behind the first that is not is. */
function countUntil<T>(items: readonly T[], isSo: (item: T) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && isSo(item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last `limit` spans up to `version`, in their order; none where it is before the first sample. */
async function readSpans(
  tx: ReadTransaction,
  keyspace: Keyspace,
  incarnation: number,
  version: bigint,
  limit: number,
): Promise<readonly Span[]> {
  const { begin } = keyspace.timeSamples(incarnation);
  const end = keyspace.timeSample(incarnation, version + 1n);
  const [pairs, readVersion] = await Promise.all([tx.getRange(begin, end, { reverse: true, limit }), tx.readVersion()]);
  const samples = pairs.map(decodeTimeSample).reverse();
  const spans = samples.map((sample, index) => ({ sample, upTo: (samples[index + 1]?.version ?? version + 1n) - 1n }));
  // A sample may still come before a version that has not come yet.
  learn(keyspace, incarnation, version <= readVersion ? spans : spans.slice(0, -1));
  return spans;
}

async function readFirstSample(tx: ReadTransaction, keyspace: Keyspace, incarnation: number): Promise<TimeSample | undefined> {
  const spansOf = knownOf(keyspace, incarnation);
  if (spansOf.first !== undefined) return spansOf.first;
  const { begin, end } = keyspace.timeSamples(incarnation);
  const [first] = await tx.getRange(begin, end, { limit: 1 });
  return first === undefined ? undefined : (spansOf.first = decodeTimeSample(first));
}

function learn(keyspace: Keyspace, incarnation: number, spans: readonly Span[]): void {
  const spansOf = knownOf(keyspace, incarnation);
  if (spansOf.spans.length + spans.length > SPANS_MOST) spansOf.spans = [];
  for (const span of spans) {
    const at = countUntil(spansOf.spans, ({ sample }) => sample.version < span.sample.version);
    const there = spansOf.spans[at];
    if (there?.sample.version !== span.sample.version) spansOf.spans.splice(at, 0, span);
    else if (there.upTo < span.upTo) spansOf.spans[at] = span;
  }
}

/** The newest time that an incarnation tells at this transaction's version; undefined where versions are microseconds. Costs one read. */
export async function sampledTime(tx: ReadTransaction, keyspace: Keyspace, incarnation: number): Promise<number | undefined> {
  const [newest, version] = await Promise.all([readNewestSample(tx, keyspace.timeSamples(incarnation)), tx.readVersion()]);
  return newest && Number(timeAfter(newest, version));
}

/**
 * The last version of an incarnation that has a time at or before this one, in microseconds: the inverse of `timesOf`, for a time that has come. `all`, where
 * the time is after the incarnation's end, `none` before its beginning. Undefined where versions are microseconds. Costs a few reads, each after another,
 * where the process does not know.
 */
export async function lastVersionAt(
  tx: ReadTransaction,
  keyspace: Keyspace,
  incarnation: number,
  time: number,
): Promise<bigint | 'all' | 'none' | undefined> {
  const moment = BigInt(Math.floor(time));
  const told = spanAt(knownOf(keyspace, incarnation).spans, moment);
  if (told !== undefined) return versionIn(told, moment);
  const newest = await readNewestSample(tx, keyspace.timeSamples(incarnation));
  if (newest === undefined) return undefined;
  if (newest.time <= moment) return versionAt(newest, moment);
  const first = (await readFirstSample(tx, keyspace, incarnation)) ?? newest;
  if (moment < first.time) return versionAt(first, moment);
  return versionIn(await findSpan(tx, keyspace, incarnation, { first, newest, moment }), moment);
}

/** The span whose last version is later than this moment, and whose first is not. */
function spanAt(spans: readonly Span[], moment: bigint): Span | undefined {
  const span = spans[countUntil(spans, ({ sample }) => sample.time <= moment) - 1];
  return span !== undefined && moment < timeAfter(span.sample, span.upTo) ? span : undefined;
}

function versionIn({ sample, upTo }: Span, moment: bigint): bigint | 'none' {
  const version = versionAt(sample, moment);
  return version === 'all' || (version !== 'none' && version > upTo) ? upTo : version;
}

/**
 * The last sample at or before a moment, `first` or one behind it, up to the next one, `newest` or one before it. Where the clock and the versions ran at one
 * rate the first guess finds it; halving finds it whatever they did.
 */
async function findSpan(
  tx: ReadTransaction,
  keyspace: Keyspace,
  incarnation: number,
  { first, newest, moment }: { readonly first: TimeSample; readonly newest: TimeSample; readonly moment: bigint },
): Promise<Span> {
  let last = first;
  let next = newest.version;
  // Samples from this version on are later than the moment.
  let bound = next;
  for (let round = 0; last.version + 1n < bound; round += 1) {
    const least = last.version + 1n;
    const guess = round % 2 === 0 ? last.version + (moment - last.time) - GUESSED_TOO_FAR : (last.version + bound) / 2n;
    const from = guess < least ? least : guess < bound ? guess : bound - 1n;
    const begin = keyspace.timeSample(incarnation, from);
    const end = keyspace.timeSample(incarnation, bound);
    const samples = (await tx.getRange(begin, end, { limit: SAMPLES_A_READ })).map(decodeTimeSample);
    const before = countUntil(samples, ({ time }) => time <= moment);
    last = samples[before - 1] ?? last;
    next = samples[before]?.version ?? next;
    if (before === SAMPLES_A_READ) continue;
    if (before > 0) break;
    bound = from;
  }
  const span = { sample: last, upTo: next - 1n };
  learn(keyspace, incarnation, [span]);
  return span;
}

/** So that the read begins before what is looked for, and has it. */
const GUESSED_TOO_FAR = BigInt(SAMPLES_A_READ / 2) * 10_000_000n;
