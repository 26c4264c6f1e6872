import { decodeJson } from '../projections/projection.js';
import { keyAfter } from '../keyvalue/apply-operations.js';
import type { KeyBounds } from '../keyvalue/keyspace.js';
import type { Store } from '../projections/store.js';

/** Outcomes of commands are kept so long, in microseconds of database time: no client repeats a request for longer. */
const KEPT_MICROSECONDS = 24 * 3_600 * 1_000_000;
const STEP = 500;

/** Forgets the outcomes of commands older than a day; how many. */
export async function pruneCommands(store: Store): Promise<number> {
  const { commands, idempotents } = store.keyspaces.registry;
  // The ids of most are UUIDv7s: the oldest come first, or nearly. Those that follow from a client's key are few, and in no order.
  const [inOrder, others] = [await prune(store, commands, 'first'), await prune(store, idempotents, 'all')];
  return inOrder + others;
}

/** `first`: only as long as there are old ones at the beginning. */
async function prune(store: Store, { begin, end }: KeyBounds, which: 'first' | 'all'): Promise<number> {
  let pruned = 0;
  let from = begin;
  for (;;) {
    const { cleared, last } = await store.transact(async ({ tx }) => {
      const found = await tx.snapshot.getRange(from, end, { limit: STEP });
      const now = Number(await tx.time());
      const old = found.filter(({ value }) => now - decodeJson<{ readonly at: number }>(value).at > KEPT_MICROSECONDS);
      for (const { key } of old) tx.clear(key);
      return { cleared: old.length, last: found.length === STEP ? found.at(-1)?.key : undefined };
    });
    pruned += cleared;
    if (last === undefined || (which === 'first' && cleared === 0)) return pruned;
    from = keyAfter(last);
  }
}
