import { createHmac, randomBytes } from 'node:crypto';

import { BoundedCache } from './bounded-cache.js';
import { siteOf } from './network-of.js';
import { scryptTurns, verifyPassword } from './password.js';
import type { Turns } from './turns.js';

const REMEMBERED_MS = 60_000;
const CACHE_GENERATION = 2_048;

/** Where an attempt comes from, and what makes it when its turn has come. */
export interface Attempting {
  readonly from: string;
  readonly slowly: (check: () => Promise<boolean>) => Promise<boolean>;
  /** Asked when a password is right and finding that out took its time: whether the hash is still the principal's. */
  readonly stillSo?: () => Promise<boolean>;
}

const atOnce: Attempting = { from: '', slowly: (check) => check() };

/**
 * Remembers for a minute that a password was right for a principal and its hash, so that Basic on each request costs no scrypt; and that one was wrong, for the address
 * that sent it: docker asks for a token for each layer, and with an old password would wait for each of them longer than for the one before. Who repeats a guess
 * learns nothing by it. What is kept is an HMAC under a key of this process, never the password. With a new hash nothing is remembered.
 */
export class VerifiedPasswords {
  readonly #key = randomBytes(32);
  readonly #until = new BoundedCache<number>(CACHE_GENERATION);
  readonly #wrongUntil = new BoundedCache<number>(CACHE_GENERATION);
  readonly #attempts = new Map<string, Promise<boolean>>();
  readonly #again = new Map<string, Promise<boolean>>();
  readonly #verifications = new Map<string, Promise<boolean>>();
  readonly #now: () => number;
  readonly #turns: Turns;
  readonly #verifyPassword: typeof verifyPassword;

  constructor(options: { now?: () => number; turns?: Turns; verifyPassword?: typeof verifyPassword } = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#turns = options.turns ?? scryptTurns;
    this.#verifyPassword = options.verifyPassword ?? verifyPassword;
  }

  /**
   * Requests with the same credentials at the same time share one scrypt, and those from one address one attempt. What was right once is no guess: also when the minute
   * is over it waits for nobody whose password was not. Throws TOO_MANY_REQUESTS when too many wait.
   */
  async verify(principal: string, hash: string, password: string, attempting = atOnce): Promise<boolean> {
    const entry = this.#entryOf(principal, hash, password);
    if (this.#isRemembered(entry)) return true;
    const right = await this.#attempt(principal, entry, hash, password, attempting);
    return right && (await (attempting.stillSo?.() ?? true));
  }

  /** Somebody who is let in has just taken this password: it is no stranger's from then on. */
  remember(principal: string, hash: string, password: string): void {
    this.#until.set(this.#entryOf(principal, hash, password), this.#now() + REMEMBERED_MS);
  }

  async #attempt(
    principal: string,
    entry: string,
    hash: string,
    password: string,
    { from, slowly }: Attempting,
  ): Promise<boolean> {
    const verification = () => shared(this.#verifications, entry, () => this.#verify(entry, password, hash));
    if (this.#until.get(entry) !== undefined) return shared(this.#again, entry, () => this.#turns.ahead(principal, verification));
    const guess = `${entry} ${from}`;
    if (this.#now() < (this.#wrongUntil.get(guess) ?? -Infinity)) return false;
    return shared(this.#attempts, guess, async () => {
      const inTurn = () => this.#turns.inLine(siteOf(from), async () => this.#isRemembered(entry) || verification());
      const right = await slowly(inTurn);
      if (!right) this.#wrongUntil.set(guess, this.#now() + REMEMBERED_MS);
      return right;
    });
  }

  // Somebody else's turn may have come before, with the same credentials.
  #isRemembered(entry: string): boolean {
    return this.#now() < (this.#until.get(entry) ?? -Infinity);
  }

  async #verify(entry: string, password: string, hash: string): Promise<boolean> {
    const right = await this.#verifyPassword(password, hash);
    if (right) this.#until.set(entry, this.#now() + REMEMBERED_MS);
    return right;
  }

  // Neither a principal nor a hash holds a NUL, so that the three cannot be cut in another way.
  #entryOf(principal: string, hash: string, password: string): string {
    return createHmac('sha256', this.#key).update(`${principal}\0${hash}\0${password}`).digest('base64');
  }
}

/** What runs under a key already, else what `make` begins. */
function shared<T>(running: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const found = running.get(key);
  if (found !== undefined) return found;
  const made = make().finally(() => running.delete(key));
  running.set(key, made);
  return made;
}
