import { settle } from './disk.js';
import { format } from './table.js';

/** @typedef {import('./registry.js').Registry} Registry */
/** @typedef {import('./rows/row.js').Row} Row */
/** @typedef {import('./figures.js').Figures} Figures */

const LONGEST_MINUTES = 15;

/**
 * Measures each row on each registry in turns, so that what else happens on the machine falls on all alike.
 * @param {readonly Row[]} rows
 * @param {readonly Registry[]} registries
 * @param {Figures} figures
 * @param {{ rounds: number, seconds: number, directory: string }} options
 */
export async function takeTurns(rows, registries, figures, { rounds, seconds, directory }) {
  // All at once: nothing is measured yet, and giving zot 10 000 tags takes minutes.
  await Promise.all(
    registries.map(async (registry) => {
      for (const row of rows) {
        if (row.prepare !== undefined) await attempt(row, registry, figures, 'prepared', () => row.prepare?.(registry));
      }
    }),
  );
  for (let round = 1; round <= rounds; round++) {
    for (const row of rows) {
      for (const registry of rotated(registries, round)) {
        await settle(directory);
        await attempt(row, registry, figures, `round ${round} of ${rounds}`, () => row.measure(registry, { round, seconds }));
      }
    }
  }
}

/**
 * @param {Row} row
 * @param {Registry} registry
 * @param {Figures} figures
 * @param {string} what
 * @param {() => Promise<number | string | void> | undefined} work
 */
export async function attempt(row, registry, figures, what, work) {
  const { name } = registry.kind;
  if (figures.hasFailed(row.name, name)) return;
  try {
    const started = Date.now();
    const figure = await limited(registry, work());
    if (typeof figure === 'number') figures.add(row.name, name, figure);
    if (typeof figure === 'string') figures.remark(row.name, name, figure);
    const shown = typeof figure === 'number' ? `${format(figure)} ${row.unit}` : `in ${format((Date.now() - started) / 1000)} s`;
    console.error(`${what}  ${row.name.padEnd(13)}  ${name.padEnd(15)}  ${shown}`);
  } catch (error) {
    figures.fail(row.name, name, error);
    console.error(`${what}  ${row.name.padEnd(13)}  ${name.padEnd(15)}  failed: ${figures.failures.get(`${row.name} ${name}`)}`);
  }
}

/** A registry that takes too long is stopped, or it would disturb the others' turns. @template T @param {Registry} registry @param {T} work */
async function limited(registry, work) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      void registry.stop();
      reject(new Error(`not done within ${LONGEST_MINUTES} minutes; the registry was stopped`));
    }, LONGEST_MINUTES * 60_000);
  });
  try {
    return await Promise.race([work, /** @type {Promise<never>} */ (late)]);
  } finally {
    clearTimeout(timer);
  }
}

/** @template T @param {readonly T[]} all @param {number} by */
function rotated(all, by) {
  const at = by % all.length;
  return [...all.slice(at), ...all.slice(0, at)];
}
