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

const stranger = '203.0.113.7';
const home = '198.51.100.1';

describe('guessing', () => {
  test('costs nothing for who mistypes a few times, and more and more for who goes on', async () => {
    const { attempt } = newGuessing();
    const waits = [];
    for (let index = 0; index < 12; index += 1) waits.push(await attempt('ann', stranger, false));
    expect(waits.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
    expect(waits.slice(5)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
  });

  test('delays who hammers, and nobody else: neither the holder elsewhere nor other accounts', async () => {
    const { attempt } = newGuessing();
    for (let index = 0; index < 30; index += 1) await attempt('ann', stranger, false);
    expect(await attempt('ann', home, true)).toBe(0);
    expect(await attempt('bob', stranger, true)).toBe(0);
  });

  test('lets the right password in after a wait, and forgets what was before', async () => {
    const { attempt } = newGuessing();
    for (let index = 0; index < 8; index += 1) await attempt('ann', stranger, false);
    expect(await attempt('ann', stranger, true)).toBe(4_000);
    expect(await attempt('ann', stranger, true)).toBe(0);
  });

  test('of many accounts from one address is slowed down, too', async () => {
    const { attempt } = newGuessing();
    for (let index = 0; index < 40; index += 1) expect(await attempt(`user ${index}`, stranger, false)).toBe(0);
    expect(await attempt('another', stranger, false)).toBeGreaterThan(0);
    expect(await attempt('another', home, false)).toBe(0);
  });

  test('of one account from everywhere delays strangers, and not who was right from there before', async () => {
    const { attempt } = newGuessing();
    expect(await attempt('ann', home, true)).toBe(0);
    for (let index = 0; index < 100; index += 1) await attempt('ann', `203.0.113.${index}`, false);
    expect(await attempt('ann', '192.0.2.1', false)).toBeGreaterThan(0);
    expect(await attempt('ann', home, true)).toBe(0);
  });

  test('takes the addresses of one network for one', async () => {
    const { attempt } = newGuessing();
    for (let index = 0; index < 5; index += 1) await attempt('ann', `2001:db8::${index + 1}`, false);
    expect(await attempt('ann', '2001:DB8:0:0:ffff::1', false)).toBe(500);
    expect(await attempt('ann', '2001:db8:0:1::1', false)).toBe(0);
    for (let index = 0; index < 5; index += 1) await attempt('bob', '::ffff:192.0.2.9', false);
    expect(await attempt('bob', '192.0.2.9', false)).toBe(500);
  });

  test('is forgotten after a quarter of an hour', async () => {
    const { attempt, pass } = newGuessing();
    for (let index = 0; index < 9; index += 1) await attempt('ann', stranger, false);
    pass(15 * 60_000);
    expect(await attempt('ann', stranger, false)).toBe(0);
  });

  test('by many requests of one address at once gives it a share of the places, and sends the rest away', async () => {
    const { guessing } = newGuessing();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const check = async (): Promise<boolean> => held.then(() => false);
    const flood = Array.from({ length: 16 }, (_, index) => guessing.attempt(`user ${index}`, stranger, check));
    await expect(guessing.attempt('one more', stranger, check)).rejects.toThrow(RefusalError);
    const elsewhere = guessing.attempt('ann', home, () => Promise.resolve(true));
    expect(await elsewhere).toBe(true);
    release();
    expect(await Promise.all(flood)).toEqual(flood.map(() => false));
    expect(await guessing.attempt('ann', stranger, () => Promise.resolve(true))).toBe(true);
  });

  test('sends away whose turn is too far off, with the time of it', async () => {
    const never = new Guessing({ now: () => 0, sleep: () => new Promise(() => undefined) });
    for (let index = 0; index < 10; index += 1) {
      await Promise.race([never.attempt('ann', stranger, () => Promise.resolve(false)), Promise.resolve()]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const waiting = Array.from({ length: 15 }, () =>
      never.attempt('ann', stranger, () => Promise.resolve(false)).catch((error: unknown) => error),
    );
    const first = await Promise.race(waiting);
    expect(first).toBeInstanceOf(RefusalError);
    expect((first as RefusalError).refusal).toMatchObject({ refused: 'TOO_MANY_REQUESTS' });
  });
});
