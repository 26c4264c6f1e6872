import { digestToBytes, type Digest } from '../digest.js';
import type { Actor, EventEnvelope, EventKind } from '../events/types.js';
import { parseUid, uidToBytes, type ImagePath, type RepositoryId, type Tag, type Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import { pack, type KeyItem } from '../keyvalue/tuple.js';
import { aggregateUid, nothing, projection, type AppliedEvent, type View } from './projection.js';
import { indexOf, type Reading } from './store.js';

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
    RoleRevoked: recordMaker,
    RepositorySettingsChanged: recordMaker,
    ContentErased: standsElsewhere,
    OrganizationDescribed: standsElsewhere,
    OrganizationDeleted: standsElsewhere,
    ProjectDescribed: standsElsewhere,
    ProjectDeleted: standsElsewhere,
    UserDisabled: standsElsewhere,
    UserEnabled: standsElsewhere,
    UserPasswordChanged: standsElsewhere,
    UserForgotten: standsElsewhere,
    ServiceAccountCreated: standsElsewhere,
    ServiceAccountDeleted: standsElsewhere,
    ServiceAccountKeyAdded: standsElsewhere,
    ServiceAccountKeyRevoked: standsElsewhere,
  } satisfies { readonly [K in EventKind]: (event: AppliedEvent<K>, view: View) => void },
});

/** What stands in front of the positions of the events that are about ... */
export const historyKeys = {
  /** Value: none. */
  image: (repository: Uid, image: ImagePath): KeyItem[] => ['image', uuidItem(repository), image],
  /** Value: the digest that the tag points at from here on; empty when it is deleted. */
  tag: (repository: Uid, image: ImagePath, tag: Tag): KeyItem[] => [...historyKeys.tags(repository, image), tag],
  tags: (repository: Uid, image: ImagePath): KeyItem[] => ['tag', uuidItem(repository), image],
  /** Pushes and deletions. Value: `pushed`, or empty. */
  manifest: (repository: Uid, image: ImagePath, digest: Digest): KeyItem[] => [
    ...historyKeys.manifests(repository),
    image,
    digestToBytes(digest),
  ],
  manifests: (repository: Uid): KeyItem[] => ['manifest', uuidItem(repository)],
  /** In any image, as blob, manifest, or what a tag points at or pointed at. Value: none. */
  digest: (repository: Uid, digest: Digest): KeyItem[] => ['digest', uuidItem(repository), digestToBytes(digest)],
  /** All of a repository's events. Value: none. */
  by: (repository: Uid, kind: EventKind, actor: string): KeyItem[] => [...historyKeys.makers(repository, kind), actorItem(actor)],
  /** Behind it stand the kinds of a repository's events, ... */
  kinds: (repository: Uid): KeyItem[] => ['by', uuidItem(repository)],
  /** ... and behind this those who made one of that kind. */
  makers: (repository: Uid, kind: EventKind): KeyItem[] => ['by', uuidItem(repository), kind],
  /** Repositories that begin or end to bear an id. Value: `BEGINS` or another byte, then the uid. */
  bearer: (project: Uid, id: RepositoryId): KeyItem[] => ['bearer', uuidItem(project), id],
  /** Creations and deletions of its repositories. Value: the repository's uid. */
  project: (project: Uid): KeyItem[] => ['project', uuidItem(project)],
} as const;

/** Value of a manifest's key where it was pushed. */
export const pushed = Buffer.from([1]);

/** In front of a bearer's uid. */
export const BEGINS = 1;
const ENDS = 0;

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
    view.setAtPosition(historyKeys.bearer(project, id), Buffer.from([beginning ? BEGINS : ENDS, ...uid]));
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

/** What the live build's keys behind `items` begin with. Throws ProjectionNotLiveError. */
export function historyPrefix(reading: Reading, items: readonly KeyItem[]): Buffer {
  return pack(indexOf(reading, history).prefix, items);
}
