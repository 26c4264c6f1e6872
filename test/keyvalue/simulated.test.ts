import { describe, expect, test } from 'vitest';

import { KeyValueError, limits, type Database, type KeyValue } from '../../src/keyvalue/database.js';
import {
  CrashedError,
  noFaults,
  SimulatedStore,
  VirtualClock,
  type CrashPoint,
  type Faults,
} from '../../src/keyvalue/simulated.js';
import { describeDatabaseContract } from './contract.js';

const contractClock = new VirtualClock();

describeDatabaseContract(
  'simulated',
  () => {
    const store = new SimulatedStore({ seed: 1, clock: contractClock });
    const database = store.connect();
    return Promise.resolve({ database, connect: () => Promise.resolve(store.connect()), close: () => database.close() });
  },
  {
    passTransactionLife: () => {
      contractClock.advance(limits.transactionMs + 200);
      return Promise.resolve();
    },
    programs: 200,
  },
);

const bytes = (text: string): Buffer => Buffer.from(text);
const balance = bytes('balance');
const commandKey = (id: string): Buffer => bytes(`command/${id}`);

/** Adds once however often it is tried: the command's id is read first and written with the effect. */
function deposit(database: Database, id: string, amount: number): Promise<number> {
  return database.transact(async (tx) => {
    const done = await tx.get(commandKey(id));
    if (done !== undefined) return Number(done.toString());
    const after = Number((await tx.get(balance))?.toString() ?? 0) + amount;
    tx.set(balance, bytes(String(after)));
    tx.set(commandKey(id), bytes(String(after)));
    return after;
  });
}

const held = async (database: Database): Promise<number> =>
  Number((await database.read((tx) => tx.get(balance)))?.toString() ?? 0);

describe('simulated: commits whose outcome nobody knows', () => {
  for (const fault of ['unknownApplied', 'unknownLost'] as const) {
    test(`a command with an id is done once, ${fault === 'unknownApplied' ? 'when the commit had happened' : 'when it had not'}`, async () => {
      const store = new SimulatedStore({ seed: 2, clock: new VirtualClock() });
      const database = store.connect();
      await deposit(database, 'first', 5);
      store.force(fault);
      expect(await deposit(database, 'second', 10)).toBe(15);
      expect(await held(database)).toBe(15);
    });
  }

  test('without an id, a commit that had happened is done twice: the reason for ids', async () => {
    const store = new SimulatedStore({ seed: 3, clock: new VirtualClock() });
    const database = store.connect();
    store.force('unknownApplied');
    await database.transact(async (tx) => {
      tx.set(balance, bytes(String(Number((await tx.get(balance))?.toString() ?? 0) + 1)));
    });
    expect(await held(database)).toBe(2);
  });

  test('when every commit is unknown, transact ends with retries_exhausted and says why', async () => {
    const store = new SimulatedStore({ seed: 4, clock: new VirtualClock(), faults: { unknownLost: 1 } });
    const error: unknown = await deposit(store.connect(), 'x', 1).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KeyValueError);
    expect(error).toMatchObject({ code: 'retries_exhausted', cause: { code: 'commit_unknown_result' } });
    expect(store.contents()).toEqual([]);
  });
});

describe('simulated: faults', () => {
  for (const fault of ['notCommitted', 'transactionTooOld'] as const) {
    test(`a forced ${fault} runs the body once more`, async () => {
      const store = new SimulatedStore({ seed: 5, clock: new VirtualClock() });
      const database = store.connect();
      store.force(fault);
      let runs = 0;
      await database.transact(async (tx) => {
        runs += 1;
        await tx.get(balance);
        tx.add(balance, 1n);
      });
      expect(runs).toBe(2);
      expect((await database.read((tx) => tx.get(balance)))?.readBigUInt64LE()).toBe(1n);
    });
  }

  test('a read that came too late is read again', async () => {
    const store = new SimulatedStore({ seed: 6, clock: new VirtualClock() });
    store.force('transactionTooOld');
    let runs = 0;
    await store.connect().read(async (tx) => {
      runs += 1;
      await tx.get(balance);
    });
    expect(runs).toBe(2);
  });

  test('a body that reads for longer than 5 s is run three times, not for 30 s', async () => {
    const clock = new VirtualClock();
    const store = new SimulatedStore({ seed: 6, clock });
    let runs = 0;
    const reading = store.connect().read(async (tx) => {
      runs += 1;
      await tx.get(balance);
      clock.advance(limits.transactionMs + 1);
      await tx.get(balance);
    });
    await expect(reading).rejects.toMatchObject({ code: 'retries_exhausted', cause: { code: 'transaction_too_old' } });
    expect(runs).toBe(3);
  });

  test('a commit on reads older than what the store remembers is too old', async () => {
    const clock = new VirtualClock();
    const store = new SimulatedStore({ seed: 7, clock });
    const database = store.connect();
    let runs = 0;
    await database.transact(async (tx) => {
      runs += 1;
      await tx.get(bytes('other'));
      if (runs === 1) clock.advance(limits.transactionMs + 1);
      tx.set(balance, bytes(String(runs)));
    });
    expect(runs).toBe(2);
  });

  const watch = (database: Database): Promise<{ changed: Promise<void>; cancel(): void }> =>
    database.transact((tx) => Promise.resolve(tx.watch(balance)));
  const state = (promise: Promise<void>): Promise<string> =>
    Promise.race([promise.then(() => 'fired'), new Promise<string>((resolve) => setTimeout(() => resolve('waiting'), 30))]);

  test('a lost watch never fires, a late one does within 5 s, and a poll finds the change', async () => {
    const clock = new VirtualClock();
    const store = new SimulatedStore({ seed: 8, clock });
    const database = store.connect();
    store.force('watchLost');
    const lost = await watch(database);
    store.force('watchLate');
    const late = await watch(database);
    const before = clock.now();
    await deposit(database, 'x', 1);
    await late.changed;
    expect(clock.now() - before).toBeLessThanOrEqual(6_000);
    expect(await state(lost.changed)).toBe('waiting');
    expect(await held(database)).toBe(1);
    lost.cancel();
    await lost.changed;
    expect(store.watching).toBe(0);
  });

  test('watches of failed, cancelled, closed and crashed holders leave nothing behind', async () => {
    const store = new SimulatedStore({ seed: 9, clock: new VirtualClock() });
    const database = store.connect();
    await expect(
      database.transact(async (tx) => {
        await tx.get(balance);
        tx.watch(balance);
        throw new Error('failed');
      }),
    ).rejects.toThrow('failed');
    expect(store.watching).toBe(0);
    // The attempt that conflicts must not leave its watch either.
    store.force('notCommitted');
    const kept = await database.transact((tx) => {
      tx.set(bytes('other'), bytes('x'));
      return Promise.resolve(tx.watch(balance));
    });
    expect(store.watching).toBe(1);
    kept.cancel();
    expect(store.watching).toBe(0);
    const closing = store.connect();
    const ofClosing = await watch(closing);
    await closing.close();
    await ofClosing.changed;
    const dying = store.connect();
    await watch(dying);
    dying.kill();
    expect(store.watching).toBe(0);
  });
});

/** Three processes deposit under all faults at once. A transcript of everything that anybody saw. */
async function depositsUnderFaults(seed: number): Promise<{ readonly transcript: string[]; readonly contents: KeyValue[] }> {
  const faults: Faults = { ...noFaults, notCommitted: 0.2, transactionTooOld: 0.05, unknownApplied: 0.15, unknownLost: 0.15 };
  const clock = new VirtualClock();
  const start = clock.now();
  const store = new SimulatedStore({ seed, clock, faults });
  const transcript: string[] = [];
  await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      const database = store.connect(name);
      for (let index = 0; index < 5; index += 1) {
        const after = await deposit(database, `${name}${index}`, 1);
        transcript.push(`${name}${index} at ${clock.now() - start}: ${after}`);
      }
    }),
  );
  return { transcript, contents: store.contents() };
}

describe('simulated: seeds', () => {
  test('one seed gives one run, to the millisecond and the byte', async () => {
    const [first, second, third] = [await depositsUnderFaults(42), await depositsUnderFaults(42), await depositsUnderFaults(43)];
    expect(second).toEqual(first);
    expect(third.transcript).not.toEqual(first.transcript);
  });

  test('the store tells its seed', () => {
    expect(new SimulatedStore({ seed: 77 }).seed).toBe(77);
    expect(new SimulatedStore().seed).toBeGreaterThanOrEqual(0);
  });

  for (let seed = 100; seed < 120; seed += 1) {
    test(`under all faults every deposit counts once (seed ${seed})`, async () => {
      const { contents } = await depositsUnderFaults(seed);
      const found = new Map(contents.map((pair) => [pair.key.toString(), pair.value.toString()]));
      expect(found.get('balance')).toBe('15');
      expect(
        [...found]
          .filter(([key]) => key.startsWith('command/'))
          .map(([, after]) => Number(after))
          .sort((a, b) => a - b),
      ).toEqual(Array.from({ length: 15 }, (_, index) => index + 1));
    });
  }
});

describe('simulated: crashes', () => {
  /** One deposit by a process that dies at its nth await; the points that it passed. */
  async function depositAndDie(
    deadAt: number,
  ): Promise<{ readonly store: SimulatedStore; readonly points: CrashPoint[]; readonly outcome: unknown }> {
    const points: CrashPoint[] = [];
    const store = new SimulatedStore({ seed: 10, clock: new VirtualClock() });
    await deposit(store.connect('first'), 'first', 5);
    store.force('notCommitted');
    store.crash = (point, process) => {
      if (process !== 'mortal') return;
      points.push(point);
      if (points.length === deadAt) throw new CrashedError(`dies at its await ${deadAt}, ${point}`);
    };
    const outcome: unknown = await deposit(store.connect('mortal'), 'second', 10).catch((error: unknown) => error);
    return { store, points, outcome };
  }

  test('a crash at any await leaves all of a transaction or nothing, and the next process finishes the work', async () => {
    const whole = await depositAndDie(Infinity);
    expect(whole.outcome).toBe(15);
    expect(new Set(whole.points)).toEqual(new Set(['begin', 'read', 'commit', 'committed', 'retry']));
    const outcomes = new Set<string>();
    for (let deadAt = 1; deadAt <= whole.points.length; deadAt += 1) {
      const { store, outcome } = await depositAndDie(deadAt);
      expect(outcome).toBeInstanceOf(CrashedError);
      const found = new Map(store.contents().map((pair) => [pair.key.toString(), pair.value.toString()]));
      const all = { balance: '15', 'command/first': '5', 'command/second': '15' };
      const nothing = { balance: '5', 'command/first': '5' };
      const done = found.has('command/second');
      outcomes.add(done ? 'all' : 'nothing');
      expect(Object.fromEntries(found)).toEqual(done ? all : nothing);
      expect(await deposit(store.connect('heir'), 'second', 10)).toBe(15);
      expect(Object.fromEntries(store.contents().map((pair) => [pair.key.toString(), pair.value.toString()]))).toEqual(all);
    }
    expect(outcomes).toEqual(new Set(['all', 'nothing']));
  });

  test('a dead process does nothing any more, and the living do not notice', async () => {
    const store = new SimulatedStore({ seed: 11, clock: new VirtualClock() });
    const mortal = store.connect('mortal');
    const living = store.connect('living');
    let release: () => void = () => undefined;
    const held1 = new Promise<void>((resolve) => (release = resolve));
    const dying = mortal.transact(async (tx) => {
      tx.set(balance, bytes('999'));
      await held1;
    });
    mortal.kill();
    release();
    await expect(dying).rejects.toBeInstanceOf(CrashedError);
    await expect(mortal.read((tx) => tx.get(balance))).rejects.toBeInstanceOf(CrashedError);
    expect(await deposit(living, 'x', 1)).toBe(1);
  });
});

describe('simulated: size', () => {
  test('a hundred thousand keys are written and read at versions of their own', async () => {
    const store = new SimulatedStore({ seed: 12, clock: new VirtualClock() });
    const database = store.connect();
    for (let start = 0; start < 100_000; start += 10_000) {
      await database.transact((tx) => {
        // Scattered, as digests are.
        for (let index = start; index < start + 10_000; index += 1)
          tx.set(bytes(`k/${(index * 7_919) % 100_000}`.padEnd(9)), bytes(String(index)));
        return Promise.resolve();
      });
    }
    for (let round = 0; round < 2_000; round += 1) {
      await database.transact(async (tx) => {
        await tx.getRange(bytes(`k/${round}`), bytes('l'), { limit: 3 });
        tx.add(bytes('n'), 1n);
      });
    }
    expect(store.contents()).toHaveLength(100_001);
  });
});
