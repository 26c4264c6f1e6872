import { expect, test } from 'vitest';

import { createExecutor } from '../../src/commands/execute.js';
import type { Digest } from '../../src/digest.js';
import type { ImagePath, Uid } from '../../src/identifiers.js';
import { KeyValueError } from '../../src/keyvalue/database.js';
import { kindBounds } from '../../src/keyvalue/keyspace.js';
import { readPulls, type Pulls } from '../../src/keyvalue/pull-counters.js';
import { PullCounting, type PullCountingOptions } from '../../src/processes/pull-counting.js';
import type { Store } from '../../src/projections/store.js';
import {
  accepted,
  create,
  nameOf,
  pushImage,
  putManifest,
  removeManifest,
  removeRepository,
  sha256Of,
} from '../commands/fixture.js';
import { simulate, uidOf, type Simulation, type TestManifest, type Workplace } from '../commands/fixture.js';
import { newClock } from '../support/database.js';

const none = '' as ImagePath;

interface Pulled extends Simulation {
  readonly image: TestManifest;
  readonly repository: Uid;
}

/** A store with an image, `shop/web:v1`. */
async function withImage(clock = newClock()): Promise<Pulled> {
  const at = await simulate({ clock });
  await create(at, 'shop/web');
  const image = await pushImage(at, 'shop/web', 'one', ['v1']);
  return { ...at, image, repository: await repositoryOf(at, 'shop/web') };
}

async function repositoryOf(at: Workplace, name: string): Promise<Uid> {
  const repository = await uidOf(at, name);
  return repository ?? expect.fail(`${name} is not there`);
}

const silent = { failed: () => undefined, missed: () => undefined };

function countingOn({ newId }: Workplace, store: Store, more: Partial<PullCountingOptions> = {}): PullCounting {
  return new PullCounting(store, { newId, ...silent, ...more });
}

function pull(counting: PullCounting, repository: Uid, digest: Digest, times = 1): void {
  for (let time = 0; time < times; time += 1) counting.counted(repository, none, digest);
}

function pullsOf(at: Workplace, repository: Uid, digest: Digest, image = none): Promise<Pulls> {
  return at.store.read(({ tx, registry }) => readPulls(tx, registry.keyspace, { repository, image, digest }));
}

/** Keys of a kind, of the whole registry. */
async function keys({ store }: Workplace, kind: string): Promise<number> {
  const { begin, end } = kindBounds(store.keyspaces.registry, kind);
  return (await store.database.read((tx) => tx.getRange(begin, end))).length;
}

/** A store whose transactions have something done between their reads and their commit, once. */
function interrupted(store: Store, between: () => Promise<unknown>): Store {
  let isDone = false;
  return {
    ...store,
    transact: (body, options) =>
      store.transact(async (writing) => {
        const result = await body(writing);
        if (!isDone) {
          isDone = true;
          await between();
        }
        return result;
      }, options),
  };
}

test('what several servers count is added up, by manifest and by image', async () => {
  const at = await withImage();
  const { image, repository } = at;
  const other = await pushImage(at, 'shop/web', 'two');
  await pushImage(at, 'shop/web/deep', 'one');
  const here = countingOn(at, at.store);
  const there = countingOn(at, at.another('there').store);
  pull(here, repository, image.digest, 2);
  pull(there, repository, image.digest, 3);
  here.counted(repository, 'deep' as ImagePath, image.digest);
  expect((await pullsOf(at, repository, image.digest)).pulls).toBe(0);
  await Promise.all([here.flush(), there.flush()]);
  pull(here, repository, image.digest);
  await here.flush();
  expect((await pullsOf(at, repository, image.digest)).pulls).toBe(6);
  expect((await pullsOf(at, repository, image.digest, 'deep' as ImagePath)).pulls).toBe(1);
  expect(await pullsOf(at, repository, other.digest)).toEqual({ pulls: 0, last: undefined });
});

test('the last pull has the database time of its flush, and never an earlier one than before', async () => {
  const clock = newClock();
  const at = await withImage(clock);
  const { image, repository } = at;
  const counting = countingOn(at, at.store);
  const now = async () => Number(await at.store.database.read((tx) => tx.time()));
  const before = await now();
  pull(counting, repository, image.digest);
  await counting.flush();
  const { last = 0 } = await pullsOf(at, repository, image.digest);
  expect(last).toBeGreaterThanOrEqual(before);
  expect(last).toBeLessThanOrEqual(await now());
  clock.advance(10);
  const slow = interrupted(at.store, async () => {
    pull(counting, repository, image.digest);
    await counting.flush();
  });
  const late = countingOn(at, slow);
  pull(late, repository, image.digest);
  await late.flush();
  const after = await pullsOf(at, repository, image.digest);
  expect(after.pulls).toBe(3);
  expect(after.last).toBeGreaterThan(last);
});

for (const fault of ['unknownApplied', 'unknownLost', 'notCommitted', 'transactionTooOld'] as const) {
  test(`a pull is counted once through ${fault}`, async () => {
    const at = await withImage();
    const { image, repository } = at;
    const counting = countingOn(at, at.store);
    for (let round = 0; round < 3; round += 1) {
      pull(counting, repository, image.digest, 7);
      at.simulated.force(fault);
      await counting.flush();
    }
    expect((await pullsOf(at, repository, image.digest)).pulls).toBe(21);
  });
}

for (const committed of [true, false]) {
  test(`a flush that failed, and had ${committed ? '' : 'not '}committed, is gone on with once by the next`, async () => {
    const at = await withImage();
    const { image, repository } = at;
    let isAway = true;
    const unavailable = new KeyValueError('unavailable', 'away');
    const away: Store = {
      ...at.store,
      async transact(body, options) {
        if (isAway && !committed) throw unavailable;
        const result = await at.store.transact(body, options);
        if (isAway) throw unavailable;
        return result;
      },
    };
    const counting = countingOn(at, away);
    pull(counting, repository, image.digest, 2);
    await expect(counting.flush()).rejects.toBe(unavailable);
    pull(counting, repository, image.digest, 4);
    await expect(counting.flush()).rejects.toBe(unavailable);
    isAway = false;
    await counting.flush();
    expect((await pullsOf(at, repository, image.digest)).pulls).toBe(6);
  });
}

test('a manifest that was deleted and pushed again begins at none', async () => {
  const at = await withImage();
  const { image, repository } = at;
  const counting = countingOn(at, at.store);
  pull(counting, repository, image.digest);
  await counting.flush();
  accepted(await removeManifest(at, 'shop/web', image.digest));
  expect(await keys(at, 'counter')).toBe(0);
  accepted(await putManifest(at, 'shop/web', image, ['v1']));
  expect(await pullsOf(at, repository, image.digest)).toEqual({ pulls: 0, last: undefined });
});

test('a repository takes its counters with it, and one made anew under its id has none of them', async () => {
  const at = await withImage();
  const { image, repository } = at;
  const others = await Promise.all(Array.from({ length: 120 }, (_, index) => pushImage(at, 'shop/web', `other ${index}`)));
  const counting = countingOn(at, at.store);
  for (const { digest } of [image, ...others]) pull(counting, repository, digest);
  await counting.flush();
  expect(await keys(at, 'counter')).toBe(2 * 121);
  accepted(await removeRepository(at, 'shop/web'));
  expect(await keys(at, 'counter')).toBe(0);
  await create(at, 'shop/web');
  await pushImage(at, 'shop/web', 'one', ['v1']);
  expect((await pullsOf(at, await repositoryOf(at, 'shop/web'), image.digest)).pulls).toBe(0);
});

test('what is counted of a manifest that is gone leaves nothing behind, whenever it went', async () => {
  const at = await withImage();
  const { image, repository } = at;
  const removed = () => removeManifest(at, 'shop/web', image.digest);
  // Between the flush's look at the manifest and its commit, and before the flush.
  const counting = countingOn(at, interrupted(at.store, removed));
  for (let round = 0; round < 2; round += 1) {
    pull(counting, repository, image.digest);
    await counting.flush();
    expect(await keys(at, 'counter')).toBe(0);
  }
  accepted(await putManifest(at, 'shop/web', image));
  pull(counting, repository, image.digest);
  await counting.flush();
  expect((await pullsOf(at, repository, image.digest)).pulls).toBe(1);
});

test('a push, a pull and a deletion do not wait for the flush that goes on beside them', async () => {
  const at = await withImage();
  const { image, repository } = at;
  const counting = countingOn(at, at.another('counting').store);
  const attempts: string[] = [];
  /** A command of a server at which a flush commits between its reads and its commit. */
  const beside = (what: string): Workplace => {
    const store = interrupted(at.store, async () => {
      pull(counting, repository, image.digest);
      await counting.flush();
    });
    const told: Store = {
      ...store,
      transact: (body, options) =>
        store.transact((writing) => {
          attempts.push(what);
          return body(writing);
        }, options),
    };
    return { ...at, store: told, executor: createExecutor(told) };
  };
  accepted(await putManifest(beside('push'), 'shop/web', image, ['v2']));
  accepted(await removeManifest(beside('deletion'), nameOf('shop/web').name, image.digest));
  expect(attempts).toEqual(['push', 'deletion']);
  expect(await keys(at, 'counter')).toBe(0);
});

test('a flush without a pull costs no transaction, and one of many manifests several', async () => {
  const at = await withImage();
  const other = at.another();
  const counting = countingOn(at, other.store);
  await counting.flush();
  expect(other.bodies()).toBe(0);
  for (let index = 0; index < 401; index += 1) pull(counting, at.repository, sha256Of(String(index)));
  await counting.flush();
  expect(other.bodies()).toBe(3);
});

test('many different manifests are written down without waiting for the time', async () => {
  const at = await withImage();
  const { image, repository } = at;
  const counting = countingOn(at, at.store);
  pull(counting, repository, image.digest);
  for (let index = 1; index < 1_000; index += 1) pull(counting, repository, sha256Of(String(index)));
  await expect.poll(async () => (await pullsOf(at, repository, image.digest)).pulls).toBe(1);
});

test('while nothing can be written the memory is bounded; what is left out is told, and the rest is counted', async () => {
  const at = await withImage();
  const { image, repository } = at;
  let isFull = true;
  const full: Store = {
    ...at.store,
    transact: (body, options) =>
      isFull ? Promise.reject(new KeyValueError('storage_failed', 'full')) : at.store.transact(body, options),
  };
  const told: unknown[] = [];
  const counting = countingOn(at, full, {
    failed: (error) => told.push((error as Error).message),
    missed: (pulls) => told.push(pulls),
  });
  pull(counting, repository, image.digest);
  for (let index = 0; index < 20_500; index += 1) pull(counting, repository, sha256Of(String(index)));
  await expect.poll(() => told).toEqual(['full']);
  pull(counting, repository, image.digest, 9);
  await expect(counting.flush()).rejects.toThrow('full');
  isFull = false;
  await counting.flush();
  expect((await pullsOf(at, repository, image.digest)).pulls).toBe(10);
  expect(told).toEqual(['full', 501]);
});

test('of all the flushes of a process one record of what was done is left, which is pruned as a command’s is', async () => {
  const at = await withImage();
  const { image, repository } = at;
  const before = await keys(at, 'command');
  const counting = countingOn(at, at.store);
  for (let round = 0; round < 5; round += 1) {
    pull(counting, repository, image.digest);
    await counting.flush();
  }
  expect(await keys(at, 'command')).toBe(before + 1);
});
