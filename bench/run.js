import { arch, cpus } from 'node:os';
import { build } from './build.js';
import { dropDirectory, ownDirectory } from './cleanup.js';
import { freeBytes, isInMemory } from './disk.js';
import { Figures } from './figures.js';
import { findWrk, wrkMissing } from './load/wrk.js';
import { BadOption, parseOptions, usage } from './options.js';
import { startRegistry } from './registry.js';
import { bigBytes, bigMemory, memory } from './rows/memory.js';
import { table } from './table.js';
import { ours } from './targets/index.js';
import { attempt, takeTurns } from './turns.js';

/** @typedef {import('./registry.js').Kind} Kind */
/** @typedef {import('./registry.js').Found} Found */
/** @typedef {ReturnType<typeof parseOptions>} Options */

/** @param {Options} options */
async function main(options) {
  const here = await findTargets(options);
  const rows = await findRows(options);
  const figures = new Figures();

  const turned = rows.filter((row) => row !== memory && row !== bigMemory);
  if (turned.length > 0 || rows.includes(memory)) await measureAll(options, here, figures, turned, rows.includes(memory));
  if (rows.includes(bigMemory)) await measureBig(options, here, figures);

  const targets = here.map(({ kind, found }) => ({ name: kind.name, version: found.version }));
  console.log(`\n${table(rows, targets, figures)}\n`);
  console.log(
    `Medians of ${options.rounds} rounds; turns by time took ${options.seconds} s. ${cpus().length} x ${cpus()[0]?.model.trim()} (${arch()}), Node ${process.version}.`,
  );
  for (const [what, remark] of figures.remarks) console.log(`* ${what}: ${remark}`);
  for (const [what, problem] of figures.failures) console.log(`failed: ${what}: ${problem}`);
  return figures.failures.size === 0 ? 0 : 1;
}

/** @param {Options} options @param {readonly Here[]} here @param {Figures} figures @param {Options['rows']} rows @param {boolean} withMemory */
async function measureAll(options, here, figures, rows, withMemory) {
  const directory = ownDirectory(options.directory);
  const registries = await Promise.all(here.map(({ kind, found }) => startRegistry(kind, found, directory)));
  await takeTurns(rows, registries, figures, { ...options, directory });
  for (const registry of registries) {
    if (withMemory)
      await attempt(memory, registry, figures, 'at the end', () => memory.measure(registry, { round: 1, seconds: 0 }));
    await registry.stop();
  }
  dropDirectory(directory);
}

/** One registry at a time, each on an empty directory. @param {Options} options @param {readonly Here[]} here @param {Figures} figures */
async function measureBig(options, here, figures) {
  for (const { kind, found } of here) {
    const directory = ownDirectory(options.directory);
    const registry = await startRegistry(kind, found, directory);
    await attempt(bigMemory, registry, figures, 'once', () => bigMemory.measure(registry, { round: 1, seconds: 0 }));
    await registry.stop();
    dropDirectory(directory);
  }
}

/** @typedef {{ readonly kind: Kind, readonly found: Found }} Here */

/** @param {Options} options @returns {Promise<readonly Here[]>} */
async function findTargets(options) {
  if (options.build && options.targets.includes(ours)) build();
  const here = [];
  for (const kind of options.targets) {
    const found = kind.find();
    if (found === undefined) console.error(`${kind.name} is not here, its column is left out: ${kind.missing}`);
    else here.push({ kind, found });
  }
  if (here.length === 0) throw new Error('none of the registries is here');
  return here;
}

/** @param {Options} options */
async function findRows(options) {
  const withoutWrk = findWrk() === undefined;
  if (withoutWrk && options.rows.some((row) => row.needsWrk))
    console.error(`${wrkMissing}; the rows that it drives are left out`);
  const roomless = (await freeBytes(options.directory)) < 2.5 * bigBytes;
  if (roomless && options.rows.includes(bigMemory))
    console.error(`too little room in ${options.directory} for ${bigMemory.name}: left out`);
  if (await isInMemory(options.directory)) console.error(`${options.directory} is in memory: what is written never meets a disk`);
  return options.rows.filter((row) => !(withoutWrk && row.needsWrk) && !(roomless && row === bigMemory));
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(usage);
  else process.exit(await main(options));
} catch (error) {
  if (error instanceof BadOption) console.error(`${error.message}. See --help.`);
  else console.error(error);
  process.exit(error instanceof BadOption ? 2 : 1);
}
