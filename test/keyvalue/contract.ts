import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import {
  KeyValueError,
  limits,
  type Database,
  type KeyValue,
  type KeyValueErrorCode,
  type ReadTransaction,
  type Transaction,
} from '../../src/keyvalue/database.js';

/** An empty store for one suite. */
export interface OpenedDatabase {
  readonly database: Database;
  /** Before all keys of the suite, where it shares the store with others. */
  readonly prefix?: Buffer;
  /** Another connection to the same store, as another process would have it. The suite closes it. */
  connect(): Promise<Database>;
  /** Closes `database` and removes the store. */
  close(): Promise<void>;
}

export interface ContractOptions {
  /** Lets 5 s and a little more pass for the engine's transactions. By default really waits. */
  readonly passTransactionLife?: () => Promise<void>;
  /** False for an engine that has none. */
  readonly metadataVersion?: boolean;
  /** Random programs of the property tests. Default 25. */
  readonly programs?: number;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What every engine of the port must do, whatever it is made of. Every test has key space of its own in one store. */
export function describeDatabaseContract(name: string, open: () => Promise<OpenedDatabase>, options: ContractOptions = {}): void {
  const passTransactionLife = options.passTransactionLife ?? (() => sleep(limits.transactionMs + 200));

  describe(`${name}: the key-value contract`, () => {
    let opened: OpenedDatabase;
    let database: Database;
    let other: Database;
    let prefix: Buffer;
    let space = 0;

    /** A key of this test's own. */
    const key = (suffix: string | Buffer = ''): Buffer =>
      Buffer.concat([
        prefix,
        Buffer.from(`t${String(space).padStart(6, '0')}/`),
        typeof suffix === 'string' ? Buffer.from(suffix) : suffix,
      ]);
    const bytes = (text: string): Buffer => Buffer.from(text);
    const all = (): [Buffer, Buffer] => [key(), key(Buffer.from([0xff, 0xff]))];
    const put = (...names: string[]): Promise<void> =>
      database.transact(async (tx) => {
        await Promise.resolve();
        for (const suffix of names) tx.set(key(suffix), bytes(`value of ${suffix}`));
      });
    const suffixes = (pairs: readonly KeyValue[]): string[] => pairs.map((pair) => pair.key.subarray(key().length).toString());
    const value = async (suffix: string): Promise<string | undefined> =>
      (await database.read((tx) => tx.get(key(suffix))))?.toString();
    const keys = async (): Promise<string[]> => suffixes(await database.read((tx) => tx.getRange(...all())));
    const number = async (suffix: string): Promise<bigint | undefined> =>
      (await database.read((tx) => tx.get(key(suffix))))?.readBigUInt64LE();

    beforeAll(async () => {
      opened = await open();
      database = opened.database;
      prefix = opened.prefix ?? Buffer.alloc(0);
      other = await opened.connect();
    });

    afterAll(async () => {
      await other.close();
      await opened.close();
    });

    beforeEach(() => {
      space += 1;
    });

    const refused = async (code: KeyValueErrorCode, run: () => Promise<unknown>): Promise<KeyValueError> => {
      const error: unknown = await run().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof KeyValueError)) expect.fail(`expected ${code}, not ${String(error)}`);
      expect(error.code).toBe(code);
      return error;
    };

    /** Runs `first`'s reads, then all of `second`, then the rest of `first`; returns how often `first` ran. */
    const interleaved = async (
      first: (tx: Transaction) => Promise<void>,
      second: (tx: Transaction) => Promise<void>,
      write: (tx: Transaction) => void = (tx) => tx.set(key('result'), bytes('written')),
    ): Promise<number> => {
      let runs = 0;
      await database.transact(async (tx) => {
        runs += 1;
        await first(tx);
        await tx.readVersion();
        if (runs === 1) await other.transact(second);
        write(tx);
      });
      return runs;
    };

    describe('reading and writing', () => {
      test('what was committed is read by later transactions of every connection', async () => {
        await put('a');
        expect(await value('a')).toBe('value of a');
        expect((await other.read((tx) => tx.get(key('a'))))?.toString()).toBe('value of a');
        expect(await value('absent')).toBeUndefined();
      });

      test('an empty value is a value', async () => {
        await database.transact(async (tx) => {
          tx.set(key('empty'), Buffer.alloc(0));
          expect(await tx.get(key('empty'))).toEqual(Buffer.alloc(0));
        });
        expect(await database.read((tx) => tx.get(key('empty')))).toEqual(Buffer.alloc(0));
      });

      test('a transaction reads its own writes, by key and in ranges, forward and backward', async () => {
        await put('a', 'b', 'c', 'd');
        await database.transact(async (tx) => {
          tx.set(key('b'), bytes('new b'));
          tx.set(key('bb'), bytes('new bb'));
          tx.clear(key('c'));
          expect((await tx.get(key('b')))?.toString()).toBe('new b');
          expect(await tx.get(key('c'))).toBeUndefined();
          expect(suffixes(await tx.getRange(...all()))).toEqual(['a', 'b', 'bb', 'd']);
          expect(suffixes(await tx.getRange(...all(), { reverse: true }))).toEqual(['d', 'bb', 'b', 'a']);
          expect(suffixes(await tx.getRange(...all(), { reverse: true, limit: 2 }))).toEqual(['d', 'bb']);
          tx.clearRange(key('b'), key('d'));
          expect(suffixes(await tx.getRange(...all()))).toEqual(['a', 'd']);
          tx.set(key('bz'), bytes('after the clear'));
          tx.add(key('c'), 5n);
          expect(suffixes(await tx.getRange(...all()))).toEqual(['a', 'bz', 'c', 'd']);
          expect((await tx.get(key('c')))?.readBigUInt64LE()).toBe(5n);
        });
        expect(await keys()).toEqual(['a', 'bz', 'c', 'd']);
      });

      test('snapshot reads see own writes, too', async () => {
        await put('a', 'b');
        await database.transact(async (tx) => {
          tx.set(key('a'), bytes('mine'));
          tx.clear(key('b'));
          expect((await tx.snapshot.get(key('a')))?.toString()).toBe('mine');
          expect(suffixes(await tx.snapshot.getRange(...all()))).toEqual(['a']);
          expect(await tx.snapshot.readVersion()).toBe(await tx.readVersion());
        });
      });

      test('a read sees the writes called before it and none called after it', async () => {
        await put('a');
        await database.transact(async (tx) => {
          tx.set(key('b'), bytes('before'));
          const pending = tx.getRange(...all());
          tx.set(key('c'), bytes('after'));
          expect(suffixes(await pending)).toEqual(['a', 'b']);
        });
      });

      test('keys are in unsigned byte order, with 0x00 and 0xff in them', async () => {
        const parts = [[], [0x00], [0x00, 0x00], [0x00, 0xff], [0x01], [0x7f], [0x80], [0xfe, 0xff], [0xff], [0xff, 0x00]];
        await database.transact(async (tx) => {
          await Promise.resolve();
          for (const part of [...parts].reverse()) tx.set(key(Buffer.from(part)), Buffer.from(part));
        });
        const pairs = await database.read((tx) => tx.getRange(...all()));
        expect(pairs.map((pair) => [...pair.value])).toEqual(parts);
        expect(pairs.map((pair) => [...pair.key.subarray(key().length)])).toEqual(parts);
        const backward = await database.read((tx) =>
          tx.getRange(key(Buffer.from([0x00])), key(Buffer.from([0xff])), { reverse: true }),
        );
        expect(backward.map((pair) => [...pair.value])).toEqual(parts.slice(1, -2).reverse());
      });

      test('a range has its begin and not its end', async () => {
        await put('a', 'b', 'c');
        expect(suffixes(await database.read((tx) => tx.getRange(key('a'), key('c'))))).toEqual(['a', 'b']);
        expect(suffixes(await database.read((tx) => tx.getRange(key('a'), key('c'), { reverse: true })))).toEqual(['b', 'a']);
        expect(await database.read((tx) => tx.getRange(key('a'), key('a')))).toEqual([]);
        await database.transact(async (tx) => {
          await Promise.resolve();
          tx.clearRange(key('a'), key('b'));
        });
        expect(await keys()).toEqual(['b', 'c']);
      });

      test('limit bounds the pairs of a range from either end', async () => {
        await put('a', 'b', 'c', 'd');
        expect(suffixes(await database.read((tx) => tx.getRange(...all(), { limit: 3 })))).toEqual(['a', 'b', 'c']);
        expect(suffixes(await database.read((tx) => tx.getRange(...all(), { limit: 3, reverse: true })))).toEqual([
          'd',
          'c',
          'b',
        ]);
        expect(suffixes(await database.read((tx) => tx.getRange(...all(), { limit: 9 })))).toEqual(['a', 'b', 'c', 'd']);
      });

      test('targetBytes stops after the pair that reaches it', async () => {
        await put('a', 'b', 'c', 'd');
        const pairBytes = key('a').length + 'value of a'.length;
        const take = async (targetBytes: number, reverse = false): Promise<string[]> =>
          suffixes(await database.read((tx) => tx.getRange(...all(), { targetBytes, reverse })));
        expect(await take(1)).toEqual(['a']);
        expect(await take(pairBytes)).toEqual(['a']);
        expect(await take(pairBytes + 1)).toEqual(['a', 'b']);
        expect(await take(pairBytes + 1, true)).toEqual(['d', 'c']);
        expect(await take(100 * pairBytes)).toEqual(['a', 'b', 'c', 'd']);
      });

      test('a range that ends before it begins is refused', async () => {
        await refused('inverted_range', () => database.read((tx) => tx.getRange(key('b'), key('a'))));
        const writes: ((tx: Transaction) => void)[] = [
          (tx) => tx.clearRange(key('b'), key('a')),
          (tx) => tx.addReadConflictRange(key('b'), key('a')),
          (tx) => tx.addWriteConflictRange(key('b'), key('a')),
        ];
        for (const write of writes) {
          await refused('inverted_range', () =>
            database.transact(async (tx) => {
              await Promise.resolve();
              write(tx);
            }),
          );
        }
      });

      test('buffers belong to whoever holds them: a change after a call changes nothing', async () => {
        const mine = bytes('first');
        const at = key('a');
        await database.transact(async (tx) => {
          await Promise.resolve();
          tx.set(at, mine);
          mine.write('later');
          at.fill(0x78);
          (await tx.get(key('a')))?.fill(0);
        });
        const read = await database.read((tx) => tx.get(key('a')));
        expect(read?.toString()).toBe('first');
        read?.fill(0);
        (await database.read((tx) => tx.getRange(...all()))).forEach((pair) => pair.value.fill(0));
        expect(await value('a')).toBe('first');
      });

      test('a range of ten thousand pairs comes whole and in order', async () => {
        const names = Array.from({ length: 10_000 }, (_, index) => String(index).padStart(6, '0'));
        for (let start = 0; start < names.length; start += 2_500) await put(...names.slice(start, start + 2_500));
        expect(await keys()).toEqual(names);
        expect(suffixes(await database.read((tx) => tx.getRange(key('005000'), key('005003'), { reverse: true })))).toEqual([
          '005002',
          '005001',
          '005000',
        ]);
      });
    });

    describe('isolation', () => {
      test('an update is never lost: the second of two read-modify-writes runs again', async () => {
        await put('a');
        const runs = await interleaved(
          async (tx) => void (await tx.get(key('a'))),
          async (tx) => tx.set(key('a'), bytes(`${(await tx.get(key('a')))?.toString()} and other`)),
        );
        expect(runs).toBe(2);
      });

      test('two that each read what the other writes cannot both commit on what they read', async () => {
        await put('left', 'right');
        // Each may clear its own side only while the other side is there.
        const clearMine = (db: Database, mine: string, theirs: string): Promise<void> =>
          db.transact(async (tx) => {
            if ((await tx.get(key(theirs))) !== undefined && (await tx.get(key(mine))) !== undefined) {
              await sleep(1);
              tx.clear(key(mine));
            }
          });
        await Promise.all([clearMine(database, 'left', 'right'), clearMine(other, 'right', 'left')]);
        expect(await keys()).toHaveLength(1);
      });

      test('a key that appears in a range that was read conflicts, even when the range was empty', async () => {
        const runs = await interleaved(
          async (tx) => void (await tx.getRange(key('a'), key('b'))),
          async (tx) => tx.set(key('a5'), bytes('phantom')),
        );
        expect(runs).toBe(2);
      });

      test('a key that was read as absent conflicts when it appears', async () => {
        const runs = await interleaved(
          async (tx) => void (await tx.get(key('a'))),
          async (tx) => tx.set(key('a'), bytes('there')),
        );
        expect(runs).toBe(2);
      });

      test('a key outside the range that was read does not conflict', async () => {
        const runs = await interleaved(
          async (tx) => void (await tx.getRange(key('a'), key('b'))),
          async (tx) => {
            tx.set(key('b'), bytes('just behind'));
            tx.set(key('A'), bytes('before'));
          },
        );
        expect(runs).toBe(1);
      });

      test('a limited range conflicts on what it returned and not on what lies beyond', async () => {
        await put('a', 'b', 'c', 'd');
        const limited = (reverse: boolean) => async (tx: Transaction) =>
          void (await tx.getRange(...all(), { limit: 2, reverse }));
        const write = (suffix: string) => async (tx: Transaction) => tx.set(key(suffix), bytes('new'));
        // The result's own write lies outside of what a forward or reverse reader of this test looks at.
        const elsewhere = (tx: Transaction): void =>
          tx.set(Buffer.concat([prefix, bytes('elsewhere/'), key()]), bytes('written'));
        expect(await interleaved(limited(false), write('c'), elsewhere)).toBe(1);
        expect(await interleaved(limited(false), write('b5'), elsewhere)).toBe(1);
        expect(await interleaved(limited(false), write('b'), elsewhere)).toBe(2);
        expect(await interleaved(limited(false), write('a5'), elsewhere)).toBe(2);
        await database.transact(async (tx) => {
          await Promise.resolve();
          tx.clear(key('a5'));
          tx.clear(key('b5'));
        });
        expect(await interleaved(limited(true), write('b'), elsewhere)).toBe(1);
        expect(await interleaved(limited(true), write('c'), elsewhere)).toBe(2);
        expect(await interleaved(limited(true), write('e'), elsewhere)).toBe(2);
      });

      test('a range stopped by targetBytes conflicts like a limited one', async () => {
        await put('a', 'b', 'c');
        const read = async (tx: Transaction): Promise<void> => void (await tx.getRange(...all(), { targetBytes: 1 }));
        const write = (suffix: string) => async (tx: Transaction) => tx.set(key(suffix), bytes('new'));
        expect(await interleaved(read, write('b'))).toBe(1);
        expect(await interleaved(read, write('a'))).toBe(2);
      });

      test('a cleared range conflicts with reads inside it, of present and of absent keys', async () => {
        await put('a', 'b', 'c');
        const clear = async (tx: Transaction): Promise<void> => tx.clearRange(key('b'), key('c'));
        expect(await interleaved(async (tx) => void (await tx.get(key('b'))), clear)).toBe(2);
        expect(await interleaved(async (tx) => void (await tx.get(key('b7'))), clear)).toBe(2);
        expect(await interleaved(async (tx) => void (await tx.getRange(key('a'), key('b5'))), clear)).toBe(2);
        expect(await interleaved(async (tx) => void (await tx.get(key('c'))), clear)).toBe(1);
      });

      test('snapshot reads do not conflict', async () => {
        await put('a');
        const runs = await interleaved(
          async (tx) => {
            await tx.snapshot.get(key('a'));
            await tx.snapshot.getRange(...all());
          },
          async (tx) => tx.set(key('a'), bytes('changed')),
        );
        expect(runs).toBe(1);
      });

      test('a read of what the transaction itself wrote does not conflict; of what it added to, it does', async () => {
        await put('a', 'b');
        const write = (suffix: string) => async (tx: Transaction) => tx.set(key(suffix), bytes('other'));
        const own = async (tx: Transaction): Promise<void> => {
          tx.set(key('a'), bytes('mine'));
          tx.clearRange(key('b'), key('c'));
          await tx.get(key('a'));
          await tx.getRange(key('b'), key('c'));
        };
        expect(await interleaved(own, write('a'))).toBe(1);
        expect(await interleaved(own, write('b'))).toBe(1);
        const adding = async (tx: Transaction): Promise<void> => {
          tx.add(key('n'), 1n);
          await tx.get(key('n'));
        };
        expect(await interleaved(adding, async (tx) => tx.add(key('n'), 10n))).toBe(2);
        expect(await number('n')).toBe(11n);
        const addingInRange = async (tx: Transaction): Promise<void> => {
          tx.add(key('r'), 1n);
          await tx.getRange(key('r'), key('s'));
        };
        expect(await interleaved(addingInRange, async (tx) => tx.add(key('r'), 10n))).toBe(2);
        expect(await number('r')).toBe(11n);
      });

      test('a watch conflicts as a read of its key does, since it compares with what was read', async () => {
        const watch = async (tx: Transaction): Promise<void> => tx.watch(key('a')).cancel();
        expect(await interleaved(watch, async (tx) => tx.set(key('a'), bytes('changed')))).toBe(2);
        expect(await interleaved(watch, async (tx) => tx.set(key('b'), bytes('changed')))).toBe(1);
      });

      test('a transaction that writes nothing is not run again, whatever changed', async () => {
        await put('a');
        const runs = await interleaved(
          async (tx) => void (await tx.get(key('a'))),
          async (tx) => tx.set(key('a'), bytes('changed')),
          () => undefined,
        );
        expect(runs).toBe(1);
      });

      test('blind writes do not conflict', async () => {
        const runs = await interleaved(
          async (tx) => tx.set(key('a'), bytes('mine')),
          async (tx) => tx.set(key('a'), bytes('theirs')),
        );
        expect(runs).toBe(1);
        expect(await value('a')).toBe('mine');
      });

      test('an explicit read conflict range conflicts as a read would', async () => {
        const guard = async (tx: Transaction): Promise<void> => {
          await tx.readVersion();
          tx.addReadConflictRange(key('a'), key('b'));
        };
        const write = (suffix: string) => async (tx: Transaction) => tx.set(key(suffix), bytes('x'));
        expect(await interleaved(guard, write('a1'))).toBe(2);
        expect(await interleaved(guard, write('b1'))).toBe(1);
      });

      test('an explicit write conflict range makes readers conflict, with no write at all', async () => {
        const guard = async (tx: Transaction): Promise<void> => tx.addWriteConflictRange(key('a'), key('b'));
        expect(await interleaved(async (tx) => void (await tx.get(key('a1'))), guard)).toBe(2);
        expect(await interleaved(async (tx) => void (await tx.get(key('b1'))), guard)).toBe(1);
      });

      test('a transaction reads at one version while others commit', async () => {
        await put('a');
        const seen = await database.read(async (tx) => {
          const before = await tx.get(key('a'));
          const version = await tx.readVersion();
          await other.transact(async (writer) => {
            await Promise.resolve();
            writer.set(key('a'), bytes('newer'));
            writer.set(key('b'), bytes('newer'));
          });
          expect(await tx.get(key('a'))).toEqual(before);
          expect(await tx.readVersion()).toBe(version);
          return suffixes(await tx.getRange(...all()));
        });
        expect(seen).toEqual(['a']);
        expect(await value('a')).toBe('newer');
      });

      test('many concurrent increments by read and write all count', async () => {
        const increment = (db: Database): Promise<void> =>
          db.transact(async (tx) => {
            const held = await tx.get(key('n'));
            tx.set(key('n'), bytes(String(Number(held?.toString() ?? 0) + 1)));
          });
        await Promise.all(Array.from({ length: 20 }, (_, index) => increment(index % 2 === 0 ? database : other)));
        expect(await value('n')).toBe('20');
      });
    });

    describe('versions and stamps', () => {
      test('the read version grows with every commit and is one for all connections', async () => {
        const versions: bigint[] = [];
        for (const name of ['a', 'b', 'c']) {
          await put(name);
          versions.push(await other.read((tx) => tx.readVersion()));
        }
        expect(versions).toEqual([...new Set(versions)].sort((a, b) => (a < b ? -1 : 1)));
      });

      test('database time is in microseconds and never below the read version of what it sees', async () => {
        await put('a');
        const times = await database.read(async (tx) => [await tx.time(), await tx.time()]);
        for (const time of times) expect(time).toBeGreaterThan(1_600_000_000_000_000n);
        await put('b');
        const later = await other.read((tx) => tx.time());
        for (const time of times) expect(later).toBeGreaterThanOrEqual(time);
      });

      test('versionstamped keys stand in commit order, each with a stamp of its own', async () => {
        const order: number[] = [];
        await Promise.all(
          Array.from({ length: 30 }, async (_, index) => {
            await (index % 2 === 0 ? database : other).transact(async (tx) => {
              await Promise.resolve();
              tx.setVersionstampedKey(
                key(Buffer.concat([bytes('log/'), Buffer.alloc(12)])),
                key('log/').length,
                bytes(String(index)),
              );
            });
          }),
        );
        for (let index = 30; index < 40; index += 1) {
          await database.transact(async (tx) => {
            await Promise.resolve();
            tx.setVersionstampedKey(
              key(Buffer.concat([bytes('log/'), Buffer.alloc(12)])),
              key('log/').length,
              bytes(String(index)),
            );
          });
          order.push(index);
        }
        const pairs = await database.read((tx) => tx.getRange(...all()));
        expect(pairs).toHaveLength(40);
        expect(pairs.slice(30).map((pair) => Number(pair.value.toString()))).toEqual(order);
        const stamps = pairs.map((pair) => pair.key.subarray(key('log/').length, key('log/').length + 10).toString('hex'));
        expect(new Set(stamps).size).toBe(40);
      });

      test('versionstamp() is what the commit wrote into keys and values', async () => {
        const pending = await database.transact(async (tx) => {
          await Promise.resolve();
          const tail = Buffer.from([0x00, 0x07]);
          tx.setVersionstampedKey(
            key(Buffer.concat([bytes('k/'), Buffer.alloc(10), tail])),
            key('k/').length,
            bytes('in the key'),
          );
          tx.setVersionstampedValue(key('v'), Buffer.concat([bytes('<'), Buffer.alloc(10), bytes('>')]), 1);
          return { stamp: tx.versionstamp() };
        });
        const stamp = await pending.stamp;
        expect(stamp).toHaveLength(10);
        const pairs = await database.read((tx) => tx.getRange(...all()));
        expect(pairs.map((pair) => pair.key.subarray(key().length))).toEqual([
          Buffer.concat([bytes('k/'), stamp, Buffer.from([0x00, 0x07])]),
          bytes('v'),
        ]);
        expect(pairs[1]?.value).toEqual(Buffer.concat([bytes('<'), stamp, bytes('>')]));
      });

      test('a later read version is not below an earlier stamp, and a later stamp is above an earlier read version', async () => {
        const stampOf = async (): Promise<bigint> => {
          const { stamp } = await database.transact(async (tx) => {
            await Promise.resolve();
            tx.set(key('a'), bytes('x'));
            return { stamp: tx.versionstamp() };
          });
          return (await stamp).readBigUInt64BE();
        };
        const first = await stampOf();
        const read = await other.read((tx) => tx.readVersion());
        const second = await stampOf();
        expect(read).toBeGreaterThanOrEqual(first);
        expect(second).toBeGreaterThan(read);
      });

      test('a transaction that wrote nothing has no versionstamp', async () => {
        const { stamp } = await database.transact(async (tx) => {
          await tx.get(key('a'));
          return { stamp: tx.versionstamp() };
        });
        await refused('no_commit_version', () => stamp);
      });

      test('a stamp that does not fit its template is refused', async () => {
        const write = (run: (tx: Transaction) => void): Promise<void> =>
          database.transact(async (tx) => {
            await Promise.resolve();
            run(tx);
          });
        await expect(write((tx) => tx.setVersionstampedKey(key(), key().length, bytes('x')))).rejects.toThrow(RangeError);
        await expect(write((tx) => tx.setVersionstampedValue(key('a'), Buffer.alloc(12), 3))).rejects.toThrow(RangeError);
        await expect(write((tx) => tx.setVersionstampedValue(key('a'), Buffer.alloc(12), -1))).rejects.toThrow(RangeError);
      });

      test('a versionstamped key conflicts with a read of the range that it falls into', async () => {
        const append = async (tx: Transaction): Promise<void> =>
          tx.setVersionstampedKey(key(Buffer.concat([bytes('log/'), Buffer.alloc(10)])), key('log/').length, bytes('event'));
        expect(await interleaved(async (tx) => void (await tx.getRange(key('log/'), key('log0'))), append)).toBe(2);
        expect(await interleaved(async (tx) => void (await tx.getRange(key('log/'), key('log0'), { limit: 1 })), append)).toBe(1);
      });
    });

    describe.runIf(options.metadataVersion === false)('the metadata version, of an engine that has none', () => {
      test('is undefined, and a touch changes nothing', async () => {
        const pending = await database.transact(async (tx) => {
          tx.touchMetadata();
          expect(await tx.metadataVersion()).toBeUndefined();
          expect(await tx.snapshot.metadataVersion()).toBeUndefined();
          return { stamp: tx.versionstamp() };
        });
        await refused('no_commit_version', () => pending.stamp);
        expect(await database.read((tx) => tx.metadataVersion())).toBeUndefined();
      });
    });

    describe.runIf(options.metadataVersion !== false)('the metadata version', () => {
      const touch = (db: Database): Promise<void> =>
        db.transact(async (tx) => {
          await Promise.resolve();
          tx.touchMetadata();
        });
      const metadataVersion = (db: Database): Promise<Buffer | undefined> => db.read((tx) => tx.metadataVersion());

      test('is the same for all connections until anybody touches it, and another one after that', async () => {
        await touch(database);
        const before = await metadataVersion(database);
        expect(before).toBeDefined();
        await put('a');
        expect(await metadataVersion(other)).toEqual(before);
        await touch(other);
        const after = await metadataVersion(database);
        expect(after).not.toEqual(before);
        expect(await metadataVersion(other)).toEqual(after);
        expect(await database.transact((tx) => tx.metadataVersion())).toEqual(after);
        expect(await database.transact((tx) => tx.snapshot.metadataVersion())).toEqual(after);
      });

      test('is of the version that the transaction reads at', async () => {
        await touch(database);
        await database.read(async (tx) => {
          await tx.readVersion();
          const before = await tx.metadataVersion();
          await touch(other);
          expect(await tx.metadataVersion()).toEqual(before);
        });
      });

      test('a touch makes a transaction that read it run again, and not one that read it as a snapshot', async () => {
        await touch(database);
        const touching = async (tx: Transaction): Promise<void> => tx.touchMetadata();
        expect(await interleaved(async (tx) => void (await tx.metadataVersion()), touching)).toBe(2);
        expect(await interleaved(async (tx) => void (await tx.snapshot.metadataVersion()), touching)).toBe(1);
        expect(
          await interleaved(
            async (tx) => void (await tx.metadataVersion()),
            async (tx) => tx.set(key('a'), bytes('x')),
          ),
        ).toBe(1);
      });

      test('two touches of one transaction, or of two at once, are no conflict', async () => {
        const runs = await interleaved(
          async (tx) => tx.touchMetadata(),
          async (tx) => {
            tx.touchMetadata();
            tx.touchMetadata();
          },
        );
        expect(runs).toBe(1);
      });

      test('is not known to the transaction that touched it', async () => {
        await touch(database);
        for (const read of [(tx: Transaction) => tx.metadataVersion(), (tx: Transaction) => tx.snapshot.metadataVersion()]) {
          await refused('accessed_unreadable', () => database.transact((tx) => (tx.touchMetadata(), read(tx))));
        }
      });
    });

    describe('reading what has no stamp yet', () => {
      const append = (tx: Transaction): void =>
        tx.setVersionstampedKey(key(Buffer.concat([bytes('log/'), Buffer.alloc(12)])), key('log/').length, bytes('event'));
      const running = (body: (tx: Transaction) => Promise<unknown>): Promise<unknown> => database.transact(body);

      test('a key set with a versionstamped value cannot be read before it is cleared', async () => {
        const stampValue = (tx: Transaction): void => tx.setVersionstampedValue(key('v'), Buffer.alloc(10), 0);
        const reads: ((tx: ReadTransaction) => Promise<unknown>)[] = [(tx) => tx.get(key('v')), (tx) => tx.getRange(...all())];
        for (const read of reads) {
          await refused('accessed_unreadable', () => running((tx) => (stampValue(tx), read(tx))));
          await refused('accessed_unreadable', () => running((tx) => (stampValue(tx), read(tx.snapshot))));
          await refused('accessed_unreadable', () =>
            running((tx) => (stampValue(tx), tx.set(key('v'), bytes('over')), read(tx))),
          );
          await running(async (tx) => {
            stampValue(tx);
            tx.clear(key('v'));
            await read(tx);
            tx.set(key('v'), bytes('known'));
            expect((await tx.get(key('v')))?.toString()).toBe('known');
          });
        }
        await running(async (tx) => {
          stampValue(tx);
          expect(await tx.get(key('w'))).toBeUndefined();
          expect(await tx.getRange(key('w'), key('z'))).toEqual([]);
        });
      });

      test('with no read version known, the whole range of the own versionstamped key is unreadable', async () => {
        await database.transact(async (tx) => {
          await Promise.resolve();
          append(tx);
        });
        await refused('accessed_unreadable', () => running((tx) => (append(tx), tx.getRange(key('log/'), key('log0')))));
        await refused('accessed_unreadable', () =>
          running((tx) => (append(tx), tx.getRange(key('log/'), key('log0'), { limit: 1 }))),
        );
        await refused('accessed_unreadable', () =>
          running((tx) => (append(tx), tx.get(key(Buffer.concat([bytes('log/'), Buffer.alloc(12)]))))),
        );
      });

      test('with a read version known, what was committed before is read, and a read that goes on to the own key is refused', async () => {
        await database.transact(async (tx) => {
          await Promise.resolve();
          append(tx);
        });
        await put('zzz');
        await running(async (tx) => {
          await tx.readVersion();
          append(tx);
          // A limit stops the read before it gets there.
          expect(await tx.getRange(key('log/'), key('log0'), { limit: 1 })).toHaveLength(1);
          expect(suffixes(await tx.getRange(...all(), { reverse: true, limit: 1 }))).toEqual(['zzz']);
          expect(await tx.getRange(key('log0'), key('zz'))).toEqual([]);
        });
        for (const options of [{}, { reverse: true, limit: 1 }]) {
          await refused('accessed_unreadable', () =>
            running(async (tx) => {
              await tx.readVersion();
              append(tx);
              return tx.getRange(key('log/'), key('log0'), options);
            }),
          );
        }
      });

      test('a transaction of which a read was refused does not commit, though its body goes on', async () => {
        await refused('accessed_unreadable', () =>
          running(async (tx) => {
            append(tx);
            tx.set(key('a'), bytes('never'));
            await refused('accessed_unreadable', () => tx.getRange(...all()));
          }),
        );
        expect(await keys()).toEqual([]);
      });

      test('an own versionstamped key that was cleared again is not written', async () => {
        await running(async (tx) => {
          append(tx);
          tx.clearRange(...all());
          expect(await tx.getRange(...all())).toEqual([]);
        });
        expect(await keys()).toEqual([]);
      });
    });

    describe('atomic operations', () => {
      test('a hundred concurrent adds all count and none runs twice', async () => {
        let runs = 0;
        await Promise.all(
          Array.from({ length: 100 }, (_, index) =>
            (index % 2 === 0 ? database : other).transact(async (tx) => {
              await Promise.resolve();
              runs += 1;
              tx.add(key('n'), BigInt(index));
              tx.max(key('m'), BigInt(index));
            }),
          ),
        );
        expect(runs).toBe(100);
        expect(await number('n')).toBe(4_950n);
        expect(await number('m')).toBe(99n);
      });

      test('add counts up and down, wraps at 64 bits and is seen by the transaction itself', async () => {
        await database.transact(async (tx) => {
          tx.add(key('n'), 7n);
          tx.add(key('n'), -3n);
          expect((await tx.get(key('n')))?.readBigUInt64LE()).toBe(4n);
        });
        await database.transact(async (tx) => {
          await Promise.resolve();
          tx.add(key('n'), -5n);
        });
        expect((await database.read((tx) => tx.get(key('n'))))?.readBigInt64LE()).toBe(-1n);
        await database.transact(async (tx) => {
          await Promise.resolve();
          tx.add(key('n'), 1n);
        });
        expect(await number('n')).toBe(0n);
      });

      test('max keeps the larger, unsigned; add and max mix in the order of their calls', async () => {
        await database.transact(async (tx) => {
          tx.max(key('m'), 5n);
          tx.max(key('m'), 3n);
          tx.add(key('m'), 10n);
          tx.max(key('m'), 12n);
          expect((await tx.get(key('m')))?.readBigUInt64LE()).toBe(15n);
        });
        expect(await number('m')).toBe(15n);
        await database.transact(async (tx) => {
          await Promise.resolve();
          tx.max(key('m'), 2n ** 64n - 1n);
        });
        expect(await number('m')).toBe(2n ** 64n - 1n);
      });

      test('an atomic operation over a set or a clear of the same transaction starts from that', async () => {
        await put('n');
        await database.transact(async (tx) => {
          await Promise.resolve();
          tx.clear(key('n'));
          tx.add(key('n'), 2n);
          tx.set(key('m'), Buffer.from([1, 1]));
          tx.add(key('m'), 1n);
        });
        expect(await number('n')).toBe(2n);
        expect(await number('m')).toBe(258n);
      });

      test('an add makes a transaction that read the key run again', async () => {
        expect(
          await interleaved(
            async (tx) => void (await tx.get(key('n'))),
            async (tx) => tx.add(key('n'), 1n),
          ),
        ).toBe(2);
      });
    });

    describe('watches', () => {
      const watching = (db: Database, suffix: string): Promise<{ changed: Promise<void>; cancel(): void }> =>
        db.transact(async (tx) => {
          await tx.get(key(suffix));
          return tx.watch(key(suffix));
        });
      const within = async (promise: Promise<void>, ms: number): Promise<'fired' | 'waiting'> => {
        const outcome = promise.then(() => 'fired' as const);
        return Promise.race([outcome, sleep(ms).then(() => 'waiting' as const)]);
      };

      test('a watch fires when the key changes, by the same or by another connection', async () => {
        for (const writer of [database, other]) {
          const watch = await watching(database, 'a');
          expect(await within(watch.changed, 20)).toBe('waiting');
          await writer.transact(async (tx) => {
            await Promise.resolve();
            tx.add(key('a'), 1n);
          });
          expect(await within(watch.changed, 5_000)).toBe('fired');
        }
      });

      test('a watch fires when its key is cleared in a range, and when a change came between its read and its commit', async () => {
        await put('a');
        const cleared = await watching(database, 'a');
        await other.transact(async (tx) => {
          await Promise.resolve();
          tx.clearRange(...all());
        });
        expect(await within(cleared.changed, 5_000)).toBe('fired');
        const missed = await database.transact(async (tx) => {
          await tx.get(key('a'));
          const watch = tx.watch(key('a'));
          await other.transact(async (writer) => {
            await Promise.resolve();
            writer.set(key('a'), bytes('meanwhile'));
          });
          return watch;
        });
        expect(await within(missed.changed, 5_000)).toBe('fired');
      });

      test('a cancelled watch resolves, and cancelling twice does no harm', async () => {
        const watch = await watching(database, 'a');
        watch.cancel();
        watch.cancel();
        await watch.changed;
      });

      test('a watch of a transaction that writes the key waits for the next change', async () => {
        const watch = await database.transact(async (tx) => {
          await Promise.resolve();
          tx.set(key('a'), bytes('mine'));
          return tx.watch(key('a'));
        });
        expect(await within(watch.changed, 20)).toBe('waiting');
        await put('a');
        expect(await within(watch.changed, 5_000)).toBe('fired');
      });

      test('a watch of a transaction that fails leaves nobody waiting', async () => {
        let watch: { changed: Promise<void> } | undefined;
        await expect(
          database.transact(async (tx) => {
            await tx.get(key('a'));
            watch = tx.watch(key('a'));
            throw new Error('the body failed');
          }),
        ).rejects.toThrow('the body failed');
        await watch?.changed;
      });

      test('twenty watches of one key all fire', async () => {
        const watches = await Promise.all(
          Array.from({ length: 20 }, (_, index) => watching(index % 2 === 0 ? database : other, 'a')),
        );
        await put('a');
        expect(await Promise.all(watches.map((watch) => within(watch.changed, 5_000)))).toEqual(watches.map(() => 'fired'));
      });
    });

    describe('limits', () => {
      const writing = (write: (tx: Transaction) => void): Promise<void> =>
        database.transact(async (tx) => {
          await Promise.resolve();
          write(tx);
        });
      const long = (length: number): Buffer => Buffer.concat([key(), Buffer.alloc(length - key().length, 0x61)]);

      test('a key of 1500 bytes is taken; a longer one is refused with both numbers, and reads as absent', async () => {
        await writing((tx) => tx.set(long(1_500), bytes('long')));
        expect((await database.read((tx) => tx.get(long(1_500))))?.toString()).toBe('long');
        expect(await database.read((tx) => tx.getRange(long(1_500), long(1_501)))).toHaveLength(1);
        const writes: ((tx: Transaction) => void)[] = [
          (tx) => tx.set(long(1_501), bytes('x')),
          (tx) => tx.add(long(1_501), 1n),
          (tx) => tx.max(long(1_501), 1n),
          (tx) => tx.setVersionstampedKey(long(1_501), 0, bytes('x')),
          (tx) => tx.setVersionstampedValue(long(1_501), Buffer.alloc(10), 0),
        ];
        for (const write of writes) {
          const error = await refused('key_too_large', () => writing(write));
          expect(error.message).toContain('1501');
          expect(error.message).toContain('1500');
        }
        expect(await database.read((tx) => tx.get(long(1_501)))).toBeUndefined();
        await writing((tx) => tx.clear(long(1_501)));
        expect((await database.read((tx) => tx.get(long(1_500))))?.toString()).toBe('long');
        await writing((tx) => tx.clearRange(key(), long(3_000)));
        expect(await keys()).toEqual([]);
      });

      test('a value of 100 000 bytes is taken, a larger one is refused with both numbers', async () => {
        const largest = Buffer.alloc(100_000, 0x76);
        await writing((tx) => tx.set(key('a'), largest));
        expect((await database.read((tx) => tx.get(key('a'))))?.equals(largest)).toBe(true);
        for (const write of [
          (tx: Transaction) => tx.set(key('a'), Buffer.alloc(100_001)),
          (tx: Transaction) => tx.setVersionstampedKey(key(Buffer.alloc(10)), key().length, Buffer.alloc(100_001)),
          // Four bytes of the largest value hold the stamp's offset.
          (tx: Transaction) => tx.setVersionstampedValue(key('a'), Buffer.alloc(99_997), 0),
        ]) {
          const error = await refused('value_too_large', () => writing(write));
          expect(error.message).toContain('100001');
          expect(error.message).toContain('100000');
        }
      });

      test('a transaction of nearly 10 MB commits, one over it is refused with both numbers and writes nothing', async () => {
        const chunk = Buffer.alloc(100_000, 0x63);
        const fill = (tx: Transaction, chunks: number): void => {
          for (let index = 0; index < chunks; index += 1) tx.set(key(String(index)), chunk);
        };
        await writing((tx) => fill(tx, 99));
        expect((await keys()).length).toBe(99);
        const error = await refused('transaction_too_large', () =>
          writing((tx) => {
            fill(tx, 100);
            tx.set(key('more'), bytes('x'));
          }),
        );
        expect(error.message).toMatch(/100\d{5} bytes/);
        expect(error.message).toContain('10000000');
        expect(await value('more')).toBeUndefined();
        await writing((tx) => tx.clearRange(...all()));
      });

      test('a value that is overwritten in the transaction counts once', async () => {
        const chunk = Buffer.alloc(100_000);
        await writing((tx) => {
          for (let index = 0; index < 150; index += 1) tx.set(key('a'), chunk);
        });
        expect(await keys()).toEqual(['a']);
      });

      test('conflict ranges count, with both ends', async () => {
        await refused('transaction_too_large', () =>
          writing((tx) => {
            tx.set(key('a'), bytes('x'));
            for (let index = 0; index < 3_400; index += 1) {
              const begin = Buffer.concat([key(String(index).padStart(5, '0')), Buffer.alloc(1_470, 0x61)]);
              tx.addReadConflictRange(begin, Buffer.concat([begin, Buffer.from([0x00])]));
            }
          }),
        );
      });

      test(
        'a transaction that has read for longer than 5 s is too old, and its next attempt is not',
        { timeout: 60_000 },
        async () => {
          await put('a');
          let runs = 0;
          await database.transact(async (tx) => {
            runs += 1;
            await tx.get(key('a'));
            if (runs === 1) {
              await passTransactionLife();
              await refused('transaction_too_old', () => tx.get(key('a')));
              await refused('transaction_too_old', () => tx.snapshot.getRange(...all()));
            }
            tx.set(key('b'), bytes(`run ${runs}`));
          });
          expect(runs).toBe(2);
          expect(await value('b')).toBe('run 2');
          let reads = 0;
          await database.read(async (tx) => {
            reads += 1;
            await tx.get(key('a'));
            if (reads === 1) await passTransactionLife();
            await tx.get(key('a'));
          });
          expect(reads).toBe(2);
        },
      );
    });

    describe('attempts', () => {
      test('a throw of the body cancels the transaction and is passed on as it is', async () => {
        const thrown = new Error('of the body');
        let runs = 0;
        const failing = database.transact(async (tx) => {
          runs += 1;
          tx.set(key('a'), bytes('never'));
          await tx.get(key('b'));
          throw thrown;
        });
        await expect(failing).rejects.toBe(thrown);
        expect(runs).toBe(1);
        expect(await value('a')).toBeUndefined();
        await expect(database.read(() => Promise.reject(thrown))).rejects.toBe(thrown);
      });

      test('what the body returns is what transact returns', async () => {
        expect(await database.transact(async (tx) => (await tx.get(key('a'))) ?? 'nothing')).toBe('nothing');
        expect(await database.read(() => Promise.resolve(42))).toBe(42);
      });

      test('a body that conflicts for ever ends with retries_exhausted and its last conflict as the cause', async () => {
        let runs = 0;
        const error = await refused('retries_exhausted', () =>
          database.transact(
            async (tx) => {
              runs += 1;
              await tx.get(key('hot'));
              await other.transact(async (tx2) => {
                await Promise.resolve();
                tx2.add(key('hot'), 1n);
              });
              tx.set(key('result'), bytes('never'));
            },
            { timeoutMs: 150 },
          ),
        );
        expect(runs).toBeGreaterThan(1);
        expect(error.cause).toBeInstanceOf(KeyValueError);
        expect((error.cause as KeyValueError).code).toBe('not_committed');
        expect(error.retryable).toBe(false);
        expect(await value('result')).toBeUndefined();
      });

      test('a transaction that has ended cannot be used', async () => {
        let leaked: Transaction | undefined;
        await database.transact(async (tx) => {
          leaked = tx;
          await tx.get(key('a'));
          tx.set(key('a'), bytes('x'));
        });
        const tx = leaked;
        if (tx === undefined) expect.fail('the body did not run');
        expect(() => tx.set(key('a'), bytes('late'))).toThrow(KeyValueError);
        expect(() => tx.watch(key('a'))).toThrow(KeyValueError);
        await refused('closed', () => tx.get(key('a')));
        await refused('closed', () => tx.snapshot.getRange(...all()));
        expect(await value('a')).toBe('x');
      });

      test('a closed connection refuses, and the others go on', async () => {
        const third = await opened.connect();
        await third.transact(async (tx) => {
          await Promise.resolve();
          tx.set(key('a'), bytes('by the third'));
        });
        await third.close();
        await refused('closed', () => third.read((tx) => tx.get(key('a'))));
        await refused('closed', () => third.transact((tx) => tx.get(key('a'))));
        expect(await value('a')).toBe('by the third');
      });
    });

    describe('random programs', () => {
      type Step =
        | { readonly kind: 'get'; readonly at: number; readonly snapshot: boolean }
        | {
            readonly kind: 'range';
            readonly from: number;
            readonly to: number;
            readonly limit: number;
            readonly reverse: boolean;
            readonly snapshot: boolean;
          }
        | { readonly kind: 'set'; readonly at: number; readonly value: number }
        | { readonly kind: 'clear'; readonly at: number }
        | { readonly kind: 'clearRange'; readonly from: number; readonly to: number }
        | { readonly kind: 'add' | 'max'; readonly at: number; readonly value: number };
      interface Actor {
        readonly steps: readonly Step[];
        readonly other: boolean;
      }

      const KEYS = 8;
      const at = fc.nat({ max: KEYS - 1 });
      const span = fc
        .tuple(fc.nat({ max: KEYS }), fc.nat({ max: KEYS }))
        .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
      const step = (snapshot: fc.Arbitrary<boolean>): fc.Arbitrary<Step> =>
        fc.oneof(
          fc.record({ kind: fc.constant('get' as const), at, snapshot }),
          fc
            .record({ span, limit: fc.integer({ min: 1, max: 9 }), reverse: fc.boolean(), snapshot })
            .map(({ span: ends, ...rest }) => ({ kind: 'range' as const, ...ends, ...rest })),
          fc.record({ kind: fc.constant('set' as const), at, value: fc.nat({ max: 99 }) }),
          fc.record({ kind: fc.constant('clear' as const), at }),
          span.map((ends) => ({ kind: 'clearRange' as const, ...ends })),
          fc.record({ kind: fc.constantFrom('add' as const, 'max' as const), at, value: fc.nat({ max: 99 }) }),
        );
      const spot = (index: number): Buffer => key(`p${index}`);
      const eight = (n: bigint): Buffer => {
        const buffer = Buffer.alloc(8);
        buffer.writeBigUInt64LE(n);
        return buffer;
      };

      /** What a step shows: the values that it read, by key. */
      const run = async (tx: Transaction, steps: readonly Step[]): Promise<string[]> => {
        const seen: string[] = [];
        for (const now of steps) {
          const reader = 'snapshot' in now && now.snapshot ? tx.snapshot : tx;
          if (now.kind === 'get') seen.push(String((await reader.get(spot(now.at)))?.readBigUInt64LE()));
          else if (now.kind === 'range') {
            const pairs = await reader.getRange(spot(now.from), spot(now.to), { limit: now.limit, reverse: now.reverse });
            seen.push(pairs.map((pair) => `${suffixes([pair])[0]}=${pair.value.readBigUInt64LE()}`).join());
          } else if (now.kind === 'set') tx.set(spot(now.at), eight(BigInt(now.value)));
          else if (now.kind === 'clear') tx.clear(spot(now.at));
          else if (now.kind === 'clearRange') tx.clearRange(spot(now.from), spot(now.to));
          else if (now.kind === 'add') tx.add(spot(now.at), BigInt(now.value));
          else tx.max(spot(now.at), BigInt(now.value));
        }
        return seen;
      };

      /** The same against a plain map. */
      const model = (state: Map<number, bigint>, steps: readonly Step[]): string[] => {
        const seen: string[] = [];
        for (const now of steps) {
          if (now.kind === 'get') seen.push(String(state.get(now.at)));
          else if (now.kind === 'range') {
            const found = [...state]
              .filter(([index]) => index >= now.from && index < now.to)
              .sort(([a], [b]) => (now.reverse ? b - a : a - b));
            seen.push(
              found
                .slice(0, now.limit)
                .map(([index, held]) => `p${index}=${held}`)
                .join(),
            );
          } else if (now.kind === 'set') state.set(now.at, BigInt(now.value));
          else if (now.kind === 'clear') state.delete(now.at);
          else if (now.kind === 'clearRange') for (let index = now.from; index < now.to; index += 1) state.delete(index);
          else if (now.kind === 'add') state.set(now.at, (state.get(now.at) ?? 0n) + BigInt(now.value));
          else state.set(now.at, (state.get(now.at) ?? 0n) > BigInt(now.value) ? (state.get(now.at) ?? 0n) : BigInt(now.value));
        }
        return seen;
      };

      const finalState = async (): Promise<string[]> =>
        (await database.read((tx) => tx.getRange(spot(0), spot(KEYS)))).map(
          (pair) => `${suffixes([pair])[0]}=${pair.value.readBigUInt64LE()}`,
        );
      const modelState = (state: Map<number, bigint>): string[] =>
        [...state].sort(([a], [b]) => a - b).map(([index, held]) => `p${index}=${held}`);

      test('one transaction after the other does what a map does', async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(fc.array(step(fc.boolean()), { maxLength: 12 }), { maxLength: 5 }), async (programs) => {
            space += 1;
            const state = new Map<number, bigint>();
            for (const steps of programs) {
              expect(await database.transact((tx) => run(tx, steps))).toEqual(model(state, steps));
            }
            expect(await finalState()).toEqual(modelState(state));
          }),
          { numRuns: options.programs ?? 25 },
        );
      });

      test('concurrent transactions do what they would one after the other in the order of their stamps', async () => {
        const actor: fc.Arbitrary<Actor> = fc.record({
          steps: fc.array(step(fc.constant(false)), { minLength: 1, maxLength: 6 }),
          other: fc.boolean(),
        });
        await fc.assert(
          fc.asyncProperty(fc.array(actor, { minLength: 2, maxLength: 6 }), async (actors) => {
            space += 1;
            const done = await Promise.all(
              actors.map(async ({ steps, other: byOther }, index) => {
                const result = await (byOther ? other : database).transact(async (tx) => {
                  const seen = await run(tx, steps);
                  // Every actor writes, so that each has a stamp that says where in the order it stands.
                  tx.set(key(`actor/${index}`), bytes('committed'));
                  return { seen, stamp: tx.versionstamp() };
                });
                return { steps, seen: result.seen, stamp: await result.stamp };
              }),
            );
            const state = new Map<number, bigint>();
            for (const { steps, seen } of done.sort((a, b) => Buffer.compare(a.stamp, b.stamp)))
              expect(seen).toEqual(model(state, steps));
            expect(await finalState()).toEqual(modelState(state));
          }),
          { numRuns: options.programs ?? 25 },
        );
      });
    });
  });
}
