import type { ReadTransaction } from '../keyvalue/database.js';
import { LOG_PARTITIONS, STAMP_BYTES, stampOfKey, type Keyspace } from '../keyvalue/keyspace.js';
import { FIRST_INCARNATION } from './log.js';
import { formatPosition, parsePosition, versionOf, type Position } from './position.js';
import { lastVersionAt, sampledTime, timeOf } from './sampled-times.js';

/** What people say when they mean a moment of the past: a time in microseconds since 1970, or a position. */
export type Moment = { readonly time: number } | { readonly position: Position };

export const momentForm =
  'a time like 2026-11-01T09:00:00Z or 2026-11-01T10:00:00.123456+01:00 (RFC 3339), or a position like 1-00064f5e2a3b4c5d00000000';

/** `parseTime`, or a position's text. */
export function parseMoment(text: string): Moment | { readonly reason: string } {
  const position = parsePosition(text);
  if (position !== undefined) return { position };
  const time = parseTime(text);
  return typeof time === 'number' ? { time } : { reason: `${time.reason}; accepted is ${momentForm}` };
}

const timeGrammar = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** RFC 3339, section 5.6, with up to six digits of a second's fraction, as microseconds since 1970. */
export function parseTime(text: string): number | { readonly reason: string } {
  const shown = JSON.stringify(text.slice(0, 100));
  const found = timeGrammar.exec(text);
  if (found === null) return { reason: `${shown} is no time` };
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number);
  const [fraction = '', sign, offsetHours, offsetMinutes] = found.slice(7);
  if (fraction.length > 6) return { reason: `${shown} is finer than a microsecond` };
  // RFC 3339, section 5.7: 60 stands for a leap second, which database time does not have.
  if (second === 60) return { reason: `${shown} is a leap second, which database time does not have` };
  const offset = Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDay = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const isTime = hour < 24 && minute < 60 && second < 60 && Number(offsetHours ?? 0) < 24 && Number(offsetMinutes ?? 0) < 60;
  if (!isDay || !isTime) return { reason: `${shown} is on no calendar or clock` };
  const seconds = date.getTime() / 1_000 + hour * 3_600 + minute * 60 + second - (sign === '-' ? -offset : offset) * 60;
  return seconds * 1_000_000 + Number(fraction.padEnd(6, '0'));
}

/** RFC 3339 in UTC with all six digits of the fraction. `time`: microseconds since 1970. */
export function formatTime(time: number): string {
  const micros = Math.floor(time) - Math.floor(time / 1_000) * 1_000;
  return new Date(Math.floor(time / 1_000)).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
}

/**
 * The last position at or before a moment, of a directory's log. What was there then stays so: a moment that has not come yet is refused, since events may
 * still come before it. Costs a read for each partition of the log and each incarnation from the second on, and what `lastVersionAt` costs.
 */
export async function positionOf(
  tx: ReadTransaction,
  keyspace: Keyspace,
  incarnation: number,
  moment: Moment,
): Promise<Position | { readonly reason: string }> {
  const now = await sampledTime(tx, keyspace, incarnation);
  if ('position' in moment) {
    const { position } = moment;
    if (position.incarnation < incarnation) return position;
    const hasCome = position.incarnation === incarnation && (await isPast(tx, now, position));
    return hasCome ? position : { reason: `the position ${formatPosition(position)} has not come yet` };
  }
  const { time } = moment;
  // Two versions may have one time, so what is still to come may have the very time that it is now.
  if (!(now === undefined ? await isPastOnClock(tx, time) : time < now)) {
    const clock = formatTime(now ?? Number(await tx.time()));
    return { reason: `${formatTime(time)} has not come yet: it is ${clock} by the database's clock` };
  }
  for (let current = incarnation; current > FIRST_INCARNATION; current -= 1) {
    const first = await firstPosition(tx, keyspace, current);
    if (first !== undefined && (await timeOf(tx, keyspace, first)) <= time) return lastPositionAt(tx, keyspace, current, time);
  }
  return lastPositionAt(tx, keyspace, FIRST_INCARNATION, time);
}

/** The last position that the reads of a transaction can see, whatever its time. */
export async function positionNow(tx: ReadTransaction, incarnation: number): Promise<Position> {
  return { incarnation, stamp: lastStampOf(await tx.readVersion()) };
}

/** Whether a position of the current incarnation is behind no commit that is still to come. `now`: undefined where versions are times. */
async function isPast(tx: ReadTransaction, now: number | undefined, position: Position): Promise<boolean> {
  const version = versionOf(position);
  return now === undefined ? isPastOnClock(tx, Number(version)) : version <= (await tx.readVersion());
}

/** Whether no commit can come any more at or before this time, in microseconds, where versions are times. */
async function isPastOnClock(tx: ReadTransaction, time: number): Promise<boolean> {
  // A clock may stand still at the newest commit; the next one comes after that all the same.
  return time < Number(await tx.time()) || time <= Number(await tx.readVersion());
}

/** In one incarnation, which has begun by then. */
async function lastPositionAt(tx: ReadTransaction, keyspace: Keyspace, incarnation: number, time: number): Promise<Position> {
  const version = (await lastVersionAt(tx, keyspace, incarnation, time)) ?? (time < 0 ? 'none' : BigInt(time));
  if (version === 'none') return { incarnation, stamp: Buffer.alloc(STAMP_BYTES, 0x00) };
  if (version === 'all') return { incarnation, stamp: Buffer.alloc(STAMP_BYTES, 0xff) };
  return { incarnation, stamp: lastStampOf(version) };
}

/** The last stamp that a commit of this version can have. */
function lastStampOf(version: bigint): Buffer {
  const stamp = Buffer.alloc(STAMP_BYTES, 0xff);
  stamp.writeBigUInt64BE(version);
  return stamp;
}

async function firstPosition(tx: ReadTransaction, keyspace: Keyspace, incarnation: number): Promise<Position | undefined> {
  const firsts = await Promise.all(
    Array.from({ length: LOG_PARTITIONS }, (_, partition) => {
      const { begin, end } = keyspace.logBounds(incarnation, partition);
      return tx.getRange(begin, end, { limit: 1 });
    }),
  );
  const [first] = firsts
    .flat()
    .map(({ key }) => stampOfKey(key))
    .sort((left, right) => left.compare(right));
  return first && { incarnation, stamp: first };
}
