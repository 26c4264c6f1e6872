import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

import { isRefusal } from '../commands/execute.js';
import { deleteManifest, pushManifest } from '../commands/manifest.js';
import { deleteTag } from '../commands/tag.js';
import { algorithmOf, type Digest, type DigestAlgorithm } from '../digest.js';
import { refuse, reject, RefusalError, type Refusal } from '../errors.js';
import { readContent } from '../events/content.js';
import { MANIFEST_MAX_BYTES, parseManifest, type ManifestDocument } from '../events/manifest-document.js';
import { parseReference, parseTag, tagForm, type Reference, type RepositoryName, type Tag } from '../identifiers.js';
import { findBlob } from '../projections/blobs.js';
import { findManifest } from '../projections/manifests.js';
import { findTag } from '../projections/tags.js';
import { matchesEntityTag } from './byte-range.js';
import { commandContext, findRepositoryFor, type Exchange } from './exchange.js';
import { readBody } from './request-body.js';
import { ensureRepository } from './repository-by-push.js';

function referenceOf(exchange: Exchange, text: string): Reference {
  const reference = parseReference(text);
  if ('reason' in reference)
    return reject(text.includes(':') ? 'DIGEST_INVALID' : 'REFERENCE_INVALID', { reason: reference.reason });
  const { told } = exchange.request;
  if ('tag' in reference) told.reference = reference.tag;
  else told.digest = reference.digest;
  return reference;
}

interface FoundManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** Undefined for a HEAD. */
  readonly bytes: Buffer | undefined;
}

/** GET and HEAD. OCI distribution 1.1, end-3. The bytes are served as they were pushed, whatever Accept says. */
export async function getManifest(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { request, reply } = exchange;
  const withBytes = request.method === 'GET';
  const found = await readManifest(exchange, name, referenceOf(exchange, text), withBytes);
  if (isRefusal(found)) throw new RefusalError(found);
  request.told.digest = found.digest;
  reply.header('docker-content-digest', found.digest).header('etag', `"${found.digest}"`).header('content-type', found.mediaType);
  if (matchesEntityTag(request.headers['if-none-match'], found.digest)) return reply.status(304).send();
  return reply.status(200).header('content-length', found.size).send(found.bytes);
}

function readManifest(
  exchange: Exchange,
  name: RepositoryName,
  reference: Reference,
  withBytes: boolean,
): Promise<FoundManifest | Refusal> {
  const { services, caller } = exchange;
  return services.executor.store.read(async (reading) => {
    const target = await findRepositoryFor(reading, caller, 'pull', name);
    if (isRefusal(target)) return target;
    const unknown = refuse('MANIFEST_UNKNOWN', {
      name: name.name,
      reference: 'tag' in reference ? reference.tag : reference.digest,
    });
    const digest = 'tag' in reference ? await findTag(reading, target.repository, name.image, reference.tag) : reference.digest;
    if (digest === undefined) return unknown;
    const record = await findManifest(reading, target.repository, name.image, digest);
    if (record === undefined) return unknown;
    const { mediaType, size } = record;
    if (!withBytes) return { digest, mediaType, size, bytes: undefined };
    const bytes = services.bytes.get(digest) ?? (await readContent(reading.tx, reading.registry.keyspace, digest));
    if (bytes === undefined) throw new Error(`the content of manifest ${digest} is not in the store`);
    services.bytes.set(digest, bytes);
    return { digest, mediaType, size, bytes };
  });
}

/** Configs up to this size lie beside the log with their manifest: platform and labels are read from them. */
const CONFIG_KEPT_BYTES = 64 * 1024;

/** PUT. OCI distribution 1.1, end-7; by digest with `tag` parameters: its development version. */
export async function putManifest(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { services, request, reply } = exchange;
  const reference = referenceOf(exchange, text);
  const tags = tagsOf(exchange, reference);
  await ensureRepository(exchange, name);
  const bytes = await readBody(request.body as Readable, MANIFEST_MAX_BYTES, () =>
    refuse('MANIFEST_TOO_LARGE', { limit: MANIFEST_MAX_BYTES }),
  );
  request.told.received = bytes.length;
  const digest = digestOf(bytes, reference, exchange.query.get('digest'));
  request.told.digest = digest;
  const document = documentOf(bytes, request.headers['content-type']);
  const config = await readConfig(exchange, document);
  const push = () =>
    pushManifest(services.executor, commandContext(exchange), {
      kind: 'PushManifest',
      name,
      digest,
      bytes,
      document,
      tags,
      config,
      sparse: services.config.sparseManifests,
    });
  const [only] = tags;
  const pushed = only === undefined ? await push() : await services.inTurn(`${name.name}:${only}`, push);
  if (isRefusal(pushed)) throw new RefusalError(pushed);
  services.bytes.set(digest, bytes);
  if (document.subject !== undefined) reply.header('oci-subject', document.subject.digest);
  if ('digest' in reference && tags.length > 0) reply.header('oci-tag', tags);
  return reply
    .status(201)
    .header('location', `/v2/${name.name}/manifests/${text}`)
    .header('docker-content-digest', digest)
    .header('content-length', 0)
    .send();
}

function tagsOf({ query }: Exchange, reference: Reference): readonly Tag[] {
  if ('tag' in reference) return [reference.tag];
  const tags = query
    .getAll('tag')
    .map(
      (text) =>
        parseTag(text) ??
        reject('REFERENCE_INVALID', { reason: `tag=${JSON.stringify(text)} is not a tag; accepted is ${tagForm}` }),
    );
  return [...new Set(tags)];
}

function digestOf(bytes: Buffer, reference: Reference, parameter: string | null): Digest {
  if (bytes.length === 0) return reject('MANIFEST_EMPTY');
  if ('tag' in reference) {
    // distribution-spec's development version lets a push by tag say which digest it wants to be known by.
    if (parameter === null) return hash(bytes, 'sha256');
    const given = parseReference(parameter);
    if (!('digest' in given)) return reject('DIGEST_INVALID', { reason: `digest=${parameter} is not a digest` });
    return checked(bytes, given.digest);
  }
  return checked(bytes, reference.digest);
}

function checked(bytes: Buffer, given: Digest): Digest {
  const actual = hash(bytes, algorithmOf(given));
  return actual === given ? actual : reject('DIGEST_MISMATCH', { given, actual, what: 'manifest' });
}

function hash(bytes: Buffer, algorithm: DigestAlgorithm): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

function documentOf(bytes: Buffer, contentType: string | undefined): ManifestDocument {
  const document = parseManifest(bytes, contentType);
  return 'reason' in document ? reject('MANIFEST_INVALID', { reason: document.reason, field: document.field ?? '' }) : document;
}

/** Read before the transaction: bytes of a digest do not change, and a transaction does not wait for a disk. */
async function readConfig({ services }: Exchange, document: ManifestDocument): Promise<Buffer | undefined> {
  const config = document.config;
  if (config === undefined || config.size > CONFIG_KEPT_BYTES) return undefined;
  const blob = await services.executor.store.read(async (reading) => {
    const kept = await reading.tx.get(reading.registry.keyspace.content(config.digest, 0));
    return kept === undefined ? findBlob(reading, config.digest) : undefined;
  });
  if (blob === undefined || blob.size === 0 || blob.size !== config.size) return undefined;
  return services.blobs.readSmall({ digest: config.digest, generation: blob.generation }, CONFIG_KEPT_BYTES);
}

/** DELETE of a tag or a manifest. OCI distribution 1.1, end-9. */
export async function deleteReference(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { services, reply } = exchange;
  const reference = referenceOf(exchange, text);
  const { executor } = services;
  const contextOf = () => commandContext(exchange);
  const deleted =
    'tag' in reference
      ? await services.inTurn(`${name.name}:${reference.tag}`, () =>
          deleteTag(executor, contextOf(), { kind: 'DeleteTag', name, tag: reference.tag }),
        )
      : await deleteManifest(executor, contextOf, { kind: 'DeleteManifest', name, digest: reference.digest });
  if (isRefusal(deleted)) throw new RefusalError(deleted);
  return reply.status(202).header('content-length', 0).send();
}
