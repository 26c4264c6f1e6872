import { readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.js';
import { ownDirectory } from './cleanup.js';
import { selfTimes } from './profile-summary.js';
import { startRegistry } from './registry.js';
import { rows } from './rows/index.js';
import { format } from './table.js';
import { ours } from './targets/index.js';

const { values, positionals } = parse();
const row = rows.find(({ name }) => name === positionals[0]);
if (row === undefined) wrong(positionals[0] === undefined ? 'a row is missing' : `there is no row "${positionals[0]}"`);

if (!values['no-build']) build();
const found = ours.find();
if (found === undefined) throw new Error(ours.missing);
const directory = ownDirectory(tmpdir());
const profiles = join(directory, 'profiles');
const registry = await startRegistry(ours, found, directory, ['--cpu-prof', `--cpu-prof-dir=${profiles}`]);
const remark = await row.prepare?.(registry);
if (remark) console.log(remark);
const from = now();
const figure = await row.measure(registry, { round: 1, seconds: Number(values.seconds) });
const until = now();
await registry.stop();
console.log(`${row.title}: ${format(figure)} ${row.unit} while profiled`);

// One file a thread; the main thread's number is 0.
const files = readdirSync(profiles).sort();
if (files.length === 0) console.error('no profile was written: the server did not end by itself');
for (const file of files) {
  const { total, functions } = selfTimes(JSON.parse(readFileSync(join(profiles, file), 'utf8')), from, until);
  console.log(`\nthread ${file.split('.')[4]}: ${format(total / 1000)} ms`);
  for (const [name, time] of functions.slice(0, Number(values.top))) {
    console.log(`${((100 * time) / total).toFixed(1).padStart(5)} %  ${format(time / 1000).padStart(7)} ms  ${name}`);
  }
}

/** Microseconds of the clock that V8 stamps samples with. */
function now() {
  return Number(process.hrtime.bigint() / 1000n);
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        seconds: { type: 'string', default: '5' },
        top: { type: 'string', default: '30' },
        'no-build': { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return wrong(/** @type {Error} */ (error).message.split('. ')[0] ?? '');
  }
}

/** @param {string} problem @returns {never} */
function wrong(problem) {
  console.error(`${problem}\n`);
  console.error(
    'node bench/profile.js ROW [--seconds N] [--top N] [--no-build]: where this registry spends its time in one row.',
  );
  console.error(`Rows: ${rows.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
