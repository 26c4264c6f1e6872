/** So many tasks of one key run at once; the rest wait in the order in which they came, and beyond that are refused. Keys that nobody uses take no memory. */
export class Places {
  readonly #held = new Map<string, { running: number; readonly waiting: (() => void)[] }>();

  constructor(
    readonly atOnce: number,
    readonly waitingAtMost: number,
    /** Throws. */
    readonly refuse: () => never,
  ) {}

  async hold<T>(key: string, task: () => Promise<T>): Promise<T> {
    const held = this.#held.get(key) ?? { running: 0, waiting: [] };
    this.#held.set(key, held);
    if (held.running < this.atOnce) {
      held.running += 1;
    } else {
      if (held.waiting.length >= this.waitingAtMost) return this.refuse();
      await new Promise<void>((resolve) => held.waiting.push(resolve));
    }
    try {
      return await task();
    } finally {
      // The place passes on to who waits, or is free.
      const next = held.waiting.shift();
      if (next !== undefined) next();
      else if (held.running > 1) held.running -= 1;
      else this.#held.delete(key);
    }
  }
}
