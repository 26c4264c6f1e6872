import { parseDigest, type Digest } from '../../digest.js';
import { reject, RefusalError } from '../../errors.js';
import { formatTime, positionOf, type Moment } from '../../events/database-time.js';
import { formatPosition, type Position } from '../../events/position.js';
import { timeOf } from '../../events/sampled-times.js';
import type { RecordedEvent } from '../../events/types.js';
import { parseName, parseReference, type RepositoryName, type Tag, type Uid } from '../../identifiers.js';
import { resolveEntries, type EntryActor, type HistoryEntry, type Sight } from '../../projections/history-entries.js';
import { newestPlace } from '../../projections/history-walk.js';
import { findManifestAt, findTagAt, listManifestsAt, listTagsAt, type ManifestThen } from '../../projections/past.js';
import type { Reading } from '../../projections/store.js';
import { findTarget } from '../../projections/targets.js';
import { momentOf, momentsOf, nameOf, type Place } from './past-places.js';
import { invalid, parameter, quoted } from './parameters.js';
import { deny, sightOf, type Exchange } from '../exchange.js';
import { LIMIT, linkTo } from './paging.js';
import type { afterTag, Asks, at, ofAnyImage } from './past-schemas.js';

type PastQuery = Asks<typeof ofAnyImage & typeof at>;
type PastListQuery = Asks<typeof ofAnyImage & typeof at & typeof afterTag>;

/** What the state of a repository is asked for. */
interface Then {
  readonly reading: Reading;
  readonly repository: Uid;
  readonly sight: Sight;
  readonly at: Position;
}

/** An image's tags as they were. */
export async function getTagsThen(exchange: Exchange, path: string, place: Place, query: PastListQuery): Promise<object> {
  const { limit = LIMIT } = query;
  const name = nameOf(exchange, place, query.image ?? '');
  const after = parameter.tag('after', query.after);
  return readThen(exchange, name, parameter.moment('at', query.at), async ({ reading, repository, sight, at }) => {
    const { tags, next } = await listTagsAt(reading, repository, name.image, at, { after, limit });
    const gone = await deedsOf(
      reading,
      tags.map((found) => found.gone),
      sight,
    );
    const since = await momentsOf(
      reading,
      reading.registry,
      tags.map((found) => found.since),
    );
    return {
      image: name.image,
      tags: tags.map(({ tag, digest }, index) => ({ tag, digest, since: since[index], ...gone[index] })),
      ...linkTo(path, { ...query }, next),
    };
  });
}

/** The manifests of an image, or of the whole repository, as they were. */
export async function getManifestsThen(exchange: Exchange, path: string, place: Place, query: PastListQuery): Promise<object> {
  const { limit = LIMIT } = query;
  const name = nameOf(exchange, place, query.image ?? '');
  const image = query.image === undefined ? undefined : name.image;
  const after = cursorOf(query.after, place);
  return readThen(exchange, name, parameter.moment('at', query.at), async ({ reading, repository, sight, at }) => {
    const { manifests, next } = await listManifestsAt(reading, repository, image, at, { after, limit });
    return {
      ...(image === undefined ? {} : { image }),
      manifests: await manifestsJson(reading, manifests, sight),
      ...linkTo(path, { ...query }, next && `${next.image}@${next.digest}`),
    };
  });
}

/** What a tag or a digest meant, and what became of it. */
export async function getManifestThen(exchange: Exchange, place: Place, text: string, query: PastQuery): Promise<object> {
  const name = nameOf(exchange, place, query.image ?? '');
  const reference = parseReference(text);
  if ('reason' in reference) return invalid(reference.reason);
  return readThen(exchange, name, parameter.moment('at', query.at), async (then) => {
    const { reading, repository, sight, at } = then;
    const found = 'tag' in reference ? await digestThen(then, name, reference.tag) : { digest: reference.digest };
    const manifest = await findManifestAt(reading, repository, name.image, found.digest, at);
    if (manifest === undefined)
      return reject('MANIFEST_UNKNOWN', { name: name.name, reference: await thenText(reading, text, at) });
    const [json] = await manifestsJson(reading, [manifest], sight);
    return { ...json, ...('tag' in found ? { tag: found } : {}) };
  });
}

async function digestThen(
  { reading, repository, sight, at }: Then,
  name: RepositoryName,
  tag: Tag,
): Promise<{ readonly digest: Digest; readonly tag: Tag; readonly since: object }> {
  const found = await findTagAt(reading, repository, name.image, tag, at);
  if (found === undefined) return reject('MANIFEST_UNKNOWN', { name: name.name, reference: await thenText(reading, tag, at) });
  if (!('deleted' in found)) {
    return { tag, digest: found.digest, since: await momentOf(reading, reading.registry, found.since) };
  }
  const [entry] = await resolveEntries(reading, [found.deleted], sight);
  const when = entry === undefined ? '' : `: it was deleted at ${entry.time} by ${entry.actor.text}`;
  return reject('MANIFEST_UNKNOWN', { name: name.name, reference: `${await thenText(reading, tag, at)}${when}` });
}

async function thenText({ tx, registry }: Reading, reference: string, at: Position): Promise<string> {
  const time = formatTime(await timeOf(tx, registry.keyspace, at));
  return `${reference} at position ${formatPosition(at)} (${time})`;
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
    const denied = deny(caller, 'pull', target);
    if (denied !== undefined) throw new RefusalError(denied);
    const { repository, project } = target;
    if (repository === undefined || project === undefined) {
      return reject('REPOSITORY_UNKNOWN', { name: `${name.project}/${name.repository}` });
    }
    const at = await positionThen(reading, moment);
    const sight = sightOf(caller, target, project.uid);
    const found = await read({ reading, repository, sight, at });
    return {
      project: name.project,
      repository: name.repository,
      uid: repository,
      ...(await momentOf(reading, reading.registry, at)),
      people: sight.people ? 'shown' : 'hidden',
      ...found,
    };
  });
}

async function positionThen(reading: Reading, moment: Moment | undefined): Promise<Position> {
  const { tx, registry } = reading;
  if (moment === undefined)
    return (await newestPlace(reading, 'registry'))?.position ?? invalid('nothing has happened in this registry yet');
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
