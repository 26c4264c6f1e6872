import { limits } from './database.js';

/** A map over byte keys in unsigned lexicographic order. `clone` shares everything until one side writes, so a snapshot costs next to nothing. */

interface Chunk<V> {
  readonly keys: Buffer[];
  readonly values: V[];
  /** Whose write may change this chunk in place; everybody else copies it first. */
  readonly owner: symbol;
}

// Small enough to copy at every first write after a clone, large enough that the list of chunks of a million keys is short.
const CHUNK_KEYS = 96;

export class SortedMap<V> {
  #chunks: Chunk<V>[] = [];
  #owner = Symbol();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  clone(): SortedMap<V> {
    const copy = new SortedMap<V>();
    copy.#chunks = this.#chunks.slice();
    copy.#size = this.#size;
    this.#owner = Symbol();
    return copy;
  }

  get(key: Uint8Array): V | undefined {
    const chunk = this.#chunks[this.#chunkOf(key)];
    if (chunk === undefined) return undefined;
    const index = lowerBound(chunk.keys, key);
    return isAt(chunk.keys, index, key) ? chunk.values[index] : undefined;
  }

  /** Keeps `key` itself, not a copy. */
  set(key: Buffer, value: V): void {
    const at = this.#chunkOf(key);
    const held = this.#chunks[at];
    if (held === undefined) {
      this.#chunks.push({ keys: [key], values: [value], owner: this.#owner });
      this.#size += 1;
      return;
    }
    const chunk = this.#own(at, held);
    const index = lowerBound(chunk.keys, key);
    if (isAt(chunk.keys, index, key)) {
      chunk.values[index] = value;
      return;
    }
    chunk.keys.splice(index, 0, key);
    chunk.values.splice(index, 0, value);
    this.#size += 1;
    if (chunk.keys.length > CHUNK_KEYS) {
      // Keys mostly come in ascending order: cutting near the end leaves full chunks behind.
      const cut = index === chunk.keys.length - 1 ? chunk.keys.length - 1 : chunk.keys.length >>> 1;
      this.#chunks.splice(at + 1, 0, { keys: chunk.keys.splice(cut), values: chunk.values.splice(cut), owner: this.#owner });
    }
  }

  delete(key: Uint8Array): void {
    const at = this.#chunkOf(key);
    const held = this.#chunks[at];
    if (held === undefined) return;
    const index = lowerBound(held.keys, key);
    if (isAt(held.keys, index, key)) this.#cut(at, held, index, index + 1);
  }

  /** Removes the keys of `[begin, end)`. */
  deleteRange(begin: Uint8Array, end: Uint8Array): void {
    if (Buffer.compare(begin, end) >= 0) return;
    const first = this.#chunkOf(begin);
    const last = this.#chunkOf(end);
    for (let at = last; at >= first; at -= 1) {
      const chunk = this.#chunks[at];
      if (chunk !== undefined) this.#cut(at, chunk, lowerBound(chunk.keys, begin), lowerBound(chunk.keys, end));
    }
  }

  /** The pairs of `[begin, end)`, lazily. Do not write to the map while iterating; write to a clone. */
  *range(begin: Uint8Array, end: Uint8Array, reverse: boolean): Generator<{ readonly key: Buffer; readonly value: V }> {
    if (Buffer.compare(begin, end) >= 0) return;
    const chunks = this.#chunks;
    let at = this.#chunkOf(reverse ? end : begin);
    for (; at >= 0 && at < chunks.length; at += reverse ? -1 : 1) {
      const chunk = chunks[at];
      if (chunk === undefined) return;
      const low = lowerBound(chunk.keys, begin);
      const high = lowerBound(chunk.keys, end);
      for (let step = 0; step < high - low; step += 1) {
        const index = reverse ? high - 1 - step : low + step;
        const key = chunk.keys[index];
        // The index is in bounds; V may itself contain undefined.
        if (key !== undefined) yield { key, value: chunk.values[index] as V };
      }
      if (reverse ? low > 0 : high < chunk.keys.length) return;
    }
  }

  /** Index of the last chunk that begins at or before `key`, or 0. */
  #chunkOf(key: Uint8Array): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const first = this.#chunks[middle]?.keys[0];
      if (first !== undefined && Buffer.compare(first, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  #own(at: number, chunk: Chunk<V>): Chunk<V> {
    if (chunk.owner === this.#owner) return chunk;
    const copy = { keys: chunk.keys.slice(), values: chunk.values.slice(), owner: this.#owner };
    this.#chunks[at] = copy;
    return copy;
  }

  /** Removes `[from, to)` of a chunk, and the chunk when nothing is left: no chunk is ever empty. */
  #cut(at: number, chunk: Chunk<V>, from: number, to: number): void {
    if (from >= to) return;
    this.#size -= to - from;
    if (to - from === chunk.keys.length) {
      this.#chunks.splice(at, 1);
      return;
    }
    const own = this.#own(at, chunk);
    own.keys.splice(from, to - from);
    own.values.splice(from, to - from);
  }
}

const FIRST_KEY = Buffer.alloc(0);
const AFTER_LAST_KEY = Buffer.alloc(limits.keyBytes + 1, 0xff);

/** All pairs of a map whose keys are within the port's limits, in order. */
export function everything<V>(map: SortedMap<V>): Iterable<{ readonly key: Buffer; readonly value: V }> {
  return map.range(FIRST_KEY, AFTER_LAST_KEY, false);
}

function lowerBound(keys: readonly Buffer[], key: Uint8Array): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const held = keys[middle];
    if (held !== undefined && Buffer.compare(held, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isAt(keys: readonly Buffer[], index: number, key: Uint8Array): boolean {
  const held = keys[index];
  return held !== undefined && Buffer.compare(held, key) === 0;
}
