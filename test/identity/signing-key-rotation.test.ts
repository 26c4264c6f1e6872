import { describe, expect, test } from 'vitest';

import { replaceSigningKeys, rotateSigningKey } from '../../src/identity/signing-key-rotation.js';
import { loadSigningKeys, readSigningKeys, SIGNING_AFTER_MS, signingKeys } from '../../src/identity/signing-keys.js';
import { createKeyspace, directoryPrefix } from '../../src/keyvalue/keyspace.js';
import { SimulatedStore, VirtualClock, type SimulatedOptions } from '../../src/keyvalue/simulated.js';

const keyspace = createKeyspace(directoryPrefix('topaz'));
const day = 24 * 3_600 * 1_000;
const options = { olderThanMs: 30 * day, keptMs: 31 * day };

const faults = { notCommitted: 0.2, transactionTooOld: 0.1, unknownApplied: 0.2, unknownLost: 0.2 };
const none = { notCommitted: 0, transactionTooOld: 0, unknownApplied: 0, unknownLost: 0 };

async function newWorld(more: Partial<SimulatedOptions> = {}) {
  const clock = new VirtualClock();
  const store = new SimulatedStore({ seed: 1, clock, ...more });
  const database = store.connect();
  await loadSigningKeys(database, keyspace);
  const kids = async () => (await database.read((tx) => readSigningKeys(tx, keyspace))).map(({ kid }) => kid);
  const signing = async () => signingKeys(await database.read((tx) => readSigningKeys(tx, keyspace)), clock.now()).signing.kid;
  return { clock, store, database, kids, signing };
}

describe('the rotation of the signing key', () => {
  test('makes a new one when the newest is old, and none before', async () => {
    const { clock, database, kids } = await newWorld();
    await clock.sleep(29 * day);
    expect(await rotateSigningKey(database, keyspace, options)).toBeUndefined();
    await clock.sleep(day);
    const made = await rotateSigningKey(database, keyspace, options);
    expect((await kids())[0]).toBe(made);
    expect(await kids()).toHaveLength(2);
    expect(await rotateSigningKey(database, keyspace, options)).toBeUndefined();
  });

  test('leaves every key that a living token may be signed with, and no other', async () => {
    const { clock, database, kids, signing } = await newWorld();
    const lastSigned = new Map<string, number>();
    for (let passed = 0; passed < 200; passed += 1) {
      await clock.sleep(day);
      await rotateSigningKey(database, keyspace, options);
      lastSigned.set(await signing(), passed);
      const there = await kids();
      for (const [kid, at] of lastSigned) if (passed - at < 31) expect(there, `${passed}`).toContain(kid);
      expect(there.length).toBeLessThanOrEqual(4);
    }
    expect(lastSigned.size).toBeGreaterThan(5);
  });

  test('asked for again and again makes one for each time that a new key has to wait, at most', async () => {
    const { clock, database } = await newWorld();
    const asked = { olderThanMs: 0, keptMs: 31 * day };
    expect(await rotateSigningKey(database, keyspace, asked)).toBeUndefined();
    await clock.sleep(SIGNING_AFTER_MS);
    expect(await rotateSigningKey(database, keyspace, asked)).toBeDefined();
    expect(await rotateSigningKey(database, keyspace, asked)).toBeUndefined();
    await clock.sleep(SIGNING_AFTER_MS);
    expect(await rotateSigningKey(database, keyspace, asked)).toBeDefined();
  });

  test.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'by several servers at once makes one, whatever becomes of their commits (seed %i)',
    async (seed) => {
      const { clock, store, kids } = await newWorld({ seed });
      await clock.sleep(30 * day);
      store.faults = { ...store.faults, ...faults };
      const made = await Promise.all([1, 2, 3].map(() => rotateSigningKey(store.connect(), keyspace, options)));
      store.faults = { ...store.faults, ...none };
      expect(await kids()).toHaveLength(2);
      expect(made.filter((kid) => kid !== undefined)).toEqual([(await kids())[0]]);
    },
  );
});

test.each(Array.from({ length: 10 }, (_, seed) => seed))(
  'a replacement leaves one key, which signs at once (seed %i)',
  async (seed) => {
    const { clock, store, database, kids, signing } = await newWorld({ seed });
    await clock.sleep(30 * day);
    await rotateSigningKey(database, keyspace, options);
    const before = await kids();
    store.faults = { ...store.faults, ...faults };
    const made = await replaceSigningKeys(database, keyspace);
    store.faults = { ...store.faults, ...none };
    expect(await kids()).toEqual([made]);
    expect(before).not.toContain(made);
    expect(await signing()).toBe(made);
  },
);
