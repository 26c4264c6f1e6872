import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { comparePositions, formatPosition, type Position } from '../../src/events/position.js';
import {
  aggregateOf,
  projectStream,
  repositoryStream,
  subjectOf,
  type EventKind,
  type EventPayload,
  type RecordedEvent,
} from '../../src/events/types.js';
import type { ImagePath, Tag, Uid } from '../../src/identifiers.js';
import { actorText } from '../../src/projections/history.js';
import { listBearers, readHistory, type HistoryOf, type HistoryPageOptions } from '../../src/projections/history-pages.js';
import { projects } from '../../src/projections/projects.js';
import { repositories } from '../../src/projections/repositories.js';
import { ProjectionNotLiveError, type Store } from '../../src/projections/store.js';
import { sha256Of } from '../commands/fixture.js';
import { runs } from '../support/database.js';
import { commits, openHistory, play, world } from './history-fixture.js';

/** What the log itself says. */
function isOf(of: HistoryOf, { stream, payload }: RecordedEvent): boolean {
  if (of.kind === 'project') {
    const isRepositorys =
      (payload.kind === 'RepositoryCreated' ||
        payload.kind === 'RepositoryDeletionBegun' ||
        payload.kind === 'RepositoryDeleted') &&
      payload.project === of.project;
    return stream === projectStream(of.project) || isRepositorys;
  }
  if (of.kind === 'stream') return stream === of.stream;
  if (of.kind === 'platform') return !['repository', 'blob'].includes(aggregateOf(stream));
  if (stream !== repositoryStream(of.repository)) return false;
  const image = 'image' in payload ? payload.image : undefined;
  switch (of.kind) {
    case 'repository':
      return true;
    case 'image':
      return image === of.image;
    case 'tag':
      return image === of.image && 'tag' in payload && payload.tag === of.tag;
    case 'digest': {
      const touched = [
        'digest' in payload ? payload.digest : undefined,
        payload.kind === 'TagMoved' ? payload.previous : undefined,
      ];
      return touched.includes(of.digest) && (of.image === undefined || image === of.image);
    }
  }
}

function isAskedFor({ payload, actor, position }: RecordedEvent, options: Partial<HistoryPageOptions>): boolean {
  const { kinds, actors, after, before } = options;
  return (
    (kinds === undefined || kinds.includes(payload.kind)) &&
    (actors === undefined || actors.includes(actorText(actor))) &&
    (after === undefined || comparePositions(position, after) > 0) &&
    (before === undefined || comparePositions(position, before) < 0)
  );
}

const show = ({ position, stream, payload }: RecordedEvent): string =>
  `${formatPosition(position)} ${stream} ${payload.kind} ${JSON.stringify(payload)}`;

/** All pages together; `between` is called after each. */
async function readAll(
  store: Store,
  of: readonly HistoryOf[],
  options: Omit<HistoryPageOptions, 'limit'>,
  limits: readonly number[],
  between: () => Promise<void> = () => Promise.resolve(),
): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  let { after, before } = options;
  for (let page = 0; ; page += 1) {
    const limit = limits[page % limits.length] ?? 1;
    const read = await store.read((reading) => readHistory(reading, of, { ...options, after, before, limit }));
    expect(read.events.length).toBeLessThanOrEqual(limit + 1);
    events.push(...read.events);
    if (read.next === undefined) return events;
    if (options.newestFirst) before = read.next;
    else after = read.next;
    await between();
  }
}

const repository = fc.constantFrom(...world.repositories);
const image = fc.constantFrom(...world.images);
const digest = fc.constantFrom(...world.digests);
const scope: fc.Arbitrary<HistoryOf> = fc.oneof(
  fc.record({ kind: fc.constant('repository' as const), repository }),
  fc.record({ kind: fc.constant('image' as const), repository, image }),
  fc.record({ kind: fc.constant('tag' as const), repository, image, tag: fc.constantFrom(...world.tags) }),
  fc.record({ kind: fc.constant('digest' as const), repository, image: fc.option(image, { nil: undefined }), digest }),
  fc.record({ kind: fc.constant('project' as const), project: fc.constantFrom(...world.projects) }),
  fc.record({
    kind: fc.constant('stream' as const),
    stream: fc.constantFrom(...world.projects.map(projectStream), ...world.repositories.map(repositoryStream)),
  }),
  fc.constant({ kind: 'platform' as const }),
);
const kinds = fc.subarray<EventKind>(['TagMoved', 'RoleGranted', 'ManifestPushed', 'RepositoryCreated', 'BlobPushed'], {
  minLength: 1,
});
const actors = fc.subarray([...world.actors.map(actorText), 'nobody at all'], { minLength: 1 });

const question = fc.record({
  of: fc.array(scope, { minLength: 1, maxLength: 3 }),
  kinds: fc.option(kinds, { nil: undefined }),
  actors: fc.option(actors, { nil: undefined }),
  newestFirst: fc.boolean(),
  limits: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
  /** Share of the log. */
  after: fc.option(fc.nat(99), { nil: undefined }),
  before: fc.option(fc.nat(99), { nil: undefined }),
});

test('pages put together are the part of the log that is asked for, in both directions, while events are appended', async () => {
  await fc.assert(
    fc.asyncProperty(commits, commits, fc.array(question, { minLength: 1, maxLength: 8 }), async (first, later, questions) => {
      const at = await openHistory();
      for (const commit of first) await play(at, commit);
      const toCome = [...later];
      for (const { of, limits, ...asked } of questions) {
        const start = await at.log();
        const share = (part: number | undefined): Position | undefined =>
          part === undefined ? undefined : start[Math.floor((part * start.length) / 100)]?.position;
        const options = { ...asked, after: share(asked.after), before: share(asked.before) };
        const read = await readAll(at.store, of, options, limits, async () => {
          const commit = toCome.shift();
          if (commit !== undefined) await play(at, commit);
        });
        // The newest first goes back from where it began; the oldest first goes on to what has come since.
        const log = options.newestFirst ? start : await at.log();
        const expected = log.filter((event) => of.some((each) => isOf(each, event)) && isAskedFor(event, options));
        expect(read.map(show)).toEqual((options.newestFirst ? [...expected].reverse() : expected).map(show));
      }
    }),
    // Shrinking takes minutes; the seed and the path bring the run back.
    { numRuns: runs(150), endOnFailure: true },
  );
}, 120_000);

const [first, second] = world.repositories;
const [user, account] = world.actors;
const imageA = 'a' as ImagePath;
const imageB = 'b' as ImagePath;
const latest = 'latest' as Tag;
const digestOne = sha256Of('1');

const moved = (name: ImagePath): EventPayload => ({
  ...{ kind: 'TagMoved', image: name, tag: latest, digest: digestOne, previous: undefined },
});
const deleted = (name: ImagePath): EventPayload => ({ kind: 'TagDeleted', image: name, tag: latest, digest: digestOne });

describe('the work of a page is bounded', () => {
  const of = (name: ImagePath): HistoryOf => ({ kind: 'image', repository: first, image: name });

  test.each([true, false])(
    'where two filters keep missing each other a page is short and says where to go on (%s)',
    async (newestFirst) => {
      const at = await openHistory();
      const stream = repositoryStream(first);
      await at.append(user, [{ stream, payload: deleted(imageA) }]);
      for (let round = 0; round < 150; round += 1) {
        const events = Array.from({ length: 50 }, () => [moved(imageA), deleted(imageB)]).flat();
        await at.append(
          user,
          events.map((payload) => ({ stream, payload })),
        );
      }
      await at.append(user, [{ stream, payload: deleted(imageA) }]);
      let pages = 0;
      const options = { newestFirst, kinds: ['TagDeleted'] as const };
      const found = await readAll(at.store, [of(imageA)], options, [10], () => Promise.resolve(void (pages += 1)));
      expect(found.map(({ payload }) => payload)).toEqual([deleted(imageA), deleted(imageA)]);
      expect(pages).toBeGreaterThan(1);
    },
  );

  test.each([true, false])('but what is rare is found at once (%s)', async (newestFirst) => {
    const at = await openHistory();
    const stream = repositoryStream(first);
    const many = Array.from({ length: 3_000 }, () => ({ stream, payload: moved(imageA) }));
    await at.append(account, [{ stream, payload: deleted(imageA) }]);
    for (let round = 0; round < 10; round += 1) await at.append(user, many.slice(0, 300));
    await at.append(account, [{ stream, payload: deleted(imageA) }]);
    for (const scoped of [of(imageA), { kind: 'repository', repository: first } as const]) {
      for (const filter of [{ kinds: ['TagDeleted'] as const }, { actors: [account.uid] }]) {
        const page = await at.store.read((reading) => readHistory(reading, [scoped], { newestFirst, limit: 10, ...filter }));
        expect(page.events.map(({ payload }) => payload)).toEqual([deleted(imageA), deleted(imageA)]);
        expect(page.next).toBeUndefined();
      }
    }
  });
});

test('two events at one position, one in each directory, are not parted by a page', async () => {
  const at = await openHistory();
  const [project] = world.projects;
  const organization = world.actors[0].uid;
  const named = { project, projectId: 'shop', id: 'web' } as const;
  const created = { ...named, kind: 'RepositoryCreated', origin: 'push', scanning: true } as const;
  await at.append(user, [
    { stream: projectStream(project), payload: { kind: 'ProjectCreated', organization, id: 'shop' } as EventPayload },
    { stream: repositoryStream(first), payload: created as EventPayload },
  ]);
  for (const newestFirst of [true, false]) {
    const read = (limit: number) =>
      at.store.read((reading) => readHistory(reading, [{ kind: 'project', project }], { newestFirst, limit }));
    const page = await read(1);
    const expected = ['ProjectCreated', 'RepositoryCreated'];
    expect(page.events.map(({ payload }) => payload.kind)).toEqual(newestFirst ? [...expected].reverse() : expected);
    expect((await read(3)).next).toBeUndefined();
  }
});

test('while the index is not live, only the unfiltered history of a repository can be asked', async () => {
  const at = await openHistory([repositories, projects]);
  await at.append(user, [{ stream: repositoryStream(first), payload: moved(imageA) }]);
  const read = (of: HistoryOf, more: Partial<HistoryPageOptions> = {}) =>
    at.store.read((reading) => readHistory(reading, [of], { newestFirst: true, limit: 5, ...more }));
  expect((await read({ kind: 'repository', repository: first })).events).toHaveLength(1);
  await expect(read({ kind: 'repository', repository: first }, { kinds: ['TagMoved'] })).rejects.toThrow(ProjectionNotLiveError);
  await expect(read({ kind: 'image', repository: first, image: imageA })).rejects.toThrow(ProjectionNotLiveError);
  await expect(
    at.store.read((reading) => listBearers(reading, world.projects[0], world.ids[0] ?? ('' as never))),
  ).rejects.toThrow(ProjectionNotLiveError);
});

test('a cursor of an incarnation that has not come yet is behind everything', async () => {
  const at = await openHistory();
  await at.append(user, [{ stream: repositoryStream(first), payload: moved(imageA) }]);
  const far = { incarnation: 999_999_999_999_999, stamp: Buffer.alloc(12) };
  const read = (more: Partial<HistoryPageOptions>) =>
    at.store.read((reading) =>
      readHistory(reading, [{ kind: 'repository', repository: first }], { newestFirst: true, limit: 5, ...more }),
    );
  expect((await read({ before: far })).events).toHaveLength(1);
  expect((await read({ after: far })).events).toHaveLength(0);
  expect((await read({ after: far, newestFirst: false })).events).toHaveLength(0);
});

test('an id tells all who ever bore it, and until when', async () => {
  const at = await openHistory();
  const [project, other] = world.projects;
  const named = (of: Uid) => ({ project: of, projectId: 'shop', id: 'web' }) as const;
  const create = (by: Uid, of = project): Promise<void> =>
    at.append(user, [
      {
        stream: repositoryStream(by),
        payload: { ...named(of), kind: 'RepositoryCreated', origin: 'push', scanning: true } as unknown as EventPayload,
      },
    ]);
  await create(first);
  await at.append(user, [
    {
      stream: repositoryStream(first),
      payload: { ...named(project), kind: 'RepositoryDeletionBegun' } as unknown as EventPayload,
    },
  ]);
  await create(second);
  await at.append(user, [
    { stream: repositoryStream(first), payload: { ...named(project), kind: 'RepositoryDeleted' } as unknown as EventPayload },
  ]);
  await create(world.actors[0].uid, other);
  const log = await at.log();
  const bearers = await at.store.read((reading) => listBearers(reading, project, 'web' as never));
  expect(bearers).toEqual([
    { repository: first, from: log[0]?.position, until: log[1]?.position },
    { repository: second, from: log[2]?.position, until: undefined },
  ]);
  expect(subjectOf(log[2]?.stream ?? projectStream(project))).toBe(second);
});
