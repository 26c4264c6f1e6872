import { everything, SortedMap } from './sorted-map.js';

/**
 * What a transaction wrote, by key. Most transactions never ask for an order, and that of thousands of keys costs more than all else that is done with them: it is
 * made when somebody reads or clears a range that may have some, and kept from there on.
 */
export class OwnWrites<V> {
  /** Until there is an order; by their bytes as Latin-1. */
  #unordered: Map<string, { readonly key: Buffer; value: V }> | undefined = new Map();
  readonly #ordered = new SortedMap<V>();
  #least: Buffer | undefined;
  #greatest: Buffer | undefined;

  get(key: Buffer): V | undefined {
    return this.#unordered === undefined ? this.#ordered.get(key) : this.#unordered.get(key.toString('latin1'))?.value;
  }

  /** Keeps `key` itself, not a copy. */
  set(key: Buffer, value: V): void {
    if (this.#unordered === undefined) {
      this.#ordered.set(key, value);
      return;
    }
    const text = key.toString('latin1');
    const held = this.#unordered.get(text);
    if (held !== undefined) {
      held.value = value;
      return;
    }
    this.#unordered.set(text, { key, value });
    if (this.#least === undefined || Buffer.compare(key, this.#least) < 0) this.#least = key;
    if (this.#greatest === undefined || Buffer.compare(key, this.#greatest) > 0) this.#greatest = key;
  }

  deleteRange(begin: Buffer, end: Buffer): void {
    if (this.#mayHave(begin, end)) this.#inOrder().deleteRange(begin, end);
  }

  hasWithin(begin: Buffer, end: Buffer): boolean {
    if (!this.#mayHave(begin, end)) return false;
    for (const _ of this.#inOrder().range(begin, end, false)) return true;
    return false;
  }

  /** The pairs of `[begin, end)`, lazily. Nothing may be written meanwhile. */
  range(begin: Buffer, end: Buffer, reverse: boolean): Iterable<{ readonly key: Buffer; readonly value: V }> {
    return this.#mayHave(begin, end) ? this.#inOrder().range(begin, end, reverse) : [];
  }

  /** All pairs, in any order. */
  all(): Iterable<{ readonly key: Buffer; readonly value: V }> {
    return this.#unordered === undefined ? everything(this.#ordered) : this.#unordered.values();
  }

  #mayHave(begin: Buffer, end: Buffer): boolean {
    if (this.#unordered === undefined) return true;
    if (this.#least === undefined || this.#greatest === undefined) return false;
    return Buffer.compare(begin, this.#greatest) <= 0 && Buffer.compare(this.#least, end) < 0;
  }

  #inOrder(): SortedMap<V> {
    if (this.#unordered !== undefined) {
      for (const { key, value } of this.#unordered.values()) this.#ordered.set(key, value);
      this.#unordered = undefined;
    }
    return this.#ordered;
  }
}
