import { spawn } from 'node:child_process';
import { statfs } from 'node:fs/promises';

const TMPFS = 0x01021994;

/** @param {string} directory */
export async function freeBytes(directory) {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** @param {string} directory */
export async function isInMemory(directory) {
  return (await statfs(directory)).type === TMPFS;
}

/** Waits until the disk has what was written, so that nobody pays for the one before. @param {string} directory @returns {Promise<void>} */
export function settle(directory) {
  return new Promise((resolve) => {
    const child = spawn('sync', ['-f', directory], { stdio: 'ignore', timeout: 60_000 });
    child.once('error', () => resolve()).once('exit', () => resolve());
  });
}
