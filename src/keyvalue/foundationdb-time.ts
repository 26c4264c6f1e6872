import type { ReadTransaction } from './database.js';
import type { KeyBounds } from './keyspace.js';
import { DatabaseClock } from './lmdb-clock.js';
import { readNewestSample, timeAfter, type TimeSample } from './time-samples.js';

// A sample is written once the one before is as old, so until then the one that is held is the newest.
const SAMPLE_VERSIONS = 10_000_000n;

/** The time of a cluster's versions: by the newest sample, and before there are samples by this host's clock. */
export class ClusterTime {
  readonly #clock = new DatabaseClock();
  #bounds: KeyBounds | undefined;
  #newest: TimeSample | undefined;

  keepBy(bounds: KeyBounds): void {
    this.#bounds = bounds;
    this.#newest = undefined;
  }

  /** Microseconds since 1970 at the transaction's version. `tx` reads without conflicts. */
  async at(tx: ReadTransaction): Promise<bigint> {
    const bounds = this.#bounds;
    if (bounds === undefined) return this.#clock.after(0n);
    const version = await tx.readVersion();
    const held = this.#newest;
    if (held !== undefined && version >= held.version && version - held.version < SAMPLE_VERSIONS)
      return timeAfter(held, version);
    const sample = await readNewestSample(tx, bounds);
    if (sample === undefined) return this.#clock.after(0n);
    if (this.#bounds === bounds && (this.#newest === undefined || sample.version > this.#newest.version)) this.#newest = sample;
    return timeAfter(sample, version);
  }
}
