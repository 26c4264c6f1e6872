import { readSession, writeSession, type UploadSession } from '../blobs/upload-sessions.js';
import type { Digest } from '../digest.js';
import { refuse, type Refusal } from '../errors.js';
import { blobStream, repositoryStream } from '../events/types.js';
import type { RepositoryName, Uid } from '../identifiers.js';
import { findBlob, isErased, type CanonicalBlob } from '../projections/blobs.js';
import type { ImageManifest } from '../projections/manifests.js';
import { findLink, listBlobHolders, listLinkingRepositories } from '../projections/references.js';
import { findRepository } from '../projections/repositories.js';
import type { Writing } from '../projections/store.js';
import { findTarget, type Target } from '../projections/targets.js';
import { isRefusal, type CommandContext, type Decision, type Executor, type NewEvent } from './execute.js';

/** Links a repository to bytes that an upload brought and the blob store holds durably under generation `file`. OCI distribution 1.1, end-6. */
export interface PushBlob {
  readonly kind: 'PushBlob';
  readonly name: RepositoryName;
  readonly upload: Uid;
  /** The own id of the staged file that has the bytes: that of the upload's writer, or another server has taken it over. */
  readonly file: Uid;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Whether the upload's bytes are committed; they need not be while another generation is live. */
  readonly committed: boolean;
  /** The live generation whose file the caller has just seen missing, if any: the upload's bytes take its place. */
  readonly lost: Uid | undefined;
}

interface PushBlobState extends Target {
  readonly denied: Refusal | undefined;
  readonly session: UploadSession | undefined;
  readonly canonical: CanonicalBlob | undefined;
  readonly linked: boolean;
  /** An administrator erased the bytes, and they are not to come back. */
  readonly erased: boolean;
}

export interface BlobPushOutcome {
  /** The generation that is live now; the file's own bytes are not needed when it is another. Undefined: none is, commit the bytes and ask again. */
  readonly generation: Uid | undefined;
}

/** New bytes become the live generation, unless another one is there that is not lost; the repository is linked in any case. */
export function decidePushBlob(state: PushBlobState, command: PushBlob): Decision<BlobPushOutcome> {
  const { name, upload, file, digest, size, lost } = command;
  if (state.denied !== undefined) return state.denied;
  const { repository, session, canonical } = state;
  if (repository === undefined) return refuse('REPOSITORY_UNKNOWN', { name: name.name });
  if (session === undefined || session.repository !== repository || session.name !== name.name) {
    return refuse('UPLOAD_UNKNOWN', { name: name.name, upload });
  }
  if (session.finished !== undefined && session.finished !== digest) return refuse('UPLOAD_UNKNOWN', { name: name.name, upload });
  if (session.writer?.file !== file) return refuse('UPLOAD_TAKEN_OVER');
  if (state.erased) return refuse('CONTENT_ERASED', { digest });
  const stays = canonical !== undefined && canonical.generation !== lost;
  if (!stays && !command.committed) return { events: [], outcome: { generation: undefined } };
  const events: NewEvent[] = [];
  if (!stays) {
    events.push({ stream: blobStream(digest), payload: { kind: 'BlobStored', digest, size, generation: file } });
  }
  if (!state.linked) {
    events.push({ stream: repositoryStream(repository), payload: { kind: 'BlobPushed', digest, size } });
  }
  return { events, outcome: { generation: stays ? canonical.generation : file } };
}

/** Runs PushBlob. Where the blob got its generation, the session is marked as finished in the same transaction, and not otherwise. */
export function pushBlob(executor: Executor, context: CommandContext, command: PushBlob): Promise<BlobPushOutcome | Refusal> {
  return executor.execute(context, async (writing) => {
    const state = await loadPushBlobState(writing, context, command);
    const decision = decidePushBlob(state, command);
    if (!isRefusal(decision) && decision.outcome.generation !== undefined && state.session !== undefined) {
      const activeAt = Number(await writing.tx.time());
      writeSession(writing.tx, writing.registry.keyspace, command.upload, {
        ...state.session,
        activeAt,
        finished: command.digest,
      });
    }
    return decision;
  });
}

async function loadPushBlobState(writing: Writing, context: CommandContext, command: PushBlob): Promise<PushBlobState> {
  const [{ target, linked }, session, canonical, erased] = await Promise.all([
    findTargetAndLink(writing, context, command),
    readSession(writing.tx, writing.registry.keyspace, command.upload),
    findBlob(writing, command.digest),
    isErased(writing, command.digest),
  ]);
  return { ...target, denied: context.judge('push', target), session, canonical, linked, erased };
}

async function findTargetAndLink(writing: Writing, context: CommandContext, { name, digest }: PushBlob | MountBlob) {
  const target = await findTarget(writing, context.actor, name);
  const linked = target.repository !== undefined && (await findLink(writing, target.repository, digest)) !== undefined;
  return { target, linked };
}

/** Links a repository to a blob that another one has. OCI distribution 1.1, end-11. */
export interface MountBlob {
  readonly kind: 'MountBlob';
  readonly name: RepositoryName;
  readonly digest: Digest;
  /** Without it, any repository that the actor may pull from will do. */
  readonly from: RepositoryName | undefined;
}

interface MountState extends Target {
  readonly denied: Refusal | undefined;
  readonly linked: boolean;
  /** A repository that has the blob and that the actor may pull from. */
  readonly source: { readonly repository: Uid; readonly size: number } | undefined;
  /** An administrator erased the bytes; links may still be there. */
  readonly erased: boolean;
}

export interface MountOutcome {
  /** False: there is nothing to mount; an ordinary upload is what remains. */
  readonly mounted: boolean;
}

/** Without a source nothing happens, which is no refusal: also where the blob is linked already. What was erased has no source; its upload is refused. */
export function decideMountBlob(state: MountState, { name, digest }: MountBlob): Decision<MountOutcome> {
  if (state.denied !== undefined) return state.denied;
  if (state.repository === undefined) return refuse('REPOSITORY_UNKNOWN', { name: name.name });
  if (state.source === undefined || state.erased) return { events: [], outcome: { mounted: false } };
  if (state.linked) return { events: [], outcome: { mounted: true } };
  const { size, repository: fromRepository } = state.source;
  return {
    events: [{ stream: repositoryStream(state.repository), payload: { kind: 'BlobMounted', digest, size, fromRepository } }],
    outcome: { mounted: true },
  };
}

/** Runs MountBlob. Costs up to MOUNT_CANDIDATES repositories' reads where no source is named. */
export function mountBlob(executor: Executor, context: CommandContext, command: MountBlob): Promise<MountOutcome | Refusal> {
  return executor.execute(context, async (writing) => {
    const [{ target, linked }, source, erased] = await Promise.all([
      findTargetAndLink(writing, context, command),
      findMountSource(writing, context, command),
      isErased(writing, command.digest),
    ]);
    const state = { ...target, linked, denied: context.judge('push', target), source, erased };
    return decideMountBlob(state, command);
  });
}

// DESIGN section 9: a mount that names no source tries this many.
const MOUNT_CANDIDATES = 100;

async function findMountSource(
  writing: Writing,
  context: CommandContext,
  { digest, from }: MountBlob,
): Promise<MountState['source']> {
  if (from !== undefined) return sourceIn(writing, context, from, digest);
  for (const uid of await listLinkingRepositories(writing, digest, MOUNT_CANDIDATES)) {
    const record = await findRepository(writing, uid);
    if (record?.projectId === undefined) continue;
    const name = `${record.projectId}/${record.id}`;
    const candidate = { name, project: record.projectId, repository: record.id, image: '' } as RepositoryName;
    const source = await sourceIn(writing, context, candidate, digest);
    if (source !== undefined) return source;
  }
  return undefined;
}

async function sourceIn(
  writing: Writing,
  context: CommandContext,
  name: RepositoryName,
  digest: Digest,
): Promise<MountState['source']> {
  const { repository, role } = await findTarget(writing, context.actor, name);
  if (repository === undefined || role === undefined || role === 'barred') return undefined;
  const size = await findLink(writing, repository, digest);
  return size === undefined ? undefined : { repository, size };
}

/** Takes a blob away from a whole repository. OCI distribution 1.1, end-10. */
export interface DeleteBlob {
  readonly kind: 'DeleteBlob';
  readonly name: RepositoryName;
  readonly digest: Digest;
}

interface DeleteBlobState extends Target {
  readonly denied: Refusal | undefined;
  readonly linked: boolean;
  readonly holders: readonly ImageManifest[];
}

/** A blob that a manifest of the repository holds stays. Its bytes are nobody's concern here: other repositories may link them. */
export function decideDeleteBlob(state: DeleteBlobState, { name, digest }: DeleteBlob): Decision<undefined> {
  if (state.denied !== undefined) return state.denied;
  if (state.repository === undefined) return refuse('REPOSITORY_UNKNOWN', { name: name.name });
  if (!state.linked) return refuse('BLOB_UNKNOWN', { name: name.name, digest });
  if (state.holders.length > 0) {
    const holders = state.holders.map(
      (holder) => `manifest ${[name.project, name.repository, holder.image].filter(Boolean).join('/')}@${holder.digest}`,
    );
    return refuse('BLOB_IN_USE', { digest, holders: namedHolders(holders) });
  }
  return {
    events: [{ stream: repositoryStream(state.repository), payload: { kind: 'BlobUnlinked', digest } }],
    outcome: undefined,
  };
}

/** Runs DeleteBlob. Its reads are the same for everyone who may not, whatever is there. */
export function deleteBlob(executor: Executor, context: CommandContext, command: DeleteBlob): Promise<undefined | Refusal> {
  return executor.execute(context, async (writing) => {
    return decideDeleteBlob(await loadDeleteBlobState(writing, context, command), command);
  });
}

async function loadDeleteBlobState(
  writing: Writing,
  context: CommandContext,
  { name, digest }: DeleteBlob,
): Promise<DeleteBlobState> {
  const target = await findTarget(writing, context.actor, name);
  const denied = context.judge('delete', target);
  const { repository } = target;
  // Nothing is read whose time would tell who may not what is there.
  if (repository === undefined || denied !== undefined) return { ...target, denied, linked: false, holders: [] };
  return {
    ...target,
    denied,
    linked: (await findLink(writing, repository, digest)) !== undefined,
    holders: await listBlobHolders(writing, repository, digest, HOLDERS_SHOWN + 1),
  };
}

/** A refusal names so many holders. */
export const HOLDERS_SHOWN = 10;

/** Holders for a message: the first ones, and whether there are others. */
export function namedHolders(holders: readonly string[]): string {
  const shown = holders.slice(0, HOLDERS_SHOWN).join(', ');
  return holders.length > HOLDERS_SHOWN ? `${shown} and others` : shown;
}
