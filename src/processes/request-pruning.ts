import type { Store } from '../projections/store.js';

/** ARCHITECTURE.md, "What may be erased": addresses and user agents are kept so long, in milliseconds of database time. */
export const REQUEST_KEPT_MS = 90 * 24 * 3_600 * 1_000;
const STEP = 500;

/** Forgets where requests older than 90 days came from, a bounded number in each transaction; how many. */
export async function pruneRequests(store: Store): Promise<number> {
  let pruned = 0;
  for (;;) {
    const done = await store.transact(async ({ tx, registry }) => {
      const now = Math.floor(Number(await tx.time()) / 1_000);
      const { begin, end } = registry.keyspace.requestsBefore(now - REQUEST_KEPT_MS);
      const oldest = await tx.snapshot.getRange(begin, end, { limit: STEP + 1 });
      tx.clearRange(begin, oldest[STEP]?.key ?? end);
      return { pruned: Math.min(oldest.length, STEP), more: oldest.length > STEP };
    });
    pruned += done.pruned;
    if (!done.more) return pruned;
  }
}
