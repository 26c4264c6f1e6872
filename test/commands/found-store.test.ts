import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { BlobStoreError } from '../../src/blobs/blob-store.js';
import { openLocalBlobStore } from '../../src/blobs/local.js';
import { checkFoundable, checkStore, foundStore, StoreMismatchError, type Founding } from '../../src/commands/found-store.js';
import type { Uid } from '../../src/identifiers.js';
import type { Database } from '../../src/keyvalue/database.js';
import { createKeyspace, directoryPrefix } from '../../src/keyvalue/keyspace.js';
import { registered } from '../../src/projections/registered.js';
import { RegistryClient } from '../support/client.js';
import { newClock, newStore } from '../support/database.js';
import { startServer, storeSettings } from '../support/server.js';
import { createIds } from './fixture.js';

const emptyStore = () => newStore({ seed: 1, clock: newClock() });
const newId = createIds();

/** As a blob store keeps the two things that a founding asks about. */
class Blobs {
  identity: string | undefined;
  stranger = false;
  readIdentity = async () => this.identity;
  founded = false;
  isEmpty = async () => !this.stranger && !this.founded;
  markFounded = async () => {
    this.founded = true;
  };
  writeIdentity = async (identity: string) => {
    if (this.identity !== undefined || this.stranger) throw new BlobStoreError('not_empty', 'there is something');
    this.identity = identity;
  };
}

function foundingOf(database: Database, blobs: Founding['blobs'], registry = 'registry', platform = 'topaz') {
  const keyspaces = {
    registry: createKeyspace(directoryPrefix(registry)),
    platform: createKeyspace(directoryPrefix(platform)),
  };
  const identity = newId();
  return { database, keyspaces, blobs, projections: registered, identity, salt: Buffer.from(identity.padEnd(64).slice(4, 36)) };
}

const read = (database: Database, key: Buffer) => database.read((tx) => tx.get(key));

describe('a second registry beside a platform', () => {
  test('leaves the salt and the live builds as they are', async () => {
    const store = emptyStore();
    const database = store.connect();
    const first = foundingOf(database, new Blobs());
    await foundStore(first);
    const { metaSalt, metaLive, directory } = first.keyspaces.platform;
    // As after a switch to another build.
    await database.transact(async (tx) => tx.set(metaLive, Buffer.from('switched')));
    const before = await store.contents();

    const second = foundingOf(database, new Blobs(), 'second');
    expect(await foundStore(second)).toBe(second.identity);

    expect(await read(database, metaSalt)).toEqual(first.salt);
    expect((await read(database, metaLive))?.toString()).toBe('switched');
    const isNew = ({ key }: { key: Buffer }) => !before.some((pair) => pair.key.equals(key));
    const added = (await store.contents()).filter(isNew);
    expect(added.map(({ key }) => key)).toEqual([second.keyspaces.registry.metaLive, second.keyspaces.registry.metaStore]);
    expect(directory.equals(second.keyspaces.platform.directory)).toBe(true);
  });

  test('with a platform of its own has a salt of its own', async () => {
    const database = emptyStore().connect();
    const first = foundingOf(database, new Blobs());
    const second = foundingOf(database, new Blobs(), 'second', 'second platform');
    await foundStore(first);
    await foundStore(second);
    expect(await read(database, second.keyspaces.platform.metaSalt)).toEqual(second.salt);
    expect(await read(database, first.keyspaces.platform.metaSalt)).toEqual(first.salt);
  });

  test('takes the logins of the first, which keeps them', async () => {
    const first = await startServer();
    try {
      const settings = storeSettings(first.directory);
      const second = await startServer({
        env: {
          ...settings,
          ARES_CLIENT_ADDRESS: join(first.directory, 'second-blobs'),
          ARTIFACT_STORE_DIRECTORY: `${settings['ARTIFACT_STORE_DIRECTORY'] ?? ''}second`,
        },
      });
      try {
        await first.restart();
        const { user, password } = first;
        for (const { url } of [first, second]) {
          const answer = await new RegistryClient({ url, user, password }).request('GET', '/v2/', { auth: 'basic' });
          expect(answer.status).toBe(200);
        }
      } finally {
        await second.remove();
      }
    } finally {
      await first.remove();
    }
  });
});

describe('two processes that start at once', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'founding-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('end with one store, 20 times', async () => {
    for (let time = 0; time < 20; time += 1) {
      const store = emptyStore();
      const path = join(folder, `${time}`);
      const found = async () => {
        const blobs = await openLocalBlobStore(path, { create: true });
        const founding = foundingOf(store.connect(), blobs);
        return { ...founding, found: await foundStore(founding) };
      };
      const [one, two] = await Promise.all([found(), found()]);
      expect(one.found).toBe(two.found);
      expect([one.identity, two.identity]).toContain(one.found);
      expect(await readFile(join(path, 'STORE'), 'utf8')).toBe(one.found);
      expect((await read(one.database, one.keyspaces.registry.metaStore))?.toString()).toBe(one.found);
    }
  });

  test('end with one store, whatever step of the one the other comes before, and takes an upload at once', async () => {
    for (let step = 1; ; step += 1) {
      const database = emptyStore().connect();
      const blobs = new Blobs();
      let steps = 0;
      let other: Uid | undefined;
      const before = async () => {
        steps += 1;
        if (steps !== step) return;
        other = await foundStore(foundingOf(database, blobs));
        blobs.stranger = true;
      };
      const own = foundingOf(
        {
          quietVersions: database.quietVersions,
          read: (body) => before().then(() => database.read(body)),
          transact: (body, options) => before().then(() => database.transact(body, options)),
          close: () => database.close(),
        },
        {
          readIdentity: () => before().then(blobs.readIdentity),
          isEmpty: () => before().then(blobs.isEmpty),
          writeIdentity: (identity) => before().then(() => blobs.writeIdentity(identity)),
          markFounded: () => before().then(blobs.markFounded),
        },
      );
      const found = await foundStore(own);
      if (other === undefined) {
        expect(step).toBeGreaterThan(5);
        return;
      }
      expect(found, `step ${step}`).toBe(other);
    }
  });
});

test('a check sets nothing up', async () => {
  const store = emptyStore();
  const blobs = new Blobs();
  const founding = foundingOf(store.connect(), blobs);
  expect(await checkStore(founding)).toBeUndefined();
  expect([await store.contents(), blobs.identity]).toEqual([[], undefined]);
  await foundStore(founding);
  expect(await checkStore(founding)).toBe(founding.identity);
});

describe('what does not belong together is refused:', () => {
  const refusal = async (founding: Founding) => {
    const error: unknown = await foundStore(founding).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(StoreMismatchError);
    return (error as StoreMismatchError).message;
  };

  test('a new database and blobs that are not a store', async () => {
    const blobs = new Blobs();
    blobs.stranger = true;
    expect(await refusal(foundingOf(emptyStore().connect(), blobs))).toContain('is not empty and has no file STORE');
  });

  test("a new database and another store's blobs", async () => {
    const blobs = new Blobs();
    await foundStore(foundingOf(emptyStore().connect(), blobs));
    blobs.stranger = true;
    const database = emptyStore().connect();
    const founding = foundingOf(database, blobs);
    expect(await refusal(founding)).toContain(
      `belongs to the store ${blobs.identity}, but the database has no store in this directory`,
    );
    expect(await read(database, founding.keyspaces.registry.metaStore)).toBeUndefined();
  });

  test('directories that hold keys of something else, before anything is written', async () => {
    const store = emptyStore();
    const database = store.connect();
    const put = (key: Buffer) => database.transact(async (tx) => tx.set(key, Buffer.from('x')));
    const refusedIn = async (registry: string, platform: string) => {
      const before = await store.contents();
      const blobs = new Blobs();
      const message = await refusal(foundingOf(database, blobs, registry, platform));
      expect([await store.contents(), blobs.identity]).toEqual([before, undefined]);
      return message;
    };
    await put(createKeyspace(directoryPrefix('queue')).upload(newId()));
    expect(await refusedIn('queue', 'topaz')).toMatch(/^ARTIFACT_STORE_DIRECTORY names .* keys of something else; /);
    expect(await refusedIn('registry', 'queue')).toMatch(/^ARTS_METADATA_DIRECTORY names .* keys of something else$/);
    await foundStore(foundingOf(database, new Blobs()));
    expect(await refusedIn('topaz', 'other')).toMatch(/^ARTIFACT_STORE_DIRECTORY names a directory without a registry/);
    expect(await refusedIn('second', 'registry')).toMatch(/^ARTS_METADATA_DIRECTORY names .* keys of a registry$/);
  });

  test('not directories that hold nothing but samples of time', async () => {
    const database = emptyStore().connect();
    const founding = foundingOf(database, new Blobs());
    const { registry, platform } = founding.keyspaces;
    await database.transact(async (tx) => {
      for (const { timeSample } of [registry, platform]) tx.set(timeSample(1, 1n), Buffer.from('a sample'));
    });
    expect(await foundStore(founding)).toBe(founding.identity);
  });

  test('a registry whose platform is elsewhere', async () => {
    const database = emptyStore().connect();
    const blobs = new Blobs();
    await foundStore(foundingOf(database, blobs));
    expect(await refusal(foundingOf(database, blobs, 'registry', 'tpoaz'))).toMatch(/ARTS_METADATA_DIRECTORY names a directory/);
  });

  test('what a directory would be made for, before it is there', async () => {
    const database = emptyStore().connect();
    const blobs = new Blobs();
    await checkFoundable({ database, blobs }, {});
    blobs.stranger = true;
    await expect(checkFoundable({ database, blobs }, {})).rejects.toThrow('is not empty and has no file STORE');
    blobs.identity = newId();
    await expect(checkFoundable({ database, blobs }, {})).rejects.toThrow(`belongs to the store ${blobs.identity}`);
  });

  test('another directory beside the blobs of a store that has not had a push yet', async () => {
    const store = emptyStore();
    const blobs = new Blobs();
    await foundStore(foundingOf(store.connect(), blobs));
    const mistyped = foundingOf(store.connect(), blobs, 'regisry');
    await expect(foundStore(mistyped)).rejects.toThrow(/the blob store belongs to the store/);
    expect(await read(mistyped.database, mistyped.keyspaces.registry.metaStore)).toBeUndefined();
  });

  test('a database and no blobs, or those of another store', async () => {
    const database = emptyStore().connect();
    await foundStore(foundingOf(database, new Blobs()));
    const blobs = new Blobs();
    expect(await refusal(foundingOf(database, blobs))).toContain('it has no file STORE');
    expect(blobs.identity).toBeUndefined();
    blobs.identity = newId();
    expect(await refusal(foundingOf(database, blobs))).toContain(`belongs to the store ${blobs.identity}, the database to`);
  });
});
