import { ours } from './targets/index.js';

/** @typedef {import('./rows/row.js').Row} Row */
/** @typedef {import('./figures.js').Figures} Figures */

/**
 * A table in Markdown: a line for each row, and how far ours is ahead of the best peer: 2.00 is twice as good, whichever way is good.
 * @param {readonly Row[]} rows
 * @param {readonly { name: string, version: string }[]} targets
 * @param {Figures} figures
 */
export function table(rows, targets, figures) {
  const peers = targets.filter(({ name }) => name !== ours.name);
  const compares = peers.length > 0 && peers.length < targets.length;
  const lines = rows.map((row) => [
    row.title,
    row.unit,
    ...targets.map(({ name }) => cell(row, name, figures)),
    ...(compares ? [ratio(row, peers, figures)] : []),
  ]);
  const head = ['', '', ...targets.map(({ name, version }) => `${name} ${version}`), ...(compares ? ['ours / best peer'] : [])];
  return render([head, ...lines]);
}

/** @param {Row} row @param {string} target @param {Figures} figures */
function cell(row, target, figures) {
  if (figures.hasFailed(row.name, target)) return 'failed';
  return `${format(figures.median(row.name, target))}${figures.hasRemark(row.name, target) ? ' *' : ''}`;
}

/** @param {Row} row @param {readonly { name: string }[]} peers @param {Figures} figures */
function ratio(row, peers, figures) {
  const own = figures.median(row.name, ours.name);
  const others = peers.map(({ name }) => figures.median(row.name, name)).filter((figure) => figure !== undefined);
  if (own === undefined || others.length === 0) return '';
  return (row.lessIsBetter ? Math.min(...others) / own : own / Math.max(...others)).toFixed(2);
}

/** Three digits that count, thousands apart. @param {number | undefined} figure */
export function format(figure) {
  if (figure === undefined) return '';
  const rounded = Number(figure.toPrecision(3));
  return rounded < 100 ? String(rounded) : rounded.toLocaleString('en').replaceAll(',', ' ');
}

/** @param {readonly (readonly string[])[]} cells the first line is the head */
function render(cells) {
  const widths = (cells[0] ?? []).map((_, column) => Math.max(3, ...cells.map((line) => line[column]?.length ?? 0)));
  const isText = (/** @type {number} */ column) => column < 2;
  const lines = cells.map((line) =>
    line.map((cell, column) => (isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))),
  );
  lines.splice(
    1,
    0,
    widths.map((width, column) => (isText(column) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)),
  );
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}
