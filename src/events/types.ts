import { parseDigest, type Digest } from '../digest.js';
import { parseUid, type ImagePath, type ProjectId, type RepositoryId, type Tag, type Uid } from '../identifiers.js';
import type { Position } from './position.js';

/**
 * What can happen, in its newest shape only: older ones are turned into these when they are read (upcasters.ts). A fact that was not given is
 * `undefined`; its property is there all the same, so that nobody forgets to say it.
 */

/** A service account's id, unique in its project. */
export type AccountId = string & { readonly __brand: 'AccountId' };
export type OrganizationId = string & { readonly __brand: 'OrganizationId' };

/** What an event happened to: `<aggregate>/<uid or digest>`. */
export type Stream = string & { readonly __brand: 'Stream' };

const aggregates = {
  repository: parseUid,
  project: parseUid,
  organization: parseUid,
  user: parseUid,
  'service-account': parseUid,
  blob: parseDigest,
} as const;

export type Aggregate = keyof typeof aggregates;

export const repositoryStream = (repository: Uid): Stream => `repository/${repository}` as Stream;
export const projectStream = (project: Uid): Stream => `project/${project}` as Stream;
export const organizationStream = (organization: Uid): Stream => `organization/${organization}` as Stream;
export const serviceAccountStream = (account: Uid): Stream => `service-account/${account}` as Stream;
export const userStream = (user: Uid): Stream => `user/${user}` as Stream;
export const blobStream = (digest: Digest): Stream => `blob/${digest}` as Stream;

export function parseStream(text: string): Stream | undefined {
  const slash = text.indexOf('/');
  const aggregate = text.slice(0, Math.max(slash, 0));
  if (!Object.hasOwn(aggregates, aggregate)) return undefined;
  return aggregates[aggregate as Aggregate](text.slice(slash + 1)) === undefined ? undefined : (text as Stream);
}

export function aggregateOf(stream: Stream): Aggregate {
  return stream.slice(0, stream.indexOf('/')) as Aggregate;
}

/** The uid of a stream whose aggregate has one, or the digest of a blob's. */
export function subjectOf(stream: Stream): string {
  return stream.slice(stream.indexOf('/') + 1);
}

export type ActorKind = 'system' | 'anonymous' | 'user' | 'service-account';
export type Authentication = 'none' | 'password' | 'token' | 'key';

export interface Actor {
  readonly kind: ActorKind;
  /** Of a user or a service account; the system and anonymous callers have none. */
  readonly uid?: Uid | undefined;
  readonly authentication: Authentication;
  /** The service account's key that was used. */
  readonly key?: Uid | undefined;
}

export type Role = 'viewer' | 'editor' | 'owner';

/** Whom a role is granted to. `all-users`: anybody, also without credentials. */
export type Principal =
  { readonly kind: 'user' | 'service-account'; readonly uid: Uid } | { readonly kind: 'all-users' | 'all-authenticated-users' };

/** Stream of the repository. */
export interface RepositoryCreated {
  readonly kind: 'RepositoryCreated';
  readonly project: Uid;
  /** As it was when the repository was created; not known of events of the first version. */
  readonly projectId: ProjectId | undefined;
  readonly id: RepositoryId;
  /** `push`: by the first push into it. `unknown`: an event of the first version. */
  readonly origin: 'command' | 'push' | 'unknown';
  readonly scanning: boolean;
}

/** The repository is invisible and its id is free from here on; its content goes in bounded transactions after. */
export interface RepositoryDeletionBegun {
  readonly kind: 'RepositoryDeletionBegun';
  readonly project: Uid;
  readonly projectId: ProjectId;
  readonly id: RepositoryId;
}

export interface RepositoryDeleted {
  readonly kind: 'RepositoryDeleted';
  readonly project: Uid;
  readonly projectId: ProjectId;
  readonly id: RepositoryId;
}

/** Stream of the blob: the bytes that all repositories' links to the digest mean from here on. */
export interface BlobStored {
  readonly kind: 'BlobStored';
  readonly digest: Digest;
  readonly size: number;
  /** The upload that brought the bytes. */
  readonly generation: Uid;
}

/** Stream of the repository: it may read the blob from here on. */
export interface BlobPushed {
  readonly kind: 'BlobPushed';
  readonly digest: Digest;
  readonly size: number;
}

export interface BlobMounted {
  readonly kind: 'BlobMounted';
  readonly digest: Digest;
  readonly size: number;
  readonly fromRepository: Uid;
}

export interface BlobUnlinked {
  readonly kind: 'BlobUnlinked';
  readonly digest: Digest;
}

export interface ManifestPushed {
  readonly kind: 'ManifestPushed';
  readonly image: ImagePath;
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest. */
  readonly size: number;
  readonly artifactType: string | undefined;
  readonly subject: Digest | undefined;
  /** An index has none. */
  readonly config: Digest | undefined;
  /** Sum of the layers' sizes. */
  readonly layersSize: number;
}

export interface ManifestDeleted {
  readonly kind: 'ManifestDeleted';
  readonly image: ImagePath;
  readonly digest: Digest;
}

export interface TagMoved {
  readonly kind: 'TagMoved';
  readonly image: ImagePath;
  readonly tag: Tag;
  readonly digest: Digest;
  /** What the tag pointed at; a new tag has none. */
  readonly previous: Digest | undefined;
}

export interface TagDeleted {
  readonly kind: 'TagDeleted';
  readonly image: ImagePath;
  readonly tag: Tag;
  /** What it pointed at. */
  readonly digest: Digest;
}

/** Stream of the organization. */
export interface OrganizationCreated {
  readonly kind: 'OrganizationCreated';
  readonly id: OrganizationId;
}

/** Stream of the project. */
export interface ProjectCreated {
  readonly kind: 'ProjectCreated';
  readonly organization: Uid;
  readonly id: ProjectId;
}

/** Stream of the user, whose e-mail and name lie under personal/<uid>. */
export interface UserCreated {
  readonly kind: 'UserCreated';
  /** HMAC-SHA256 of the lower-case login name, keyed by the registry's salt; 64 lower-case hex digits. */
  readonly nameHash: string;
}

/** Stream of what the role is on. */
export interface RoleGranted {
  readonly kind: 'RoleGranted';
  readonly principal: Principal;
  readonly role: Role;
}

/** Stream of what the role was on. */
export interface RoleRevoked {
  readonly kind: 'RoleRevoked';
  readonly principal: Principal;
  /** What it was. */
  readonly role: Role;
}

/** What people call a thing, and say of it; both may be empty. */
export interface Description {
  readonly displayName: string;
  readonly description: string;
}

export interface RepositorySettings extends Description {
  readonly scanning: boolean;
  /** A tag that is there is never moved and never deleted, but for those that match an exemption. */
  readonly immutableTags: boolean;
  /** Patterns of tags: commands/immutable-tags.ts. */
  readonly immutableTagExemptions: readonly string[];
}

/** Stream of the repository: all of its settings, as they are from here on. */
export interface RepositorySettingsChanged extends RepositorySettings {
  readonly kind: 'RepositorySettingsChanged';
}

/** Stream of the blob: the bytes, of a manifest, a config or a blob, are gone for ever. */
export interface ContentErased {
  readonly kind: 'ContentErased';
  readonly digest: Digest;
}

export interface OrganizationDescribed extends Description {
  readonly kind: 'OrganizationDescribed';
}

export interface OrganizationDeleted {
  readonly kind: 'OrganizationDeleted';
  readonly id: OrganizationId;
}

export interface ProjectDescribed extends Description {
  readonly kind: 'ProjectDescribed';
}

export interface ProjectDeleted {
  readonly kind: 'ProjectDeleted';
  readonly organization: Uid;
  readonly id: ProjectId;
}

export interface UserDisabled {
  readonly kind: 'UserDisabled';
}

export interface UserEnabled {
  readonly kind: 'UserEnabled';
}

/** The hash lies under personal/<uid>. */
export interface UserPasswordChanged {
  readonly kind: 'UserPasswordChanged';
  /** By an administrator, or made by one at first. */
  readonly reset: boolean;
}

/** What was personal beside the log is gone, and the name is free. */
export interface UserForgotten {
  readonly kind: 'UserForgotten';
  /** As in UserCreated. */
  readonly nameHash: string;
}

/** Stream of the service account. */
export interface ServiceAccountCreated {
  readonly kind: 'ServiceAccountCreated';
  readonly project: Uid;
  readonly projectId: ProjectId;
  readonly id: AccountId;
  readonly displayName: string;
}

export interface ServiceAccountDeleted {
  readonly kind: 'ServiceAccountDeleted';
  readonly project: Uid;
  readonly projectId: ProjectId;
  readonly id: AccountId;
}

export interface ServiceAccountKeyAdded {
  readonly kind: 'ServiceAccountKeyAdded';
  readonly key: Uid;
  /** Ed25519, 32 bytes as 64 lower-case hex digits. RFC 8032. */
  readonly publicKey: string;
  /** Microseconds since 1970. */
  readonly expiresAt: number | undefined;
}

export interface ServiceAccountKeyRevoked {
  readonly kind: 'ServiceAccountKeyRevoked';
  readonly key: Uid;
}

export type EventPayload =
  | RepositoryCreated
  | RepositoryDeletionBegun
  | RepositoryDeleted
  | BlobStored
  | BlobPushed
  | BlobMounted
  | BlobUnlinked
  | ManifestPushed
  | ManifestDeleted
  | TagMoved
  | TagDeleted
  | OrganizationCreated
  | ProjectCreated
  | UserCreated
  | RoleGranted
  | RoleRevoked
  | RepositorySettingsChanged
  | ContentErased
  | OrganizationDescribed
  | OrganizationDeleted
  | ProjectDescribed
  | ProjectDeleted
  | UserDisabled
  | UserEnabled
  | UserPasswordChanged
  | UserForgotten
  | ServiceAccountCreated
  | ServiceAccountDeleted
  | ServiceAccountKeyAdded
  | ServiceAccountKeyRevoked;

export type EventKind = EventPayload['kind'];
export type PayloadOf<K extends EventKind> = Extract<EventPayload, { readonly kind: K }>;

/** Whose streams an event may stand in. */
const homes: { readonly [K in EventKind]: readonly Aggregate[] } = {
  RepositoryCreated: ['repository'],
  RepositoryDeletionBegun: ['repository'],
  RepositoryDeleted: ['repository'],
  BlobStored: ['blob'],
  BlobPushed: ['repository'],
  BlobMounted: ['repository'],
  BlobUnlinked: ['repository'],
  ManifestPushed: ['repository'],
  ManifestDeleted: ['repository'],
  TagMoved: ['repository'],
  TagDeleted: ['repository'],
  OrganizationCreated: ['organization'],
  ProjectCreated: ['project'],
  UserCreated: ['user'],
  RoleGranted: ['organization', 'project', 'repository'],
  RoleRevoked: ['organization', 'project', 'repository'],
  RepositorySettingsChanged: ['repository'],
  ContentErased: ['blob'],
  OrganizationDescribed: ['organization'],
  OrganizationDeleted: ['organization'],
  ProjectDescribed: ['project'],
  ProjectDeleted: ['project'],
  UserDisabled: ['user'],
  UserEnabled: ['user'],
  UserPasswordChanged: ['user'],
  UserForgotten: ['user'],
  ServiceAccountCreated: ['service-account'],
  ServiceAccountDeleted: ['service-account'],
  ServiceAccountKeyAdded: ['service-account'],
  ServiceAccountKeyRevoked: ['service-account'],
};

export function belongsTo(kind: EventKind, stream: Stream): boolean {
  return homes[kind].includes(aggregateOf(stream));
}

export interface EventEnvelope<P extends EventPayload = EventPayload> {
  readonly id: Uid;
  readonly stream: Stream;
  /** Microseconds since 1970 by the server's clock: shown, never decided on. */
  readonly occurredAt: number;
  readonly actor: Actor;
  readonly requestId: Uid;
  readonly commandId: Uid;
  readonly correlationId: Uid;
  /** The event that a process reacted to; a client's request has none. */
  readonly causationId?: Uid | undefined;
  /** HMAC-SHA256 of the client's address and user agent, keyed by the registry's salt; 64 lower-case hex digits. The system's own commands have none. */
  readonly clientHash?: string | undefined;
  readonly payload: P;
}

/** An event as the log has it. */
export interface RecordedEvent<P extends EventPayload = EventPayload> extends EventEnvelope<P> {
  readonly position: Position;
}
