import type { Digest } from '../digest.js';
import type { ImagePath, Uid } from '../identifiers.js';
import { addPulls, type PulledManifest } from '../keyvalue/pull-counters.js';
import { findManifest } from '../projections/manifests.js';
import { encodeJson } from '../projections/projection.js';
import type { Store } from '../projections/store.js';

/** So often a server writes down what it counted: it is what a kill loses. */
export const PULLS_WRITTEN_MS = 5_000;

/** Of one transaction. Each costs a read and two keys of up to 300 bytes. */
const BATCH = 200;

/** As many different manifests are written down at once, without waiting for the time. */
const EARLY = 1_000;

/** As many are counted while they can't be written, in about 10 MB; the pulls of others are only told. */
const HELD_AT_MOST = 20_000;

/** The next try comes soon, and a server that stops waits for one. */
const TIMEOUT_MS = 5_000;

interface Sum extends PulledManifest {
  pulls: number;
}

interface Batch {
  /** By which a repeated commit sees that an earlier one did it. */
  readonly id: Uid;
  readonly sums: readonly Sum[];
}

export interface PullCountingOptions {
  readonly newId: () => Uid;
  /** Of a flush that nobody waits for. What it could not write is in the next one. */
  readonly failed: (error: unknown) => void;
  /** So many pulls were not counted, since too much else could not be written. */
  readonly missed: (pulls: number) => void;
}

/**
 * Counts a server's pulls in memory, and adds them to the store's counters now and then.
 *
 * Guaranteed: no request waits for it; each pull is counted at most once, also when the outcome of a commit is unknown; what is flushed while its manifest is deleted
 * leaves nothing behind. A flush conflicts with a deletion of what it counts, and gives way; nothing conflicts with a flush. Not guaranteed: that pulls are counted
 * which were not flushed when the process died, or when their manifest was deleted; if that is pushed again by then, they are counted as its own. The time of the last
 * pull is that of its flush.
 */
export class PullCounting {
  readonly #store: Store;
  readonly #options: PullCountingOptions;
  readonly #sums = new Map<string, Sum>();
  /** Taken out of the sums, and not known to be written: it stays as it is until it is. */
  #batch: Batch | undefined;
  /** The last batch that was written; nobody asks for it any more. */
  #written: Uid | undefined;
  #missed = 0;
  #flushing: Promise<void> = Promise.resolve();

  constructor(store: Store, options: PullCountingOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** A look-up in a map: this is on the way of every pull. */
  readonly counted = (repository: Uid, image: ImagePath, digest: Digest): void => {
    const key = `${repository}${digest}${image}`;
    const sum = this.#sums.get(key);
    if (sum !== undefined) {
      sum.pulls += 1;
      return;
    }
    if (this.#sums.size >= HELD_AT_MOST) {
      this.#missed += 1;
      return;
    }
    this.#sums.set(key, { repository, image, digest, pulls: 1 });
    if (this.#sums.size === EARLY) this.flush().catch(this.#options.failed);
  };

  /** Writes down what was counted until it begins; flushes follow each other. Costs a transaction for each 200 manifests, and none where nothing was pulled. */
  flush(): Promise<void> {
    const flushed = this.#flushing.then(() => this.#flush());
    this.#flushing = flushed.catch(() => undefined);
    return flushed;
  }

  async #flush(): Promise<void> {
    let left = this.#sums.size;
    if (this.#batch !== undefined) await this.#write(this.#batch);
    while (left > 0) {
      const sums = this.#take(Math.min(left, BATCH));
      left -= sums.length;
      await this.#write({ id: this.#options.newId(), sums });
    }
    if (this.#missed > 0) this.#options.missed(this.#missed);
    this.#missed = 0;
  }

  /** Those that were counted first. */
  #take(limit: number): readonly Sum[] {
    const taken: Sum[] = [];
    for (const [key, sum] of this.#sums) {
      if (taken.length === limit) break;
      taken.push(sum);
      this.#sums.delete(key);
    }
    return taken;
  }

  async #write(batch: Batch): Promise<void> {
    this.#batch = batch;
    const before = this.#written;
    await this.#store.transact(
      async (writing) => {
        const { tx } = writing;
        const { keyspace } = writing.registry;
        const key = keyspace.command(batch.id);
        const [done, time, ...found] = await Promise.all([
          tx.get(key),
          tx.time(),
          // With a conflict: counters without a manifest would be nobody's, and a manifest that is pushed again begins at none.
          ...batch.sums.map(({ repository, image, digest }) => findManifest(writing, repository, image, digest)),
        ]);
        if (done !== undefined) return;
        batch.sums.forEach((sum, index) => {
          if (found[index] !== undefined) addPulls(tx, keyspace, sum, sum.pulls, time);
        });
        // As a command's outcome, of which the last one is pruned when the process has ended.
        tx.set(key, encodeJson({ outcome: true, at: Number(time) }));
        if (before !== undefined) tx.clear(keyspace.command(before));
      },
      { timeoutMs: TIMEOUT_MS },
    );
    this.#written = batch.id;
    this.#batch = undefined;
  }
}
