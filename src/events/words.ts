import type { Digest } from '../digest.js';
import type { ImagePath, Uid } from '../identifiers.js';
import {
  subjectOf,
  type Description,
  type EventEnvelope,
  type EventKind,
  type PayloadOf,
  type Principal,
  type RepositorySettings,
  type Stream,
} from './types.js';

/** What ids and uids in events are called, as far as whoever reads may know; undefined: not known, or not to be said. */
export interface Names {
  /** `<project>/<repository>`. */
  readonly repository: (uid: Uid) => string | undefined;
  readonly project: (uid: Uid) => string | undefined;
  readonly organization: (uid: Uid) => string | undefined;
  /** `<project>/<account>`. */
  readonly account: (uid: Uid) => string | undefined;
  /** Whether the bytes of a digest were erased. */
  readonly isErased: (digest: Digest) => boolean;
  /** A login name, or that it was erased. */
  readonly person: (uid: Uid) => { readonly name: string } | 'erased' | undefined;
}

/** What every image's manifest is said to be: not worth a word. */
const plainImages = ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json'];

type Sayings = { readonly [K in EventKind]: (payload: PayloadOf<K>, stream: Stream, names: Names) => string };

/** One row for each kind of event: the type check misses the ones that are not here. */
const sayings: Sayings = {
  RepositoryCreated: ({ projectId, id, origin, scanning }, stream, names) => {
    const name = projectId === undefined ? theRepository(stream, names, id) : `repository ${projectId}/${id}`;
    const how = { push: ' by the first push to it', command: '', unknown: '' }[origin];
    return `created ${name}${how}${scanning ? ', with scanning on' : ''}`;
  },
  RepositoryDeletionBegun: ({ projectId, id }) =>
    `began to delete repository ${projectId}/${id}: nobody can see it any more, and its name is free`,
  RepositoryDeleted: ({ projectId, id }) => `finished deleting repository ${projectId}/${id}: all its images are gone`,
  BlobStored: ({ digest, size }) => `stored the bytes of blob ${shortDigest(digest)} (${sizeInWords(size)})`,
  BlobPushed: ({ digest, size }, stream, names) =>
    `pushed blob ${shortDigest(digest)} (${sizeInWords(size)}) to ${imageName(stream, names)}`,
  BlobMounted: ({ digest, size, fromRepository }, stream, names) => {
    const from = names.repository(fromRepository) ?? 'another repository';
    return `mounted blob ${shortDigest(digest)} (${sizeInWords(size)}) from ${from} into ${imageName(stream, names)}`;
  },
  BlobUnlinked: ({ digest }, stream, names) => `removed blob ${shortDigest(digest)} from ${imageName(stream, names)}`,
  ManifestPushed: ({ image, digest, mediaType, size, artifactType, subject, config, layersSize }, stream, names) => {
    const parts = [
      config === undefined ? [] : [`config ${shortDigest(config)}`],
      layersSize === 0 ? [] : [`layers ${sizeInWords(layersSize)}`],
      artifactType === undefined || plainImages.includes(artifactType) ? [] : [`artifact type ${oneLine(artifactType)}`],
      subject === undefined ? [] : [`refers to ${shortDigest(subject)}`],
    ].flat();
    const facts = [`${oneLine(mediaType)}, ${sizeInWords(size)}`, ...parts].join('; ');
    return `pushed manifest ${shortDigest(digest)} to ${imageName(stream, names, image)} (${facts})`;
  },
  ManifestDeleted: ({ image, digest }, stream, names) =>
    `deleted manifest ${shortDigest(digest)} of ${imageName(stream, names, image)}`,
  TagMoved: ({ image, tag, digest, previous }, stream, names) => {
    const name = imageName(stream, names, image);
    if (previous === undefined) return `created tag ${tag} of ${name} at ${shortDigest(digest)}`;
    return `moved tag ${tag} of ${name} from ${shortDigest(previous)} to ${shortDigest(digest)}`;
  },
  TagDeleted: ({ image, tag, digest }, stream, names) =>
    `deleted tag ${tag} of ${imageName(stream, names, image)}, which was at ${shortDigest(digest)}`,
  OrganizationCreated: ({ id }) => `created organization ${id}`,
  ProjectCreated: ({ organization, id }, _stream, names) => {
    const where = names.organization(organization);
    return `created project ${id}${where === undefined ? '' : ` in organization ${where}`}`;
  },
  UserCreated: (_payload, stream, names) => `registered ${personInWords(uidOf(stream), names)}`,
  RoleGranted: ({ principal, role }, stream, names) =>
    `granted the role ${role} on ${streamInWords(stream, names)} to ${principalInWords(principal, names)}`,
  RoleRevoked: ({ principal, role }, stream, names) =>
    `took the role ${role} on ${streamInWords(stream, names)} from ${principalInWords(principal, names)}`,
  RepositorySettingsChanged: (settings, stream, names) =>
    `set up ${theRepository(stream, names)}${described(settings)}: ${settingsInWords(settings)}`,
  ContentErased: ({ digest }) => `erased the bytes of ${shortDigest(digest)} for ever`,
  OrganizationDescribed: (description, stream, names) => `described ${streamInWords(stream, names)}${described(description)}`,
  OrganizationDeleted: ({ id }) => `deleted organization ${id}`,
  ProjectDescribed: (description, stream, names) => `described ${streamInWords(stream, names)}${described(description)}`,
  ProjectDeleted: ({ id }) => `deleted project ${id}`,
  UserDisabled: (_payload, stream, names) => `disabled ${personInWords(uidOf(stream), names)}, who can't log in any more`,
  UserEnabled: (_payload, stream, names) => `enabled ${personInWords(uidOf(stream), names)}, who can log in again`,
  UserPasswordChanged: ({ reset }, stream, names) =>
    `${reset ? 'set' : 'changed'} the password of ${personInWords(uidOf(stream), names)}`,
  UserForgotten: (_payload, stream) =>
    `forgot user ${uidOf(stream)}: name and password are erased, addresses and user agents soon after`,
  ServiceAccountCreated: ({ projectId, id, displayName }) =>
    `created service account ${projectId}/${id}${displayName === '' ? '' : ` (${oneLine(displayName)})`}`,
  ServiceAccountDeleted: ({ projectId, id }) => `deleted service account ${projectId}/${id} with all its keys`,
  ServiceAccountKeyAdded: ({ key, expiresAt }, stream, names) => {
    const until = expiresAt === undefined ? 'for ever' : `until ${new Date(expiresAt / 1_000).toISOString()}`;
    return `made key ${key} of ${accountInWords(uidOf(stream), names)}, good ${until}`;
  },
  ServiceAccountKeyRevoked: ({ key }, stream, names) => `revoked key ${key} of ${accountInWords(uidOf(stream), names)}`,
};

function described({ displayName, description }: Description): string {
  const parts = [
    displayName === '' ? [] : [`"${oneLine(displayName)}"`],
    description === '' ? [] : [oneLine(description)],
  ].flat();
  return parts.length === 0 ? '' : ` as ${parts.join(', ')}`;
}

function settingsInWords({ scanning, immutableTags, immutableTagExemptions }: RepositorySettings): string {
  const but =
    immutableTagExemptions.length === 0 ? '' : `, but for ${immutableTagExemptions.map((one) => oneLine(one)).join(' ')}`;
  return `scanning ${scanning ? 'on' : 'off'}, tags ${immutableTags ? `are never moved${but}` : 'can be moved'}`;
}

/** What happened, for people: one line, in the past tense, without its time and without who did it. */
export function eventInWords({ stream, payload }: Pick<EventEnvelope, 'stream' | 'payload'>, names: Names): string {
  const saying = sayings[payload.kind] as (payload: EventEnvelope['payload'], stream: Stream, names: Names) => string;
  const gone = payload.kind !== 'ContentErased' && 'digest' in payload && names.isErased(payload.digest);
  return `${saying(payload, stream, names)}${gone ? ' (its content was erased)' : ''}`;
}

/** Every kind of event, in the order of the table above. */
export const eventKinds = Object.keys(sayings) as readonly EventKind[];

/** Who did it, without how the client authenticated. */
export function actorInWords({ actor }: Pick<EventEnvelope, 'actor'>, names: Names): string {
  switch (actor.kind) {
    case 'system':
      return 'the registry or its operator';
    case 'anonymous':
      return 'somebody without credentials';
    case 'service-account':
      return actor.uid === undefined ? 'a service account' : accountInWords(actor.uid, names);
    case 'user':
      return actor.uid === undefined ? 'a user' : personInWords(actor.uid, names);
  }
}

function personInWords(uid: Uid, names: Names): string {
  const person = names.person(uid);
  if (person === 'erased') return `user ${uid} (name erased)`;
  return person === undefined ? `user ${uid}` : oneLine(person.name);
}

function accountInWords(uid: Uid, names: Names): string {
  return `service account ${names.account(uid) ?? uid}`;
}

function principalInWords(principal: Principal, names: Names): string {
  switch (principal.kind) {
    case 'user':
      return personInWords(principal.uid, names);
    case 'service-account':
      return accountInWords(principal.uid, names);
    case 'all-users':
      return 'everybody, also without credentials';
    case 'all-authenticated-users':
      return 'everybody who is logged in';
  }
}

function uidOf(stream: Stream): Uid {
  return subjectOf(stream) as Uid;
}

function theRepository(stream: Stream, names: Names, id?: string): string {
  return `repository ${names.repository(uidOf(stream)) ?? id ?? uidOf(stream)}`;
}

/** An image by the name that clients use; without one, its repository. */
function imageName(stream: Stream, names: Names, image?: ImagePath): string {
  const name = names.repository(uidOf(stream));
  if (image === undefined || image === '') return name ?? `repository ${uidOf(stream)}`;
  return name === undefined ? `image ${image} of repository ${uidOf(stream)}` : `${name}/${image}`;
}

function streamInWords(stream: Stream, names: Names): string {
  const uid = uidOf(stream);
  if (stream.startsWith('repository/')) return theRepository(stream, names);
  if (stream.startsWith('project/')) return `project ${names.project(uid) ?? uid}`;
  return `organization ${names.organization(uid) ?? uid}`;
}

const SHORT_HEX = 12;

/** As clients show it: the algorithm and the first 12 hex digits. */
export function shortDigest(digest: Digest): string {
  return digest.slice(0, digest.indexOf(':') + 1 + SHORT_HEX);
}

const units = ['kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Bytes in decimal units, two significant digits at least: `1.2 kB`, `35 MB`, `350 MB`. */
export function sizeInWords(bytes: number): string {
  if (bytes < 1_000) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  let value = bytes;
  let unit = -1;
  // 999.5 would be shown as 1000.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${units[unit] ?? ''}`;
}

const TEXT_LIMIT = 200;

/** What a client chose, for a line of a terminal: nothing in it moves the cursor or ends the line. */
export function oneLine(text: string, limit = TEXT_LIMIT): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}...` : text;
  return cut.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
