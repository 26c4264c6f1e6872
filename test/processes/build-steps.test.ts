import { expect, test } from 'vitest';

import { KeyValueError, type Database, type KeyValueErrorCode } from '../../src/keyvalue/database.js';
import { rebuild } from '../../src/processes/rebuild.js';
import { projection, type Projection } from '../../src/projections/projection.js';
import { createStore } from '../../src/projections/store.js';
import { directoryPrefix } from '../../src/keyvalue/keyspace.js';
import { history } from '../../src/projections/history.js';
import { repositories } from '../../src/projections/repositories.js';
import { tags } from '../../src/projections/tags.js';
import { builderOf, faultsOf, old, openWorld, versionOfTags, type World } from './../projections/builds-fixture.js';

const prefixes = { registry: directoryPrefix('registry'), platform: directoryPrefix('topaz') };

/** The next release's tags, whose keys hold so many bytes, and who reads a key for each event. */
function tagsOf(bytes: number): Projection {
  const apply: Projection['apply'] = {
    async TagMoved(event, view) {
      await view.get(['nothing', event.payload.tag]);
      view.set(['tag', event.payload.image, event.payload.tag, event.id], Buffer.alloc(bytes));
    },
  };
  return projection({ ...tags, version: 2, previous: tags, apply });
}

async function worldOf(commits: number): Promise<World> {
  const world = await openWorld();
  const writer = world.connect('first writer', old);
  for (let commit = 0; commit < commits; commit += 1) await writer.append(50);
  return world;
}

interface Told {
  /** By how many commits the build had come to a place: what its transactions ended in there that failed. */
  readonly failures: ReadonlyMap<number, readonly KeyValueErrorCode[]>;
  /** The longest of those that were committed, in milliseconds of the world's clock. */
  readonly longestMs: number;
}

/** Builds while others append, and tells of its transactions. */
async function rebuildTold(world: World, newest: Projection, more: { readonly bytes?: number } = {}): Promise<Told> {
  const { clock } = world;
  const database = world.simulated.connect('builder');
  const failures = new Map<number, KeyValueErrorCode[]>();
  let [place, longestMs] = [0, 0];
  const failed = (error: unknown): never => {
    if (error instanceof KeyValueError) failures.set(place, [...(failures.get(place) ?? []), error.code]);
    throw error;
  };
  const told: Database = {
    quietVersions: true,
    read: (body) => database.read(body),
    close: () => database.close(),
    async transact(body, options) {
      let begun = 0;
      const outcome = await database
        .transact((tx) => {
          begun = clock.now();
          return body(tx).catch(failed);
        }, options)
        // What the commit itself refuses never comes to the body.
        .catch((error: unknown) =>
          error instanceof KeyValueError && error.code === 'transaction_too_large'
            ? failed(error)
            : Promise.reject(error as Error),
        );
      place += 1;
      longestMs = Math.max(longestMs, clock.now() - begun);
      return outcome;
    },
  };
  const projections = [repositories, newest, history];
  await rebuild(createStore(told, prefixes, projections), {
    builder: builderOf('builder'),
    newId: world.newId,
    limit: 24_000,
    order: { directory: 'registry', projections: [newest], purpose: 'switch' },
    progress: () => undefined,
    signal: new AbortController().signal,
    clock,
    ...more,
  });
  const process = world.connect('reader', projections);
  expect(await versionOfTags(process)).toBe(2);
  expect(await faultsOf(process)).toEqual([]);
  return { failures, longestMs };
}

test('a build of slow reads never outlives a transaction', async () => {
  const world = await worldOf(20);
  const writer = world.connect('writer', old);
  let reads = 0;
  world.simulated.crash = (point, process) => {
    if (process !== 'builder' || point !== 'read') return;
    world.clock.advance(20);
    if (++reads % 200 === 0 && reads < 1_000) void writer.append(5);
  };
  const { failures, longestMs } = await rebuildTold(world, tagsOf(10));
  expect([...failures.values()].flat()).toEqual([]);
  expect(longestMs).toBeLessThan(1_500);
});

test('where a cluster stood still, a transaction is too old once, and what is tried there next is shorter', async () => {
  const world = await worldOf(20);
  let reads = 0;
  world.simulated.crash = (point, process) => {
    if (process !== 'builder' || point !== 'read') return;
    reads += 1;
    world.clock.advance(reads % 97 === 0 ? 6_000 : 5);
  };
  const { failures } = await rebuildTold(world, tagsOf(10));
  const tooOld = [...failures.values()].map((codes) => codes.filter((code) => code === 'transaction_too_old').length);
  expect(tooOld.length).toBeGreaterThan(3);
  expect(Math.max(...tooOld)).toBe(1);
});

test('a step that is too large is halved until it fits, and the next one begins with what did', async () => {
  const world = await worldOf(10);
  const { failures } = await rebuildTold(world, tagsOf(90_000), { bytes: 1e9 });
  const [first = [], ...later] = [...failures.values()];
  // 500 events, four in five of 90 kB: the 2 000 that a build begins with, 1 000, 500, 250 and 125 do not fit, 62 do.
  expect(first.length).toBeGreaterThanOrEqual(4);
  // A short step is followed by one of twice its size, and of smaller events by another of that.
  expect(Math.max(0, ...later.map(({ length }) => length))).toBeLessThanOrEqual(2);
});
