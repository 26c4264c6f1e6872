import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, type Plugin } from 'esbuild';

import type { Violation } from './asked.js';
import { mutants, mutated, type Mutant } from './mutants.js';
import { run, type RunOptions, type RunResult } from './run.js';
import { shrink } from './shrink.js';
import { wordsOf } from './steps.js';

const usage = `usage: npm run simulate -- [options]

  --seed N       the seed of the (first) run; a random one without it
  --steps M      steps of each run (default 1000)
  --seeds K      runs K seeds, from N on (default 1)
  --jobs J       in J processes at once (default 1)
  --only A,B-C.. only these steps of the seed
  --spare A,B,.. without these faults, as <step>.<number of the fault in it>
  --shrink S     looks for a shorter run for S seconds after a failure (default 60; 0: does not)
  --counts       tells what happened how often
  --mutants      breaks the code on purpose, in one place after another, and tells which of K seeds (default 60) notices it
  --mutant TEXT  only where its name has this text
`;

interface Options {
  readonly seed: number;
  readonly steps: number;
  readonly seeds: number;
  readonly stride: number;
  readonly jobs: number;
  readonly shrinkSeconds: number;
  readonly only: ReadonlySet<number> | undefined;
  readonly spared: ReadonlySet<string> | undefined;
  readonly counts: boolean;
  /** Texts of the names of the mutants to be run. */
  readonly mutants: string | undefined;
}

class UsageError extends Error {}

function optionsFrom(args: readonly string[]): Options | 'help' {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        ...{
          seed: text,
          steps: text,
          seeds: text,
          jobs: text,
          only: text,
          spare: text,
          shrink: text,
          stride: text,
          mutant: text,
        },
        ...{ counts: flag, mutants: flag, help: flag },
      },
    }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (values.help === true) return 'help';
  const number = (name: keyof typeof values, fallback: number, least: number): number => {
    const given = values[name];
    if (given === undefined) return fallback;
    const value = typeof given === 'string' && /^[0-9]{1,10}$/.test(given) ? Number(given) : NaN;
    if (!(value >= least && value < 2 ** 32))
      throw new UsageError(`--${name} ${String(given)} is not understood; accepted: a whole number from ${least} up`);
    return value;
  };
  const list = (name: 'only' | 'spare', form: RegExp): readonly string[] | undefined => {
    const given = values[name];
    const parts = given?.split(',').filter((part) => part !== '');
    const wrong = parts?.find((part) => !form.test(part));
    if (wrong !== undefined)
      throw new UsageError(`--${name} ${wrong} is not understood; accepted: ${name === 'only' ? '3,17,40-45' : '3.0,17.2'}`);
    return parts;
  };
  const only = list('only', /^[0-9]{1,9}(-[0-9]{1,9})?$/)?.flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: Math.max(0, Math.min(last - first + 1, 1e6)) }, (_, at) => first + at);
  });
  const spared = list('spare', /^[0-9]+\.[0-9]+$/);
  return {
    seed: number('seed', randomInt(2 ** 31), 0),
    steps: number('steps', 1_000, 1),
    seeds: number('seeds', 1, 1),
    stride: number('stride', 1, 1),
    jobs: number('jobs', 1, 1),
    shrinkSeconds: number('shrink', 60, 0),
    only: only === undefined ? undefined : new Set(only),
    spared: spared === undefined ? undefined : new Set(spared),
    counts: values.counts === true,
    mutants: values.mutant ?? (values.mutants === true ? '' : undefined),
  };
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(args: readonly string[]): Promise<number> {
  const options = optionsFrom(args);
  if (options === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  if (options.mutants !== undefined) return catchMutants(options);
  if (options.jobs > 1) return inJobs(options);
  return runSeeds(options);
}

/** A process that has met so many seeds that violate something has told enough. */
const MOST_VIOLATED = 3;

async function runSeeds({ seed, seeds, stride, steps, only, spared, shrinkSeconds, counts }: Options): Promise<number> {
  const total = new Map<string, number>();
  let violated = 0;
  for (let at = 0; at < seeds; at += 1) {
    const options = { seed: seed + at * stride, steps, only, spared };
    const begun = performance.now();
    const result = await run(options);
    for (const [what, times] of result.counts) total.set(what, (total.get(what) ?? 0) + times);
    const ms = Math.round(performance.now() - begun);
    if (result.violations.length > 0) {
      await tell(options, result, shrinkSeconds);
      violated += 1;
      if (violated === MOST_VIOLATED) return 1;
      continue;
    }
    print(`seed ${options.seed}: ${result.steps.length} steps in ${ms} ms, run ${result.hash.slice(0, 16)}`);
  }
  if (counts) for (const [what, times] of [...total].sort()) print(`${String(times).padStart(9)}  ${what}`);
  return violated > 0 ? 1 : 0;
}

async function tell(options: RunOptions, result: RunResult, shrinkSeconds: number): Promise<void> {
  print(`seed ${options.seed}: VIOLATED`);
  for (const violation of result.violations.slice(0, 5)) print(`  ${lineOf(violation)}`);
  if (result.violations.length > 5) print(`  and ${result.violations.length - 5} more`);
  if (shrinkSeconds === 0) return;
  print(`\nlooking for the shortest run, for at most ${shrinkSeconds} s ...`);
  const shrunk = await shrink(options, result, shrinkSeconds * 1_000, () => performance.now());
  const { steps, violations, told } = shrunk.result;
  print(`${steps.length} steps after ${shrunk.runs} runs:\n`);
  for (const step of steps) {
    print(`  ${wordsOf(step)}`);
    for (const line of told.get(step.id) ?? []) print(`      ${line.split('\n')[0] ?? ''}`);
  }
  print('');
  for (const violation of violations.slice(0, 5)) print(`  ${lineOf(violation)}`);
  const { seed, only, spared } = shrunk.options;
  const some = only === undefined ? '' : ` --only ${inRuns([...only])}`;
  const mattering = [...(spared ?? [])].filter((fault) => only?.has(Number(fault.split('.')[0])) !== false);
  const without = mattering.length === 0 ? '' : ` --spare ${mattering.join(',')}`;
  print(`\nrepeat it with: npm run simulate -- --seed ${seed} --steps ${options.steps}${some}${without}`);
}

/** `1,3-5` for 1, 3, 4, 5. */
function inRuns(ids: readonly number[]): string {
  const runs: { readonly first: number; last: number }[] = [];
  for (const id of [...ids].sort((left, right) => left - right)) {
    const run = runs.at(-1);
    if (run?.last === id - 1) run.last = id;
    else runs.push({ first: id, last: id });
  }
  return runs.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`)).join(',');
}

function lineOf({ invariant, step, text }: Violation): string {
  return `${invariant}${step === undefined || step < 0 ? '' : `, step ${step}`}: ${text}`;
}

// ---- Several processes

async function inJobs({ seed, seeds, steps, jobs, shrinkSeconds, counts }: Options): Promise<number> {
  const codes = await Promise.all(
    Array.from({ length: Math.min(jobs, seeds) }, (_, job) => {
      const mine = Math.ceil((seeds - job) / jobs);
      const args = ['--seed', seed + job, '--stride', jobs, '--seeds', mine, '--steps', steps, '--shrink', shrinkSeconds];
      return execute([process.argv[1] ?? '', ...args.map(String), ...(counts ? ['--counts'] : [])], 'inherit').then(
        ({ code }) => code,
      );
    }),
  );
  return codes.some((code) => code !== 0) ? 1 : 0;
}

function execute(args: readonly string[], output: 'inherit' | 'pipe'): Promise<{ readonly code: number; readonly text: string }> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [...process.execArgv, ...args], { stdio: ['ignore', output, output] });
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('error', failed);
    child.on('close', (code) => done({ code: code ?? 1, text }));
  });
}

// ---- Mutants

const MUTANT_SEEDS = 60;

async function catchMutants({ steps, jobs, seeds, mutants: text = '' }: Options): Promise<number> {
  const most = seeds === 1 ? MUTANT_SEEDS : seeds;
  const chosen = mutants.filter(({ name }) => name.includes(text));
  if (chosen.length === 0) throw new UsageError(`no mutant's name has the text ${JSON.stringify(text)}`);
  const waiting = [...chosen];
  const survivors: string[] = [];
  print(`${'mutant'.padEnd(66)}  seed  invariant`);
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const caught = await catchMutant(mutant, steps, most);
      if (caught === undefined) survivors.push(mutant.name);
      print(
        `${mutant.name.padEnd(66)}  ${caught === undefined ? `none of ${most}` : `${caught.seed.padStart(4)}  ${caught.invariant}`}`,
      );
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  print(`${chosen.length - survivors.length} of ${chosen.length} mutants caught`);
  return survivors.length > 0 ? 1 : 0;
}

async function catchMutant(mutant: Mutant, steps: number, seeds: number) {
  const bundle = join(process.cwd(), 'node_modules/.cache', `simulate-mutant-${process.pid}-${mutants.indexOf(mutant)}.mjs`);
  await build({
    entryPoints: ['test/simulation/main.ts'],
    outfile: bundle,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
    plugins: [replacing(mutant)],
  });
  try {
    const { code, text } = await execute(
      [bundle, '--seed', '1', '--seeds', String(seeds), '--steps', String(steps), '--shrink', '0'],
      'pipe',
    );
    if (code === 0) return undefined;
    const [, seed, first] = /^seed (\d+): VIOLATED\n {2}(.*)$/m.exec(text) ?? [];
    // A mutant that ends the simulation itself is noticed, too, by whom nobody knows.
    if (seed === undefined || first === undefined) return { seed: '?', invariant: text.trim().slice(-200) };
    return { seed, invariant: first.slice(0, 100) };
  } finally {
    rmSync(bundle, { force: true });
  }
}

function replacing(mutant: Mutant): Plugin {
  const { path, text } = mutated(mutant, process.cwd());
  return {
    name: 'mutant',
    setup(building) {
      let seen = false;
      building.onLoad({ filter: /\.ts$/ }, (args) => {
        if (args.path !== path) return undefined;
        seen = true;
        return { contents: text, loader: 'ts' };
      });
      building.onEnd(() => {
        if (!seen) throw new Error(`mutant "${mutant.name}": the simulation does not use ${mutant.file}`);
      });
    },
  };
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`simulate: ${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
