import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Uid } from '../../src/identifiers.js';
import { hasChecksum } from '../../src/events/checksum.js';
import { EVENT_GENERATION, EventDecodeError, EventTooNewError } from '../../src/events/codec.js';
import { createLog, partitionOf } from '../../src/events/log.js';
import { comparePositions, formatPosition } from '../../src/events/position.js';
import { blobStream, projectStream, type RecordedEvent, type Stream } from '../../src/events/types.js';
import type { Database, KeyValue, Transaction } from '../../src/keyvalue/database.js';
import { createKeyspace, directoryPrefix, LOG_PARTITIONS, stampOfKey } from '../../src/keyvalue/keyspace.js';
import { newStore } from '../support/database.js';
import { commit, eventOn, log, readAll, streamAt, streams, type Committed } from './log-fixture.js';
import { sha256, sha512, uid } from './samples.js';

const idsOf = (events: readonly { readonly id: Uid }[]): readonly Uid[] => events.map(({ id }) => id);
const inOrder = (commits: readonly Committed[]): readonly Committed[] =>
  [...commits].sort((left, right) => comparePositions(left.position, right.position));

test("a stream's partition is what it was when stores were written", () => {
  // FNV-1a's own test vectors: 0x811c9dc5, 0xe40c292c and 0xbf9cf968.
  expect(['', 'a', 'foobar'].map((text) => partitionOf(text as Stream))).toEqual([
    (0x811c ^ 0x9dc5) % 8,
    (0xe40c ^ 0x292c) % 8,
    (0xbf9c ^ 0xf968) % 8,
  ]);
  expect(streams.map(partitionOf).join('')).toBe('432107654321076543212143');
  expect([blobStream(sha256('c')), blobStream(sha512('d')), projectStream(uid('5'))].map(partitionOf)).toEqual([4, 5, 6]);
});

test('random streams spread evenly over the partitions', () => {
  const counts = new Array<number>(LOG_PARTITIONS).fill(0);
  for (let at = 0; at < 8_000; at += 1) {
    const partition = partitionOf(projectStream(crypto.randomUUID() as Uid));
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  for (const count of counts) expect(count).toBeGreaterThan(850);
});

describe('readFrom gives the order of the commits', () => {
  // A commit is the streams of its events, by their numbers.
  const commits = fc.array(fc.array(fc.nat(23), { minLength: 1, maxLength: 4 }), { maxLength: 20 });
  const limits = fc.record({
    limit: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 60 })),
    targetBytes: fc.integer({ min: 1, max: 8_000 }),
  });

  test('of one writer, for any limits', async () => {
    await fc.assert(
      fc.asyncProperty(commits, limits, async (written, limit) => {
        const database = newStore({ seed: 1 }).connect();
        const expected: Committed[] = [];
        for (const one of written)
          expected.push(
            ...(await commit(
              database,
              one.map((stream) => eventOn(streamAt(stream))),
            )),
          );
        const events = await readAll(database, limit);
        expect(idsOf(events)).toEqual(idsOf(expected));
        expect(events.map(({ position }) => formatPosition(position))).toEqual(
          expected.map(({ position }) => formatPosition(position)),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('of many writers at once, while they write', async () => {
    for (const limit of [1, 5, 64]) {
      const store = newStore({
        seed: limit,
        faults: { notCommitted: 0.05, unknownLost: 0.05, transactionTooOld: 0.01 },
      });
      const written: Committed[] = [];
      const writers = Array.from({ length: 12 }, async (_, writer) => {
        const database = store.connect();
        for (let round = 0; round < 12; round += 1) {
          const events = Array.from({ length: 1 + Math.floor(store.random() * 3) }, () =>
            eventOn(streamAt(Math.floor(store.random() * 24)), writer),
          );
          written.push(...(await commit(database, events)));
        }
      });
      let writing = true;
      const all = Promise.all(writers).finally(() => (writing = false));
      const reader = store.connect();
      const seen: RecordedEvent[] = [];
      while (writing) seen.push(...(await readAll(reader, { limit }, 1, seen.at(-1)?.position)));
      await all;
      seen.push(...(await readAll(reader, { limit }, 1, seen.at(-1)?.position)));
      expect(idsOf(seen), `seed ${store.seed}`).toEqual(idsOf(inOrder(written)));
    }
  });

  test('over incarnations, the older first, though its stamps are higher', async () => {
    const database = newStore({ seed: 1 }).connect();
    const third = await commit(database, [eventOn(streamAt(0)), eventOn(streamAt(1))], 3);
    const first = await commit(database, [eventOn(streamAt(0)), eventOn(streamAt(2))], 1);
    for (const limit of [1, 2, 3, 10]) {
      expect(idsOf(await readAll(database, { limit }, 3))).toEqual(idsOf([...first, ...third]));
      expect(idsOf(await readAll(database, { limit }, 1))).toEqual(idsOf(first));
      expect(idsOf(await readAll(database, { limit }, 4, first[0]?.position))).toEqual(idsOf([...first.slice(1), ...third]));
    }
    await expect(readAll(database, {}, 2, third[0]?.position)).rejects.toThrow(/incarnation 3 is not there yet/);
    expect(idsOf(await database.read((tx) => log.readStream(tx, streamAt(0))))).toEqual(
      idsOf([...first.slice(0, 1), ...third.slice(0, 1)]),
    );
  });

  test('in batches that say whether the tail was reached, and keep to their limits', async () => {
    const database = newStore({ seed: 1 }).connect();
    const read = (limit: number, targetBytes?: number) =>
      database.read((tx) => log.readFrom(tx, 1, undefined, { limit, ...(targetBytes === undefined ? {} : { targetBytes }) }));
    expect(await read(5)).toEqual({ events: [], next: undefined, unchecked: 0, tailReached: true });
    for (let at = 0; at < 10; at += 1) await commit(database, [eventOn(streamAt(at))]);
    expect((await read(9)).tailReached).toBe(false);
    expect((await read(9)).events).toHaveLength(9);
    expect((await read(11)).tailReached).toBe(true);
    expect((await read(100, 1)).events).toHaveLength(1);
    const { events } = await read(100, 1_000);
    expect(events.length).toBeGreaterThan(2);
    expect(events.length).toBeLessThan(6);
  });
});

describe('append', () => {
  const live = { incarnation: 1, events: EVENT_GENERATION };

  test('writes only what the directory says that all servers read', async () => {
    const database = newStore({ seed: 1 }).connect();
    const appended = (events: number): Promise<Buffer[]> =>
      database.transact((tx) => {
        const made = log.append(tx, { incarnation: 1, events }, [eventOn(streamAt(0))]);
        return Promise.resolve(made.map(({ bytes }) => bytes));
      });
    expect((await appended(1)).map(hasChecksum)).toEqual([false]);
    expect((await appended(2)).map(hasChecksum)).toEqual([true]);
    await expect(appended(0)).rejects.toThrow(EventTooNewError);
    const batch = await database.read((tx) => log.readFrom(tx, 1, undefined));
    expect([batch.events.length, batch.unchecked]).toEqual([2, 1]);
  });

  test('many at once to one stream conflict with nothing', async () => {
    const store = newStore({ seed: 1 });
    let bodies = 0;
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const database = store.connect();
        await database.transact(async (tx) => {
          bodies += 1;
          // A read that gives the transaction a read version: what conflicts, conflicts with this.
          await tx.get(Buffer.from('elsewhere'));
          log.append(tx, live, [eventOn(streamAt(0))]);
        });
      }),
    );
    expect(bodies).toBe(50);
    expect(await readAll(store.connect(), {})).toHaveLength(50);
  });

  test('several in one transaction go on counting, each directory by itself', async () => {
    const database = newStore({ seed: 1 }).connect();
    const platform = createLog(createKeyspace(directoryPrefix('topaz')));
    const events = [eventOn(streamAt(3)), eventOn(streamAt(1)), eventOn(streamAt(3)), eventOn(streamAt(2))];
    const numbers = await database.transact(async (tx) => [
      ...log.append(tx, live, events.slice(0, 2)),
      ...platform.append(tx, live, events.slice(0, 1)),
      ...log.append(tx, live, []),
      ...log.append(tx, live, events.slice(2)),
    ]);
    expect(numbers.map(({ index }) => index)).toEqual([0, 1, 0, 2, 3]);
    expect(idsOf(await readAll(database, { limit: 1 }))).toEqual(idsOf(events));
    expect((await database.read((tx) => platform.readFrom(tx, 1, undefined))).events).toHaveLength(1);
  });

  test('an incarnation that no store has is refused', async () => {
    const database = newStore({ seed: 1 }).connect();
    for (const incarnation of [0, -1, 1.5, NaN])
      await expect(commit(database, [eventOn(streamAt(0))], incarnation)).rejects.toThrow(RangeError);
  });
});

describe('readStream', () => {
  test('forward, backward, in pages and in between', async () => {
    const database = newStore({ seed: 1 }).connect();
    const stream = streamAt(5);
    const mine: Committed[] = [];
    for (let at = 0; at < 7; at += 1) {
      const committed = await commit(database, [eventOn(streamAt(at + 6)), eventOn(stream), eventOn(stream)]);
      mine.push(...committed.slice(1));
    }
    const read = (range: Parameters<typeof log.readStream>[2]) => database.read((tx) => log.readStream(tx, stream, range));
    expect(idsOf(await read({}))).toEqual(idsOf(mine));
    expect((await read({})).map(({ position }) => formatPosition(position))).toEqual(
      mine.map(({ position }) => formatPosition(position)),
    );
    expect(idsOf(await read({ reverse: true }))).toEqual(idsOf(mine).toReversed());
    for (const reverse of [false, true]) {
      const pages: RecordedEvent[] = [];
      for (;;) {
        const last = pages.at(-1)?.position;
        const page = await read({ limit: 3, reverse, ...(reverse ? { before: last } : { after: last }) });
        pages.push(...page);
        if (page.length < 3) break;
      }
      expect(idsOf(pages)).toEqual(reverse ? idsOf(mine).toReversed() : idsOf(mine));
    }
    const [third, sixth] = [mine[2]?.position, mine[5]?.position];
    expect(idsOf(await read({ after: third, before: sixth }))).toEqual(idsOf(mine.slice(3, 5)));
    expect(await read({ after: sixth, before: third })).toEqual([]);
    expect(await read({ after: third, before: third })).toEqual([]);
    expect(await database.read((tx) => log.readStream(tx, projectStream(uid('5'))))).toEqual([]);
  });
});

test('newest is the position of the last commit', async () => {
  const database = newStore({ seed: 1 }).connect();
  const newest = (incarnation: number) => database.read((tx) => log.newest(tx, incarnation));
  expect(await newest(3)).toBeUndefined();
  for (let at = 0; at < 10; at += 1) {
    const committed = await commit(database, [eventOn(streamAt(at)), eventOn(streamAt(at + 1))]);
    expect(await newest(3)).toEqual(committed.at(-1)?.position);
  }
});

describe('an event that can not be decoded stops its readers, with its position:', () => {
  async function damage(how: (tx: Transaction, pair: KeyValue) => void): Promise<{ database: Database; position: string }> {
    const database = newStore({ seed: 1 }).connect();
    await commit(database, [eventOn(streamAt(0))]);
    const [damaged] = await commit(database, [eventOn(streamAt(1))]);
    if (damaged === undefined) throw new Error('nothing was committed');
    const { begin, end } = log.keyspace.logBounds(1, partitionOf(streamAt(1)));
    await database.transact(async (tx) => {
      const pairs = await tx.getRange(begin, end);
      for (const pair of pairs) if (stampOfKey(pair.key).equals(damaged.position.stamp)) how(tx, pair);
    });
    expect(await database.read((tx) => log.readStream(tx, streamAt(0)))).toHaveLength(1);
    return { database, position: formatPosition(damaged.position) };
  }

  test.each<[string, (value: Buffer) => Buffer]>([
    ['one that ends too early', (value) => value.subarray(0, 40)],
    ['one without bytes', () => Buffer.alloc(0)],
    ['one with another bit', (value) => Buffer.concat([value.subarray(0, -1), Buffer.of(value.readUInt8(value.length - 1) ^ 1)])],
    ['one without its checksum', (value) => Buffer.concat([Buffer.alloc(5), value.subarray(5)])],
  ])('%s', async (_, change) => {
    const { database, position } = await damage((tx, { key, value }) => tx.set(key, change(value)));
    const readings = [() => readAll(database, {}), () => database.read((tx) => log.readStream(tx, streamAt(1)))];
    for (const reading of readings) {
      const error: unknown = await reading().catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(EventDecodeError);
      expect(String(error)).toContain(`the event at ${position} can't be read`);
    }
  });

  test('one that the stream names and the log lacks', async () => {
    const { database, position } = await damage((tx, { key }) => tx.clear(key));
    const error: unknown = await database.read((tx) => log.readStream(tx, streamAt(1))).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(EventDecodeError);
    expect(String(error)).toContain(`${streamAt(1)} names ${position}, which the log lacks`);
  });
});
