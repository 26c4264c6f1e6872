import { oneLine } from '../events/words.js';

/** Rows for people: columns as wide as they need, with a head. Nothing is printed of no rows but the head. */
export function formatTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => oneLine(cell)));
  const widths = columns.map((column, index) => Math.max(column.length, ...cells.map((row) => (row[index] ?? '').length)));
  const line = (row: readonly string[]): string =>
    widths
      .map((width, index) => (row[index] ?? '').padEnd(width))
      .join('  ')
      .trimEnd();
  return [columns.map((column) => column.toUpperCase()), ...cells].map((row) => `${line(row)}\n`).join('');
}
