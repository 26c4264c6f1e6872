import { digestForm, parseDigest, type Digest } from '../digest.js';
import { reject } from '../errors.js';
import { parseMoment, type Moment } from '../events/database-time.js';
import { parsePosition, type Position } from '../events/position.js';
import type { EventKind } from '../events/types.js';
import { eventKinds } from '../events/words.js';
import { parseTag, parseUid, tagForm, type Tag, type Uid } from '../identifiers.js';

/** The parameters of one request, each at most once, none that the route does not know. */
export class ApiQuery {
  readonly #values: ReadonlyMap<string, string>;

  constructor(given: URLSearchParams, accepted: readonly string[]) {
    const values = new Map<string, string>();
    for (const [name, value] of given) {
      if (!accepted.includes(name))
        invalid(`the parameter ${quoted(name)} is not known here; accepted are ${accepted.join(', ')}`);
      if (values.has(name)) invalid(`the parameter ${name} is given twice`);
      values.set(name, value);
    }
    this.#values = values;
  }

  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** What stands between commas. */
  list(name: string): readonly string[] | undefined {
    return this.text(name)?.split(',');
  }

  tag(name: string): Tag | undefined {
    return this.#parsed(name, tagForm, parseTag);
  }

  digest(name: string): Digest | undefined {
    return this.#parsed(name, digestForm, parseDigest);
  }

  uid(name: string): Uid | undefined {
    return this.#parsed(name, 'a UUID in lower case', parseUid);
  }

  position(name: string): Position | undefined {
    return this.#parsed(name, 'a position like 1-00064f5e2a3b4c5d00000000', parsePosition);
  }

  moment(name: string): Moment | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const moment = parseMoment(text);
    return 'reason' in moment ? invalid(`${name}: ${moment.reason}`) : moment;
  }

  kinds(name: string): readonly EventKind[] | undefined {
    return this.list(name)?.map(
      (text) =>
        eventKinds.find((kind) => kind === text) ??
        invalid(`${name}: ${quoted(text)} is no kind of event; accepted are ${eventKinds.join(', ')}`),
    );
  }

  choice<T extends string>(name: string, choices: readonly [T, ...T[]]): T {
    return this.#parsed(name, choices.join(' or '), (text) => choices.find((choice) => choice === text)) ?? choices[0];
  }

  limit(usual: number, most: number): number {
    const parse = (text: string): number | undefined => {
      const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
      return value >= 1 && value <= most ? value : undefined;
    };
    return this.#parsed('limit', `a whole number from 1 to ${most}`, parse) ?? usual;
  }

  /** `path` with these parameters, but for one. */
  linkWith(path: string, name: string, value: string): string {
    const parameters = new URLSearchParams([...this.#values].filter(([other]) => other !== name));
    parameters.append(name, value);
    return `${path}?${parameters.toString()}`;
  }

  #parsed<T>(name: string, accepted: string, parse: (text: string) => T | undefined): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    return parse(text) ?? invalid(`${name}=${quoted(text)} is not accepted; it is ${accepted}`);
  }
}

/** Throws REQUEST_INVALID. */
export function invalid(reason: string): never {
  return reject('REQUEST_INVALID', { reason });
}

export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
