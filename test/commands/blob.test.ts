import { describe, expect, test } from 'vitest';

import {
  decideDeleteBlob,
  decideMountBlob,
  decidePushBlob,
  deleteBlob,
  mountBlob,
  pushBlob,
  type PushBlob,
} from '../../src/commands/blob.js';
import { isRefusal } from '../../src/commands/execute.js';
import { startUpload } from '../../src/commands/upload.js';
import { messageOf, refuse } from '../../src/errors.js';
import type { Actor } from '../../src/events/types.js';
import type { ImagePath, Uid } from '../../src/identifiers.js';
import { findProject } from '../../src/projections/projects.js';
import { compareWithFold } from '../support/fold.js';
import {
  accepted,
  blobOf,
  create,
  grant,
  imageOf,
  kinds,
  nameOf,
  push,
  putManifest,
  removeManifest,
  removeRepository,
  simulate,
  uidOf,
  type Workplace,
} from './fixture.js';

const name = nameOf('shop/web');
const repository = 'r' as Uid;
const upload = 'u' as Uid;
const file = 'f' as Uid;
const other = 'o' as Uid;
const { digest, size } = blobOf('layer');
const denied = refuse('DENIED');
const target = {
  name,
  project: { uid: 'p' as Uid, organization: 'org' as Uid },
  repository,
  role: 'owner',
  above: 'owner',
  denied: undefined,
} as const;

describe('decidePushBlob', () => {
  const session = {
    repository,
    name: name.name,
    algorithm: 'sha256',
    startedAt: 0,
    activeAt: 0,
    writer: { server: 's' as Uid, file },
  } as const;
  const state = { ...target, session, canonical: undefined, linked: false, erased: false };
  const command: PushBlob = { kind: 'PushBlob', name, upload, file, digest, size, committed: true, lost: undefined };
  const stored = { payload: { kind: 'BlobStored', digest, size, generation: file } };
  const pushed = { payload: { kind: 'BlobPushed', digest, size } };
  const canonical = { size, generation: other };

  test.each([
    ['new bytes are stored and linked', {}, {}, [stored, pushed], file],
    ['bytes that are not committed are asked for, and nothing happens', {}, { committed: false }, [], undefined],
    ['bytes that are there already are linked', { canonical }, { committed: false }, [pushed], other],
    ['a blob that is linked already changes nothing', { canonical, linked: true }, { committed: false }, [], other],
    ['a generation seen missing is replaced', { canonical, linked: true }, { lost: other }, [stored], file],
    ['a generation that took the place of the missing one stays', { canonical }, { lost: 'x' as Uid }, [pushed], other],
    ['a lost generation is not replaced by uncommitted bytes', { canonical }, { lost: other, committed: false }, [], undefined],
    ['the upload itself may be the live one', { canonical: { size, generation: file }, linked: true }, {}, [], file],
  ])('%s', (_, more, change, events, generation) => {
    const decision = decidePushBlob({ ...state, ...more }, { ...command, ...change });
    expect(decision).toMatchObject({ outcome: { generation } });
    expect('events' in decision && decision.events).toMatchObject(events);
    expect('events' in decision && decision.events.length).toBe(events.length);
  });

  test.each([
    ['a denial comes before all', { denied, repository: undefined }, 'DENIED'],
    ['an absent repository is said', { repository: undefined }, 'REPOSITORY_UNKNOWN'],
    ['an upload that is gone is said', { session: undefined }, 'UPLOAD_UNKNOWN'],
    ['an upload of another repository is not known', { session: { ...session, repository: other } }, 'UPLOAD_UNKNOWN'],
    ['an upload under another name is not known', { session: { ...session, name: 'shop/web/api' } }, 'UPLOAD_UNKNOWN'],
    [
      "another writer's file is not taken",
      { session: { ...session, writer: { server: other, file: other } } },
      'UPLOAD_TAKEN_OVER',
    ],
    ['a file is not taken where nobody is the writer', { session: { ...session, writer: undefined } }, 'UPLOAD_TAKEN_OVER'],
    [
      'nor is it when another file finished the upload',
      { session: { ...session, finished: digest, writer: { server: other, file: other } } },
      'UPLOAD_TAKEN_OVER',
    ],
  ])('%s', (_, more, refused) => {
    expect(decidePushBlob({ ...state, ...more }, command)).toMatchObject({ refused });
  });
});

describe('decideMountBlob', () => {
  const state = { ...target, linked: false, source: { repository: other, size }, erased: false };
  const command = { kind: 'MountBlob', name, digest, from: undefined } as const;

  test.each([
    ['what a source has is linked', {}, [{ payload: { kind: 'BlobMounted', digest, size, fromRepository: other } }], true],
    ['without a source nothing happens', { source: undefined }, [], false],
    ['what was erased is not there, whatever has a link to it', { linked: true, erased: true }, [], false],
    ['what is linked already needs no event', { linked: true }, [], true],
  ])('%s', (_, more, events, mounted) => {
    const decision = decideMountBlob({ ...state, ...more }, command);
    expect(decision).toMatchObject({ events, outcome: { mounted } });
  });

  test.each([
    ['a denial comes first', { denied, repository: undefined }, 'DENIED'],
    ['an absent repository is said', { repository: undefined }, 'REPOSITORY_UNKNOWN'],
  ])('%s', (_, more, refused) => {
    expect(decideMountBlob({ ...state, ...more }, command)).toMatchObject({ refused });
  });
});

describe('decideDeleteBlob', () => {
  const state = { ...target, linked: true, holders: [] };
  const command = { kind: 'DeleteBlob', name, digest } as const;

  test('a blob that nothing holds is unlinked', () => {
    expect(decideDeleteBlob(state, command)).toMatchObject({ events: [{ payload: { kind: 'BlobUnlinked', digest } }] });
  });

  test.each([
    ['a denial comes first', { denied, repository: undefined }, 'DENIED'],
    ['an absent repository is said', { repository: undefined }, 'REPOSITORY_UNKNOWN'],
    ['a blob that is not linked is unknown', { linked: false }, 'BLOB_UNKNOWN'],
    ['a blob that is held stays', { holders: [{ image: '' as ImagePath, digest }] }, 'BLOB_IN_USE'],
  ])('%s', (_, more, refused) => {
    expect(decideDeleteBlob({ ...state, ...more }, command)).toMatchObject({ refused });
  });

  test('at most ten holders are named, with the image that each is in', () => {
    const holders = Array.from({ length: 11 }, (_, index) => ({ image: (index % 2 ? 'api' : '') as ImagePath, digest }));
    const decision = decideDeleteBlob({ ...state, holders }, command);
    const message = isRefusal(decision) ? messageOf(decision) : '';
    expect(message.match(/manifest /g)).toHaveLength(10);
    expect(message).toContain(`manifest shop/web@${digest}, manifest shop/web/api@${digest}`);
    expect(message).toContain(' and others');
  });
});

describe('a mount', () => {
  const mount = (at: Workplace, to: string, from?: string, actor: Actor = at.owner) =>
    mountBlob(at.executor, at.context(actor), {
      kind: 'MountBlob',
      name: nameOf(to),
      digest,
      from: from === undefined ? undefined : nameOf(from),
    });

  async function twoRepositories(): Promise<Workplace> {
    const at = await simulate();
    for (const path of ['shop/web', 'shop/api']) await create(at, path);
    accepted(await push(at, 'shop/web', blobOf('layer')));
    return at;
  }

  test('from a repository that has the blob links it, with the source in the event', async () => {
    const at = await twoRepositories();
    expect(await mount(at, 'shop/api', 'shop/web')).toEqual({ mounted: true });
    expect(await mount(at, 'shop/api', 'shop/web')).toEqual({ mounted: true });
    expect(await kinds(at, 4)).toEqual(['BlobMounted']);
    expect(await compareWithFold(at.store)).toEqual([]);
  });

  test('without a source finds one', async () => {
    const at = await twoRepositories();
    expect(await mount(at, 'shop/api')).toEqual({ mounted: true });
  });

  test.each(['shop/nothing', 'nothing/web', 'shop/api/deep'])(
    'from %s, where the blob is not, is an ordinary upload',
    async (from) => {
      const at = await twoRepositories();
      expect(await mount(at, 'shop/api', from)).toEqual({ mounted: false });
      expect(await kinds(at, 4)).toEqual([]);
    },
  );

  test('from a repository that the actor may not pull from is an ordinary upload, named or not', async () => {
    const at = await twoRepositories();
    await create(at, 'other/mine');
    const actor: Actor = { kind: 'user', uid: at.newId(), authentication: 'password' };
    const mine = await at.store.read((reading) => findProject(reading, nameOf('other/mine').project));
    const shop = await at.store.read((reading) => findProject(reading, name.project));
    if (mine === undefined || shop === undefined || actor.uid === undefined) throw new Error('no project');
    await grant(at, actor.uid, mine.uid, 'editor');
    expect(await mount(at, 'other/mine', 'shop/web', actor)).toEqual({ mounted: false });
    expect(await mount(at, 'other/mine', undefined, actor)).toEqual({ mounted: false });
    expect(await mount(at, 'shop/api', 'shop/web', actor)).toMatchObject({ refused: 'DENIED' });
    await grant(at, actor.uid, shop.uid, 'viewer');
    expect(await mount(at, 'other/mine', undefined, actor)).toEqual({ mounted: true });
  });

  test('from a repository that was deleted is an ordinary upload', async () => {
    const at = await twoRepositories();
    accepted(await removeRepository(at, 'shop/web'));
    expect(await mount(at, 'shop/api', 'shop/web')).toEqual({ mounted: false });
    expect(await mount(at, 'shop/api')).toEqual({ mounted: false });
  });
});

describe('an upload', () => {
  test('of a repository that was deleted and created anew meanwhile is not known', async () => {
    const at = await simulate();
    await create(at, 'shop/web');
    const id = at.newId();
    const start = { kind: 'StartUpload', name, upload: id, algorithm: 'sha256', writer: { server: id, file: id } } as const;
    expect(await startUpload(at.executor, at.context(), start)).toBeUndefined();
    accepted(await removeRepository(at, 'shop/web'));
    const finish: PushBlob = { kind: 'PushBlob', name, upload: id, file: id, digest, size, committed: true, lost: undefined };
    expect(await pushBlob(at.executor, at.context(), finish)).toMatchObject({ refused: 'REPOSITORY_UNKNOWN' });
    await create(at, 'shop/web');
    expect(await pushBlob(at.executor, at.context(), finish)).toMatchObject({ refused: 'UPLOAD_UNKNOWN' });
  });
});

describe('the deletion of a blob', () => {
  const remove = (at: Workplace, from: string) =>
    deleteBlob(at.executor, at.context(), { kind: 'DeleteBlob', name: nameOf(from), digest });

  test('waits for the manifests of the whole repository that hold it, and names them', async () => {
    const at = await simulate();
    await create(at, 'shop/web');
    accepted(await push(at, 'shop/web', blobOf('layer')));
    const image = imageOf(blobOf('layer'), []);
    accepted(await putManifest(at, 'shop/web/deep/er', image));
    const refusal = await remove(at, 'shop/web');
    expect(refusal).toMatchObject({ refused: 'BLOB_IN_USE' });
    expect(isRefusal(refusal) && messageOf(refusal)).toContain(`manifest shop/web/deep/er@${image.digest}`);
    accepted(await removeManifest(at, 'shop/web/deep/er', image.digest));
    expect(await remove(at, 'shop/web')).toBeUndefined();
    expect(await remove(at, 'shop/web')).toMatchObject({ refused: 'BLOB_UNKNOWN' });
    expect(await compareWithFold(at.store)).toEqual([]);
  });

  test('in one repository leaves it in the other', async () => {
    const at = await simulate();
    for (const path of ['shop/web', 'shop/api']) {
      await create(at, path);
      accepted(await push(at, path, blobOf('layer')));
    }
    expect(await remove(at, 'shop/web')).toBeUndefined();
    const image = imageOf(blobOf('layer'), []);
    expect(await putManifest(at, 'shop/web', image)).toMatchObject({ refused: 'MANIFEST_BLOB_UNKNOWN' });
    expect(await putManifest(at, 'shop/api', image)).toEqual({ created: true });
  });

  test.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'and the push of a manifest that holds it never both succeed (seed %i)',
    async (seed) => {
      const at = await simulate({ seed });
      const uploader = at.another();
      await create(at, 'shop/web');
      accepted(await push(at, 'shop/web', blobOf('layer')));
      const image = imageOf(blobOf('layer'), []);
      const [removed, pushed] = await Promise.all([remove(at, 'shop/web'), putManifest(uploader, 'shop/web', image)]);
      expect([isRefusal(removed), isRefusal(pushed)].sort()).toEqual([false, true]);
      expect(await uidOf(at, 'shop/web')).toBeDefined();
    },
  );
});
