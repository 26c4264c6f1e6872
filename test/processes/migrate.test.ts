import { describe, expect, test } from 'vitest';

import { foundStore, StoreMismatchError } from '../../src/commands/found-store.js';
import { createLog } from '../../src/events/log.js';
import { createKeyspace, directoryPrefix, kindOf } from '../../src/keyvalue/keyspace.js';
import type { Database } from '../../src/keyvalue/database.js';
import { CrashedError, type CrashPoint } from '../../src/keyvalue/simulated.js';
import { pack } from '../../src/keyvalue/tuple.js';
import { BuildStoppedError } from '../../src/processes/build-run.js';
import { beat, stopBeating } from '../../src/processes/heartbeat.js';
import { abandonMigration } from '../../src/processes/migrate.js';
import { copiedKinds, keyKinds, memberKinds } from '../../src/processes/migrated-keys.js';
import { MigrationError } from '../../src/processes/migration-ends.js';
import { LiveMismatchError } from '../../src/projections/live.js';
import { identityOnly } from '../support/blobs-identity.js';
import { goldenKeys } from '../events/samples.js';
import { compareWithFold } from '../support/fold.js';
import { old } from '../projections/builds-fixture.js';
import {
  abandonBy,
  copiesOf,
  endOn,
  migrateBy,
  names,
  openMove,
  pairsOf,
  renamedPlace,
  sourcePlace,
  targetPlace,
  type Move,
} from './migrate-fixture.js';

const sourceCopies = ({ source }: Move) => copiesOf(source.connect(), sourcePlace);

/** The target is what a server starts on: all that the source had, whole indexes, the next incarnation; and the source is left for ever. */
async function expectMoved(move: Move, copies: readonly string[], at = '', place = targetPlace): Promise<void> {
  const target = endOn(move.target.connect(), place);
  expect(await copiesOf(target.database, place), at).toEqual(copies);
  expect(await compareWithFold(target.store, old), at).toEqual([]);
  for (const name of names) {
    const { live, keyspace } = await target.database.read((tx) => target.store.readDirectory(tx, name));
    expect(live, at).toMatchObject({ incarnation: 2, fence: undefined });
    expect(live.projections.map((one) => one.name).sort(), at).toEqual(
      old
        .filter(({ directory }) => directory === name)
        .map((one) => one.name)
        .sort(),
    );
    expect(await target.database.read((tx) => tx.get(keyspace.metaMigration)), at).toBeUndefined();
  }
  const source = endOn(move.source.connect(), sourcePlace);
  const identity = (end: typeof source) => end.database.read((tx) => tx.get(end.store.keyspaces.registry.metaStore));
  const salt = (end: typeof source) => end.database.read((tx) => tx.get(end.store.keyspaces.platform.metaSalt));
  expect(await identity(target), at).toEqual(await identity(source));
  expect(await salt(target), at).toEqual(await salt(source));
  await expect(
    source.store.read(() => Promise.resolve()),
    at,
  ).rejects.toThrow(/^this store was moved to fdb:\/target at /);
}

const isCommit = (point: CrashPoint): boolean => point === 'commit' || point === 'committed';

test('every member of a keyspace was thought of, and is of the kind that it is said to be', () => {
  const keyspace = createKeyspace(directoryPrefix('registry'));
  const keyIn = (value: unknown): string =>
    typeof value === 'string' ? value : String(Object.values(value as object).find((part) => typeof part === 'string'));
  const kinds = Object.fromEntries(
    Object.entries(goldenKeys())
      .filter(([member]) => member !== 'directory')
      // Of bounds the beginning, which ends in the middle of a tuple: its kind comes first all the same.
      .map(([member, value]) => [member, Object.keys(keyKinds).find((kind) => startsWith(keyIn(value), kind))]),
  );
  function startsWith(hex: string, kind: string): boolean {
    return hex.startsWith(pack(keyspace.directory, [kind]).toString('hex'));
  }
  expect(memberKinds).toEqual(kinds);
  expect(kindOf(keyspace, keyspace.wake(1))).toBe('wake');
});

describe('a migration', () => {
  test('brings everything to the target, where it goes on; the source is left', async () => {
    const move = await openMove(8);
    const copies = await sourceCopies(move);
    const copiedOf = (name: string) =>
      new Set(copies.map((text) => text.split(' ')).flatMap(([of, kind = '']) => (of === name ? [kind] : [])));
    expect(copiedOf('registry')).toEqual(new Set(copiedKinds));
    // Its log is empty.
    const ofLogs = ['log', 'stream', 'wake'];
    expect(copiedOf('platform')).toEqual(new Set(copiedKinds.filter((kind) => !ofLogs.includes(kind))));
    const lines: string[] = [];
    const titles = new Set<string>();
    await migrateBy(move, 'mover', { done: (what) => void lines.push(what), progress: (title) => void titles.add(title) });
    await expectMoved(move, copies);
    expect(lines[0]).toMatch(/^copied: 40 events, \d+ keys, 0\.\d MB in \d+\.\d s, /);
    expect(lines.join('\n')).toMatch(/replayed .*tags v1.*: 40 events in/);
    expect(lines.join('\n')).toMatch(/verified the log of registry: 40 events and 2 manifests and configs, 0 damaged/);
    expect([...titles]).toContain('copying log of registry');
    const { database, store } = endOn(move.target.connect(), targetPlace);
    const log = createLog(store.keyspaces.registry);
    const before = await database.read((tx) => log.readFrom(tx, 2, undefined, { limit: 1_000 }));
    await move.writer('server', 'target').append(3);
    const after = await database.read((tx) => log.readFrom(tx, 2, before.next));
    expect(before.events).toHaveLength(40);
    expect(before.next?.incarnation).toBe(1);
    expect(after.events.map(({ position }) => position.incarnation)).toEqual([2, 2, 2]);
    expect(await compareWithFold(store, old)).toEqual([]);
  });

  test('brings it into directories of other names', async () => {
    const move = await openMove(2);
    const copies = await sourceCopies(move);
    await migrateBy(move, 'mover', {}, renamedPlace);
    await expectMoved(move, copies, '', renamedPlace);
    expect(await pairsOf(move.target.connect(), targetPlace)).toEqual([]);
  });

  test('writes the first sample of the new incarnation where versions are no times', async () => {
    const move = await openMove(2, { target: { quietVersions: false } });
    const copies = await sourceCopies(move);
    await migrateBy(move, 'mover');
    const { begin, end } = createKeyspace(directoryPrefix('registry')).timeSamples(2);
    expect(await move.target.connect().read((tx) => tx.getRange(begin, end))).toHaveLength(1);
    const copied = await copiesOf(move.target.connect(), targetPlace);
    expect(copied.filter((text) => copies.includes(text))).toEqual(copies);
    expect(copied.length).toBe(copies.length + 2);
  });

  /** How often a process is about to commit, or has just done so: what lies between two of these changes nothing. */
  async function commitsIn(events: number): Promise<number> {
    const move = await openMove(events);
    let commits = 0;
    move.source.crash = move.target.crash = (point, process) => {
      if (process === 'mover' && isCommit(point)) commits += 1;
    };
    await migrateBy(move, 'mover');
    return commits;
  }

  async function killedAt(place: number, events: number): Promise<Move> {
    const move = await openMove(events);
    let left = place;
    move.source.crash = move.target.crash = (point, process) => {
      if (process === 'mover' && isCommit(point) && --left <= 0) throw new CrashedError(`at ${place}`);
    };
    await expect(migrateBy(move, 'mover')).rejects.toThrow(CrashedError);
    return move;
  }

  test('that is killed at any commit is gone on with where it was', async () => {
    const copies = await sourceCopies(await openMove(2));
    const places = await commitsIn(2);
    expect(places).toBeGreaterThan(30);
    let resumed = 0;
    for (let place = 1; place <= places; place += 1) {
      const move = await killedAt(place, 2);
      const lines: string[] = [];
      // Where the last transaction's outcome is all that got lost there is nothing left to go on with.
      await migrateBy(move, 'second', { done: (what) => void lines.push(what) }).catch((error: unknown) => {
        expect(String(error)).toMatch(/was moved to fdb:\/target already/);
      });
      if (lines.some((line) => line.includes('by an earlier process'))) resumed += 1;
      await expectMoved(move, copies, `killed at place ${place} of ${places}`);
    }
    expect(resumed).toBeGreaterThan(places / 3);
  }, 240_000);

  test('that is killed at any commit and given up leaves the source as it was, and an empty target', async () => {
    const places = await commitsIn(1);
    const before = await pairsOf((await openMove(1)).source.connect(), sourcePlace);
    let [freed, late] = [0, 0];
    for (let place = 1; place <= places; place += 1) {
      const move = await killedAt(place, 1);
      const at = `killed at place ${place} of ${places}`;
      try {
        if ((await abandonBy(move, 'second')).freed) freed += 1;
      } catch (error) {
        expect(String(error), at).toMatch(/was moved to fdb:\/target already/);
        late += 1;
        continue;
      }
      expect(await pairsOf(move.source.connect(), sourcePlace), at).toEqual(before);
      expect(await pairsOf(move.target.connect(), targetPlace), at).toEqual([]);
      await move.writer('server').append(1);
    }
    expect(freed).toBeGreaterThan(places / 2);
    expect(late).toBeLessThan(3);
  }, 240_000);

  test.each(['unknownApplied', 'unknownLost', 'notCommitted'] as const)(
    'changes nothing twice when the outcome of any of its commits is %s',
    async (fault) => {
      const copies = await sourceCopies(await openMove(2));
      for (let commit = 1, isStruck = true; isStruck; commit += 1) {
        const move = await openMove(2);
        let commits = 0;
        const strike = (store: Move['source']) => (point: string, process: string) => {
          if (process !== 'mover' || point !== 'commit') return;
          commits += 1;
          if (commits === commit) store.force(fault);
        };
        move.source.crash = strike(move.source);
        move.target.crash = strike(move.target);
        await migrateBy(move, 'mover');
        isStruck = commits >= commit;
        await expectMoved(move, copies, `at commit ${commit}`);
      }
    },
    120_000,
  );

  test('is taken over by a second process, and the first writes no more', async () => {
    const move = await openMove(4);
    const copies = await sourceCopies(move);
    let second: Promise<void> | undefined;
    const first = migrateBy(move, 'first', {
      progress: (title) => {
        if (title === 'copying log of registry') second ??= migrateBy(move, 'second');
      },
    });
    await expect(first).rejects.toThrow('another process goes on with this migration: second');
    await second;
    await expectMoved(move, copies);
  });

  test('stops when it is told to, and goes on', async () => {
    const move = await openMove(4);
    const copies = await sourceCopies(move);
    const abort = new AbortController();
    const stopped = migrateBy(move, 'first', {
      signal: abort.signal,
      progress: (title) => {
        if (title.startsWith('copying stream')) abort.abort();
      },
    });
    await expect(stopped).rejects.toThrow(BuildStoppedError);
    await migrateBy(move, 'second');
    await expectMoved(move, copies);
  });

  test('holds nobody back who finds the source: whatever release, it is refused from the first moment', async () => {
    const move = await openMove(4);
    const writer = move.writer('server');
    const seen: unknown[] = [];
    await migrateBy(move, 'mover', {
      progress: (title) => {
        if (title === 'copying log of registry') seen.push(writer.append(1).catch((error: unknown) => error));
      },
    });
    const [first] = await Promise.all(seen);
    expect(first).toBeInstanceOf(LiveMismatchError);
    expect(String(first)).toMatch(/is being moved to fdb:\/target since .*--abandon/);
  });

  test('lets no server start on a target that is not whole', async () => {
    const move = await openMove(4);
    const starts: Promise<unknown>[] = [];
    const { database, store } = endOn(move.target.connect('server'), targetPlace);
    const blobs = identityOnly();
    const start = () =>
      foundStore({
        database,
        keyspaces: store.keyspaces,
        blobs,
        projections: old,
        identity: move.newId(),
        salt: Buffer.alloc(32),
      });
    await migrateBy(move, 'mover', { progress: () => void starts.push(start().catch((error: unknown) => error)) });
    const errors = await Promise.all(starts);
    expect(errors.length).toBeGreaterThan(10);
    // The last ones may have come when it was whole already.
    for (const error of errors.slice(0, -1)) expect(error).toBeInstanceOf(StoreMismatchError);
    expect(String(errors[0])).toMatch(/fdb:\/target is being filled from lmdb:\/source by a migration that has not ended/);
  });

  test('waits for no server: where one runs it refuses, and changes nothing', async () => {
    const move = await openMove(2);
    const { store } = move.writer('server');
    const id = move.newId();
    await beat(store, id, { release: 'this', host: 'front-1:77' });
    await expect(migrateBy(move, 'mover')).rejects.toThrow(/^servers run on the source: front-1:77 \(heard from 0 s ago\)/);
    await move.writer('server').append(1);
    await stopBeating(store, id);
    const copies = await sourceCopies(move);
    await migrateBy(move, 'mover');
    await expectMoved(move, copies);
  });

  test('refuses a target that is not empty, a key that it does not know, and another target than the one under way', async () => {
    const move = await openMove(1);
    const [source, target] = [move.source.connect(), move.target.connect()];
    const stray = pack(directoryPrefix('registry'), ['log', 'stray']);
    await target.transact((tx) => Promise.resolve(void tx.set(stray, Buffer.alloc(0))));
    await expect(migrateBy(move, 'mover')).rejects.toThrow(/^the directory registry of fdb:\/target is not empty/);
    await target.transact((tx) => Promise.resolve(void tx.clear(stray)));
    const later = pack(directoryPrefix('topaz'), ['later', 'kind']);
    await source.transact((tx) => Promise.resolve(void tx.set(later, Buffer.alloc(0))));
    await expect(migrateBy(move, 'mover')).rejects.toThrow(
      `has the key ${later.toString('hex')}, which this release does not know`,
    );
    await source.transact((tx) => Promise.resolve(void tx.clear(later)));
    const abort = AbortSignal.abort();
    await expect(migrateBy(move, 'mover', { signal: abort })).rejects.toThrow(BuildStoppedError);
    await expect(migrateBy(move, 'mover', {}, { ...targetPlace, database: 'fdb:/elsewhere' })).rejects.toThrow(
      /^this store is being moved to fdb:\/target, directories registry and topaz/,
    );
  });

  test('finds a byte that was changed in the copy, and leaves the source to be freed', async () => {
    const move = await openMove(3);
    const before = await pairsOf(move.source.connect(), sourcePlace);
    const target = move.target.connect();
    const keyspace = createKeyspace(directoryPrefix('topaz'));
    let done = Promise.resolve();
    const moving = migrateBy(move, 'mover', {
      progress: (title) => {
        if (title === 'replaying registry')
          done = target.transact((tx) => Promise.resolve(void tx.set(keyspace.signingKey('kid'), Buffer.from('another'))));
      },
    });
    await expect(moving).rejects.toThrow(/^the copy differs from its source, in signing-key of the platform directory at key /);
    await done;
    await abandonBy(move, 'second');
    expect(await pairsOf(move.source.connect(), sourcePlace)).toEqual(before);
  });

  test('that was brought to its end is not given up, nor done again', async () => {
    const move = await openMove(1);
    await migrateBy(move, 'mover');
    await expect(abandonBy(move, 'second')).rejects.toThrow(MigrationError);
    await expect(migrateBy(move, 'second')).rejects.toThrow(
      /^this store was moved to fdb:\/target already; start with ARTS_DATABASE=/,
    );
  });

  test('that was given up while its target was away is not gone on with from there', async () => {
    const move = await openMove(4);
    const abort = new AbortController();
    const progress = (title: string): void => {
      if (title.startsWith('copying stream')) abort.abort();
    };
    await expect(migrateBy(move, 'mover', { signal: abort.signal, progress })).rejects.toThrow(BuildStoppedError);
    expect(await abandonBy(move, 'second', false)).toEqual({ freed: true, cleared: undefined });
    await move.writer('server').append(3);
    await expect(migrateBy(move, 'mover')).rejects.toThrow(/holds a migration that was given up and is not cleared yet/);
    await abandonBy(move, 'second');
    const copies = await sourceCopies(move);
    await migrateBy(move, 'mover');
    await expectMoved(move, copies);
  });

  test('is not given up by who saw it under way when it has come to its end meanwhile', async () => {
    const move = await openMove(1);
    const abort = new AbortController();
    const progress = (title: string): void => {
      if (title === 'verifying the log of platform') abort.abort();
    };
    await expect(migrateBy(move, 'mover', { signal: abort.signal, progress })).rejects.toThrow(BuildStoppedError);
    const database = move.source.connect('second');
    const late: Database = {
      quietVersions: database.quietVersions,
      close: () => database.close(),
      read: (body) => database.read(body),
      async transact(body, options) {
        await migrateBy(move, 'mover');
        return database.transact(body, options);
      },
    };
    const copies = await sourceCopies(move);
    const giving = abandonMigration(endOn(late, sourcePlace), endOn(move.target.connect('second'), targetPlace));
    await expect(giving).rejects.toThrow(/^this store was moved to fdb:\/target already/);
    await expectMoved(move, copies);
  });

  test('that has come to its end stays so when what an earlier one left elsewhere is cleared', async () => {
    const move = await openMove(1);
    const abort = new AbortController();
    const progress = (title: string): void => {
      if (title.startsWith('copying stream')) abort.abort();
    };
    await expect(migrateBy(move, 'mover', { signal: abort.signal, progress }, renamedPlace)).rejects.toThrow(BuildStoppedError);
    await abandonBy(move, 'second', false);
    const copies = await sourceCopies(move);
    await migrateBy(move, 'mover');
    const left = endOn(move.target.connect('second'), renamedPlace);
    const source = endOn(move.source.connect('second'), sourcePlace);
    expect(await abandonMigration(source, left)).toEqual({ freed: false, cleared: expect.any(Number) as number });
    expect(await pairsOf(left.database, renamedPlace)).toEqual([]);
    await expectMoved(move, copies);
  });
});
