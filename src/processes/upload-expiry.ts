import type { BlobStore } from '../blobs/blob-store.js';
import { listSessions, readSession, type UploadSession } from '../blobs/upload-sessions.js';
import { forgetUpload } from '../commands/blob.js';
import type { Executor } from '../commands/execute.js';
import type { Digest } from '../digest.js';
import { parseUid, type Uid } from '../identifiers.js';
import { findBlob } from '../projections/blobs.js';

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
      await dropBytes(executor, blobs, id, session).catch((error: unknown) => failures.push(error));
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

/** A process that died between a commit and its event left the bytes under their digest, too, where only their upload's id says whose they are. */
async function dropBytes(executor: Executor, blobs: BlobStore, id: Uid, session: UploadSession | undefined): Promise<void> {
  const staged = await blobs.staged(id);
  if (staged?.committed === true) {
    // The digest of the last PUT, which may have had another algorithm than the upload.
    const finished = session?.finished;
    const digests = finished === undefined ? [await blobs.digest(id, 'sha256'), await blobs.digest(id, 'sha512')] : [finished];
    for (const digest of digests) await dropUnlessLive(executor, blobs, digest, id);
  }
  await blobs.release(id);
}

async function dropUnlessLive(executor: Executor, blobs: BlobStore, digest: Digest, id: Uid): Promise<void> {
  const live = await executor.store.read((reading) => findBlob(reading, digest));
  if (live?.generation !== id) await blobs.remove({ digest, generation: id });
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
    await dropBytes(executor, blobs, id, undefined).then(
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
