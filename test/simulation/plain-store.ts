import { applyOperations, commitStamp } from '../../src/keyvalue/apply-operations.js';
import type { Snapshot } from '../../src/keyvalue/commit-request.js';
import type { Database, KeyValue } from '../../src/keyvalue/database.js';
import { OptimisticTransaction } from '../../src/keyvalue/optimistic-transaction.js';
import { SortedMap } from '../../src/keyvalue/sorted-map.js';

/** A store for one user, without awaits, faults or other processes: what is looked at when a run is over costs nothing but its work. */
export function plainStore(pairs: Iterable<KeyValue> = []): Database & { readonly pairs: SortedMap<Buffer> } {
  const held = new SortedMap<Buffer>();
  for (const { key, value } of pairs) held.set(key, value);
  let version = 1n;
  const begin = (): OptimisticTransaction => {
    const frozen = held.clone();
    const snapshot: Snapshot = {
      version,
      get: (key) => frozen.get(key),
      range: (from, end, reverse) => frozen.range(from, end, reverse),
    };
    return new OptimisticTransaction({ openSnapshot: () => snapshot, now: () => 0, time: (readVersion) => readVersion });
  };
  const target = {
    get: (key: Buffer) => held.get(key),
    set: (key: Buffer, value: Buffer) => held.set(key, value),
    clear: (key: Buffer) => held.delete(key),
    clearRange: (from: Buffer, end: Buffer) => held.deleteRange(from, end),
  };
  return {
    pairs: held,
    quietVersions: true,
    read: (body) => body(begin().snapshot),
    async transact(body) {
      const tx = begin();
      const result = await body(tx);
      const request = tx.seal();
      version += 1n;
      if (request !== undefined) applyOperations(target, request.operations, commitStamp(version, 0));
      return result;
    },
    close: () => Promise.resolve(),
  };
}
