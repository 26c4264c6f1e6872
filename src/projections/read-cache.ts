/** What tells two states of a store apart, a version or parts that are compared with `===`: where they are the same, whatever was found is found again. */
export type StoreState = bigint | readonly unknown[];

const CACHED_BYTES = 16 * 1024 * 1024;

/** What was found in the store's newest state that was seen, and nothing of any other. */
export class ReadCache {
  readonly #found = new Map<string, unknown>();
  #state: StoreState = [];
  #bytes = 0;

  /** Whether there is something under the key, of whatever state. */
  has(key: string): boolean {
    return this.#found.has(key);
  }

  /** What was found in this state; what was found in another is forgotten. */
  find(state: StoreState, key: string): { readonly value: unknown } | undefined {
    if (!isSame(state, this.#state)) {
      this.#state = state;
      this.#forget();
    }
    return this.#found.has(key) ? { value: this.#found.get(key) } : undefined;
  }

  /** `bytes`: about how much memory it takes. Nothing is kept of a state that is no longer the newest, nor what is larger than the whole cache. */
  keep(state: StoreState, key: string, value: unknown, bytes: number): void {
    const all = key.length + bytes;
    // While it was looked for, another read may have seen a newer state, or found the same.
    if (!isSame(state, this.#state) || this.#found.has(key) || all > CACHED_BYTES) return;
    // Begun anew: what is asked for again comes back, what came first and is asked for no more is not kept until the next commit.
    if (this.#bytes + all > CACHED_BYTES) this.#forget();
    this.#found.set(key, value);
    this.#bytes += all;
  }

  #forget(): void {
    this.#found.clear();
    this.#bytes = 0;
  }
}

function isSame(left: StoreState, right: StoreState): boolean {
  if (typeof left === 'bigint' || typeof right === 'bigint') return left === right;
  return left.length === right.length && left.every((part, index) => part === right[index]);
}
