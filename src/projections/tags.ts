import { digestFromBytes, digestToBytes, type Digest } from '../digest.js';
import type { ImagePath, Tag, Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import { aggregateUid, nothing, projection } from './projection.js';
import { indexOf, type Reading } from './store.js';
import { splitPosition } from './views.js';

/** What each tag points at, and which tags point at a manifest. */
export const tags = projection({
  name: 'tags',
  version: 1,
  directory: 'registry',
  mode: 'inline',
  apply: {
    TagMoved(event, view) {
      const { image, tag, digest, previous } = event.payload;
      const repository = uuidItem(aggregateUid(event));
      if (previous !== undefined) view.clear(['digest', repository, image, digestToBytes(previous), tag]);
      view.setWithPosition(['tag', repository, image, tag], digestToBytes(digest));
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

/** Costs one read. */
export async function findTag(reading: Reading, repository: Uid, image: ImagePath, tag: Tag): Promise<Digest | undefined> {
  const value = await indexOf(reading, tags).get(['tag', uuidItem(repository), image, tag]);
  return value === undefined ? undefined : digestFromBytes(splitPosition(value).rest);
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
  const found = await indexOf(reading, tags).range(['tag', uuidItem(repository)], { limit });
  return found.map(({ items: [image, tag], value }) => ({
    image: String(image) as ImagePath,
    tag: String(tag) as Tag,
    digest: digestFromBytes(splitPosition(value).rest),
  }));
}
