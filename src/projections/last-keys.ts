import { comparePositions, type Position } from '../events/position.js';
import type { KeyValue, ReadTransaction } from '../keyvalue/database.js';
import { boundsOf } from '../keyvalue/keyspace.js';
import { pack, unpack, type KeyItem } from '../keyvalue/tuple.js';
import { historyPrefix } from './history.js';
import { borderAt, placeOf, positionAtPlace, RANGE_READ_COST } from './position-ranges.js';
import type { Reading } from './store.js';

/** What was there at a position: the last key of `history` at or before it. */

/** The last key under `items` at or before a position, or of all. Costs one range read of one key. */
export function findLast(reading: Reading, items: readonly KeyItem[], at: Position | undefined): Promise<Thing['last']> {
  return findLastUnder(reading.tx, historyPrefix(reading, items), at);
}

async function findLastUnder(tx: ReadTransaction, prefix: Buffer, at: Position | undefined): Promise<Thing['last']> {
  const { begin, end } = boundsOf(prefix);
  const border = at === undefined ? end : Buffer.concat([prefix, borderAt(placeOf(at), true)]);
  const [last] = await tx.getRange(begin, border, { limit: 1, reverse: true });
  return last && { position: positionAtPlace(last.key.subarray(prefix.length)), value: last.value };
}

const MOST_READ = 64;
const FEWEST_READ = 4;

/** A tag or a manifest. */
export interface Thing {
  /** What stands in its keys before their positions. */
  readonly items: readonly unknown[];
  /** Its last key at or before the position that is asked for. */
  readonly last: { readonly position: Position; readonly value: Buffer } | undefined;
}

/** Thing by thing; `keys` is what it has cost so far, a range read as much as ten keys. */
export interface Walk extends AsyncIterable<Thing> {
  readonly keys: number;
}

/**
 * What stands under `items` behind all that begins with `after`, thing by thing in the order of their keys; each is named by so many parts, texts or bytes.
 * Things with few keys are read many at a time; of one with many only the key that is asked for.
 */
export function lastOfEach(
  reading: Reading,
  items: readonly KeyItem[],
  parts: number,
  after: readonly KeyItem[],
  at: Position,
): Walk {
  const { tx } = reading;
  const prefix = historyPrefix(reading, items);
  const { begin: first, end } = boundsOf(prefix);
  let begin = after.length === 0 ? first : Buffer.concat([pack(prefix, after), AFTER_ALL]);
  let keys = 0;

  async function* walk(): AsyncGenerator<Thing, void> {
    for (let limit = MOST_READ; ;) {
      const page = await tx.getRange(begin, end, { limit });
      keys += RANGE_READ_COST + page.length;
      const things = thingsOf(page, prefix, parts);
      const isLast = page.length < limit;
      for (const [index, { head, entries }] of things.entries()) {
        const known = entries.findLast(({ position }) => comparePositions(position, at) <= 0);
        // Of the last thing there may be more keys than were read; what lies behind one that is too late is too late as well.
        const isWhole = isLast || index < things.length - 1 || known !== entries.at(-1);
        if (!isWhole) keys += RANGE_READ_COST;
        const last = isWhole ? known : await findLastUnder(tx, head, at);
        yield { items: unpack(head.subarray(prefix.length)), last };
      }
      const last = things.at(-1);
      if (isLast || last === undefined) return;
      begin = Buffer.concat([last.head, AFTER_ALL]);
      limit = Math.min(MOST_READ, Math.max(FEWEST_READ, things.length * 2));
    }
  }
  return {
    get keys() {
      return keys;
    },
    [Symbol.asyncIterator]: walk,
  };
}

interface KeysOfThing {
  /** What its keys begin with. */
  readonly head: Buffer;
  readonly entries: { readonly position: Position; readonly value: Buffer }[];
}

function thingsOf(page: readonly KeyValue[], prefix: Buffer, parts: number): readonly KeysOfThing[] {
  const things: KeysOfThing[] = [];
  for (const { key, value } of page) {
    const end = endOfTexts(key, prefix.length, parts);
    const entry = { position: positionAtPlace(key.subarray(end)), value };
    const last = things.at(-1);
    if (last?.head.length === end && key.compare(last.head, 0, end, 0, end) === 0) last.entries.push(entry);
    else things.push({ head: key.subarray(0, end), entries: [entry] });
  }
  return things;
}

/** Where so many texts or bytes of a tuple end. Tuple layer: behind each is a 0x00; one inside is followed by 0xff. */
function endOfTexts(key: Buffer, begin: number, parts: number): number {
  let end = begin;
  for (let part = 0; part < parts; part += 1) {
    end = key.indexOf(0x00, end + 1);
    while (key[end + 1] === 0xff) end = key.indexOf(0x00, end + 2);
    end += 1;
  }
  return end;
}

/** Sorts behind every type code of the tuple layer. */
const AFTER_ALL = Buffer.from([0xff]);
