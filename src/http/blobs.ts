import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';

import { BlobStoreError } from '../blobs/blob-store.js';
import { deleteBlob } from '../commands/blob.js';
import { isRefusal } from '../commands/execute.js';
import { digestForm, parseDigest, type Digest } from '../digest.js';
import { reject, RefusalError } from '../errors.js';
import type { RepositoryName } from '../identifiers.js';
import { findBlob, type CanonicalBlob } from '../projections/blobs.js';
import { findLink } from '../projections/references.js';
import { findTarget } from '../projections/targets.js';
import { beginAnswer, sendBytes } from './answers.js';
import { matchesEntityTag, parseRange } from './byte-range.js';
import { commandContext, deny, type Exchange, credentialOf } from './exchange.js';

export function requireDigest(text: string): Digest {
  const digest = parseDigest(text);
  if (digest !== undefined) return digest;
  const algorithm = /^([a-z0-9+._-]+):/i.exec(text)?.[1];
  const reason = `${JSON.stringify(text)} is not a digest; accepted is ${digestForm}`;
  return algorithm === undefined || algorithm === 'sha256' || algorithm === 'sha512'
    ? reject('DIGEST_INVALID', { reason })
    : reject('DIGEST_INVALID', { reason: `digest algorithm ${algorithm} is not supported; accepted is ${digestForm}` });
}

/** The caller's blob. A digest known by heart opens nothing: the link decides, not the bytes' being somewhere. */
async function findBlobFor({ services, caller }: Exchange, name: RepositoryName, digest: Digest): Promise<CanonicalBlob> {
  const key = `blob ${credentialOf(caller)} ${name.name} ${digest}`;
  const { target, blob } = await services.executor.store.readCached(key, async (reading) => {
    const target = await findTarget(reading, caller.actor, name);
    // Who may not is told so in the same time, whatever is there.
    const seen = target.role !== undefined && target.repository !== undefined;
    const linked = seen && (await findLink(reading, target.repository, digest)) !== undefined;
    return { target, blob: linked ? await findBlob(reading, digest) : undefined };
  });
  const denied = deny(caller, 'pull', target);
  if (denied !== undefined) throw new RefusalError(denied);
  if (target.repository === undefined) return reject('REPOSITORY_UNKNOWN', { name: name.name });
  return blob ?? reject('BLOB_UNKNOWN', { name: name.name, digest });
}

// Read at once instead of streamed, and kept: a stream for each costs more than the bytes.
const SMALL_BLOB_BYTES = 64 * 1024;

/** GET and HEAD, with Range and conditions. OCI distribution 1.1, end-2; RFC 9110. */
export async function getBlob(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { request, reply } = exchange;
  const digest = requireDigest(text);
  request.told.digest = digest;
  const blob = await findBlobFor(exchange, name, digest);
  const entityTag = `"${digest}"`;
  const headers: (string | number)[] = ['docker-content-digest', digest, 'etag', entityTag, 'accept-ranges', 'bytes'];
  if (matchesEntityTag(request.headers['if-none-match'], digest)) return sendBytes(reply, 304, headers, undefined);
  headers.push('content-type', 'application/octet-stream');
  if (request.method === 'HEAD') {
    // Every client asks so before it pushes: one that is told that a lost file is there would never bring it again.
    const size = await exchange.services.blobs.stat({ digest, generation: blob.generation });
    if (size !== blob.size) return reject('BLOB_UNKNOWN', { name: name.name, digest });
    return sendBytes(reply, 200, [...headers, 'content-length', size], undefined);
  }

  const ifRange = request.headers['if-range'];
  const asked = ifRange === undefined || ifRange === entityTag ? request.headers.range : undefined;
  const range = parseRange(asked, blob.size);
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${blob.size}`);
    return reject('RANGE_INVALID', { range: String(asked), size: blob.size });
  }
  const length = range === undefined ? blob.size : range.last - range.first + 1;
  headers.push('content-length', length);
  if (range !== undefined) headers.push('content-range', `bytes ${range.first}-${range.last}/${blob.size}`);
  const status = range === undefined ? 200 : 206;
  request.told.bytes = length;

  if (blob.size <= SMALL_BLOB_BYTES) {
    const bytes = await smallBlob(exchange, name, digest, blob);
    return sendBytes(reply, status, headers, range === undefined ? bytes : bytes.slice(range.first, range.last + 1));
  }
  if (!(await itsTurn(request.raw, reply.raw))) return reply.hijack();
  // Not the file's size: one that became shorter on the disk must break the answer off, whose length is said already.
  const part = range ?? { first: 0, last: blob.size - 1 };
  let answer: ServerResponse | undefined;
  try {
    await withLiveGeneration(exchange, name, digest, blob, async ({ generation }) => {
      const sent = await exchange.services.blobs.send(
        { digest, generation },
        part,
        () => (answer = beginAnswer(reply, status, headers)),
      );
      return sent || undefined;
    });
    answer?.end();
  } catch (error) {
    if (answer === undefined) throw error;
    // Behind the head there is no other way to say that bytes are missing. Only a fault of ours is the log's to tell.
    answer.destroy(error instanceof BlobStoreError && error.code === 'sink_failed' ? undefined : asError(error));
  }
  return reply;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/**
 * Pipelining: an answer that waits behind others on its connection is not sent, and when the connection is lost Node neither closes it nor calls back. It
 * opens no file before its turn. False when the turn will not come.
 */
export function itsTurn(request: IncomingMessage, answer: ServerResponse): Promise<boolean> {
  if (answer.socket !== null || request.destroyed) return Promise.resolve(answer.socket !== null);
  return new Promise((resolve) => {
    answer.once('socket', () => resolve(true));
    request.once('close', () => resolve(false));
  });
}

async function smallBlob(exchange: Exchange, name: RepositoryName, digest: Digest, blob: CanonicalBlob): Promise<string> {
  const { services } = exchange;
  const kept = services.bytes.get(digest);
  if (kept !== undefined) return kept;
  const bytes = await withLiveGeneration(exchange, name, digest, blob, ({ generation }) =>
    services.blobs.readSmall({ digest, generation }, SMALL_BLOB_BYTES),
  );
  const text = bytes.toString('latin1');
  services.bytes.set(digest, text);
  return text;
}

/** A collection and a new upload may have come between the record and its file: then the record is read once more. */
async function withLiveGeneration<T>(
  exchange: Exchange,
  name: RepositoryName,
  digest: Digest,
  blob: CanonicalBlob,
  open: (blob: CanonicalBlob) => Promise<T | undefined>,
): Promise<T> {
  const first = await open(blob);
  if (first !== undefined) return first;
  const again = await findBlobFor(exchange, name, digest);
  const second = await open(again);
  if (second === undefined)
    throw new Error(`the bytes of blob ${digest}, generation ${again.generation}, are not in the blob store`);
  return second;
}

/** DELETE. OCI distribution 1.1, end-10: from the whole repository. */
export async function removeBlob(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const digest = requireDigest(text);
  exchange.request.told.digest = digest;
  const deleted = await deleteBlob(exchange.services.executor, commandContext(exchange), { kind: 'DeleteBlob', name, digest });
  if (isRefusal(deleted)) throw new RefusalError(deleted);
  return exchange.reply.status(202).header('content-length', 0).send();
}
