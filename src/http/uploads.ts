import type { FastifyReply } from 'fastify';

import { BlobStoreError } from '../blobs/blob-store.js';
import { parseUploadId, readSession, type UploadSession } from '../blobs/upload-sessions.js';
import {
  dropGenerationUnlessLive,
  dropUploadBytes,
  forgetUpload,
  mountBlob,
  pushBlob,
  renewUpload,
  startUpload,
  type PushBlob,
} from '../commands/blob.js';
import { isRefusal } from '../commands/execute.js';
import { algorithmOf, digestOf, isDigestAlgorithm, parseDigest, type Digest, type DigestAlgorithm } from '../digest.js';
import { refuse, reject, RefusalError, type Refusal } from '../errors.js';
import { parseName, type RepositoryName, type Uid } from '../identifiers.js';
import { findBlob } from '../projections/blobs.js';
import { findLink } from '../projections/references.js';
import { findTarget } from '../projections/targets.js';
import { requireDigest } from './blobs.js';
import { parseContentRange } from './byte-range.js';
import { commandContext, deny, findRepositoryFor, type Exchange } from './exchange.js';
import { ensureRepository } from './repository-by-push.js';
import { announcedLength, readBody } from './request-body.js';
import type { UploadClaim } from './running-uploads.js';

// ---- One request at a time

/**
 * Holds an upload while `work` goes on: an older request has ended, and the upload does not expire, since its session is renewed every minute, or as
 * often as a short idle time needs. The only way to a claim, so that no route forgets to renew it or to give it back.
 */
async function holding<T>({ services }: Exchange, upload: Uid, work: (claim: UploadClaim) => Promise<T>): Promise<T> {
  const { executor, runningUploads, config } = services;
  const claim = await runningUploads.claim(upload);
  const everyMs = Math.min(60_000, (config.uploadIdleSeconds * 1_000) / 3);
  const renewal = setInterval(() => void renewUpload(executor, upload).catch(() => undefined), everyMs);
  try {
    return await work(claim);
  } finally {
    clearInterval(renewal);
    claim.release();
  }
}

// ---- POST

const noBytes = Buffer.alloc(0);

/** Begins an upload, brings a whole blob, or mounts one. OCI distribution 1.1, end-4a, end-4b, end-11. */
export async function postUpload(exchange: Exchange, name: RepositoryName): Promise<FastifyReply> {
  const { query, request, services } = exchange;
  const mount = query.get('mount');
  const given = query.get('digest');
  const digest = given === null ? undefined : requireDigest(given);
  const algorithm = algorithmFor(query.get('digest-algorithm'), digest);
  // A digest that can't be one of ours is a mount that can't be done: an ordinary upload.
  const mounting = mount === null ? undefined : parseDigest(mount);
  await ensureRepository(exchange, name);
  if (mounting !== undefined && (await tryMount(exchange, name, mounting))) return blobCreated(exchange, name, mounting);

  const upload = services.newId();
  const refusal = await startUpload(services.executor, commandContext(exchange), {
    kind: 'StartUpload',
    name,
    upload,
    algorithm,
  });
  if (refusal !== undefined) throw new RefusalError(refusal);
  const whole = digest !== undefined && (announcedLength(request.raw) !== 0 || digest === digestOf(noBytes, algorithm));
  return holding(exchange, upload, async (claim) => {
    try {
      await services.blobs.stage(upload);
      if (!whole) return await uploadAt(exchange, name, upload, 0).status(202).send();
      return await finish(exchange, name, upload, algorithm, digest, claim);
    } catch (error) {
      // Its Location was never told: nobody can go on with it.
      await drop(exchange, upload);
      throw error;
    }
  });
}

function algorithmFor(parameter: string | null, digest: Digest | undefined): DigestAlgorithm {
  if (digest !== undefined) return algorithmOf(digest);
  if (parameter === null) return 'sha256';
  return isDigestAlgorithm(parameter) ? parameter : reject('DIGEST_ALGORITHM_UNSUPPORTED', { algorithm: parameter });
}

async function tryMount(exchange: Exchange, name: RepositoryName, digest: Digest): Promise<boolean> {
  const { query, services, caller } = exchange;
  exchange.request.told.digest = digest;
  const text = query.get('from');
  const from = text === null ? undefined : parseName(text);
  // A source that can't be is a mount that can't be done: an ordinary upload.
  if (from !== undefined && 'problem' in from) return false;
  if (from !== undefined) {
    const source = await services.executor.store.read((reading) => findTarget(reading, caller.actor, from));
    const denied = deny(caller, 'pull', from, source);
    if (denied?.refused === 'SCOPE_INSUFFICIENT' && caller.actor.kind !== 'anonymous') {
      // The principal may, the token may not: the client is told to ask for both.
      const both = `repository:${name.name}:pull,push ${String(denied.details['scope'])}`;
      throw new RefusalError(refuse('SCOPE_INSUFFICIENT', { scope: both }));
    }
    if (denied !== undefined) return false;
  }
  const mounted = await mountBlob(services.executor, commandContext(exchange), { kind: 'MountBlob', name, digest, from });
  if (isRefusal(mounted)) throw new RefusalError(mounted);
  return mounted.mounted;
}

// ---- PATCH

/** Takes in bytes, in order. OCI distribution 1.1, end-5. */
export async function patchUpload(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { upload, session } = await openSession(exchange, name, text);
  return holding(exchange, upload, async (claim) => {
    const { offset, announced } = await chunkOf(exchange, name, upload);
    const size = await append(exchange, name, upload, session.algorithm, offset, claim);
    const received = size - offset;
    if (announced !== undefined && received !== announced) {
      // Its length came with no header: only now is it known. The bytes stay, and the answer says where the upload stands.
      uploadAt(exchange, name, upload, size);
      return reject('SIZE_INVALID', { reason: `Content-Range announced ${announced} bytes; ${received} came and are kept` });
    }
    return uploadAt(exchange, name, upload, size).status(202).send();
  });
}

interface Chunk {
  readonly offset: number;
  /** Bytes, as a Content-Range has them. */
  readonly announced: number | undefined;
}

/** Where the request's bytes belong: at the end of what is there, which a Content-Range has to agree with. */
async function chunkOf(exchange: Exchange, name: RepositoryName, upload: Uid): Promise<Chunk> {
  const { request, services } = exchange;
  const staged = await services.blobs.staged(upload);
  if (staged === undefined) return reject('UPLOAD_UNKNOWN', { name: name.name, upload });
  const header = request.headers['content-range'];
  if (header === undefined) return { offset: staged.size, announced: undefined };
  const range = parseContentRange(header);
  if (range === undefined) {
    return reject('UPLOAD_INVALID', { reason: `Content-Range ${JSON.stringify(header)} is not <first byte>-<last byte>` });
  }
  const length = announcedLength(request.raw);
  const announced = range.last - range.first + 1;
  if (length !== undefined && length !== announced) {
    return reject('SIZE_INVALID', { reason: `Content-Range ${header} has ${announced} bytes, Content-Length says ${length}` });
  }
  if (range.first !== staged.size) {
    uploadAt(exchange, name, upload, staged.size);
    return reject('UPLOAD_WRONG_OFFSET', { offset: range.first, expected: staged.size });
  }
  return { offset: staged.size, announced };
}

async function append(
  exchange: Exchange,
  name: RepositoryName,
  upload: Uid,
  algorithm: DigestAlgorithm,
  offset: number,
  claim: UploadClaim,
): Promise<number> {
  const { request, services } = exchange;
  try {
    const { size } = await services.blobs.append(upload, request.raw, { offset, algorithm, signal: claim.signal });
    request.told.received = size - offset;
    return size;
  } catch (error) {
    if (!(error instanceof BlobStoreError)) throw error;
    // Only a stream that broke off leaves bytes behind.
    const received = error.code === 'source_failed' ? (error.staged ?? offset) - offset : 0;
    request.told.received = received;
    if (claim.signal.aborted) return reject('UPLOAD_TAKEN_OVER');
    switch (error.code) {
      case 'upload_unknown':
        return reject('UPLOAD_UNKNOWN', { name: name.name, upload });
      case 'wrong_offset':
        uploadAt(exchange, name, upload, error.staged ?? 0);
        return reject('UPLOAD_WRONG_OFFSET', { offset, expected: error.staged ?? 0 });
      case 'source_failed':
        // What arrived stays: the client asks for the upload's status and goes on.
        return reject('BODY_TRUNCATED', { received });
      case 'storage_full':
        await drop(exchange, upload);
        return reject('STORAGE_FULL');
      default:
        throw error;
    }
  }
}

// ---- PUT

/** Ends an upload, with its last bytes or without. OCI distribution 1.1, end-6. */
export async function putUpload(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const given = exchange.query.get('digest');
  if (given === null) return reject('DIGEST_MISSING', { form: 'PUT <location>?digest=<digest>' });
  const digest = requireDigest(given);
  exchange.request.told.digest = digest;
  const { upload, session } = await openSession(exchange, name, text, digest);
  // The answer to this very request was lost on its way.
  if (session.finished !== undefined) return blobCreated(exchange, name, digest);
  return holding(exchange, upload, async (claim) => {
    // Or the client gave up on it while it was at its last work.
    if (claim.tookOver && (await openSession(exchange, name, text, digest)).session.finished !== undefined) {
      return blobCreated(exchange, name, digest);
    }
    return finish(exchange, name, upload, session.algorithm, digest, claim);
  });
}

// A whole blob of this size is held in memory and written at once.
const HELD_BYTES = 64 * 1024;

/** Takes in the last bytes, checks the digest, makes the bytes durable and links them: nothing is acknowledged before that. */
async function finish(
  exchange: Exchange,
  name: RepositoryName,
  upload: Uid,
  algorithm: DigestAlgorithm,
  digest: Digest,
  claim: UploadClaim,
): Promise<FastifyReply> {
  const { services, request } = exchange;
  // This very PUT was here before and got as far as the commit of its bytes, but not to their event: they may come again, and are here.
  const staged = await services.blobs.staged(upload);
  const again = staged?.committed === true;
  if (again) request.raw.resume();
  const offset = again ? staged.size : (await chunkOf(exchange, name, upload)).offset;
  const length = again ? 0 : announcedLength(request.raw);
  const held =
    !again && offset === 0 && length !== undefined && length <= HELD_BYTES
      ? await readBody(request.raw, HELD_BYTES, () => refuse('SIZE_INVALID', { reason: 'the body is too long' }), claim.signal)
      : undefined;
  const size = held?.length ?? (length === 0 ? offset : await append(exchange, name, upload, algorithm, offset, claim));
  request.told.received = size - offset;
  // The work behind the last byte may take longer than an idle connection is kept.
  request.raw.socket.setTimeout(0);
  try {
    const actual =
      held === undefined ? await services.blobs.digest(upload, algorithmOf(digest)) : digestOf(held, algorithmOf(digest));
    if (actual !== digest) {
      await drop(exchange, upload);
      return reject('DIGEST_MISMATCH', { given: digest, actual, what: 'blob' });
    }
    await keep(exchange, { kind: 'PushBlob', name, upload, digest, size, committed: false, lost: undefined }, held);
    return await blobCreated(exchange, name, digest);
  } catch (error) {
    if (error instanceof BlobStoreError && error.code === 'storage_full') {
      await drop(exchange, upload);
      return reject('STORAGE_FULL');
    }
    if (error instanceof BlobStoreError && error.code === 'upload_unknown')
      return reject('UPLOAD_UNKNOWN', { name: name.name, upload });
    throw error;
  } finally {
    request.raw.socket.setTimeout(services.config.idleSeconds * 1_000);
  }
}

/** Links what another upload brought before, or commits these bytes and links them. */
async function keep(exchange: Exchange, command: PushBlob, held: Buffer | undefined): Promise<void> {
  const { executor, blobs } = exchange.services;
  const { upload, digest } = command;
  const known = await executor.store.read((reading) => findBlob(reading, digest));
  // A generation whose file is gone or cut is no reason to drop the bytes that are here now.
  const there = known !== undefined && (await blobs.stat({ digest, generation: known.generation })) === known.size;
  const lost = there ? undefined : known?.generation;
  let outcome = there ? await push(exchange, command) : undefined;
  if (outcome?.generation === undefined) {
    await (held === undefined ? blobs.commit(upload, digest) : blobs.put(upload, held, digest));
    outcome = await push(exchange, { ...command, lost, committed: true });
  }
  if (outcome.generation !== upload) await dropGenerationUnlessLive(executor, blobs, digest, upload);
  await blobs.release(upload);
}

async function push(exchange: Exchange, command: PushBlob) {
  const { executor, blobs } = exchange.services;
  const pushed = await pushBlob(executor, commandContext(exchange), command);
  if (!isRefusal(pushed)) return pushed;
  // Cancelled, or not allowed any more, while the bytes came. The same PUT may have come through another server and ended: then they are live.
  if (command.committed) await dropGenerationUnlessLive(executor, blobs, command.digest, command.upload);
  if (pushed.refused === 'UPLOAD_UNKNOWN') await blobs.release(command.upload);
  throw new RefusalError(pushed);
}

// ---- GET and DELETE

/** How far an upload has come. OCI distribution 1.1, end-13. */
export async function getUpload(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { upload } = await openSession(exchange, name, text);
  const staged = await exchange.services.blobs.staged(upload);
  if (staged === undefined) return reject('UPLOAD_UNKNOWN', { name: name.name, upload });
  return uploadAt(exchange, name, upload, staged.size).status(204).send();
}

/** Gives an upload up, and its bytes with it. OCI distribution 1.1, end-14. */
export async function cancelUpload(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { upload } = await openSession(exchange, name, text);
  await holding(exchange, upload, () => drop(exchange, upload));
  return exchange.reply.status(204).send();
}

/** Forgets an upload in a committed transaction before its bytes are touched. */
async function drop({ services }: Exchange, upload: Uid): Promise<void> {
  const { executor, blobs } = services;
  if (await forgetUpload(executor, upload, (session) => session.finished === undefined))
    await dropUploadBytes(executor, blobs, upload);
}

/**
 * The caller's upload. One that is finished is there for a PUT of the digest that it was finished with, while the repository still has that blob, and
 * for nobody else.
 */
async function openSession(
  exchange: Exchange,
  name: RepositoryName,
  text: string,
  finishedAs?: Digest,
): Promise<{ readonly upload: Uid; readonly session: UploadSession }> {
  const { services, caller } = exchange;
  const upload = parseUploadId(text);
  const unknown = refuse('UPLOAD_UNKNOWN', { name: name.name, upload: text });
  const found = await services.executor.store.read(async (reading): Promise<UploadSession | Refusal> => {
    const target = await findRepositoryFor(reading, caller, 'push', name);
    if (isRefusal(target)) return target;
    const session = upload === undefined ? undefined : await readSession(reading.tx, reading.registry.keyspace, upload);
    if (session === undefined || session.repository !== target.repository || session.name !== name.name) return unknown;
    if (session.finished === undefined) return session;
    if (session.finished !== finishedAs) return unknown;
    // Deleted since: a 201 would say that the blob is there.
    return (await findLink(reading, target.repository, session.finished)) === undefined ? unknown : session;
  });
  if (isRefusal(found)) throw new RefusalError(found);
  return upload === undefined ? reject('UPLOAD_UNKNOWN', unknown.details) : { upload, session: found };
}

// ---- Headers

/** Where an upload is and how far it has come: `0-0` also where nothing has come yet. */
function uploadAt({ reply }: Exchange, name: RepositoryName, upload: Uid, size: number): FastifyReply {
  return reply
    .header('location', `/v2/${name.name}/blobs/uploads/${upload}`)
    .header('range', `0-${Math.max(size - 1, 0)}`)
    .header('docker-upload-uuid', upload)
    .header('content-length', 0);
}

function blobCreated({ reply }: Exchange, name: RepositoryName, digest: Digest): FastifyReply {
  return reply
    .status(201)
    .header('location', `/v2/${name.name}/blobs/${digest}`)
    .header('docker-content-digest', digest)
    .header('content-length', 0)
    .send();
}
