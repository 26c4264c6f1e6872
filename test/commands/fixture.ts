import { createHash } from 'node:crypto';

import { pushBlob } from '../../src/commands/blob.js';
import { createExecutor, isRefusal, type CommandContext, type Executor, type NewEvent } from '../../src/commands/execute.js';
import { createFirstOwner } from '../../src/commands/first-owner.js';
import { foundStore } from '../../src/commands/found-store.js';
import { deleteManifest, pushManifest, type PushManifest } from '../../src/commands/manifest.js';
import { createRepository, deleteRepository } from '../../src/commands/repository.js';
import { startUpload } from '../../src/commands/upload.js';
import type { Digest } from '../../src/digest.js';
import { refuse, type Refusal } from '../../src/errors.js';
import { createLog } from '../../src/events/log.js';
import { parseManifest, type ManifestDocument } from '../../src/events/manifest-document.js';
import {
  projectStream,
  repositoryStream,
  type Actor,
  type OrganizationId,
  type RecordedEvent,
  type Role,
} from '../../src/events/types.js';
import { parseName, uidFromBytes, type RepositoryName, type Tag, type Uid } from '../../src/identifiers.js';
import { allowedBy } from '../../src/identity/judge.js';
import type { Database } from '../../src/keyvalue/database.js';
import { directoryPrefix } from '../../src/keyvalue/keyspace.js';
import type { SimulatedOptions } from '../../src/keyvalue/simulated.js';
import { registered } from '../../src/projections/registered.js';
import { findRepositoryUid } from '../../src/projections/repositories.js';
import { findProject } from '../../src/projections/projects.js';
import { createStore, type Store } from '../../src/projections/store.js';
import { identityOnly } from '../support/blobs-identity.js';
import { newClock, newStore } from '../support/database.js';
import type { TestStore } from '../support/remote-store.js';

/** UUIDv7s in order, the same in every run. */
export function createIds(first = 0): () => Uid {
  let next = first;
  return () => {
    next += 1;
    const bytes = Buffer.alloc(16);
    bytes.writeUIntBE(0x0190_a000_0000 + next, 0, 6);
    bytes.writeUInt16BE(0x7000, 6);
    bytes.writeUInt16BE(0x8000, 8);
    bytes.writeUIntBE(next, 10, 6);
    return uidFromBytes(bytes);
  };
}

/** One process on a store: its executor, and who acts in it. */
export interface Workplace {
  readonly store: Store;
  readonly executor: Executor;
  readonly owner: Actor;
  readonly newId: () => Uid;
  /** A context with a command id of its own. */
  context(actor?: Actor): CommandContext;
  /** Runs of transaction bodies since the last call: more than the commands' number means that some conflicted. */
  bodies(): number;
}

export interface Simulation extends Workplace {
  readonly simulated: TestStore;
  /** Another process on the same store. */
  another(name?: string): Workplace;
}

const prefixes = { registry: directoryPrefix('registry'), platform: directoryPrefix('topaz') };

export async function simulate(options: SimulatedOptions = {}): Promise<Simulation> {
  const simulated = newStore({ seed: 1, clock: newClock(), ...options, faults: {} });
  const newId = createIds();
  const workplace = await found(simulated.connect('founder'), newId);
  simulated.faults = { ...simulated.faults, ...options.faults };
  const another = (name?: string): Workplace => work(simulated.connect(name), newId, workplace.owner);
  return { ...workplace, simulated, another };
}

/** Sets a registry up in an empty database, with a first owner. */
export async function found(database: Database, newId: () => Uid = createIds()): Promise<Workplace> {
  const owner: Actor = { kind: 'user', uid: newId(), authentication: 'password' };
  const workplace = work(database, newId, owner);
  const { keyspaces } = workplace.store;
  const salt = Buffer.alloc(32, 7);
  await foundStore({ database, keyspaces, blobs: identityOnly(), projections: registered, identity: newId(), salt });
  await createFirstOwner(workplace.executor, workplace.context(), {
    kind: 'CreateFirstOwner',
    user: owner.uid ?? newId(),
    organization: newId(),
    organizationId: 'default' as OrganizationId,
    loginName: 'owner',
    nameHash: '0'.repeat(64),
    passwordHash: 'none',
  });
  workplace.bodies();
  return workplace;
}

function work(database: Database, newId: () => Uid, owner: Actor): Workplace {
  let bodies = 0;
  const counting: Database = {
    quietVersions: database.quietVersions,
    transact: (body, options) =>
      database.transact((tx) => {
        bodies += 1;
        return body(tx);
      }, options),
    read: (body) => database.read(body),
    close: () => database.close(),
  };
  const store = createStore(counting, prefixes, registered);
  return {
    store,
    executor: createExecutor(store),
    owner,
    newId,
    context: (actor = owner) => contextFor(actor, newId),
    bodies() {
      const count = bodies;
      bodies = 0;
      return count;
    },
  };
}

function contextFor(actor: Actor, newId: () => Uid): CommandContext {
  const requestId = newId();
  return {
    commandId: newId(),
    requestId,
    correlationId: requestId,
    actor,
    occurredAt: 1_767_225_600_000_000,
    newId,
    judge: (verb, { name, role }) => (allowedBy(role).includes(verb) ? undefined : refuse('DENIED', { verb, name: name.name })),
    judgeManaging: (role, what) => (role === 'owner' ? undefined : refuse('DENIED', { verb: 'manage', name: what })),
  };
}

export function nameOf(text: string): RepositoryName {
  const name = parseName(text);
  if ('problem' in name) throw new Error(name.reason);
  return name;
}

export const tagOf = (text: string): Tag => text as Tag;

export function sha256Of(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

export function sha512Of(bytes: Uint8Array | string): Digest {
  return `sha512:${createHash('sha512').update(bytes).digest('hex')}` as Digest;
}

/** What stands for a blob where its bytes do not matter. */
export interface TestBlob {
  readonly digest: Digest;
  readonly size: number;
}

export function blobOf(text: string): TestBlob {
  return { digest: sha256Of(text), size: text.length };
}

/** A command's outcome, or an error that shows the refusal. */
export function accepted<T>(outcome: T | Refusal): T {
  if (isRefusal(outcome)) throw new Error(`refused: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** Grants a role on a project: no command does that yet. */
export async function grant(at: Workplace, principal: Uid, project: Uid, role: Role): Promise<void> {
  const payload = { kind: 'RoleGranted', principal: { kind: 'user', uid: principal }, role } as const;
  await at.executor.execute<boolean>(at.context(), () =>
    Promise.resolve({ events: [{ stream: projectStream(project), payload }], outcome: true }),
  );
}

export async function create(at: Workplace, name: string, origin: 'push' | 'command' = 'push') {
  return accepted(
    await createRepository(at.executor, at.context(), {
      kind: 'CreateRepository',
      name: nameOf(name),
      origin,
      scanning: true,
      newRepository: at.newId(),
      newProject: at.newId(),
    }),
  );
}

/** The uid of a repository that is there. */
export async function uidOf(at: Workplace, text: string): Promise<Uid | undefined> {
  const name = nameOf(text);
  return at.store.read(async (reading) => {
    const project = await findProject(reading, name.project);
    return project === undefined ? undefined : findRepositoryUid(reading, project.uid, name.repository);
  });
}

/** An upload from beginning to end, but for its bytes. */
export async function push(at: Workplace, name: string, { digest, size }: TestBlob, actor = at.owner) {
  const upload = at.newId();
  const started = await startUpload(at.executor, at.context(actor), {
    kind: 'StartUpload',
    name: nameOf(name),
    upload,
    algorithm: 'sha256',
    writer: { server: upload, file: upload },
  });
  if (started !== undefined) return started;
  return pushBlob(at.executor, at.context(actor), {
    kind: 'PushBlob',
    name: nameOf(name),
    upload,
    file: upload,
    digest,
    size,
    committed: true,
    lost: undefined,
  });
}

/** Links of many blobs at once, as the events of as many uploads. */
export async function linkAll(at: Workplace, name: string, blobs: readonly TestBlob[]): Promise<void> {
  const repository = await uidOf(at, name);
  if (repository === undefined) throw new Error(`${name} is not there`);
  const payloadOf = ({ digest, size }: TestBlob) => ({ kind: 'BlobPushed', digest, size }) as const;
  await record(
    at,
    blobs.map((blob) => ({ stream: repositoryStream(repository), payload: payloadOf(blob) })),
  );
}

/** Events as commands would have made them, 500 a transaction: in a fraction of the time. */
export async function record(at: Workplace, events: readonly NewEvent[]): Promise<void> {
  for (let first = 0; first < events.length; first += 500) {
    const some = events.slice(first, first + 500);
    await at.executor.execute<boolean>(at.context(), () => Promise.resolve({ events: some, outcome: true }));
  }
}

export interface TestManifest {
  readonly digest: Digest;
  readonly bytes: Buffer;
  readonly document: ManifestDocument;
  readonly size: number;
}

export const imageType = 'application/vnd.oci.image.manifest.v1+json';
export const indexType = 'application/vnd.oci.image.index.v1+json';
const configType = 'application/vnd.oci.image.config.v1+json';
const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip';

export function manifestFrom(value: object): TestManifest {
  const bytes = Buffer.from(JSON.stringify(value));
  const document = parseManifest(bytes, undefined);
  if ('reason' in document) throw new Error(document.reason);
  return { digest: sha256Of(bytes), bytes, document, size: bytes.length };
}

export function imageOf(config: TestBlob, layers: readonly TestBlob[], more: object = {}): TestManifest {
  return manifestFrom({
    schemaVersion: 2,
    mediaType: imageType,
    config: { mediaType: configType, ...config },
    layers: layers.map(({ digest, size }) => ({ mediaType: layerType, digest, size })),
    ...more,
  });
}

export function indexOf(children: readonly TestManifest[], more: object = {}): TestManifest {
  return manifestFrom({
    schemaVersion: 2,
    mediaType: indexType,
    manifests: children.map(({ digest, size }) => ({ mediaType: imageType, digest, size })),
    ...more,
  });
}

export function subjectOf({ digest, size }: TestManifest): object {
  return { subject: { mediaType: imageType, digest, size } };
}

export function putManifest(
  at: Workplace,
  name: string,
  { digest, bytes, document }: TestManifest,
  tags: readonly string[] = [],
  more: Partial<PushManifest> & { readonly actor?: Actor } = {},
) {
  const { actor, ...command } = more;
  return pushManifest(at.executor, at.context(actor), {
    kind: 'PushManifest',
    name: nameOf(name),
    digest,
    bytes,
    document,
    tags: tags.map(tagOf),
    config: undefined,
    sparse: false,
    ...command,
  });
}

/** A whole image with its blobs; `text` makes it differ from others. */
export async function pushImage(at: Workplace, name: string, text: string, tags: readonly string[] = []): Promise<TestManifest> {
  const config = blobOf(`config of ${text}`);
  const layer = blobOf(`layer of ${text}`);
  for (const blob of [config, layer]) accepted(await push(at, name, blob));
  const image = imageOf(config, [layer]);
  accepted(await putManifest(at, name, image, tags));
  return image;
}

export function removeManifest(at: Workplace, name: string, digest: Digest) {
  return deleteManifest(at.executor, () => at.context(), { kind: 'DeleteManifest', name: nameOf(name), digest });
}

export function removeRepository(at: Workplace, name: string) {
  return deleteRepository(at.executor, () => at.context(), { kind: 'DeleteRepository', name: nameOf(name) });
}

/** The registry's whole log. */
export async function events(at: Workplace): Promise<readonly RecordedEvent[]> {
  const log = createLog(at.store.keyspaces.registry);
  const { events: all } = await at.store.database.read((tx) =>
    log.readFrom(tx, 1, undefined, { limit: 1_000_000, targetBytes: 1e9 }),
  );
  return all;
}

/** The kinds of the events behind the first `after`. */
export async function kinds(at: Workplace, after = 0): Promise<readonly string[]> {
  return (await events(at)).slice(after).map(({ payload }) => payload.kind);
}
