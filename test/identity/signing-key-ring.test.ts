import { describe, expect, test } from 'vitest';

import { SigningKeyRing } from '../../src/identity/signing-key-ring.js';
import { replaceSigningKeys, rotateSigningKey } from '../../src/identity/signing-key-rotation.js';
import { loadSigningKeys, SIGNING_AFTER_MS } from '../../src/identity/signing-keys.js';
import type { Database } from '../../src/keyvalue/database.js';
import { createKeyspace, directoryPrefix } from '../../src/keyvalue/keyspace.js';
import { SimulatedStore, VirtualClock } from '../../src/keyvalue/simulated.js';

const keyspace = createKeyspace(directoryPrefix('topaz'));

/** A store with one old key, and servers on it whose reads are counted. */
async function newWorld() {
  const clock = new VirtualClock();
  const store = new SimulatedStore({ seed: 1, clock });
  const database = store.connect();
  await loadSigningKeys(database, keyspace);
  await clock.sleep(SIGNING_AFTER_MS);
  let time = 0;
  const ring = async () => {
    let reads = 0;
    let hold = Promise.resolve();
    const counting: Pick<Database, 'read'> = {
      read: async (body) => {
        reads += 1;
        const held = hold;
        const result = await database.read(body);
        await held;
        return result;
      },
    };
    const loaded = await loadSigningKeys(database, keyspace);
    const keys = new SigningKeyRing(counting, keyspace, loaded, {
      now: () => clock.now(),
      monotonic: () => time,
      sleep: (ms) => {
        time += ms;
        return Promise.resolve();
      },
    });
    return { keys, reads: () => reads, holdReads: (until: Promise<void>) => void (hold = until) };
  };
  const rotate = async (): Promise<string> => {
    const kid = await rotateSigningKey(database, keyspace, { olderThanMs: 0, keptMs: 1e9 });
    if (kid === undefined) throw new Error('it was not time');
    return kid;
  };
  return { clock, database, ring, rotate, pass: (ms: number) => (time += ms) };
}

describe("a server's keys", () => {
  test('a new one is known after a refresh, and signs when it is old enough', async () => {
    const { clock, ring, rotate } = await newWorld();
    const { keys } = await ring();
    const old = keys.signing.kid;
    const made = await rotate();
    expect(keys.byKid.has(made)).toBe(false);
    await keys.refresh();
    expect(keys.byKid.has(made)).toBe(true);
    expect(keys.signing.kid).toBe(old);
    await clock.sleep(SIGNING_AFTER_MS);
    expect(keys.signing.kid).toBe(made);
    expect(keys.byKid.has(old)).toBe(true);
  });

  test("another server's new one is found by the first token that names it", async () => {
    const { ring, rotate } = await newWorld();
    const { keys, reads } = await ring();
    const made = await rotate();
    expect((await keys.lookAgain(made))?.kid).toBe(made);
    expect(reads()).toBe(1);
  });

  test('what is no key makes one read a second, however many ask', async () => {
    const { ring, pass } = await newWorld();
    const { keys, reads } = await ring();
    for (let round = 1; round <= 3; round += 1) {
      const all = await Promise.all(Array.from({ length: 100 }, (_, index) => keys.lookAgain(`forged ${index}`)));
      expect(new Set(all)).toEqual(new Set([undefined]));
      // Those who come while it is read share the next one.
      expect(reads()).toBe(round);
    }
    pass(60_000);
    await keys.lookAgain('forged');
    expect(reads()).toBe(4);
  });

  test('a key that is made while a read is under way is found by who asks for it then', async () => {
    const { ring, rotate } = await newWorld();
    const { keys, reads, holdReads } = await ring();
    let release = (): void => undefined;
    holdReads(new Promise((resolve) => (release = resolve)));
    const early = keys.lookAgain('forged');
    await new Promise((resolve) => setImmediate(resolve));
    const made = await rotate();
    holdReads(Promise.resolve());
    const late = keys.lookAgain(made);
    release();
    expect(await early).toBeUndefined();
    expect((await late)?.kid).toBe(made);
    expect(reads()).toBe(2);
  });

  test('an older read that ends later takes nothing back', async () => {
    const { ring, rotate } = await newWorld();
    const { keys, holdReads } = await ring();
    let release = (): void => undefined;
    holdReads(new Promise((resolve) => (release = resolve)));
    const slow = keys.refresh();
    await new Promise((resolve) => setImmediate(resolve));
    const made = await rotate();
    holdReads(Promise.resolve());
    await keys.refresh();
    release();
    await slow;
    expect(keys.byKid.has(made)).toBe(true);
  });

  test('a database that is away is told to who asks, and asked anew by the next', async () => {
    const { database, ring, pass } = await newWorld();
    let away = true;
    const loaded = await loadSigningKeys(database, keyspace);
    const flaky: Pick<Database, 'read'> = {
      read: (body) => (away ? Promise.reject(new Error('away')) : database.read(body)),
    };
    const keys = new SigningKeyRing(flaky, keyspace, loaded);
    await expect(keys.lookAgain('x')).rejects.toThrow('away');
    expect(keys.signing.kid).toBe((await ring()).keys.signing.kid);
    away = false;
    pass(1_000);
    expect(await keys.lookAgain('x')).toBeUndefined();
  });

  test('after a replacement, sign and verify by the new one alone', async () => {
    const { database, ring, rotate } = await newWorld();
    await rotate();
    const { keys } = await ring();
    const made = await replaceSigningKeys(database, keyspace);
    expect((await keys.lookAgain(made))?.kid).toBe(made);
    expect([...keys.byKid.keys()]).toEqual([made]);
    expect(keys.signing.kid).toBe(made);
  });
});
