import { spawnSync } from 'node:child_process';

/** What the program says its version is. @param {string} command @param {RegExp} pattern */
export function versionOf(command, pattern) {
  const { stdout, stderr } = spawnSync(command, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'of unknown version';
}
