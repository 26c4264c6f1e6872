import type { Digest } from '../digest.js';
import type { Position } from '../events/position.js';
import type { ManifestDeleted, ManifestPushed, RecordedEvent, TagDeleted } from '../events/types.js';
import type { ImagePath, Tag, Uid } from '../identifiers.js';
import type { ImageManifest } from './manifests.js';
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
export function findTagAt(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
  tag: Tag,
  at: Position,
): Promise<TagThen | { readonly deleted: RecordedEvent<TagDeleted> } | undefined> {
  return Promise.reject(new Error(`${reading.registry.name} ${repository} ${image} ${tag} ${at.incarnation}`));
}

/** Whether a tag of this name was ever pushed, there now or not. Costs one read. Throws ProjectionNotLiveError. */
export function wasEverTagged(reading: Reading, repository: Uid, image: ImagePath, tag: Tag): Promise<boolean> {
  return Promise.reject(new Error(`${reading.registry.name} ${repository} ${image} ${tag}`));
}

/** The image's tags at a position in ASCII order. A page may be short, or empty: `next` says behind which tag to go on. Throws ProjectionNotLiveError. */
export function listTagsAt(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
  at: Position,
  page: { readonly after?: Tag | undefined; readonly limit: number },
): Promise<{ readonly tags: readonly TagThen[]; readonly next: Tag | undefined }> {
  return Promise.reject(new Error(`${reading.registry.name} ${repository} ${image} ${at.incarnation} ${page.limit}`));
}

/** The manifest at a position; undefined where it was not there then. Throws ProjectionNotLiveError. */
export function findManifestAt(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
  digest: Digest,
  at: Position,
): Promise<ManifestThen | undefined> {
  return Promise.reject(new Error(`${reading.registry.name} ${repository} ${image} ${digest} ${at.incarnation}`));
}

/**
 * The manifests at a position, of an image or of all of the repository's, image by image, in the order of their digests' bytes. A page may be short, or empty:
 * `next` says behind which manifest to go on. Throws ProjectionNotLiveError.
 */
export function listManifestsAt(
  reading: Reading,
  repository: Uid,
  image: ImagePath | undefined,
  at: Position,
  page: { readonly after?: ImageManifest | undefined; readonly limit: number },
): Promise<{ readonly manifests: readonly ManifestThen[]; readonly next: ImageManifest | undefined }> {
  return Promise.reject(new Error(`${reading.registry.name} ${repository} ${image ?? ''} ${at.incarnation} ${page.limit}`));
}
