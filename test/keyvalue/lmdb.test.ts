import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { KeyValueError, limits } from '../../src/keyvalue/database.js';
import { openEnvironment } from '../../src/keyvalue/lmdb-binding.js';
import { Committer } from '../../src/keyvalue/lmdb-committer.js';
import { commitsAfter } from '../../src/keyvalue/lmdb-conflict-log.js';
import { packRanges } from '../../src/keyvalue/lmdb-messages.js';
import { DEFAULT_MAP_SIZE, readState, WritableStore, writeState } from '../../src/keyvalue/lmdb-store.js';
import { openLmdb, type LmdbDatabase } from '../../src/keyvalue/lmdb.js';
import { describeDatabaseContract } from './contract.js';

const key = (text: string): Buffer => Buffer.from(text);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'lmdb-'));

describeDatabaseContract(
  'lmdb',
  async () => {
    const folder = await newFolder();
    const database = await openLmdb(folder, { create: true });
    return {
      database,
      connect: () => openLmdb(folder, { create: false }),
      close: async () => {
        await database.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
  { metadataVersion: false },
);

// It lifts the limit that stands for a full disk.
const hasPrlimit = spawnSync('prlimit', ['--version']).error === undefined;
if (!hasPrlimit) console.warn('SKIPPED a full disk: prlimit is not on the PATH; to get it: apt-get install util-linux');

type Answer = Readonly<Record<string, unknown>>;

/** A process with the same store open; lmdb-child.js says what it can do. */
class Child {
  readonly #process: ChildProcess;
  readonly #answers: Answer[] = [];
  readonly #waiting: ((answer: Answer) => void)[] = [];
  onAnswer: ((answer: Answer) => void) | undefined;

  private constructor(child: ChildProcess) {
    this.#process = child;
    if (child.stdout === null) throw new Error('a child without stdout');
    createInterface({ input: child.stdout }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer;
      this.onAnswer?.(answer);
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#answers.push(answer);
      else waiting(answer);
    });
  }

  /** `limit`: kilobytes that its files may have. */
  static async start(folder: string, limit?: number): Promise<Child> {
    const script = fileURLToPath(new URL('lmdb-child.js', import.meta.url));
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    const child = new Child(
      limit === undefined
        ? spawn(process.execPath, [script, folder], { stdio: [...stdio] })
        : spawn('bash', ['-c', `ulimit -S -f ${limit}; exec "$0" "$@"`, process.execPath, script, folder], { stdio: [...stdio] }),
    );
    expect(await child.answer()).toEqual({ ready: true });
    return child;
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(name);
  }

  /** Waits until it ends by itself. */
  async ended(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit');
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  tell(command: string, options: Answer = {}): void {
    this.#process.stdin?.write(`${JSON.stringify({ command, ...options })}\n`);
  }

  ask(command: string, options: Answer = {}): Promise<Answer> {
    this.tell(command, options);
    return this.answer();
  }

  answer(): Promise<Answer> {
    const next = this.#answers.shift();
    return next === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(next);
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const closed = once(this.#process, 'close');
    this.#process.kill('SIGKILL');
    await closed;
  }
}

describe('lmdb', () => {
  let folder: string;
  let database: LmdbDatabase;
  const children: Child[] = [];

  const child = async (limit?: number): Promise<Child> => {
    const started = await Child.start(folder, limit);
    children.push(started);
    return started;
  };
  const number = (name: string): Promise<bigint> =>
    database.read(async (tx) => (await tx.get(key(name)))?.readBigUInt64LE() ?? 0n);
  const set = (name: string, bytes = 8): Promise<void> =>
    database.transact(async (tx) => {
      tx.set(key(name), Buffer.alloc(bytes));
    });

  /** LMDB uses no page again that a reader may still see. */
  const expectPagesUsedAgain = async (): Promise<void> => {
    const round = (): Promise<void> =>
      database.transact(async (tx) => {
        for (let index = 0; index < 20; index += 1) tx.set(key(`page/${index}`), Buffer.alloc(90_000));
      });
    for (let count = 0; count < 5; count += 1) await round();
    const { size } = await stat(join(folder, 'store.mdb'));
    for (let count = 0; count < 20; count += 1) await round();
    expect((await stat(join(folder, 'store.mdb'))).size).toBeLessThan(size * 2);
  };

  beforeEach(async () => {
    folder = await newFolder();
    database = await openLmdb(folder, { create: true });
  });

  afterEach(async () => {
    for (const started of children.splice(0)) await started.kill();
    await database.close();
    await rm(folder, { recursive: true, force: true });
  });

  describe('opening', () => {
    test('a missing folder is not created unless asked', async () => {
      const missing = join(folder, 'missing');
      await expect(openLmdb(missing, { create: false })).rejects.toThrow(`there is no store in ${missing}`);
      expect(existsSync(missing)).toBe(false);
    });

    test('a file of another program is refused by its name', async () => {
      const other = await mkdtemp(join(folder, 'other-'));
      await writeFile(join(other, 'store.mdb'), 'no store at all. '.repeat(1_000));
      await expect(openLmdb(other, { create: true })).rejects.toThrow(/store\.mdb is not a store of this program, or damaged/);
    });

    test('an LMDB file of another program is refused', async () => {
      const other = await mkdtemp(join(folder, 'other-'));
      const environment = openEnvironment(join(other, 'store.mdb'), { mapSize: 2 ** 20, maxReaders: 8 });
      environment.transactionSync(() => {
        environment.put(key('somebody'), key('else'));
      });
      await environment.close();
      await expect(openLmdb(other, { create: true })).rejects.toThrow(/is not a store of this program: it has no table 'data'/);
    });

    test('a file that was cut off is refused', async () => {
      await set('large', 90_000);
      await set('larger', 90_000);
      await database.close();
      await truncate(join(folder, 'store.mdb'), 16_384);
      await expect(openLmdb(folder, { create: true })).rejects.toThrow(/is damaged: it has 16384 bytes/);
    });

    test('a guard of which a power cut left nothing but zeros is made anew', async () => {
      await set('kept');
      await database.close();
      await writeFile(join(folder, 'guard.mdb'), Buffer.alloc(8_192));
      database = await openLmdb(folder, { create: false });
      await set('more');
      expect(await database.read((tx) => tx.get(key('kept')))).toEqual(Buffer.alloc(8));
    });

    test('what was committed is there after closing and opening', async () => {
      await set('kept');
      await database.close();
      database = await openLmdb(folder, { create: false });
      expect(await database.read((tx) => tx.get(key('kept')))).toEqual(Buffer.alloc(8));
    });

    test('a process that opens and closes the store while others commit costs no commit', async () => {
      const opener = await child();
      let reopening = true;
      const reopened = opener.ask('reopen', { times: 40 }).then(() => (reopening = false));
      let acknowledged = 0n;
      while (reopening) {
        await database.transact(async (tx) => {
          const bytes = Buffer.alloc(8);
          bytes.writeBigUInt64LE(((await tx.get(key('count')))?.readBigUInt64LE() ?? 0n) + 1n);
          tx.set(key('count'), bytes);
        });
        acknowledged += 1n;
        expect(await number('count')).toBe(acknowledged);
      }
      await reopened;
      expect(acknowledged).toBeGreaterThan(40n);
    });
  });

  describe('closing', () => {
    test('waits for the commits that run, and ends what comes later', async () => {
      const running = Array.from({ length: 20 }, (_, index) => set(`running/${index}`));
      // Their bodies run before anything closes.
      await sleep(0);
      const closing = database.close();
      await expect(set('late')).rejects.toMatchObject({ code: 'closed' });
      await Promise.all([...running, closing, database.close()]);
      await expect(database.read((tx) => tx.get(key('late')))).rejects.toMatchObject({ code: 'closed' });
      database = await openLmdb(folder, { create: false });
      expect(await database.read((tx) => tx.getRange(key('running/'), key('running0')))).toHaveLength(20);
    });

    test('ends waits', async () => {
      const watch = await database.transact(async (tx) => tx.watch(key('a')));
      await database.close();
      await watch.changed;
    });
  });

  describe('committing', () => {
    test('commits that wait together share a sync', async () => {
      const before = database.commitBatches;
      await Promise.all(Array.from({ length: 200 }, (_, index) => set(`together/${index}`)));
      expect(database.commitBatches - before).toBeLessThan(20);
    });

    test('of commits in one batch that read what they all write, all happen one after the other', async () => {
      const attempts = { count: 0 };
      await Promise.all(
        Array.from({ length: 20 }, () =>
          database.transact(async (tx) => {
            attempts.count += 1;
            const bytes = Buffer.alloc(8);
            bytes.writeBigUInt64LE(((await tx.get(key('shared')))?.readBigUInt64LE() ?? 0n) + 1n);
            tx.set(key('shared'), bytes);
          }),
        ),
      );
      expect(await number('shared')).toBe(20n);
      expect(attempts.count).toBeGreaterThan(20);
    });

    test('when the commit worker dies nobody knows of its commits, and another one commits the next', async () => {
      await database.close();
      database = await openLmdb(folder, { create: false, worker: new URL('lmdb-dying-worker.js', import.meta.url) });
      await set('before');
      await writeFile(join(folder, 'die'), '');
      const dying = database.transact(async (tx) => tx.set(key('dying'), Buffer.alloc(8)), { timeoutMs: 0 });
      const error: unknown = await dying.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'retries_exhausted', cause: { code: 'commit_unknown_result' } });
      await set('after');
      await writeFile(join(folder, 'die'), '');
      await set('again, by its second attempt');
      expect(existsSync(join(folder, 'die'))).toBe(false);
    });

    test('commits that follow each other, with more work between them than the worker has, leave timers their turn', async () => {
      let [commits, isOver] = [0, false];
      const chain = async (workMs: number): Promise<void> => {
        while (!isOver && commits < 200) {
          await set(`after ${workMs} ms`);
          commits += 1;
          for (let worked = 0; worked < workMs; worked += 1) {
            for (const until = performance.now() + 1; performance.now() < until;);
            await Promise.resolve();
          }
        }
      };
      // Of different lengths: there is always one whose commit is over while the others work.
      const chains = [5, 10, 15, 20].map(chain);
      let longest = 0;
      for (let slept = 0; slept < 5; slept += 1) {
        const before = commits;
        await sleep(20);
        longest = Math.max(longest, commits - before);
      }
      isOver = true;
      await Promise.all(chains);
      // Each has one or two in that time. Without a turn in between, all 200 come before the first sleep is over, or the second.
      expect(longest).toBeLessThan(50);
    });

    test('a request that cannot be applied fails by its own fault, not by the disk’s', async () => {
      await database.close();
      const committer = await Committer.open({ folder, create: false, mapSize: DEFAULT_MAP_SIZE, onCommitted: () => undefined });
      const template = Buffer.alloc(2);
      const operations = [{ kind: 'setVersionstampedValue', key: key('a'), template, offset: 0 }] as const;
      const failing = committer.commit({ readVersion: 0n, reads: [], writes: [], operations }, 10_000);
      await expect(failing).rejects.toThrow(RangeError);
      await committer.close();
    });

    test.skipIf(!hasPrlimit)('a full disk fails the commits, and the store goes on when there is room', async () => {
      const full = await child(8_192);
      const answer = await full.ask('fill');
      expect(answer).toMatchObject({ code: 'storage_failed', hasCause: true, both: ['storage_failed', 'storage_failed'] });
      const freed = spawn('prlimit', ['--pid', String(full.pid), '--fsize=unlimited']);
      expect(await once(freed, 'exit')).toEqual([0, null]);
      expect(await full.ask('fillOne', { name: 'with room' })).toEqual({});
      const keys = await database.read((tx) => tx.getRange(key('fill/'), key('fill0')));
      expect(keys).toHaveLength(Number(answer['written']));
      expect(await database.read((tx) => tx.get(key('with room')))).toHaveLength(90_000);
    });
  });

  test('a read that outlives 5 s loses its pages, though its body still waits', async () => {
    await set('a');
    let goOn = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (goOn = resolve));
    let first = true;
    const reading = database.read(async (tx) => {
      const isFirst = first;
      first = false;
      const before = await tx.get(key('a'));
      if (isFirst) {
        await waiting;
        await expect(tx.get(key('a'))).rejects.toMatchObject({ code: 'transaction_too_old' });
        await tx.get(key('a'));
      }
      return before;
    });
    await sleep(limits.transactionMs + 400);
    await expectPagesUsedAgain();
    goOn();
    expect(await reading).toEqual(Buffer.alloc(8));
  });

  describe('several processes', () => {
    test('versionstamps are in the order of commits', async () => {
      const [first, second] = [await child(), await child()];
      const stamps: unknown[] = [];
      for (let round = 0; round < 20; round += 1) {
        stamps.push((await first.ask('stamp'))['stamp'], (await second.ask('stamp'))['stamp']);
        await database.transact(async (tx) => {
          tx.setVersionstampedKey(Buffer.concat([key('stamp/'), Buffer.alloc(10)]), 6, Buffer.alloc(0));
        });
      }
      expect([...stamps].sort()).toEqual(stamps);
      const stored = await database.read((tx) => tx.getRange(key('stamp/'), key('stamp0')));
      expect(stored).toHaveLength(60);
    });

    test('counters hold exactly what was counted, whoever is killed at whatever moment', async () => {
      const tried = new Set<unknown>();
      const acknowledged = new Set<unknown>();
      const start = async (own: string): Promise<Child> => {
        const counting = await child();
        counting.onAnswer = (answer) => {
          if (answer['trying'] !== undefined) tried.add(answer['trying']);
          if (answer['acknowledged'] !== undefined) acknowledged.add(answer['acknowledged']);
        };
        counting.tell('incrementForEver', { own });
        return counting;
      };
      const owns = ['own-0', 'own-1', 'own-2', 'own-3'];
      const counting = await Promise.all(owns.map(start));
      for (let killed = 0; killed < 16; killed += 1) {
        await sleep(Math.random() * 300);
        const index = Math.floor(Math.random() * owns.length);
        await counting[index]?.kill();
        counting[index] = await start(owns[index] ?? '');
        database.readerCheck();
      }
      for (const each of counting) await each.kill();

      const markers = await database.read((tx) => tx.getRange(key('marker/'), key('marker0')));
      const stored = new Set(markers.map((pair) => pair.key.toString()));
      expect(acknowledged.size).toBeGreaterThan(100);
      expect([...acknowledged].filter((marker) => !stored.has(String(marker)))).toEqual([]);
      expect([...stored].filter((marker) => !tried.has(marker))).toEqual([]);
      for (const counter of [...owns, 'same-write', 'same-add']) {
        const counted = [...stored].filter((marker) => marker.startsWith(`marker/${counter}/`)).length;
        expect(await number(counter), counter).toBe(BigInt(counted));
      }
    });

    test('what was acknowledged survives the death of its process', async () => {
      const writing = await child();
      let last = -1;
      const enough = new Promise<void>((resolve) => {
        writing.onAnswer = (answer) => {
          last = Number(answer['acknowledged']);
          if (last === 50) resolve();
        };
      });
      writing.tell('setForEver');
      await enough;
      await writing.kill();
      const stored = await database.read((tx) => tx.getRange(key('number/'), key('number0')));
      expect(stored.length).toBeGreaterThan(last);
    });

    test('a reader that was killed does not keep pages from being used again', async () => {
      const reading = await child();
      await set('a');
      await reading.ask('holdRead');
      await reading.kill();
      expect(database.readerCheck()).toBeGreaterThan(0);
      await expectPagesUsedAgain();
    });

    test('a watch wakes on the commit of another process', async () => {
      const writing = await child();
      const watch = await database.transact(async (tx) => tx.watch(key('watched')));
      let fired = false;
      void watch.changed.then(() => (fired = true));
      await writing.ask('set', { name: 'something else' });
      await sleep(100);
      expect(fired).toBe(false);
      await writing.ask('set', { name: 'watched' });
      await watch.changed;
    });

    test('reads go on while another process holds the write lock, and commits wait for it in their worker', async () => {
      await set('before');
      const holding = await child();
      expect(await holding.ask('holdLock')).toEqual({ holding: true });
      const order: string[] = [];
      const committed = set('waiting').then(() => order.push('commit'));
      for (let count = 0; count < 50; count += 1) {
        await database.read((tx) => tx.get(key('before')));
        await sleep(1);
      }
      order.push('reads');
      // Any line makes it let go.
      expect(await holding.ask('go on')).toEqual({ released: true });
      await committed;
      expect(order).toEqual(['reads', 'commit']);
    });

    test('a process that is stopped while it holds the write lock holds up commits, closing and ending for a while only', async () => {
      await set('before');
      const ending = await child();
      const holding = await child();
      expect(await holding.ask('holdLock')).toEqual({ holding: true });
      holding.signal('SIGSTOP');
      const late = database.transact(async (tx) => tx.set(key('late'), Buffer.alloc(8)), { timeoutMs: 1_500 });
      await expect(late).rejects.toMatchObject({ code: 'retries_exhausted', cause: { code: 'commit_unknown_result' } });
      const start = performance.now();
      await Promise.all([database.close(), ending.ask('close').then(() => ending.ended())]);
      expect(performance.now() - start).toBeLessThan(15_000);

      holding.signal('SIGCONT');
      expect(await holding.ask('go on')).toEqual({ released: true });
      database = await openLmdb(folder, { create: false });
      const stored = await database.read(async (tx) => [await tx.get(key('before')), await tx.get(key('late'))]);
      // Not so late that its caller has done something else since.
      expect(stored).toEqual([Buffer.alloc(8), undefined]);
    });
  });

  test('the conflict log is bounded by the memory that it takes, not by its packed bytes', async () => {
    await database.close();
    const version = BigInt(Date.now()) * 1_000n;
    const store = WritableStore.open(folder, { create: false, mapSize: DEFAULT_MAP_SIZE });
    store.write(() => {
      const megabyte = packRanges(
        Array.from({ length: 500 }, () => ({ begin: Buffer.alloc(1_000), end: Buffer.alloc(1_000, 1) })),
      );
      for (let back = 30n; back > 0n; back -= 1n) {
        const at = Buffer.alloc(8);
        at.writeBigUInt64BE(version - back);
        store.conflicts.put(at, megabyte);
      }
      writeState(store, { version, forgotten: version - 31n });
    });
    await store.close();
    database = await openLmdb(folder, { create: false });
    await set('a');
    await database.close();
    const after = WritableStore.open(folder, { create: false, mapSize: DEFAULT_MAP_SIZE });
    const { forgotten } = readState(after);
    await after.close();
    expect(forgotten).toBeGreaterThan(version - 31n);
    expect(forgotten).toBeLessThan(version);
  });

  describe('a store that is a day ahead of the clock', () => {
    const DAY = 24n * 3_600_000_000n;
    const SECOND = 1_000_000n;
    let version: bigint;

    /** What its commit worker alone may do; the database is closed. */
    const inStore = async (body: (store: WritableStore) => void): Promise<void> => {
      const store = WritableStore.open(folder, { create: false, mapSize: DEFAULT_MAP_SIZE });
      store.write(() => body(store));
      await store.close();
    };

    beforeEach(async () => {
      await database.close();
      version = BigInt(Date.now()) * 1_000n + DAY;
      await inStore((store) => {
        const before = Buffer.alloc(8);
        before.writeBigUInt64BE(version - 20n * SECOND);
        store.conflicts.put(before, packRanges([{ begin: key('a'), end: key('b') }]));
        writeState(store, { version, forgotten: version - 30n * SECOND });
      });
      database = await openLmdb(folder, { create: false });
    });

    test('goes on from there at the rate of the clock, in times and in stamps', async () => {
      const start = await database.read((tx) => tx.time());
      expect(start).toBeGreaterThanOrEqual(version);
      await sleep(1_500);
      await set('a');
      const [time, committed] = await database.read(async (tx) => [await tx.time(), await tx.readVersion()]);
      expect(committed - version).toBeGreaterThan(SECOND);
      expect(time - start).toBeGreaterThan(SECOND);
      expect(time - start).toBeLessThan(60n * SECOND);
      expect(await database.transact((tx) => tx.time())).toBeGreaterThanOrEqual(time);
    });

    test('says how far', () => {
      expect(database.aheadMs).toBeGreaterThan(86_000_000);
      expect(database.aheadMs).toBeLessThan(87_000_000);
    });

    test('forgets old commits by their age', async () => {
      await set('a');
      await database.close();
      await inStore((store) => {
        expect([...commitsAfter(store, 0n)].filter((commit) => commit.version < version)).toEqual([]);
      });
    });
  });

  test('errors are the port’s', async () => {
    await database.close();
    await expect(set('a')).rejects.toBeInstanceOf(KeyValueError);
  });
});
