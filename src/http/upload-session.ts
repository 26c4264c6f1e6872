import type { FastifyReply } from 'fastify';

import { parseUploadId, readSession, type UploadSession } from '../blobs/upload-sessions.js';
import { isRefusal } from '../commands/execute.js';
import type { Digest } from '../digest.js';
import { refuse, reject, RefusalError, type Refusal } from '../errors.js';
import type { RepositoryName, Uid } from '../identifiers.js';
import { findLink } from '../projections/references.js';
import { findRepositoryFor, type Exchange } from './exchange.js';

export interface OpenUpload {
  readonly upload: Uid;
  readonly session: UploadSession;
}

/**
 * The caller's upload. One that is finished is there for a PUT of the digest that it was finished with, while the repository still has that blob, and
 * for nobody else.
 */
export async function openSession(
  exchange: Exchange,
  name: RepositoryName,
  text: string,
  finishedAs?: Digest,
): Promise<OpenUpload> {
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

export function uploadPath(name: RepositoryName, upload: Uid): string {
  return `/v2/${name.name}/blobs/uploads/${upload}`;
}

/** Where an upload is and how far it has come: `0-0` also where nothing has come yet. */
export function uploadAt({ reply }: Exchange, name: RepositoryName, upload: Uid, size: number): FastifyReply {
  return reply
    .header('location', uploadPath(name, upload))
    .header('range', `0-${Math.max(size - 1, 0)}`)
    .header('docker-upload-uuid', upload)
    .header('content-length', 0);
}
