import { digestFromBytes, digestToBytes, type Digest } from '../digest.js';
import { readEvent } from '../events/log.js';
import { comparePositions, type Position } from '../events/position.js';
import {
  repositoryStream,
  type EventKind,
  type ManifestDeleted,
  type ManifestPushed,
  type PayloadOf,
  type RecordedEvent,
  type TagDeleted,
} from '../events/types.js';
import type { ImagePath, Tag, Uid } from '../identifiers.js';
import type { KeyValue, ReadTransaction } from '../keyvalue/database.js';
import { boundsOf } from '../keyvalue/keyspace.js';
import { pack, unpack, type KeyItem } from '../keyvalue/tuple.js';
import { historyKeys, historyPrefix } from './history.js';
import { digestItem, type ImageManifest } from './manifests.js';
import { borderAt, placeOf, positionAtPlace, RANGE_READ_COST } from './position-ranges.js';
import type { Reading } from './store.js';

/** What a tag pointed at. */
export interface TagThen {
  readonly tag: Tag;
  readonly digest: Digest;
  /** Where it was moved there. */
  readonly since: Position;
  /** The manifest is not there any more, and so is nobody's to pull. */
  readonly gone: RecordedEvent<ManifestDeleted> | undefined;
}

/** A manifest that was there. */
export interface ManifestThen {
  /** What it was pushed as. */
  readonly pushed: RecordedEvent<ManifestPushed>;
  /** It is not there any more, and so is nobody's to pull; one that was deleted and pushed again is there. */
  readonly gone: RecordedEvent<ManifestDeleted> | undefined;
}

/** The tag at a position, or its deletion before that; undefined where it had never been pushed. Throws ProjectionNotLiveError. */
export async function findTagAt(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
  tag: Tag,
  at: Position,
): Promise<TagThen | { readonly deleted: RecordedEvent<TagDeleted> } | undefined> {
  const change = await findLast(reading, historyKeys.tag(repository, image, tag), at);
  if (change === undefined) return undefined;
  const { position, value } = change;
  if (value.length === 0) return { deleted: await readOwn(reading, repository, position, 'TagDeleted') };
  const digest = digestFromBytes(value);
  return { tag, digest, since: position, gone: await findGone(reading, repository, image, digest) };
}

/** Whether a tag of this name was ever pushed, there now or not. Costs one read. Throws ProjectionNotLiveError. */
export async function wasEverTagged(reading: Reading, repository: Uid, image: ImagePath, tag: Tag): Promise<boolean> {
  return (await findLast(reading, historyKeys.tag(repository, image, tag), undefined)) !== undefined;
}

/** The image's tags at a position in ASCII order. A page may be short, or empty: `next` says behind which tag to go on. Throws ProjectionNotLiveError. */
export async function listTagsAt(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
  at: Position,
  page: { readonly after?: Tag | undefined; readonly limit: number },
): Promise<{ readonly tags: readonly TagThen[]; readonly next: Tag | undefined }> {
  const tags: TagThen[] = [];
  let next = page.after;
  const walk = lastOfEach(reading, historyKeys.tags(repository, image), 1, next === undefined ? [] : [next], at);
  for await (const { items, last } of walk) {
    const tag = String(items[0]) as Tag;
    if (last !== undefined && last.value.length > 0) {
      const digest = digestFromBytes(last.value);
      tags.push({ tag, digest, since: last.position, gone: await findGone(reading, repository, image, digest) });
    }
    next = tag;
    if (tags.length >= page.limit || walk.keys >= KEYS_A_PAGE) return { tags, next };
  }
  return { tags, next: undefined };
}

/** The manifest at a position; undefined where it was not there then. Throws ProjectionNotLiveError. */
export async function findManifestAt(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
  digest: Digest,
  at: Position,
): Promise<ManifestThen | undefined> {
  const change = await findLast(reading, historyKeys.manifest(repository, image, digest), at);
  if (change === undefined || change.value.length === 0) return undefined;
  return manifestAt(reading, repository, { image, digest }, change.position);
}

/**
 * The manifests at a position, of an image or of all of the repository's, image by image, in the order of their digests' bytes. A page may be short, or empty:
 * `next` says behind which manifest to go on. Throws ProjectionNotLiveError.
 */
export async function listManifestsAt(
  reading: Reading,
  repository: Uid,
  image: ImagePath | undefined,
  at: Position,
  page: { readonly after?: ImageManifest | undefined; readonly limit: number },
): Promise<{ readonly manifests: readonly ManifestThen[]; readonly next: ImageManifest | undefined }> {
  const manifests: ManifestThen[] = [];
  let next = page.after;
  const behind = next === undefined ? [] : [next.image, digestToBytes(next.digest)];
  const all = historyKeys.manifests(repository);
  const walk =
    image === undefined ? lastOfEach(reading, all, 2, behind, at) : lastOfEach(reading, [...all, image], 1, behind.slice(1), at);
  for await (const { items, last } of walk) {
    const found = { image: image ?? (String(items[0]) as ImagePath), digest: digestItem(items.at(-1)) };
    if (last !== undefined && last.value.length > 0) manifests.push(await manifestAt(reading, repository, found, last.position));
    next = found;
    if (manifests.length >= page.limit || walk.keys >= KEYS_A_PAGE) return { manifests, next };
  }
  return { manifests, next: undefined };
}

async function manifestAt(
  reading: Reading,
  repository: Uid,
  { image, digest }: ImageManifest,
  position: Position,
): Promise<ManifestThen> {
  return {
    pushed: await readOwn(reading, repository, position, 'ManifestPushed'),
    gone: await findGone(reading, repository, image, digest),
  };
}

async function findGone(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
  digest: Digest,
): Promise<RecordedEvent<ManifestDeleted> | undefined> {
  const last = await findLast(reading, historyKeys.manifest(repository, image, digest), undefined);
  if (last === undefined || last.value.length > 0) return undefined;
  return readOwn(reading, repository, last.position, 'ManifestDeleted');
}

/** The last key with a position under `items`, up to and with `at`. Costs one range read of one key. */
function findLast(reading: Reading, items: readonly KeyItem[], at: Position | undefined): Promise<Thing['last']> {
  return findLastUnder(reading.tx, historyPrefix(reading, items), at);
}

async function findLastUnder(tx: ReadTransaction, prefix: Buffer, at: Position | undefined): Promise<Thing['last']> {
  const { begin, end } = boundsOf(prefix);
  const border = at === undefined ? end : Buffer.concat([prefix, borderAt(placeOf(at), true)]);
  const [last] = await tx.getRange(begin, border, { limit: 1, reverse: true });
  return last && { position: positionAtPlace(last.key.subarray(prefix.length)), value: last.value };
}

/** About 5 ms on the embedded store. */
const KEYS_A_PAGE = 2_000;
const MOST_READ = 64;
const FEWEST_READ = 4;

interface Thing {
  /** What stands in its keys before their positions. */
  readonly items: readonly unknown[];
  /** Its last key at or before the position that is asked for. */
  readonly last: { readonly position: Position; readonly value: Buffer } | undefined;
}

/** Thing by thing; `keys` is what it has cost so far, a range read as much as ten keys. */
interface Walk extends AsyncIterable<Thing> {
  readonly keys: number;
}

/**
 * What stands under `items` behind all that begins with `after`, each named by so many parts, texts or bytes. Things with few keys are read many at a time, of one with many keys those behind the
 * position are leapt over.
 */
function lastOfEach(reading: Reading, items: readonly KeyItem[], parts: number, after: readonly KeyItem[], at: Position): Walk {
  const { tx } = reading;
  const prefix = historyPrefix(reading, items);
  const { begin: first, end } = boundsOf(prefix);
  let begin = after.length === 0 ? first : Buffer.concat([pack(prefix, after), AFTER_ALL]);
  let keys = 0;

  async function* walk(): AsyncGenerator<Thing, void> {
    for (let limit = MOST_READ; ;) {
      const page = await tx.getRange(begin, end, { limit });
      keys += RANGE_READ_COST + page.length;
      const things = thingsOf(page, prefix, parts);
      const isLast = page.length < limit;
      for (const [index, { head, entries }] of things.entries()) {
        const known = entries.findLast(({ position }) => comparePositions(position, at) <= 0);
        // Of the last thing there may be more keys than were read; what lies behind one that is too late is too late as well.
        const isWhole = isLast || index < things.length - 1 || known !== entries.at(-1);
        if (!isWhole) keys += RANGE_READ_COST;
        const last = isWhole ? known : await findLastUnder(tx, head, at);
        yield { items: unpack(head.subarray(prefix.length)), last };
      }
      const last = things.at(-1);
      if (isLast || last === undefined) return;
      begin = Buffer.concat([last.head, AFTER_ALL]);
      limit = Math.min(MOST_READ, Math.max(FEWEST_READ, things.length * 2));
    }
  }
  return {
    get keys() {
      return keys;
    },
    [Symbol.asyncIterator]: walk,
  };
}

interface KeysOfThing {
  /** What its keys begin with. */
  readonly head: Buffer;
  readonly entries: { readonly position: Position; readonly value: Buffer }[];
}

function thingsOf(page: readonly KeyValue[], prefix: Buffer, parts: number): readonly KeysOfThing[] {
  const things: KeysOfThing[] = [];
  for (const { key, value } of page) {
    const end = endOfTexts(key, prefix.length, parts);
    const entry = { position: positionAtPlace(key.subarray(end)), value };
    const last = things.at(-1);
    if (last?.head.length === end && key.compare(last.head, 0, end, 0, end) === 0) last.entries.push(entry);
    else things.push({ head: key.subarray(0, end), entries: [entry] });
  }
  return things;
}

/** Where so many texts or bytes of a tuple end. Tuple layer: behind each is a 0x00; one inside is followed by 0xff. */
function endOfTexts(key: Buffer, begin: number, parts: number): number {
  let end = begin;
  for (let part = 0; part < parts; part += 1) {
    end = key.indexOf(0x00, end + 1);
    while (key[end + 1] === 0xff) end = key.indexOf(0x00, end + 2);
    end += 1;
  }
  return end;
}

/** Sorts behind every type code of the tuple layer. */
const AFTER_ALL = Buffer.from([0xff]);

async function readOwn<K extends EventKind>(
  { tx, registry }: Reading,
  repository: Uid,
  position: Position,
  kind: K,
): Promise<RecordedEvent<PayloadOf<K>>> {
  const event = await readEvent(tx, registry.keyspace, repositoryStream(repository), position);
  if (event.payload.kind !== kind)
    throw new Error(`event ${event.id} is a ${event.payload.kind}, not the ${kind} that history names`);
  return event as RecordedEvent<PayloadOf<K>>;
}
