import fc, { type Arbitrary } from 'fast-check';
import type { Digest } from '../../src/digest.js';
import type { ImagePath, ProjectId, RepositoryId, Tag, Uid } from '../../src/identifiers.js';
import {
  blobStream,
  organizationStream,
  projectStream,
  repositoryStream,
  userStream,
  serviceAccountStream,
  type AccountId,
  type Actor,
  type EventEnvelope,
  type EventKind,
  type EventPayload,
  type OrganizationId,
  type PayloadOf,
  type Principal,
  type Stream,
} from '../../src/events/types.js';
import { eventKinds } from '../../src/events/words.js';

const hex = (length: number): Arbitrary<string> =>
  fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length }).map((digits) => digits.join(''));
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });
const name = <T extends string>(): Arbitrary<T> => text as Arbitrary<T>;

export const uids = hex(32).map(
  (digits) =>
    `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}` as Uid,
);
export const digests = fc.oneof(
  hex(64).map((digits) => `sha256:${digits}` as Digest),
  hex(128).map((digits) => `sha512:${digits}` as Digest),
);
const sizes = fc.oneof(fc.maxSafeNat(), fc.nat(300));
const optional = <T>(some: Arbitrary<T>): Arbitrary<T | undefined> => fc.option(some, { nil: undefined });
const images = fc.oneof(fc.constant('' as ImagePath), name<ImagePath>());
const principals: Arbitrary<Principal> = fc
  .oneof(
    fc.record({ kind: fc.constantFrom('user', 'service-account'), uid: uids }),
    fc.record({ kind: fc.constantFrom('all-users', 'all-authenticated-users') }),
  )
  .map((principal) => ({ ...principal }));
const account = { project: uids, projectId: name<ProjectId>(), id: name<AccountId>() };
const description = { displayName: fc.oneof(fc.constant(''), text), description: fc.oneof(fc.constant(''), text) };
const project = { project: uids, projectId: name<ProjectId>(), id: name<RepositoryId>() };

const payloadsOf: { readonly [K in EventKind]: Arbitrary<Omit<PayloadOf<K>, 'kind'>> } = {
  RepositoryCreated: fc.record({
    ...project,
    projectId: optional(name<ProjectId>()),
    origin: fc.constantFrom('command', 'push', 'unknown'),
    scanning: fc.boolean(),
  }),
  RepositoryDeletionBegun: fc.record(project),
  RepositoryDeleted: fc.record(project),
  BlobStored: fc.record({ digest: digests, size: sizes, generation: uids }),
  BlobPushed: fc.record({ digest: digests, size: sizes }),
  BlobMounted: fc.record({ digest: digests, size: sizes, fromRepository: uids }),
  BlobUnlinked: fc.record({ digest: digests }),
  ManifestPushed: fc.record({
    image: images,
    digest: digests,
    mediaType: text,
    size: sizes,
    artifactType: optional(text),
    subject: optional(digests),
    config: optional(digests),
    layersSize: sizes,
  }),
  ManifestDeleted: fc.record({ image: images, digest: digests }),
  TagMoved: fc.record({ image: images, tag: name<Tag>(), digest: digests, previous: optional(digests) }),
  TagDeleted: fc.record({ image: images, tag: name<Tag>(), digest: digests }),
  OrganizationCreated: fc.record({ id: name<OrganizationId>() }),
  ProjectCreated: fc.record({ organization: uids, id: name<ProjectId>() }),
  UserCreated: fc.record({ nameHash: hex(64) }),
  RoleGranted: fc.record({ principal: principals, role: fc.constantFrom('viewer', 'editor', 'owner') }),
  RoleRevoked: fc.record({ principal: principals, role: fc.constantFrom('viewer', 'editor', 'owner') }),
  RepositorySettingsChanged: fc.record({
    ...description,
    scanning: fc.boolean(),
    immutableTags: fc.boolean(),
    immutableTagExemptions: fc.array(
      text.filter((line) => !line.includes('\n')),
      { maxLength: 20 },
    ),
  }),
  ContentErased: fc.record({ digest: digests }),
  OrganizationDescribed: fc.record(description),
  OrganizationDeleted: fc.record({ id: name<OrganizationId>() }),
  ProjectDescribed: fc.record(description),
  ProjectDeleted: fc.record({ organization: uids, id: name<ProjectId>() }),
  UserDisabled: fc.constant({}),
  UserEnabled: fc.constant({}),
  UserPasswordChanged: fc.record({ reset: fc.boolean() }),
  UserForgotten: fc.record({ nameHash: hex(64) }),
  ServiceAccountCreated: fc.record({ ...account, displayName: fc.oneof(fc.constant(''), text) }),
  ServiceAccountDeleted: fc.record(account),
  ServiceAccountKeyAdded: fc.record({ key: uids, publicKey: hex(64), expiresAt: optional(fc.integer({ min: 1, max: 2 ** 52 })) }),
  ServiceAccountKeyRevoked: fc.record({ key: uids }),
};

function payloadOf(kind: EventKind): Arbitrary<EventPayload> {
  return (payloadsOf[kind] as Arbitrary<object>).map((fields) => ({ kind, ...fields }) as EventPayload);
}

function streamsFor(kind: EventKind): Arbitrary<Stream> {
  switch (kind) {
    case 'BlobStored':
    case 'ContentErased':
      return digests.map(blobStream);
    case 'OrganizationCreated':
    case 'OrganizationDescribed':
    case 'OrganizationDeleted':
      return uids.map(organizationStream);
    case 'ProjectCreated':
    case 'ProjectDescribed':
    case 'ProjectDeleted':
      return uids.map(projectStream);
    case 'UserCreated':
    case 'UserDisabled':
    case 'UserEnabled':
    case 'UserPasswordChanged':
    case 'UserForgotten':
      return uids.map(userStream);
    case 'ServiceAccountCreated':
    case 'ServiceAccountDeleted':
    case 'ServiceAccountKeyAdded':
    case 'ServiceAccountKeyRevoked':
      return uids.map(serviceAccountStream);
    case 'RoleRevoked':
    case 'RoleGranted':
      return fc.oneof(uids.map(repositoryStream), uids.map(projectStream), uids.map(organizationStream));
    default:
      return uids.map(repositoryStream);
  }
}

const actors: Arbitrary<Actor> = fc
  .tuple(
    fc.oneof(
      fc.record({ kind: fc.constantFrom<Actor['kind']>('user', 'service-account'), uid: uids }),
      fc.record({ kind: fc.constantFrom<Actor['kind']>('system', 'anonymous'), uid: fc.constant(undefined) }),
    ),
    fc.constantFrom<Actor['authentication']>('none', 'password', 'token', 'key'),
  )
  .map(([who, authentication]) => ({ ...who, authentication }));

const actorsWithKeys: Arbitrary<Actor> = fc.oneof(
  actors,
  fc
    .tuple(uids, fc.constantFrom<Actor['authentication']>('token', 'key'), uids)
    .map(([uid, authentication, key]) => ({ kind: 'service-account' as const, uid, authentication, key })),
);

/** What release 0.1.0 wrote, and servers up to generation 2. */
export const firstKinds: readonly EventKind[] = [
  ...(['RepositoryCreated', 'RepositoryDeletionBegun', 'RepositoryDeleted'] as const),
  ...(['BlobStored', 'BlobPushed', 'BlobMounted', 'BlobUnlinked', 'ManifestPushed', 'ManifestDeleted'] as const),
  ...(['TagMoved', 'TagDeleted', 'OrganizationCreated', 'ProjectCreated', 'UserCreated', 'RoleGranted'] as const),
];

const WHO_MAY_DO_WHAT = 3;

/** What a generation can say. */
export function envelopesOf(generation: number): Arbitrary<EventEnvelope> {
  const kinds = generation < WHO_MAY_DO_WHAT ? firstKinds : eventKinds;
  return fc
    .record({
      id: uids,
      occurredAt: fc.maxSafeNat(),
      actor: generation < WHO_MAY_DO_WHAT ? actors : actorsWithKeys,
      requestId: uids,
      commandId: uids,
      correlationId: uids,
      causationId: optional(uids),
      clientHash: optional(hex(64)),
      payload: fc.oneof(...kinds.map(payloadOf)),
    })
    .chain((envelope) => streamsFor(envelope.payload.kind).map((stream) => ({ ...envelope, stream })));
}
