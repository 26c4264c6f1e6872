import { digestForm, parseDigest, type Digest } from './digest.js';

/** A UUIDv7 in its text form; names what ids can't, since an id is free again after a deletion. RFC 9562. */
export type Uid = string & { readonly __brand: 'Uid' };
export type ProjectId = string & { readonly __brand: 'ProjectId' };
export type RepositoryId = string & { readonly __brand: 'RepositoryId' };
/** Path of an image inside its repository; empty for the image under the repository's own name. */
export type ImagePath = string & { readonly __brand: 'ImagePath' };
export type Tag = string & { readonly __brand: 'Tag' };

/** The distribution spec's `<name>`, taken apart. */
export interface RepositoryName {
  readonly name: string;
  readonly project: ProjectId;
  readonly repository: RepositoryId;
  readonly image: ImagePath;
}

export const NAME_MAX_LENGTH = 200;

// distribution-spec 1.1, "Pulling manifests".
const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagGrammar = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const uidGrammar = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * `invalid`: the specification has no such name, which is 400. The others are names that this registry does not have, which is 404: docker repeats the
 * 400 of a POST for a minute before it shows it.
 */
export type NameProblem = { readonly problem: 'invalid' | 'too-long' | 'too-few-parts'; readonly reason: string };

/** Why a text is no id, which is one part of a `<name>`; undefined: it is one. */
export function problemOfId(text: string): string | undefined {
  const name = parseName(`${text}/any`);
  if ('problem' in name) return name.reason;
  return text.includes('/') ? 'an id is one part of a name, without a slash' : undefined;
}

export function parseName(text: string): RepositoryName | NameProblem {
  if (text.length > NAME_MAX_LENGTH) {
    return { problem: 'too-long', reason: `the name has ${text.length} characters; at most ${NAME_MAX_LENGTH} are accepted` };
  }
  const parts = text.split('/');
  const wrong = parts.find((part) => !component.test(part));
  if (wrong !== undefined) {
    return {
      problem: 'invalid',
      reason: `the name's part ${JSON.stringify(wrong)} is not lower-case letters and digits, separated by one of . _ __ or hyphens`,
    };
  }
  const [project, repository, ...image] = parts;
  if (project === undefined || repository === undefined) {
    return {
      problem: 'too-few-parts',
      reason: `a name has the form <project>/<repository>[/<image>...], for instance ${text}/app`,
    };
  }
  return {
    name: text,
    project: project as ProjectId,
    repository: repository as RepositoryId,
    image: image.join('/') as ImagePath,
  };
}

export function parseTag(text: string): Tag | undefined {
  return tagGrammar.test(text) ? (text as Tag) : undefined;
}

export const tagForm = 'a letter, digit or underscore, then at most 127 letters, digits, underscores, dots and hyphens';

/** A manifest's reference: a digest when it has a colon, else a tag. */
export type Reference = { readonly digest: Digest } | { readonly tag: Tag };

export function parseReference(text: string): Reference | { readonly reason: string } {
  if (text.includes(':')) {
    const digest = parseDigest(text);
    return digest === undefined ? { reason: `${JSON.stringify(text)} is not a digest; accepted is ${digestForm}` } : { digest };
  }
  const tag = parseTag(text);
  return tag === undefined ? { reason: `${JSON.stringify(text)} is not a tag; accepted is ${tagForm}` } : { tag };
}

export function parseUid(text: string): Uid | undefined {
  return uidGrammar.test(text) ? (text as Uid) : undefined;
}

// Every event has half a dozen uids, and most keys have one: a loop over tables takes a third of the time of hex conversions.
const hex = '0123456789abcdef';
const highDigits = Uint8Array.from({ length: 256 }, (_, byte) => hex.charCodeAt(byte >> 4));
const lowDigits = Uint8Array.from({ length: 256 }, (_, byte) => hex.charCodeAt(byte & 15));
const valueOfDigit = Uint8Array.from({ length: 128 }, (_, code) => Math.max(0, hex.indexOf(String.fromCharCode(code))));
/** Where the digits of each byte begin in the text. */
const digitsAt = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const text: number[] = Array.from({ length: 36 }, () => '-'.charCodeAt(0));

export function uidToBytes(uid: Uid): Buffer {
  const bytes = Buffer.allocUnsafe(16);
  for (let index = 0; index < 16; index += 1) {
    const at = digitsAt[index] ?? 0;
    bytes[index] = ((valueOfDigit[uid.charCodeAt(at)] ?? 0) << 4) | (valueOfDigit[uid.charCodeAt(at + 1)] ?? 0);
  }
  return bytes;
}

/** Throws on anything but 16 bytes. */
export function uidFromBytes(bytes: Uint8Array): Uid {
  if (bytes.length !== 16) throw new Error(`a uid has 16 bytes, not ${bytes.length}`);
  for (let index = 0; index < 16; index += 1) {
    const byte = bytes[index] ?? 0;
    const at = digitsAt[index] ?? 0;
    text[at] = highDigits[byte] ?? 0;
    text[at + 1] = lowDigits[byte] ?? 0;
  }
  return String.fromCharCode(...text) as Uid;
}
