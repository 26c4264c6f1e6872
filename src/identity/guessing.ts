import { createHash } from 'node:crypto';

import { reject } from '../errors.js';
import { BoundedCache } from './bounded-cache.js';
import { FailureCounts } from './failure-counts.js';
import { networkOf } from './network-of.js';

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
/** Who would have to wait longer is sent away: docker's daemon waits 15 s for a login, and a connection is not held for ever. */
const HELD_MOST_MS = 10_000;
const TURNS_GENERATION = 10_000;

export interface GuessingOptions {
  /** Milliseconds, by a clock that never jumps. */
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<void>;
}

/**
 * Slows the guessing of passwords down. What waits is the next attempt of an address at an account where it has failed before, one after the other; of an address that
 * has failed at many accounts, likewise; and each attempt at an account that fails from many addresses, beside the others. A failure counts for an address and for an
 * account only while it is among the pair's first: so one robot with an old password slows down itself alone.
 *
 * Guaranteed: nobody is refused for what a stranger does at another address, and waits for it `LONGEST_WAIT_MS` at most; what is asked tells nothing of whether the
 * account is there; a password that was right once does not come here again (VerifiedPasswords). Not guaranteed: that a first login from the very address of a stranger
 * who hammers is not refused. In memory, of one process, bounded. Whose scrypt is run when is not said here: turns.ts.
 */
export class Guessing {
  readonly #pairs: FailureCounts;
  readonly #addresses: FailureCounts;
  readonly #accounts: FailureCounts;
  /** When the last attempt of a pair, or of an address, was made or will be. */
  readonly #turns = new BoundedCache<number>(TURNS_GENERATION);
  readonly #now: () => number;
  readonly #sleep: (ms: number) => Promise<void>;

  constructor({ now = () => performance.now(), sleep = sleepFor }: GuessingOptions = {}) {
    this.#now = now;
    this.#sleep = sleep;
    this.#pairs = new FailureCounts(now);
    this.#addresses = new FailureCounts(now);
    this.#accounts = new FailureCounts(now);
  }

  /** Makes an attempt when its turn has come. `account`: as it was named, whether there is one or not. Throws TOO_MANY_REQUESTS. */
  async attempt(account: string, from: string, check: () => Promise<boolean>): Promise<boolean> {
    const address = networkOf(from);
    const who = createHash('sha256').update(account).digest('base64');
    const pair = `${who} ${address}`;
    await this.#turnOf(who, pair, address);
    // Failed until it is found right: of many at once only so many are free as there would be one by one.
    const takeBack = this.#countFailure(who, pair, address);
    try {
      const right = await check();
      if (right) takeBack();
      return right;
    } catch (error) {
      takeBack();
      throw error;
    }
  }

  async #turnOf(who: string, pair: string, address: string): Promise<void> {
    const now = this.#now();
    const after = (turn: string, wait: number): number => (wait === 0 ? now : (this.#turns.get(turn) ?? now) + wait);
    const at = Math.max(
      now + waitOf(this.#accounts.of(who), ofAccount),
      after(pair, waitOf(this.#pairs.of(pair), ofPair)),
      after(address, waitOf(this.#addresses.of(address), ofAddress)),
    );
    if (at - now > HELD_MOST_MS) return reject('TOO_MANY_REQUESTS', { seconds: Math.ceil((at - now) / 1_000) });
    this.#turns.set(pair, at);
    this.#turns.set(address, at);
    if (at > now) await this.#sleep(at - now);
  }

  /** Counts a failure where it counts; what is returned undoes it. */
  #countFailure(who: string, pair: string, address: string): () => void {
    const counted: [FailureCounts, string][] = [[this.#pairs, pair]];
    if (this.#pairs.of(pair) < ofPair.free) counted.push([this.#addresses, address], [this.#accounts, who]);
    for (const [counts, key] of counted) counts.add(key);
    return () => {
      for (const [counts, key] of counted) counts.takeBack(key);
    };
  }
}

function waitOf(failures: number, { free, step }: Allowance): number {
  return failures < free ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.floor((failures - free) / step));
}

function sleepFor(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
