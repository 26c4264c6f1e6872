import { describe, expect, test } from 'vitest';

import { DatabaseClock } from '../../src/keyvalue/database-clock.js';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 1);

/** A host's clocks: `pass` moves both, `jump` the wall clock alone. */
class Host {
  #wall = START_MS;
  #steady = 0;

  wall(): number {
    return this.#wall;
  }

  steady(): number {
    return this.#steady;
  }

  pass(ms: number): void {
    this.#wall += ms;
    this.#steady += ms;
  }

  jump(ms: number): void {
    this.#wall += ms;
  }
}

const at = (ms: number): bigint => BigInt(START_MS + ms) * 1_000n;

describe('database time', () => {
  test('is the clock of the host when the store is not ahead of it', () => {
    const host = new Host();
    const clock = new DatabaseClock(host);
    host.pass(5);
    expect(clock.after(at(-HOUR_MS))).toBe(at(5));
    expect(clock.aheadMs).toBe(0);
  });

  test('goes on at the rate of the clock from a version that is ahead', () => {
    const host = new Host();
    const clock = new DatabaseClock(host);
    expect(clock.after(at(HOUR_MS))).toBe(at(HOUR_MS));
    host.pass(13_000);
    expect(clock.after(at(HOUR_MS) + 1n)).toBe(at(HOUR_MS + 13_000));
    expect(clock.aheadMs).toBe(HOUR_MS);
  });

  test('does not run fast because commits of one millisecond are stamped one after the other', () => {
    const host = new Host();
    const clock = new DatabaseClock(host);
    let version = clock.after(0n);
    for (let millisecond = 0; millisecond < 10_000; millisecond += 1) {
      for (let commit = 0; commit < 20; commit += 1) {
        const now = clock.after(version);
        version = now > version ? now : version + 1n;
      }
      host.pass(1);
    }
    expect(clock.after(version)).toBe(at(10_000));
  });

  test('never goes back, and does not wait for a clock that did', () => {
    const host = new Host();
    const clock = new DatabaseClock(host);
    const before = clock.after(0n);
    host.jump(-HOUR_MS);
    expect(clock.after(0n)).toBe(before);
    host.pass(1_000);
    expect(clock.after(0n)).toBe(before + 1_000_000n);
  });

  test('is not taken along when a clock that went back is put right', () => {
    const host = new Host();
    const clock = new DatabaseClock(host);
    clock.after(0n);
    host.jump(-HOUR_MS);
    clock.after(0n);
    host.pass(1_000);
    host.jump(HOUR_MS);
    expect(clock.after(0n)).toBe(at(1_000));
    expect(clock.aheadMs).toBe(0);
  });
});
