import { LOG_PARTITIONS } from '../keyvalue/keyspace.js';
import { encodeJson } from './projection.js';

/** `meta/live` of a directory: what every transaction reads before anything else. */
export interface Live {
  /** Raised by an operator after a restore, so that positions never repeat. */
  readonly incarnation: number;
  readonly projections: readonly LiveProjection[];
}

export interface LiveProjection {
  readonly name: string;
  readonly version: number;
  readonly build: string;
}

/** `meta/live` is not this release's: the process answers 503 and is not ready. */
export class LiveMismatchError extends Error {
  override readonly name = 'LiveMismatchError';
}

/** Raised when a release must not be mistaken for one that knows less: every release refuses the formats that it does not know. */
const FORMAT = 1;

/**
 * Accepts what this release would write itself and nothing else: a field that it does not know may be a later release's fence, and to go on past that would
 * spoil the store. Throws LiveMismatchError.
 */
export function parseLive(bytes: Buffer): Live {
  const value = parseJson(bytes);
  // Before the fields: those of a later format are another's.
  if (isObject(value) && 'format' in value && value['format'] !== FORMAT) {
    throw new LiveMismatchError(
      `meta/live has format ${JSON.stringify(value['format'])}, this release knows format ${FORMAT}; start the release that wrote it`,
    );
  }
  const { incarnation, partitions, projections } = fieldsOf(value, 'meta/live', [
    'format',
    'incarnation',
    'partitions',
    'projections',
  ]);
  // A stream's partition is its hash modulo their number: with another one its events would not be found.
  if (partitions !== LOG_PARTITIONS) {
    throw new LiveMismatchError(
      `the log has ${JSON.stringify(partitions)} partitions by meta/live, this release knows ${LOG_PARTITIONS}; start the release that wrote it`,
    );
  }
  if (!isPositive(incarnation)) throw damaged('incarnation', 'a whole number from 1 up', incarnation);
  if (!Array.isArray(projections)) throw damaged('projections', 'a list', projections);
  const live = projections.map(parseProjection);
  const names = live.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new LiveMismatchError(`meta/live names the projection ${twice} twice`);
  return { incarnation, projections: live };
}

export function encodeLive({ incarnation, projections }: Live): Buffer {
  return encodeJson({
    format: FORMAT,
    incarnation,
    partitions: LOG_PARTITIONS,
    projections: projections.map(({ name, version, build }) => ({ name, version, build })),
  });
}

function parseProjection(value: unknown, index: number): LiveProjection {
  const where = `projections[${index}]`;
  const { name, version, build } = fieldsOf(value, `meta/live's ${where}`, ['name', 'version', 'build']);
  if (!isText(name)) throw damaged(`${where}.name`, 'a text', name);
  if (!isPositive(version)) throw damaged(`${where}.version`, 'a whole number from 1 up', version);
  if (!isText(build)) throw damaged(`${where}.build`, 'a text', build);
  return { name, version, build };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw new LiveMismatchError('meta/live is not JSON; start the release that wrote it, or restore the store from its backup');
  }
}

/** The fields of an object that has these and no others. */
function fieldsOf<K extends string>(value: unknown, what: string, names: readonly K[]): Readonly<Record<K, unknown>> {
  if (!isObject(value)) throw new LiveMismatchError(`${what} is ${JSON.stringify(value)}, not an object`);
  const missing = names.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) throw new LiveMismatchError(`${what} has no field ${missing}; start the release that wrote it`);
  const unknown = Object.keys(value).find((key) => !names.some((name) => name === key));
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
