import type { Position } from '../events/position.js';
import type { Stream } from '../events/types.js';
import { keyAfter } from '../keyvalue/apply-operations.js';
import type { ReadTransaction } from '../keyvalue/database.js';
import { boundsOf, STAMP_BYTES, stampedKey, stampOfKey } from '../keyvalue/keyspace.js';
import { pack } from '../keyvalue/tuple.js';

/**
 * Ranges of keys that end in a position, put together by "or" and by "and" without reading all of them: each is asked for what it has behind a place, and
 * places that another one has nothing before are leapt over. Places are compared as bytes: the tuple of incarnation and stamp sorts as positions do.
 */

const none = Buffer.alloc(0);

/** A position as it ends a key. */
export function placeOf({ incarnation, stamp }: Position): Buffer {
  return stampedKey(pack(none, [incarnation]), stamp);
}

// Tuple layer: an integer's type code says of how many bytes it is.
const INTEGER_CODE = 0x14;

export function positionAtPlace(place: Buffer): Position {
  const bytes = (place[0] ?? 0) - INTEGER_CODE;
  if (bytes < 0 || bytes > 6 || place.length !== bytes + 2 + STAMP_BYTES)
    throw new Error(`no position in ${place.toString('hex')}`);
  return { incarnation: bytes === 0 ? 0 : place.readUIntBE(1, bytes), stamp: stampOfKey(place) };
}

/** What is asked for lies at or behind this border in the order of reading: from it on, or when the newest come first, before it. */
export type Border = Buffer;

/** Everything lies behind it. */
export function firstBorder(newestFirst: boolean): Border {
  return Buffer.from([newestFirst ? 0xff : 0x00]);
}

export function borderAt(place: Buffer, newestFirst: boolean): Border {
  return newestFirst ? keyAfter(place) : place;
}

export function borderBehind(place: Buffer, newestFirst: boolean): Border {
  return newestFirst ? place : keyAfter(place);
}

/** An event by its place. */
export interface Found {
  readonly place: Buffer;
  /** Several only where two directories' logs have an event at one position. */
  readonly streams: readonly Stream[];
}

/** Nothing is found up to and with `passed`; what may be lies behind `border`. */
export interface Leap {
  readonly passed: Buffer;
  readonly border: Border;
}

/** Events in the order of reading. Borders are asked for in that order, too. */
export interface Places {
  /** The first one behind the border, or how far there is none; undefined: none at all. */
  seek(border: Border): Promise<Found | Leap | undefined>;
}

/** What reading has cost so far, in keys; a range read costs about as much as ten keys. */
export interface Spending {
  keys: number;
}

export const RANGE_READ_COST = 10;

/** How a range is read. */
export interface RangeReading {
  readonly tx: ReadTransaction;
  readonly newestFirst: boolean;
  /** Nothing behind this border is asked for. */
  readonly until: Border | undefined;
  readonly spending: Spending;
}

const FIRST_READ = 4;
const MOST_READ = 256;

/** The keys under `prefix`, which say the event's stream by their value. */
export function placesUnder(
  { tx, newestFirst, until, spending }: RangeReading,
  prefix: Buffer,
  streamOf: (value: Buffer) => Stream,
): Places {
  const bounds = boundsOf(prefix);
  const last = newestFirst ? bounds.begin : bounds.end;
  const end = until === undefined ? last : Buffer.concat([prefix, until]);
  let page: readonly Found[] = [];
  let at = 0;
  let given = 0;
  let ended = false;
  let size = FIRST_READ / 4;

  async function read(border: Border): Promise<void> {
    // What is read one by one is read ahead more and more; a leap begins anew with little.
    size = given * 2 >= page.length ? Math.min(size * 4, MOST_READ) : FIRST_READ;
    const from = Buffer.concat([prefix, border]);
    const [low, high] = newestFirst ? [end, from] : [from, end];
    const pairs = low.compare(high) >= 0 ? [] : await tx.getRange(low, high, { limit: size, reverse: newestFirst });
    spending.keys += RANGE_READ_COST + pairs.length;
    page = pairs.map(({ key, value }) => ({ place: key.subarray(prefix.length), streams: [streamOf(value)] }));
    ended = pairs.length < size;
    at = 0;
    given = 0;
  }

  function skipTo(border: Border): Found | undefined {
    for (; at < page.length; at += 1) {
      const found = page[at];
      if (found !== undefined && isBehind(found.place, border, newestFirst)) return found;
    }
    return undefined;
  }

  return {
    async seek(border) {
      let found = skipTo(border);
      if (found === undefined && !ended) {
        await read(border);
        found = skipTo(border);
      }
      if (found !== undefined) given += 1;
      return found;
    },
  };
}

function isBehind(place: Buffer, border: Border, newestFirst: boolean): boolean {
  return newestFirst ? place.compare(border) < 0 : place.compare(border) >= 0;
}

interface Head {
  readonly part: Places;
  answer: Found | Leap | undefined;
  border: Border | undefined;
  ended: boolean;
}

/** What any of them has. */
export function anyOf(parts: readonly Places[], newestFirst: boolean): Places {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const heads = parts.map((part): Head => ({ part, answer: undefined, border: undefined, ended: false }));
  const sign = newestFirst ? -1 : 1;
  async function ask(head: Head, border: Border): Promise<void> {
    head.answer = await head.part.seek(border);
    head.border = head.answer && borderOf(head.answer, newestFirst);
    head.ended = head.answer === undefined;
  }
  return {
    async seek(border) {
      const stale = heads.filter((head) => !head.ended && !isAhead(head, border, newestFirst));
      if (stale.length > 0) await Promise.all(stale.map((head) => ask(head, border)));
      let first: { readonly answer: Found | Leap; readonly border: Border } | undefined;
      for (const { answer, border: own } of heads) {
        if (answer === undefined || own === undefined) continue;
        const order = first === undefined ? -1 : sign * own.compare(first.border);
        if (order < 0) first = { answer, border: own };
        else if (order === 0 && first !== undefined) first = { answer: bothAt(first.answer, answer), border: own };
      }
      return first?.answer;
    },
  };
}

/** Whether an answer still holds for a border that was asked for later. */
function isAhead({ answer, border: own }: Head, border: Border, newestFirst: boolean): boolean {
  if (answer === undefined || own === undefined) return false;
  const order = own.compare(border);
  // At a leap's own border it knows nothing.
  return order === 0 ? !('border' in answer) : order > 0 !== newestFirst;
}

function borderOf(answer: Found | Leap, newestFirst: boolean): Border {
  return 'border' in answer ? answer.border : borderAt(answer.place, newestFirst);
}

/** Of two answers with one border. What is found there comes before what may be there. */
function bothAt(left: Found | Leap, right: Found | Leap): Found | Leap {
  if ('border' in left) return left;
  if ('border' in right) return right;
  return { place: left.place, streams: [...new Set([...left.streams, ...right.streams])] };
}

/** What both have; the streams are those of the first. */
export function bothOf(left: Places, right: Places, newestFirst: boolean): Places {
  return {
    async seek(border) {
      const found = await left.seek(border);
      if (found === undefined || 'border' in found) return found;
      const other = await right.seek(borderAt(found.place, newestFirst));
      if (other === undefined) return undefined;
      if ('border' in other) return { passed: later(found.place, other.passed, newestFirst), border: other.border };
      if (other.place.equals(found.place)) return found;
      return { passed: found.place, border: borderAt(other.place, newestFirst) };
    },
  };
}

function later(left: Buffer, right: Buffer, newestFirst: boolean): Buffer {
  return left.compare(right) > 0 !== newestFirst ? left : right;
}
