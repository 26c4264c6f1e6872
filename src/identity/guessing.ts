import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';

import { reject } from '../errors.js';
import { BoundedCache } from './bounded-cache.js';

/** Failed attempts that cost nothing, and how the wait grows behind them. */
interface Allowance {
  readonly free: number;
  /** So many more double the wait. */
  readonly step: number;
}

// A person mistypes; an office shares an address; a robot with an old password knocks at one account from many.
const ofPair: Allowance = { free: 5, step: 1 };
const ofAddress: Allowance = { free: 40, step: 10 };
const ofAccount: Allowance = { free: 100, step: 50 };

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;
/** Who would have to wait longer is sent away: connections are not held for ever. */
const HELD_MOST_MS = 20_000;
const FORGOTTEN_MS = 15 * 60_000;
const CACHE_GENERATION = 10_000;
/** Attempts of one address under way at once: a flood from one does not take the places of all others. */
const AT_ONCE = 16;

interface Failures {
  readonly count: number;
  readonly last: number;
}

export interface GuessingOptions {
  /** Milliseconds, by a clock that never jumps. */
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<void>;
}

/**
 * Slows the guessing of passwords down: what waits is the next attempt of the same address at the same account, of an address that fails at many, and, of an account that
 * fails from everywhere, the addresses that never logged in to it. Nobody is locked out: a stranger who hammers at an account does not delay its holder, who comes
 * from an address that was right before, or from one that has not failed; and who waits is let in with the right password. In memory, of one process, bounded.
 */
export class Guessing {
  readonly #pairs = new BoundedCache<Failures>(CACHE_GENERATION);
  readonly #addresses = new BoundedCache<Failures>(CACHE_GENERATION);
  readonly #accounts = new BoundedCache<Failures>(CACHE_GENERATION);
  readonly #right = new BoundedCache<true>(CACHE_GENERATION);
  /** When the next attempt of a pair, or of an address, may be made. */
  readonly #turns = new BoundedCache<number>(CACHE_GENERATION);
  readonly #running = new Map<string, number>();
  readonly #now: () => number;
  readonly #sleep: (ms: number) => Promise<void>;

  constructor({ now = () => performance.now(), sleep = sleepFor }: GuessingOptions = {}) {
    this.#now = now;
    this.#sleep = sleep;
  }

  /** Makes an attempt when its turn has come. `account`: as it was named, whether there is one or not. Throws TOO_MANY_REQUESTS. */
  async attempt(account: string, from: string, check: () => Promise<boolean>): Promise<boolean> {
    const address = networkOf(from);
    const who = createHash('sha256').update(account).digest('base64');
    const pair = `${who} ${address}`;
    const running = this.#running.get(address) ?? 0;
    if (running >= AT_ONCE) return reject('TOO_MANY_REQUESTS', { seconds: 5 });
    this.#running.set(address, running + 1);
    try {
      await this.#turnOf(who, pair, address);
      const right = await check();
      if (right) this.#succeeded(pair);
      else this.#failed(who, pair, address);
      return right;
    } finally {
      const left = (this.#running.get(address) ?? 1) - 1;
      if (left > 0) this.#running.set(address, left);
      else this.#running.delete(address);
    }
  }

  async #turnOf(who: string, pair: string, address: string): Promise<void> {
    const known = this.#right.get(pair) === true;
    const waits = [
      { turn: pair, wait: waitOf(this.#countOf(this.#pairs, pair), ofPair) },
      { turn: address, wait: waitOf(this.#countOf(this.#addresses, address), ofAddress) },
      { turn: `${who} strangers`, wait: known ? 0 : waitOf(this.#countOf(this.#accounts, who), ofAccount) },
    ].filter(({ wait }) => wait > 0);
    if (waits.length === 0) return;
    const now = this.#now();
    const times = waits.map(({ turn, wait }) => ({ turn, at: Math.max(now, this.#turns.get(turn) ?? 0) + wait }));
    const at = Math.max(...times.map((one) => one.at));
    // For all strangers together the turn is not held against one who came late.
    if (at - now > HELD_MOST_MS) return reject('TOO_MANY_REQUESTS', { seconds: Math.ceil((at - now) / 1_000) });
    for (const one of times) this.#turns.set(one.turn, one.at);
    await this.#sleep(at - now);
  }

  #succeeded(pair: string): void {
    this.#right.set(pair, true);
    this.#pairs.set(pair, { count: 0, last: this.#now() });
    this.#turns.set(pair, 0);
  }

  #failed(who: string, pair: string, address: string): void {
    const last = this.#now();
    for (const [failures, key] of [
      [this.#pairs, pair],
      [this.#addresses, address],
      [this.#accounts, who],
    ] as const) {
      failures.set(key, { count: this.#countOf(failures, key) + 1, last });
    }
  }

  #countOf(failures: BoundedCache<Failures>, key: string): number {
    const found = failures.get(key);
    return found === undefined || this.#now() - found.last >= FORGOTTEN_MS ? 0 : found.count;
  }
}

function waitOf(failures: number, { free, step }: Allowance): number {
  return failures < free ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.floor((failures - free) / step));
}

// Whoever has one address of IPv6 has 2^64 (RFC 6177).
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  const all =
    tail === undefined
      ? groups
      : [...groups, ...Array<string>(Math.max(0, 8 - groups.length - behind.length)).fill('0'), ...behind];
  return `${all
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}

function sleepFor(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
