import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The program's path: in the directories of BENCH_PEERS, then on PATH. @param {string} name @returns {string | undefined} */
export function findProgram(name) {
  const directories = [process.env.BENCH_PEERS, process.env.PATH].flatMap((list) => (list ?? '').split(delimiter));
  return directories
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find(isProgram);
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
