import { Type, type TObject } from 'typebox';

import { object, projectParams, repositoryParams } from './schemas.js';

/** History and the past (docs/api.md), for the description: these routes read their parameters by themselves (api-query.ts), and say of each what is accepted. */
export interface PastRoute {
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly params: TObject;
  readonly query: TObject;
  /** Of the answer; else JSON. */
  readonly mediaTypes?: readonly string[];
}

const text = (description: string) => Type.Optional(Type.String({ description }));
const moment = (description: string) => text(`${description} A position, or a time by RFC 3339.`);
const filters = {
  kind: text('Kinds of events, joined by commas.'),
  actor: text('Uids, `system` or `anonymous`, joined by commas; for owners login names, too.'),
  since: moment('The beginning.'),
  until: moment('The end.'),
};
const paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100 })),
  after: text('The `next` of the page before.'),
};
const order = { order: Type.Optional(Type.Enum(['newest', 'oldest'], { default: 'newest' })) };
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
