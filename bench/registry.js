import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownChild } from './cleanup.js';

/**
 * A registry that can be measured: how it is found, and how it is started.
 * @typedef {object} Kind
 * @property {string} name
 * @property {() => Found | undefined} find
 * @property {string} missing what is told when it is not found
 * @property {(directory: string, port: number) => { args: readonly string[], env?: Record<string, string> }} configure writes what it
 *   needs into the directory
 * @property {string} [credentials] user:password
 */
/** @typedef {{ readonly command: string, readonly version: string }} Found */

const READY_SECONDS = 60;
const STOP_SECONDS = 15;

/**
 * A running registry with a directory of its own, on a free port of 127.0.0.1.
 * @typedef {object} Registry
 * @property {Kind} kind
 * @property {number} port
 * @property {() => number} peakBytes the most memory that its processes ever had resident
 * @property {() => number} cpuMs the processor time of its process, all threads
 * @property {() => Promise<void>} stop
 */

/**
 * @param {Kind} kind
 * @param {Found} found
 * @param {string} parent
 * @param {readonly string[]} [before] arguments of the command before its own
 * @returns {Promise<Registry>}
 */
export async function startRegistry(kind, found, parent, before = []) {
  const directory = join(parent, kind.name);
  mkdirSync(directory, { recursive: true });
  const port = await freePort();
  const { args, env } = kind.configure(directory, port);
  const log = join(directory, 'bench.log');
  const output = openSync(log, 'a');
  // Nothing else of the environment: a variable of the caller's must not change what is measured.
  const environment = { PATH: process.env.PATH, HOME: directory, ...env };
  const child = ownChild(
    spawn(found.command, [...before, ...args], { cwd: directory, env: environment, stdio: ['ignore', output, output] }),
  );
  closeSync(output);
  const ended = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
  const state = { ended: false };
  void ended.then(() => (state.ended = true));

  for (const until = Date.now() + READY_SECONDS * 1000; !(await answers(port)); await sleep(50)) {
    if (!state.ended && Date.now() < until) continue;
    child.kill('SIGKILL');
    throw new Error(`${kind.name} did not start:\n${readFileSync(log, 'utf8').trim().slice(-2000)}`);
  }
  return {
    kind,
    port,
    peakBytes: () => peakOfTree(child.pid ?? 0),
    cpuMs: () => cpuOf(child.pid ?? 0),
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_SECONDS * 1000);
      await ended;
      clearTimeout(late);
    },
  };
}

/** @param {number} port */
async function answers(port) {
  const answer = await fetch(`http://127.0.0.1:${port}/v2/`, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
  await answer?.arrayBuffer();
  return answer?.status === 200 || answer?.status === 401;
}

/** @param {number} pid @returns {number} */
function peakOfTree(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  const own = Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? NaN) * 1024;
  return children.reduce((sum, child) => sum + peakOfTree(child), own);
}

/** @param {number} pid */
function cpuOf(pid) {
  // /proc/<pid>/stat counts in hundredths of a second; the scheduler in nanoseconds, thread by thread.
  const threads = readdirSync(`/proc/${pid}/task`);
  return (
    threads.reduce((sum, id) => sum + Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]), 0) / 1e6
  );
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {net.AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}
