import { describe, expect, test } from 'vitest';

import { KeyValueError, type KeyValueErrorCode } from '../../src/keyvalue/database.js';
import type { FdbError, NativeTransaction } from '../../src/keyvalue/foundationdb-binding.js';
import { commitUnknown, keyValueError } from '../../src/keyvalue/foundationdb-errors.js';
import { ClusterTime } from '../../src/keyvalue/foundationdb-time.js';
import { ClusterTransaction, type ClusterHost } from '../../src/keyvalue/foundationdb-transaction.js';
import { boundsOf, createKeyspace } from '../../src/keyvalue/keyspace.js';
import { SimulatedStore, VirtualClock } from '../../src/keyvalue/simulated.js';
import { readNewestSample, writeTimeSample } from '../../src/keyvalue/time-samples.js';

class NumberedError extends Error {
  constructor(readonly code: number) {
    super(`error ${code}`);
  }
}
const isFdbError = (error: unknown): error is FdbError => error instanceof NumberedError;

const bytes = (text: string): Buffer => Buffer.from(text);

/** A transaction over a library whose commit ends in an error, and what it called. */
function transactionOf(commitCode: number | undefined): { readonly tx: ClusterTransaction; readonly calls: string[] } {
  const calls: string[] = [];
  const library: Partial<NativeTransaction> = {
    get: (key, isSnapshot) => {
      calls.push(`get ${key.toString()}${isSnapshot ? ' by snapshot' : ''}`);
      return Promise.resolve(undefined);
    },
    set: (key) => void calls.push(`set ${key.toString()}`),
    addReadConflictRange: (begin) => void calls.push(`read conflict ${begin.toString('latin1').slice(0, 10)}`),
    commit: () => {
      calls.push('commit');
      return commitCode === undefined ? Promise.resolve() : Promise.reject(new NumberedError(commitCode));
    },
    cancel: () => void calls.push('cancel'),
  };
  const native = library as NativeTransaction;
  const nothing = (): void => undefined;
  const host: ClusterHost = {
    begin: () => native,
    isFdbError,
    asked: nothing,
    answered: nothing,
    ended: nothing,
    endedBecause: (error) => commitUnknown('no answer', error),
    time: () => Promise.resolve(0n),
    keep: nothing,
    forget: nothing,
  };
  return { tx: new ClusterTransaction(host), calls };
}

const codeOf = async (promise: Promise<unknown>): Promise<KeyValueErrorCode | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => (error instanceof KeyValueError ? error.code : undefined),
  );

describe('a commit of which nobody knows', () => {
  test.each([1031, 1025, 1039])('by %i may be on its way: what it read tells how to stop it', async (code) => {
    const { tx } = transactionOf(code);
    await tx.snapshot.get(bytes('not with a conflict'));
    await tx.get(bytes('command/1'));
    await tx.get(bytes('other'));
    tx.set(bytes('a'), bytes('x'));
    expect(await codeOf(tx.commit())).toBe('commit_unknown_result');
    expect(tx.inFlight?.toString()).toBe('command/1');
  });

  test('by 1021 is not: the library has seen to that', async () => {
    const { tx } = transactionOf(1021);
    await tx.get(bytes('command/1'));
    tx.set(bytes('a'), bytes('x'));
    expect(await codeOf(tx.commit())).toBe('commit_unknown_result');
    expect(tx.inFlight).toBeUndefined();
  });

  test('that read nothing, or only what it wrote, reads a key of its own', async () => {
    const { tx, calls } = transactionOf(1031);
    tx.set(bytes('a'), bytes('x'));
    await tx.get(bytes('a'));
    expect(await codeOf(tx.commit())).toBe('commit_unknown_result');
    expect(tx.inFlight?.subarray(0, 10).toString()).toBe('in-flight/');
    expect(calls).toEqual(['set a', 'get a', 'read conflict in-flight/', 'commit']);
  });
});

test('reads alone are not committed, and a transaction that does nothing does not begin', async () => {
  const reading = transactionOf(1020);
  await reading.tx.get(bytes('a'));
  await reading.tx.commit();
  expect(reading.calls).toEqual(['get a']);
  const idle = transactionOf(1020);
  await idle.tx.commit();
  idle.tx.fail(new Error('late'));
  expect(idle.calls).toEqual([]);
});

test('what the cluster says is what the port says, and what passes is retried', () => {
  const said = (code: number, phase: 'read' | 'commit'): [KeyValueErrorCode, boolean] => {
    const error = keyValueError(new NumberedError(code), phase);
    return [error.code, error.retryable];
  };
  expect(said(1020, 'commit')).toEqual(['not_committed', true]);
  expect(said(1007, 'read')).toEqual(['transaction_too_old', true]);
  expect(said(1021, 'commit')).toEqual(['commit_unknown_result', true]);
  expect(said(1036, 'read')).toEqual(['accessed_unreadable', false]);
  for (const code of [1009, 1037, 1042, 1051, 1078, 1213, 1223]) {
    expect(said(code, 'read')).toEqual(['transaction_too_old', true]);
    expect(said(code, 'commit')).toEqual(['not_committed', true]);
  }
  expect(said(1038, 'commit')).toEqual(['unavailable', false]);
  expect(said(1500, 'commit')).toEqual(['storage_failed', false]);
  expect(keyValueError(new NumberedError(1500), 'commit').message).toBe('FoundationDB: error 1500 (1500)');
  expect(keyValueError(new NumberedError(1213), 'read').retryAfterMs).toBeGreaterThan(0);
});

test('without samples, time is the host’s clock, and never goes back', async () => {
  const time = new ClusterTime();
  const database = new SimulatedStore({ seed: 1 }).connect();
  const before = BigInt(Date.now()) * 1_000n;
  const first = await database.read((tx) => time.at(tx));
  time.keepBy(boundsOf(bytes('time/')));
  const second = await database.read((tx) => time.at(tx));
  expect(first).toBeGreaterThanOrEqual(before);
  expect(second).toBeGreaterThanOrEqual(first);
});

test('time follows the newest sample, which is read once in ten seconds of versions', async () => {
  const clock = new VirtualClock(Date.UTC(2026, 10, 1));
  const start = BigInt(clock.now()) * 1_000n;
  const database = new SimulatedStore({ seed: 1, clock, versions: (now) => now - start + 1_000_000n }).connect();
  const keyspace = createKeyspace(bytes('x/'));
  const sample = (micros: bigint): Promise<void> =>
    database.transact(async (tx) => {
      const before = (await readNewestSample(tx, keyspace.timeSamples(1))) ?? { floor: 0n };
      writeTimeSample(tx, keyspace.timeSampleAppend(1), micros, before);
    });
  const time = new ClusterTime();
  time.keepBy(keyspace.timeSamples(1));
  let ranges = 0;
  const told = (): Promise<bigint> =>
    database.read((tx) =>
      time.at({ ...tx, getRange: (begin, end, options) => ((ranges += 1), tx.getRange(begin, end, options)) }),
    );
  await sample(start);
  const first = await told();
  expect(first).toBe(start);
  clock.advance(5_000);
  await database.transact(async (tx) => tx.set(bytes('a'), bytes('x')));
  const second = await told();
  expect(second).toBeGreaterThan(start + 4_999_000n);
  expect(second).toBeLessThanOrEqual(start + 5_000_000n);
  expect(ranges).toBe(1);
  clock.advance(6_000);
  await sample(start + 60_000_000n);
  expect(await told()).toBe(start + 60_000_000n);
  expect(ranges).toBe(2);
});
