import type { FastifyReply } from 'fastify';

import { isRefusal } from '../commands/execute.js';
import type { Digest } from '../digest.js';
import { RefusalError } from '../errors.js';
import { readContent } from '../events/content.js';
import type { RepositoryName } from '../identifiers.js';
import { listReferrers, type Referrer } from '../projections/referrers.js';
import type { Reading } from '../projections/store.js';
import { findTarget } from '../projections/targets.js';
import { sendJson } from './answers.js';
import { requireDigest } from './blobs.js';
import { deny, type Exchange } from './exchange.js';
import { linkToNext } from './paging.js';

// distribution-spec 1.1: clients read at least 4 MiB of a response.
const REFERRERS_BYTES = 4 * 1024 * 1024 - 64 * 1024;
const REFERRERS_READ = 100;
// Those of another type than the wanted one cost reads, and bring nothing: a Link leads to the rest, from an answer that may be empty.
const LOOKED_AT_MOST = 10_000;
// Manifests are read for their annotations, in a transaction of 5 s.
const MANIFESTS_READ_BYTES = 64 * 1024 * 1024;
const READ_AT_ONCE_BYTES = 4 * 1024 * 1024;
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
    const denied = deny(caller, 'pull', target);
    if (denied !== undefined) return denied;
    const { repository } = target;
    if (repository === undefined) return { manifests: [], next: undefined };
    return readReferrers(reading, after, wanted, (page) => listReferrers(reading, repository, name.image, subject, page));
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

/** Referrers until the answer is as large as clients can be expected to read, or `lookAtMost` were looked at; `next` when there may be more. */
export async function readReferrers(
  reading: Reading,
  from: Digest | undefined,
  wanted: string | undefined,
  readPage: ReadPage,
  lookAtMost = LOOKED_AT_MOST,
) {
  const manifests: object[] = [];
  let bytes = 0;
  let read = 0;
  let after = from;
  for (let looked = REFERRERS_READ; ; looked += REFERRERS_READ) {
    const page = await readPage({ after, limit: REFERRERS_READ });
    for (let begin = 0; begin < page.length;) {
      const some = firstOf(page, begin);
      begin += some.length;
      const asked = some.filter(({ artifactType }) => wanted === undefined || artifactType === wanted);
      const described = new Map(
        await Promise.all(asked.map(async (referrer) => [referrer, await describe(reading, referrer)] as const)),
      );
      for (const referrer of some) {
        const descriptor = described.get(referrer);
        if (descriptor !== undefined) {
          read += referrer.size;
          bytes += Buffer.byteLength(JSON.stringify(descriptor));
          const isTooMuch = read > MANIFESTS_READ_BYTES || bytes > REFERRERS_BYTES;
          if (manifests.length > 0 && isTooMuch) return { manifests, next: after };
          manifests.push(descriptor);
        }
        after = referrer.digest;
      }
    }
    if (page.length < REFERRERS_READ) return { manifests, next: undefined };
    if (looked >= lookAtMost) return { manifests, next: after };
  }
}

/** Those from there on whose manifests are read at once, at least one: one after another, each would be a way to the cluster and back. */
function firstOf(page: readonly Referrer[], begin: number): readonly Referrer[] {
  let end = begin;
  for (let bytes = 0; end < page.length && (end === begin || bytes <= READ_AT_ONCE_BYTES); end += 1)
    bytes += page[end]?.size ?? 0;
  return page.slice(begin, end);
}

/** The descriptor with the annotations of the manifest itself. */
async function describe(reading: Reading, { digest, mediaType, size, artifactType }: Referrer): Promise<object> {
  const bytes = await readContent(reading.tx, reading.registry.keyspace, digest);
  // Erased: it refers all the same, but nobody knows any more what it said.
  if (bytes === undefined) return { mediaType, digest, size, artifactType };
  const { annotations } = JSON.parse(bytes.toString()) as { annotations?: Record<string, string> | null };
  return { mediaType, digest, size, artifactType, ...(annotations == null ? {} : { annotations }) };
}
