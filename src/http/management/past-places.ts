import { reject } from '../../errors.js';
import { formatTime } from '../../events/database-time.js';
import { formatPosition, type Position } from '../../events/position.js';
import { timesOf } from '../../events/sampled-times.js';
import { parseName, type RepositoryName } from '../../identifiers.js';
import type { LiveDirectory, Reading } from '../../projections/store.js';
import type { Exchange } from '../exchange.js';

/** Ids as they stand in a path. */
export interface Place {
  readonly project: string;
  readonly repository: string | undefined;
}

/** The `<name>` that the ids stand for; a project is asked for by one part. */
export function nameOf({ request }: Exchange, { project, repository }: Place, image: string): RepositoryName {
  const text = [project, repository ?? 'any', ...(image === '' ? [] : [image])].join('/');
  const name = parseName(text);
  request.told.name = repository === undefined ? project : text;
  if (project.includes('/') || repository?.includes('/') === true) {
    return reject('NAME_INVALID', { name: text.slice(0, 300), reason: 'an id is one part of a name, without a slash' });
  }
  if ('problem' in name) return reject('NAME_INVALID', { name: text.slice(0, 300), reason: name.reason });
  return repository === undefined ? { ...name, name: name.project } : name;
}

/** A position with its time, as answers have it. */
export interface MomentJson {
  readonly position?: string;
  readonly time?: string;
}

/** For each position of a directory's log, or none, its moment. Costs what `timesOf` costs. */
export async function momentsOf(
  { tx }: Reading,
  { keyspace }: LiveDirectory,
  positions: readonly (Position | undefined)[],
): Promise<readonly MomentJson[]> {
  const timeOf = await timesOf(
    tx,
    keyspace,
    positions.filter((position) => position !== undefined),
  );
  return positions.map((position) =>
    position === undefined ? {} : { position: formatPosition(position), time: formatTime(timeOf(position)) },
  );
}

/** `momentsOf` for one. */
export async function momentOf(reading: Reading, directory: LiveDirectory, position: Position | undefined): Promise<MomentJson> {
  return (await momentsOf(reading, directory, [position]))[0] ?? {};
}
