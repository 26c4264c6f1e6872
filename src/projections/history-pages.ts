import type { Digest } from '../digest.js';
import type { Position } from '../events/position.js';
import type { EventKind, RecordedEvent } from '../events/types.js';
import type { ImagePath, RepositoryId, Tag, Uid } from '../identifiers.js';
import type { Reading } from './store.js';

/** Whose history. An image's is of its manifests and tags; a digest's of blobs too, unless an image is given. */
export type HistoryOf =
  | { readonly kind: 'repository'; readonly repository: Uid }
  | { readonly kind: 'image'; readonly repository: Uid; readonly image: ImagePath }
  | { readonly kind: 'tag'; readonly repository: Uid; readonly image: ImagePath; readonly tag: Tag }
  | { readonly kind: 'digest'; readonly repository: Uid; readonly image: ImagePath | undefined; readonly digest: Digest }
  /** The project's own stream, with the creations and deletions of its repositories. */
  | { readonly kind: 'project'; readonly project: Uid };

export interface HistoryPageOptions {
  /** Only events behind this one. */
  readonly after?: Position | undefined;
  /** Only events before this one. */
  readonly before?: Position | undefined;
  readonly newestFirst: boolean;
  /**
   * At most so many events; one more where the platform's log and the registry's have an event at the position of the last, which are never parted.
   */
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

/**
 * The history of one thing or of several, each event once, in the order of positions. Needs the index `history`, but for a repository without filters, whose
 * stream is enough. Throws ProjectionNotLiveError.
 */
export function readHistory(reading: Reading, of: readonly HistoryOf[], options: HistoryPageOptions): Promise<HistoryPage> {
  return Promise.reject(new Error(`no history of ${of.length} at ${reading.registry.name} with ${options.limit}`));
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
export function listBearers(reading: Reading, project: Uid, id: RepositoryId): Promise<readonly Bearer[]> {
  return Promise.reject(new Error(`no bearers of ${project}/${id} at ${reading.registry.name}`));
}
