import { describe, expect, test } from 'vitest';

import type { BlobAddress } from '../../src/blobs/blob-store.js';
import { eraseContent } from '../../src/commands/erase-content.js';
import type { CommandContext } from '../../src/commands/execute.js';
import { forgetUser } from '../../src/commands/forget-user.js';
import { createUser } from '../../src/commands/user.js';
import { repositoryStream, type Actor } from '../../src/events/types.js';
import type { Uid } from '../../src/identifiers.js';
import { boundsOf } from '../../src/keyvalue/keyspace.js';
import { CrashedError, type CrashPoint } from '../../src/keyvalue/simulated.js';
import { pack } from '../../src/keyvalue/tuple.js';
import type { BuilderClock } from '../../src/processes/build-run.js';
import { finishErasedBlobs, finishForgetting } from '../../src/processes/finish-erasures.js';
import { sampleTimes } from '../../src/processes/time-sampling.js';
import { REQUEST_KEPT_MS } from '../../src/processes/request-pruning.js';
import { LEASE_MICROS } from '../../src/projections/builds.js';
import { listLinkingRepositories } from '../../src/projections/references.js';
import { listRepositoriesOf } from '../../src/projections/repository-access.js';
import { accepted, blobOf, create, push, simulate, uidOf, type Simulation, type Workplace } from '../commands/fixture.js';
import { engine, newClock, onFoundationDb } from '../support/database.js';
import { compareWithFold } from '../support/fold.js';

const isCommit = (point: CrashPoint): boolean => point === 'commit' || point === 'committed';

/** The blob store, as far as erasures know it. */
function newBlobs() {
  const removed: BlobAddress[] = [];
  return { removed, remove: (address: BlobAddress) => Promise.resolve(void removed.push(address)) };
}

type Blobs = ReturnType<typeof newBlobs>;

const system: Actor = { kind: 'system', authentication: 'none' };

const never = new AbortController().signal;
const hurried: BuilderClock = { now: () => 0, sleep: () => Promise.resolve() };

/** As a server does. */
async function finish(place: Workplace, blobs: Pick<Blobs, 'remove'>): Promise<void> {
  await finishErasedBlobs(place.executor, () => place.context(system), blobs, never);
  await forget(place);
}

function forget(place: Workplace, { signal = never, clock = hurried, owner = String(place.newId()) } = {}): Promise<void> {
  return finishForgetting(place.executor, () => place.context(system), { owner, signal, clock });
}

/** What is noted as left to do. */
async function notes({ store }: Simulation): Promise<readonly string[]> {
  const { begin, end } = store.keyspaces.registry.erasures;
  return (await store.database.read((tx) => tx.getRange(begin, end))).map(({ value }) => value.toString());
}

/** Kills the process of that name when it is about to commit, or has just committed, for the `place`th time; counts how often it would have. */
function killAt(at: Simulation, name: string, place: number): { readonly commits: () => number } {
  let commits = 0;
  at.simulated.crash = (point, process) => {
    if (process !== name || !isCommit(point)) return;
    commits += 1;
    if (commits >= place) throw new CrashedError(`at ${place}`);
  };
  return { commits: () => commits };
}

async function untilKilled(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if (error instanceof CrashedError) return true;
    throw error;
  }
}

describe('a blob that is erased', () => {
  const blob = blobOf('a secret');
  const names = ['shop/web', 'shop/api', 'team/app'];

  async function open(): Promise<{ readonly at: Simulation; readonly generation: string }> {
    const at = await simulate();
    for (const name of names) await create(at, name);
    const pushed = [];
    for (const name of names) pushed.push(accepted(await push(at, name, blob)));
    return { at, generation: pushed[0]?.generation ?? '' };
  }

  const erase = (place: Workplace) =>
    eraseContent(place.executor, () => place.context(), { kind: 'EraseContent', digest: blob.digest, erasure: place.newId() });

  const linking = ({ store }: Simulation) => store.read((reading) => listLinkingRepositories(reading, blob.digest, 10));

  async function expectErased(at: Simulation, blobs: Blobs, generation: string, where: string): Promise<void> {
    expect(await notes(at), where).toEqual([]);
    expect(await linking(at), where).toEqual([]);
    expect(new Set(blobs.removed.map((one) => `${one.digest} ${one.generation}`)), where).toEqual(
      new Set([`${blob.digest} ${generation}`]),
    );
    expect(await compareWithFold(at.store), where).toEqual([]);
    expect(await push(at, 'shop/web', blob), where).toMatchObject({ refused: 'CONTENT_ERASED' });
  }

  test('goes from the blob store, and from every repository', async () => {
    const { at, generation } = await open();
    expect(await erase(at)).toEqual({ erased: true });
    expect(await notes(at)).toHaveLength(1);
    const blobs = newBlobs();
    await finish(at, blobs);
    await expectErased(at, blobs, generation, 'at once');
  });

  test('is erased to the end by another process, wherever the first one is killed', async () => {
    const first = await open();
    const counted = killAt(first.at, 'eraser', Infinity);
    await erase(first.at.another('eraser'));
    // The event, and the links of all repositories; each is about to be committed, and is committed.
    expect(counted.commits()).toBe(4);
    for (let place = 1; place <= counted.commits(); place += 1) {
      const { at, generation } = await open();
      killAt(at, 'eraser', place);
      expect(await untilKilled(erase(at.another('eraser')))).toBe(true);
      at.simulated.crash = undefined;
      const blobs = newBlobs();
      await finish(at.another('finisher'), blobs);
      if (place > 1) await expectErased(at, blobs, generation, `killed at ${place}`);
      // Nothing had happened yet.
      else expect((await linking(at)).length, 'killed before its event').toBe(3);
    }
  });

  test('is erased to the end, wherever the one that finishes it is killed, too', async () => {
    for (let place = 1; ; place += 1) {
      const { at, generation } = await open();
      killAt(at, 'eraser', 2);
      expect(await untilKilled(erase(at.another('eraser')))).toBe(true);
      const blobs = newBlobs();
      killAt(at, 'finisher', place);
      const killed = await untilKilled(finish(at.another('finisher'), blobs));
      at.simulated.crash = undefined;
      await finish(at, blobs);
      await expectErased(at, blobs, generation, `killed at ${place}`);
      if (killed) continue;
      expect(place).toBeGreaterThan(4);
      return;
    }
  });

  test('stays noted while the blob store fails', async () => {
    const { at, generation } = await open();
    await erase(at);
    const broken = { remove: () => Promise.reject(new Error('the disk is gone')) };
    await expect(finish(at, broken)).rejects.toMatchObject({ errors: [{ message: 'the disk is gone' }] });
    expect(await notes(at)).toHaveLength(1);
    const blobs = newBlobs();
    await finish(at, blobs);
    await expectErased(at, blobs, generation, 'later');
  });
});

test('a blob whose file can’t be removed keeps no other from being erased', async () => {
  const at = await simulate();
  await create(at, 'shop/web');
  const erased = ['first', 'second', 'third'].map(blobOf);
  for (const blob of erased) accepted(await push(at, 'shop/web', blob));
  for (const { digest } of erased) {
    // Killed behind the event: links and file are left.
    killAt(at, 'eraser', 2);
    const place = at.another('eraser');
    const command = { kind: 'EraseContent', digest, erasure: at.newId() } as const;
    expect(await untilKilled(eraseContent(place.executor, () => place.context(), command))).toBe(true);
    at.simulated.crash = undefined;
  }
  const blobs = newBlobs();
  const denied = Object.assign(new Error('permission denied'), { code: 'EACCES' });
  const remove = (address: BlobAddress) =>
    address.digest === erased[0]?.digest ? Promise.reject(denied) : blobs.remove(address);
  const finished = finishErasedBlobs(at.executor, () => at.context(system), { remove }, never);
  await expect(finished).rejects.toMatchObject({ message: '1 erasures could not be finished', errors: [denied] });
  expect(blobs.removed.map(({ digest }) => digest)).toEqual(erased.slice(1).map(({ digest }) => digest));
  const left = await notes(at);
  expect(left.map((note) => (JSON.parse(note) as { digest: string }).digest)).toEqual([erased[0]?.digest]);
  for (const { digest } of erased) {
    expect(await at.store.read((reading) => listLinkingRepositories(reading, digest, 10))).toEqual([]);
  }
});

describe('where a person who is forgotten sent requests from', () => {
  const client = { address: '192.0.2.7', userAgent: 'docker/28', hash: 'c1'.repeat(32) };
  const COMMANDS = 5;
  // Several steps through the log.
  const EVENTS = 100;

  async function open({ idleMs = 0 } = {}) {
    const clock = newClock();
    const at = await simulate({ clock });
    // As whatever opens a store does, before its first command.
    await sampleTimes(at.store);
    await create(at, 'shop/web');
    const repository = (await uidOf(at, 'shop/web')) ?? at.newId();
    const user = at.newId();
    const nameHash = '5e'.repeat(32);
    const command = { kind: 'CreateUser', user, loginName: 'guest', nameHash, passwordHash: 'none' } as const;
    accepted(await createUser(at.executor, { ...at.context(), client }, command));
    const guest: Actor = { kind: 'user', uid: user, authentication: 'token' };
    for (let turn = 0; turn < COMMANDS; turn += 1) {
      // The last one comes after the pause.
      if (turn === COMMANDS - 1) clock.advance(idleMs);
      await send(at, { ...at.context(guest), client }, repository, EVENTS);
      await send(at, { ...at.context(), client }, repository, 1);
    }
    const forgetting = at.context();
    accepted(
      await forgetUser(at.executor, { ...forgetting, client }, { kind: 'ForgetUser', user, nameHash, erasure: at.newId() }),
    );
    return { at, user, clock };
  }

  async function send(at: Simulation, context: CommandContext, repository: Uid, count: number): Promise<void> {
    const { digest, size } = blobOf('some');
    const event = { stream: repositoryStream(repository), payload: { kind: 'BlobPushed', digest, size } } as const;
    await at.executor.execute<boolean>(context, () =>
      Promise.resolve({ events: Array.from({ length: count }, () => event), outcome: true }),
    );
  }

  async function requests({ store }: Simulation): Promise<number> {
    const { begin, end } = boundsOf(pack(store.keyspaces.registry.directory, ['request']));
    return (await store.database.read((tx) => tx.getRange(begin, end))).length;
  }

  // The owner's: a command each time, and the two that made and forgot the user.
  const OTHERS = COMMANDS + 2;

  test('is cleared, and nobody else’s', async () => {
    const { at } = await open();
    expect(await requests(at)).toBe(COMMANDS + OTHERS);
    expect(await notes(at)).toHaveLength(1);
    await finish(at, newBlobs());
    expect(await requests(at)).toBe(OTHERS);
    expect(await notes(at)).toEqual([]);
  });

  // A lease is held by the cluster's own time.
  test.skipIf(onFoundationDb)('is cleared wherever the process is killed', async () => {
    const { at: counting } = await open();
    const { commits } = killAt(counting, 'finisher', Infinity);
    await finish(counting.another('finisher'), newBlobs());
    // Several steps of each log, and the end.
    expect(commits()).toBeGreaterThan(6);
    for (let place = 1; place <= commits(); place += 1) {
      const { at, clock } = await open();
      killAt(at, 'finisher', place);
      expect(await untilKilled(finish(at.another('finisher'), newBlobs()))).toBe(true);
      at.simulated.crash = undefined;
      clock.advance(LEASE_MICROS / 1_000 + 1);
      await finish(at.another('next'), newBlobs());
      expect(await requests(at), `killed at ${place}`).toBe(OTHERS);
      expect(await notes(at), `killed at ${place}`).toEqual([]);
    }
  });

  test('is cleared by several processes at once', async () => {
    const { at } = await open();
    await Promise.all(['one', 'two', 'three'].map((name) => finish(at.another(name), newBlobs())));
    await finish(at, newBlobs());
    expect(await requests(at)).toBe(OTHERS);
    expect(await notes(at)).toEqual([]);
  });

  test('is gone on with from where a server that was stopped had come', async () => {
    const { at, user } = await open();
    await forget(at.another('stopped'), stoppedBehindAStep());
    const [note = '{}', ...more] = await notes(at);
    expect(more).toEqual([]);
    // Nobody has to wait for the lease.
    expect(JSON.parse(note)).toEqual({
      kind: 'person',
      user,
      after: { registry: expect.any(String) as string, platform: expect.any(String) as string },
    });
    expect(await requests(at)).toBeLessThan(COMMANDS + OTHERS);
    await finish(at, newBlobs());
    expect(await requests(at)).toBe(OTHERS);
    expect(await notes(at)).toEqual([]);
  });

  /** The server is stopped while it rests behind its first step. */
  function stoppedBehindAStep() {
    const ending = new AbortController();
    const sleep = (): Promise<void> => Promise.resolve(void ending.abort());
    return { signal: ending.signal, clock: { ...hurried, sleep } };
  }

  test.skipIf(onFoundationDb)('is looked for by one process at a time, and the place reached never goes back', async () => {
    const { at, clock } = await open();
    let goOn = (): void => undefined;
    const standing = new Promise<void>((resolve) => (goOn = resolve));
    let first: Promise<void> | undefined;
    await new Promise<void>((resting) => {
      const still = {
        ...hurried,
        sleep(): Promise<void> {
          resting();
          return standing;
        },
      };
      first = forget(at.another('one'), { owner: 'one', clock: still });
    });
    const held = await notes(at);
    expect(held).toEqual([expect.stringContaining('"owner":"one"')]);
    await forget(at.another('two'));
    expect(await notes(at)).toEqual(held);
    // The first one stands still for longer than its lease, and another goes on a step.
    clock.advance(LEASE_MICROS / 1_000 + 1);
    await forget(at.another('two'), stoppedBehindAStep());
    const further = await notes(at);
    expect(further).not.toEqual(held);
    goOn();
    await first;
    expect(await notes(at)).toEqual(further);
    await forget(at.another('three'));
    expect(await requests(at)).toBe(OTHERS);
    expect(await notes(at)).toEqual([]);
  });

  test('leaves the thread half of the time to those whom it serves', async () => {
    const { at } = await open();
    let now = 0;
    const rests: number[] = [];
    // A step takes 10 ms.
    const clock = { now: () => (now += 10), sleep: (ms: number) => Promise.resolve(void rests.push(ms)) };
    await forget(at, { clock });
    // More than 500 events, 200 in a step.
    expect(rests.length).toBeGreaterThanOrEqual(2);
    expect(new Set(rests)).toEqual(new Set([10]));
  });

  // No other engine's time goes on by months.
  test.skipIf(engine !== 'simulated')('is not looked for where requests are too old to be kept', async () => {
    const { at } = await open({ idleMs: REQUEST_KEPT_MS + 48 * 3_600_000 });
    await forget(at);
    expect(await notes(at)).toEqual([]);
    // Those before the pause are the pruning's to clear.
    expect(await requests(at)).toBe(COMMANDS - 1 + OTHERS);
  });
});

test('no role on a repository is left of who is forgotten, on however many', async () => {
  const at = await simulate();
  const user = at.newId();
  const nameHash = '5e'.repeat(32);
  const made = { kind: 'CreateUser', user, loginName: 'guest', nameHash, passwordHash: 'none' } as const;
  accepted(await createUser(at.executor, at.context(), made));
  const principal = { kind: 'user', uid: user } as const;
  const GRANTS = 1_100;
  for (let first = 0; first < GRANTS; first += 275) {
    const events = Array.from({ length: 275 }, () => ({
      stream: repositoryStream(at.newId()),
      payload: { kind: 'RoleGranted', principal, role: 'editor' } as const,
    }));
    await at.executor.execute<boolean>(at.context(), () => Promise.resolve({ events, outcome: true }));
  }
  const left = () => at.store.read((reading) => listRepositoriesOf(reading, [principal], GRANTS + 1));
  expect(await left()).toHaveLength(GRANTS);
  accepted(await forgetUser(at.executor, at.context(), { kind: 'ForgetUser', user, nameHash, erasure: at.newId() }));
  await forget(at);
  expect(await left()).toEqual([]);
  expect(await notes(at)).toEqual([]);
  expect(await compareWithFold(at.store)).toEqual([]);
});
