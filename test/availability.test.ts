import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { isUnavailable, observeAvailability, untilAnswered } from '../src/availability.js';
import { KeyValueError, type Database } from '../src/keyvalue/database.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const away = new KeyValueError('unavailable', 'the cluster does not answer');

/** A database that fails as it is told, and what was said of it. */
function observed() {
  const told: string[] = [];
  const state: { error: Error | undefined; asked: number } = { error: undefined, asked: 0 };
  const answer = <T>(result: T): Promise<T> => {
    state.asked += 1;
    return state.error === undefined ? Promise.resolve(result) : Promise.reject(state.error);
  };
  const inner = {
    quietVersions: false,
    read: () => answer('read'),
    transact: () => answer('done'),
    close: () => Promise.resolve(),
  };
  const database = observeAvailability(inner as unknown as Database, {
    away: ({ message }) => told.push(message),
    back: (ms) => told.push(`back after ${Math.round(ms / 1_000)} s`),
  });
  const ask = () => database.read(async () => 'read').catch((error: unknown) => error);
  return { database, told, state, ask };
}

test('it is told once that a database is away, and once that it is back, though nobody asks any more', async () => {
  const { told, state, ask, database } = observed();
  expect(await ask()).toBe('read');
  state.error = away;
  expect(await ask()).toBe(away);
  await expect(database.transact(async () => 'x')).rejects.toBe(away);
  expect(await ask()).toBe(away);
  expect(told).toEqual([away.message]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(told).toEqual([away.message]);
  state.error = undefined;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(told).toEqual([away.message, 'back after 6 s']);
  const { asked } = state;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(state.asked).toBe(asked);
  state.error = away;
  await ask();
  expect(told).toHaveLength(3);
});

test('a request that is answered says it before the next probe', async () => {
  const { told, state, ask } = observed();
  state.error = away;
  await ask();
  state.error = undefined;
  await ask();
  expect(told).toEqual([away.message, 'back after 0 s']);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(told).toHaveLength(2);
});

test('other errors are none of it, and a database that is closed is asked no more', async () => {
  const { told, state, ask, database } = observed();
  state.error = new KeyValueError('retries_exhausted', 'conflicts');
  await ask();
  expect([told, isUnavailable(state.error), isUnavailable(away)]).toEqual([[], false, true]);
  state.error = away;
  await ask();
  await database.close();
  const { asked } = state;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(state.asked).toBe(asked);
});

test('what may have been done when a database went away is asked for until it answers', async () => {
  let asked = 0;
  const outcome = untilAnswered(async () => {
    asked += 1;
    if (asked < 3) throw away;
    return 'done before';
  });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await outcome).toBe('done before');
  const broken = new Error('broken');
  await expect(untilAnswered(() => Promise.reject(broken))).rejects.toBe(broken);
});
