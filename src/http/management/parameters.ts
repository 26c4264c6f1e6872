import { digestForm, parseDigest } from '../../digest.js';
import { reject } from '../../errors.js';
import { parseMoment, type Moment } from '../../events/database-time.js';
import { parsePosition } from '../../events/position.js';
import type { EventKind } from '../../events/types.js';
import { eventKinds } from '../../events/words.js';
import { parseTag, parseUid, tagForm } from '../../identifiers.js';

/** Texts in a query whose grammar is more than a schema says: each is read here, or refused with what is accepted. Undefined stays undefined. */
export const parameter = {
  tag: reader(tagForm, parseTag),
  digest: reader(digestForm, parseDigest),
  uid: reader('a UUID in lower case', parseUid),
  position: reader('a position like 1-00064f5e2a3b4c5d00000000', parsePosition),
  moment(name: string, text: string | undefined): Moment | undefined {
    if (text === undefined) return undefined;
    const moment = parseMoment(text);
    return 'reason' in moment ? invalid(`${name}: ${moment.reason}`) : moment;
  },
  kinds(name: string, text: string | undefined): readonly EventKind[] | undefined {
    return text
      ?.split(',')
      .map(
        (one) =>
          eventKinds.find((kind) => kind === one) ??
          invalid(`${name}: ${quoted(one)} is no kind of event; accepted are ${eventKinds.join(', ')}`),
      );
  },
} as const;

function reader<T>(accepted: string, parse: (text: string) => T | undefined) {
  return (name: string, text: string | undefined): T | undefined =>
    text === undefined ? undefined : (parse(text) ?? invalid(`${name}=${quoted(text)} is not accepted; it is ${accepted}`));
}

/** Throws REQUEST_INVALID. */
export function invalid(reason: string): never {
  return reject('REQUEST_INVALID', { reason });
}

export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
