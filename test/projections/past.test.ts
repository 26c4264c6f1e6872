import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import type { Digest } from '../../src/digest.js';
import { comparePositions, formatPosition, type Position } from '../../src/events/position.js';
import { repositoryStream, type RecordedEvent } from '../../src/events/types.js';
import type { ImagePath, Tag, Uid } from '../../src/identifiers.js';
import type { ImageManifest } from '../../src/projections/manifests.js';
import {
  findManifestAt,
  findTagAt,
  listManifestsAt,
  listTagsAt,
  wasEverTagged,
  type ManifestThen,
  type TagThen,
} from '../../src/projections/past.js';
import { projects } from '../../src/projections/projects.js';
import { repositories } from '../../src/projections/repositories.js';
import { ProjectionNotLiveError } from '../../src/projections/store.js';
import { runs } from '../support/database.js';
import { commits, openHistory, play, world, type HistoryStore } from './history-fixture.js';

const text = (position: Position | undefined): string | undefined => position && formatPosition(position);

/** A repository as the log up to a position leaves it. */
function fold(log: readonly RecordedEvent[], repository: Uid, at: Position) {
  const tags = new Map<string, { readonly digest: Digest; readonly since: Position } | { readonly deleted: Position }>();
  const manifests = new Map<string, Position>();
  for (const { stream, position, payload } of log) {
    if (stream !== repositoryStream(repository) || comparePositions(position, at) > 0) continue;
    if (payload.kind === 'TagMoved') {
      tags.set(`${payload.image}:${payload.tag}`, { digest: payload.digest, since: position });
    }
    if (payload.kind === 'TagDeleted') tags.set(`${payload.image}:${payload.tag}`, { deleted: position });
    if (payload.kind === 'ManifestPushed') manifests.set(`${payload.image}@${payload.digest}`, position);
    if (payload.kind === 'ManifestDeleted') manifests.delete(`${payload.image}@${payload.digest}`);
  }
  return { tags, manifests };
}

/** Where the manifest was deleted, if that is the last that happened to it. */
function goneIn(log: readonly RecordedEvent[], repository: Uid, image: ImagePath, digest: Digest): Position | undefined {
  const last = log.findLast(
    ({ stream, payload }) =>
      stream === repositoryStream(repository) &&
      (payload.kind === 'ManifestPushed' || payload.kind === 'ManifestDeleted') &&
      payload.image === image &&
      payload.digest === digest,
  );
  return last?.payload.kind === 'ManifestDeleted' ? last.position : undefined;
}

async function tagsAt(
  at: HistoryStore,
  repository: Uid,
  image: ImagePath,
  position: Position,
  limit: number,
): Promise<TagThen[]> {
  const all: TagThen[] = [];
  for (let after: Tag | undefined; ;) {
    const from = after;
    const page = await at.store.read((reading) => listTagsAt(reading, repository, image, position, { after: from, limit }));
    expect(page.tags.length).toBeLessThanOrEqual(limit);
    all.push(...page.tags);
    if (page.next === undefined) return all;
    after = page.next;
  }
}

async function manifestsAt(
  at: HistoryStore,
  repository: Uid,
  image: ImagePath | undefined,
  position: Position,
  limit: number,
): Promise<ManifestThen[]> {
  const all: ManifestThen[] = [];
  for (let after: ImageManifest | undefined; ;) {
    const from = after;
    const page = await at.store.read((reading) => listManifestsAt(reading, repository, image, position, { after: from, limit }));
    expect(page.manifests.length).toBeLessThanOrEqual(limit);
    all.push(...page.manifests);
    if (page.next === undefined) return all;
    after = page.next;
  }
}

const shown = (entries: readonly { readonly name: string; readonly position: Position; readonly gone: Position | undefined }[]) =>
  entries.map(({ name, position, gone }) => [name, text(position), text(gone)]);

test('tags and manifests at every position are the fold of the log up to there', async () => {
  await fc.assert(
    fc.asyncProperty(commits, fc.integer({ min: 1, max: 3 }), async (played, limit) => {
      const at = await openHistory();
      for (const commit of played) await play(at, commit);
      const log = await at.log();
      const before = { incarnation: 1, stamp: Buffer.alloc(12) };
      for (const position of [before, ...log.map((event) => event.position)]) {
        for (const repository of world.repositories) {
          const { tags, manifests } = fold(log, repository, position);
          const gone = (image: ImagePath, digest: Digest) => goneIn(log, repository, image, digest);
          for (const image of world.images) {
            const expected = [];
            for (const tag of world.tags) {
              const then = tags.get(`${image}:${tag}`);
              const found = await at.store.read((reading) => findTagAt(reading, repository, image, tag, position));
              if (then === undefined) expect(found).toBeUndefined();
              else if ('deleted' in then) expect(found).toMatchObject({ deleted: { position: then.deleted } });
              else {
                const { digest, since } = then;
                expect(found).toMatchObject({ tag, digest, since });
                expected.push({ name: `${tag} ${digest}`, position: since, gone: gone(image, digest) });
              }
            }
            const listed = await tagsAt(at, repository, image, position, limit);
            const entries = listed.map(({ tag, digest, since, gone: event }) => {
              return { name: `${tag} ${digest}`, position: since, gone: event?.position };
            });
            expect(shown(entries)).toEqual(shown(expected));
            for (const digest of world.digests) {
              const found = await at.store.read((reading) => findManifestAt(reading, repository, image, digest, position));
              const pushed = manifests.get(`${image}@${digest}`);
              expect(text(found?.pushed.position)).toBe(text(pushed));
              if (pushed !== undefined) expect(text(found?.gone?.position)).toBe(text(gone(image, digest)));
            }
          }
          for (const image of [undefined, ...world.images]) {
            const listed = await manifestsAt(at, repository, image, position, limit);
            const names = listed.map(
              ({ pushed: { payload, position: since } }) => `${payload.image}@${payload.digest} ${text(since) ?? ''}`,
            );
            const expected = [...manifests].filter(([name]) => image === undefined || name.startsWith(`${image}@`));
            expect([...names].sort()).toEqual(expected.map(([name, since]) => `${name} ${text(since) ?? ''}`).sort());
          }
        }
      }
    }),
    { numRuns: runs(25), endOnFailure: true },
  );
}, 120_000);

const [repository] = world.repositories;
const [user] = world.actors;
const image = '' as ImagePath;
const stream = repositoryStream(repository);
const [digest] = world.digests;
if (digest === undefined) throw new Error('a world without digests');

const move = (tag: string) =>
  ({ stream, payload: { kind: 'TagMoved', image, tag: tag as Tag, digest, previous: undefined } }) as const;

test('a page looks at a bounded number of tags, and says behind which one to go on', async () => {
  const at = await openHistory();
  await at.append(user, [move('zuletzt')]);
  const early = (await at.log()).at(-1)?.position ?? expect.fail();
  for (let first = 0; first < 2_100; first += 300) {
    await at.append(
      user,
      Array.from({ length: 300 }, (_, index) => move(`a${first + index}`)),
    );
  }
  const page = await at.store.read((reading) => listTagsAt(reading, repository, image, early, { limit: 10 }));
  expect(page.tags).toEqual([]);
  expect(page.next).toBeDefined();
  expect((await tagsAt(at, repository, image, early, 10)).map(({ tag }) => tag)).toEqual(['zuletzt']);
});

test('tags that were moved often, between others that were not, are each found as they were', async () => {
  const at = await openHistory();
  const names = ['a', 'b', 'c0', 'c1', 'c2', 'd'];
  for (let round = 0; round < 90; round += 1) {
    await at.append(user, round === 50 ? names.map(move) : [move('b'), move('d')]);
  }
  const log = await at.log();
  for (const [index, { position }] of log.entries()) {
    if (index % 7 !== 0) continue;
    const { tags } = fold(log, repository, position);
    const listed = await tagsAt(at, repository, image, position, 4);
    const found = listed.map(({ tag, since }) => [`${image}:${tag}`, text(since)]);
    const expected = [...tags].map(([name, then]) => [name, text('since' in then ? then.since : undefined)]);
    expect(found).toEqual(expected.sort(([left = ''], [right = '']) => (left < right ? -1 : 1)));
  }
});

test('a tag that is deleted was ever pushed, one that is only like it was not', async () => {
  const at = await openHistory();
  await at.append(user, [move('v1'), { stream, payload: { kind: 'TagDeleted', image, tag: 'v1' as Tag, digest } }]);
  const ever = (tag: string) => at.store.read((reading) => wasEverTagged(reading, repository, image, tag as Tag));
  expect(await ever('v1')).toBe(true);
  for (const other of ['v', 'v1.0', 'v10']) expect(await ever(other)).toBe(false);
});

test('is refused while the index is being built', async () => {
  const at = await openHistory([repositories, projects]);
  const position = { incarnation: 1, stamp: Buffer.alloc(12) };
  await expect(at.store.read((reading) => findTagAt(reading, repository, image, 'v1' as Tag, position))).rejects.toThrow(
    ProjectionNotLiveError,
  );
});
