import protobuf from 'protobufjs/minimal.js';

import { parseDigest, type Digest } from '../digest.js';
import { parseUid, uidFromBytes, uidToBytes, type ImagePath, type Tag, type Uid } from '../identifiers.js';
import { CHECKSUM_TAG, hasChecksum, setChecksum, verifyChecksum } from './checksum.js';
import { EventReader } from './event-reader.js';
import { artifactstore } from './generated/events.js';
import {
  belongsTo,
  parseStream,
  type Actor,
  type ActorKind,
  type Authentication,
  type Description,
  type EventEnvelope,
  type EventKind,
  type EventPayload,
  type PayloadOf,
  type Principal,
  type RepositoryCreated,
  type Role,
} from './types.js';
import { downcast, upcast, type StoredPayload } from './upcasters.js';

/** An event is small: what is large (a manifest) lies beside the log under its digest. */
export const EVENT_MAX_BYTES = 10_000;

/**
 * What a store's servers have to know to read an event. A server reads every generation up to its release's own, and writes none above the one that
 * `meta/live` says all servers read. 1: release 0.1.0. 2: the checksum. 3: who may do what.
 */
type Generation = 1 | 2 | 3;

/** The newest generation that this release reads and writes. */
export const EVENT_GENERATION: Generation = 3;

const CHECKSUM_GENERATION: Generation = 2;
const ACTOR_KEY_GENERATION: Generation = 3;

/** Bytes of the log that are no event that this release knows. Its reader stops: an event is never skipped. */
export class EventDecodeError extends Error {
  override readonly name = 'EventDecodeError';
}

/** An envelope that can't be stored as it is: a fault of the code that made it. */
export class EventEncodeError extends Error {
  override readonly name = 'EventEncodeError';
}

/** An event that no message of an allowed generation can say: its command can be run once every server reads newer ones. */
export class EventTooNewError extends Error {
  override readonly name = 'EventTooNewError';
}

const wire = artifactstore.events;
type WireEvent = artifactstore.events.Event.$Properties;
type PayloadCase = NonNullable<WireEvent['payload']>;
type Wire<C extends PayloadCase> = NonNullable<WireEvent[C]>;

/** As servers up to this generation can read it. Throws an EventEncodeError or an EventTooNewError. */
export function encodeEvent(envelope: EventEnvelope, generation: number): Buffer {
  const event = toWire(envelope, generation);
  // protobufjs writes an empty string for a number, and says so only here.
  const wrong = wire.Event.verify(event);
  if (wrong !== null) throw new EventEncodeError(`${envelope.payload.kind}: ${wrong}`);
  const hasSum = generation >= CHECKSUM_GENERATION;
  const writer = protobuf.Writer.create();
  if (hasSum) writer.uint32(CHECKSUM_TAG).fixed32(0);
  const bytes = wire.Event.encode(event, writer).finish();
  if (bytes.length > EVENT_MAX_BYTES) {
    throw new EventEncodeError(`${envelope.payload.kind} has ${bytes.length} bytes; an event has at most ${EVENT_MAX_BYTES}`);
  }
  const encoded = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (hasSum) setChecksum(encoded);
  return encoded;
}

/** Throws an EventDecodeError on anything but one whole event that this release knows, and on one that its checksum says was changed. */
export function decodeEvent(bytes: Buffer): EventEnvelope {
  const checked = hasChecksum(bytes) ? verifyChecksum(bytes) : bytes;
  if (checked === undefined)
    throw new EventDecodeError(`${bytes.length} bytes are damaged: they are not what their checksum was made of`);
  let event;
  try {
    event = wire.Event.decode(new EventReader(checked));
  } catch (error) {
    throw new EventDecodeError(`${bytes.length} bytes are no event: ${error instanceof Error ? error.message : String(error)}`);
  }
  refuseUnknown(event, 'the event');
  const envelope = {
    id: readUid(event.id, 'id'),
    stream: parseStream(event.stream) ?? undecodable('stream', event.stream),
    occurredAt: readInteger(event.occurredAt, 'occurred_at'),
    actor: readActor(event.actor),
    requestId: readUid(event.requestId, 'request_id'),
    commandId: readUid(event.commandId, 'command_id'),
    correlationId: readUid(event.correlationId, 'correlation_id'),
    causationId: readOptionalUid(event.causationId, 'causation_id'),
    clientHash: event.clientHash.length === 0 ? undefined : readHash(event.clientHash, 'client_hash'),
    payload: upcast(readPayload(event, event.payload)),
  };
  const { stream, payload } = envelope;
  if (!belongsTo(payload.kind, stream)) undecodable(`stream of ${payload.kind}`, stream);
  return envelope;
}

// ---- Stored shapes: one reader for each message of the oneof, of every version; the type check misses the ones that are not here.

const readers: { readonly [C in PayloadCase]: (stored: Wire<C>) => StoredPayload } = {
  repositoryCreated: (stored) => ({
    kind: 'RepositoryCreatedV1',
    project: readUid(stored.project, 'project'),
    id: readName(stored.id, 'id'),
  }),
  repositoryCreatedV2: (stored) => ({
    kind: 'RepositoryCreated',
    project: readUid(stored.project, 'project'),
    projectId: readOptionalName(stored.projectId),
    id: readName(stored.id, 'id'),
    origin: readEnum(origins, stored.origin, 'origin'),
    scanning: stored.scanning ?? false,
  }),
  repositoryDeletionBegun: (stored) => ({
    kind: 'RepositoryDeletionBegun',
    project: readUid(stored.project, 'project'),
    projectId: readName(stored.projectId, 'project_id'),
    id: readName(stored.id, 'id'),
  }),
  repositoryDeleted: (stored) => ({
    kind: 'RepositoryDeleted',
    project: readUid(stored.project, 'project'),
    projectId: readName(stored.projectId, 'project_id'),
    id: readName(stored.id, 'id'),
  }),
  blobStored: (stored) => ({
    kind: 'BlobStored',
    digest: readDigest(stored.digest, 'digest'),
    size: readInteger(stored.size, 'size'),
    generation: readUid(stored.generation, 'generation'),
  }),
  blobPushed: (stored) => ({
    kind: 'BlobPushed',
    digest: readDigest(stored.digest, 'digest'),
    size: readInteger(stored.size, 'size'),
  }),
  blobMounted: (stored) => ({
    kind: 'BlobMounted',
    digest: readDigest(stored.digest, 'digest'),
    size: readInteger(stored.size, 'size'),
    fromRepository: readUid(stored.fromRepository, 'from_repository'),
  }),
  blobUnlinked: (stored) => ({ kind: 'BlobUnlinked', digest: readDigest(stored.digest, 'digest') }),
  manifestPushed: (stored) => ({
    kind: 'ManifestPushed',
    image: readImage(stored.image),
    digest: readDigest(stored.digest, 'digest'),
    mediaType: readName(stored.mediaType, 'media_type'),
    size: readInteger(stored.size, 'size'),
    artifactType: readOptionalName(stored.artifactType),
    subject: readOptionalDigest(stored.subject, 'subject'),
    config: readOptionalDigest(stored.config, 'config'),
    layersSize: readInteger(stored.layersSize, 'layers_size'),
  }),
  manifestDeleted: (stored) => ({
    kind: 'ManifestDeleted',
    image: readImage(stored.image),
    digest: readDigest(stored.digest, 'digest'),
  }),
  tagMoved: (stored) => ({
    kind: 'TagMoved',
    image: readImage(stored.image),
    tag: readName<Tag>(stored.tag, 'tag'),
    digest: readDigest(stored.digest, 'digest'),
    previous: readOptionalDigest(stored.previous, 'previous'),
  }),
  tagDeleted: (stored) => ({
    kind: 'TagDeleted',
    image: readImage(stored.image),
    tag: readName<Tag>(stored.tag, 'tag'),
    digest: readDigest(stored.digest, 'digest'),
  }),
  organizationCreated: (stored) => ({ kind: 'OrganizationCreated', id: readName(stored.id, 'id') }),
  projectCreated: (stored) => ({
    kind: 'ProjectCreated',
    organization: readUid(stored.organization, 'organization'),
    id: readName(stored.id, 'id'),
  }),
  userCreated: (stored) => ({ kind: 'UserCreated', nameHash: readHash(stored.nameHash, 'name_hash') }),
  roleGranted: (stored) => ({
    kind: 'RoleGranted',
    principal: readPrincipal(stored.principal),
    role: readEnum(roles, stored.role, 'role'),
  }),
  roleRevoked: (stored) => ({
    kind: 'RoleRevoked',
    principal: readPrincipal(stored.principal),
    role: readEnum(roles, stored.role, 'role'),
  }),
  repositorySettingsChanged: (stored) => ({
    kind: 'RepositorySettingsChanged',
    ...readDescription(stored),
    scanning: stored.scanning ?? false,
    immutableTags: stored.immutableTags ?? false,
    immutableTagExemptions: readLines(stored.immutableTagExemptions),
  }),
  contentErased: (stored) => ({ kind: 'ContentErased', digest: readDigest(stored.digest, 'digest') }),
  organizationDescribed: (stored) => ({ kind: 'OrganizationDescribed', ...readDescription(stored) }),
  organizationDeleted: (stored) => ({ kind: 'OrganizationDeleted', id: readName(stored.id, 'id') }),
  projectDescribed: (stored) => ({ kind: 'ProjectDescribed', ...readDescription(stored) }),
  projectDeleted: (stored) => ({
    kind: 'ProjectDeleted',
    organization: readUid(stored.organization, 'organization'),
    id: readName(stored.id, 'id'),
  }),
  userDisabled: () => ({ kind: 'UserDisabled' }),
  userEnabled: () => ({ kind: 'UserEnabled' }),
  userPasswordChanged: (stored) => ({ kind: 'UserPasswordChanged', reset: stored.reset ?? false }),
  userForgotten: (stored) => ({ kind: 'UserForgotten', nameHash: readHash(stored.nameHash, 'name_hash') }),
  serviceAccountCreated: (stored) => ({
    kind: 'ServiceAccountCreated',
    project: readUid(stored.project, 'project'),
    projectId: readName(stored.projectId, 'project_id'),
    id: readName(stored.id, 'id'),
    displayName: stored.displayName ?? '',
  }),
  serviceAccountDeleted: (stored) => ({
    kind: 'ServiceAccountDeleted',
    project: readUid(stored.project, 'project'),
    projectId: readName(stored.projectId, 'project_id'),
    id: readName(stored.id, 'id'),
  }),
  serviceAccountKeyAdded: (stored) => ({
    kind: 'ServiceAccountKeyAdded',
    key: readUid(stored.key, 'key'),
    publicKey: readHash(stored.publicKey, 'public_key'),
    expiresAt: readInteger(stored.expiresAt, 'expires_at') || undefined,
  }),
  serviceAccountKeyRevoked: (stored) => ({ kind: 'ServiceAccountKeyRevoked', key: readUid(stored.key, 'key') }),
};

// ---- What is written: for each kind its messages, the newest first; an older one is undefined for a payload that it can't say.

const generations: { readonly [C in PayloadCase]: Generation } = {
  repositoryCreated: 1,
  repositoryCreatedV2: 1,
  repositoryDeletionBegun: 1,
  repositoryDeleted: 1,
  blobStored: 1,
  blobPushed: 1,
  blobMounted: 1,
  blobUnlinked: 1,
  manifestPushed: 1,
  manifestDeleted: 1,
  tagMoved: 1,
  tagDeleted: 1,
  organizationCreated: 1,
  projectCreated: 1,
  userCreated: 1,
  roleGranted: 1,
  roleRevoked: 3,
  repositorySettingsChanged: 3,
  contentErased: 3,
  organizationDescribed: 3,
  organizationDeleted: 3,
  projectDescribed: 3,
  projectDeleted: 3,
  userDisabled: 3,
  userEnabled: 3,
  userPasswordChanged: 3,
  userForgotten: 3,
  serviceAccountCreated: 3,
  serviceAccountDeleted: 3,
  serviceAccountKeyAdded: 3,
  serviceAccountKeyRevoked: 3,
};

type Writers = { readonly [K in EventKind]: { readonly [C in PayloadCase]?: (payload: PayloadOf<K>) => Wire<C> | undefined } };

const writers: Writers = {
  RepositoryCreated: {
    repositoryCreatedV2: (payload) => ({
      project: writeUid(payload.project, 'project'),
      projectId: writeText(payload.projectId, 'projectId'),
      id: writeName(payload.id, 'id'),
      origin: writeEnum(origins, payload.origin, 'origin'),
      scanning: payload.scanning,
    }),
  },
  RepositoryDeletionBegun: {
    repositoryDeletionBegun: (payload) => ({
      project: writeUid(payload.project, 'project'),
      projectId: writeName(payload.projectId, 'projectId'),
      id: writeName(payload.id, 'id'),
    }),
  },
  RepositoryDeleted: {
    repositoryDeleted: (payload) => ({
      project: writeUid(payload.project, 'project'),
      projectId: writeName(payload.projectId, 'projectId'),
      id: writeName(payload.id, 'id'),
    }),
  },
  BlobStored: {
    blobStored: (payload) => ({
      digest: writeDigest(payload.digest, 'digest'),
      size: writeInteger(payload.size, 'size'),
      generation: writeUid(payload.generation, 'generation'),
    }),
  },
  BlobPushed: {
    blobPushed: (payload) => ({ digest: writeDigest(payload.digest, 'digest'), size: writeInteger(payload.size, 'size') }),
  },
  BlobMounted: {
    blobMounted: (payload) => ({
      digest: writeDigest(payload.digest, 'digest'),
      size: writeInteger(payload.size, 'size'),
      fromRepository: writeUid(payload.fromRepository, 'fromRepository'),
    }),
  },
  BlobUnlinked: { blobUnlinked: (payload) => ({ digest: writeDigest(payload.digest, 'digest') }) },
  ManifestPushed: {
    manifestPushed: (payload) => ({
      image: writeText(payload.image, 'image'),
      digest: writeDigest(payload.digest, 'digest'),
      mediaType: writeName(payload.mediaType, 'mediaType'),
      size: writeInteger(payload.size, 'size'),
      artifactType: writeText(payload.artifactType, 'artifactType'),
      subject: writeOptionalDigest(payload.subject, 'subject'),
      config: writeOptionalDigest(payload.config, 'config'),
      layersSize: writeInteger(payload.layersSize, 'layersSize'),
    }),
  },
  ManifestDeleted: {
    manifestDeleted: (payload) => ({ image: writeText(payload.image, 'image'), digest: writeDigest(payload.digest, 'digest') }),
  },
  TagMoved: {
    tagMoved: (payload) => ({
      image: writeText(payload.image, 'image'),
      tag: writeName(payload.tag, 'tag'),
      digest: writeDigest(payload.digest, 'digest'),
      previous: writeOptionalDigest(payload.previous, 'previous'),
    }),
  },
  TagDeleted: {
    tagDeleted: (payload) => ({
      image: writeText(payload.image, 'image'),
      tag: writeName(payload.tag, 'tag'),
      digest: writeDigest(payload.digest, 'digest'),
    }),
  },
  OrganizationCreated: { organizationCreated: (payload) => ({ id: writeName(payload.id, 'id') }) },
  ProjectCreated: {
    projectCreated: (payload) => ({
      organization: writeUid(payload.organization, 'organization'),
      id: writeName(payload.id, 'id'),
    }),
  },
  UserCreated: { userCreated: (payload) => ({ nameHash: writeHash(payload.nameHash, 'nameHash') }) },
  RoleGranted: {
    roleGranted: (payload) => ({ principal: writePrincipal(payload.principal), role: writeEnum(roles, payload.role, 'role') }),
  },
  RoleRevoked: {
    roleRevoked: (payload) => ({ principal: writePrincipal(payload.principal), role: writeEnum(roles, payload.role, 'role') }),
  },
  RepositorySettingsChanged: {
    repositorySettingsChanged: (payload) => ({
      ...writeDescription(payload),
      scanning: payload.scanning,
      immutableTags: payload.immutableTags,
      immutableTagExemptions: writeLines(payload.immutableTagExemptions, 'immutableTagExemptions'),
    }),
  },
  ContentErased: { contentErased: (payload) => ({ digest: writeDigest(payload.digest, 'digest') }) },
  OrganizationDescribed: { organizationDescribed: writeDescription },
  OrganizationDeleted: { organizationDeleted: (payload) => ({ id: writeName(payload.id, 'id') }) },
  ProjectDescribed: { projectDescribed: writeDescription },
  ProjectDeleted: {
    projectDeleted: (payload) => ({
      organization: writeUid(payload.organization, 'organization'),
      id: writeName(payload.id, 'id'),
    }),
  },
  UserDisabled: { userDisabled: () => ({}) },
  UserEnabled: { userEnabled: () => ({}) },
  UserPasswordChanged: { userPasswordChanged: (payload) => ({ reset: payload.reset }) },
  UserForgotten: { userForgotten: (payload) => ({ nameHash: writeHash(payload.nameHash, 'nameHash') }) },
  ServiceAccountCreated: {
    serviceAccountCreated: (payload) => ({
      project: writeUid(payload.project, 'project'),
      projectId: writeName(payload.projectId, 'projectId'),
      id: writeName(payload.id, 'id'),
      displayName: writeText(payload.displayName, 'displayName'),
    }),
  },
  ServiceAccountDeleted: {
    serviceAccountDeleted: (payload) => ({
      project: writeUid(payload.project, 'project'),
      projectId: writeName(payload.projectId, 'projectId'),
      id: writeName(payload.id, 'id'),
    }),
  },
  ServiceAccountKeyAdded: {
    serviceAccountKeyAdded: (payload) => ({
      key: writeUid(payload.key, 'key'),
      publicKey: writeHash(payload.publicKey, 'publicKey'),
      expiresAt: payload.expiresAt === undefined ? 0 : writeInteger(payload.expiresAt, 'expiresAt'),
    }),
  },
  ServiceAccountKeyRevoked: { serviceAccountKeyRevoked: (payload) => ({ key: writeUid(payload.key, 'key') }) },
};

// ---- Enumerations: the place in the list is the number in the schema; '' is one that is never stored.

const actorKinds: readonly (ActorKind | '')[] = ['', 'system', 'anonymous', 'user', 'service-account'];
const authentications: readonly (Authentication | '')[] = ['', 'none', 'password', 'token', 'key'];
const principalKinds: readonly (Principal['kind'] | '')[] = [
  '',
  'user',
  'service-account',
  'all-users',
  'all-authenticated-users',
];
const origins: readonly RepositoryCreated['origin'][] = ['unknown', 'command', 'push'];
const roles: readonly (Role | '')[] = ['', 'viewer', 'editor', 'owner'];

// ---- Reading.

function undecodable(field: string, value: unknown): never {
  throw new EventDecodeError(`${field} of an event is ${JSON.stringify(value)}, which no release has written`);
}

function refuseUnknown(message: { readonly $unknowns?: Uint8Array[] }, what: string): void {
  if (message.$unknowns !== undefined) {
    throw new EventDecodeError(`${what} has fields that this release does not know; a newer one wrote it, or it is damaged`);
  }
}

function readPayload<C extends PayloadCase>(event: WireEvent, payload: C | undefined): StoredPayload {
  const stored = payload === undefined ? undefined : event[payload];
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- the rule does not see the null in what C may stand for
  if (payload === undefined || stored === undefined || stored === null) {
    throw new EventDecodeError('the event has no payload that this release knows; a newer one wrote it');
  }
  refuseUnknown(stored, payload);
  return readers[payload](stored);
}

function readActor(stored: WireEvent['actor']): Actor {
  if (stored === undefined || stored === null) throw new EventDecodeError('the event has no actor');
  refuseUnknown(stored, 'actor');
  const kind = readEnum(actorKinds, stored.kind, 'actor.kind');
  const uid = readOptionalUid(stored.uid, 'actor.uid');
  if ((uid === undefined) === hasUid(kind)) undecodable('actor.uid', uid);
  const key = readOptionalUid(stored.key, 'actor.key');
  if (key !== undefined && kind !== 'service-account') undecodable('actor.key', key);
  const authentication = readEnum(authentications, stored.authentication, 'actor.authentication');
  return { kind, uid, authentication, ...(key === undefined ? {} : { key }) };
}

function hasUid(kind: ActorKind): boolean {
  return kind === 'user' || kind === 'service-account';
}

function readPrincipal(stored: Wire<'roleGranted'>['principal']): Principal {
  if (stored === undefined || stored === null) throw new EventDecodeError('the event has no principal');
  refuseUnknown(stored, 'principal');
  const kind = readEnum(principalKinds, stored.kind, 'principal.kind');
  if (kind === 'user' || kind === 'service-account') return { kind, uid: readUid(stored.uid, 'principal.uid') };
  const uid = readOptionalUid(stored.uid, 'principal.uid');
  return uid === undefined ? { kind } : undecodable('principal.uid', uid);
}

function readUid(stored: Uint8Array | null | undefined, field: string): Uid {
  if (stored?.length !== 16) throw new EventDecodeError(`${field} of an event has ${stored?.length ?? 0} bytes; a uid has 16`);
  return uidFromBytes(stored);
}

function readOptionalUid(stored: Uint8Array | null | undefined, field: string): Uid | undefined {
  return stored === null || stored === undefined || stored.length === 0 ? undefined : readUid(stored, field);
}

function readDigest(stored: string | null | undefined, field: string): Digest {
  return parseDigest(stored ?? '') ?? undecodable(field, stored ?? '');
}

function readOptionalDigest(stored: string | null | undefined, field: string): Digest | undefined {
  return stored === null || stored === undefined || stored === '' ? undefined : readDigest(stored, field);
}

// The grammar of names is not held against what is stored: one that gets stricter must not make the past unreadable.
function readName<T extends string>(stored: string | null | undefined, field: string): T {
  return readOptionalName<T>(stored) ?? undecodable(field, '');
}

function readOptionalName<T extends string>(stored: string | null | undefined): T | undefined {
  return stored === null || stored === undefined || stored === '' ? undefined : (stored as T);
}

function readImage(stored: string | null | undefined): ImagePath {
  return (stored ?? '') as ImagePath;
}

function readHash(stored: Uint8Array | null | undefined, field: string): string {
  if (stored?.length !== 32) throw new EventDecodeError(`${field} of an event has ${stored?.length ?? 0} bytes, not 32`);
  return Buffer.from(stored.buffer, stored.byteOffset, stored.length).toString('hex');
}

function readDescription({ displayName, description }: Wire<'projectDescribed'>): Description {
  return { displayName: displayName ?? '', description: description ?? '' };
}

function readLines(stored: string | null | undefined): readonly string[] {
  return stored === null || stored === undefined || stored === '' ? [] : stored.split('\n');
}

type WireInteger = artifactstore.events.BlobPushed['size'];

// protobufjs hands out 64-bit integers as long.js's objects; a negative one has a high half that is out of range when it is taken as unsigned.
function readInteger(stored: WireInteger | null | undefined, field: string): number {
  const value =
    stored === null || stored === undefined
      ? 0
      : typeof stored === 'number'
        ? stored
        : (stored.high >>> 0) * 4_294_967_296 + (stored.low >>> 0);
  return Number.isSafeInteger(value) && value >= 0 ? value : undecodable(field, String(stored));
}

function readEnum<T extends string>(names: readonly (T | '')[], stored: number | null | undefined, field: string): T {
  const name = names[stored ?? 0];
  return name === undefined || name === '' ? undecodable(field, stored ?? 0) : name;
}

// ---- Writing.

function unencodable(field: string, value: unknown): never {
  throw new EventEncodeError(
    `${field} of an event can't be ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`,
  );
}

function toWire(envelope: EventEnvelope, generation: number): WireEvent {
  const { kind } = envelope.payload;
  const stream = parseStream(envelope.stream) ?? unencodable('stream', envelope.stream);
  if (!belongsTo(kind, stream)) unencodable(`stream of ${kind}`, stream);
  return {
    id: writeUid(envelope.id, 'id'),
    stream,
    occurredAt: writeInteger(envelope.occurredAt, 'occurredAt'),
    actor: writeActor(envelope.actor, generation),
    requestId: writeUid(envelope.requestId, 'requestId'),
    commandId: writeUid(envelope.commandId, 'commandId'),
    correlationId: writeUid(envelope.correlationId, 'correlationId'),
    ...(envelope.causationId === undefined ? {} : { causationId: writeUid(envelope.causationId, 'causationId') }),
    ...(envelope.clientHash === undefined ? {} : { clientHash: writeHash(envelope.clientHash, 'clientHash') }),
    ...writePayload(kind, envelope.payload, generation),
  };
}

function writePayload<K extends EventKind>(kind: K, payload: EventPayload, generation: number): WireEvent {
  const written = downcast(writers[kind], generations, payload as PayloadOf<K>, generation);
  if (written !== undefined) return written;
  throw new EventTooNewError(
    `${kind} has no message of generation ${generation}; it can be written once no server of an older release runs beside this one`,
  );
}

function writeActor(actor: Actor, generation: number): NonNullable<WireEvent['actor']> {
  const { uid, kind, authentication, key } = actor;
  if ((uid === undefined) === hasUid(kind)) unencodable('actor.uid', uid);
  if (key !== undefined && kind !== 'service-account') unencodable('actor.key', key);
  return {
    ...(uid === undefined ? {} : { uid: writeUid(uid, 'actor.uid') }),
    kind: writeEnum(actorKinds, kind, 'actor.kind'),
    authentication: writeEnum(authentications, authentication, 'actor.authentication'),
    ...(key === undefined ? {} : { key: writeKey(key, generation) }),
  };
}

// The platform's directory may have accounts already while the registry's is still on its way to their generation.
function writeKey(key: Uid, generation: number): Buffer {
  if (generation >= ACTOR_KEY_GENERATION) return writeUid(key, 'actor.key');
  throw new EventTooNewError(
    'what a service account does can be written down once no server of an older release runs beside this one, and all indexes are built',
  );
}

function writePrincipal(principal: Principal): NonNullable<Wire<'roleGranted'>['principal']> {
  const kind = writeEnum(principalKinds, principal.kind, 'principal.kind');
  if (principal.kind === 'user' || principal.kind === 'service-account') {
    return { kind, uid: writeUid(principal.uid, 'principal.uid') };
  }
  return 'uid' in principal ? unencodable('principal.uid', principal.uid) : { kind };
}

function writeUid(uid: Uid, field: string): Buffer {
  return uidToBytes(parseUid(uid) ?? unencodable(field, uid));
}

function writeDigest(digest: Digest, field: string): string {
  return parseDigest(digest) ?? unencodable(field, digest);
}

function writeOptionalDigest(digest: Digest | undefined, field: string): string {
  return digest === undefined ? '' : writeDigest(digest, field);
}

function writeName(text: string, field: string): string {
  return text === '' ? unencodable(field, text) : writeText(text, field);
}

// Half of a surrogate pair has no UTF-8 form: it would come back as another character.
function writeText(text: string | undefined, field: string): string {
  return typeof text === 'string' && /\p{Surrogate}/u.test(text) ? unencodable(field, text) : (text ?? '');
}

function writeDescription({ displayName, description }: Description): Wire<'projectDescribed'> {
  return { displayName: writeText(displayName, 'displayName'), description: writeText(description, 'description') };
}

function writeLines(lines: readonly string[], field: string): string {
  const wrong = lines.find((line) => line === '' || line.includes('\n'));
  return wrong === undefined ? writeText(lines.join('\n'), field) : unencodable(field, wrong);
}

function writeHash(hash: string, field: string): Buffer {
  return /^[0-9a-f]{64}$/.test(hash) ? Buffer.from(hash, 'hex') : unencodable(field, hash);
}

function writeInteger(value: number, field: string): number {
  return Number.isSafeInteger(value) && value >= 0 ? value : unencodable(field, value);
}

function writeEnum<T extends string>(names: readonly (T | '')[], name: T, field: string): number {
  const number = names.indexOf(name);
  return number < 0 || name === '' ? unencodable(field, name) : number;
}
