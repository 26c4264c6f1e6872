import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @typedef {{ functionName: string, url: string, lineNumber: number }} CallFrame */
/**
 * What V8 writes as .cpuprofile; times are microseconds.
 * @typedef {{ nodes: { id: number, callFrame: CallFrame }[], startTime: number, samples: number[], timeDeltas: number[] }} Profile
 */

/**
 * Where the time went between two moments of the machine's monotonic clock: self time by function, the longest first.
 * @param {Profile} profile @param {number} from microseconds @param {number} until microseconds
 */
export function selfTimes(profile, from, until) {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, describe(callFrame)]));
  /** @type {Map<string, number>} */
  const times = new Map();
  let total = 0;
  let now = profile.startTime;
  for (const [index, node] of profile.samples.entries()) {
    // A delta is the time before its sample; what follows a sample is its own.
    now += profile.timeDeltas[index] ?? 0;
    if (now < from || now > until) continue;
    const own = profile.timeDeltas[index + 1] ?? 0;
    const name = names.get(node) ?? '?';
    times.set(name, (times.get(name) ?? 0) + own);
    total += own;
  }
  return { total, functions: [...times].sort(([, a], [, b]) => b - a) };
}

/** @param {CallFrame} frame */
function describe({ functionName, url, lineNumber }) {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const file = url.startsWith('file:') ? relative(root, fileURLToPath(url)) : url;
  return `${name}  ${file}:${lineNumber + 1}`;
}
