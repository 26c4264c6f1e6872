import type { Digest } from '../digest.js';
import { readEvent } from '../events/log.js';
import type { Position } from '../events/position.js';
import {
  aggregateOf,
  projectStream,
  repositoryStream,
  type EventKind,
  type RecordedEvent,
  type Stream,
} from '../events/types.js';
import { parseUid, uidFromBytes, type ImagePath, type RepositoryId, type Tag, type Uid } from '../identifiers.js';
import { boundsOf, uuidItem, type Keyspace } from '../keyvalue/keyspace.js';
import type { KeyItem } from '../keyvalue/tuple.js';
import { actorText, BEGINS, history, historyKeys, historyPrefix } from './history.js';
import { platformHistoryPrefix } from './platform-history.js';
import {
  anyOf,
  borderAt,
  borderBehind,
  bothOf,
  firstBorder,
  placeOf,
  placesUnder,
  positionAtPlace,
  RANGE_READ_COST,
  type Found,
  type Places,
  type RangeReading,
} from './position-ranges.js';
import { uidItem } from './repositories.js';
import { indexOf, type Reading } from './store.js';

/** Whose history. An image's is of its manifests and tags; a digest's of blobs too, unless an image is given. */
export type HistoryOf =
  | { readonly kind: 'repository'; readonly repository: Uid }
  | { readonly kind: 'image'; readonly repository: Uid; readonly image: ImagePath }
  | { readonly kind: 'tag'; readonly repository: Uid; readonly image: ImagePath; readonly tag: Tag }
  | { readonly kind: 'digest'; readonly repository: Uid; readonly image: ImagePath | undefined; readonly digest: Digest }
  /** The project's own stream, with the creations and deletions of its repositories. */
  | { readonly kind: 'project'; readonly project: Uid }
  /** One stream: an organization's, a project's, a user's or a service account's, or that of a blob's bytes. */
  | { readonly kind: 'stream'; readonly stream: Stream }
  /** All that is in the platform's log. */
  | { readonly kind: 'platform' };

export interface HistoryPageOptions {
  /** Only events behind this one. */
  readonly after?: Position | undefined;
  /** Only events before this one. */
  readonly before?: Position | undefined;
  readonly newestFirst: boolean;
  /** At least 1. One more where the platform's log and the registry's have an event at the position of the last, which are never parted. */
  readonly limit: number;
  /** Only of these kinds. */
  readonly kinds?: readonly EventKind[] | undefined;
  /** Only by these: uids, `system`, `anonymous`. */
  readonly actors?: readonly string[] | undefined;
}

export interface HistoryPage {
  /** Fewer than `limit`, or none, where finding more took too long for one page. */
  readonly events: readonly RecordedEvent[];
  /** Go on after this, or before it when the newest come first. Undefined: there is nothing more. */
  readonly next: Position | undefined;
}

// About 10 ms on the embedded store.
const KEYS_A_PAGE = 5_000;
const EVENT_COST = 10;

/**
 * The history of one thing or of several, each event once, in the order of positions. Needs the index `history`, but for a repository without filters, whose
 * stream is enough. Throws ProjectionNotLiveError.
 */
export async function readHistory(reading: Reading, of: readonly HistoryOf[], options: HistoryPageOptions): Promise<HistoryPage> {
  const { newestFirst, limit } = options;
  const begin = placeIn(reading, newestFirst ? options.before : options.after);
  const end = placeIn(reading, newestFirst ? options.after : options.before);
  const spending = { keys: 0 };
  const ranges: RangeReading = {
    tx: reading.tx,
    newestFirst,
    until: end === undefined ? undefined : borderAt(end, newestFirst),
    spending,
  };
  const parts = await Promise.all(of.map((one) => placesOf(reading, ranges, one, options)));
  const places = anyOf(parts, newestFirst);
  const most = spending.keys + KEYS_A_PAGE;
  const events: RecordedEvent[] = [];
  let passed = begin;
  let border = begin === undefined ? firstBorder(newestFirst) : borderBehind(begin, newestFirst);
  for (;;) {
    const found: Found[] = [];
    // A position may have an event in each log.
    let count = events.length;
    let ended = false;
    while (count < limit && spending.keys < most) {
      const next = await places.seek(border);
      ended = next === undefined;
      if (next === undefined) break;
      passed = 'border' in next ? next.passed : next.place;
      border = 'border' in next ? next.border : borderBehind(next.place, newestFirst);
      if ('border' in next) continue;
      found.push(next);
      count += next.streams.length;
    }
    const read = (await Promise.all(found.map((one) => eventsAt(reading, one, newestFirst)))).flat();
    spending.keys += read.length * EVENT_COST;
    events.push(...read.filter((event) => isAskedFor(event, options)));
    if (ended) return { events, next: undefined };
    if (events.length >= limit || spending.keys >= most) {
      return { events, next: passed === undefined ? undefined : positionAtPlace(passed) };
    }
  }
}

/** A position that a key can have: those of incarnations that have not come yet are behind everything. */
function placeIn({ registry, platform }: Reading, position: Position | undefined): Buffer | undefined {
  if (position === undefined) return undefined;
  const newest = Math.max(registry.live.incarnation, platform.live.incarnation);
  return placeOf(position.incarnation > newest ? { ...position, incarnation: newest + 1 } : position);
}

function isAskedFor({ payload, actor }: RecordedEvent, { kinds, actors }: HistoryPageOptions): boolean {
  return (kinds === undefined || kinds.includes(payload.kind)) && (actors === undefined || actors.includes(actorText(actor)));
}

/** Where two logs have an event at one position, the platform's is the cause of the registry's. */
function eventsAt(reading: Reading, { place, streams }: Found, newestFirst: boolean): Promise<RecordedEvent[]> {
  const position = positionAtPlace(place);
  const ordered = streams.length < 2 ? streams : [...streams].sort((left, right) => rank(left) - rank(right));
  const inOrder = newestFirst ? [...ordered].reverse() : ordered;
  return Promise.all(inOrder.map((stream) => readEvent(reading.tx, keyspaceOf(reading, stream), stream, position)));
}

function keyspaceOf({ registry, platform }: Reading, stream: Stream): Keyspace {
  return (rank(stream) === 0 ? platform : registry).keyspace;
}

function rank(stream: Stream): number {
  return ['repository', 'blob'].includes(aggregateOf(stream)) ? 1 : 0;
}

async function placesOf(
  reading: Reading,
  ranges: RangeReading,
  of: HistoryOf,
  { kinds, actors }: HistoryPageOptions,
): Promise<Places> {
  const { newestFirst } = ranges;
  const { registry, platform } = reading;
  if (of.kind === 'platform') return placesUnder(ranges, platformHistoryPrefix(reading), (stream) => stream.toString() as Stream);
  if (of.kind === 'stream') {
    return placesUnder(ranges, streamPrefix(keyspaceOf(reading, of.stream), of.stream), () => of.stream);
  }
  if (of.kind === 'project') {
    const own = projectStream(of.project);
    const repositories = historyPrefix(reading, historyKeys.project(of.project));
    // Few, and so their events are read before they are filtered.
    return anyOf(
      [
        placesUnder(ranges, streamPrefix(platform.keyspace, own), () => own),
        placesUnder(ranges, repositories, (uid) => repositoryStream(uidFromBytes(uid))),
      ],
      newestFirst,
    );
  }
  const stream = repositoryStream(of.repository);
  const under = (prefix: Buffer): Places => placesUnder(ranges, prefix, () => stream);
  const makers =
    kinds === undefined && actors === undefined ? undefined : await makersOf(reading, ranges, of.repository, kinds, actors);
  // Of too many to ask each of them, the events are read before they are filtered.
  const filtered =
    makers &&
    anyOf(
      makers.map(([kind, actor]) => under(historyPrefix(reading, historyKeys.by(of.repository, kind, actor)))),
      newestFirst,
    );
  const scope = scopeOf(reading, of, under, newestFirst);
  if (scope === undefined) return filtered ?? under(streamPrefix(registry.keyspace, stream));
  return filtered === undefined ? scope : bothOf(scope, filtered, newestFirst);
}

function scopeOf(
  reading: Reading,
  of: Exclude<HistoryOf, { readonly kind: 'project' | 'stream' | 'platform' }>,
  under: (prefix: Buffer) => Places,
  newestFirst: boolean,
): Places | undefined {
  const { repository } = of;
  const about = (items: readonly KeyItem[]): Places => under(historyPrefix(reading, items));
  switch (of.kind) {
    case 'repository':
      return undefined;
    case 'image':
      return about(historyKeys.image(repository, of.image));
    case 'tag':
      return about(historyKeys.tag(repository, of.image, of.tag));
    case 'digest': {
      const digest = about(historyKeys.digest(repository, of.digest));
      return of.image === undefined ? digest : bothOf(digest, about(historyKeys.image(repository, of.image)), newestFirst);
    }
  }
}

/** Each is a range that is read, and those of one kind are found one after another. */
const MAKERS_MOST = 256;

/** Who did what in the repository, as far as it is asked for; undefined where those are too many. */
async function makersOf(
  reading: Reading,
  { spending }: RangeReading,
  repository: Uid,
  kinds: readonly EventKind[] | undefined,
  actors: readonly string[] | undefined,
): Promise<readonly (readonly [EventKind, string])[] | undefined> {
  const index = indexOf(reading, history);
  /** What stands next behind the items, each once: one range read for each, however many events it has. */
  const distinct = async (items: readonly KeyItem[]): Promise<unknown[]> => {
    const found: unknown[] = [];
    for (let after: readonly KeyItem[] | undefined; ;) {
      const [next] = await index.range(items, { limit: 1, after });
      spending.keys += RANGE_READ_COST;
      if (next === undefined || found.length > MAKERS_MOST) return found;
      const [item] = next.items;
      found.push(item);
      after = [typeof item === 'string' ? item : uuidItem(uidItem(item))];
    }
  };
  const asked = kinds ?? ((await distinct(historyKeys.kinds(repository))) as EventKind[]);
  const makers = [...new Set(asked)].map(async (kind) => {
    const all = actors?.filter(isActorText) ?? (await distinct(historyKeys.makers(repository, kind))).map(actorOfItem);
    return [...new Set(all)].map((actor) => [kind, actor] as const);
  });
  const all = (await Promise.all(makers)).flat();
  return all.length > MAKERS_MOST ? undefined : all;
}

/** Other texts are nobody's. */
function isActorText(text: string): boolean {
  return parseUid(text) !== undefined || text === 'system' || text === 'anonymous';
}

function actorOfItem(item: unknown): string {
  return typeof item === 'string' ? item : uidItem(item);
}

/** As `log.ts`: what a stream's bounds begin with, less their last byte. */
function streamPrefix(keyspace: Keyspace, stream: Stream): Buffer {
  const { begin } = keyspace.streamBounds(stream);
  return begin.subarray(0, begin.length - 1);
}

/** A repository that bears or bore an id. */
export interface Bearer {
  readonly repository: Uid;
  /** Its creation. */
  readonly from: Position;
  /** Where its deletion began; undefined while it bears the id. */
  readonly until: Position | undefined;
}

/** All repositories that ever bore the id, the oldest first. Throws ProjectionNotLiveError. */
export async function listBearers(reading: Reading, project: Uid, id: RepositoryId): Promise<readonly Bearer[]> {
  const prefix = historyPrefix(reading, historyKeys.bearer(project, id));
  const { begin, end } = boundsOf(prefix);
  const bearers = new Map<Uid, Bearer>();
  for (const { key, value } of await reading.tx.getRange(begin, end)) {
    const position = positionAtPlace(key.subarray(prefix.length));
    const repository = uidFromBytes(value.subarray(1));
    const from = bearers.get(repository)?.from ?? position;
    bearers.set(repository, { repository, from, until: value[0] === BEGINS ? undefined : position });
  }
  return [...bearers.values()];
}
