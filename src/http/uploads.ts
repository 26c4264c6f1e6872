import type { FastifyReply } from 'fastify';

import { bytesOf, filesOf } from '../blobs/upload-sessions.js';
import { mountBlob } from '../commands/blob.js';
import { isRefusal } from '../commands/execute.js';
import { dropUploadBytes } from '../commands/upload-bytes.js';
import { forgetUpload, startUpload } from '../commands/upload.js';
import { algorithmOf, digestOf, isDigestAlgorithm, parseDigest, type Digest, type DigestAlgorithm } from '../digest.js';
import { refuse, reject, RefusalError } from '../errors.js';
import { parseName, type RepositoryName } from '../identifiers.js';
import { findTarget } from '../projections/targets.js';
import { requireDigest } from './blobs.js';
import { commandContext, deny, type Exchange } from './exchange.js';
import { finish } from './finishing-upload.js';
import { append, claiming, drop, notMine, receiving, receivingNew, requireWriter } from './receiving-upload.js';
import { chunkOf } from './upload-chunk.js';
import { ensureRepository } from './repository-by-push.js';
import { announcedLength } from './request-body.js';
import { openSession, uploadAt } from './upload-session.js';

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

  const { executor, blobs, newId, runningUploads } = services;
  const [upload, file] = [newId(), newId()];
  const writer = { server: runningUploads.server, file };
  const refusal = await startUpload(executor, commandContext(exchange), { kind: 'StartUpload', name, upload, algorithm, writer });
  if (refusal !== undefined) throw new RefusalError(refusal);
  const whole = digest !== undefined && (announcedLength(request.raw) !== 0 || digest === digestOf(noBytes, algorithm));
  await receivingNew(exchange, name, { upload, algorithm, file }, async (mine) => {
    try {
      await blobs.stage(mine.staged);
      if (whole) await finish(exchange, mine, digest);
    } catch (error) {
      // Its Location was never told: nobody can go on with it.
      await drop(exchange, mine);
      throw error;
    }
  });
  return whole ? blobCreated(exchange, name, digest) : uploadAt(exchange, name, upload, 0).status(202).send();
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
    const denied = deny(caller, 'pull', source);
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
  const open = () => openSession(exchange, name, text);
  const opened = await open();
  const { upload } = opened;
  const size = await receiving(exchange, name, opened, open, async (mine): Promise<number> => {
    const staged = await exchange.services.blobs.staged(mine.staged);
    if (staged === undefined) return notMine(exchange, mine, 'UPLOAD_UNKNOWN');
    const { offset, announced } = chunkOf(exchange, mine, staged.size);
    const reached = await append(exchange, mine, offset);
    await requireWriter(exchange, mine);
    const received = reached - offset;
    if (announced !== undefined && received !== announced) {
      // Its length came with no header: only now is it known. The bytes stay, and the answer says where the upload stands.
      uploadAt(exchange, name, upload, reached);
      return reject('SIZE_INVALID', { reason: `Content-Range announced ${announced} bytes; ${received} came and are kept` });
    }
    return reached;
  });
  if (size === undefined) return reject('UPLOAD_UNKNOWN', { name: name.name, upload });
  return uploadAt(exchange, name, upload, size).status(202).send();
}

// ---- PUT

/** Ends an upload, with its last bytes or without. OCI distribution 1.1, end-6. */
export async function putUpload(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const given = exchange.query.get('digest');
  if (given === null) return reject('DIGEST_MISSING', { form: 'PUT <location>?digest=<digest>' });
  const digest = requireDigest(given);
  exchange.request.told.digest = digest;
  const open = () => openSession(exchange, name, text, digest);
  const opened = await open();
  // Where it is finished, the answer to this very request was lost on its way, or the client gave up on it while it was at its last work.
  if (opened.session.finished === undefined) {
    await receiving(exchange, name, opened, open, (mine) => finish(exchange, mine, digest));
  }
  return blobCreated(exchange, name, digest);
}

// ---- GET and DELETE

// Each time another server must take the upload over, and drop what it copied, between two calls.
const STATUS_TRIES = 5;

/** How far an upload has come. OCI distribution 1.1, end-13. */
export async function getUpload(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  for (let tries = 1; ; tries += 1) {
    const { upload, session } = await openSession(exchange, name, text);
    const staged = await exchange.services.blobs.staged(bytesOf(upload, session));
    if (staged !== undefined) return uploadAt(exchange, name, upload, staged.size).status(204).send();
    if (tries === STATUS_TRIES) return reject('UPLOAD_UNKNOWN', { name: name.name, upload });
  }
}

/** Gives an upload up, and its bytes with it. OCI distribution 1.1, end-14. */
export async function cancelUpload(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { executor, blobs } = exchange.services;
  const { upload, session } = await openSession(exchange, name, text);
  await claiming(exchange, upload, async () => {
    const known = filesOf(upload, session);
    const forgotten = await forgetUpload(executor, upload, known, ({ finished }) => finished === undefined);
    if (forgotten !== undefined) await dropUploadBytes(executor, blobs, forgotten);
  });
  return exchange.reply.status(204).send();
}

function blobCreated({ reply }: Exchange, name: RepositoryName, digest: Digest): FastifyReply {
  return reply
    .status(201)
    .header('location', `/v2/${name.name}/blobs/${digest}`)
    .header('docker-content-digest', digest)
    .header('content-length', 0)
    .send();
}
