import { digestToBytes, type Digest } from '../digest.js';
import type { Actor, EventEnvelope, EventKind } from '../events/types.js';
import { parseUid, uidToBytes, type ImagePath, type RepositoryId, type Tag, type Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import type { KeyItem } from '../keyvalue/tuple.js';
import { aggregateUid, nothing, projection, type AppliedEvent, type View } from './projection.js';

/**
 * Which events of the registry's log a question of history is about: a key for each, in the order of the log. The repository's own history is its stream.
 * Every push pays for these keys, so a filter by kind and one by actor share theirs.
 */
export const history = projection({
  name: 'history',
  version: 1,
  directory: 'registry',
  mode: 'inline',
  apply: {
    RepositoryCreated: recordBearer(true),
    RepositoryDeletionBegun: recordBearer(false),
    RepositoryDeleted(event, view) {
      recordMaker(event, view);
      view.setAtPosition(historyKeys.project(event.payload.project), uidToBytes(aggregateUid(event)));
    },
    BlobStored: standsElsewhere,
    BlobPushed: recordBlob,
    BlobMounted: recordBlob,
    BlobUnlinked: recordBlob,
    ManifestPushed: recordManifest(true),
    ManifestDeleted: recordManifest(false),
    TagMoved(event, view) {
      const { image, tag, digest, previous } = event.payload;
      const repository = aggregateUid(event);
      recordMaker(event, view);
      view.setAtPosition(historyKeys.image(repository, image), nothing);
      view.setAtPosition(historyKeys.tag(repository, image, tag), digestToBytes(digest));
      view.setAtPosition(historyKeys.digest(repository, digest), nothing);
      if (previous !== undefined) view.setAtPosition(historyKeys.digest(repository, previous), nothing);
    },
    TagDeleted(event, view) {
      const { image, tag, digest } = event.payload;
      const repository = aggregateUid(event);
      recordMaker(event, view);
      view.setAtPosition(historyKeys.image(repository, image), nothing);
      view.setAtPosition(historyKeys.tag(repository, image, tag), nothing);
      view.setAtPosition(historyKeys.digest(repository, digest), nothing);
    },
    OrganizationCreated: standsElsewhere,
    ProjectCreated: standsElsewhere,
    UserCreated: standsElsewhere,
    RoleGranted: recordMaker,
  } satisfies { readonly [K in EventKind]: (event: AppliedEvent<K>, view: View) => void },
});

/** What stands in front of the positions of the events that are about ... */
export const historyKeys = {
  /** Value: none. */
  image: (repository: Uid, image: ImagePath): KeyItem[] => ['image', uuidItem(repository), image],
  /** Value: the digest that the tag points at from here on; empty when it is deleted. */
  tag: (repository: Uid, image: ImagePath, tag: Tag): KeyItem[] => ['tag', uuidItem(repository), image, tag],
  /** Pushes and deletions. Value: `pushed`, or empty. */
  manifest: (repository: Uid, image: ImagePath, digest: Digest): KeyItem[] => [
    'manifest',
    uuidItem(repository),
    image,
    digestToBytes(digest),
  ],
  /** In any image, as blob, manifest, or what a tag points at or pointed at. Value: none. */
  digest: (repository: Uid, digest: Digest): KeyItem[] => ['digest', uuidItem(repository), digestToBytes(digest)],
  /** All of a repository's events. Value: none. */
  by: (repository: Uid, kind: EventKind, actor: string): KeyItem[] => ['by', uuidItem(repository), kind, actorItem(actor)],
  /** Repositories that begin or end to bear an id. Value: `begins` or `ends`, then the uid. */
  bearer: (project: Uid, id: RepositoryId): KeyItem[] => ['bearer', uuidItem(project), id],
  /** Creations and deletions of its repositories. Value: the repository's uid. */
  project: (project: Uid): KeyItem[] => ['project', uuidItem(project)],
} as const;

/** Value of a manifest's key where it was pushed. */
export const pushed = Buffer.from([1]);

const begins = Buffer.from([1]);
const ends = Buffer.from([0]);

/** Who did it, in one text: the uid, or the kind of who has none. */
export function actorText({ uid, kind }: Actor): string {
  return uid ?? kind;
}

function actorItem(text: string): KeyItem {
  const uid = parseUid(text);
  return uid === undefined ? text : uuidItem(uid);
}

function recordMaker(event: EventEnvelope, view: View): void {
  view.setAtPosition(historyKeys.by(aggregateUid(event), event.payload.kind, actorText(event.actor)), nothing);
}

function recordBearer(beginning: boolean) {
  return (event: AppliedEvent<'RepositoryCreated' | 'RepositoryDeletionBegun'>, view: View): void => {
    const uid = uidToBytes(aggregateUid(event));
    const { project, id } = event.payload;
    recordMaker(event, view);
    view.setAtPosition(historyKeys.bearer(project, id), Buffer.concat([beginning ? begins : ends, uid]));
    view.setAtPosition(historyKeys.project(project), uid);
  };
}

function recordBlob(event: AppliedEvent<'BlobPushed' | 'BlobMounted' | 'BlobUnlinked'>, view: View): void {
  recordMaker(event, view);
  view.setAtPosition(historyKeys.digest(aggregateUid(event), event.payload.digest), nothing);
}

function recordManifest(isThere: boolean) {
  return (event: AppliedEvent<'ManifestPushed' | 'ManifestDeleted'>, view: View): void => {
    const { image, digest } = event.payload;
    const repository = aggregateUid(event);
    recordMaker(event, view);
    view.setAtPosition(historyKeys.image(repository, image), nothing);
    view.setAtPosition(historyKeys.manifest(repository, image, digest), isThere ? pushed : nothing);
    view.setAtPosition(historyKeys.digest(repository, digest), nothing);
  };
}

/** The history of a blob's bytes, which belong to no repository, and of what the platform's log has, is their stream. */
function standsElsewhere(): void {
  return undefined;
}
