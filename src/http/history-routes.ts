import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyReply } from 'fastify';

import type { Digest } from '../digest.js';
import { parseDigest } from '../digest.js';
import { reject, RefusalError } from '../errors.js';
import { formatTime, positionOf, type Moment } from '../events/database-time.js';
import { comparePositions, formatPosition, timeOf, type Position } from '../events/position.js';
import type { EventKind, RecordedEvent } from '../events/types.js';
import { parseName, parseReference, type RepositoryName, type Tag, type Uid } from '../identifiers.js';
import { actorWithoutLookup, findActor } from '../identity/actor-lookup.js';
import { judge } from '../identity/judge.js';
import { resolveEntries, type EntryActor, type HistoryEntry, type Sight } from '../projections/history-entries.js';
import type { Bearer } from '../projections/history-pages.js';
import { findHistory, type FoundHistory, type HistoryScope } from '../projections/history-scope.js';
import {
  boundsOfSpan,
  newestPosition,
  positionAfter,
  readEntries,
  walkEntries,
  type Asked,
  type Span,
} from '../projections/history-walk.js';
import { findManifestAt, findTagAt, listManifestsAt, listTagsAt, type ManifestThen } from '../projections/past.js';
import type { Reading } from '../projections/store.js';
import { findTarget, type Target } from '../projections/targets.js';
import { beginAnswer, sendJson } from './answers.js';
import { ApiQuery, invalid, quoted } from './api-query.js';
import { itsTurn } from './blobs.js';
import { deny, type Exchange } from './exchange.js';
import { ndjsonOf, parquetOf } from './history-export.js';

/** Ids as they stand in a path. */
interface Place {
  readonly project: string;
  readonly repository: string | undefined;
}

const LIMIT = 100;
const LIMIT_MOST = 1_000;
/** Of an export, which is read beside everybody's pulls. */
const EXPORT_PAGE = 100;
/** The newest; a pipeline may make and delete a repository every day. */
const BEARERS_MOST = 100;

// ---- History.

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
  const newestFirst = query.choice('order', ['newest', 'oldest']) === 'newest';
  const limit = query.limit(LIMIT, LIMIT_MOST);
  const cursor = query.position('after');
  const body = await exchange.services.executor.store.read(async (reading) => {
    const found = await ask(reading, exchange, question);
    const bounds = await boundsOfSpan(reading, question.span);
    const range = newestFirst
      ? { ...bounds, before: earlier(bounds.before, cursor) }
      : { ...bounds, after: later(bounds.after, cursor) };
    const { kinds, actors } = found;
    const { entries, next } = await readEntries(reading, found, { ...range, newestFirst, limit, kinds, actors });
    return {
      ...headOf(question.scope, found),
      ...momentOf(await newestPosition(reading, logsOf(question.scope))),
      order: newestFirst ? 'newest' : 'oldest',
      entries,
      ...linkOf(query, path, next && formatPosition(next)),
    };
  });
  return sendPage(exchange, body);
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
    const newest = await newestPosition(reading, logsOf(question.scope));
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
    span: { since: query.moment('since'), until: query.moment('until') },
    kinds: query.kinds('kind'),
    actors: query.list('actor'),
  };
}

/** The `<name>` that the ids stand for; a project is asked for by one part. */
function nameOf({ request }: Exchange, { project, repository }: Place, image: string): RepositoryName {
  const text = [project, repository ?? 'any', ...(image === '' ? [] : [image])].join('/');
  const name = parseName(text);
  request.told.name = repository === undefined ? project : text;
  if ('problem' in name) return reject('NAME_INVALID', { name: text.slice(0, 300), reason: name.reason });
  return repository === undefined ? { ...name, name: name.project } : name;
}

type Granted = Asked & FoundHistory & Pick<HistoryQuestion, 'actors' | 'kinds'>;

/** Judged and found in one transaction. Throws the refusal. */
async function ask(reading: Reading, { caller }: Exchange, question: HistoryQuestion): Promise<Granted> {
  const { scope, name, kinds } = question;
  const target = await findTarget(reading, caller.actor, name);
  const denied = deny(caller, 'pull', name, target);
  if (denied !== undefined) throw new RefusalError(denied);
  const found = await findHistory(reading, scope);
  if ('refused' in found) throw new RefusalError(found);
  const sight = sightOf(caller, name, target, found.project.uid);
  return { ...found, sight, kinds, actors: question.actors && (await actorsOf(reading, question.actors, sight)) };
}

/** Only an owner is told of people, by a token only one that is given for everything that an owner may. */
export function sightOf(caller: Exchange['caller'], { name }: RepositoryName, { role }: Target, project: Uid): Sight {
  const people = role === 'owner' && judge({ caller, verb: 'delete', name, role }) === undefined;
  return { people, project };
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

function headOf({ project, repository }: HistoryScope, { sight, bearers }: Granted): object {
  return {
    project,
    ...(repository === undefined ? {} : { repository, bearers: bearers.slice(-BEARERS_MOST).map(bearerJson) }),
    people: sight.people ? 'shown' : 'hidden',
  };
}

function bearerJson({ repository, from, until }: Bearer): object {
  return {
    uid: repository,
    from: momentOf(from),
    ...(until === undefined ? {} : { until: momentOf(until) }),
    current: until === undefined,
  };
}

// ---- The past of tags and manifests.

/** What the state of a repository is asked for. */
interface Then {
  readonly reading: Reading;
  readonly repository: Uid;
  readonly sight: Sight;
  readonly at: Position;
}

/** An image's tags as they were. */
export async function getTagsThen(exchange: Exchange, path: string, place: Place): Promise<FastifyReply> {
  const query = new ApiQuery(exchange.query, ['image', 'at', 'limit', 'after']);
  const name = nameOf(exchange, place, query.text('image') ?? '');
  const limit = query.limit(LIMIT, LIMIT_MOST);
  const after = query.tag('after');
  const body = await readThen(exchange, name, query.moment('at'), async ({ reading, repository, sight, at }) => {
    const { tags, next } = await listTagsAt(reading, repository, name.image, at, { after, limit });
    const gone = await deedsOf(
      reading,
      tags.map((found) => found.gone),
      sight,
    );
    return {
      image: name.image,
      tags: tags.map(({ tag, digest, since }, index) => ({ tag, digest, since: momentOf(since), ...gone[index] })),
      ...linkOf(query, path, next),
    };
  });
  return sendPage(exchange, body);
}

/** The manifests of an image, or of the whole repository, as they were. */
export async function getManifestsThen(exchange: Exchange, path: string, place: Place): Promise<FastifyReply> {
  const query = new ApiQuery(exchange.query, ['image', 'at', 'limit', 'after']);
  const name = nameOf(exchange, place, query.text('image') ?? '');
  const image = query.text('image') === undefined ? undefined : name.image;
  const limit = query.limit(LIMIT, LIMIT_MOST);
  const after = cursorOf(query.text('after'), place);
  const body = await readThen(exchange, name, query.moment('at'), async ({ reading, repository, sight, at }) => {
    const { manifests, next } = await listManifestsAt(reading, repository, image, at, { after, limit });
    return {
      ...(image === undefined ? {} : { image }),
      manifests: await manifestsJson(reading, manifests, sight),
      ...linkOf(query, path, next && `${next.image}@${next.digest}`),
    };
  });
  return sendPage(exchange, body);
}

/** What a tag or a digest meant, and what became of it. */
export async function getManifestThen(exchange: Exchange, place: Place, text: string): Promise<FastifyReply> {
  const query = new ApiQuery(exchange.query, ['image', 'at']);
  const name = nameOf(exchange, place, query.text('image') ?? '');
  const reference = parseReference(text);
  if ('reason' in reference) return invalid(reference.reason);
  const body = await readThen(exchange, name, query.moment('at'), async (then) => {
    const { reading, repository, sight, at } = then;
    const found = 'tag' in reference ? await digestThen(then, name, reference.tag) : { digest: reference.digest };
    const manifest = await findManifestAt(reading, repository, name.image, found.digest, at);
    if (manifest === undefined) return reject('MANIFEST_UNKNOWN', { name: name.name, reference: thenText(text, at) });
    const [json] = await manifestsJson(reading, [manifest], sight);
    return { ...json, ...('tag' in found ? { tag: found } : {}) };
  });
  return sendPage(exchange, body);
}

async function digestThen(
  { reading, repository, sight, at }: Then,
  name: RepositoryName,
  tag: Tag,
): Promise<{ readonly digest: Digest; readonly tag: Tag; readonly since: object }> {
  const found = await findTagAt(reading, repository, name.image, tag, at);
  if (found === undefined) return reject('MANIFEST_UNKNOWN', { name: name.name, reference: thenText(tag, at) });
  if (!('deleted' in found)) return { tag, digest: found.digest, since: momentOf(found.since) };
  const [entry] = await resolveEntries(reading, [found.deleted], sight);
  const when = entry === undefined ? '' : `: it was deleted at ${entry.time} by ${entry.actor.text}`;
  return reject('MANIFEST_UNKNOWN', { name: name.name, reference: `${thenText(tag, at)}${when}` });
}

function thenText(reference: string, at: Position): string {
  return `${reference} at position ${formatPosition(at)} (${formatTime(timeOf(at))})`;
}

/** Judged, found and read in one transaction; the answer says which position it is of. */
async function readThen<T extends object>(
  exchange: Exchange,
  name: RepositoryName,
  moment: Moment | undefined,
  read: (then: Then) => Promise<T>,
): Promise<object> {
  const { caller, services } = exchange;
  return services.executor.store.read(async (reading) => {
    const target = await findTarget(reading, caller.actor, name);
    const denied = deny(caller, 'pull', name, target);
    if (denied !== undefined) throw new RefusalError(denied);
    const { repository, project } = target;
    if (repository === undefined || project === undefined) {
      return reject('REPOSITORY_UNKNOWN', { name: `${name.project}/${name.repository}` });
    }
    const at = await positionThen(reading, moment);
    const sight = sightOf(caller, name, target, project.uid);
    const found = await read({ reading, repository, sight, at });
    return {
      project: name.project,
      repository: name.repository,
      uid: repository,
      ...momentOf(at),
      people: sight.people ? 'shown' : 'hidden',
      ...found,
    };
  });
}

async function positionThen(reading: Reading, moment: Moment | undefined): Promise<Position> {
  const { tx, registry } = reading;
  if (moment === undefined)
    return (await newestPosition(reading, 'registry')) ?? invalid('nothing has happened in this registry yet');
  const found = await positionOf(tx, registry.keyspace, registry.live.incarnation, moment);
  return 'reason' in found ? invalid(`at: ${found.reason}`) : found;
}

async function manifestsJson(reading: Reading, manifests: readonly ManifestThen[], sight: Sight): Promise<readonly object[]> {
  const pushed = await resolveEntries(
    reading,
    manifests.map((found) => found.pushed),
    sight,
  );
  const gone = await deedsOf(
    reading,
    manifests.map((found) => found.gone),
    sight,
  );
  return pushed.map((entry, index) => ({ ...entry.payload, pushed: deedOf(entry), ...gone[index] }));
}

interface Deed {
  readonly position: string;
  readonly time: string;
  readonly actor: EntryActor;
}

function deedOf({ position, time, actor }: HistoryEntry): Deed {
  return { position, time, actor };
}

/** For each deletion of what is gone, when and by whom; nothing for what is there. */
async function deedsOf(
  reading: Reading,
  deletions: readonly (RecordedEvent | undefined)[],
  sight: Sight,
): Promise<readonly { readonly gone?: Deed }[]> {
  const events = deletions.filter((event) => event !== undefined);
  const entries = new Map((await resolveEntries(reading, events, sight)).map((entry) => [entry.position, entry]));
  return deletions.map((event) => {
    const entry = event && entries.get(formatPosition(event.position));
    return entry === undefined ? {} : { gone: deedOf(entry) };
  });
}

/** `<image>@<digest>`, as `next` has it. */
function cursorOf(text: string | undefined, { project, repository = '' }: Place) {
  if (text === undefined) return undefined;
  const at = text.lastIndexOf('@');
  const image = parseName([project, repository, ...(at > 0 ? [text.slice(0, at)] : [])].join('/'));
  const digest = parseDigest(text.slice(at + 1));
  if (at < 0 || 'problem' in image || digest === undefined) {
    return invalid(`after=${quoted(text)} is not accepted; it is <image>@<digest>, as next has it`);
  }
  return { image: image.image, digest };
}

// ---- Answers.

/** A position with its time, as answers have it. */
function momentOf(position: Position | undefined): { readonly position?: string; readonly time?: string } {
  return position === undefined ? {} : { position: formatPosition(position), time: formatTime(timeOf(position)) };
}

function linkOf(query: ApiQuery, path: string, after: string | undefined): { readonly next?: string } {
  return after === undefined ? {} : { next: query.linkWith(path, 'after', after) };
}

function sendPage({ reply }: Exchange, body: object): FastifyReply {
  // RFC 8288, for clients that page without reading the body.
  if ('next' in body && typeof body.next === 'string') reply.header('link', `<${body.next}>; rel="next"`);
  return sendJson(reply, 200, body);
}

function earlier(left: Position | undefined, right: Position | undefined): Position | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return comparePositions(left, right) < 0 ? left : right;
}

function later(left: Position | undefined, right: Position | undefined): Position | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return comparePositions(left, right) < 0 ? right : left;
}
