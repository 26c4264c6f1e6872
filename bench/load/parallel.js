import { Connection } from '../client/connection.js';
import { authorize } from '../client/token.js';

/** @typedef {import('../registry.js').Registry} Registry */

/**
 * Runs the same work over some connections at once; the seconds that it took from the first request to the last answer. Tokens and
 * connections are had before.
 * @param {Registry} registry
 * @param {number} count
 * @param {readonly string[]} scopes
 * @param {(connection: Connection, index: number) => Promise<void>} work
 */
export async function inParallel(registry, count, scopes, work) {
  const authorization = await authorize(registry, scopes);
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(registry.port, authorization)));
  try {
    const started = performance.now();
    await Promise.all(connections.map(work));
    return (performance.now() - started) / 1000;
  } finally {
    for (const connection of connections) connection.close();
  }
}

/**
 * One connection, as `inParallel`.
 * @param {Registry} registry @param {readonly string[]} scopes @param {(connection: Connection) => Promise<void>} work
 */
export const alone = (registry, scopes, work) => inParallel(registry, 1, scopes, work);

/** Work that is shared out by the next free connection. @template T @param {Iterable<T>} items */
export function shareOut(items) {
  const iterator = items[Symbol.iterator]();
  /** @param {(item: T) => Promise<void>} work */
  return async (work) => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value);
  };
}
