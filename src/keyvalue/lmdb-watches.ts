import { covers } from './apply-operations.js';
import type { KeyWatch } from './key-watch.js';
import type { LmdbSnapshot, Snapshots } from './lmdb-snapshots.js';
import type { WatchRegistration } from './optimistic-transaction.js';

// Another process's commit rings no bell here. Jittered, so that processes do not look in step.
const POLL_MS = 25;

/** The watches of one process. They read the conflict log, which tells what every commit of every process wrote. */
export class Watches {
  readonly #snapshots: Snapshots;
  /** Each with the version up to which its key is known not to have been written. */
  readonly #waiting = new Map<KeyWatch, bigint>();
  #poll: NodeJS.Timeout | undefined;

  constructor(snapshots: Snapshots) {
    this.#snapshots = snapshots;
  }

  get size(): number {
    return this.#waiting.size;
  }

  add(registrations: readonly WatchRegistration[]): void {
    if (registrations.length === 0) return;
    for (const { watch, since } of registrations) {
      this.#waiting.set(watch, since);
      watch.onEnd(() => this.#forget(watch));
    }
    this.check();
    this.#keepPolling();
  }

  /** Fires the watches whose keys were written. Costs one read when nothing was committed, and nothing when nobody waits. */
  check(): void {
    if (this.#waiting.size === 0) return;
    let snapshot: LmdbSnapshot | undefined;
    try {
      snapshot = this.#snapshots.open();
      this.#compare(snapshot);
    } catch {
      // Who waits reads next, and meets the fault there.
      this.close();
    } finally {
      if (snapshot !== undefined) this.#snapshots.release(snapshot);
    }
  }

  /** Fires all: nobody waits for a store that is gone. */
  close(): void {
    for (const watch of [...this.#waiting.keys()]) watch.fire();
  }

  #compare(snapshot: LmdbSnapshot): void {
    const { version, forgotten } = snapshot.state();
    let oldest = version;
    for (const [watch, since] of this.#waiting) {
      if (since < forgotten) watch.fire();
      else if (since < oldest) oldest = since;
    }
    if (oldest === version) return;
    for (const commit of snapshot.commitsAfter(oldest)) {
      for (const [watch, since] of this.#waiting) {
        if (since < commit.version && covers(commit.ranges, watch.key)) watch.fire();
      }
    }
    for (const watch of this.#waiting.keys()) this.#waiting.set(watch, version);
  }

  #forget(watch: KeyWatch): void {
    this.#waiting.delete(watch);
    if (this.#waiting.size > 0) return;
    clearTimeout(this.#poll);
    this.#poll = undefined;
  }

  #keepPolling(): void {
    if (this.#waiting.size === 0 || this.#poll !== undefined) return;
    this.#poll = setTimeout(
      () => {
        this.#poll = undefined;
        this.check();
        this.#keepPolling();
      },
      POLL_MS * (0.5 + Math.random()),
    ).unref();
  }
}
