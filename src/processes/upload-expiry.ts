import type { BlobStore } from '../blobs/blob-store.js';
import { parseStagedName } from '../blobs/staged-name.js';
import { filesOf, listSessions, readSession, type UploadSession } from '../blobs/upload-sessions.js';
import type { Executor } from '../commands/execute.js';
import { forgetUpload } from '../commands/upload.js';
import { dropStagedFile, dropUploadBytes } from '../commands/upload-bytes.js';
import type { Uid } from '../identifiers.js';

export interface ExpiryOptions {
  /** An upload without a received byte for so long is over; a finished one is forgotten after the same time. */
  readonly idleSeconds: number;
  /** No upload lives longer. */
  readonly timeoutSeconds: number;
}

const PAGE = 200;

/**
 * Ends the uploads whose clients went away, and drops staged bytes that no upload names. How many were dropped. What can't be dropped keeps nothing else from
 * it: an AggregateError at the end has the failures.
 */
export async function expireUploads(executor: Executor, blobs: BlobStore, options: ExpiryOptions): Promise<number> {
  const failures: unknown[] = [];
  let dropped = 0;
  let after: Uid | undefined;
  for (;;) {
    const page = await executor.store.read(async ({ tx, registry }) => ({
      sessions: await listSessions(tx, registry.keyspace, after, PAGE),
      now: Number(await tx.time()),
    }));
    for (const { id, session } of page.sessions) {
      if (!isOver(session, page.now, options)) continue;
      // The session goes in a transaction of its own before the bytes: a PUT that ends the upload meanwhile conflicts with it.
      // So does a server that takes it over, and one that renews it.
      const forgotten = await forgetUpload(executor, id, filesOf(id, session), (current, now) => isOver(current, now, options));
      if (forgotten === undefined) continue;
      dropped += 1;
      await dropUploadBytes(executor, blobs, forgotten).catch((error: unknown) => failures.push(error));
    }
    after = page.sessions.at(-1)?.id;
    if (page.sessions.length < PAGE || after === undefined) break;
  }
  dropped += await dropOrphans(executor, blobs, options, failures);
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} uploads could not be dropped`);
  return dropped;
}

function isOver({ activeAt, startedAt, finished }: UploadSession, now: number, options: ExpiryOptions): boolean {
  if (now - activeAt > options.idleSeconds * 1_000_000) return true;
  return finished === undefined && now - startedAt > options.timeoutSeconds * 1_000_000;
}

/**
 * Staged files that no session names: of an upload that was never written down, or forgotten by a process that died before it dropped them, and of a server that
 * an upload was taken over from. A file is made only after a session has named it, and never named again: so none of these is anybody's. They are left for as
 * long as an upload may be idle, since the process that made one may still be about to drop it, with what it committed.
 */
async function dropOrphans(
  executor: Executor,
  blobs: BlobStore,
  { idleSeconds }: ExpiryOptions,
  failures: unknown[],
): Promise<number> {
  let dropped = 0;
  for await (const name of blobs.listStaged()) {
    const staged = parseStagedName(name);
    if (staged === undefined) continue;
    const orphan = await executor.store.read(async ({ tx, registry }) => {
      const age = Number(await tx.time()) - startOf(staged.file);
      if (age <= idleSeconds * 1_000_000) return false;
      const session = await readSession(tx, registry.keyspace, staged.upload);
      return session === undefined || !filesOf(staged.upload, session).includes(name);
    });
    if (!orphan) continue;
    await dropStagedFile(executor, blobs, name).then(
      () => (dropped += 1),
      (error: unknown) => failures.push(error),
    );
  }
  return dropped;
}

/** When a UUIDv7 was made, microseconds since 1970. RFC 9562, section 5.7. */
function startOf(id: Uid): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16) * 1_000;
}
