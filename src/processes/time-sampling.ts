import { hostClock, sampleTimeIn, type HostClock } from '../events/sample-time.js';
import { directoryNames } from '../projections/projection.js';
import type { Store } from '../projections/store.js';

/** How often a process looks whether a sample is due: often enough that one is written before time stands still at the last. */
export const TIME_SAMPLING_MS = 4_000;

/**
 * Writes the samples of database time that are due, of both directories; nothing where versions are times. For whatever opens a store: before
 * its first command, and every TIME_SAMPLING_MS. How far database time is ahead of the clock, in microseconds. Throws as `Store.readDirectory`.
 */
export async function sampleTimes({ database, readDirectory }: Store, clock: HostClock = hostClock): Promise<number> {
  if (database.quietVersions) return 0;
  return database.transact(async (tx) => {
    const ahead: number[] = [];
    for (const name of directoryNames) {
      // Read with a conflict: nothing may be written to an incarnation that is over.
      const { keyspace, live } = await readDirectory(tx, name);
      ahead.push(await sampleTimeIn(tx, keyspace, live.incarnation, clock));
    }
    return Math.max(...ahead);
  });
}
