import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ownChild } from '../cleanup.js';
import { findProgram } from '../find-program.js';

const script = fileURLToPath(new URL('summary.lua', import.meta.url));

export const wrkMissing = 'wrk is not here: apt install wrk';

/** @returns {string | undefined} */
export const findWrk = () => findProgram('wrk');

/**
 * GET requests a second that wrk got answered with 2xx, over one thread.
 * @param {object} load
 * @param {number} load.port
 * @param {string} load.path
 * @param {Record<string, string>} load.headers an empty value leaves the header out
 * @param {number} load.connections
 * @param {number} load.seconds
 */
export async function wrk({ port, path, headers, connections, seconds }) {
  const url = `http://127.0.0.1:${port}${path}`;
  const lines = Object.entries(headers).filter(([, value]) => value !== '');
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', script];
  for (const [name, value] of lines) args.push('-H', `${name}: ${value}`);
  const child = ownChild(spawn(findWrk() ?? 'wrk', [...args, url], { stdio: ['ignore', 'pipe', 'pipe'] }));
  const limit = setTimeout(() => child.kill('SIGKILL'), (seconds + 60) * 1000);
  const ended = new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  const [out, problem] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  clearTimeout(limit);
  const summary = /^bench (.*)$/m.exec(out)?.[1];
  if (summary === undefined) throw new Error(`wrk did not end well: ${problem.trim() || out.trim()}`);
  const { requests, microseconds, failed, broken } = JSON.parse(summary);
  if (requests === 0 || failed > 0 || broken > 0) {
    throw new Error(`GET ${path} by wrk: ${requests} requests, ${failed} of them not 2xx, ${broken} broken`);
  }
  return requests / (microseconds / 1e6);
}
