import { createLog } from '../../src/events/log.js';
import { formatPosition, type Position } from '../../src/events/position.js';
import { aggregateOf, repositoryStream, type RecordedEvent, type Stream } from '../../src/events/types.js';
import type { ImagePath, Tag, Uid } from '../../src/identifiers.js';
import { readHistory, type HistoryOf } from '../../src/projections/history-pages.js';
import { listManifestsAt, listTagsAt } from '../../src/projections/past.js';
import type { Reading, Store } from '../../src/projections/store.js';
import type { Model } from './model.js';
import { below, pick, type Random } from './random.js';
import { blobAt, world } from './world.js';

/** What the model had at a moment of the past, in lines. */
export interface Moment {
  readonly position: Position;
  readonly repositories: readonly { readonly uid: Uid; readonly facts: readonly string[] }[];
}

export function momentOf(model: Model, position: Position): Moment {
  const all = [...model.repositories.values()].map(({ uid, manifests, tags }) => ({
    uid,
    facts: [...[...manifests].map((key) => `has ${key}`), ...[...tags].map(([key, digest]) => `${key} is ${digest}`)].sort(),
  }));
  return { position, repositories: all };
}

/** Every stream, and every page of history of some scopes, tells its events once, in the log's order; tags and manifests of the past are the model's. */
export async function checkHistory(
  store: Store,
  events: readonly RecordedEvent[],
  moments: readonly Moment[],
  random: Random,
  violated: (invariant: string, text: string) => void,
): Promise<void> {
  const log = createLog(store.keyspaces.registry);
  const byStream = new Map<Stream, RecordedEvent[]>();
  for (const event of events) {
    if (!/^(repository|blob)\//.test(event.stream)) continue;
    const own = byStream.get(event.stream) ?? [];
    own.push(event);
    byStream.set(event.stream, own);
  }
  await store.read(async (reading) => {
    for (const [stream, expected] of byStream) {
      const told = await log.readStream(reading.tx, stream);
      if (positions(told) !== positions(expected))
        violated('history', `${stream} tells ${positions(told)}, the log ${positions(expected)}`);
    }
    const uids = [...byStream.keys()]
      .filter((stream) => stream.startsWith('repository/'))
      .map((stream) => stream.slice(11) as Uid);
    for (let round = 0; round < SCOPES && uids.length > 0; round += 1) {
      const scope = scopeFrom(random, pick(random, uids));
      const all = byStream.get(repositoryStream(scope.repository)) ?? [];
      const expected = all.filter(({ payload }) => isAbout(scope, payload as unknown as Readonly<Record<string, unknown>>));
      await checkScope(reading, scope, expected, random, violated);
    }
    const platform = events.filter(({ stream }) => !['repository', 'blob'].includes(aggregateOf(stream)));
    await checkScope(reading, { kind: 'platform' }, platform, random, violated);
    for (const { stream } of events.filter(({ payload }) => payload.kind === 'ProjectCreated')) {
      const project = stream.slice('project/'.length) as Uid;
      const expected = events.filter((event) => event.stream === stream || isOfProject(event, project));
      await checkScope(reading, { kind: 'project', project }, expected, random, violated);
    }
    for (const moment of moments) await checkMoment(reading, moment, violated);
  });
}

const SCOPES = 12;

function scopeFrom(random: Random, repository: Uid): Exclude<HistoryOf, { kind: 'project' | 'platform' | 'stream' }> {
  const image = pick(random, ['', 'deep']) as ImagePath;
  switch (below(random, 4)) {
    case 0:
      return { kind: 'repository', repository };
    case 1:
      return { kind: 'image', repository, image };
    case 2:
      return { kind: 'tag', repository, image, tag: pick(random, world.tags) as Tag };
    default: {
      const digest = random() < 0.5 ? pick(random, world.manifests).digest : blobAt(below(random, world.blobs.length)).digest;
      return { kind: 'digest', repository, image: undefined, digest };
    }
  }
}

async function checkScope(
  reading: Reading,
  scope: HistoryOf,
  expected: readonly RecordedEvent[],
  random: Random,
  violated: (invariant: string, text: string) => void,
): Promise<void> {
  const newestFirst = random() < 0.5;
  const limit = 1 + below(random, 20);
  const told: RecordedEvent[] = [];
  for (let next: Position | undefined, first = true; first || next !== undefined; first = false) {
    const from: Position | undefined = next;
    const page = await readHistory(reading, [scope], {
      newestFirst,
      limit,
      ...(newestFirst ? { before: from } : { after: from }),
    });
    told.push(...page.events);
    next = page.next;
    if (told.length > expected.length) break;
  }
  const ordered = newestFirst ? [...expected].reverse() : expected;
  if (positions(told) !== positions(ordered)) {
    violated(
      'history',
      `${JSON.stringify(scope)}, ${newestFirst ? 'newest' : 'oldest'} first, by ${limit}, tells ${positions(told)}; the log has ${positions(ordered)}`,
    );
  }
}

function isOfProject({ payload }: RecordedEvent, project: Uid): boolean {
  switch (payload.kind) {
    case 'RepositoryCreated':
    case 'RepositoryDeletionBegun':
    case 'RepositoryDeleted':
      return payload.project === project;
    default:
      return false;
  }
}

function isAbout(
  scope: Exclude<HistoryOf, { kind: 'project' | 'stream' | 'platform' }>,
  payload: Readonly<Record<string, unknown>>,
): boolean {
  switch (scope.kind) {
    case 'repository':
      return true;
    case 'image':
      return payload['image'] === scope.image;
    case 'tag':
      return payload['image'] === scope.image && payload['tag'] === scope.tag;
    case 'digest':
      return payload['digest'] === scope.digest || payload['previous'] === scope.digest;
  }
}

async function checkMoment(
  reading: Reading,
  { position, repositories }: Moment,
  violated: (invariant: string, text: string) => void,
) {
  for (const { uid, facts } of repositories) {
    const told: string[] = [];
    for (const image of ['', 'deep'] as ImagePath[]) {
      for (let after: Tag | undefined, first = true; first || after !== undefined; first = false) {
        const page: Awaited<ReturnType<typeof listTagsAt>> = await listTagsAt(reading, uid, image, position, { after, limit: 2 });
        for (const { tag, digest } of page.tags) told.push(`${image}:${tag} is ${digest}`);
        after = page.next;
      }
      const { manifests } = await listManifestsAt(reading, uid, image, position, { limit: 100 });
      for (const { pushed } of manifests) told.push(`has ${pushed.payload.image}@${pushed.payload.digest}`);
    }
    const sorted = told.sort();
    if (sorted.join() !== facts.join())
      violated('time travel', `at ${formatPosition(position)} repository ${uid} had ${facts.join()}; told is ${sorted.join()}`);
  }
}

function positions(events: readonly RecordedEvent[]): string {
  return events.map(({ position }) => formatPosition(position)).join();
}
