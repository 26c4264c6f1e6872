import { createHmac, randomBytes } from 'node:crypto';

import { BoundedCache } from './bounded-cache.js';
import { verifyPassword } from './password.js';

const REMEMBERED_MS = 60_000;
const CACHE_GENERATION = 2_048;

type Slowly = (check: () => Promise<boolean>) => Promise<boolean>;

/**
 * Remembers for a minute that a password was right for a principal and its hash, so that Basic on each request costs no scrypt. What is kept is an HMAC
 * under a key of this process, never the password. A new hash makes an old password wrong at once; a wrong password is never remembered.
 */
export class VerifiedPasswords {
  readonly #key = randomBytes(32);
  readonly #until = new BoundedCache<number>(CACHE_GENERATION);
  readonly #running = new Map<string, Promise<boolean>>();
  readonly #now: () => number;
  readonly #verifyPassword: typeof verifyPassword;

  constructor(options: { now?: () => number; verifyPassword?: typeof verifyPassword } = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#verifyPassword = options.verifyPassword ?? verifyPassword;
  }

  /** Requests with the same credentials at the same time share one scrypt. `slowly`: makes the attempt when its turn has come; what is remembered needs none. */
  async verify(principal: string, hash: string, password: string, slowly: Slowly = (check) => check()): Promise<boolean> {
    const entry = this.#entryOf(principal, hash, password);
    const until = this.#until.get(entry);
    if (until !== undefined && this.#now() < until) return true;
    const running = this.#running.get(entry);
    if (running !== undefined) return running;
    const verification = this.#verify(entry, () => slowly(() => this.#verifyPassword(password, hash)));
    this.#running.set(entry, verification);
    return verification;
  }

  async #verify(entry: string, check: () => Promise<boolean>): Promise<boolean> {
    try {
      const right = await check();
      if (right) this.#until.set(entry, this.#now() + REMEMBERED_MS);
      return right;
    } finally {
      this.#running.delete(entry);
    }
  }

  // Neither a principal nor a hash holds a NUL, so that the three cannot be cut in another way.
  #entryOf(principal: string, hash: string, password: string): string {
    return createHmac('sha256', this.#key).update(`${principal}\0${hash}\0${password}`).digest('base64');
  }
}
