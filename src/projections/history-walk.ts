import { EventDecodeError } from '../events/codec.js';
import { positionNow, positionOf, type Moment } from '../events/database-time.js';
import { createLog } from '../events/log.js';
import { comparePositions, type Position } from '../events/position.js';
import { resolveEntries, type HistoryEntry, type Sight } from './history-entries.js';
import { readHistory, type HistoryOf, type HistoryPage, type HistoryPageOptions } from './history-pages.js';
import type { LiveDirectory, Reading, Store } from './store.js';

/** Whose history, and what its reader may know. */
export interface Asked {
  readonly of: readonly HistoryOf[];
  readonly sight: Sight;
}

export interface EntriesPage {
  /** May be fewer than were asked for, or none. */
  readonly entries: readonly HistoryEntry[];
  /** Go on behind it, or before it when the newest come first; undefined: there is nothing more. */
  readonly next: Position | undefined;
}

/**
 * `readHistory`, but where an event can't be read the page ends before it; the page that begins with it throws an EventDecodeError, which names its position.
 * Throws ProjectionNotLiveError.
 */
export async function readEvents(reading: Reading, of: readonly HistoryOf[], options: HistoryPageOptions): Promise<HistoryPage> {
  for (let { limit } = options; ; limit = Math.floor(limit / 2)) {
    try {
      return await readHistory(reading, of, { ...options, limit });
    } catch (error) {
      if (!(error instanceof EventDecodeError) || limit <= 1) throw error;
    }
  }
}

/** One page. Throws as `readEvents`. */
export async function readEntries(reading: Reading, { of, sight }: Asked, options: HistoryPageOptions): Promise<EntriesPage> {
  const { events, next } = await readEvents(reading, of, options);
  return { entries: await resolveEntries(reading, events, sight), next };
}

export type WalkOptions = Omit<HistoryPageOptions, 'limit'> & {
  /** Events of one transaction. Default 500. */
  readonly pageSize?: number;
};

/**
 * Page after page, each in a transaction of its own, to the end of what is there. `ask` is asked in each of them: what its reader may see can change on
 * the way. Never an empty page. Throws as `readEntries` and `ask` do.
 */
export async function* walkEntries(
  store: Store,
  ask: (reading: Reading) => Promise<Asked>,
  { pageSize = 500, ...options }: WalkOptions,
): AsyncGenerator<readonly HistoryEntry[], void> {
  let place: { readonly after?: Position | undefined; readonly before?: Position | undefined } = {};
  for (;;) {
    const page = { ...options, ...place, limit: pageSize };
    const { entries, next } = await store.read(async (reading) => readEntries(reading, await ask(reading), page));
    if (entries.length > 0) yield entries;
    if (next === undefined) return;
    place = options.newestFirst ? { before: next } : { after: next };
  }
}

/** A position, and the directory whose log it is in. */
export interface Place {
  readonly directory: LiveDirectory;
  readonly position: Position;
}

/** The newest position of the registry's log, or of both logs; undefined where nothing has happened. Costs 8 range reads for each. */
export async function newestPlace(reading: Reading, logs: 'registry' | 'both'): Promise<Place | undefined> {
  const directories = logs === 'both' ? [reading.registry, reading.platform] : [reading.registry];
  const found = await Promise.all(
    directories.map(async (directory) => {
      const position = await createLog(directory.keyspace).newest(reading.tx, directory.live.incarnation);
      return position && { directory, position };
    }),
  );
  return found
    .filter((place) => place !== undefined)
    .sort((left, right) => comparePositions(left.position, right.position))
    .at(-1);
}

/** From where to where, both ends included. */
export interface Span {
  readonly since: Moment | undefined;
  readonly until: Moment | undefined;
}

/** The positions round a span, neither included. A moment that has not come yet is the end of what is there. */
export async function boundsOfSpan(
  reading: Reading,
  { since, until }: Span,
): Promise<{ readonly after: Position | undefined; readonly before: Position | undefined }> {
  const after = since === undefined ? undefined : await lastBefore(reading, since);
  const last = until === undefined ? undefined : await lastAt(reading, until);
  return { after, before: last && positionAfter(last) };
}

async function lastBefore(reading: Reading, moment: Moment): Promise<Position | undefined> {
  if ('position' in moment) return positionBefore(moment.position);
  // Where that has not come, nothing that is there is as late as the moment.
  return (await positionAt(reading, moment.time - 1)) ?? positionNow(reading.tx, reading.registry.live.incarnation);
}

async function lastAt(reading: Reading, moment: Moment): Promise<Position | undefined> {
  return 'position' in moment ? moment.position : positionAt(reading, moment.time);
}

/** Undefined for a time that has not come yet. */
async function positionAt({ tx, registry }: Reading, time: number): Promise<Position | undefined> {
  const found = await positionOf(tx, registry.keyspace, registry.live.incarnation, { time });
  return 'reason' in found ? undefined : found;
}

/** The very next position that there can be. */
export function positionAfter({ incarnation, stamp }: Position): Position {
  return { incarnation, stamp: stepped(stamp, 1n) ?? stamp };
}

/** The one before it; undefined before the first of all. */
export function positionBefore({ incarnation, stamp }: Position): Position | undefined {
  const before = stepped(stamp, -1n);
  if (before !== undefined) return { incarnation, stamp: before };
  return incarnation <= 1 ? undefined : { incarnation: incarnation - 1, stamp: Buffer.alloc(stamp.length, 0xff) };
}

function stepped(stamp: Buffer, step: bigint): Buffer | undefined {
  const digits = stamp.length * 2;
  const value = BigInt(`0x${stamp.toString('hex')}`) + step;
  return value < 0n || value >> BigInt(digits * 4) > 0n
    ? undefined
    : Buffer.from(value.toString(16).padStart(digits, '0'), 'hex');
}
