import type { Store } from '../projections/store.js';
import { decodeJson } from '../projections/projection.js';

/** Outcomes of commands are kept so long, in microseconds of database time: no client repeats a request for longer. */
const KEPT_MICROSECONDS = 24 * 3_600 * 1_000_000;
const STEP = 500;

/** Forgets the outcomes of commands older than a day; how many. Their ids are UUIDv7s, so the oldest come first, or nearly. */
export async function pruneCommands(store: Store): Promise<number> {
  let pruned = 0;
  for (;;) {
    const done = await store.transact(async ({ tx, registry }) => {
      const { begin, end } = registry.keyspace.commands;
      const oldest = await tx.snapshot.getRange(begin, end, { limit: STEP });
      const now = Number(await tx.time());
      const old = oldest.filter(({ value }) => now - decodeJson<{ readonly at: number }>(value).at > KEPT_MICROSECONDS);
      for (const { key } of old) tx.clear(key);
      return { pruned: old.length, more: old.length === STEP };
    });
    pruned += done.pruned;
    if (!done.more) return pruned;
  }
}
