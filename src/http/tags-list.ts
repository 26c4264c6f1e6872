import { setImmediate } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';

import { reject, RefusalError } from '../errors.js';
import type { ImagePath, RepositoryName, Tag, Uid } from '../identifiers.js';
import type { Reading } from '../projections/store.js';
import { listTags } from '../projections/tags.js';
import { findTarget, type Target } from '../projections/targets.js';
import { deny, type Exchange, credentialOf } from './exchange.js';
import { linkToNext, listBytes, listOf, pageSize, sendList, type List } from './paging.js';

// Of one answer, whatever `n` says: about a second of reading in a cluster, whose transactions have 5. A Link leads to the rest.
const TAGS_MAX = 100_000;
const TAGS_MAX_BYTES = 4 * 1024 * 1024;
const READ_AT_ONCE = 10_000;

/** Tags in ASCII order; without `n` all of them, as far as one answer may hold them. OCI distribution 1.1, end-8a, end-8b. */
export async function getTags(exchange: Exchange, name: RepositoryName): Promise<FastifyReply> {
  const { services, caller, query } = exchange;
  const limit = pageSize(exchange, TAGS_MAX);
  const after = query.get('last') ?? undefined;
  if (after !== undefined && after.length > 1_000) return reject('PAGE_INVALID', { reason: 'last is longer than any tag' });
  const key = `tags ${credentialOf(caller)} ${name.name} ${limit ?? ''} ${after ?? ''}`;
  const read = (reading: Reading) => readTags(reading, exchange, name, limit, after);
  const { target, list } = await services.executor.store.readCached(key, read, listBytes);
  const denied = deny(caller, 'pull', target);
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
  const { repository } = target;
  const { tags, more } =
    repository === undefined
      ? { tags: [], more: false }
      : await readPage(reading, repository, name.image, limit ?? TAGS_MAX, after?.replaceAll('\u0000', ''));
  const last = tags.at(-1);
  const size: Readonly<Record<string, string>> = limit === undefined ? {} : { n: String(limit) };
  const link = more && last !== undefined ? linkToNext(`/v2/${name.name}/tags/list`, { ...size, last }) : undefined;
  return { target, list: listOf({ name: name.name, tags }, link) };
}

/** In pieces: the embedded store reads without waiting, and nothing else would have a turn. */
async function readPage(reading: Reading, repository: Uid, image: ImagePath, limit: number, from: string | undefined) {
  const tags: Tag[] = [];
  let bytes = 0;
  for (let after = from; limit > 0; after = tags.at(-1)) {
    const wanted = Math.min(limit + 1 - tags.length, READ_AT_ONCE + 1);
    const piece = await listTags(reading, repository, image, { after, limit: wanted });
    for (const tag of piece) {
      // In JSON, with its quotes and comma.
      bytes += tag.length + 3;
      if (tags.length === limit || bytes > TAGS_MAX_BYTES) return { tags, more: true };
      tags.push(tag);
    }
    if (piece.length < wanted) break;
    await setImmediate();
  }
  return { tags, more: false };
}
