import { run, stepsOf, type RunOptions, type RunResult } from './run.js';

export interface Shrunk {
  readonly options: RunOptions;
  readonly result: RunResult;
  readonly runs: number;
}

/**
 * The shortest run that still violates the same invariant, as far as it is found in `budgetMs` of `now`: steps are left out, in ever smaller parts, then the
 * faults that need not strike.
 */
export async function shrink(options: RunOptions, found: RunResult, budgetMs: number, now: () => number): Promise<Shrunk> {
  const invariant = found.violations[0]?.invariant;
  const end = now() + budgetMs;
  let best: Shrunk = { options, result: found, runs: 0 };
  let runs = 0;

  const fails = async (candidate: RunOptions): Promise<boolean> => {
    runs += 1;
    const result = await run(candidate);
    if (!result.violations.some((violation) => violation.invariant === invariant)) return false;
    best = { options: candidate, result, runs };
    return true;
  };
  /** Leaves parts of `all` out, as long as the rest still fails; what is left. */
  const reduce = async (
    all: readonly string[],
    candidateOf: (kept: readonly string[]) => RunOptions,
  ): Promise<readonly string[]> => {
    let kept = all;
    for (let part = Math.ceil(kept.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
      for (let at = 0; at < kept.length && now() < end;) {
        const rest = [...kept.slice(0, at), ...kept.slice(at + part)];
        if (rest.length < kept.length && (await fails(candidateOf(rest)))) kept = rest;
        else at += part;
      }
    }
    return kept;
  };

  for (let before = Infinity; stepsOf(best.options).length < before && now() < end;) {
    before = stepsOf(best.options).length;
    const { spared } = best.options;
    const ids = stepsOf(best.options).map(({ id }) => String(id));
    await reduce(ids, (kept) => ({ ...options, only: new Set(kept.map(Number)), spared }));
    const { only } = best.options;
    const faults = stepsOf(best.options).flatMap(({ id, faults: its }) => its.map((_, index) => `${id}.${index}`));
    // Faults are numbered among all of a step's: those that are spared already must not shift the others.
    if (spared === undefined) {
      await reduce(faults, (kept) => ({ ...options, only, spared: new Set(faults.filter((fault) => !kept.includes(fault))) }));
    }
  }
  // Once more, for the stack of an error that nobody expected.
  return { options: best.options, result: await run({ ...best.options, stacks: true }), runs };
}
