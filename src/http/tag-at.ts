import { refuse, type Refusal } from '../errors.js';
import { formatTime, parseTime, positionOf } from '../events/database-time.js';
import { createLog } from '../events/log.js';
import { comparePositions, type Position } from '../events/position.js';
import { timeOf } from '../events/sampled-times.js';
import { repositoryStream, type RecordedEvent } from '../events/types.js';
import { parseTag, type RepositoryName, type Tag, type Uid } from '../identifiers.js';
import { resolveEntries } from '../projections/history-entries.js';
import { findTagAt, wasEverTagged } from '../projections/past.js';
import type { Digest } from '../digest.js';
import type { Reading } from '../projections/store.js';
import { findTag } from '../projections/tags.js';
import type { Target } from '../projections/targets.js';
import { sightOf, type Exchange } from './exchange.js';

/** `<tag>.at.<time>`: what another tag was at a time, for every client that can pull a tag. */
export interface TagAt {
  /** As it was asked for. */
  readonly reference: Tag;
  readonly tag: Tag;
  /** RFC 3339. A tag has no colons, so hyphens stand for those of the time. */
  readonly time: string;
}

const shape = /^(.+)\.at\.(\d{4}-\d{2}-\d{2}T)(\d{2})-(\d{2})-(\d{2}(?:\.\d+)?Z)$/;

/** Undefined for a tag that has not the shape: it is ordinary, whatever is in it. */
export function parseTagAt(reference: Tag): TagAt | undefined {
  if (!reference.includes('.at.')) return undefined;
  const [, of = '', day = '', hour = '', minute = '', rest = ''] = shape.exec(reference) ?? [];
  const tag = parseTag(of);
  return tag && { reference, tag, time: `${day}${hour}:${minute}:${rest}` };
}

/** The refusal of whatever would change one. */
export function refuseChange({ reference, tag }: TagAt): Refusal {
  return refuse('TAG_OF_THE_PAST', { reference, tag });
}

/** `position`: where the past was looked at; undefined for a tag that was pushed under this very name. */
export type TagFound = { readonly digest: Digest | undefined; readonly position: Position | undefined } | Refusal;

/**
 * What a tag of this shape means in a repository that the caller may pull from. One that was ever pushed under this very name, as release 0.1.0
 * accepted it, is an ordinary tag. Depends on the database's time besides what is in it, so it is not for `Store.readCached`.
 */
export async function findTagOfThePast(
  reading: Reading,
  { caller }: Pick<Exchange, 'caller'>,
  name: RepositoryName,
  target: Target & { readonly repository: Uid },
  tagAt: TagAt,
): Promise<TagFound> {
  const { reference, tag } = tagAt;
  const { repository } = target;
  const literal = await findTag(reading, repository, name.image, reference);
  if (literal !== undefined || (await wasEverTagged(reading, repository, name.image, reference))) {
    return { digest: literal, position: undefined };
  }
  const asked = { name: name.name, tag, reference };
  const parsed = parseTime(tagAt.time);
  if (typeof parsed !== 'number') {
    return refuse('TIME_INVALID', { ...asked, reason: parsed.reason, form: `${tag}.at.2026-11-01T09-00-00Z` });
  }
  const { tx, registry } = reading;
  const position = await positionOf(tx, registry.keyspace, registry.live.incarnation, { time: parsed });
  if ('reason' in position) return refuse('TIME_NOT_COME', { ...asked, reason: position.reason });
  const then = await findTagAt(reading, repository, name.image, tag, position);
  const details = { ...asked, time: tagAt.time };
  if (then === undefined) {
    const [created] = await createLog(registry.keyspace).readStream(tx, repositoryStream(repository), { limit: 1 });
    if (created === undefined || comparePositions(created.position, position) <= 0) return refuse('TAG_NEVER_BEFORE', details);
    const time = await timeOf(tx, registry.keyspace, created.position);
    return refuse('REPOSITORY_CREATED_SINCE', { ...details, created: formatTime(time) });
  }
  const deedOf = async (event: RecordedEvent) => {
    const project = target.project?.uid;
    const sight = project === undefined ? { people: false, project } : sightOf(caller, target, project);
    const [entry] = await resolveEntries(reading, [event], sight);
    return { deleted: entry?.time ?? '', actor: entry?.actor.text ?? '' };
  };
  if ('deleted' in then) return refuse('TAG_DELETED_BEFORE', { ...details, ...(await deedOf(then.deleted)) });
  const { digest, gone } = then;
  if (gone !== undefined) return refuse('MANIFEST_DELETED_SINCE', { ...details, digest, ...(await deedOf(gone)) });
  return { digest, position };
}
