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

export function uidToBytes(uid: Uid): Buffer {
  return Buffer.from(uid.replaceAll('-', ''), 'hex');
}

/** Throws on anything but 16 bytes. */
export function uidFromBytes(bytes: Uint8Array): Uid {
  if (bytes.length !== 16) throw new Error(`a uid has 16 bytes, not ${bytes.length}`);
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as Uid;
}
