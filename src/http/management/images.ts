import { Type } from 'typebox';

import { reject } from '../../errors.js';
import { parseName, type RepositoryName } from '../../identifiers.js';
import { repositoryName } from './resources.js';
import { repositoryParams } from './schemas.js';

/** How a part of a repository is named in a request: an image by its path, a manifest by its digest. */

export const image = Type.Optional(
  Type.String({
    maxLength: 200,
    description: 'Path of the image inside the repository; left out, the one under the repository’s own name.',
  }),
);
export const digestText = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'With its colon, or %3A for it.',
  examples: [`sha256:${'0'.repeat(64)}`],
});
export const digestParams = Type.Object({ ...repositoryParams.properties, digest: digestText }, { additionalProperties: false });

export function imageName(
  params: { readonly project: string; readonly repository: string },
  path: string | undefined,
): RepositoryName {
  const name = repositoryName(params.project, params.repository);
  if (path === undefined || path === '') return name;
  const full = parseName(`${name.name}/${path}`);
  return 'problem' in full ? reject('FIELD_INVALID', { field: 'image', reason: full.reason }) : full;
}
