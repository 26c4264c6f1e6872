import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/** @type {Set<ChildProcess>} */
const children = new Set();
/** @type {Set<string>} */
const directories = new Set();

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const directory of directories) remove(directory);
});
for (const [signal, number] of /** @type {const} */ ([
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
])) {
  process.on(signal, () => process.exit(128 + number));
}

/** Ends with this process, whatever ends it. @template {ChildProcess} T @param {T} child */
export function ownChild(child) {
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** A directory that goes with this process. @param {string} parent */
export function ownDirectory(parent) {
  const directory = mkdtempSync(join(parent, 'artifact-store-bench-'));
  directories.add(directory);
  return directory;
}

/** @param {string} directory */
export function dropDirectory(directory) {
  remove(directory);
  directories.delete(directory);
}

/** @param {string} directory */
function remove(directory) {
  // A server killed a moment ago may still be writing.
  rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
