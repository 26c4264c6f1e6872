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
import { boundsOf, stampOfKey } from '../keyvalue/keyspace.js';
import { pack, unpack, type KeyItem } from '../keyvalue/tuple.js';
import { historyKeys, historyPrefix } from './history.js';
import { digestItem, type ImageManifest } from './manifests.js';
import { borderAt, placeOf, positionAtPlace } from './position-ranges.js';
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

/** Distinct tags or manifests that one page looks at: each costs two range reads. */
const LOOKED_AT = 500;

/** The image's tags at a position in ASCII order. A page may be short, or empty: `next` says behind which tag to go on. Throws ProjectionNotLiveError. */
export async function listTagsAt(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
  at: Position,
  page: { readonly after?: Tag | undefined; readonly limit: number },
): Promise<{ readonly tags: readonly TagThen[]; readonly next: Tag | undefined }> {
  const tags: TagThen[] = [];
  let after = page.after;
  for (let looked = 0; looked < LOOKED_AT && tags.length < page.limit; looked += 1) {
    const first = await findFirst(reading, historyKeys.tags(repository, image), after === undefined ? [] : [after]);
    if (first === undefined) return { tags, next: undefined };
    const tag = String(first.items[0]) as Tag;
    after = tag;
    if (comparePositions(first.position, at) > 0) continue;
    const then = await findTagAt(reading, repository, image, tag, at);
    if (then !== undefined && !('deleted' in then)) tags.push(then);
  }
  return { tags, next: after };
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
  return {
    pushed: await readOwn(reading, repository, change.position, 'ManifestPushed'),
    gone: await findGone(reading, repository, image, digest),
  };
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
  let after = page.after;
  for (let looked = 0; looked < LOOKED_AT && manifests.length < page.limit; looked += 1) {
    const first = await findFirstManifest(reading, repository, image, after);
    if (first === undefined) return { manifests, next: undefined };
    after = first;
    if (comparePositions(first.position, at) > 0) continue;
    const then = await findManifestAt(reading, repository, first.image, first.digest, at);
    if (then !== undefined) manifests.push(then);
  }
  return { manifests, next: after };
}

async function findFirstManifest(
  reading: Reading,
  repository: Uid,
  image: ImagePath | undefined,
  after: ImageManifest | undefined,
): Promise<(ImageManifest & { readonly position: Position }) | undefined> {
  const behind = after && [after.image, digestToBytes(after.digest)];
  const all = historyKeys.manifests(repository);
  if (image !== undefined) {
    const first = await findFirst(reading, [...all, image], behind?.slice(1) ?? []);
    return first && { image, digest: digestItem(first.items[0]), position: first.position };
  }
  const first = await findFirst(reading, all, behind ?? []);
  return first && { image: String(first.items[0]) as ImagePath, digest: digestItem(first.items[1]), position: first.position };
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
async function findLast(
  reading: Reading,
  items: readonly KeyItem[],
  at: Position | undefined,
): Promise<{ readonly position: Position; readonly value: Buffer } | undefined> {
  const prefix = historyPrefix(reading, items);
  const { begin, end } = boundsOf(prefix);
  const border = at === undefined ? end : Buffer.concat([prefix, borderAt(placeOf(at), true)]);
  const [last] = await reading.tx.getRange(begin, border, { limit: 1, reverse: true });
  return last && { position: positionAtPlace(last.key.subarray(prefix.length)), value: last.value };
}

/** The first key under `items` behind all that begin with `after`, and what stands in it before its position. Costs one range read of one key. */
async function findFirst(
  reading: Reading,
  items: readonly KeyItem[],
  after: readonly KeyItem[],
): Promise<{ readonly items: readonly unknown[]; readonly position: Position } | undefined> {
  const prefix = historyPrefix(reading, items);
  const { begin, end } = boundsOf(prefix);
  const behind = after.length === 0 ? begin : Buffer.concat([pack(prefix, after), AFTER_ALL]);
  const [first] = await reading.tx.getRange(behind, end, { limit: 1 });
  if (first === undefined) return undefined;
  const stamp = stampOfKey(first.key);
  const found = unpack(first.key.subarray(prefix.length, first.key.length - stamp.length - 1));
  const incarnation = found.pop();
  if (typeof incarnation !== 'number') throw new Error(`no incarnation in ${first.key.toString('hex')}`);
  return { items: found, position: { incarnation, stamp } };
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
