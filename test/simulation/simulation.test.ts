import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

import { mutants, mutated } from './mutants.js';
import { run } from './run.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

function simulate(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly output: string; readonly errors: string }> {
  return new Promise((done) => {
    const options = { cwd: root, maxBuffer: 1e8 };
    execFile(process.execPath, ['scripts/simulate.js', ...args], options, (error, output, errors) => {
      done({ code: error === null ? 0 : Number(error.code), output, errors });
    });
  });
}

/** What `--counts` told, added up over the processes. */
function countsIn(output: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [, times, what = ''] of output.matchAll(/^ *(\d+) {2}(.*)$/gm))
    counts.set(what, (counts.get(what) ?? 0) + Number(times));
  return counts;
}

test('one seed is one run', async () => {
  const runs = [await run({ seed: 3, steps: 150 }), await run({ seed: 3, steps: 150 }), await run({ seed: 4, steps: 150 })];
  const [first, second, other] = runs.map(({ hash }) => hash);
  expect(second).toBe(first);
  expect(other).not.toBe(first);
  expect(runs.flatMap(({ violations }) => violations)).toEqual([]);
}, 120_000);

test('50 seeds of 1000 steps violate nothing, and meet everything', async () => {
  const { code, output, errors } = await simulate('--seed', '1', '--seeds', '50', '--steps', '1000', '--jobs', '2', '--counts');
  expect({ code, failure: code === 0 ? '' : output.slice(-5_000), errors }).toEqual({ code: 0, failure: '', errors: '' });
  const counts = countsIn(output);
  const rare = [...leasts].filter(([what, least]) => (counts.get(what) ?? 0) < least);
  expect(rare.map(([what, least]) => `${what}: ${counts.get(what) ?? 0}, at least ${least}`)).toEqual([]);
}, 600_000);

/** A run that misses one of these would find nothing there. */
const leasts = new Map<string, number>([
  ...['push image', 'upload', 'mount', 'put manifest', 'delete tag', 'delete manifest', 'delete blob', 'pull'].map(
    (kind) => [`step: ${kind}`, 1_500] as const,
  ),
  ...['delete repository', 'create repository', 'pull by digest', 'get blob', 'race', 'expire uploads', 'resume deletions'].map(
    (kind) => [`step: ${kind}`, 500] as const,
  ),
  ...['prune', 'rebuild', 'verify', 'new release'].map((kind) => [`step: ${kind}`, 75] as const),
  ['step: look at the indexes', 20],
  ...['notCommitted', 'transactionTooOld', 'unknownApplied', 'unknownLost', 'crash', 'blob error', 'clock'].map(
    (kind) => [`fault: ${kind}`, 500] as const,
  ),
  ...['watchLate', 'watchLost', 'wall clock'].map((kind) => [`fault: ${kind}`, 250] as const),
  ['fault: power cut', 75],
  ['fault: stall at a fence', 75],
  ...['REPOSITORY_UNKNOWN', 'REPOSITORY_EXISTS', 'BLOB_UNKNOWN', 'BLOB_IN_USE', 'MANIFEST_UNKNOWN', 'MANIFEST_BLOB_UNKNOWN'].map(
    (code) => [`told: ${code}`, 500] as const,
  ),
  ...['MANIFEST_IN_USE', 'DIGEST_MISMATCH', 'UPLOAD_UNKNOWN', 'UPLOAD_TAKEN_OVER', 'BODY_TRUNCATED'].map(
    (code) => [`told: ${code}`, 50] as const,
  ),
  ['told: UPLOAD_WRONG_OFFSET', 25],
  ...['done', 'a manifest', 'mounted', 'started', 'died', 'failed'].map((outcome) => [`told: ${outcome}`, 1_000] as const),
  ...['RepositoryCreated', 'RepositoryDeletionBegun', 'RepositoryDeleted', 'BlobStored', 'BlobPushed', 'BlobMounted'].map(
    (kind) => [`event: ${kind}`, 250] as const,
  ),
  ...['BlobUnlinked', 'ManifestPushed', 'ManifestDeleted', 'TagMoved', 'TagDeleted'].map(
    (kind) => [`event: ${kind}`, 1_000] as const,
  ),
  ['to its end: a pull', 1_000],
  ['to its end: a push', 1_000],
  ['to its end: a rebuild among others', 40],
  ['to its end: a verification', 50],
  ['to its end: an upgrade', 75],
]);

test('every mutant can still be made', () => {
  for (const mutant of mutants) expect(mutated(mutant, root).text).toContain(mutant.replace);
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});

test('code that is broken on purpose is noticed, and the failure says how to repeat it', async () => {
  const caught = await simulate('--mutant', 'the command id is not read', '--steps', '300');
  expect(caught.output).toContain('1 of 1 mutants caught');
  expect(caught.code).toBe(0);
}, 300_000);

test('a wrong flag is told, and what is right', async () => {
  for (const args of [['--seed', 'x'], ['--steps', '0'], ['--what'], ['--only', '3,a'], ['--mutant', 'no such mutant']]) {
    const { code, errors, output } = await simulate(...args);
    expect({ code, output }).toEqual({ code: 2, output: '' });
    expect(errors).toMatch(/^simulate: .*\n\nusage: npm run simulate/);
  }
}, 60_000);
