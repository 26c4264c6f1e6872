import type { FastifyReply } from 'fastify';

import { isRefusal } from '../commands/execute.js';
import type { Digest } from '../digest.js';
import { refuse, reject, RefusalError } from '../errors.js';
import { readContent } from '../events/content.js';
import { parseName, type RepositoryName } from '../identifiers.js';
import { listCatalog, type CatalogEntry } from '../projections/images.js';
import { listReferrers, type Referrer } from '../projections/referrers.js';
import type { Reading } from '../projections/store.js';
import { listTags } from '../projections/tags.js';
import { findTarget, type Target } from '../projections/targets.js';
import { sendBytes, sendJson } from './answers.js';
import { requireDigest } from './blobs.js';
import { deny, type Exchange } from './exchange.js';

const PAGE_MAX = 1_000_000;

/** `n`: at most so many. Undefined when it is not given. */
function pageSize({ query }: Exchange): number | undefined {
  const text = query.get('n');
  if (text === null) return undefined;
  const size = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  return Number.isNaN(size)
    ? reject('PAGE_INVALID', { reason: `n=${JSON.stringify(text)} is not a whole number from 0 up` })
    : Math.min(size, PAGE_MAX);
}

function linkToNext(path: string, parameters: Readonly<Record<string, string>>): string {
  return `<${path}?${new URLSearchParams(parameters).toString()}>; rel="next"`;
}

/** Tags in ASCII order. OCI distribution 1.1, end-8a, end-8b. */
export async function getTags(exchange: Exchange, name: RepositoryName): Promise<FastifyReply> {
  const { services, caller, query } = exchange;
  const limit = pageSize(exchange);
  const after = query.get('last') ?? undefined;
  if (after !== undefined && after.length > 1_000) return reject('PAGE_INVALID', { reason: 'last is longer than any tag' });
  const key = `tags ${caller.actor.uid ?? ''} ${name.name} ${limit ?? ''} ${after ?? ''}`;
  const read = (reading: Reading) => readTags(reading, exchange, name, limit, after);
  const { target, list } = await services.executor.store.readCached(key, read, listBytes);
  const denied = deny(caller, 'pull', name, target);
  if (denied !== undefined) throw new RefusalError(denied);
  if (target.repository === undefined) return reject('REPOSITORY_UNKNOWN', { name: name.name });
  return sendList(exchange, list);
}

async function readTags(
  reading: Reading,
  { caller }: Exchange,
  name: RepositoryName,
  limit: number | undefined,
  after: string | undefined,
): Promise<{ readonly target: Target; readonly list: List }> {
  const target = await findTarget(reading, caller.actor, name);
  const page = { after: after?.replaceAll('\u0000', ''), ...(limit === undefined ? {} : { limit: limit + 1 }) };
  const found =
    target.repository === undefined || limit === 0 ? [] : await listTags(reading, target.repository, name.image, page);
  const tags = limit === undefined ? found : found.slice(0, limit);
  const last = tags.at(-1);
  const more = limit !== undefined && last !== undefined && found.length > tags.length;
  const link = more ? linkToNext(`/v2/${name.name}/tags/list`, { n: String(limit), last }) : undefined;
  return { target, list: listOf({ name: name.name, tags }, link) };
}

/** An answer as it is sent, and the link to the next page. */
interface List {
  /** JSON as Latin-1 text. */
  readonly body: string;
  readonly link: string | undefined;
}

function listOf(body: object, link: string | undefined): List {
  return { body: Buffer.from(JSON.stringify(body)).toString('latin1'), link };
}

function listBytes({ list }: { readonly list: List }): number {
  return list.body.length + 1_000;
}

function sendList({ request, reply }: Exchange, { body, link }: List): FastifyReply {
  const headers = [
    'content-type',
    'application/json',
    'content-length',
    body.length,
    ...(link === undefined ? [] : ['link', link]),
  ];
  request.told.bytes = body.length;
  return sendBytes(reply, 200, headers, request.method === 'HEAD' ? undefined : body);
}

// Without `n`: so many names, and a link to the rest.
const CATALOG_PAGE = 1_000;
const CATALOG_READ = 1_000;

/** The names with a manifest that the caller may pull, in byte order. Docker's registry HTTP API V2, "Listing Repositories". */
export async function getCatalog(exchange: Exchange): Promise<FastifyReply> {
  const { services, caller, query } = exchange;
  const scope = 'registry:catalog:*';
  if (caller.actor.kind === 'anonymous' && !caller.viaToken) throw new RefusalError(refuse('UNAUTHORIZED', { scope }));
  const granted = caller.access?.some(
    (entry) => entry.type === 'registry' && entry.name === 'catalog' && entry.actions.includes('*'),
  );
  if (granted === false) throw new RefusalError(refuse('SCOPE_INSUFFICIENT', { scope }));
  const limit = pageSize(exchange) ?? CATALOG_PAGE;
  const last = query.get('last')?.replaceAll('\u0000', '');
  if (last !== undefined && last.length > 1_000) return reject('PAGE_INVALID', { reason: 'last is longer than any name' });
  const key = `catalog ${caller.actor.uid ?? ''} ${limit} ${last ?? ''}`;
  const read = async (reading: Reading) => {
    const names = limit === 0 ? [] : await readCatalog(reading, exchange, last, limit + 1);
    const page = names.slice(0, limit);
    const end = page.at(-1);
    const more = end !== undefined && names.length > page.length;
    return {
      list: listOf({ repositories: page }, more ? linkToNext('/v2/_catalog', { n: String(limit), last: end }) : undefined),
    };
  };
  return sendList(exchange, (await services.executor.store.readCached(key, read, listBytes)).list);
}

async function readCatalog(reading: Reading, exchange: Exchange, last: string | undefined, wanted: number): Promise<string[]> {
  const visible = new Map<string, boolean>();
  const names: string[] = [];
  let after: string | CatalogEntry | undefined = last;
  for (;;) {
    const entries = await listCatalog(reading, after, Math.min(wanted - names.length + 1, CATALOG_READ));
    for (const entry of entries) {
      if (names.at(-1) !== entry.name && (await isVisible(reading, exchange, entry, visible))) names.push(entry.name);
    }
    after = entries.at(-1);
    if (after === undefined || names.length >= wanted) return names.slice(0, wanted);
  }
}

/** Whether the entry's repository is still there under that name, and the caller may pull from it. */
async function isVisible(
  reading: Reading,
  { caller }: Exchange,
  entry: CatalogEntry,
  known: Map<string, boolean>,
): Promise<boolean> {
  const before = known.get(entry.repository);
  if (before !== undefined) return before;
  const name = parseName(entry.name);
  let visible = false;
  if (!('problem' in name)) {
    const target = await findTarget(reading, caller.actor, name);
    // A catalog's token is not for pulling: the role alone decides.
    visible =
      target.repository === entry.repository && deny({ ...caller, access: undefined }, 'pull', name, target) === undefined;
  }
  known.set(entry.repository, visible);
  return visible;
}

// distribution-spec 1.1: clients read at least 4 MiB of a response.
const REFERRERS_BYTES = 4 * 1024 * 1024 - 64 * 1024;
const REFERRERS_READ = 100;
// Manifests are read for their annotations, in a transaction of 5 s.
const MANIFESTS_READ_BYTES = 64 * 1024 * 1024;
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

/** What refers to a subject, absent or not. OCI distribution 1.1, end-12a, end-12b. */
export async function getReferrers(exchange: Exchange, name: RepositoryName, text: string): Promise<FastifyReply> {
  const { services, caller, query, reply } = exchange;
  const subject = requireDigest(text);
  exchange.request.told.digest = subject;
  const wanted = query.get('artifactType') ?? undefined;
  const last = query.get('last') ?? undefined;
  const after = last === undefined ? undefined : requireDigest(last);
  const found = await services.executor.store.read(async (reading) => {
    const target = await findTarget(reading, caller.actor, name);
    const denied = deny(caller, 'pull', name, target);
    if (denied !== undefined) return denied;
    if (target.repository === undefined) return { manifests: [], next: undefined };
    return readReferrers(reading, after, wanted, (page) =>
      listReferrers(reading, target.repository ?? reject('REPOSITORY_UNKNOWN', { name: name.name }), name.image, subject, page),
    );
  });
  if (isRefusal(found)) throw new RefusalError(found);
  if (wanted !== undefined) reply.header('oci-filters-applied', 'artifactType');
  if (found.next !== undefined) {
    const filter = wanted === undefined ? {} : { artifactType: wanted };
    reply.header('link', linkToNext(`/v2/${name.name}/referrers/${subject}`, { ...filter, last: found.next }));
  }
  const body = { schemaVersion: 2, mediaType: INDEX_TYPE, manifests: found.manifests };
  return sendJson(reply, 200, body, INDEX_TYPE);
}

type ReadPage = (page: { readonly after: Digest | undefined; readonly limit: number }) => Promise<readonly Referrer[]>;

/** Referrers until the answer is as large as clients can be expected to read; `next` when there are more. */
async function readReferrers(reading: Reading, from: Digest | undefined, wanted: string | undefined, readPage: ReadPage) {
  const manifests: object[] = [];
  let bytes = 0;
  let read = 0;
  let after = from;
  for (;;) {
    const page = await readPage({ after, limit: REFERRERS_READ });
    for (const referrer of page) {
      if (wanted === undefined || referrer.artifactType === wanted) {
        read += referrer.size;
        if (manifests.length > 0 && read > MANIFESTS_READ_BYTES) return { manifests, next: after };
        const descriptor = await describe(reading, referrer);
        bytes += Buffer.byteLength(JSON.stringify(descriptor));
        if (manifests.length > 0 && bytes > REFERRERS_BYTES) return { manifests, next: after };
        manifests.push(descriptor);
      }
      after = referrer.digest;
    }
    if (page.length < REFERRERS_READ) return { manifests, next: undefined };
  }
}

/** The descriptor with the annotations of the manifest itself. */
async function describe(reading: Reading, { digest, mediaType, size, artifactType }: Referrer): Promise<object> {
  const bytes = await readContent(reading.tx, reading.registry.keyspace, digest);
  if (bytes === undefined) throw new Error(`the content of manifest ${digest} is not in the store`);
  const { annotations } = JSON.parse(bytes.toString()) as { annotations?: Record<string, string> | null };
  return { mediaType, digest, size, artifactType, ...(annotations == null ? {} : { annotations }) };
}
