import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyReply } from 'fastify';

import { refuse, RefusalError } from '../../errors.js';
import { comparePositions, formatPosition, type Position } from '../../events/position.js';
import type { EventKind, Stream } from '../../events/types.js';
import type { RepositoryName } from '../../identifiers.js';
import { actorWithoutLookup, findActor } from '../../identity/actor-lookup.js';
import { judgeSeeing } from '../../identity/judge.js';
import type { Sight } from '../../projections/history-entries.js';
import type { Bearer, HistoryOf } from '../../projections/history-pages.js';
import { findHistory, type FoundHistory, type HistoryScope } from '../../projections/history-scope.js';
import {
  boundsOfSpan,
  newestPlace,
  positionAfter,
  readEntries,
  walkEntries,
  type Asked,
  type Span,
} from '../../projections/history-walk.js';
import type { Reading } from '../../projections/store.js';
import { findTarget } from '../../projections/targets.js';
import { beginAnswer } from '../answers.js';
import { momentOf, momentsOf, nameOf, type MomentJson, type Place } from './past-places.js';
import type { Asks, exported, filters, ordered, parts } from './past-schemas.js';
import { invalid, parameter, quoted } from './parameters.js';
import { itsTurn } from '../blobs.js';
import { deny, sightOf, type Exchange } from '../exchange.js';
import { ndjsonOf, parquetOf } from '../history-export.js';
import { LIMIT, linkTo } from './paging.js';

/** Of an export, which is read beside everybody's pulls. */
const EXPORT_PAGE = 100;
/** The newest; a pipeline may make and delete a repository every day. */
const BEARERS_MOST = 100;

type Filters = Asks<typeof filters> & { readonly after?: string };
type PageQuery = Asks<typeof filters & typeof ordered>;
/** Of which part of a repository; all of them left out: of the whole. */
type Parts = Asks<typeof parts>;
type ExportQuery = Asks<typeof filters & typeof exported>;

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
export async function getHistory(exchange: Exchange, path: string, place: Place, query: PageQuery & Parts): Promise<object> {
  const question = questionOf(exchange, place, query);
  const page = pageAsked(query, path);
  return exchange.services.executor.store.read(async (reading) => {
    const found = await ask(reading, exchange, question);
    const head = await headOf(reading, question.scope, found);
    return pageOfHistory(reading, page, found, head, logsOf(question.scope));
  });
}

/** Something of the platform's, as its history is headed, and what the caller may know of it. */
export interface PlatformHistoryFound {
  readonly head: object;
  /** Without them, the whole log of the platform. */
  readonly streams: readonly Stream[] | undefined;
  readonly people: boolean;
}

/** A page of the history of the platform, or of something in it. `find` throws the refusal of who may not. */
export async function getPlatformHistory(
  exchange: Exchange,
  path: string,
  query: PageQuery,
  find: (reading: Reading) => Promise<PlatformHistoryFound>,
): Promise<object> {
  const page = pageAsked(query, path);
  const kinds = parameter.kinds('kind', query.kind);
  const actors = query.actor?.split(',');
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
  readonly query: PageQuery;
  readonly path: string;
  readonly span: Span;
  readonly newestFirst: boolean;
  readonly limit: number;
  readonly cursor: Position | undefined;
}

function pageAsked(query: PageQuery, path: string): PageAsked {
  const { order = 'newest', limit = LIMIT } = query;
  const cursor = parameter.position('after', query.after);
  return { query, path, span: spanOf(query), newestFirst: order === 'newest', limit, cursor };
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
    ...linkTo(path, { ...query }, next && formatPosition(next)),
  };
}

function spanOf({ since, until }: Filters): Span {
  return { since: parameter.moment('since', since), until: parameter.moment('until', until) };
}

const exportFormats = {
  ndjson: { encode: ndjsonOf, mediaType: 'application/x-ndjson' },
  parquet: { encode: parquetOf, mediaType: 'application/vnd.apache.parquet' },
} as const;

/** All of it up to the position that is the newest when it begins, the oldest first, in flat memory. */
export async function exportHistory(exchange: Exchange, place: Place, query: ExportQuery & Parts): Promise<FastifyReply> {
  const { request, reply, services } = exchange;
  const { format = 'ndjson' } = query;
  const question = questionOf(exchange, place, query);
  const cursor = parameter.position('after', query.after);
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

function questionOf(exchange: Exchange, place: Place, query: Filters & Parts): HistoryQuestion {
  const tag = parameter.tag('tag', query.tag);
  const digest = parameter.digest('digest', query.digest);
  if (tag !== undefined && digest !== undefined) invalid('tag and digest are both given; a history is of one of them');
  const name = nameOf(exchange, place, query.image ?? '');
  const image = query.image === undefined && tag === undefined ? undefined : name.image;
  const repository = place.repository === undefined ? undefined : name.repository;
  const bearer = parameter.uid('bearer', query.bearer);
  return {
    scope: { project: name.project, repository, image, tag, digest, bearer },
    name,
    span: spanOf(query),
    kinds: parameter.kinds('kind', query.kind),
    actors: query.actor?.split(','),
  };
}

type Granted = Asked & FoundHistory & Pick<HistoryQuestion, 'actors' | 'kinds'>;

/** Judged and found in one transaction. Throws the refusal. */
async function ask(reading: Reading, { caller }: Exchange, question: HistoryQuestion): Promise<Granted> {
  const { scope, name, kinds } = question;
  const target = await findTarget(reading, caller.actor, name);
  // No scope is of a project.
  const denied =
    scope.repository === undefined ? judgeSeeing(caller, target.role, `project ${scope.project}`) : deny(caller, 'pull', target);
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
