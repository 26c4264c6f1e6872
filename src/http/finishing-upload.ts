import { BlobStoreError } from '../blobs/blob-store.js';
import { readSession } from '../blobs/upload-sessions.js';
import { pushBlob, type PushBlob } from '../commands/blob.js';
import { isRefusal } from '../commands/execute.js';
import { dropGenerationUnlessLive } from '../commands/upload-bytes.js';
import { algorithmOf, digestOf, type Digest } from '../digest.js';
import { refuse, reject, RefusalError } from '../errors.js';
import { findBlob } from '../projections/blobs.js';
import { findLink } from '../projections/references.js';
import { findTarget } from '../projections/targets.js';
import { commandContext, type Exchange } from './exchange.js';
import { append, drop, notMine, type Receiving } from './receiving-upload.js';
import { chunkOf } from './upload-chunk.js';
import { announcedLength, readBody } from './request-body.js';

// A whole blob of this size is held in memory and written at once.
const HELD_BYTES = 64 * 1024;

/** Takes in the last bytes, checks the digest, makes the bytes durable and links them: nothing is acknowledged before that. */
export async function finish(exchange: Exchange, mine: Receiving, digest: Digest): Promise<void> {
  const { services, request } = exchange;
  const { name, upload, file } = mine;
  const staged = await services.blobs.staged(mine.staged);
  if (staged === undefined) return notMine(exchange, mine, 'UPLOAD_UNKNOWN');
  // This very PUT was here before and got as far as the commit of its bytes, but not to their event: they may come again, and are here.
  const again = mine.whole || staged.committed === true;
  if (again) request.raw.resume();
  const offset = again ? staged.size : chunkOf(exchange, mine, staged.size).offset;
  const length = again ? 0 : announcedLength(request.raw);
  const held =
    !again && offset === 0 && length !== undefined && length <= HELD_BYTES
      ? await readBody(request.raw, HELD_BYTES, () => refuse('SIZE_INVALID', { reason: 'the body is too long' }), mine.signal)
      : undefined;
  const size = held?.length ?? (length === 0 ? offset : await append(exchange, mine, offset));
  request.told.received = size - offset;
  // The work behind the last byte may take longer than an idle connection is kept.
  request.raw.socket.setTimeout(0);
  try {
    const actual =
      held === undefined ? await services.blobs.digest(mine.staged, algorithmOf(digest)) : digestOf(held, algorithmOf(digest));
    if (actual !== digest) {
      if (!(await drop(exchange, mine))) return await notMine(exchange, mine);
      return reject('DIGEST_MISMATCH', { given: digest, actual, what: 'blob' });
    }
    const command = { kind: 'PushBlob', name, upload, file, digest, size, committed: false, lost: undefined } as const;
    await keep(exchange, mine, command, held);
  } catch (error) {
    if (error instanceof BlobStoreError && error.code === 'storage_full') {
      await drop(exchange, mine);
      return reject('STORAGE_FULL');
    }
    if (error instanceof BlobStoreError && error.code === 'upload_unknown')
      return await notMine(exchange, mine, 'UPLOAD_UNKNOWN');
    throw error;
  } finally {
    request.raw.socket.setTimeout(services.config.idleSeconds * 1_000);
  }
}

/** Links what another upload brought before, or commits these bytes and links them. */
async function keep(exchange: Exchange, mine: Receiving, command: PushBlob, held: Buffer | undefined): Promise<void> {
  const { executor, blobs } = exchange.services;
  const { file, digest } = command;
  const { staged } = mine;
  const { known, linked } = await findPushed(exchange, command);
  // A generation whose file is gone or cut is no reason to drop the bytes that are here now.
  const there = known !== undefined && (await blobs.stat({ digest, generation: known.generation })) === known.size;
  const lost = there ? undefined : known?.generation;
  let outcome = there ? await push(exchange, mine, command, linked) : undefined;
  if (outcome?.generation === undefined) {
    await (held === undefined ? blobs.commit(staged, digest) : blobs.put(staged, held, digest));
    outcome = await push(exchange, mine, { ...command, lost, committed: true }, linked);
  }
  if (outcome.generation !== file) await dropGenerationUnlessLive(executor, blobs, digest, file);
  await blobs.release(staged);
}

/** The blob, where it is stored already, and whether the repository may read it. */
async function findPushed({ services, caller }: Exchange, { name, digest }: PushBlob) {
  return services.executor.store.read(async (reading) => {
    const known = await findBlob(reading, digest);
    const { repository } = known === undefined ? {} : await findTarget(reading, caller.actor, name);
    const linked = repository !== undefined && (await findLink(reading, repository, digest)) !== undefined;
    return { known, linked };
  });
}

async function push(exchange: Exchange, mine: Receiving, command: PushBlob, linked: boolean) {
  const { staged } = mine;
  const { executor, blobs, inTurn } = exchange.services;
  const run = () => pushBlob(executor, commandContext(exchange), command);
  // The first pushes of a base layer come together, and only one of them can store and link it: the others would be sent round again by its commit.
  const pushed = linked ? await run() : await inTurn(`blob ${command.digest}`, run);
  if (!isRefusal(pushed)) return pushed;
  // Cancelled, taken over, or not allowed any more, while the bytes came.
  if (command.committed) await dropGenerationUnlessLive(executor, blobs, command.digest, command.file);
  const useless =
    pushed.refused === 'UPLOAD_UNKNOWN' ||
    (pushed.refused === 'UPLOAD_TAKEN_OVER' && !(await isCopied(exchange, staged, command)));
  if (useless) await blobs.release(staged);
  // No later request brings these bytes in, and they are not to lie here until the upload expires.
  if (pushed.refused === 'CONTENT_ERASED') await drop(exchange, mine);
  throw new RefusalError(pushed);
}

/** Whether the server that took the upload over has still to copy the file. Once it has, nobody reads the file again. */
async function isCopied({ services }: Exchange, staged: string, { upload }: PushBlob): Promise<boolean> {
  const session = await services.executor.store.read(({ tx, registry }) => readSession(tx, registry.keyspace, upload));
  return session?.writer?.copying === staged;
}
