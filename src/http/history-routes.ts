import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyReply } from 'fastify';

import { refuse, RefusalError } from '../errors.js';
import { comparePositions, formatPosition, type Position } from '../events/position.js';
import type { EventKind, Stream } from '../events/types.js';
import type { RepositoryName } from '../identifiers.js';
import { actorWithoutLookup, findActor } from '../identity/actor-lookup.js';
import type { Sight } from '../projections/history-entries.js';
import type { Bearer, HistoryOf } from '../projections/history-pages.js';
import { findHistory, type FoundHistory, type HistoryScope } from '../projections/history-scope.js';
import {
  boundsOfSpan,
  newestPlace,
  positionAfter,
  readEntries,
  walkEntries,
  type Asked,
  type Span,
} from '../projections/history-walk.js';
import type { Reading } from '../projections/store.js';
import { findTarget } from '../projections/targets.js';
import { beginAnswer } from './answers.js';
import {
  LIMIT,
  LIMIT_MOST,
  linkOf,
  momentOf,
  momentsOf,
  nameOf,
  sendPage,
  sightOf,
  type MomentJson,
  type Place,
} from './api-pages.js';
import { ApiQuery, invalid, quoted } from './api-query.js';
import { itsTurn } from './blobs.js';
import { deny, type Exchange } from './exchange.js';
import { ndjsonOf, parquetOf } from './history-export.js';

/** Of an export, which is read beside everybody's pulls. */
const EXPORT_PAGE = 100;
/** The newest; a pipeline may make and delete a repository every day. */
const BEARERS_MOST = 100;

const filters = ['kind', 'actor', 'since', 'until'];
const parts = ['image', 'tag', 'digest', 'bearer'];
const paging = ['order', 'limit', 'after'];

/** What a request asks of history, before anything is read. */
interface HistoryQuestion {
  readonly scope: HistoryScope;
  /** What the caller's right to pull is judged by. */
  readonly name: RepositoryName;
  readonly span: Span;
  readonly kinds: readonly EventKind[] | undefined;
  readonly actors: readonly string[] | undefined;
}

/** A page of the history of a project, a repository, or a part of one. */
export async function getHistory(exchange: Exchange, path: string, place: Place): Promise<FastifyReply> {
  const query = new ApiQuery(exchange.query, [...partsAt(place), ...filters, ...paging]);
  const question = questionOf(exchange, place, query);
  const page = pageAsked(query, path);
  const body = await exchange.services.executor.store.read(async (reading) => {
    const found = await ask(reading, exchange, question);
    const head = await headOf(reading, question.scope, found);
    return pageOfHistory(reading, page, found, head, logsOf(question.scope));
  });
  return sendPage(exchange, body);
}

/** Something of the platform's, as its history is headed, and what the caller may know of it. */
export interface PlatformHistory {
  readonly head: object;
  /** Without them, the whole log of the platform. */
  readonly streams: readonly Stream[] | undefined;
  readonly people: boolean;
}

/** A page of the history of the platform, or of something in it. `find` throws the refusal of who may not. */
export async function platformHistory(
  exchange: Exchange,
  path: string,
  find: (reading: Reading) => Promise<PlatformHistory>,
  own: readonly string[] = [],
): Promise<object> {
  const query = new ApiQuery(exchange.query, [...own, ...filters, ...paging]);
  const page = pageAsked(query, path);
  const kinds = query.kinds('kind');
  const actors = query.list('actor');
  return exchange.services.executor.store.read(async (reading) => {
    const { head, streams, people } = await find(reading);
    const sight = { people, project: undefined };
    const of = streams?.map((stream): HistoryOf => ({ kind: 'stream', stream })) ?? [{ kind: 'platform' as const }];
    const asked = { of, sight, kinds };
    const granted = { ...asked, actors: actors && (await actorsOf(reading, actors, sight)) };
    return pageOfHistory(reading, page, granted, { ...head, people: people ? 'shown' : 'hidden' }, 'both');
  });
}

interface PageAsked {
  readonly query: ApiQuery;
  readonly path: string;
  readonly span: Span;
  readonly newestFirst: boolean;
  readonly limit: number;
  readonly cursor: Position | undefined;
}

function pageAsked(query: ApiQuery, path: string): PageAsked {
  return {
    query,
    path,
    span: spanOf(query),
    newestFirst: query.choice('order', ['newest', 'oldest']) === 'newest',
    limit: query.limit(LIMIT, LIMIT_MOST),
    cursor: query.position('after'),
  };
}

async function pageOfHistory(
  reading: Reading,
  { query, path, span, newestFirst, limit, cursor }: PageAsked,
  granted: Asked & Pick<HistoryQuestion, 'actors' | 'kinds'>,
  head: object,
  logs: 'registry' | 'both',
): Promise<object> {
  const bounds = await boundsOfSpan(reading, span);
  const range = newestFirst
    ? { ...bounds, before: earlier(bounds.before, cursor) }
    : { ...bounds, after: later(bounds.after, cursor) };
  const { kinds, actors } = granted;
  const newest = await newestPlace(reading, logs);
  const { entries, next } = await readEntries(reading, granted, { ...range, newestFirst, limit, kinds, actors });
  return {
    ...head,
    ...(newest && (await momentOf(reading, newest.directory, newest.position))),
    order: newestFirst ? 'newest' : 'oldest',
    entries,
    ...linkOf(query, path, next && formatPosition(next)),
  };
}

function spanOf(query: ApiQuery): Span {
  return { since: query.moment('since'), until: query.moment('until') };
}

const exportFormats = {
  ndjson: { encode: ndjsonOf, mediaType: 'application/x-ndjson' },
  parquet: { encode: parquetOf, mediaType: 'application/vnd.apache.parquet' },
} as const;

/** All of it up to the position that is the newest when it begins, the oldest first, in flat memory. */
export async function exportHistory(exchange: Exchange, place: Place): Promise<FastifyReply> {
  const { request, reply, services } = exchange;
  const query = new ApiQuery(exchange.query, [...partsAt(place), ...filters, 'after', 'format']);
  const question = questionOf(exchange, place, query);
  const format = query.choice('format', ['ndjson', 'parquet']);
  const cursor = query.position('after');
  const { store } = services.executor;
  const begin = await store.read(async (reading) => {
    const { kinds, actors } = await ask(reading, exchange, question);
    const bounds = await boundsOfSpan(reading, question.span);
    const newest = (await newestPlace(reading, logsOf(question.scope)))?.position;
    const range = { after: later(bounds.after, cursor), before: earlier(bounds.before, newest && positionAfter(newest)) };
    return { ...range, kinds, actors, newest };
  });
  const { newest, ...range } = begin;
  const walk = walkEntries(store, (reading) => ask(reading, exchange, question), {
    ...range,
    newestFirst: false,
    pageSize: EXPORT_PAGE,
  });
  // What keeps it from beginning is an answer like any other.
  const first = await walk.next();
  const { encode, mediaType } = exportFormats[format];
  const name = [place.project, place.repository].filter((part) => part !== undefined).join('-');
  const headers = [
    ...['content-type', mediaType],
    ...['content-disposition', `attachment; filename="${name}-history.${format}"`],
    ...['cache-control', 'no-store'],
    ...(newest === undefined ? [] : ['artifact-store-position', formatPosition(newest)]),
  ];
  if (request.method === 'HEAD') {
    await walk.return(undefined);
    beginAnswer(reply, 200, headers).end();
    return reply;
  }
  if (!(await itsTurn(request.raw, reply.raw))) {
    await walk.return(undefined);
    return reply.hijack();
  }
  const answer = beginAnswer(reply, 200, headers);
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of encode(resumed(first, walk))) {
      request.told.bytes = (request.told.bytes ?? 0) + chunk.length;
      yield chunk;
    }
  }
  try {
    // A page or a row group at a time: what is ahead of the client's reading is in memory.
    await pipeline(Readable.from(counted(), { highWaterMark: 1 }), answer);
  } catch (error) {
    // Behind the head an answer can only be broken off; the log says why where it was no fault of the client.
    if (!answer.destroyed) answer.destroy(error instanceof Error ? error : undefined);
  }
  return reply;
}

async function* resumed<T>(first: IteratorResult<T, void>, rest: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}

function partsAt({ repository }: Place): readonly string[] {
  return repository === undefined ? [] : parts;
}

function questionOf(exchange: Exchange, place: Place, query: ApiQuery): HistoryQuestion {
  const tag = query.tag('tag');
  const digest = query.digest('digest');
  if (tag !== undefined && digest !== undefined) invalid('tag and digest are both given; a history is of one of them');
  const name = nameOf(exchange, place, query.text('image') ?? '');
  const image = query.text('image') === undefined && tag === undefined ? undefined : name.image;
  const repository = place.repository === undefined ? undefined : name.repository;
  return {
    scope: { project: name.project, repository, image, tag, digest, bearer: query.uid('bearer') },
    name,
    span: spanOf(query),
    kinds: query.kinds('kind'),
    actors: query.list('actor'),
  };
}

type Granted = Asked & FoundHistory & Pick<HistoryQuestion, 'actors' | 'kinds'>;

/** Judged and found in one transaction. Throws the refusal. */
async function ask(reading: Reading, { caller }: Exchange, question: HistoryQuestion): Promise<Granted> {
  const { scope, name, kinds } = question;
  const target = await findTarget(reading, caller.actor, name);
  const denied = deny(caller, 'pull', target);
  if (denied !== undefined) throw new RefusalError(denied);
  // Who came by a role on the repository alone is not told of those that bore its id before.
  const bearer = target.above === undefined ? target.repository : scope.bearer;
  if (bearer !== scope.bearer && scope.bearer !== undefined) {
    throw new RefusalError(refuse('REPOSITORY_UNKNOWN', { name: name.name }));
  }
  const found = await findHistory(reading, { ...scope, bearer });
  if ('refused' in found) throw new RefusalError(found);
  const sight = sightOf(caller, target, found.project.uid);
  return { ...found, sight, kinds, actors: question.actors && (await actorsOf(reading, question.actors, sight)) };
}

async function actorsOf(reading: Reading, texts: readonly string[], { people }: Sight): Promise<readonly string[]> {
  return Promise.all(
    texts.map(async (text) => {
      const plain = actorWithoutLookup(text);
      if (plain !== undefined) return plain;
      if (!people)
        return invalid(
          `actor=${quoted(text)} is not accepted; it is a uid, system or anonymous; an owner of the project may give a login name`,
        );
      return (
        (await findActor(reading, text)) ??
        invalid(`actor: nobody has the login name ${quoted(text)}; accepted are login names, uids, system and anonymous`)
      );
    }),
  );
}

/** A project's own events are in the platform's log. */
function logsOf({ repository }: HistoryScope): 'registry' | 'both' {
  return repository === undefined ? 'both' : 'registry';
}

async function headOf(reading: Reading, { project, repository }: HistoryScope, { sight, bearers }: Granted): Promise<object> {
  const people = sight.people ? 'shown' : 'hidden';
  if (repository === undefined) return { project, people };
  const shown = bearers.slice(-BEARERS_MOST);
  const from = await momentsOf(
    reading,
    reading.registry,
    shown.map((bearer) => bearer.from),
  );
  const until = await momentsOf(
    reading,
    reading.registry,
    shown.map((bearer) => bearer.until),
  );
  return { project, repository, bearers: shown.map((bearer, index) => bearerJson(bearer, from[index], until[index])), people };
}

function bearerJson({ repository, until }: Bearer, from: MomentJson | undefined, ended: MomentJson | undefined): object {
  const current = until === undefined;
  return { uid: repository, from, ...(current ? {} : { until: ended }), current };
}

function earlier(left: Position | undefined, right: Position | undefined): Position | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return comparePositions(left, right) < 0 ? left : right;
}

function later(left: Position | undefined, right: Position | undefined): Position | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return comparePositions(left, right) < 0 ? right : left;
}
