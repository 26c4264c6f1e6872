import { beforeAll, describe, expect, test } from 'vitest';

import { decodeEvent } from '../../src/events/codec.js';
import { aggregateOf } from '../../src/events/types.js';
import { tags } from '../../src/projections/tags.js';
import { makeRelease, type Release } from '../support/next-release.js';
import { asJson, fold, goldenEvents } from './golden.js';

// docs/schema-changes.md, "Changing a projection" and "Adding an async projection": the worked examples, on the bytes of every release.

const events = goldenEvents.map(({ bytes }) => decodeEvent(bytes)).filter(({ stream }) => aggregateOf(stream) === 'repository');
const moved = events.filter(({ payload }) => payload.kind === 'TagMoved');

describe('tags-v2', () => {
  let release: Release;
  beforeAll(async () => {
    release = await makeRelease({ version: '0.5.0', overlay: 'tags-v2' });
  }, 120_000);

  test('its version 1 makes of every event what the release before makes of it', async () => {
    const { tags: next } = await release.load('projections/tags');
    expect(next.previous?.version).toBe(tags.version);
    for (const some of [events, moved]) {
      expect([...(await fold(next.previous ?? next, some))]).toEqual([...(await fold(tags, some))]);
    }
  });

  test('its version 2 has the digest as before, and who moved the tag', async () => {
    const { tags: next } = await release.load('projections/tags');
    const [before, after] = [await fold(tags, moved), await fold(next, moved)];
    expect([...after.keys()]).toEqual([...before.keys()]);
    const records = [...after].filter(([key]) => key.startsWith('["tag"'));
    expect(records.length).toBeGreaterThan(0);
    const actors = moved.map(({ actor: { kind, uid } }) => asJson({ kind, uid }));
    for (const [, value] of records) {
      const { movedBy, digest } = JSON.parse(value.toString()) as { readonly movedBy: unknown; readonly digest: string };
      expect(actors).toContainEqual(movedBy);
      expect(moved.some(({ payload }) => payload.kind === 'TagMoved' && payload.digest === digest)).toBe(true);
    }
  });
});

test('activity counts every event of every version', { timeout: 120_000 }, async () => {
  const { activity } = await (await makeRelease({ version: '0.5.0', overlay: 'activity' })).load('projections/activity');
  const counts = [...(await fold(activity, events))].map(([key, value]) => [
    (JSON.parse(key) as readonly unknown[]).at(-1),
    value.readUIntBE(0, 6),
  ]);
  const counted = ['ManifestPushed', 'ManifestDeleted', 'TagMoved', 'TagDeleted', 'BlobPushed', 'BlobMounted'];
  const expected = counted.map((kind) => [kind, events.filter(({ payload }) => payload.kind === kind).length]);
  expect(new Map(counts as [string, number][])).toEqual(new Map(expected as [string, number][]));
});
