import { expect, test } from 'vitest';

import { readCatalog } from '../../src/http/catalog.js';
import { anonymous, type Caller } from '../../src/identity/caller.js';
import type { Actor } from '../../src/events/types.js';
import type { Uid } from '../../src/identifiers.js';
import type { ReadTransaction } from '../../src/keyvalue/database.js';
import type { Reading } from '../../src/projections/store.js';
import { findTarget } from '../../src/projections/targets.js';
import { create, grant, nameOf, pushImage, simulate, type Simulation } from '../commands/fixture.js';

const callerOf = (actor: Actor): Caller => ({ actor, access: undefined, viaToken: false });

/** The same reading, and how many reads it made. */
function counted(reading: Reading): {
  readonly reading: Reading;
  readonly reads: { gets: number; ranges: number; pairs: number };
} {
  const reads = { gets: 0, ranges: 0, pairs: 0 };
  const { tx } = reading;
  const counting: ReadTransaction = {
    readVersion: () => tx.readVersion(),
    time: () => tx.time(),
    metadataVersion: () => tx.metadataVersion(),
    get(key) {
      reads.gets += 1;
      return tx.get(key);
    },
    async getRange(begin, end, options) {
      const pairs = await tx.getRange(begin, end, options);
      reads.ranges += 1;
      reads.pairs += pairs.length;
      return pairs;
    },
  };
  return { reading: { ...reading, tx: counting }, reads };
}

async function fill(at: Simulation, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const { project, repository } = nameOf(name);
    const there = await at.store.read((reading) => findTarget(reading, at.owner, nameOf(name)));
    if (there.repository === undefined) await create(at, `${project}/${repository}`);
    await pushImage(at, name, 'one', ['latest']);
  }
}

/** Somebody with a role on one project. */
async function viewerOf(at: Simulation, name: string): Promise<Caller> {
  const uid: Uid = at.newId();
  const { project } = await at.store.read((reading) => findTarget(reading, at.owner, nameOf(name)));
  if (project === undefined) throw new Error('no project');
  await grant(at, uid, project.uid, 'viewer');
  return callerOf({ kind: 'user', uid, authentication: 'password' });
}

/** All pages, one after the other. */
async function pages(at: Simulation, caller: Caller, limit: number, lookAtMost?: number) {
  const found: { readonly names: readonly string[]; readonly next: string | undefined }[] = [];
  let last: string | undefined;
  do {
    const page = { last, limit, ...(lookAtMost === undefined ? {} : { lookAtMost }) };
    const one = await at.store.read((reading) => readCatalog(reading, caller, page));
    found.push(one);
    last = one.next;
  } while (last !== undefined && found.length < 100);
  return found;
}

const namesOf = (found: readonly { readonly names: readonly string[] }[]) => found.flatMap(({ names }) => names);

const hidden = ['a/one', 'a/two', 'b-b/x', 'b.b/x', 'b0/x', 'c/x'];
const shown = ['b/one', 'b/one/image', 'b/two', 'b/two-more'];

test('the catalog of somebody without any role costs six reads, and two for nobody', async () => {
  const at = await simulate();
  await fill(at, shown);
  const stranger = callerOf({ kind: 'user', uid: at.newId(), authentication: 'password' });
  for (const [caller, gets, ranges] of [
    [stranger, 0, 6],
    [anonymous, 0, 2],
  ] as const) {
    await at.store.read(async (own) => {
      const { reading, reads } = counted(own);
      expect(await readCatalog(reading, caller, { last: undefined, limit: 100 })).toEqual({ names: [], next: undefined });
      expect(reads).toEqual({ gets, ranges, pairs: 0 });
    });
  }
});

test('the catalog judges each project once', async () => {
  const at = await simulate();
  const names = Array.from({ length: 12 }, (_, index) => `p/r/image-${index}`);
  await fill(at, names);
  await at.store.read(async (own) => {
    const { reading, reads } = counted(own);
    const { names: found } = await readCatalog(reading, callerOf(at.owner), { last: undefined, limit: 100 });
    expect(found).toEqual([...names].sort());
    // Whether the caller may come in at all; the project, the organization's role, the repository.
    expect(reads.gets).toBe(4);
  });
});

test('the catalog shows a viewer of one project that project, and passes over the others at once', async () => {
  const at = await simulate();
  await fill(at, [...hidden, ...shown]);
  const viewer = await viewerOf(at, 'b/one');
  expect(await pages(at, viewer, 100)).toEqual([{ names: [...shown].sort(), next: undefined }]);
  for (const limit of [1, 2, 3]) expect(namesOf(await pages(at, viewer, limit))).toEqual([...shown].sort());
  expect(namesOf(await pages(at, callerOf(at.owner), 100))).toEqual([...hidden, ...shown].sort());
});

test('a page of the catalog looks at so many entries and no more; those after it lead to the end, and name nothing hidden', async () => {
  const at = await simulate();
  await fill(at, [...hidden, ...shown]);
  const viewer = await viewerOf(at, 'b/one');
  for (const lookAtMost of [1, 2, 3, 5]) {
    await at.store.read(async (own) => {
      const { reading, reads } = counted(own);
      await readCatalog(reading, viewer, { last: undefined, limit: 100, lookAtMost });
      // One more says that the viewer has a role.
      expect(reads.pairs).toBeLessThanOrEqual(lookAtMost + 1);
    });
    for (const limit of [1, 100]) {
      const found = await pages(at, viewer, limit, lookAtMost);
      expect(namesOf(found)).toEqual([...shown].sort());
      for (const { next } of found) if (next !== undefined) expect(next).toMatch(/^(?:b\/|~[\w-]{100,600}$)/);
      expect(namesOf(await pages(at, callerOf(at.owner), limit, lookAtMost))).toEqual([...hidden, ...shown].sort());
    }
  }
});

test('a last that only looks sealed is a name behind all others', async () => {
  const at = await simulate();
  await fill(at, shown);
  for (const last of ['~', '~abc', `~${'A'.repeat(400)}`]) {
    const page = await at.store.read((reading) => readCatalog(reading, callerOf(at.owner), { last, limit: 10 }));
    expect(page).toEqual({ names: [], next: undefined });
  }
});
