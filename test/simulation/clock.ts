import type { SimulatedClock } from '../../src/keyvalue/simulated.js';

interface Sleeper {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
}

/** More than the longest pause of the simulated store and blobs: whoever is awake has done something in so many turns. */
const TURNS_A_TICK = 5;
/** Milliseconds that a tick of work takes. */
const TICK_MS = 0.4;
/** So many ticks in which nobody does anything and nobody waits for a time: they wait for each other. */
const IDLE_TICKS = 50;

/**
 * The simulation's time. It passes slowly while anybody works, so that a transaction ends long before it is too old, and at once where all wait. Whoever works
 * says so by `touch`.
 */
export class SimulationClock implements SimulatedClock {
  #now: number;
  #sleepers: Sleeper[] = [];
  #order = 0;
  #touched = 0;

  /** `start` in milliseconds since 1970. */
  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  touch(): void {
    this.#touched += 1;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Calls `wake` after `ms`; gives what calls it off. */
  after(ms: number, wake: () => void): () => void {
    const sleeper = { at: this.#now + Math.max(0, ms), order: (this.#order += 1), wake };
    this.#sleepers.push(sleeper);
    return () => {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
    };
  }

  /** Calls `task` every `ms`, once for a jump over many; gives what ends it. */
  every(ms: number, task: () => void): () => void {
    let cancel = (): void => undefined;
    const wait = (): void => {
      cancel = this.after(ms, () => {
        wait();
        task();
      });
    };
    wait();
    return () => cancel();
  }

  /** Moves the clock, and wakes whoever slept until then. */
  advance(ms: number): void {
    this.#now += ms;
    if (!this.#sleepers.some((sleeper) => sleeper.at <= this.#now)) return;
    const due = this.#sleepers.filter((sleeper) => sleeper.at <= this.#now).sort((a, b) => a.at - b.at || a.order - b.order);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.at > this.#now);
    for (const sleeper of due) sleeper.wake();
  }

  /** Lets time pass until `work` ends. Throws when it takes more than `limitMs` of this clock, or when all wait for each other. */
  async during<T>(work: Promise<T>, limitMs: number, what: string): Promise<T> {
    const end = this.#now + limitMs;
    const state = { over: false };
    const stop = (): void => void (state.over = true);
    work.then(stop, stop);
    let idle = 0;
    for (;;) {
      const before = this.#touched;
      for (let turn = 0; turn < TURNS_A_TICK; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      if (state.over) return work;
      if (this.#now > end) throw new NoProgressError(`${what} takes longer than ${limitMs / 1_000} s`);
      if (this.#touched !== before) {
        idle = 0;
        this.advance(TICK_MS);
        continue;
      }
      const next = this.#sleepers.reduce((earliest, sleeper) => Math.min(earliest, sleeper.at), Infinity);
      if (next !== Infinity) this.advance(Math.max(0, next - this.#now));
      else if ((idle += 1) > IDLE_TICKS)
        throw new NoProgressError(`${what} stands still: nobody works, and nobody waits for a time`);
    }
  }
}

export class NoProgressError extends Error {
  override readonly name = 'NoProgressError';
}
