import type { Digest } from '../digest.js';
import { refuse, type Refusal } from '../errors.js';
import { writeContent } from '../events/content.js';
import { descriptorsToFind, type ManifestDocument, type Requirement } from '../events/manifest-document.js';
import { repositoryStream, type RepositorySettings } from '../events/types.js';
import type { ImagePath, RepositoryName, Tag, Uid } from '../identifiers.js';
import { isErased } from '../projections/blobs.js';
import { findManifest } from '../projections/manifests.js';
import { findLink, listManifestHolders } from '../projections/references.js';
import { defaultSettings, findSettings } from '../projections/repository-details.js';
import type { Writing } from '../projections/store.js';
import { findTag, listTagsOf } from '../projections/tags.js';
import { findTarget, type Target } from '../projections/targets.js';
import { HOLDERS_SHOWN, namedHolders } from './blob.js';
import { clearPullsOfDeleted } from './deleted-pulls.js';
import { isRefusal, type CommandContext, type Decision, type Executor, type NewEvent } from './execute.js';
import { refuseImmutable, TAGS_LOOKED_AT } from './immutable-tags.js';

/** Stores a manifest in an image and points tags at it. OCI distribution 1.1, end-7; several tags at once: its development version. */
export interface PushManifest {
  readonly kind: 'PushManifest';
  readonly name: RepositoryName;
  readonly digest: Digest;
  readonly bytes: Buffer;
  readonly document: ManifestDocument;
  readonly tags: readonly Tag[];
  /** Bytes of the config, where it is small enough to be kept beside the log. */
  readonly config: Buffer | undefined;
  /** What the manifest names may be missing. */
  readonly sparse: boolean;
}

interface PushManifestState extends Target {
  readonly denied: Refusal | undefined;
  /** A manifest that is there was checked when it came, and what it names can't be deleted since. */
  readonly exists: boolean;
  /** What the manifest names, with the size of what is there. */
  readonly found: readonly FoundRequirement[];
  readonly current: readonly { readonly tag: Tag; readonly digest: Digest | undefined }[];
  readonly settings: RepositorySettings;
  /** An administrator erased the bytes, and they are not to come back. */
  readonly erased: boolean;
}

interface FoundRequirement {
  readonly requirement: Requirement;
  readonly size: number | undefined;
  /** An administrator erased it. */
  readonly erased: boolean;
}

export interface ManifestPushOutcome {
  readonly created: boolean;
}

export function decidePushManifest(state: PushManifestState, command: PushManifest): Decision<ManifestPushOutcome> {
  const { name, digest, document, bytes, sparse } = command;
  if (state.denied !== undefined) return state.denied;
  if (state.repository === undefined) return refuse('REPOSITORY_UNKNOWN', { name: name.name });
  if (state.erased) return refuse('CONTENT_ERASED', { digest });
  const moved = state.current.flatMap(({ tag, digest: there }) => (there === undefined || there === digest ? [] : [tag]));
  const immutable = refuseImmutable(state.settings, name, moved);
  if (immutable !== undefined) return immutable;
  const stream = repositoryStream(state.repository);
  const { image } = name;
  const events: NewEvent[] = [];
  if (!state.exists) {
    const missing = firstMissing(state, command, sparse);
    if (missing !== undefined) return missing;
    const { mediaType, artifactType, subject, config, layersSize } = document;
    const facts = { mediaType, artifactType, subject: subject?.digest, config: config?.digest, layersSize, size: bytes.length };
    events.push({ stream, payload: { kind: 'ManifestPushed', image, digest, ...facts } });
  }
  for (const { tag, digest: previous } of state.current) {
    if (previous !== digest) events.push({ stream, payload: { kind: 'TagMoved', image, tag, digest, previous } });
  }
  return { events, outcome: { created: !state.exists } };
}

function firstMissing(state: PushManifestState, { name }: PushManifest, sparse: boolean): Refusal | undefined {
  for (const { requirement, size, erased } of state.found) {
    const { digest, path, kind } = requirement;
    // Its link may still be there: links go after the event.
    if (erased && !sparse) return refuse('CONTENT_ERASED', { digest });
    if (size === undefined && !sparse) return refuse('MANIFEST_BLOB_UNKNOWN', { digest, path, what: kind, name: name.name });
    if (size !== undefined && size !== requirement.size) {
      return refuse('MANIFEST_SIZE_WRONG', { digest, path, said: requirement.size, actual: size });
    }
  }
  return undefined;
}

// Bytes of this size and the keys of 4 000 references together stay below a transaction's 10 MB; 4 MiB and the longest keys do not.
const CONTENT_WITH_EVENT_BYTES = 1_000_000;

export async function pushManifest(
  executor: Executor,
  context: CommandContext,
  command: PushManifest,
): Promise<ManifestPushOutcome | Refusal> {
  if (command.bytes.length > CONTENT_WITH_EVENT_BYTES) await writeContentAhead(executor, context, command);
  return executor.execute(context, async (writing) => {
    const state = await loadPushManifestState(writing, context, command);
    const decision = decidePushManifest(state, command);
    if (!isRefusal(decision) && decision.outcome.created) {
      const { keyspace } = writing.registry;
      await writeContent(writing.tx, keyspace, command.digest, command.bytes);
      const config = command.document.config?.digest;
      const isGone = state.found.some(({ requirement, erased }) => erased && requirement.digest === config);
      if (command.config !== undefined && config !== undefined && !isGone)
        await writeContent(writing.tx, keyspace, config, command.config);
    }
    return decision;
  });
}

/** Bytes without an event mean nothing to anybody, and are there for the next push of the same digest. */
async function writeContentAhead(executor: Executor, context: CommandContext, command: PushManifest): Promise<void> {
  await executor.store.transact(async (writing) => {
    const decision = decidePushManifest(await loadPushManifestState(writing, context, command), command);
    if (isRefusal(decision) || !decision.outcome.created) return;
    await writeContent(writing.tx, writing.registry.keyspace, command.digest, command.bytes);
  });
}

async function loadPushManifestState(
  writing: Writing,
  context: CommandContext,
  command: PushManifest,
): Promise<PushManifestState> {
  const { name, digest, document, tags } = command;
  const target = await findTarget(writing, context.actor, name);
  const denied = context.judge('push', target);
  const { repository } = target;
  if (repository === undefined || denied !== undefined) {
    const nothing = { exists: false, found: [], current: [], erased: false };
    return { ...target, denied, ...nothing, settings: defaultSettings };
  }
  const [settings, erased, record, current] = await Promise.all([
    tags.length === 0 ? defaultSettings : findSettings(writing, repository),
    isErased(writing, digest),
    findManifest(writing, repository, name.image, digest),
    Promise.all(tags.map(async (tag) => ({ tag, digest: await findTag(writing, repository, name.image, tag) }))),
  ]);
  const exists = record !== undefined;
  const found = exists
    ? []
    : await Promise.all(descriptorsToFind(document).map((one) => find(writing, repository, name.image, one)));
  return { ...target, denied, exists, found, current, settings, erased };
}

async function find(writing: Writing, repository: Uid, image: ImagePath, requirement: Requirement): Promise<FoundRequirement> {
  const { kind, digest } = requirement;
  const [size, erased] = await Promise.all([
    kind === 'manifest'
      ? findManifest(writing, repository, image, digest).then((found) => found?.size)
      : findLink(writing, repository, digest),
    // With a conflict: a config's bytes were read before the transaction, and an erasure may have come since.
    isErased(writing, digest),
  ]);
  return { requirement, size: erased ? undefined : size, erased };
}

/** Deletes a manifest and the tags that point at it. OCI distribution 1.1, end-9. */
export interface DeleteManifest {
  readonly kind: 'DeleteManifest';
  readonly name: RepositoryName;
  readonly digest: Digest;
}

interface DeleteManifestState extends Target {
  readonly denied: Refusal | undefined;
  readonly exists: boolean;
  /** Indexes of the image that list it. */
  readonly holders: readonly Digest[];
  /** The first tags that point at it; where there may be more, `TAGS_A_STEP` of them, or `TAGS_LOOKED_AT` where tags are immutable. */
  readonly tags: readonly Tag[];
  readonly settings: RepositorySettings;
}

// Each tag costs about 1.5 kB of a transaction's 10 MB, with the longest of names about 8 kB.
const TAGS_A_STEP = 500;

export interface DeletionOutcome {
  /** False while there are tags left: another transaction is needed. */
  readonly done: boolean;
}

export function decideDeleteManifest(state: DeleteManifestState, { name, digest }: DeleteManifest): Decision<DeletionOutcome> {
  if (state.denied !== undefined) return state.denied;
  if (state.repository === undefined) return refuse('REPOSITORY_UNKNOWN', { name: name.name });
  if (!state.exists) return refuse('MANIFEST_UNKNOWN', { name: name.name, reference: digest });
  if (state.holders.length > 0) {
    const holders = state.holders.map((holder) => `index ${name.name}@${holder}`);
    return refuse('MANIFEST_IN_USE', { digest, holders: namedHolders(holders) });
  }
  const immutable = refuseImmutable(state.settings, name, state.tags);
  if (immutable !== undefined) return immutable;
  const stream = repositoryStream(state.repository);
  const { image } = name;
  const tags = state.tags.slice(0, TAGS_A_STEP);
  const events: NewEvent[] = tags.map((tag) => ({ stream, payload: { kind: 'TagDeleted', image, tag, digest } }));
  const done = tags.length < TAGS_A_STEP;
  if (done) events.push({ stream, payload: { kind: 'ManifestDeleted', image, digest } });
  return { events, outcome: { done } };
}

/** In bounded transactions, the manifest in the last. `contextOf` makes a context with a command id of its own for each. */
export async function deleteManifest(
  executor: Executor,
  contextOf: () => CommandContext,
  command: DeleteManifest,
): Promise<DeletionOutcome | Refusal> {
  for (;;) {
    const context = contextOf();
    const step = await executor.execute(context, async (writing) => {
      const decision = decideDeleteManifest(await loadDeleteManifestState(writing, context, command), command);
      if (!isRefusal(decision)) clearPullsOfDeleted(writing, decision.events);
      return decision;
    });
    if (isRefusal(step) || step.done) return step;
  }
}

async function loadDeleteManifestState(
  writing: Writing,
  context: CommandContext,
  { name, digest }: DeleteManifest,
): Promise<DeleteManifestState> {
  const target = await findTarget(writing, context.actor, name);
  const denied = context.judge('delete', target);
  const { repository } = target;
  if (repository === undefined || denied !== undefined) {
    return { ...target, denied, exists: false, holders: [], tags: [], settings: defaultSettings };
  }
  const tagsUpTo = (limit: number) => listTagsOf(writing, repository, name.image, digest, limit);
  const [settings, record, holders, first] = await Promise.all([
    findSettings(writing, repository),
    findManifest(writing, repository, name.image, digest),
    listManifestHolders(writing, repository, name.image, digest, HOLDERS_SHOWN + 1),
    tagsUpTo(TAGS_A_STEP),
  ]);
  // None goes before all were looked at.
  const tags = settings.immutableTags && first.length === TAGS_A_STEP ? await tagsUpTo(TAGS_LOOKED_AT) : first;
  return { ...target, denied, exists: record !== undefined, holders, tags, settings };
}
