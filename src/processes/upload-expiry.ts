import type { BlobStore } from '../blobs/blob-store.js';
import { listSessions, readSession, type UploadSession } from '../blobs/upload-sessions.js';
import { dropUploadBytes, forgetUpload } from '../commands/blob.js';
import type { Executor } from '../commands/execute.js';
import { parseUid, type Uid } from '../identifiers.js';

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
      if (!(await forgetUpload(executor, id, (current, now) => isOver(current, now, options)))) continue;
      dropped += 1;
      await dropUploadBytes(executor, blobs, id, session.finished).catch((error: unknown) => failures.push(error));
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

/** Staged bytes whose upload was never written down, or was forgotten by a process that died before it dropped them. */
async function dropOrphans(
  executor: Executor,
  blobs: BlobStore,
  { idleSeconds }: ExpiryOptions,
  failures: unknown[],
): Promise<number> {
  let dropped = 0;
  for await (const name of blobs.listStaged()) {
    const id = parseUid(name);
    if (id === undefined) continue;
    const orphan = await executor.store.read(async ({ tx, registry }) => {
      const age = Number(await tx.time()) - startOf(id);
      return age > idleSeconds * 1_000_000 && (await readSession(tx, registry.keyspace, id)) === undefined;
    });
    if (!orphan) continue;
    await dropUploadBytes(executor, blobs, id).then(
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
