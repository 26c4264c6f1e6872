import { firstValueFrom, from, mergeMap, of, take, toArray, type Subscription } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';

import { EventDecodeError } from '../../src/events/codec.js';
import type { Batch } from '../../src/events/log.js';
import { comparePositions, type Position } from '../../src/events/position.js';
import { subscribe, type SubscribeOptions } from '../../src/events/subscribe.js';
import type { RecordedEvent } from '../../src/events/types.js';
import type { Database } from '../../src/keyvalue/database.js';
import { LOG_PARTITIONS } from '../../src/keyvalue/keyspace.js';
import { newStore } from '../support/database.js';
import { commit, eventOn, log, streamAt, type Committed } from './log-fixture.js';

const never = 3_600_000;
const options = (more: Partial<SubscribeOptions> = {}): SubscribeOptions => ({
  after: undefined,
  incarnation: () => Promise.resolve(1),
  pollMs: never,
  ...more,
});
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Collects what a subscription gives. */
function collect(database: Database, more: Partial<SubscribeOptions> = {}) {
  const events: RecordedEvent[] = [];
  const errors: unknown[] = [];
  const subscription: Subscription = subscribe(log, database, options(more), (batch) => batch.events).subscribe({
    next: (event) => events.push(event),
    error: (error: unknown) => errors.push(error),
  });
  return { events, errors, subscription, seen: (count: number) => vi.waitFor(() => expect(events).toHaveLength(count), 10_000) };
}

describe('a subscriber sees exactly the log, in order', () => {
  test.each([1, 2, 3, 4, 5, 6])('while many write, seed %i', async (seed) => {
    const faults = { notCommitted: 0.05, unknownLost: 0.05, transactionTooOld: 0.02, watchLost: 0.3, watchLate: 0.1 };
    const store = newStore({ seed, faults });
    const limit = seed === 1 ? 1 : 1 + Math.floor(store.random() * 20);
    const { events, errors, subscription, seen } = collect(store.connect(), { limit, pollMs: 20 });
    const written: Committed[] = [];
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const database = store.connect();
        for (let round = 0; round < 10; round += 1) {
          const count = 1 + Math.floor(store.random() * 3);
          written.push(
            ...(await commit(
              database,
              Array.from({ length: count }, () => eventOn(streamAt(Math.floor(store.random() * 24)))),
            )),
          );
          if (store.random() < 0.2) await pause(store.random() * 30);
        }
      }),
    );
    await seen(written.length);
    written.sort((left, right) => comparePositions(left.position, right.position));
    expect(events.map(({ id }) => id)).toEqual(written.map(({ id }) => id));
    expect(errors).toEqual([]);
    subscription.unsubscribe();
  });
});

describe('at the tail', () => {
  test('a watch wakes it, on every partition, and only fired watches are set anew', async () => {
    const store = newStore({ seed: 1 });
    const database = store.connect();
    const { seen, subscription } = collect(database);
    for (let at = 0; at < 24; at += 1) {
      await vi.waitFor(() => expect(store.watching).toBe(LOG_PARTITIONS));
      await commit(database, [eventOn(streamAt(at))]);
      await seen(at + 1);
    }
    subscription.unsubscribe();
  });

  test('a poll finds what lost watches did not tell, and sets all watches anew', async () => {
    const store = newStore({ seed: 1 });
    const database = store.connect();
    store.force('watchLost', LOG_PARTITIONS);
    const rings: (() => void)[] = [];
    const { events, seen, subscription } = collect(database, { timer: (_, ring) => (rings.push(ring), () => undefined) });
    await vi.waitFor(() => expect(rings).toHaveLength(1));
    await commit(database, [eventOn(streamAt(0))]);
    await pause(50);
    expect(events).toHaveLength(0);
    rings[0]?.();
    await seen(1);
    await vi.waitFor(() => expect(store.watching).toBe(LOG_PARTITIONS));
    await commit(database, [eventOn(streamAt(0))]);
    await seen(2);
    subscription.unsubscribe();
  });

  test('an append between the read and the watch is not missed', async () => {
    const store = newStore({ seed: 1 });
    const database = store.connect();
    let late = true;
    const incarnation = async (): Promise<number> => {
      // After this transaction has its read version, before it sets its watches.
      if (late) {
        late = false;
        await commit(database, [eventOn(streamAt(0))]);
      }
      return 1;
    };
    const opened = async (tx: Parameters<SubscribeOptions['incarnation']>[0]): Promise<number> => {
      await tx.readVersion();
      return incarnation();
    };
    const { seen, subscription } = collect(database, { incarnation: opened });
    await seen(1);
    subscription.unsubscribe();
  });
});

test('it goes on behind the position that it is given', async () => {
  const database = newStore({ seed: 1 }).connect();
  const written: Committed[] = [];
  for (let at = 0; at < 20; at += 1) written.push(...(await commit(database, [eventOn(streamAt(at))])));
  let checkpoint: Position | undefined;
  const ids: string[] = [];
  while (ids.length < 20) {
    const part = subscribe(log, database, options({ after: checkpoint, limit: 3 }), (batch) => batch.events).pipe(
      take(4),
      toArray(),
    );
    for (const event of await firstValueFrom(part)) {
      ids.push(event.id);
      checkpoint = event.position;
    }
  }
  expect(ids).toEqual(written.map(({ id }) => id));
});

test('it follows the store into its next incarnation', async () => {
  const database = newStore({ seed: 1 }).connect();
  let incarnation = 1;
  const { seen, events, subscription } = collect(database, { incarnation: () => Promise.resolve(incarnation) });
  await commit(database, [eventOn(streamAt(0))]);
  await seen(1);
  incarnation = 2;
  await commit(database, [eventOn(streamAt(1))], 2);
  await seen(2);
  expect(events.map(({ position }) => position.incarnation)).toEqual([1, 2]);
  subscription.unsubscribe();
});

test('the next batch is read when the consumer is done with the last', async () => {
  const store = newStore({ seed: 1 });
  const database = store.connect();
  for (let at = 0; at < 6; at += 1) await commit(database, [eventOn(streamAt(at))]);
  let reads = 0;
  let working = 0;
  const batches: Batch[] = [];
  const incarnation = (): Promise<number> => {
    reads += 1;
    expect(working).toBe(0);
    return Promise.resolve(1);
  };
  const release: (() => void)[] = [];
  const handle = async (batch: Batch): Promise<Batch> => {
    working += 1;
    await new Promise<void>((resolve) => release.push(resolve));
    working -= 1;
    return batch;
  };
  const subscription = subscribe(log, database, options({ limit: 2, incarnation }), (batch) => from(handle(batch))).subscribe(
    (batch) => batches.push(batch),
  );
  for (let at = 0; at < 3; at += 1) {
    await vi.waitFor(() => expect(release).toHaveLength(at + 1));
    await pause(20);
    expect(reads).toBe(at + 1);
    expect(batches).toHaveLength(at);
    release[at]?.();
  }
  await vi.waitFor(() => expect(batches).toHaveLength(3));
  subscription.unsubscribe();
});

describe('it ends with the error', () => {
  test('of an event that can not be decoded, after what lies before it', async () => {
    const database = newStore({ seed: 1 }).connect();
    await commit(database, [eventOn(streamAt(0))]);
    const { errors, events, seen } = collect(database);
    await seen(1);
    await database.transact(async (tx) => {
      const { template, offset } = log.keyspace.logAppend(1, 0, 0);
      tx.setVersionstampedKey(template, offset, Buffer.from('no event'));
      tx.add(log.keyspace.wake(0), 1n);
    });
    await vi.waitFor(() => expect(errors).toHaveLength(1));
    expect(errors[0]).toBeInstanceOf(EventDecodeError);
    expect(events).toHaveLength(1);
  });

  test('of its consumer', async () => {
    const store = newStore({ seed: 1 });
    const database = store.connect();
    await commit(database, [eventOn(streamAt(0))]);
    const failing = subscribe(log, database, options(), () => of(1).pipe(mergeMap(() => Promise.reject(new Error('full')))));
    await expect(firstValueFrom(failing)).rejects.toThrow('full');
    expect(store.watching).toBe(0);
  });

  test('of a database that is closed under it', async () => {
    const store = newStore({ seed: 1 });
    const database = store.connect();
    const { errors } = collect(database);
    await vi.waitFor(() => expect(store.watching).toBe(LOG_PARTITIONS));
    await database.close();
    await vi.waitFor(() => expect(errors).toMatchObject([{ code: 'closed' }]));
  });
});

test('whoever unsubscribes leaves no watch and no timer behind, at any moment', async () => {
  const store = newStore({ seed: 1 });
  const database = store.connect();
  await commit(database, [eventOn(streamAt(0))]);
  let timers = 0;
  const timer = (): (() => void) => {
    timers += 1;
    return () => (timers -= 1);
  };
  let bodies = 0;
  const incarnation = (): Promise<number> => Promise.resolve((bodies += 1) > 0 ? 1 : 0);
  for (let turns = 0; turns < 60; turns += 1) {
    const { subscription } = collect(database, { timer, incarnation });
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    subscription.unsubscribe();
  }
  await pause(100);
  expect([store.watching, timers]).toEqual([0, 0]);
  const settled = bodies;
  await commit(database, [eventOn(streamAt(0))]);
  await pause(100);
  expect(bodies).toBe(settled);
});
