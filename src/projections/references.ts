import { digestToBytes, type Digest } from '../digest.js';
import type { ImagePath, Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import type { KeyItem } from '../keyvalue/tuple.js';
import { digestItem, type ImageManifest } from './manifests.js';
import { aggregateUid, nothing, projection, type AppliedEvent, type View } from './projection.js';
import { uidItem } from './repositories.js';
import { indexOf, type Reading } from './store.js';

/**
 * Which blobs a repository may read (links), and which manifests hold blobs and other manifests. References are sets, a key for each (held, holder), so
 * that a thousand builds on one base layer write distinct keys.
 */
export const references = projection({
  name: 'references',
  version: 1,
  directory: 'registry',
  mode: 'inline',
  apply: {
    BlobPushed: link,
    BlobMounted: link,
    BlobUnlinked(event, view) {
      const repository = uuidItem(aggregateUid(event));
      const digest = digestToBytes(event.payload.digest);
      view.clear(['link', repository, digest]);
      view.clear(['linked', digest, repository]);
    },
    async ManifestPushed(event, view) {
      for (const key of await keysOfHeld(event, view)) view.set(key, nothing);
    },
    async ManifestDeleted(event, view) {
      for (const key of await keysOfHeld(event, view)) view.clear(key);
    },
  },
});

function link(event: AppliedEvent<'BlobPushed' | 'BlobMounted'>, view: View): void {
  const repository = uuidItem(aggregateUid(event));
  const digest = digestToBytes(event.payload.digest);
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(event.payload.size));
  view.set(['link', repository, digest], size);
  view.set(['linked', digest, repository], nothing);
}

/** Non-distributable layers hold nothing: they need not be here. A subject neither: it may come later, and go before what refers to it. */
async function keysOfHeld(event: AppliedEvent<'ManifestPushed' | 'ManifestDeleted'>, view: View): Promise<readonly KeyItem[][]> {
  const { image, digest } = event.payload;
  const repository = uuidItem(aggregateUid(event));
  const holder = digestToBytes(digest);
  return (await view.held(digest)).map((held) =>
    held.kind === 'manifest'
      ? ['child', repository, image, digestToBytes(held.digest), holder]
      : ['blob', repository, digestToBytes(held.digest), image, holder],
  );
}

/** The size of a blob that the repository may read, or undefined where it may not. Costs one read. */
export async function findLink(reading: Reading, repository: Uid, digest: Digest): Promise<number | undefined> {
  const size = await indexOf(reading, references).get(['link', uuidItem(repository), digestToBytes(digest)]);
  return size === undefined ? undefined : Number(size.readBigUInt64BE());
}

/** The first `limit` blobs that the repository may read. */
export async function listLinks(reading: Reading, repository: Uid, limit: number): Promise<readonly Digest[]> {
  const found = await indexOf(reading, references).range(['link', uuidItem(repository)], { limit });
  return found.map(({ items }) => digestItem(items[0]));
}

/** At most `limit` repositories that may read the blob. */
export async function listLinkingRepositories(reading: Reading, digest: Digest, limit: number): Promise<readonly Uid[]> {
  const found = await indexOf(reading, references).range(['linked', digestToBytes(digest)], { limit });
  return found.map(({ items }) => uidItem(items[0]));
}

/** At most `limit` manifests of the repository that hold the blob. */
export async function listBlobHolders(
  reading: Reading,
  repository: Uid,
  digest: Digest,
  limit: number,
): Promise<readonly ImageManifest[]> {
  const found = await indexOf(reading, references).range(['blob', uuidItem(repository), digestToBytes(digest)], { limit });
  return found.map(({ items: [image, holder] }) => ({ image: String(image) as ImagePath, digest: digestItem(holder) }));
}

/** At most `limit` indexes of the image that list the manifest. */
export async function listManifestHolders(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
  digest: Digest,
  limit: number,
): Promise<readonly Digest[]> {
  const found = await indexOf(reading, references).range(['child', uuidItem(repository), image, digestToBytes(digest)], {
    limit,
  });
  return found.map(({ items }) => digestItem(items[0]));
}
