/** @typedef {import('../registry.js').Registry} Registry */

/**
 * One line of the table.
 * @typedef {object} Row
 * @property {string} name what --rows calls it
 * @property {string} title
 * @property {string} unit
 * @property {boolean} [lessIsBetter]
 * @property {boolean} [needsWrk]
 * @property {(registry: Registry) => Promise<string | void>} [prepare] once per registry, before the first turn; a string is a remark
 *   that is printed with the table
 * @property {(registry: Registry, turn: Turn) => Promise<number>} measure
 */
/** @typedef {{ readonly round: number, readonly seconds: number }} Turn */

/** A preparation that several rows share, done once per registry. @template T @param {(registry: Registry) => Promise<T>} prepare */
export function once(prepare) {
  /** @type {WeakMap<Registry, Promise<T>>} */
  const done = new WeakMap();
  /** @param {Registry} registry */
  return (registry) => {
    const promise = done.get(registry) ?? prepare(registry);
    done.set(registry, promise);
    return promise;
  };
}
