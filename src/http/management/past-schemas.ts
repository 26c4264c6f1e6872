import { Type, type Static, type TObject, type TProperties } from 'typebox';

import { limit, next, object, time, uid } from './schemas.js';

/** What is asked of history and the past, and what is answered: docs/api.md. */

// docs/api.md, "Entries". What is not known, or not shown to this reader, is left out.
const erased = object({ erased: Type.Literal(true) });
const actor = object({
  kind: Type.Enum(['user', 'service-account', 'anonymous', 'system']),
  uid: Type.Optional(uid),
  authentication: Type.String(),
  key: Type.Optional(uid),
  name: Type.Optional(Type.String()),
  erased: Type.Optional(Type.Literal(true)),
  text: Type.String({ description: 'Who it was, in words.' }),
});
const position = Type.String({ examples: ['1-000642860a7f4c0000000000'] });
export const entry = object({
  position,
  time,
  occurredAt: Type.String({ format: 'date-time', description: 'By the clock of the server that took the request.' }),
  id: uid,
  kind: Type.String({ examples: ['TagMoved'] }),
  text: Type.String({ description: 'What happened, in words.' }),
  stream: Type.String(),
  repository: Type.Optional(Type.Object({}, { additionalProperties: true })),
  actor,
  client: Type.Optional(Type.Union([object({ address: Type.String(), userAgent: Type.String() }), erased])),
  content: Type.Optional(erased),
  requestId: uid,
  commandId: uid,
  correlationId: uid,
  causationId: Type.Optional(uid),
  payload: Type.Object({}, { additionalProperties: true, description: 'By kind; docs/api.md lists them.' }),
});

const people = Type.Enum(['shown', 'hidden'], { description: 'Whether names and addresses are shown to you.' });

/** A page of history; `head`: whose it is. */
export function historyPage<P extends TProperties>(head: P): TObject {
  return object({
    ...head,
    people,
    position: Type.Optional(Type.String({ description: 'How far the registry was when this was read.' })),
    time: Type.Optional(time),
    order: Type.Enum(['newest', 'oldest']),
    entries: Type.Array(entry),
    next,
  });
}

// What is more of a grammar than a schema says is read by parameters.ts, which says what is accepted.
const text = (description: string) => Type.Optional(Type.String({ description }));
const moment = (description: string) => text(`${description} A position, or a time by RFC 3339.`);

/** What a query of these parameters is, when it was held against them. */
export type Asks<P extends TProperties> = Static<TObject<P>>;

export const filters = {
  kind: text('Kinds of events, joined by commas.'),
  actor: text('Uids, `system` or `anonymous`, joined by commas; for owners login names, too.'),
  since: moment('The beginning.'),
  until: moment('The end.'),
};
export const parts = {
  image: text('Path of an image inside the repository; empty: under the repository’s own name.'),
  tag: text('A tag, of `image` or, without that, of the image under the repository’s own name. Not with `digest`.'),
  digest: text('A manifest or blob by its whole digest.'),
  bearer: text('Uid of one of the repositories that bore the id.'),
};
export const ordered = {
  order: Type.Optional(Type.Enum(['newest', 'oldest'], { default: 'newest' })),
  limit,
  after: text('A position: the entries behind it, in the order asked for.'),
};
export const exported = {
  after: text('A position: only what is behind it.'),
  format: Type.Optional(Type.Enum(['ndjson', 'parquet'], { default: 'ndjson' })),
};
export const ofImage = {
  image: text('Path of an image inside the repository; left out, the one under the repository’s own name.'),
};
export const ofAnyImage = {
  image: text('Path of an image inside the repository; empty: under the repository’s own name; left out: all images.'),
};
export const at = { at: moment('When; left out: now.') };
export const afterTag = { limit, after: text('A tag: the tags behind it.') };
export const afterManifest = { limit, after: text('`<image>@<digest>`: the manifests behind that one, as `next` has it.') };

/** What an export is, by media type: NDJSON as the list of its lines. */
export const exports = {
  'application/x-ndjson': Type.Array(entry, { description: 'An entry a line.' }),
  'application/vnd.apache.parquet': undefined,
};

const momentShown = object({ position, time });
const deed = object({ position, time, actor });
const gone = Type.Optional(object(deed.properties, { description: 'Its deletion since: nobody can pull it.' }));

/** What a repository held at a moment; `held`: what of it was asked for. */
function then<P extends TProperties>(held: P): TObject {
  return object({
    project: Type.String(),
    repository: Type.String(),
    uid,
    position,
    time,
    people,
    ...held,
  });
}

const manifestShown = {
  image: Type.String(),
  digest: Type.String(),
  mediaType: Type.String(),
  size: Type.Integer({ description: 'Bytes of the manifest.' }),
  artifactType: Type.Optional(Type.String()),
  subject: Type.Optional(Type.String()),
  config: Type.Optional(Type.String()),
  layersSize: Type.Optional(Type.Number({ description: 'Sum of the layers’ bytes.' })),
  pushed: deed,
  gone,
};

export const tagsThen = then({
  image: Type.String(),
  tags: Type.Array(object({ tag: Type.String(), digest: Type.String(), since: momentShown, gone })),
  next,
});
export const manifestsThen = then({
  image: Type.Optional(Type.String({ description: 'As it was asked for.' })),
  manifests: Type.Array(object(manifestShown)),
  next,
});
export const manifestThen = then({
  ...manifestShown,
  tag: Type.Optional(object({ tag: Type.String(), digest: Type.String(), since: momentShown })),
});
