import { directoryPrefix, createKeyspace, type Keyspace } from '../../src/keyvalue/keyspace.js';
import type { Digest } from '../../src/digest.js';
import type { ImagePath, ProjectId, RepositoryId, Tag, Uid } from '../../src/identifiers.js';
import { decodeEvent, encodeEvent } from '../../src/events/codec.js';
import { artifactstore } from '../../src/events/generated/events.js';
import {
  blobStream,
  organizationStream,
  projectStream,
  repositoryStream,
  serviceAccountStream,
  userStream,
  type AccountId,
  type Actor,
  type EventEnvelope,
  type EventPayload,
  type OrganizationId,
  type Stream,
} from '../../src/events/types.js';

/**
 * What the golden files are made from, once (scripts/write-golden.js). They are the proof, not this: a file is never written again, so a sample may only
 * be added. Its name is the message's name in the oneof, with a suffix where there are several of one.
 */

export const uid = (digit: string): Uid => `0190a000-0000-7000-8000-${digit.repeat(12)}` as Uid;
export const sha256 = (digit: string): Digest => `sha256:${digit.repeat(64)}` as Digest;
export const sha512 = (digit: string): Digest => `sha512:${digit.repeat(128)}` as Digest;

const user: Actor = { kind: 'user', uid: uid('a'), authentication: 'token' };
const system: Actor = { kind: 'system', uid: undefined, authentication: 'none' };

export function envelopeOf<P extends EventPayload>(
  stream: Stream,
  payload: P,
  more: Partial<EventEnvelope> = {},
): EventEnvelope<P> {
  return {
    id: uid('1'),
    stream,
    occurredAt: 1_763_781_234_567_890,
    actor: user,
    requestId: uid('2'),
    commandId: uid('3'),
    correlationId: uid('2'),
    causationId: undefined,
    clientHash: more.actor?.kind === 'system' ? undefined : 'c1'.repeat(32),
    ...more,
    payload,
  };
}

const repository = repositoryStream(uid('4'));
const project = uid('5');
const projectId = 'shop' as ProjectId;
const id = 'web' as RepositoryId;
const image = 'backend/api' as ImagePath;
const none = '' as ImagePath;
const tag = 'v1.0_rc-1' as Tag;
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** By the newest message of their kind. */
const newest: Readonly<Record<string, EventEnvelope>> = {
  repositoryCreatedV2: envelopeOf(repository, {
    kind: 'RepositoryCreated',
    project,
    projectId,
    id,
    origin: 'push',
    scanning: true,
  }),
  'repositoryCreatedV2.command': envelopeOf(
    repository,
    { kind: 'RepositoryCreated', project, projectId, id, origin: 'command', scanning: false },
    { actor: { kind: 'service-account', uid: uid('b'), authentication: 'key' } },
  ),
  repositoryDeletionBegun: envelopeOf(repository, { kind: 'RepositoryDeletionBegun', project, projectId, id }),
  repositoryDeleted: envelopeOf(
    repository,
    { kind: 'RepositoryDeleted', project, projectId, id },
    { actor: system, causationId: uid('6') },
  ),
  blobStored: envelopeOf(blobStream(sha256('c')), {
    kind: 'BlobStored',
    digest: sha256('c'),
    size: Number.MAX_SAFE_INTEGER,
    generation: uid('7'),
  }),
  blobPushed: envelopeOf(repository, { kind: 'BlobPushed', digest: sha256('c'), size: 0 }),
  'blobPushed.sha512': envelopeOf(repository, { kind: 'BlobPushed', digest: sha512('d'), size: 4_294_967_296 }),
  blobMounted: envelopeOf(repository, { kind: 'BlobMounted', digest: sha256('c'), size: 1, fromRepository: uid('8') }),
  blobUnlinked: envelopeOf(
    repository,
    { kind: 'BlobUnlinked', digest: sha256('c') },
    { actor: { kind: 'anonymous', uid: undefined, authentication: 'none' } },
  ),
  manifestPushed: envelopeOf(repository, {
    kind: 'ManifestPushed',
    image,
    digest: sha256('e'),
    mediaType: manifestType,
    size: 1_234,
    artifactType: 'application/vnd.example.signature',
    subject: sha256('f'),
    config: sha256('0'),
    layersSize: 123_456_789_012,
  }),
  'manifestPushed.index': envelopeOf(repository, {
    kind: 'ManifestPushed',
    image: none,
    digest: sha256('e'),
    mediaType: 'application/vnd.oci.image.index.v1+json',
    size: 1_234,
    artifactType: undefined,
    subject: undefined,
    config: undefined,
    layersSize: 0,
  }),
  manifestDeleted: envelopeOf(repository, { kind: 'ManifestDeleted', image, digest: sha256('e') }),
  tagMoved: envelopeOf(repository, { kind: 'TagMoved', image, tag, digest: sha256('e'), previous: sha256('f') }),
  'tagMoved.new': envelopeOf(repository, { kind: 'TagMoved', image: none, tag, digest: sha256('e'), previous: undefined }),
  tagDeleted: envelopeOf(
    repository,
    { kind: 'TagDeleted', image, tag, digest: sha256('e') },
    { actor: { kind: 'user', uid: uid('a'), authentication: 'password' } },
  ),
  organizationCreated: envelopeOf(
    organizationStream(uid('9')),
    { kind: 'OrganizationCreated', id: 'acme' as OrganizationId },
    { actor: system },
  ),
  projectCreated: envelopeOf(projectStream(project), { kind: 'ProjectCreated', organization: uid('9'), id: projectId }),
  userCreated: envelopeOf(userStream(uid('a')), { kind: 'UserCreated', nameHash: '5e'.repeat(32) }, { actor: system }),
  roleGranted: envelopeOf(repository, {
    kind: 'RoleGranted',
    principal: { kind: 'user', uid: uid('a') },
    role: 'editor',
  }),
  'roleGranted.serviceAccount': envelopeOf(projectStream(project), {
    kind: 'RoleGranted',
    principal: { kind: 'service-account', uid: uid('b') },
    role: 'owner',
  }),
  'roleGranted.allUsers': envelopeOf(repository, {
    kind: 'RoleGranted',
    principal: { kind: 'all-users' },
    role: 'viewer',
  }),
  'roleGranted.allAuthenticatedUsers': envelopeOf(repository, {
    kind: 'RoleGranted',
    principal: { kind: 'all-authenticated-users' },
    role: 'viewer',
  }),
};

const account = serviceAccountStream(uid('b'));
const byKey: Actor = { kind: 'service-account', uid: uid('b'), authentication: 'token', key: uid('c') };

/** What generation 3 has first. */
const ofGeneration3: Readonly<Record<string, EventEnvelope>> = {
  'tagMoved.key': envelopeOf(
    repository,
    { kind: 'TagMoved', image, tag, digest: sha256('e'), previous: undefined },
    { actor: byKey },
  ),
  roleRevoked: envelopeOf(organizationStream(uid('9')), {
    kind: 'RoleRevoked',
    principal: { kind: 'service-account', uid: uid('b') },
    role: 'owner',
  }),
  'roleRevoked.allUsers': envelopeOf(repository, { kind: 'RoleRevoked', principal: { kind: 'all-users' }, role: 'viewer' }),
  repositorySettingsChanged: envelopeOf(repository, {
    kind: 'RepositorySettingsChanged',
    displayName: 'The shop',
    description: 'Ein Geschäft',
    scanning: true,
    immutableTags: true,
    immutableTagExemptions: ['latest', 'nightly-*'],
  }),
  'repositorySettingsChanged.bare': envelopeOf(repository, {
    kind: 'RepositorySettingsChanged',
    displayName: '',
    description: '',
    scanning: false,
    immutableTags: false,
    immutableTagExemptions: [],
  }),
  contentErased: envelopeOf(blobStream(sha512('d')), { kind: 'ContentErased', digest: sha512('d') }),
  organizationDescribed: envelopeOf(organizationStream(uid('9')), {
    kind: 'OrganizationDescribed',
    displayName: 'Acme',
    description: '',
  }),
  organizationDeleted: envelopeOf(organizationStream(uid('9')), { kind: 'OrganizationDeleted', id: 'acme' as OrganizationId }),
  projectDescribed: envelopeOf(projectStream(project), { kind: 'ProjectDescribed', displayName: '', description: 'Sells' }),
  projectDeleted: envelopeOf(projectStream(project), { kind: 'ProjectDeleted', organization: uid('9'), id: projectId }),
  userDisabled: envelopeOf(userStream(uid('a')), { kind: 'UserDisabled' }, { actor: byKey }),
  userEnabled: envelopeOf(userStream(uid('a')), { kind: 'UserEnabled' }),
  userPasswordChanged: envelopeOf(userStream(uid('a')), { kind: 'UserPasswordChanged', reset: false }),
  'userPasswordChanged.reset': envelopeOf(userStream(uid('a')), { kind: 'UserPasswordChanged', reset: true }, { actor: system }),
  userForgotten: envelopeOf(userStream(uid('a')), { kind: 'UserForgotten', nameHash: '5e'.repeat(32) }),
  serviceAccountCreated: envelopeOf(account, {
    kind: 'ServiceAccountCreated',
    project,
    projectId,
    id: 'ci' as AccountId,
    displayName: 'Builds',
  }),
  serviceAccountDeleted: envelopeOf(account, { kind: 'ServiceAccountDeleted', project, projectId, id: 'ci' as AccountId }),
  serviceAccountKeyAdded: envelopeOf(account, {
    kind: 'ServiceAccountKeyAdded',
    key: uid('c'),
    publicKey: 'ab'.repeat(32),
    expiresAt: 1_795_317_234_000_000,
  }),
  'serviceAccountKeyAdded.forever': envelopeOf(account, {
    kind: 'ServiceAccountKeyAdded',
    key: uid('c'),
    publicKey: 'ab'.repeat(32),
    expiresAt: undefined,
  }),
  serviceAccountKeyRevoked: envelopeOf(account, { kind: 'ServiceAccountKeyRevoked', key: uid('c') }),
};

export interface GoldenEvent {
  readonly bytes: string;
  readonly event: unknown;
}

/** What the golden files would hold, by their paths: of generation 1 in `events`, of a later one in the folder that has its number. */
export function goldenEvents(): ReadonlyMap<string, GoldenEvent> {
  const made = new Map<string, Buffer>();
  made.set('events/repositoryCreated', olderBytes('repositoryCreatedV2', { repositoryCreated: { project: hex(project), id } }));
  for (const [name, envelope] of Object.entries(newest))
    made.set(`events/${name}`, encodeEvent(envelope, 1)).set(`events-2/${name}`, encodeEvent(envelope, 2));
  for (const [name, envelope] of Object.entries(ofGeneration3)) made.set(`events-3/${name}`, encodeEvent(envelope, 3));
  return new Map([...made].map(([name, bytes]) => [name, { bytes: bytes.toString('hex'), event: decodeEvent(bytes) }]));
}

/** The newest sample's envelope round a payload that today's code no longer writes. */
function olderBytes(name: string, payload: artifactstore.events.Event.$Properties): Buffer {
  const sample = newest[name];
  if (sample === undefined) throw new Error(`no sample ${name}`);
  const { Event } = artifactstore.events;
  const event = Event.decode(encodeEvent(sample, 1));
  const { id, stream, occurredAt, actor, requestId, commandId, correlationId } = event;
  const envelope = { id, stream, occurredAt, requestId, commandId, correlationId, ...(actor === undefined ? {} : { actor }) };
  return Buffer.from(Event.encode({ ...envelope, ...payload }).finish());
}

function hex(of: Uid): Buffer {
  return Buffer.from(of.replaceAll('-', ''), 'hex');
}

// ---- Keys

type KeySample = (keyspace: Keyspace) => unknown;

const stamp = Buffer.from('0102030405060708090a0b0c', 'hex');

/** One for each member of a keyspace, with fixed arguments; a test names the ones that are missing. */
const keySamples: { readonly [K in keyof Keyspace]?: KeySample } = {
  directory: (k) => k.directory,
  metaStore: (k) => k.metaStore,
  metaLive: (k) => k.metaLive,
  metaSalt: (k) => k.metaSalt,
  metaMigration: (k) => k.metaMigration,
  metaCluster: (k) => k.metaCluster,
  signingKeys: (k) => k.signingKeys,
  signingKey: (k) => k.signingKey('kid-1'),
  logBounds: (k) => k.logBounds(1, 7),
  logAppend: (k) => k.logAppend(1, 7, 258),
  logKey: (k) => k.logKey(300, 0, stamp),
  streamBounds: (k) => k.streamBounds(repository),
  streamAppend: (k) => k.streamAppend(repository, 1, 258),
  streamKey: (k) => k.streamKey(blobStream(sha512('d')), 300, stamp),
  wake: (k) => k.wake(7),
  wakes: (k) => k.wakes,
  times: (k) => k.times,
  timeSamples: (k) => k.timeSamples(300),
  timeSampleAppend: (k) => k.timeSampleAppend(300),
  timeSample: (k) => k.timeSample(1, 1_763_781_234_567_890n),
  content: (k) => k.content(sha512('a'), 2),
  contents: (k) => k.contents,
  erased: (k) => k.erased(sha512('a'), 2),
  erasedBounds: (k) => k.erasedBounds(sha256('a')),
  erasure: (k) => k.erasure(uid('6')),
  erasures: (k) => k.erasures,
  streams: (k) => k.streams,
  contentBounds: (k) => k.contentBounds(sha256('a')),
  personal: (k) => k.personal(uid('a'), 'name'),
  request: (k) => k.request(uid('2')),
  requestsBefore: (k) => k.requestsBefore(0x0190_a000_0000),
  command: (k) => k.command(uid('3')),
  commands: (k) => k.commands,
  idempotent: (k) => k.idempotent(uid('3')),
  idempotents: (k) => k.idempotents,
  build: (k) => k.build('tags-1'),
  builds: (k) => k.builds,
  projection: (k) => k.projection('tags', '1'),
  server: (k) => k.server(uid('8')),
  servers: (k) => k.servers,
  counter: (k) => ({
    pulls: k.counter(uid('4'), image, sha512('d'), 'pulls'),
    last: k.counter(uid('4'), none, sha256('e'), 'last'),
  }),
  counters: (k) => k.counters(uid('4'), image, sha256('0')),
  upload: (k) => k.upload(uid('7')),
  uploads: (k) => k.uploads,
};

/** Buffers as hex. */
export function goldenKeys(): Readonly<Record<string, unknown>> {
  const keyspace = createKeyspace(directoryPrefix('registry'));
  return Object.fromEntries(Object.entries(keySamples).map(([name, sample]) => [name, readable(sample(keyspace))]));
}

function readable(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, readable(part)]));
}
