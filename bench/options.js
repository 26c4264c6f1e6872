import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { rows } from './rows/index.js';
import { targets } from './targets/index.js';

export const usage = `Measures this registry beside its peers, and prints one table.

node bench/run.js [options]
  --rows a,b        only these rows: ${wrapped(rows)}
  --targets a,b     only these registries: ${wrapped(targets)}
  --rounds N        turns of each row, the table has their median (default 3)
  --seconds N       length of a turn that is measured by time (default 3)
  --no-big          without the pushes of 2 GB (row memory-big; needs 20 GB of disk)
  --no-build        take dist/ as it is
  --directory DIR   where the registries keep their data (default ${tmpdir()})
  --help

Peers are looked for in the directories of BENCH_PEERS, then on PATH.`;

export class BadOption extends Error {}

/** @param {readonly string[]} args */
export function parseOptions(args) {
  const { values } = parse(args);
  const chosen = choose(rows, values.rows, '--rows').filter((row) => !values['no-big'] || row.name !== 'memory-big');
  return {
    help: values.help,
    rows: chosen,
    targets: choose(targets, values.targets, '--targets'),
    rounds: number(values.rounds, '--rounds', 50),
    seconds: number(values.seconds, '--seconds', 60),
    build: !values['no-build'],
    directory: values.directory,
  };
}

/** @param {readonly string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rows: { type: 'string' },
        targets: { type: 'string' },
        rounds: { type: 'string', default: '3' },
        seconds: { type: 'string', default: '3' },
        'no-big': { type: 'boolean', default: false },
        'no-build': { type: 'boolean', default: false },
        directory: { type: 'string', default: tmpdir() },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    // Node's own message goes on with advice about positional arguments; its first sentence says what is wrong.
    throw new BadOption(/** @type {Error} */ (error).message.split('. ')[0]);
  }
}

/** @template {{ name: string }} T @param {readonly T[]} all @param {string | undefined} list @param {string} option */
function choose(all, list, option) {
  if (list === undefined) return all;
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined) {
    throw new BadOption(`${option}: there is no "${unknown}"; there are ${all.map(({ name }) => name).join(', ')}`);
  }
  return all.filter(({ name }) => names.includes(name));
}

/** @param {string} value @param {string} option @param {number} most */
function number(value, option, most) {
  if (!/^\d+$/.test(value) || Number(value) < 1 || Number(value) > most) {
    throw new BadOption(`${option}: "${value}" is not a whole number from 1 to ${most}`);
  }
  return Number(value);
}

/** @param {readonly { name: string }[]} all */
function wrapped(all) {
  const lines = [''];
  for (const { name } of all) {
    const last = lines[lines.length - 1] ?? '';
    if (last.length + name.length > 80) lines.push(name);
    else lines[lines.length - 1] = last === '' ? name : `${last}, ${name}`;
  }
  return lines.join(',\n                    ');
}
