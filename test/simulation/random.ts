/** In [0, 1). */
export type Random = () => number;

/** mulberry32, as the simulated store's: small, fast, and good enough to choose steps. Two numbers that differ in one bit give unlike sequences. */
export function randomFrom(seed: number): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from 0 up to, and without, `end`. */
export function below(random: Random, end: number): number {
  return Math.floor(random() * end);
}

export function pick<T>(random: Random, from: readonly T[]): T {
  const picked = from[below(random, from.length)];
  if (picked === undefined) throw new Error('nothing to pick from');
  return picked;
}

/** One of the rows, as often as its weight says. */
export function weighted<T>(random: Random, rows: readonly (readonly [weight: number, value: T])[]): T {
  let left = random() * rows.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, value] of rows) {
    left -= weight;
    if (left < 0) return value;
  }
  return pick(random, rows)[1];
}

/** Some of them, in their order; possibly none. */
export function some<T>(random: Random, from: readonly T[], chance: number): readonly T[] {
  return from.filter(() => random() < chance);
}
