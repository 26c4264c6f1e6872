import type { FastifyReply } from 'fastify';

import { reject, RefusalError } from '../errors.js';
import type { RepositoryName } from '../identifiers.js';
import type { Reading } from '../projections/store.js';
import { listTags } from '../projections/tags.js';
import { findTarget, type Target } from '../projections/targets.js';
import { deny, type Exchange } from './exchange.js';
import { linkToNext, listBytes, listOf, pageSize, sendList, type List } from './paging.js';

const TAGS_MAX = 1_000_000;

/** Tags in ASCII order. OCI distribution 1.1, end-8a, end-8b. */
export async function getTags(exchange: Exchange, name: RepositoryName): Promise<FastifyReply> {
  const { services, caller, query } = exchange;
  const limit = pageSize(exchange, TAGS_MAX);
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
