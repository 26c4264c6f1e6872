import { describe, expect, test } from 'vitest';

import { RefusalError } from '../../src/errors.js';
import { Guessing } from '../../src/identity/guessing.js';

/** A clock that moves when somebody sleeps, and what they slept. */
function newGuessing() {
  let now = 0;
  const slept: number[] = [];
  const guessing = new Guessing({
    now: () => now,
    sleep: (ms) => {
      slept.push(ms);
      now += ms;
      return Promise.resolve();
    },
  });
  const attempt = async (account: string, address: string, right: boolean): Promise<number> => {
    const before = slept.length;
    await guessing.attempt(account, address, () => Promise.resolve(right));
    return slept.slice(before).reduce((sum, ms) => sum + ms, 0);
  };
  return { guessing, attempt, pass: (ms: number) => void (now += ms) };
}

/** A clock that stands still: whoever sleeps sleeps for ever. `asked` gives how long, and the seconds of a refusal as a negative number. */
function standingStill() {
  let asked: number | undefined;
  const guessing = new Guessing({
    now: () => 0,
    sleep: (ms) => {
      asked = ms;
      return new Promise(() => undefined);
    },
  });
  return async (account: string, address: string): Promise<number> => {
    asked = undefined;
    const attempt = guessing
      .attempt(account, address, () => Promise.resolve(false))
      .then(() => 0)
      .catch((error: unknown) => (error instanceof RefusalError ? -Number(error.refusal.details['seconds']) : NaN));
    const waits = new Promise<number>((resolve) => setImmediate(() => resolve(asked ?? NaN)));
    return Promise.race([attempt, waits]);
  };
}

const stranger = '203.0.113.7';
const home = '198.51.100.1';
const addressOf = (index: number): string => `192.0.2.${index}`;

describe('guessing', () => {
  test('costs nothing for who mistypes a few times, and more and more for who goes on', async () => {
    const { attempt } = newGuessing();
    const waits = [];
    for (let index = 0; index < 12; index += 1) waits.push(await attempt('ann', stranger, false));
    expect(waits.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
    expect(waits.slice(5)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
  });

  test('costs no more for who has waited already', async () => {
    const { attempt, pass } = newGuessing();
    for (let index = 0; index < 9; index += 1) await attempt('ann', stranger, false);
    pass(7_000);
    expect(await attempt('ann', stranger, false)).toBe(1_000);
    pass(8_000);
    expect(await attempt('ann', stranger, false)).toBe(0);
  });

  test('with many attempts at once gets no more for nothing than one by one, and the rest in line', async () => {
    const attempt = standingStill();
    const waits = [];
    for (let index = 0; index < 30; index += 1) waits.push(await attempt('ann', stranger));
    expect(waits.slice(0, 7)).toEqual([0, 0, 0, 0, 0, 500, 1_000]);
    expect(waits.filter((ms) => ms > 10_000)).toEqual([]);
    expect(waits.at(-1)).toBe(-11);
  });

  test('delays who hammers, and nobody else: neither the holder elsewhere nor other accounts', async () => {
    const { attempt } = newGuessing();
    for (let index = 0; index < 300; index += 1) await attempt('ann', stranger, false);
    expect(await attempt('ann', home, true)).toBe(0);
    expect(await attempt('ann', home, false)).toBe(0);
    expect(await attempt('bob', stranger, true)).toBe(0);
  });

  test('holds nobody up elsewhere while a stranger fills the line', async () => {
    const attempt = standingStill();
    for (let index = 0; index < 300; index += 1) await attempt('ann', stranger);
    expect(await attempt('ann', stranger)).toBeLessThan(0);
    expect(await attempt('ann', home)).toBe(0);
    expect(await attempt('bob', stranger)).toBe(0);
  });

  test('lets the right password in after a wait', async () => {
    const { attempt } = newGuessing();
    for (let index = 0; index < 8; index += 1) await attempt('ann', stranger, false);
    expect(await attempt('ann', stranger, true)).toBe(4_000);
  });

  test('is not what a right password is taken for', async () => {
    const { attempt } = newGuessing();
    for (let index = 0; index < 60; index += 1) {
      expect(await attempt('ann', home, true)).toBe(0);
      expect(await attempt(`user ${index}`, home, true)).toBe(0);
    }
  });

  test('says the same of an account after its holder came in from there: whether it is one is not told', async () => {
    const { attempt } = newGuessing();
    for (const account of ['ann', 'nobody']) for (let index = 0; index < 7; index += 1) await attempt(account, stranger, false);
    await attempt('ann', stranger, true);
    expect([await attempt('ann', stranger, false), await attempt('nobody', stranger, false)]).toEqual([2_000, 0]);
    expect([await attempt('ann', stranger, false), await attempt('nobody', stranger, false)]).toEqual([4_000, 0]);
  });

  test('of many accounts from one address is slowed down, too', async () => {
    const { attempt } = newGuessing();
    for (let index = 0; index < 40; index += 1) expect(await attempt(`user ${index}`, stranger, false)).toBe(0);
    expect(await attempt('another', stranger, false)).toBeGreaterThan(0);
    expect(await attempt('another', home, false)).toBe(0);
  });

  test('of one account from everywhere delays each attempt, and makes none wait for another', async () => {
    const attempt = standingStill();
    for (let index = 0; index < 100; index += 1) expect(await attempt('ann', addressOf(index))).toBe(0);
    for (let index = 100; index < 200; index += 1) expect(await attempt('ann', addressOf(index))).toBe(500);
    expect(await attempt('bob', addressOf(0))).toBe(0);
  });

  test('takes the addresses of one network for one', async () => {
    const { attempt } = newGuessing();
    for (let index = 0; index < 5; index += 1) await attempt('ann', `2001:db8::${index + 1}`, false);
    expect(await attempt('ann', '2001:DB8:0:0:ffff::1', false)).toBe(500);
    expect(await attempt('ann', '2001:db8:0:1::1', false)).toBe(0);
  });

  test('is forgotten after a quarter of an hour', async () => {
    const { attempt, pass } = newGuessing();
    for (let index = 0; index < 9; index += 1) await attempt('ann', stranger, false);
    pass(15 * 60_000);
    expect(await attempt('ann', stranger, false)).toBe(0);
  });

  test('that fails for another reason is not counted', async () => {
    const { guessing, attempt } = newGuessing();
    for (let index = 0; index < 20; index += 1) {
      const failing = guessing.attempt('ann', stranger, () => Promise.reject(new Error('the database is away')));
      await expect(failing).rejects.toThrow('the database is away');
    }
    expect(await attempt('ann', stranger, false)).toBe(0);
  });
});
