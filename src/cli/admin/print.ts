import type { HistoryEntry } from '../../projections/history-entries.js';
import type { Fields } from '../admin-client.js';
import { createLines } from '../history-lines.js';
import { formatTable } from '../table.js';

/** What a command shows. */
export type Shown =
  | { readonly rows: readonly Fields[]; readonly columns: readonly string[] }
  | { readonly fields: Fields }
  | { readonly entries: readonly HistoryEntry[] }
  /** For people a line; for programs `fields`, or the line again. */
  | { readonly line: string; readonly fields?: Fields }
  /** It was printed already. */
  | 'nothing';

/** Tables for people, JSON for programs. */
export function formatShown(shown: Shown, json: boolean): string {
  if (shown === 'nothing') return '';
  if ('line' in shown) return json ? jsonOf(shown.fields ?? { done: shown.line }) : `${shown.line}\n`;
  if ('rows' in shown) {
    const { rows, columns } = shown;
    if (json) return jsonOf(rows);
    return formatTable(
      columns.map(headOf),
      rows.map((row) => columns.map((column) => cellsOf(column, row[column]).join(', '))),
    );
  }
  if ('entries' in shown) {
    const { entries } = shown;
    return json ? jsonOf(entries) : entries.map(createLines({ colors: false, borders: 'none' })).join('');
  }
  return json ? jsonOf(shown.fields) : formatTable(['field', 'value'], Object.entries(shown.fields).flatMap(linesOf));
}

const jsonOf = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** `displayName`: display name. */
const headOf = (column: string): string => column.replace(/[A-Z]/g, ' $&');

/** Each of several values on a line of its own. */
function linesOf([name, value]: readonly [string, unknown]): readonly (readonly string[])[] {
  const [first = '', ...more] = cellsOf(name, value);
  return [[name, first], ...more.map((cell) => ['', cell])];
}

function cellsOf(name: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (value === null) return [name === 'expires' ? 'never' : ''];
  if (Array.isArray(value)) return value.flatMap((one) => cellsOf(name, one));
  if (typeof value !== 'object') return [typeof value === 'string' ? value : JSON.stringify(value)];
  const fields = value as Fields;
  if (Object.hasOwn(inWords, name)) return [inWords[name]?.(fields) ?? ''];
  return Object.entries(fields).map(([key, of]) => `${key}=${cellsOf(key, of).join(', ')}`);
}

const descriptor = ({ digest, mediaType, size }: Fields): string =>
  `${String(digest)} (${String(mediaType)}, ${String(size)} bytes)`;
const platform = ({ os, architecture, variant }: Fields): string =>
  [os, architecture, variant].filter((one) => typeof one === 'string').join('/');

/** What is made of several parts, by the field that it stands in. */
const inWords: Readonly<Record<string, (fields: Fields) => string>> = {
  roles: ({ role, on }) => `${String(role)} on ${String(on)}`,
  platform,
  platforms: platform,
  config: descriptor,
  layers: descriptor,
  manifests: descriptor,
  referrers: descriptor,
  since: ({ time }) => String(time),
};
