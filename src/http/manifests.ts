import type { FastifyReply } from 'fastify';

import { isRefusal } from '../commands/execute.js';
import { deleteManifest, pushManifest } from '../commands/manifest.js';
import { deleteTag } from '../commands/tag.js';
import { algorithmOf, digestForm, digestOf, parseDigest, type Digest } from '../digest.js';
import { refuse, reject, RefusalError, type Refusal } from '../errors.js';
import { readContent } from '../events/content.js';
import { formatPosition, type Position } from '../events/position.js';
import { MANIFEST_MAX_BYTES, parseManifest, type ManifestDocument } from '../events/manifest-document.js';
import {
  parseReference,
  parseTag,
  tagForm,
  type ImagePath,
  type Reference,
  type RepositoryName,
  type Tag,
  type Uid,
} from '../identifiers.js';
import { findBlob } from '../projections/blobs.js';
import { isErased } from '../projections/blobs.js';
import { findManifest, type ManifestRecord } from '../projections/manifests.js';
import type { Reading } from '../projections/store.js';
import { findTarget, type Target } from '../projections/targets.js';
import { sendBytes } from './answers.js';
import { findLink } from '../projections/references.js';
import { findTag } from '../projections/tags.js';
import { matchesEntityTag } from './byte-range.js';
import { commandContext, deny, findRepositoryFor, type Exchange, type RegistryServices, credentialOf } from './exchange.js';
import { readBody } from './request-body.js';
import { ensureRepository } from './repository-by-push.js';
import { findTagOfThePast, parseTagAt, refuseChange, type TagAt } from './tag-at.js';

function referenceOf(exchange: Exchange, text: string): Reference {
  const reference = parseReference(text);
  if ('reason' in reference)
    return reject(text.includes(':') ? 'DIGEST_INVALID' : 'REFERENCE_INVALID', { reason: reference.reason });
  const { told } = exchange.request;
  if ('tag' in reference) told.reference = reference.tag;
  else told.digest = reference.digest;
  return reference;
}

/** GET and HEAD. OCI distribution 1.1, end-3. The bytes are served as they were pushed, whatever Accept says. */
export async function getManifest(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { request, reply, caller, services } = exchange;
  const reference = referenceOf(exchange, text);
  const tagAt = 'tag' in reference ? parseTagAt(reference.tag) : undefined;
  const { target, found, position, refusal } =
    tagAt === undefined ? await findReference(exchange, name, reference) : await findThen(exchange, name, tagAt);
  const denied = deny(caller, 'pull', target);
  if (denied !== undefined) throw new RefusalError(denied);
  if (target.repository === undefined) return reject('REPOSITORY_UNKNOWN', { name: name.name });
  if (refusal !== undefined) throw new RefusalError(refusal);
  if (found === undefined) return reject('MANIFEST_UNKNOWN', { name: name.name, reference: text });
  const { digest, mediaType, size, erased } = found;
  request.told.digest = digest;
  // Before the bytes, which this process may have kept.
  if (erased) return reject('CONTENT_GONE', { digest, name: name.name });
  const headers = ['docker-content-digest', digest, 'etag', `"${digest}"`, 'content-type', mediaType];
  // What `?at=` of /api/v1 takes for the same answer.
  if (position !== undefined) headers.push('artifact-store-position', formatPosition(position));
  if (matchesEntityTag(request.headers['if-none-match'], digest)) return sendBytes(reply, 304, headers, undefined);
  const body = request.method === 'HEAD' ? undefined : await manifestBytes(services, name, digest);
  if (body !== undefined) {
    request.told.bytes = size;
    services.countPull(target.repository, name.image, digest);
  }
  return sendBytes(reply, 200, [...headers, 'content-length', size], body);
}

interface FoundManifest extends ManifestRecord {
  readonly digest: Digest;
  readonly erased: boolean;
}

interface FoundReference {
  readonly target: Target;
  readonly found: FoundManifest | undefined;
  /** Of a past that was asked for: where it was looked at, ... */
  readonly position?: Position | undefined;
  /** ... or why there is nothing. */
  readonly refusal?: Refusal;
}

/** What a reference means at one version, for whoever may know. */
function findReference({ services, caller }: Exchange, name: RepositoryName, reference: Reference): Promise<FoundReference> {
  const key = `manifest ${credentialOf(caller)} ${name.name} ${'tag' in reference ? reference.tag : reference.digest}`;
  return services.executor.store.readCached(key, async (reading) => {
    const target = await findTarget(reading, caller.actor, name);
    const { repository, role } = target;
    // Without a role the answer is the same whatever is there: nothing is read whose time would tell.
    if (repository === undefined || role === undefined) return { target, found: undefined };
    const digest = 'tag' in reference ? await findTag(reading, repository, name.image, reference.tag) : reference.digest;
    return { target, found: await findRecord(reading, repository, name.image, digest) };
  });
}

/** As `findReference`, of a tag at a time. */
function findThen(exchange: Exchange, name: RepositoryName, tagAt: TagAt): Promise<FoundReference> {
  return exchange.services.executor.store.read(async (reading): Promise<FoundReference> => {
    const target = await findTarget(reading, exchange.caller.actor, name);
    const { repository, role } = target;
    if (repository === undefined || role === undefined) return { target, found: undefined };
    const then = await findTagOfThePast(reading, exchange, name, { ...target, repository }, tagAt);
    if (isRefusal(then)) return { target, found: undefined, refusal: then };
    return { target, found: await findRecord(reading, repository, name.image, then.digest), position: then.position };
  });
}

async function findRecord(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
  digest: Digest | undefined,
): Promise<FoundManifest | undefined> {
  if (digest === undefined) return undefined;
  const [record, erased] = await Promise.all([findManifest(reading, repository, image, digest), isErased(reading, digest)]);
  return record === undefined ? undefined : { ...record, digest, erased };
}

async function manifestBytes({ bytes, executor }: RegistryServices, name: RepositoryName, digest: Digest): Promise<string> {
  const kept = bytes.get(digest);
  if (kept !== undefined) return kept;
  const read = await executor.store.read(({ tx, registry }) => readContent(tx, registry.keyspace, digest));
  // Erased since it was looked up.
  if (read === undefined) return reject('CONTENT_GONE', { digest, name: name.name });
  const text = read.toString('latin1');
  bytes.set(digest, text);
  return text;
}

/** Configs up to this size lie beside the log with their manifest: platform and labels are read from them. */
const CONFIG_KEPT_BYTES = 64 * 1024;

/** PUT. OCI distribution 1.1, end-7; by digest with `tag` parameters: its development version. */
export async function putManifest(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { services, request, reply } = exchange;
  const reference = referenceOf(exchange, text);
  const tags = tagsOf(exchange, reference);
  await ensureRepository(exchange, name);
  const bytes = await readBody(request.raw, MANIFEST_MAX_BYTES, () =>
    refuse('MANIFEST_TOO_LARGE', { limit: MANIFEST_MAX_BYTES }),
  );
  request.told.received = bytes.length;
  const digest = pushedDigest(bytes, reference, exchange.query.get('digest'));
  request.told.digest = digest;
  const document = documentOf(bytes, request.pushedType);
  const config = await readImageConfig(exchange, name, document);
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
  if (document.subject !== undefined) reply.header('oci-subject', document.subject.digest);
  if ('digest' in reference && tags.length > 0) reply.header('oci-tag', tags);
  return reply
    .status(201)
    .header('location', `/v2/${name.name}/manifests/${text}`)
    .header('docker-content-digest', digest)
    .header('content-length', 0)
    .send();
}

// All in one transaction, with a manifest of up to 4 MiB.
const TAGS_AT_ONCE = 100;

function tagsOf({ query, reply }: Exchange, reference: Reference): readonly Tag[] {
  if ('tag' in reference) {
    const tagAt = parseTagAt(reference.tag);
    if (tagAt === undefined) return [reference.tag];
    reply.header('allow', 'GET, HEAD');
    throw new RefusalError(refuseChange(tagAt));
  }
  const given = query
    .getAll('tag')
    .map(
      (text) =>
        parseTag(text) ??
        reject('REFERENCE_INVALID', { reason: `tag=${JSON.stringify(text)} is not a tag; accepted is ${tagForm}` }),
    );
  const tagAt = given.map(parseTagAt).find((one) => one !== undefined);
  if (tagAt !== undefined) throw new RefusalError(refuseChange(tagAt));
  const tags = [...new Set(given)];
  if (tags.length > TAGS_AT_ONCE) {
    return reject('REFERENCE_INVALID', { reason: `${tags.length} different tags; at most ${TAGS_AT_ONCE} are accepted` });
  }
  return tags;
}

/** The digest that a manifest is pushed under: the reference's, the one asked for, or its sha256. */
function pushedDigest(bytes: Buffer, reference: Reference, parameter: string | null): Digest {
  if (bytes.length === 0) return reject('MANIFEST_EMPTY');
  if ('tag' in reference) {
    // distribution-spec's development version lets a push by tag say which digest it wants to be known by.
    if (parameter === null) return digestOf(bytes, 'sha256');
    const reason = `digest=${JSON.stringify(parameter)} is not a digest; accepted is ${digestForm}`;
    return checked(bytes, parseDigest(parameter) ?? reject('DIGEST_INVALID', { reason }));
  }
  return checked(bytes, reference.digest);
}

function checked(bytes: Buffer, given: Digest): Digest {
  const actual = digestOf(bytes, algorithmOf(given));
  return actual === given ? actual : reject('DIGEST_MISMATCH', { given, actual, what: 'manifest' });
}

function documentOf(bytes: Buffer, contentType: string | undefined): ManifestDocument {
  const document = parseManifest(bytes, contentType);
  return 'reason' in document ? reject('MANIFEST_INVALID', { reason: document.reason, field: document.field ?? '' }) : document;
}

/** Read before the transaction: bytes of a digest do not change, and a transaction does not wait for a disk. */
async function readImageConfig(
  { services, caller }: Exchange,
  name: RepositoryName,
  document: ManifestDocument,
): Promise<Buffer | undefined> {
  const config = document.config;
  if (config === undefined || config.size > CONFIG_KEPT_BYTES) return undefined;
  const blob = await services.executor.store.read(async (reading) => {
    if ((await reading.tx.get(reading.registry.keyspace.content(config.digest, 0))) !== undefined) return undefined;
    const { repository } = await findTarget(reading, caller.actor, name);
    // A sparse manifest may name what the repository has no link to.
    const linked = repository !== undefined && (await findLink(reading, repository, config.digest)) !== undefined;
    return linked ? findBlob(reading, config.digest) : undefined;
  });
  if (blob === undefined || blob.size === 0 || blob.size !== config.size) return undefined;
  return services.blobs.readSmall({ digest: config.digest, generation: blob.generation }, CONFIG_KEPT_BYTES);
}

/** DELETE of a tag or a manifest. OCI distribution 1.1, end-9. */
export async function deleteReference(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { services, reply } = exchange;
  const reference = referenceOf(exchange, text);
  const { executor } = services;
  const tagAt = 'tag' in reference ? parseTagAt(reference.tag) : undefined;
  if (tagAt !== undefined) await requirePushed(exchange, name, tagAt);
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

/** Release 0.1.0 accepted such tags: those can be deleted, and nothing else can be done to them. */
async function requirePushed(exchange: Exchange, name: RepositoryName, tagAt: TagAt): Promise<void> {
  const { services, caller, reply } = exchange;
  const refusal = await services.executor.store.read(async (reading) => {
    const found = await findRepositoryFor(reading, caller, 'delete', name);
    if (isRefusal(found)) return found;
    const digest = await findTag(reading, found.repository, name.image, tagAt.reference);
    return digest === undefined ? refuseChange(tagAt) : undefined;
  });
  if (refusal === undefined) return;
  if (refusal.refused === 'TAG_OF_THE_PAST') reply.header('allow', 'GET, HEAD');
  throw new RefusalError(refusal);
}
