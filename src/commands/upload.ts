import {
  bytesOf,
  clearSession,
  filesOf,
  readSession,
  writeSession,
  type UploadSession,
  type UploadWriter,
} from '../blobs/upload-sessions.js';
import type { Digest, DigestAlgorithm } from '../digest.js';
import { refuse, type Refusal } from '../errors.js';
import type { RepositoryName, Uid } from '../identifiers.js';
import { findTarget } from '../projections/targets.js';
import type { CommandContext, Executor } from './execute.js';

// Not events: an upload is not history. What is decided here is which server's staged file has an upload's bytes, and whether there is an upload at all.

/** Begins an upload; not an event, since nothing has happened to the repository yet. */
export interface StartUpload {
  readonly kind: 'StartUpload';
  readonly name: RepositoryName;
  readonly upload: Uid;
  readonly algorithm: DigestAlgorithm;
  readonly writer: UploadWriter;
}

/** Writes the session of a new upload down; nothing is staged yet. Undefined: it is there. */
export async function startUpload(
  executor: Executor,
  context: CommandContext,
  command: StartUpload,
): Promise<Refusal | undefined> {
  return executor.store.transact(async (writing) => {
    const { name, upload, algorithm, writer } = command;
    const target = await findTarget(writing, context.actor, name);
    const denied = context.judge('push', target);
    if (denied !== undefined) return denied;
    if (target.repository === undefined) return refuse('REPOSITORY_UNKNOWN', { name: name.name });
    const now = Number(await writing.tx.time());
    const session = { repository: target.repository, name: name.name, algorithm, startedAt: now, writer, activeAt: now };
    writeSession(writing.tx, writing.registry.keyspace, upload, session);
    return undefined;
  });
}

/** What a server that takes an upload over copies to its own file, and the files that nobody needs once it has. */
export interface TakenOver {
  readonly from: string;
  readonly useless: readonly string[];
}

/**
 * Makes a server the writer of an upload that another one, or an earlier life of it, has received bytes of. From this commit on the one before acknowledges
 * nothing more; so all that it has acknowledged is in its file by now, and in the copy that is begun after this. Nobody is asked, and nothing is waited for:
 * the one before may be dead. Undefined: the upload is gone or finished.
 */
export async function takeUploadOver(executor: Executor, upload: Uid, writer: UploadWriter): Promise<TakenOver | undefined> {
  return executor.store.transact(async ({ tx, registry }) => {
    const session = await readSession(tx, registry.keyspace, upload);
    if (session === undefined || session.finished !== undefined) return undefined;
    const from = bytesOf(upload, session);
    // An earlier attempt, whose outcome nobody knew, was committed.
    if (session.writer?.file === writer.file) return { from, useless: [from] };
    const activeAt = Number(await tx.time());
    writeSession(tx, registry.keyspace, upload, { ...session, writer: { ...writer, copying: from }, activeAt });
    return { from, useless: filesOf(upload, session) };
  });
}

/** Notes that the writer's own file has all that it copied. False: it is the writer no more. */
export async function endCopy(executor: Executor, upload: Uid, file: Uid): Promise<boolean> {
  return executor.store.transact(async ({ tx, registry }) => {
    const session = await readSession(tx, registry.keyspace, upload);
    if (session?.writer?.file !== file || session.finished !== undefined) return false;
    const writer = { server: session.writer.server, file };
    writeSession(tx, registry.keyspace, upload, { ...session, writer, activeAt: Number(await tx.time()) });
    return true;
  });
}

/** Notes that an upload's bytes are still arriving. False: not here, since it is gone or another server's; a finished one is left alone. */
export async function renewUpload(executor: Executor, upload: Uid, file: Uid): Promise<boolean> {
  return executor.store.transact(async ({ tx, registry }) => {
    const session = await readSession(tx, registry.keyspace, upload);
    if (session?.writer?.file !== file) return false;
    if (session.finished === undefined) {
      writeSession(tx, registry.keyspace, upload, { ...session, activeAt: Number(await tx.time()) });
    }
    return true;
  });
}

/** What is left of a forgotten upload: its staged files are the caller's to drop (`dropUploadBytes`). */
export interface Forgotten {
  readonly files: readonly string[];
  readonly finished: Digest | undefined;
}

/**
 * Forgets an upload. `known`: its staged files as far as the caller knows, for where it was gone already, by an earlier attempt whose outcome nobody knew or by
 * another server. Undefined: it stays.
 */
export async function forgetUpload(
  executor: Executor,
  upload: Uid,
  known: readonly string[],
  forgettable: (session: UploadSession, now: number) => boolean,
): Promise<Forgotten | undefined> {
  return executor.store.transact(async ({ tx, registry }) => {
    const session = await readSession(tx, registry.keyspace, upload);
    if (session === undefined) return { files: known, finished: undefined };
    if (!forgettable(session, Number(await tx.time()))) return undefined;
    clearSession(tx, registry.keyspace, upload);
    return { files: filesOf(upload, session), finished: session.finished };
  });
}

/** Why a server may not acknowledge what it received into its file; undefined: it is the upload's writer still. */
export async function refuseUnlessWriter(
  executor: Executor,
  name: RepositoryName,
  upload: Uid,
  file: Uid,
): Promise<Refusal | undefined> {
  const session = await executor.store.read(({ tx, registry }) => readSession(tx, registry.keyspace, upload));
  if (session === undefined || session.finished !== undefined) return refuse('UPLOAD_UNKNOWN', { name: name.name, upload });
  return session.writer?.file === file ? undefined : refuse('UPLOAD_TAKEN_OVER');
}
