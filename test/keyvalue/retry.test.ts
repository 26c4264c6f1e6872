import { describe, expect, test } from 'vitest';

import { KeyValueError, limits } from '../../src/keyvalue/database.js';
import { readRetries, withRetries, type RetryEnvironment } from '../../src/keyvalue/retry.js';

function environment(random = 1): RetryEnvironment & { readonly pauses: number[] } {
  let time = 0;
  const pauses: number[] = [];
  return {
    pauses,
    now: () => time,
    random: () => random,
    sleep: (ms) => {
      pauses.push(ms);
      time += ms;
      return Promise.resolve();
    },
  };
}

const conflict = new KeyValueError('not_committed', 'a conflict');

describe('the retry loop', () => {
  test('returns the first result, without a pause', async () => {
    const env = environment();
    expect(await withRetries(() => Promise.resolve('done'), {}, env)).toBe('done');
    expect(env.pauses).toEqual([]);
  });

  test('repeats retryable errors after pauses that double up to a second', async () => {
    const env = environment();
    const result = await withRetries((number) => (number < 12 ? Promise.reject(conflict) : Promise.resolve(number)), {}, env);
    expect(result).toBe(12);
    expect(env.pauses.slice(0, 4)).toEqual([8, 16, 32, 64]);
    expect(Math.max(...env.pauses)).toBe(1_000);
  });

  test('jitters a pause from nothing to the whole of it', async () => {
    const env = environment(0.25);
    await withRetries((number) => (number < 3 ? Promise.reject(conflict) : Promise.resolve()), {}, env);
    expect(env.pauses).toEqual([2, 4]);
  });

  test('gives up after 30 s by default, or timeoutMs, with the last error as the cause', async () => {
    for (const [timeoutMs, options] of [
      [30_000, {}],
      [500, { timeoutMs: 500 }],
    ] as const) {
      const env = environment();
      const error: unknown = await withRetries(() => Promise.reject(conflict), options, env).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'retries_exhausted', cause: conflict });
      expect(env.now()).toBeLessThan(timeoutMs);
      expect(env.now()).toBeGreaterThan(timeoutMs / 2 - 1_000);
    }
  });

  test('of a read ends with the third attempt that outlived a transaction, however much time is left', async () => {
    const tooOld = new KeyValueError('transaction_too_old', 'too old');
    const env = environment(0);
    let attempts = 0;
    const reading = withRetries(
      async () => {
        attempts += 1;
        // The first is told at once, as by a store that forgot its version: that says nothing of the next.
        if (attempts > 1) await env.sleep(limits.transactionMs);
        throw tooOld;
      },
      readRetries,
      env,
    );
    await expect(reading).rejects.toMatchObject({ code: 'retries_exhausted', cause: tooOld });
    expect(attempts).toBe(4);
  });

  test('passes on what is not retryable, and what the caller does not want repeated', async () => {
    const own = new Error('of the body');
    await expect(withRetries(() => Promise.reject(own), {}, environment())).rejects.toBe(own);
    const large = new KeyValueError('value_too_large', 'large');
    await expect(withRetries(() => Promise.reject(large), {}, environment())).rejects.toBe(large);
    await expect(withRetries(() => Promise.reject(conflict), { retryOn: () => false }, environment())).rejects.toBe(conflict);
  });
});
