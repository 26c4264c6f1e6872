import fc from 'fast-check';
import { expect, test } from 'vitest';

import { BytesCache } from '../../src/http/bytes-cache.js';

// Room for three entries, unless they are large.
const OVERHEAD = 250;
const MAX = 3 * (OVERHEAD + 1) + 60;
const ENTRY = 40;

/** The least recently used at the front. */
class Model {
  entries: { readonly key: string; readonly size: number }[] = [];

  touch(key: string): number | undefined {
    const found = this.entries.find((entry) => entry.key === key);
    if (found === undefined) return undefined;
    this.entries = [...this.entries.filter((entry) => entry !== found), found];
    return found.size;
  }

  set(key: string, size: number): void {
    if (size > ENTRY || this.entries.some((entry) => entry.key === key)) return;
    this.entries.push({ key, size });
    while (this.entries.reduce((sum, entry) => sum + entry.key.length + entry.size + OVERHEAD, 0) > MAX) this.entries.shift();
  }
}

test('what is kept is what was used last, never more than the cache may hold', () => {
  const key = fc.constantFrom(...'abcdefgh');
  const step = fc.oneof(
    fc.record({ key, size: fc.integer({ min: 0, max: ENTRY + 5 }) }),
    fc.record({ key, size: fc.constant(undefined) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = new BytesCache(MAX, ENTRY);
      const model = new Model();
      for (const { key: of, size } of steps) {
        if (size === undefined) expect(cache.get(of)?.length).toBe(model.touch(of));
        else {
          cache.set(of, 'x'.repeat(size));
          model.set(of, size);
        }
      }
      for (const of of 'abcdefgh') expect(cache.get(of)?.length).toBe(model.touch(of));
    }),
  );
});

test('keys count too, and entries without bytes: no number of them is kept', () => {
  const cache = new BytesCache(10_000, 1_000);
  const keys = Array.from({ length: 1_000 }, (_, index) => `key ${index}`);
  for (const key of keys) cache.set(key, '');
  expect(keys.filter((key) => cache.get(key) !== undefined).length).toBeLessThanOrEqual(40);
  cache.set('k'.repeat(9_700), '');
  expect(cache.get('key 999')).toBeUndefined();
});
