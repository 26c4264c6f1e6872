import { invalid } from '../api-query.js';

export interface Listed<T> {
  readonly item: T;
  readonly name: string;
  /** Position of its creation, as text that sorts as it. */
  readonly created: string;
  /** Names it among others of the same name or time. */
  readonly uid: string;
}

export interface ListQuery {
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
  readonly sort?: string | undefined;
}

const LIMIT = 100;

/**
 * A page of what is there, in the order asked for. A cursor names the place behind the last item, not its number: what comes and goes between two pages moves nothing
 * else to another page.
 */
export function pageOf<T>(
  all: readonly Listed<T>[],
  query: ListQuery,
): { readonly items: readonly T[]; readonly after: string | undefined } {
  const { limit = LIMIT, sort = 'name' } = query;
  const descending = sort.startsWith('-');
  const field = sort.replace('-', '') === 'created' ? 'created' : 'name';
  const compare = (left: Place, right: Place): number => {
    const order = compareText(left.key, right.key) || compareText(left.uid, right.uid);
    return descending ? -order : order;
  };
  const place = query.after === undefined ? undefined : parseCursor(query.after, sort);
  const placed = all.map(({ item, uid, ...keys }) => ({ item, key: keys[field], uid }));
  const sorted = placed.filter((one) => place === undefined || compare(one, place) > 0).sort(compare);
  const items = sorted.slice(0, limit);
  const last = items.at(-1);
  const more = sorted.length > items.length && last !== undefined;
  return { items: items.map(({ item }) => item), after: more ? formatCursor(last, sort) : undefined };
}

interface Place {
  readonly key: string;
  readonly uid: string;
}

// By code points, as ids are compared everywhere else.
function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function formatCursor({ key, uid }: Place, sort: string): string {
  return Buffer.from(JSON.stringify([sort, key, uid])).toString('base64url');
}

function parseCursor(text: string, sort: string): Place {
  try {
    const [order, key, uid] = JSON.parse(Buffer.from(text, 'base64url').toString()) as readonly unknown[];
    if (order === sort && typeof key === 'string' && typeof uid === 'string') return { key, uid };
  } catch {
    // None of ours.
  }
  return invalid(
    `after=${JSON.stringify(text.slice(0, 200))} is not accepted; it is the after of a next that this list gave in the same order`,
  );
}

const READ_AT_ONCE = 1_000;

/** All of what is read some at a time, behind the last one read. */
export async function readAll<T>(some: (limit: number, last: T | undefined) => Promise<readonly T[]>): Promise<readonly T[]> {
  const all: T[] = [];
  for (;;) {
    const read = await some(READ_AT_ONCE, all.at(-1));
    all.push(...read);
    if (read.length < READ_AT_ONCE) return all;
  }
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
