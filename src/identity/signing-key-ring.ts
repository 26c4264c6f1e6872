import type { Database } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';
import { readSigningKeys, signingKeyOf, type SigningKey, type SigningKeys } from './signing-keys.js';

/** Whoever sends tokens of keys that there are not makes the store read them so often at most. */
const BETWEEN_READS_MS = 1_000;

/** Milliseconds since 1970, and by a clock that never jumps. */
export interface RingClock {
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

const realClock: RingClock = {
  now: Date.now,
  monotonic: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/**
 * The store's signing keys as they were when last read. Guaranteed: a token is refused for its key only after a read that began when the token was here, and all who
 * wait share one such read a second. Not guaranteed: that a key which was taken out of use is not accepted until the next `refresh`.
 */
export class SigningKeyRing implements SigningKeys {
  #newestFirst: readonly SigningKey[];
  #byKid: ReadonlyMap<string, SigningKey>;
  #reads = 0;
  #applied = 0;
  #next: Promise<void> | undefined;
  #readAt = -Infinity;

  constructor(
    readonly database: Pick<Database, 'read'>,
    readonly keyspace: Keyspace,
    keys: SigningKeys,
    readonly clock: RingClock = realClock,
  ) {
    this.#newestFirst = [...keys.byKid.values()];
    this.#byKid = keys.byKid;
  }

  /** Which one it is depends on the time, too. */
  get signing(): SigningKey {
    return signingKeyOf(this.#newestFirst, this.clock.now());
  }

  get byKid(): ReadonlyMap<string, SigningKey> {
    return this.#byKid;
  }

  /** Reads the keys anew: to be called more often than a new key waits. */
  async refresh(): Promise<void> {
    this.#reads += 1;
    const read = this.#reads;
    const keys = await this.database.read((tx) => readSigningKeys(tx, this.keyspace));
    // An older read that ends later knows less. Without a key nobody could sign: the directory is being emptied.
    if (read < this.#applied || keys.length === 0) return;
    this.#applied = read;
    this.#newestFirst = keys;
    this.#byKid = new Map(keys.map((key) => [key.kid, key]));
  }

  readonly lookAgain = async (kid: string): Promise<SigningKey | undefined> => {
    await (this.#next ??= this.#turn().then(() => this.#readNext()));
    return this.#byKid.get(kid);
  };

  async #turn(): Promise<void> {
    const early = this.#readAt + BETWEEN_READS_MS - this.clock.monotonic();
    if (early > 0) await this.clock.sleep(early);
  }

  async #readNext(): Promise<void> {
    // Whoever comes from here on may want what this read does not see.
    this.#next = undefined;
    this.#readAt = this.clock.monotonic();
    await this.refresh();
  }
}
