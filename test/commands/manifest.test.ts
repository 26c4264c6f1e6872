import { describe, expect, test } from 'vitest';

import { isRefusal } from '../../src/commands/execute.js';
import { decideDeleteManifest, decidePushManifest } from '../../src/commands/manifest.js';
import { TAGS_LOOKED_AT } from '../../src/commands/immutable-tags.js';
import { changeRepositorySettings } from '../../src/commands/repository.js';
import { decideDeleteTag, deleteTag } from '../../src/commands/tag.js';
import { messageOf, refuse } from '../../src/errors.js';
import type { Requirement } from '../../src/events/manifest-document.js';
import type { RepositorySettings } from '../../src/events/types.js';
import { defaultSettings } from '../../src/projections/repository-details.js';
import type { ImagePath, Tag, Uid } from '../../src/identifiers.js';
import { listReferrers } from '../../src/projections/referrers.js';
import { findTag, listTags } from '../../src/projections/tags.js';
import { findManifest } from '../../src/projections/manifests.js';
import { compareWithFold } from '../support/fold.js';
import {
  accepted,
  blobOf,
  create,
  events,
  imageOf,
  indexOf,
  kinds,
  nameOf,
  push,
  pushImage,
  putManifest,
  removeManifest,
  removeRepository,
  sha256Of,
  simulate,
  subjectOf,
  tagOf,
} from './fixture.js';

const immutable = { ...defaultSettings, immutableTags: true };
const name = nameOf('shop/web');
const none = '' as ImagePath;
const denied = refuse('DENIED');
const target = {
  name,
  project: { uid: 'p' as Uid, organization: 'org' as Uid },
  repository: 'r' as Uid,
  role: 'owner',
  above: 'owner',
  denied: undefined,
} as const;
const config = blobOf('config');
const layer = blobOf('layer');
const image = imageOf(config, [layer]);
const { digest, bytes } = image;

const command = { kind: 'PushManifest', name, tags: [], config: undefined, sparse: false, ...image } as const;
const state = { ...target, exists: false, found: [], current: [], settings: defaultSettings, erased: false };

describe('decidePushManifest', () => {
  const needs = (size: number | undefined, more: Partial<Requirement> = {}, erased = false) => [
    { requirement: { kind: 'blob' as const, mediaType: 'x', path: 'layers[0]', ...layer, ...more }, size, erased },
  ];
  const pushed = {
    kind: 'ManifestPushed',
    image: none,
    digest,
    size: bytes.length,
    config: config.digest,
    layersSize: layer.size,
  };
  const moved = (tag: string, previous?: string) => ({ kind: 'TagMoved', image: none, tag, digest, previous });
  const at = (tag: string, current?: string) => ({ tag: tagOf(tag), digest: current as typeof digest | undefined });
  const before = sha256Of('before');

  test.each([
    ['a new manifest is pushed', {}, {}, [pushed], true],
    ['a new tag moves from nowhere', { current: [at('a')] }, {}, [pushed, moved('a')], true],
    ['a tag says where it was', { current: [at('a', before)] }, {}, [pushed, moved('a', before)], true],
    ['a known manifest gets its tag', { exists: true, current: [at('a')] }, {}, [moved('a')], false],
    ['a tag that is there already does not move', { exists: true, current: [at('a', digest)] }, {}, [], false],
    [
      'several tags move at once',
      { current: [at('a'), at('b', digest), at('c', before)] },
      {},
      [pushed, moved('a'), moved('c', before)],
      true,
    ],
    ['what it needs is there', { found: needs(layer.size) }, {}, [pushed], true],
    ['what it needs may be missing where that is allowed', { found: needs(undefined) }, { sparse: true }, [pushed], true],
    ['so may what was erased', { found: needs(undefined, {}, true) }, { sparse: true }, [pushed], true],
  ])('%s', (_, more, change, payloads, created) => {
    const decision = decidePushManifest({ ...state, ...more }, { ...command, ...change });
    expect(decision).toMatchObject({ outcome: { created } });
    expect('events' in decision && decision.events.map(({ payload }) => payload)).toMatchObject(payloads);
    expect('events' in decision && decision.events.every(({ stream }) => stream === 'repository/r')).toBe(true);
  });

  test.each([
    ['a denial comes first', { denied, repository: undefined }, {}, 'DENIED'],
    ['an absent repository is said', { repository: undefined }, {}, 'REPOSITORY_UNKNOWN'],
    ['a missing blob is named', { found: needs(undefined) }, {}, 'MANIFEST_BLOB_UNKNOWN'],
    ['what was erased is refused', { found: needs(undefined, {}, true) }, {}, 'CONTENT_ERASED'],
    ['a size that is wrong is named', { found: needs(layer.size + 1) }, {}, 'MANIFEST_SIZE_WRONG'],
    ['a size is checked also where things may be missing', { found: needs(0) }, { sparse: true }, 'MANIFEST_SIZE_WRONG'],
  ])('%s', (_, more, change, refused) => {
    expect(decidePushManifest({ ...state, ...more }, { ...command, ...change })).toMatchObject({ refused });
  });
});

describe('decideDeleteManifest', () => {
  const command = { kind: 'DeleteManifest', name, digest } as const;
  const state = { ...target, exists: true, holders: [], tags: [], settings: defaultSettings };
  const tags = (count: number): readonly Tag[] => Array.from({ length: count }, (_, index) => tagOf(`t${index}`));

  test.each([
    [0, 1, true],
    [1, 2, true],
    [499, 500, true],
    [500, 500, false],
  ])('with %i tags makes %i events, and is done: %s', (count, length, done) => {
    const decision = decideDeleteManifest({ ...state, tags: tags(count) }, command);
    expect(decision).toMatchObject({ outcome: { done } });
    expect('events' in decision && decision.events.length).toBe(length);
    expect('events' in decision && decision.events.at(-1)?.payload.kind).toBe(done ? 'ManifestDeleted' : 'TagDeleted');
  });

  test.each([
    ['a denial comes first', { denied, repository: undefined }, 'DENIED'],
    ['an absent repository is said', { repository: undefined }, 'REPOSITORY_UNKNOWN'],
    ['an absent manifest is said', { exists: false }, 'MANIFEST_UNKNOWN'],
    ['what an index lists stays', { holders: [digest] }, 'MANIFEST_IN_USE'],
  ])('%s', (_, more, refused) => {
    expect(decideDeleteManifest({ ...state, ...more }, command)).toMatchObject({ refused });
  });
});

describe('decideDeleteTag', () => {
  const command = { kind: 'DeleteTag', name, tag: tagOf('a') } as const;
  const state = { ...target, settings: defaultSettings };

  test('a tag goes, with what it pointed at in the event', () => {
    const payload = { kind: 'TagDeleted', image: none, tag: 'a', digest };
    expect(decideDeleteTag({ ...state, current: digest }, command)).toMatchObject({ events: [{ payload }] });
  });

  test.each([
    ['a denial comes first', { denied, repository: undefined }, 'DENIED'],
    ['an absent repository is said', { repository: undefined }, 'REPOSITORY_UNKNOWN'],
    ['an absent tag is said', {}, 'MANIFEST_UNKNOWN'],
  ])('%s', (_, more, refused) => {
    expect(decideDeleteTag({ ...state, current: undefined, ...more }, command)).toMatchObject({ refused });
  });
});

describe('a push of a manifest', () => {
  test('names the first digest that is missing, and where the manifest says so', async () => {
    const at = await simulate();
    await create(at, 'shop/web');
    accepted(await push(at, 'shop/web', config));
    const refusal = await putManifest(at, 'shop/web', image, ['latest']);
    expect(refusal).toMatchObject({ refused: 'MANIFEST_BLOB_UNKNOWN', details: { digest: layer.digest, path: 'layers[0]' } });
    expect(await kinds(at, 3)).toEqual([]);
  });

  test('whose descriptor has another size than the blob is refused, with both sizes', async () => {
    const at = await simulate();
    await create(at, 'shop/web');
    for (const blob of [config, layer]) accepted(await push(at, 'shop/web', blob));
    const wrong = imageOf(config, [{ ...layer, size: 4 }]);
    const refusal = await putManifest(at, 'shop/web', wrong);
    expect(isRefusal(refusal) && messageOf(refusal)).toBe(`layers[0] says that ${layer.digest} has 4 bytes; it has 5`);
    expect(await putManifest(at, 'shop/web', wrong, [], { sparse: true })).toMatchObject({ refused: 'MANIFEST_SIZE_WRONG' });
  });

  test('needs the children of an index in the same image, and their sizes', async () => {
    const at = await simulate();
    await create(at, 'shop/web');
    const child = await pushImage(at, 'shop/web', 'child');
    const index = indexOf([child]);
    expect(await putManifest(at, 'shop/web/other', index)).toMatchObject({ refused: 'MANIFEST_BLOB_UNKNOWN' });
    const wrong = indexOf([{ ...child, size: child.size + 1 }]);
    expect(await putManifest(at, 'shop/web', wrong)).toMatchObject({ refused: 'MANIFEST_SIZE_WRONG' });
    expect(await putManifest(at, 'shop/web', index)).toEqual({ created: true });
  });

  test('may name what is missing where that is allowed, and still holds what comes later', async () => {
    const at = await simulate();
    await create(at, 'shop/web');
    expect(await putManifest(at, 'shop/web', image, ['a'], { sparse: true })).toEqual({ created: true });
    const index = indexOf([imageOf(blobOf('x'), [])]);
    expect(await putManifest(at, 'shop/web', index, [], { sparse: true })).toEqual({ created: true });
    accepted(await removeManifest(at, 'shop/web', image.digest));
    expect(await compareWithFold(at.store)).toEqual([]);
  });

  test('that comes again under another tag is one manifest with two tags', async () => {
    const at = await simulate();
    const { repository } = await create(at, 'shop/web');
    const pushed = await pushImage(at, 'shop/web', 'one', ['a']);
    const before = (await events(at)).length;
    expect(await putManifest(at, 'shop/web', pushed, ['a', 'b'])).toEqual({ created: false });
    expect(await kinds(at, before)).toEqual(['TagMoved']);
    expect(await at.store.read((reading) => listTags(reading, repository, none, {}))).toEqual(['a', 'b']);
  });

  test('is listed by its subject, which need not be there, until it is deleted', async () => {
    const at = await simulate();
    const { repository } = await create(at, 'shop/web');
    accepted(await push(at, 'shop/web', config));
    const referrer = imageOf(config, [], { artifactType: 'text/sbom', ...subjectOf(image) });
    accepted(await putManifest(at, 'shop/web', referrer));
    const list = () => at.store.read((reading) => listReferrers(reading, repository, none, image.digest, { limit: 10 }));
    expect(await list()).toMatchObject([{ digest: referrer.digest, artifactType: 'text/sbom' }]);
    accepted(await removeManifest(at, 'shop/web', referrer.digest));
    expect(await list()).toEqual([]);
    expect(await compareWithFold(at.store)).toEqual([]);
  });
});

describe('the deletion of a manifest', () => {
  test('with 2 500 tags goes in bounded transactions, the manifest in the last', async () => {
    const at = await simulate();
    const { repository } = await create(at, 'shop/web');
    const pushed = await pushImage(at, 'shop/web', 'one');
    for (let first = 0; first < 2_500; first += 500) {
      const tags = Array.from({ length: 500 }, (_, index) => `build-${first + index}`);
      accepted(await putManifest(at, 'shop/web', pushed, tags));
    }
    const before = (await events(at)).length;
    at.bodies();
    accepted(await removeManifest(at, 'shop/web', pushed.digest));
    expect(at.bodies()).toBe(6);
    const after = await kinds(at, before);
    expect(after.length).toBe(2_501);
    expect(after.indexOf('ManifestDeleted')).toBe(2_500);
    await at.store.read(async (reading) => {
      expect(await listTags(reading, repository, none, {})).toEqual([]);
      expect(await findManifest(reading, repository, none, pushed.digest)).toBeUndefined();
    });
    expect(await compareWithFold(at.store)).toEqual([]);
  });

  test('leaves the tags that point elsewhere', async () => {
    const at = await simulate();
    const { repository } = await create(at, 'shop/web');
    const one = await pushImage(at, 'shop/web', 'one', ['a', 'b']);
    const two = await pushImage(at, 'shop/web', 'two', ['b', 'c']);
    accepted(await removeManifest(at, 'shop/web', one.digest));
    expect(await at.store.read((reading) => listTags(reading, repository, none, {}))).toEqual(['b', 'c']);
    expect(await at.store.read((reading) => findTag(reading, repository, none, tagOf('b')))).toBe(two.digest);
  });

  test('waits for the index that lists it, and names it', async () => {
    const at = await simulate();
    await create(at, 'shop/web');
    const child = await pushImage(at, 'shop/web', 'child');
    const index = indexOf([child]);
    accepted(await putManifest(at, 'shop/web', index));
    const refusal = await removeManifest(at, 'shop/web', child.digest);
    expect(isRefusal(refusal) && messageOf(refusal)).toContain(`is listed by index shop/web@${index.digest}`);
    accepted(await removeManifest(at, 'shop/web', index.digest));
    accepted(await removeManifest(at, 'shop/web', child.digest));
    expect(await compareWithFold(at.store)).toEqual([]);
  });

  test.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'and the push of an index that lists it, or of a tag on it, end in one order (seed %i)',
    async (seed) => {
      const at = await simulate({ seed });
      const { repository } = await create(at, 'shop/web');
      const child = await pushImage(at, 'shop/web', 'child');
      const [a, b] = [at.another(), at.another()];
      const [removed, listed, tagged] = await Promise.all([
        removeManifest(at, 'shop/web', child.digest),
        putManifest(a, 'shop/web', indexOf([child])),
        putManifest(b, 'shop/web', child, ['late']),
      ]);
      expect(isRefusal(tagged)).toBe(false);
      // A tag's push that comes after the deletion brings the manifest back; the index is refused only between the two.
      const there = await at.store.read((reading) => findManifest(reading, repository, none, child.digest));
      const late = await at.store.read((reading) => findTag(reading, repository, none, tagOf('late')));
      expect(late !== undefined).toBe(there !== undefined);
      if (!isRefusal(listed)) expect(there).toBeDefined();
      if (isRefusal(removed)) expect(removed.refused).toBe('MANIFEST_IN_USE');
      expect(await compareWithFold(at.store)).toEqual([]);
    },
  );

  test('of a tag alone leaves the manifest', async () => {
    const at = await simulate();
    const { repository } = await create(at, 'shop/web');
    const pushed = await pushImage(at, 'shop/web', 'one', ['a']);
    const remove = () => deleteTag(at.executor, at.context(), { kind: 'DeleteTag', name, tag: tagOf('a') });
    expect(await remove()).toBeUndefined();
    expect(await remove()).toMatchObject({ refused: 'MANIFEST_UNKNOWN' });
    expect(await at.store.read((reading) => findManifest(reading, repository, none, pushed.digest))).toBeDefined();
  });
});

describe('where tags are immutable', () => {
  const at = (tag: string, current?: string) => ({ tag: tagOf(tag), digest: current as typeof digest | undefined });
  const before = sha256Of('before');
  const signature = `sha256-${'a'.repeat(64)}.sig`;
  const push = (current: ReturnType<typeof at>[], settings: RepositorySettings = immutable) =>
    decidePushManifest(
      { ...target, exists: true, found: [], current, settings, erased: false },
      { kind: 'PushManifest', name, tags: [], config: undefined, sparse: false, ...image },
    );

  test('a tag that is there is not moved, but is pushed again as it is, and new ones come', () => {
    expect(push([at('a', before)])).toMatchObject({ refused: 'TAG_IMMUTABLE', details: { tag: 'a' } });
    expect(push([at('a', digest), at('b')])).toMatchObject({ events: [{ payload: { kind: 'TagMoved', tag: 'b' } }] });
    expect(push([at('a', before)], defaultSettings)).toMatchObject({ events: [{ payload: { kind: 'TagMoved' } }] });
  });

  test('signatures are moved all the same, and so is what a pattern exempts', () => {
    expect(push([at(signature, before)])).toMatchObject({ events: [{ payload: { kind: 'TagMoved' } }] });
    const settings = { ...immutable, immutableTagExemptions: ['nightly-*'] };
    expect(push([at('nightly-1', before)], settings)).toMatchObject({ events: [{ payload: { kind: 'TagMoved' } }] });
    expect(push([at(signature, before)], settings)).toMatchObject({ refused: 'TAG_IMMUTABLE' });
  });

  test('nothing that has such a tag is deleted', () => {
    const tag = tagOf('a');
    const state = { ...target, settings: immutable };
    expect(decideDeleteTag({ ...state, current: digest }, { kind: 'DeleteTag', name, tag })).toMatchObject({
      refused: 'TAG_IMMUTABLE',
    });
    const command = { kind: 'DeleteManifest', name, digest } as const;
    const manifest = { ...state, exists: true, holders: [] };
    expect(decideDeleteManifest({ ...manifest, tags: [tag] }, command)).toMatchObject({ refused: 'TAG_IMMUTABLE' });
    expect(decideDeleteManifest({ ...manifest, tags: [tagOf(signature)] }, command)).toMatchObject({ outcome: { done: true } });
    const many = Array.from({ length: TAGS_LOOKED_AT }, () => tagOf(signature));
    expect(decideDeleteManifest({ ...manifest, tags: many }, command)).toMatchObject({ refused: 'IMMUTABLE_TAGS_UNREAD' });
    expect(decideDeleteManifest({ ...manifest, settings: defaultSettings, tags: many }, command)).toMatchObject({
      outcome: { done: false },
    });
  });

  test('one tag behind thousands of signatures is enough, and nothing goes before it was found', async () => {
    const at = await simulate();
    const { repository } = await create(at, 'shop/web');
    const signed = Array.from({ length: 1_200 }, (_, number) => `sha256-${number.toString(16).padStart(64, '0')}`);
    const { digest: pushed } = await pushImage(at, 'shop/web', 'one', []);
    const change = (immutableTags: boolean) =>
      changeRepositorySettings(at.executor, at.context(), { kind: 'ChangeRepositorySettings', name, change: { immutableTags } });
    accepted(await change(true));
    for (let from = 0; from < signed.length; from += 400) {
      await pushImage(at, 'shop/web', 'one', signed.slice(from, from + 400));
    }
    await pushImage(at, 'shop/web', 'one', ['v1.0']);
    const before = (await events(at)).length;
    expect(await removeManifest(at, 'shop/web', pushed)).toMatchObject({ refused: 'TAG_IMMUTABLE', details: { tag: 'v1.0' } });
    expect(await removeRepository(at, 'shop/web')).toMatchObject({ refused: 'REPOSITORY_IMMUTABLE', details: { tag: 'v1.0' } });
    expect(await events(at)).toHaveLength(before);
    expect(await at.store.read((reading) => findTag(reading, repository, none, tagOf(signed[0] ?? '')))).toBe(pushed);
    accepted(await change(false));
    accepted(await removeManifest(at, 'shop/web', pushed));
    accepted(await removeRepository(at, 'shop/web'));
  });
});

test('what was erased is not accepted again', () => {
  expect(decidePushManifest({ ...state, erased: true }, command)).toMatchObject({ refused: 'CONTENT_ERASED' });
});
