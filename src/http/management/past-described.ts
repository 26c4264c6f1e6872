import { Type, type TObject, type TProperties } from 'typebox';

import { object, projectParams, repositoryParams, time, uid } from './schemas.js';

/** History and the past (docs/api.md), for the description: these routes read their parameters by themselves (api-query.ts), and say of each what is accepted. */
export interface PastRoute {
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly params: TObject;
  readonly query: TObject;
  /** Of the answer; else JSON. */
  readonly mediaTypes?: readonly string[];
  readonly answer?: TObject;
}

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
const entry = object({
  position: Type.String({ examples: ['1-000642860a7f4c0000000000'] }),
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

/** A page of history; `head`: whose it is. */
export function historyPage<P extends TProperties>(head: P): TObject {
  return object({
    ...head,
    people: Type.Enum(['shown', 'hidden'], { description: 'Whether names and addresses are shown to you.' }),
    position: Type.Optional(Type.String({ description: 'How far the registry was when this was read.' })),
    time: Type.Optional(time),
    order: Type.Enum(['newest', 'oldest']),
    entries: Type.Array(entry),
    next: Type.Optional(Type.String({ description: 'Path of the next page, in a Link header, too. None: this is the last.' })),
  });
}

const text = (description: string) => Type.Optional(Type.String({ description }));
const moment = (description: string) => text(`${description} A position, or a time by RFC 3339.`);
export const filters = {
  kind: text('Kinds of events, joined by commas.'),
  actor: text('Uids, `system` or `anonymous`, joined by commas; for owners login names, too.'),
  since: moment('The beginning.'),
  until: moment('The end.'),
};
export const paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100 })),
  after: text('The `next` of the page before.'),
};
export const order = { order: Type.Optional(Type.Enum(['newest', 'oldest'], { default: 'newest' })) };
const parts = {
  image: text('Path of an image inside the repository; empty: under the repository’s own name.'),
  tag: text('A tag of the image.'),
  digest: text('A manifest or blob by its whole digest.'),
  bearer: text('Uid of one of the repositories that bore the id.'),
};
const format = { format: Type.Optional(Type.Enum(['ndjson', 'parquet'], { default: 'ndjson' })) };
const exports = ['application/x-ndjson', 'application/vnd.apache.parquet'];
const image = { image: text('Path of an image inside the repository.') };
const at = { at: moment('When; left out: now.') };
const ofRepository = '/projects/{project}/repositories/{repository}';
const withReference = Type.Object({
  ...repositoryParams.properties,
  reference: Type.String({ description: 'A tag or a digest.' }),
});

export const pastRoutes: readonly PastRoute[] = [
  {
    path: '/projects/{project}/history',
    id: 'getProjectHistory',
    summary: 'What happened to a project, and the coming and going of its repositories',
    params: projectParams,
    query: object({ ...filters, ...order, ...paging }),
    answer: historyPage({ project: Type.String() }),
  },
  {
    path: '/projects/{project}/history/export',
    id: 'exportProjectHistory',
    summary: 'All of a project’s history',
    params: projectParams,
    query: object({ ...filters, ...format, after: paging.after }),
    mediaTypes: exports,
  },
  {
    path: `${ofRepository}/history`,
    id: 'getRepositoryHistory',
    summary: 'What happened to a repository, or to a part of it',
    params: repositoryParams,
    query: object({ ...parts, ...filters, ...order, ...paging }),
    answer: historyPage({
      project: Type.String(),
      repository: Type.String(),
      bearers: Type.Array(Type.Object({}, { additionalProperties: true }), {
        description: 'The repositories that bore the id, the oldest first.',
      }),
    }),
  },
  {
    path: `${ofRepository}/history/export`,
    id: 'exportRepositoryHistory',
    summary: 'All of a repository’s history',
    params: repositoryParams,
    query: object({ ...parts, ...filters, ...format, after: paging.after }),
    mediaTypes: exports,
  },
  {
    path: `${ofRepository}/tags`,
    id: 'getTags',
    summary: 'The tags of an image, at any moment',
    params: repositoryParams,
    query: object({ ...image, ...at, ...paging }),
  },
  {
    path: `${ofRepository}/manifests`,
    id: 'getManifests',
    summary: 'The manifests of a repository, at any moment',
    params: repositoryParams,
    query: object({ ...image, ...at, ...paging }),
  },
  {
    path: `${ofRepository}/manifests/{reference}`,
    id: 'getManifest',
    summary: 'A manifest as it was pushed, by tag or digest, at any moment',
    params: withReference,
    query: object({ ...image, ...at }),
    mediaTypes: ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.index.v1+json'],
  },
];
