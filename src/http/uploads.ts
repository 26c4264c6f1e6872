import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';

import { BlobStoreError } from '../blobs/blob-store.js';
import { parseUploadId, readSession, type UploadSession } from '../blobs/upload-sessions.js';
import { forgetUpload, mountBlob, pushBlob, renewUpload, startUpload, type PushBlob } from '../commands/blob.js';
import { isRefusal } from '../commands/execute.js';
import { algorithmOf, isDigestAlgorithm, type Digest, type DigestAlgorithm } from '../digest.js';
import { refuse, reject, RefusalError, type Refusal } from '../errors.js';
import { parseName, type RepositoryName, type Uid } from '../identifiers.js';
import { findBlob } from '../projections/blobs.js';
import { findTarget } from '../projections/targets.js';
import { requireDigest } from './blobs.js';
import { parseContentRange } from './byte-range.js';
import { commandContext, deny, findRepositoryFor, type Exchange } from './exchange.js';
import { ensureRepository } from './repository-by-push.js';
import { announcedLength, readBody } from './request-body.js';
import type { UploadClaim } from './running-uploads.js';

// ---- POST: begin an upload, bring a whole blob, or mount one. OCI distribution 1.1, end-4a, end-4b, end-11.

export async function postUpload(exchange: Exchange, name: RepositoryName): Promise<FastifyReply> {
  const { query, request, services } = exchange;
  const mount = query.get('mount');
  const given = query.get('digest');
  const digest = given === null ? undefined : requireDigest(given);
  const algorithm = algorithmFor(query.get('digest-algorithm'), digest);
  const mounting = mount === null ? undefined : requireDigest(mount);
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
  const whole = digest !== undefined && (announcedLength(request.raw) !== 0 || digest === emptyDigest(algorithm));
  const claim = await services.runningUploads.claim(upload);
  try {
    await services.blobs.stage(upload);
    if (!whole) return await uploadAt(exchange, name, upload, 0).status(202).send();
    return await finish(exchange, name, upload, algorithm, digest, claim);
  } catch (error) {
    // Its Location was never told: nobody can go on with it.
    await drop(exchange, upload);
    throw error;
  } finally {
    claim.release();
  }
}

function algorithmFor(parameter: string | null, digest: Digest | undefined): DigestAlgorithm {
  if (digest !== undefined) return algorithmOf(digest);
  if (parameter === null) return 'sha256';
  return isDigestAlgorithm(parameter) ? parameter : reject('DIGEST_ALGORITHM_UNSUPPORTED', { algorithm: parameter });
}

function emptyDigest(algorithm: DigestAlgorithm): Digest {
  return `${algorithm}:${createHash(algorithm).digest('hex')}` as Digest;
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

// ---- PATCH: bytes. OCI distribution 1.1, end-5.

/** Renews the session of a request whose bytes are coming, until it is cleared: every minute, or as often as a short idle time needs. */
function keepAlive({ services }: Exchange, upload: Uid): NodeJS.Timeout {
  const everyMs = Math.min(60_000, (services.config.uploadIdleSeconds * 1_000) / 3);
  return setInterval(() => void renewUpload(services.executor, upload).catch(() => undefined), everyMs);
}

export async function patchUpload(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { request, services } = exchange;
  const { upload, session } = await openSession(exchange, name, text, 'push');
  const claim = await services.runningUploads.claim(upload);
  const renewal = keepAlive(exchange, upload);
  try {
    const { offset, announced } = await chunkOf(exchange, name, upload);
    const size = await append(exchange, name, upload, session.algorithm, offset, claim);
    const received = size - offset;
    request.told.received = received;
    if (announced !== undefined && received !== announced) {
      // Its length came with no header: only now is it known. The bytes stay, and the answer says where the upload stands.
      uploadAt(exchange, name, upload, size);
      return reject('SIZE_INVALID', { reason: `Content-Range announced ${announced} bytes; ${received} came and are kept` });
    }
    return await uploadAt(exchange, name, upload, size).status(202).send();
  } finally {
    clearInterval(renewal);
    claim.release();
  }
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
    return size;
  } catch (error) {
    if (!(error instanceof BlobStoreError)) throw error;
    if (claim.signal.aborted) return reject('UPLOAD_TAKEN_OVER');
    switch (error.code) {
      case 'upload_unknown':
        return reject('UPLOAD_UNKNOWN', { name: name.name, upload });
      case 'wrong_offset':
        uploadAt(exchange, name, upload, error.staged ?? 0);
        return reject('UPLOAD_WRONG_OFFSET', { offset, expected: error.staged ?? 0 });
      case 'source_failed':
        // What arrived stays: the client asks for the upload's status and goes on.
        return reject('BODY_TRUNCATED', { received: (error.staged ?? offset) - offset });
      case 'storage_full':
        await drop(exchange, upload);
        return reject('STORAGE_FULL');
      default:
        throw error;
    }
  }
}

// ---- PUT: the end. OCI distribution 1.1, end-6.

export async function putUpload(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { query, services } = exchange;
  const given = query.get('digest');
  if (given === null) return reject('DIGEST_MISSING', { form: 'PUT <location>?digest=<digest>' });
  const digest = requireDigest(given);
  exchange.request.told.digest = digest;
  const { upload, session } = await openSession(exchange, name, text, 'push', digest);
  // The answer to this very request was lost on its way.
  if (session.finished !== undefined) return blobCreated(exchange, name, digest);
  const claim = await services.runningUploads.claim(upload);
  const renewal = keepAlive(exchange, upload);
  try {
    // Or the client gave up on it while it was at its last work.
    if (claim.tookOver && (await openSession(exchange, name, text, 'push', digest)).session.finished !== undefined) {
      return await blobCreated(exchange, name, digest);
    }
    return await finish(exchange, name, upload, session.algorithm, digest, claim);
  } finally {
    clearInterval(renewal);
    claim.release();
  }
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
  const { offset } = await chunkOf(exchange, name, upload);
  const length = announcedLength(request.raw);
  const held =
    offset === 0 && length !== undefined && length <= HELD_BYTES
      ? await readBody(request.raw, HELD_BYTES, () => refuse('SIZE_INVALID', { reason: 'the body is too long' }))
      : undefined;
  const size = held?.length ?? (length === 0 ? offset : await append(exchange, name, upload, algorithm, offset, claim));
  request.told.received = size - offset;
  // The work behind the last byte may take longer than an idle connection is kept.
  request.raw.socket.setTimeout(0);
  try {
    const actual = held === undefined ? await services.blobs.digest(upload, algorithmOf(digest)) : hashOf(held, digest);
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

function hashOf(bytes: Buffer, digest: Digest): Digest {
  const algorithm = algorithmOf(digest);
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

/** Links what another upload brought before, or commits these bytes and links them. */
async function keep(exchange: Exchange, command: PushBlob, held: Buffer | undefined): Promise<void> {
  const { executor, blobs } = exchange.services;
  const { upload, digest } = command;
  const known = await executor.store.read((reading) => findBlob(reading, digest));
  // A generation whose file is gone is no reason to drop the bytes that are here now.
  const there = known !== undefined && (await blobs.stat({ digest, generation: known.generation })) !== undefined;
  const lost = there ? undefined : known?.generation;
  let outcome = there ? await push(exchange, command) : undefined;
  if (outcome?.generation === undefined) {
    await (held === undefined ? blobs.commit(upload, digest) : blobs.put(upload, held, digest));
    outcome = await push(exchange, { ...command, lost, committed: true });
  }
  if (outcome.generation !== upload) await blobs.remove({ digest, generation: upload });
  await blobs.release(upload);
}

async function push(exchange: Exchange, command: PushBlob) {
  const { executor, blobs } = exchange.services;
  const pushed = await pushBlob(executor, commandContext(exchange), command);
  if (!isRefusal(pushed)) return pushed;
  // Cancelled, or not allowed any more, while the bytes came.
  if (command.committed) await blobs.remove({ digest: command.digest, generation: command.upload });
  if (pushed.refused === 'UPLOAD_UNKNOWN') await blobs.release(command.upload);
  throw new RefusalError(pushed);
}

// ---- GET and DELETE: status and cancellation. OCI distribution 1.1, end-13, end-14.

export async function getUpload(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { upload } = await openSession(exchange, name, text, 'push');
  const staged = await exchange.services.blobs.staged(upload);
  if (staged === undefined) return reject('UPLOAD_UNKNOWN', { name: name.name, upload });
  return uploadAt(exchange, name, upload, staged.size).status(204).send();
}

export async function cancelUpload(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { services, reply } = exchange;
  const { upload } = await openSession(exchange, name, text, 'push');
  const claim = await services.runningUploads.claim(upload);
  try {
    await drop(exchange, upload);
  } finally {
    claim.release();
  }
  return reply.status(204).send();
}

/** Forgets an upload in a committed transaction before its bytes are touched. */
async function drop({ services }: Exchange, upload: Uid): Promise<void> {
  if (await forgetUpload(services.executor, upload, (session) => session.finished === undefined))
    await services.blobs.release(upload);
}

/** The caller's upload. One that is finished is there for a PUT of the digest that it was finished with, and for nobody else. */
async function openSession(
  exchange: Exchange,
  name: RepositoryName,
  text: string,
  verb: 'push',
  finishedAs?: Digest,
): Promise<{ readonly upload: Uid; readonly session: UploadSession }> {
  const { services, caller } = exchange;
  const upload = parseUploadId(text);
  const unknown = refuse('UPLOAD_UNKNOWN', { name: name.name, upload: text });
  const found = await services.executor.store.read(async (reading): Promise<UploadSession | Refusal> => {
    const target = await findRepositoryFor(reading, caller, verb, name);
    if (isRefusal(target)) return target;
    const session = upload === undefined ? undefined : await readSession(reading.tx, reading.registry.keyspace, upload);
    if (session === undefined || session.repository !== target.repository || session.name !== name.name) return unknown;
    return session.finished === undefined || session.finished === finishedAs ? session : unknown;
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
