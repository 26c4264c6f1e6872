import { expect, test } from 'vitest';

import type { Store } from '../../src/projections/store.js';
import { simulate } from '../commands/fixture.js';

const MIB = 1024 * 1024;

/** Asks for a key, and says whether its body ran. */
async function ran(store: Store, key: string, bytes: number): Promise<boolean> {
  let ran = false;
  const body = () => Promise.resolve(void (ran = true));
  await store.readCached(key, body, () => bytes);
  return ran;
}

test('a full cache of reads begins anew with what is asked for now', async () => {
  const { store } = await simulate();
  for (const key of ['a', 'b', 'c']) expect(await ran(store, key, 6 * MIB)).toBe(true);
  expect(await ran(store, 'c', 6 * MIB)).toBe(false);
  expect(await ran(store, 'a', 6 * MIB)).toBe(true);
});

test('what is larger than the whole cache is not kept, and drives nothing out', async () => {
  const { store } = await simulate();
  await ran(store, 'a', MIB);
  for (let round = 0; round < 2; round += 1) expect(await ran(store, 'large', 17 * MIB)).toBe(true);
  expect(await ran(store, 'a', MIB)).toBe(false);
});
