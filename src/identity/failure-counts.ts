import { BoundedCache } from './bounded-cache.js';

const FORGOTTEN_MS = 15 * 60_000;
const CACHE_GENERATION = 10_000;

interface Failures {
  readonly count: number;
  readonly last: number;
}

/** How often each of many failed lately: a quarter of an hour after its last failure it has none. Bounded: who was counted long ago is forgotten first. */
export class FailureCounts {
  readonly #failures = new BoundedCache<Failures>(CACHE_GENERATION);

  /** `now`: milliseconds, by a clock that never jumps. */
  constructor(readonly now: () => number) {}

  of(key: string): number {
    const found = this.#failures.get(key);
    return found === undefined || this.now() - found.last >= FORGOTTEN_MS ? 0 : found.count;
  }

  add(key: string): void {
    this.#failures.set(key, { count: this.of(key) + 1, last: this.now() });
  }

  /** What was counted was no failure. */
  takeBack(key: string): void {
    const found = this.#failures.get(key);
    if (found !== undefined) this.#failures.set(key, { ...found, count: Math.max(0, found.count - 1) });
  }
}
