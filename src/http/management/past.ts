import { Type } from 'typebox';

import { getManifestsThen, getManifestThen, getTagsThen } from './past-answers.js';
import { afterManifest, afterTag, at, manifestsThen, manifestThen, ofAnyImage, ofImage, tagsThen } from './past-schemas.js';
import { operation } from './route.js';
import { object, repositoryParams } from './schemas.js';

const tag = 'History';
const base = '/projects/:project/repositories/:repository';

export const pastOperations = [
  operation({
    method: 'GET',
    path: `${base}/tags`,
    id: 'getTags',
    tag,
    summary: 'The tags of an image, at any moment',
    params: repositoryParams,
    query: object({ ...ofImage, ...at, ...afterTag }),
    status: 200,
    answer: tagsThen,
    open: true,
    token: ['pull'],
    async run({ exchange, params, query, path }) {
      return { body: await getTagsThen(exchange, path, params, query) };
    },
  }),
  operation({
    method: 'GET',
    path: `${base}/manifests`,
    id: 'getManifests',
    tag,
    summary: 'The manifests of a repository, at any moment',
    params: repositoryParams,
    query: object({ ...ofAnyImage, ...at, ...afterManifest }),
    status: 200,
    answer: manifestsThen,
    open: true,
    token: ['pull'],
    async run({ exchange, params, query, path }) {
      return { body: await getManifestsThen(exchange, path, params, query) };
    },
  }),
  operation({
    method: 'GET',
    path: `${base}/manifests/:reference`,
    id: 'getManifest',
    tag,
    summary: 'What a tag or a digest meant at any moment, and what became of it',
    params: Type.Object(
      {
        ...repositoryParams.properties,
        reference: Type.String({ minLength: 1, maxLength: 200, description: 'A tag or a digest.', examples: ['latest'] }),
      },
      { additionalProperties: false },
    ),
    query: object({ ...ofImage, ...at }),
    status: 200,
    answer: manifestThen,
    open: true,
    token: ['pull'],
    async run({ exchange, params: { reference, ...place }, query }) {
      return { body: await getManifestThen(exchange, place, reference, query) };
    },
  }),
];
