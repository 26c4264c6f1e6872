import { describe, expect, test } from 'vitest';

import { isRefusal } from '../../src/commands/execute.js';
import {
  createRepository,
  decideCreateRepository,
  decideDeleteRepository,
  decideEmptying,
  resumeDeletions,
} from '../../src/commands/repository.js';
import { refuse } from '../../src/errors.js';
import type { Digest } from '../../src/digest.js';
import type { Actor } from '../../src/events/types.js';
import type { ImagePath, ProjectId, RepositoryId, Uid } from '../../src/identifiers.js';
import { boundsOf, itemsBehind } from '../../src/keyvalue/keyspace.js';
import { uidToBytes } from '../../src/identifiers.js';
import { CrashedError } from '../../src/keyvalue/simulated.js';
import { pack } from '../../src/keyvalue/tuple.js';
import { listCatalog } from '../../src/projections/images.js';
import { findManifest } from '../../src/projections/manifests.js';
import { findLink } from '../../src/projections/references.js';
import { listLeavingRepositories } from '../../src/projections/repositories.js';
import { listTags } from '../../src/projections/tags.js';
import { compareWithFold } from '../support/fold.js';
import {
  accepted,
  blobOf,
  create,
  events,
  imageOf,
  indexOf,
  kinds,
  linkAll,
  nameOf,
  push,
  pushImage,
  putManifest,
  removeRepository,
  sha256Of,
  simulate,
  subjectOf,
  tagOf,
  uidOf,
  type Workplace,
} from './fixture.js';

const name = nameOf('shop/web');
const none = '' as ImagePath;
const denied = refuse('DENIED');
const project = { uid: 'p' as Uid, organization: 'org' as Uid };
const newRepository = 'new' as Uid;
const newProject = 'newp' as Uid;

describe('decideCreateRepository', () => {
  const command = { kind: 'CreateRepository', name, origin: 'push', scanning: true, newRepository, newProject } as const;
  const state = {
    name,
    project,
    repository: undefined,
    role: 'owner',
    above: 'owner',
    denied: undefined,
    organization: undefined,
  } as const;
  const created = {
    stream: 'repository/new',
    payload: { kind: 'RepositoryCreated', projectId: 'shop', id: 'web', origin: 'push' },
  };

  test('a repository is created in its project', () => {
    const decision = decideCreateRepository(state, command);
    expect(decision).toMatchObject({ events: [created], outcome: { repository: newRepository, created: true } });
    expect(decision).toMatchObject({ events: [{ payload: { project: 'p' } }] });
  });

  test('the project comes with it for the owner of one organization', () => {
    const decision = decideCreateRepository({ ...state, project: undefined, organization: 'org' as Uid }, command);
    expect(decision).toMatchObject({
      events: [
        { stream: 'project/newp', payload: { kind: 'ProjectCreated', organization: 'org', id: 'shop' } },
        { ...created, payload: { ...created.payload, project: 'newp' } },
      ],
    });
  });

  test('a push into a repository that is there finds it', () => {
    const decision = decideCreateRepository({ ...state, repository: 'r' as Uid, role: 'editor' }, command);
    expect(decision).toEqual({ events: [], outcome: { repository: 'r', created: false } });
  });

  test.each([
    ['a denial comes first', { denied, repository: 'r' as Uid }, 'push', 'DENIED'],
    ['what is there can not be created by a command', { repository: 'r' as Uid }, 'command', 'REPOSITORY_EXISTS'],
    ['an editor can not create', { role: 'editor' }, 'push', 'REPOSITORY_NEEDS_OWNER'],
    ['somebody without a role can not create', { role: undefined }, 'push', 'REPOSITORY_NEEDS_OWNER'],
    ['there is no project, and no one organization for it', { project: undefined }, 'push', 'PROJECT_UNKNOWN'],
  ] as const)('%s', (_, more, origin, refused) => {
    expect(decideCreateRepository({ ...state, ...more }, { ...command, origin })).toMatchObject({ refused });
  });
});

describe('decideDeleteRepository', () => {
  const state = {
    name,
    project,
    repository: 'r' as Uid,
    role: 'owner',
    above: 'owner',
    denied: undefined,
    kept: undefined,
  } as const;
  const command = { kind: 'DeleteRepository', name } as const;

  test('a deletion begins with all that its end needs', () => {
    const payload = { kind: 'RepositoryDeletionBegun', project: 'p', projectId: 'shop', id: 'web' };
    expect(decideDeleteRepository(state, command)).toMatchObject({ events: [{ payload }], outcome: { repository: 'r' } });
  });

  test.each([
    ['a denial comes first', { denied, repository: undefined }, 'DENIED'],
    ['an absent repository is said', { repository: undefined }, 'REPOSITORY_UNKNOWN'],
    ['an absent project is said', { project: undefined, repository: undefined }, 'REPOSITORY_UNKNOWN'],
    ['what has immutable tags stays', { kept: refuse('REPOSITORY_IMMUTABLE', {}) }, 'REPOSITORY_IMMUTABLE'],
  ])('%s', (_, more, refused) => {
    expect(decideDeleteRepository({ ...state, ...more }, command)).toMatchObject({ refused });
  });
});

describe('decideEmptying', () => {
  const leaving = { project: 'p' as Uid, projectId: 'shop' as ProjectId, id: 'web' as RepositoryId };
  const nothing = { repository: 'r' as Uid, leaving, tags: [], manifests: [], links: [] };
  const digest: Digest = sha256Of('x');
  const manifest = (size: number) => ({ image: none, digest, size });

  test.each([
    ['tags go', { tags: [{ image: none, tag: tagOf('a'), digest }] }, ['TagDeleted'], false],
    ['manifests go', { manifests: [manifest(1), manifest(2)] }, ['ManifestDeleted', 'ManifestDeleted'], false],
    [
      'at most a million bytes of manifests go at once',
      { manifests: [manifest(900_000), manifest(200_000)] },
      ['ManifestDeleted'],
      false,
    ],
    ['a manifest larger than that goes alone', { manifests: [manifest(4_000_000), manifest(1)] }, ['ManifestDeleted'], false],
    ['links go', { links: [digest] }, ['BlobUnlinked'], false],
    ['the repository goes when nothing is left', {}, ['RepositoryDeleted'], true],
    ['a repository that is gone is done with', { leaving: undefined }, [], true],
  ])('%s', (_, more, expected, done) => {
    const decision = decideEmptying({ ...nothing, ...more });
    expect('events' in decision && decision.events.map(({ payload }) => payload.kind)).toEqual(expected);
    expect(decision).toMatchObject({ outcome: { done } });
  });
});

describe('a creation', () => {
  test('by somebody who owns nothing says nothing about what is there', async () => {
    const at = await simulate();
    await create(at, 'shop/web');
    const actor: Actor = { kind: 'user', uid: at.newId(), authentication: 'password' };
    const attempt = (text: string) =>
      createRepository(at.executor, at.context(actor), {
        kind: 'CreateRepository',
        name: nameOf(text),
        origin: 'push',
        scanning: true,
        newRepository: at.newId(),
        newProject: at.newId(),
      });
    for (const text of ['shop/web', 'shop/new', 'new/new']) expect(await attempt(text)).toMatchObject({ refused: 'DENIED' });
  });

  test('of many repositories of a new project at once makes one project', async () => {
    const at = await simulate({ seed: 5 });
    const made = await Promise.all(Array.from({ length: 10 }, (_, index) => create(at.another(), `shop/r${index}`)));
    expect(new Set(made.map(({ repository }) => repository)).size).toBe(10);
    const projects = new Set((await events(at)).map(({ payload }) => 'project' in payload && payload.project));
    expect(projects.size).toBe(1);
    expect(await compareWithFold(at.store)).toEqual([]);
  });
});

/** Several images, tags, an index, a referrer, a mounted layer, links without a manifest. */
async function fill(at: Workplace, path: string, images: number): Promise<void> {
  for (let index = 0; index < images; index += 1) {
    const image = await pushImage(at, index % 2 === 0 ? path : `${path}/deep`, `${path} ${index}`, [`v${index}`, `w${index}`]);
    if (index === 0) {
      accepted(await putManifest(at, path, indexOf([image]), ['index']));
      accepted(await putManifest(at, path, imageOf(blobOf(`config of ${path} 0`), [], subjectOf(image))));
    }
  }
  accepted(await push(at, path, blobOf('base')));
}

/** The keys of any projection that name the repository, but for its history, which outlives it. */
async function traces(at: Workplace, repository: Uid): Promise<readonly string[]> {
  const projections = pack(at.store.keyspaces.registry.directory, ['projection']);
  const { begin, end } = boundsOf(projections);
  const pairs = await at.store.database.read((tx) => tx.getRange(begin, end));
  return pairs
    .filter(({ key }) => key.includes(uidToBytes(repository)) && itemsBehind(projections, key)[0] !== 'history')
    .map(({ key }) => key.toString('latin1'));
}

describe('the deletion of a repository', () => {
  test('leaves nothing of it in any index, and all of the others', async () => {
    const at = await simulate();
    await create(at, 'shop/web');
    await create(at, 'shop/api');
    await fill(at, 'shop/api', 3);
    await fill(at, 'shop/web', 8);
    const [uid, other] = [await uidOf(at, 'shop/web'), await uidOf(at, 'shop/api')];
    if (uid === undefined || other === undefined) throw new Error('not created');
    const kept = await traces(at, other);
    expect((await traces(at, uid)).length).toBeGreaterThan(50);
    expect(await removeRepository(at, 'shop/web')).toEqual({ repository: uid });
    expect(await traces(at, uid)).toEqual([]);
    expect(await traces(at, other)).toEqual(kept);
    expect(await removeRepository(at, 'shop/web')).toMatchObject({ refused: 'REPOSITORY_UNKNOWN' });
    expect((await kinds(at)).at(-1)).toBe('RepositoryDeleted');
    expect(await compareWithFold(at.store)).toEqual([]);
  });

  test('with 1 200 tags and 1 100 links goes in bounded steps', async () => {
    const at = await simulate();
    await create(at, 'shop/web');
    const image = await pushImage(at, 'shop/web', 'one');
    for (let first = 0; first < 1_200; first += 400) {
      const tags = Array.from({ length: 400 }, (_, index) => `t${first + index}`);
      accepted(await putManifest(at, 'shop/web', image, tags));
    }
    const links = Array.from({ length: 1_100 }, (_, index) => blobOf(`blob ${index}`));
    await linkAll(at, 'shop/web', links);
    at.bodies();
    accepted(await removeRepository(at, 'shop/web'));
    // Begun; 6 x 200 tags; the manifest; 5 x 200 and 102 links; ended.
    expect(at.bodies()).toBe(15);
    expect(await compareWithFold(at.store)).toEqual([]);
  });

  test.each(Array.from({ length: 12 }, (_, index) => index))(
    'goes on after its process died, wherever that was (%i commits after its beginning)',
    async (commits) => {
      const at = await simulate({ seed: commits });
      await create(at, 'shop/web');
      await fill(at, 'shop/web', 4);
      const uid = await uidOf(at, 'shop/web');
      if (uid === undefined) throw new Error('not created');
      const doomed = at.another('doomed');
      let left = commits >> 1;
      at.simulated.crash = (point, who) => {
        // Before the commit, or after it before anybody hears of it.
        if (who !== 'doomed' || point !== (commits % 2 === 0 ? 'commit' : 'committed')) return;
        if (left === 0) throw new CrashedError('killed');
        left -= 1;
      };
      const outcome = await removeRepository(doomed, 'shop/web').catch((error: unknown) => error);
      at.simulated.crash = undefined;
      if (!(outcome instanceof CrashedError)) expect(outcome).toEqual({ repository: uid });
      const begun = (await uidOf(at, 'shop/web')) === undefined;
      if (!begun) {
        // Nothing has happened yet.
        expect(commits).toBe(0);
        accepted(await removeRepository(at, 'shop/web'));
      }
      // A new one under the id does not wait for the old one's end, and is left alone by it.
      const anew = await create(at, 'shop/web');
      expect(anew.repository).not.toBe(uid);
      await pushImage(at, 'shop/web', 'anew', ['latest']);
      const mine = await traces(at, anew.repository);
      await Promise.all([
        resumeDeletions(at.executor, () => at.context()),
        resumeDeletions(at.another().executor, () => at.context()),
      ]);
      expect(await at.store.read((reading) => listLeavingRepositories(reading, 10))).toEqual([]);
      expect(await traces(at, uid)).toEqual([]);
      expect(await traces(at, anew.repository)).toEqual(mine);
      expect((await kinds(at)).filter((kind) => kind === 'RepositoryDeleted')).toHaveLength(1);
      expect(await compareWithFold(at.store)).toEqual([]);
    },
  );

  test('and a push into it end in one order', async () => {
    for (let seed = 0; seed < 15; seed += 1) {
      const at = await simulate({ seed });
      const { repository } = await create(at, 'shop/web');
      const pusher = at.another();
      const config = blobOf('config');
      accepted(await push(at, 'shop/web', config));
      const [removed, pushed] = await Promise.all([
        removeRepository(at, 'shop/web'),
        putManifest(pusher, 'shop/web', imageOf(config, []), ['a']),
      ]);
      expect(removed).toEqual({ repository });
      if (isRefusal(pushed)) expect(pushed.refused).toBe('REPOSITORY_UNKNOWN');
      expect(await traces(at, repository), `seed ${seed}`).toEqual([]);
      expect(await compareWithFold(at.store)).toEqual([]);
    }
  });
});

test('a repository created anew under its id inherits nothing', async () => {
  const at = await simulate();
  const before = await create(at, 'shop/web');
  const image = await pushImage(at, 'shop/web', 'one', ['latest']);
  accepted(await removeRepository(at, 'shop/web'));
  const after = await create(at, 'shop/web');
  expect(after.created).toBe(true);
  expect(after.repository).not.toBe(before.repository);
  await at.store.read(async (reading) => {
    expect(await listTags(reading, after.repository, none, {})).toEqual([]);
    expect(await findManifest(reading, after.repository, none, image.digest)).toBeUndefined();
    expect(await findLink(reading, after.repository, blobOf('layer of one').digest)).toBeUndefined();
    expect(await listCatalog(reading, undefined, 10)).toEqual([]);
  });
  expect(await putManifest(at, 'shop/web', image)).toMatchObject({ refused: 'MANIFEST_BLOB_UNKNOWN' });
  expect(await compareWithFold(at.store)).toEqual([]);
});
