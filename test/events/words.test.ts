import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { decodeEvent } from '../../src/events/codec.js';
import { artifactstore } from '../../src/events/generated/events.js';
import type { EventEnvelope } from '../../src/events/types.js';
import { actorInWords, eventInWords, eventKinds, oneLine, shortDigest, sizeInWords, type Names } from '../../src/events/words.js';
import { envelopeOf, sha256, sha512, uid } from './samples.js';

const tests = new URL('../golden/', import.meta.url);
// Every generation of envelopes has a folder.
const folders = readdirSync(tests).filter((name) => /^events(?:-\d+)?$/.test(name));
const samples = folders.flatMap((folder) =>
  readdirSync(new URL(`${folder}/`, tests)).map((file) => {
    const { bytes } = JSON.parse(readFileSync(new URL(`${folder}/${file}`, tests), 'utf8')) as { readonly bytes: string };
    return { folder, name: file.replace(/\.json$/, ''), event: decodeEvent(Buffer.from(bytes, 'hex')) };
  }),
);
// A folder has what its generation has first, but for generation 2, which has all of the first one's again.
const golden = samples.filter(({ folder }) => folder !== 'events-2');

const nobody: Names = {
  repository: () => undefined,
  project: () => undefined,
  organization: () => undefined,
  account: () => undefined,
  isErased: () => false,
  person: () => undefined,
};
const everybody: Names = {
  repository: (of) => (of === uid('4') ? 'shop/web' : 'shop/base'),
  project: () => 'shop',
  organization: () => 'acme',
  account: () => 'shop/ci',
  isErased: () => false,
  person: () => ({ name: 'alice@example.test' }),
};
const erased: Names = { ...everybody, person: () => 'erased' };

/** Messages of the oneof, by the generated code: one that was added to the schema alone is found here. */
const messages = (): readonly string[] => {
  const { oneofs } = artifactstore.events.Event as unknown as { readonly oneofs?: unknown };
  if (oneofs !== undefined) throw new Error('the generated code has reflection now: use it');
  const { prototype } = artifactstore.events.Event;
  const envelope = new Set(['id', 'stream', 'occurredAt', 'actor', 'requestId', 'commandId', 'correlationId', 'causationId']);
  return Object.keys(prototype).filter((key) => {
    const value: unknown = (prototype as unknown as Record<string, unknown>)[key];
    return value === null && !envelope.has(key);
  });
};

test('every message of the schema, in every version, has words', () => {
  const shown = new Set(samples.map(({ name }) => name.split('.')[0]));
  expect(messages().length).toBeGreaterThan(15);
  expect(messages().filter((name) => !shown.has(name))).toEqual([]);
  expect(new Set(samples.map(({ event }) => event.payload.kind))).toEqual(new Set(eventKinds));
});

/** Nothing that only somebody who reads the code would understand. */
function expectWords(text: string): void {
  expect(text).not.toMatch(/undefined|null|NaN|\[object|Invalid|\{|\}/);
  // A kind, a field or an enumeration's name of the code: camelCase, CONSTANTS, words-in-hyphens.
  expect(text.replace(/sha(?:256|512):\w+|v1\.0_rc-1|application\/[^\s,;)]+|[0-9a-f-]{36}|\d [kMGTP]B/g, '')).not.toMatch(
    /[a-z][A-Z]|[A-Z]{2,}|[a-z]-[a-z]|_|\b(?:all users|kind)\b/,
  );
  for (const kind of eventKinds) expect(text).not.toContain(kind);
  expect(text).toMatch(/^[a-z]+ [^\n]{8,}[^ .]$/);
  expect(text.length).toBeLessThan(400);
}

describe.each(samples)('$folder: $name', ({ event }) => {
  test.each([
    ['where everything has a name', everybody],
    ['where nothing has', nobody],
    ['where the people were erased', erased],
  ])('has words %s', (_, names) => {
    expectWords(eventInWords(event, names));
    expectWords(`by ${actorInWords(event, names)}`);
  });
});

test('the words name what happened, and from what to what', () => {
  const words = Object.fromEntries(golden.map(({ name, event }) => [name, eventInWords(event, everybody)]));
  expect(words).toEqual({
    repositoryCreated: 'created repository shop/web',
    repositoryCreatedV2: 'created repository shop/web by the first push to it, with scanning on',
    'repositoryCreatedV2.command': 'created repository shop/web',
    repositoryDeletionBegun: 'began to delete repository shop/web: nobody can see it any more, and its name is free',
    repositoryDeleted: 'finished deleting repository shop/web: all its images are gone',
    blobStored: 'stored the bytes of blob sha256:cccccccccccc (9.0 PB)',
    blobPushed: 'pushed blob sha256:cccccccccccc (0 bytes) to shop/web',
    'blobPushed.sha512': 'pushed blob sha512:dddddddddddd (4.3 GB) to shop/web',
    blobMounted: 'mounted blob sha256:cccccccccccc (1 byte) from shop/base into shop/web',
    blobUnlinked: 'removed blob sha256:cccccccccccc from shop/web',
    manifestPushed:
      'pushed manifest sha256:eeeeeeeeeeee to shop/web/backend/api (application/vnd.oci.image.manifest.v1+json, 1.2 kB; ' +
      'config sha256:000000000000; layers 123 GB; artifact type application/vnd.example.signature; refers to sha256:ffffffffffff)',
    'manifestPushed.index': 'pushed manifest sha256:eeeeeeeeeeee to shop/web (application/vnd.oci.image.index.v1+json, 1.2 kB)',
    manifestDeleted: 'deleted manifest sha256:eeeeeeeeeeee of shop/web/backend/api',
    tagMoved: 'moved tag v1.0_rc-1 of shop/web/backend/api from sha256:ffffffffffff to sha256:eeeeeeeeeeee',
    'tagMoved.new': 'created tag v1.0_rc-1 of shop/web at sha256:eeeeeeeeeeee',
    tagDeleted: 'deleted tag v1.0_rc-1 of shop/web/backend/api, which was at sha256:eeeeeeeeeeee',
    organizationCreated: 'created organization acme',
    projectCreated: 'created project shop in organization acme',
    userCreated: 'registered alice@example.test',
    roleGranted: 'granted the role editor on repository shop/web to alice@example.test',
    'roleGranted.serviceAccount': 'granted the role owner on project shop to service account shop/ci',
    'roleGranted.allUsers': 'granted the role viewer on repository shop/web to everybody, also without credentials',
    'roleGranted.allAuthenticatedUsers': 'granted the role viewer on repository shop/web to everybody who is logged in',
    'tagMoved.key': 'created tag v1.0_rc-1 of shop/web/backend/api at sha256:eeeeeeeeeeee',
    roleRevoked: 'took the role owner on organization acme from service account shop/ci',
    'roleRevoked.allUsers': 'took the role viewer on repository shop/web from everybody, also without credentials',
    repositorySettingsChanged:
      'set up repository shop/web as "The shop", Ein Geschäft: scanning on, tags are never moved, but for latest nightly-*',
    'repositorySettingsChanged.bare': 'set up repository shop/web: scanning off, tags can be moved',
    contentErased: 'erased the bytes of sha512:dddddddddddd for ever',
    organizationDescribed: 'described organization acme as "Acme"',
    organizationDeleted: 'deleted organization acme',
    projectDescribed: 'described project shop as Sells',
    projectDeleted: 'deleted project shop',
    userDisabled: "disabled alice@example.test, who can't log in any more",
    userEnabled: 'enabled alice@example.test, who can log in again',
    userPasswordChanged: 'changed the password of alice@example.test',
    'userPasswordChanged.reset': 'set the password of alice@example.test',
    userForgotten: `forgot user ${uid('a')}: name and password are erased, addresses and user agents soon after`,
    serviceAccountCreated: 'created service account shop/ci (Builds)',
    serviceAccountDeleted: 'deleted service account shop/ci with all its keys',
    serviceAccountKeyAdded: `made key ${uid('c')} of service account shop/ci, good until 2026-11-22T03:13:54.000Z`,
    'serviceAccountKeyAdded.forever': `made key ${uid('c')} of service account shop/ci, good for ever`,
    serviceAccountKeyRevoked: `revoked key ${uid('c')} of service account shop/ci`,
  });
});

test('who did it is said, and that a name was erased', () => {
  const by = (actor: EventEnvelope['actor'], names: Names) =>
    actorInWords(envelopeOf('repository/x' as never, { kind: 'BlobUnlinked', digest: sha256('c') }, { actor }), names);
  const user = { kind: 'user', uid: uid('a'), authentication: 'password' } as const;
  expect(by(user, everybody)).toBe('alice@example.test');
  expect(by(user, nobody)).toBe(`user ${uid('a')}`);
  expect(by(user, erased)).toBe(`user ${uid('a')} (name erased)`);
  expect(by({ kind: 'system', authentication: 'none' }, everybody)).toBe('the registry or its operator');
  expect(by({ kind: 'anonymous', authentication: 'none' }, everybody)).toBe('somebody without credentials');
});

test('a mount from where the reader may not look does not say where that is', () => {
  const mounted = golden.find(({ name }) => name === 'blobMounted')?.event;
  expect(mounted && eventInWords(mounted, nobody)).toContain('from another repository into');
});

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1_000, '1.0 kB'],
  [9_949, '9.9 kB'],
  [9_951, '10 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [35_000_000, '35 MB'],
  [Number.MAX_SAFE_INTEGER, '9.0 PB'],
])('%d bytes are %s', (bytes, words) => {
  expect(sizeInWords(bytes)).toBe(words);
});

test('a digest is shown by its first twelve digits', () => {
  expect(shortDigest(sha512('d'))).toBe('sha512:dddddddddddd');
});

test('what a client chose cannot move the cursor, end the line or fill the screen', () => {
  expect(oneLine('a\u001b[2Jb\nc\u009b1md\u202ee')).toBe('a\\u001b[2Jb\\u000ac\\u009b1md\\u202ee');
  expect(oneLine('x'.repeat(1_000))).toHaveLength(203);
  expect(oneLine('curl/8.5.0 (ünïcode ✓)')).toBe('curl/8.5.0 (ünïcode ✓)');
});
