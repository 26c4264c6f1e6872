import { setImmediate } from 'node:timers/promises';

import { invalid } from './parameters.js';

/** Items of a page, when nothing is said. */
export const LIMIT = 100;

export interface Listed<T> {
  readonly item: T;
  readonly name: string;
  /** Position of its creation, as text that sorts as it (`sortable`). */
  readonly created: string;
  /** Names it among others of the same name or time. */
  readonly uid: string;
}

export interface ListQuery {
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
  readonly sort?: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** The cursor of the next page, where there may be more. */
  readonly after: string | undefined;
}

/**
 * A page of what is there, in the order asked for. A cursor names the place behind the last item, not its number: what comes and goes between two pages moves nothing
 * else to another page.
 */
export function pageOf<T>(all: readonly Listed<T>[], query: ListQuery): Page<T> {
  const { limit = LIMIT, sort = 'name' } = query;
  const descending = sort.startsWith('-');
  const field = isByTime(query) ? 'created' : 'name';
  const compare = (left: Place, right: Place): number => {
    const order = compareText(left.key, right.key) || compareText(left.uid, right.uid);
    return descending ? -order : order;
  };
  const place = placeOf(query);
  const placed = all.map(({ item, uid, ...keys }) => ({ item, key: keys[field], uid }));
  const sorted = placed.filter((one) => place === undefined || compare(one, place) > 0).sort(compare);
  const items = sorted.slice(0, limit);
  const last = items.at(-1);
  const more = sorted.length > items.length && last !== undefined;
  return { items: items.map(({ item }) => item), after: more ? formatCursor(last, sort) : undefined };
}

export function isByTime({ sort }: ListQuery): boolean {
  return sort === 'created' || sort === '-created';
}

// What one page costs at most where few of many are kept; what is behind it is the next page's.
const LOOKED_AT_MOST = 5_000;
const READ_AT_LEAST = 100;
const READ_AT_ONCE = 1_000;

/** How an index that is in the order of names is walked. */
export interface NameOrder<T, K> {
  readonly nameOf: (found: T) => string;
  readonly uidOf: (found: T) => string;
  /** Some of the index, behind a name. */
  readonly read: (limit: number, after: string | undefined) => Promise<readonly T[]>;
  /** What is shown of one; undefined for what a filter leaves out. */
  readonly keep: (found: T) => Promise<K | undefined>;
}

/** The same page as `pageOf` makes by name, from an index that is in this order: what lies behind the page is not read. May be short, or empty, and go on. */
export async function pageByName<T, K>(query: ListQuery, { nameOf, uidOf, read, keep }: NameOrder<T, K>): Promise<Page<K>> {
  const { limit = LIMIT, sort = 'name' } = query;
  const items: K[] = [];
  let behind = placeOf(query)?.key;
  let cursor: string | undefined;
  for (let looks = LOOKED_AT_MOST; looks > 0;) {
    const wanted = Math.min(looks, READ_AT_ONCE, Math.max(limit + 1 - items.length, READ_AT_LEAST));
    const found = await read(wanted, behind);
    const kept = await Promise.all(found.map(keep));
    for (const [index, one] of found.entries()) {
      const shown = kept[index];
      if (shown !== undefined && items.length === limit) return { items, after: cursor };
      if (shown !== undefined) items.push(shown);
      behind = nameOf(one);
      cursor = formatCursor({ key: behind, uid: uidOf(one) }, sort);
    }
    if (found.length < wanted) return { items, after: undefined };
    looks -= found.length;
    await setImmediate();
  }
  return { items, after: cursor };
}

interface Place {
  readonly key: string;
  readonly uid: string;
}

/** By code points, as the store's keys are in order: `<` compares UTF-16 units, by which what stands behind U+FFFF would come before U+E000. */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const order = rankOf(left.charCodeAt(index)) - rankOf(right.charCodeAt(index));
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

// The halves of what stands behind U+FFFF are numbered below U+E000.
const rankOf = (unit: number): number => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x1_0000 : unit);

function placeOf({ after, sort = 'name' }: ListQuery): Place | undefined {
  return after === undefined ? undefined : parseCursor(after, sort);
}

function formatCursor({ key, uid }: Place, sort: string): string {
  return Buffer.from(JSON.stringify([sort, key, uid])).toString('base64url');
}

// A key of the store has none of them.
const inNoName = /[\0\p{Cs}]/u;

function parseCursor(text: string, sort: string): Place {
  try {
    const [order, key, uid] = JSON.parse(Buffer.from(text, 'base64url').toString()) as readonly unknown[];
    if (order === sort && typeof key === 'string' && typeof uid === 'string' && !inNoName.test(key)) return { key, uid };
  } catch {
    // None of ours.
  }
  return invalid(
    `after=${JSON.stringify(text.slice(0, 200))} is not accepted; it is the after of a next that this list gave in the same order`,
  );
}

/** All of what is read some at a time, behind the last one read. In between others have their turn: the embedded store reads without waiting. */
export async function readAll<T>(some: (limit: number, last: T | undefined) => Promise<readonly T[]>): Promise<readonly T[]> {
  const all: T[] = [];
  for (;;) {
    const read = await some(READ_AT_ONCE, all.at(-1));
    all.push(...read);
    if (read.length < READ_AT_ONCE) return all;
    await setImmediate();
  }
}

const LOOKED_UP_AT_ONCE = 500;

/** What is found of each, some at once; in between others have their turn. */
export async function inPieces<T, K>(all: readonly T[], find: (one: T) => Promise<K | undefined>): Promise<readonly K[]> {
  const kept: K[] = [];
  for (let first = 0; first < all.length; first += LOOKED_UP_AT_ONCE) {
    if (first > 0) await setImmediate();
    const found = await Promise.all(all.slice(first, first + LOOKED_UP_AT_ONCE).map(find));
    kept.push(...found.filter((one) => one !== undefined));
  }
  return kept;
}

/** Whether one of the texts has what was looked for. */
export function matches(q: string | undefined, ...texts: readonly string[]): boolean {
  return q === undefined || texts.some((text) => text.toLowerCase().includes(q.toLowerCase()));
}

/** The next page's path, where something lies behind `after`. */
export function linkTo(
  path: string,
  query: Readonly<Record<string, string | number | boolean | undefined>>,
  after: string | undefined,
): { readonly next?: string } {
  if (after === undefined) return {};
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (name !== 'after' && value !== undefined) parameters.append(name, String(value));
  }
  parameters.append('after', after);
  return { next: `${path}?${parameters.toString()}` };
}
