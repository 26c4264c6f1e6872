import type { ReadTransaction } from './database.js';
import type { KeyBounds } from './keyspace.js';
import { DatabaseClock } from './database-clock.js';
import { readNewestSample, SAMPLE_DUE_MICROS, timeAfter, type TimeSample } from './time-samples.js';

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
    // The newest until the next is due, but where an operator began a new incarnation: its first sample is written out of turn.
    const held = this.#newest;
    if (held !== undefined && version >= held.version && version - held.version < SAMPLE_DUE_MICROS)
      return timeAfter(held, version);
    const sample = await readNewestSample(tx, bounds);
    if (sample === undefined) return this.#clock.after(0n);
    if (this.#bounds === bounds && (this.#newest === undefined || sample.version > this.#newest.version)) this.#newest = sample;
    return timeAfter(sample, version);
  }
}
