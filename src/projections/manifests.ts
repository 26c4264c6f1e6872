import { digestFromBytes, digestToBytes, type Digest } from '../digest.js';
import type { Position } from '../events/position.js';
import type { ImagePath, Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import { aggregateUid, decodeJson, encodeJson, projection } from './projection.js';
import { indexOf, type Reading } from './store.js';
import { splitPosition } from './views.js';

export interface ManifestRecord {
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string | undefined;
  readonly subject?: Digest | undefined;
  readonly config?: Digest | undefined;
}

/** The manifests of each image. */
export const manifests = projection({
  name: 'manifests',
  version: 1,
  directory: 'registry',
  mode: 'inline',
  apply: {
    ManifestPushed(event, view) {
      const { image, digest, mediaType, size, artifactType, subject, config } = event.payload;
      const record: ManifestRecord = { mediaType, size, artifactType, subject, config };
      view.setWithPosition([uuidItem(aggregateUid(event)), image, digestToBytes(digest)], encodeJson(record));
    },
    ManifestDeleted(event, view) {
      view.clear([uuidItem(aggregateUid(event)), event.payload.image, digestToBytes(event.payload.digest)]);
    },
  },
});

/** Costs one read. */
export async function findManifest(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
  digest: Digest,
): Promise<(ManifestRecord & { readonly pushed: Position }) | undefined> {
  const value = await indexOf(reading, manifests).get([uuidItem(repository), image, digestToBytes(digest)]);
  if (value === undefined) return undefined;
  const { position, rest } = splitPosition(value);
  return { ...decodeJson<ManifestRecord>(rest), pushed: position };
}

/** All manifests of an image, in the order of their digests. Costs what there are. */
export async function listManifests(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
): Promise<readonly (ManifestRecord & { readonly digest: Digest; readonly pushed: Position })[]> {
  const found = await indexOf(reading, manifests).range([uuidItem(repository), image]);
  return found.map(({ items, value }) => {
    const { position, rest } = splitPosition(value);
    return { ...decodeJson<ManifestRecord>(rest), digest: digestItem(items[0]), pushed: position };
  });
}

/** The images of a repository that have a manifest, in order. Costs a read for each. */
export async function listImages(reading: Reading, repository: Uid): Promise<readonly ImagePath[]> {
  const index = indexOf(reading, manifests);
  const images: ImagePath[] = [];
  for (;;) {
    const last = images.at(-1);
    const [next] = await index.range([uuidItem(repository)], { limit: 1, after: last === undefined ? undefined : [last] });
    if (next === undefined) return images;
    images.push(String(next.items[0]) as ImagePath);
  }
}

/** A manifest by its place in a repository. */
export interface ImageManifest {
  readonly image: ImagePath;
  readonly digest: Digest;
}

/** The first `limit` manifests of a repository, image by image, with their sizes in bytes. */
export async function listManifestsOfRepository(
  reading: Reading,
  repository: Uid,
  limit: number,
): Promise<readonly (ImageManifest & { readonly size: number })[]> {
  const found = await indexOf(reading, manifests).range([uuidItem(repository)], { limit });
  return found.map(({ items: [image, digest], value }) => ({
    image: String(image) as ImagePath,
    digest: digestItem(digest),
    size: decodeJson<ManifestRecord>(splitPosition(value).rest).size,
  }));
}

/** A digest as the tuple layer unpacks it. */
export function digestItem(item: unknown): Digest {
  if (!Buffer.isBuffer(item)) throw new Error('a key part that is no digest');
  return digestFromBytes(item);
}
