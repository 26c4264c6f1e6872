import { EVENT_GENERATION } from '../events/codec.js';
import type { Transaction } from '../keyvalue/database.js';
import { LOG_PARTITIONS, type Keyspace } from '../keyvalue/keyspace.js';
import { describeMark } from './migration.js';
import { encodeJson, type ProjectionMode } from './projection.js';

/** `meta/live` of a directory: what every transaction reads before anything else. */
export interface Live {
  /** Raised by an operator after a restore, so that positions never repeat. */
  readonly incarnation: number;
  /** The newest generation of event messages that may be written (codec.ts): what every release that serves can read. */
  readonly events: number;
  readonly projections: readonly LiveProjection[];
  /** Holds commands back while a build is switched to. */
  readonly fence?: Fence | undefined;
}

export interface LiveProjection {
  readonly name: string;
  readonly version: number;
  readonly build: string;
  readonly mode: ProjectionMode;
}

export interface Fence {
  /** Whose builder set it. */
  readonly build: string;
  /** Microseconds of database time; whoever finds the fence later lifts it. */
  readonly deadline: number;
}

/** `meta/live` is not this release's: the process answers 503 and is not ready. */
export class LiveMismatchError extends Error {
  override readonly name = 'LiveMismatchError';
}

/** Raised when a release must not be mistaken for one that knows less: every release refuses the formats that it does not know. */
const FORMAT = 2;

/** Release 0.1.0: no fence, every projection inline, events of the first generation. It is written no more; a store gets the new one with its first switch. */
const FIRST_FORMAT = 1;

/**
 * Accepts what a release up to this one would write itself and nothing else: a field that it does not know may be a later release's guard, and to go on past that
 * would spoil the store. Throws LiveMismatchError.
 */
export function parseLive(bytes: Buffer): Live {
  const value = parseJson(bytes);
  const moved = describeMark(value);
  if (moved !== undefined) throw new LiveMismatchError(moved);
  // Before the fields: those of a later format are another's.
  const format = isObject(value) && 'format' in value ? value['format'] : FORMAT;
  if (format !== FORMAT && format !== FIRST_FORMAT) {
    throw new LiveMismatchError(
      `meta/live has format ${JSON.stringify(format)}, this release knows format ${FORMAT}; start the release that wrote it`,
    );
  }
  const isFirst = format === FIRST_FORMAT;
  const required = ['format', 'incarnation', 'partitions', 'projections'] as const;
  const fields = isFirst
    ? { ...fieldsOf(value, 'meta/live', required), events: 1, fence: undefined }
    : fieldsOf(value, 'meta/live', [...required, 'events'], ['fence']);
  const { incarnation, partitions, projections, events, fence } = fields;
  // A stream's partition is its hash modulo their number: with another one its events would not be found.
  if (partitions !== LOG_PARTITIONS) {
    throw new LiveMismatchError(
      `the log has ${JSON.stringify(partitions)} partitions by meta/live, this release knows ${LOG_PARTITIONS}; start the release that wrote it`,
    );
  }
  if (!isPositive(incarnation)) throw damaged('incarnation', 'a whole number from 1 up', incarnation);
  if (!isPositive(events)) throw damaged('events', 'a whole number from 1 up', events);
  if (events > EVENT_GENERATION) {
    throw new LiveMismatchError(
      `the log may have events of generation ${events}, this release reads ${EVENT_GENERATION}; start the release that wrote them`,
    );
  }
  if (!Array.isArray(projections)) throw damaged('projections', 'a list', projections);
  const live = projections.map((entry, index) => parseProjection(entry, index, isFirst));
  const names = live.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new LiveMismatchError(`meta/live names the projection ${twice} twice`);
  return { incarnation, events, projections: live, fence: fence === undefined ? undefined : parseFence(fence) };
}

export function encodeLive({ incarnation, events, projections, fence }: Live): Buffer {
  return encodeJson({
    format: FORMAT,
    incarnation,
    partitions: LOG_PARTITIONS,
    events,
    projections: projections.map(({ name, version, build, mode }) => ({ name, version, build, mode })),
    ...(fence === undefined ? {} : { fence: { build: fence.build, deadline: fence.deadline } }),
  });
}

/** The only way in which `meta/live` is written: everybody who keeps what they read of it has to read it again. */
export function writeLive(tx: Transaction, keyspace: Keyspace, live: Live): void {
  tx.set(keyspace.metaLive, encodeLive(live));
  tx.touchMetadata();
}

function parseProjection(value: unknown, index: number, isFirst: boolean): LiveProjection {
  const where = `projections[${index}]`;
  const what = `meta/live's ${where}`;
  const required = ['name', 'version', 'build'] as const;
  const { name, version, build, mode } = isFirst
    ? { ...fieldsOf(value, what, required), mode: 'inline' }
    : fieldsOf(value, what, [...required, 'mode']);
  if (!isText(name)) throw damaged(`${where}.name`, 'a text', name);
  if (!isPositive(version)) throw damaged(`${where}.version`, 'a whole number from 1 up', version);
  if (!isText(build)) throw damaged(`${where}.build`, 'a text', build);
  if (mode !== 'inline' && mode !== 'async') throw damaged(`${where}.mode`, 'inline or async', mode);
  return { name, version, build, mode };
}

function parseFence(value: unknown): Fence {
  const { build, deadline } = fieldsOf(value, "meta/live's fence", ['build', 'deadline']);
  if (!isText(build)) throw damaged('fence.build', 'a text', build);
  if (!isPositive(deadline)) throw damaged('fence.deadline', 'a time in microseconds', deadline);
  return { build, deadline };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw new LiveMismatchError('meta/live is not JSON; start the release that wrote it, or restore the store from its backup');
  }
}

/** The fields of an object that has the required ones, perhaps the optional ones, and no others. */
function fieldsOf<K extends string, O extends string = never>(
  value: unknown,
  what: string,
  required: readonly K[],
  optional: readonly O[] = [],
): Readonly<Record<K | O, unknown>> {
  if (!isObject(value)) throw new LiveMismatchError(`${what} is ${JSON.stringify(value)}, not an object`);
  const missing = required.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) throw new LiveMismatchError(`${what} has no field ${missing}; start the release that wrote it`);
  const known: readonly string[] = [...required, ...optional];
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new LiveMismatchError(
      `${what} has a field ${unknown} that this release does not know; start the release that wrote it`,
    );
  }
  return value;
}

function damaged(field: string, accepted: string, value: unknown): LiveMismatchError {
  return new LiveMismatchError(`meta/live's ${field} is ${JSON.stringify(value)}, not ${accepted}`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPositive(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
