import { digestFromBytes, digestToBytes, type Digest } from '../digest.js';
import type { ActorKind } from '../events/types.js';
import type { ImagePath, Tag, Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import { aggregateUid, decodeJson, encodeJson, nothing, projection } from './projection.js';
import { indexOf, type Reading } from './store.js';
import { tagsV1 } from './tags-v1.js';
import { splitPosition } from './views.js';

/** Who moved a tag last. */
export interface Mover {
  readonly kind: ActorKind;
  readonly uid?: Uid | undefined;
}

interface TagRecord {
  readonly digest: Digest;
  readonly movedBy: Mover;
}

/** What each tag points at and who made it so, and which tags point at a manifest. */
export const tags = projection({
  name: 'tags',
  version: 2,
  directory: 'registry',
  mode: 'inline',
  previous: tagsV1,
  apply: {
    TagMoved(event, view) {
      const { image, tag, digest, previous } = event.payload;
      const { kind, uid } = event.actor;
      const repository = uuidItem(aggregateUid(event));
      if (previous !== undefined) view.clear(['digest', repository, image, digestToBytes(previous), tag]);
      const record: TagRecord = { digest, movedBy: { kind, uid } };
      view.setWithPosition(['tag', repository, image, tag], encodeJson(record));
      view.set(['digest', repository, image, digestToBytes(digest), tag], nothing);
    },
    TagDeleted(event, view) {
      const { image, tag, digest } = event.payload;
      const repository = uuidItem(aggregateUid(event));
      view.clear(['digest', repository, image, digestToBytes(digest), tag]);
      view.clear(['tag', repository, image, tag]);
    },
  },
});

/** `movedBy` is undefined while version 1 is live, which does not say. */
export interface TagEntry {
  readonly digest: Digest;
  readonly movedBy: Mover | undefined;
}

function decodeEntry(version: number, value: Buffer): TagEntry {
  const { rest } = splitPosition(value);
  return version === 1 ? { digest: digestFromBytes(rest), movedBy: undefined } : decodeJson<TagRecord>(rest);
}

/** Costs one read. */
export async function findTagEntry(reading: Reading, repository: Uid, image: ImagePath, tag: Tag): Promise<TagEntry | undefined> {
  const index = indexOf(reading, tags);
  const value = await index.get(['tag', uuidItem(repository), image, tag]);
  return value === undefined ? undefined : decodeEntry(index.version, value);
}

/** Costs one read. */
export async function findTag(reading: Reading, repository: Uid, image: ImagePath, tag: Tag): Promise<Digest | undefined> {
  return (await findTagEntry(reading, repository, image, tag))?.digest;
}

/** The tags of an image in ASCII order after `after`. Costs one range read of `limit` keys. */
export async function listTags(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
  page: { readonly after?: string | undefined; readonly limit?: number },
): Promise<readonly Tag[]> {
  const { after, ...limit } = page;
  const found = await indexOf(reading, tags).range(['tag', uuidItem(repository), image], {
    ...limit,
    after: after === undefined ? undefined : [after],
  });
  return found.map(({ items }) => String(items[0]) as Tag);
}

/** The first `limit` tags that point at a manifest. */
export async function listTagsOf(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
  digest: Digest,
  limit: number,
): Promise<readonly Tag[]> {
  const found = await indexOf(reading, tags).range(['digest', uuidItem(repository), image, digestToBytes(digest)], { limit });
  return found.map(({ items }) => String(items[0]) as Tag);
}

/** The first `limit` tags of a repository, image by image, with what they point at. */
export async function listTagsOfRepository(
  reading: Reading,
  repository: Uid,
  limit: number,
): Promise<readonly { readonly image: ImagePath; readonly tag: Tag; readonly digest: Digest }[]> {
  const index = indexOf(reading, tags);
  const found = await index.range(['tag', uuidItem(repository)], { limit });
  return found.map(({ items: [image, tag], value }) => ({
    image: String(image) as ImagePath,
    tag: String(tag) as Tag,
    digest: decodeEntry(index.version, value).digest,
  }));
}
