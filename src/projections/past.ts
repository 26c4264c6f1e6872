import { digestFromBytes, digestToBytes, type Digest } from '../digest.js';
import { readEvent } from '../events/log.js';
import type { Position } from '../events/position.js';
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
import { historyKeys } from './history.js';
import { findLast, lastOfEach } from './last-keys.js';
import { digestItem, type ImageManifest } from './manifests.js';
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

/** Of one page, in keys: some milliseconds on the embedded store. */
const KEYS_A_PAGE = 1_000;

/** The image's tags at a position in ASCII order. A page may be short, or empty: `next` says behind which tag to go on. Throws ProjectionNotLiveError. */
export async function listTagsAt(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
  at: Position,
  page: { readonly after?: Tag | undefined; readonly limit: number },
): Promise<{ readonly tags: readonly TagThen[]; readonly next: Tag | undefined }> {
  const tags: Omit<TagThen, 'gone'>[] = [];
  let next = page.after;
  const walk = lastOfEach(reading, historyKeys.tags(repository, image), 1, next === undefined ? [] : [next], at);
  for await (const { items, last } of walk) {
    const tag = String(items[0]) as Tag;
    if (last !== undefined && last.value.length > 0) {
      const digest = digestFromBytes(last.value);
      tags.push({ tag, digest, since: last.position });
    }
    next = tag;
    if (tags.length >= page.limit || walk.keys >= KEYS_A_PAGE) return { tags: await withGone(tags), next };
  }
  return { tags: await withGone(tags), next: undefined };

  function withGone(found: readonly Omit<TagThen, 'gone'>[]): Promise<readonly TagThen[]> {
    return inBatches(found, async (one) => ({ ...one, gone: await findGone(reading, repository, image, one.digest) }));
  }
}

/** Things read at once: one after another, each would be a way to the cluster and back. */
const READ_AT_ONCE = 100;

async function inBatches<T, R>(all: readonly T[], read: (one: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let first = 0; first < all.length; first += READ_AT_ONCE) {
    results.push(...(await Promise.all(all.slice(first, first + READ_AT_ONCE).map(read))));
  }
  return results;
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
  const manifests: (ImageManifest & { readonly position: Position })[] = [];
  let next = page.after;
  const behind = next === undefined ? [] : [next.image, digestToBytes(next.digest)];
  const all = historyKeys.manifests(repository);
  const walk =
    image === undefined ? lastOfEach(reading, all, 2, behind, at) : lastOfEach(reading, [...all, image], 1, behind.slice(1), at);
  for await (const { items, last } of walk) {
    const found = { image: image ?? (String(items[0]) as ImagePath), digest: digestItem(items.at(-1)) };
    if (last !== undefined && last.value.length > 0) manifests.push({ ...found, position: last.position });
    next = found;
    if (manifests.length >= page.limit || walk.keys >= KEYS_A_PAGE) return { manifests: await asThen(manifests), next };
  }
  return { manifests: await asThen(manifests), next: undefined };

  function asThen(found: readonly (ImageManifest & { readonly position: Position })[]): Promise<readonly ManifestThen[]> {
    return inBatches(found, (one) => manifestAt(reading, repository, one, one.position));
  }
}

async function manifestAt(
  reading: Reading,
  repository: Uid,
  { image, digest }: ImageManifest,
  position: Position,
): Promise<ManifestThen> {
  const [pushed, gone] = await Promise.all([
    readOwn(reading, repository, position, 'ManifestPushed'),
    findGone(reading, repository, image, digest),
  ]);
  return { pushed, gone };
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
