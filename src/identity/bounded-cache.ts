/**
 * A map that forgets. Two generations: what is asked for in the old one moves to the young one; when the young one is full it becomes the old one, and what
 * nobody asked for is gone. Guaranteed: at most `2 * generation` entries, a hit in the young generation writes nothing. Not guaranteed: strict LRU order.
 */
export class BoundedCache<V> {
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  constructor(readonly generation: number) {}

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.generation && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
