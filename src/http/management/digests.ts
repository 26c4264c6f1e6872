import { Type } from 'typebox';

import { deleteManifest } from '../../commands/manifest.js';
import { reject } from '../../errors.js';
import type { ImagePath, Uid } from '../../identifiers.js';
import { findManifest, listImages, listManifests } from '../../projections/manifests.js';
import type { Reading } from '../../projections/store.js';
import { listTagsOf } from '../../projections/tags.js';
import { commandContext } from '../exchange.js';
import { digestParams, image, imageName } from './images.js';
import { manifest, showManifest, type Found } from './manifest-shown.js';
import { linkTo, matches, pageOf } from './paging.js';
import { digestIn, granted, repositoryName, seenRepository, sortable } from './resources.js';
import { operation } from './route.js';
import { after, limit, object, page, q, repositoryParams } from './schemas.js';

const tag = 'Images';
const base = '/projects/:project/repositories/:repository';

export const digestOperations = [
  operation({
    method: 'GET',
    path: `${base}/images`,
    id: 'listImages',
    tag,
    summary: 'The images of a repository that have a manifest',
    params: repositoryParams,
    query: object({ limit, after, q, sort: Type.Optional(Type.Enum(['name', '-name'], { default: 'name' })) }),
    status: 200,
    answer: page(
      'images',
      object({ image: Type.String({ description: 'Path; empty under the repository’s own name.' }), name: Type.String() }),
    ),
    token: ['pull'],
    open: true,
    async run({ exchange, params, query, path }) {
      const name = repositoryName(params.project, params.repository);
      return exchange.services.executor.store.read(async (reading) => {
        const { repository } = await seenRepository(reading, exchange, name);
        const listed = (await listImages(reading, repository))
          .filter((one) => matches(query.q, one))
          .map((one) => ({
            item: { image: one, name: one === '' ? name.name : `${name.name}/${one}` },
            name: one,
            created: '',
            uid: one,
          }));
        const found = pageOf(listed, query);
        return { body: { images: found.items, ...linkTo(path, query, found.after) } };
      });
    },
  }),
  operation({
    method: 'GET',
    path: `${base}/digests`,
    id: 'listDigests',
    tag,
    summary: 'The manifests of an image, with all that is known of them',
    params: repositoryParams,
    query: object({
      image,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Items of a page.' })),
      after,
      sort: Type.Optional(
        Type.Enum(['-created', 'created', 'name', '-name'], {
          default: '-created',
          description: 'By the time of the push, or the digest.',
        }),
      ),
      tagged: Type.Optional(Type.Boolean({ description: 'Only those that a tag points at; false: that none does.' })),
      mediaType: Type.Optional(Type.String({ maxLength: 255 })),
      artifactType: Type.Optional(Type.String({ maxLength: 255 })),
    }),
    status: 200,
    answer: page('digests', manifest),
    token: ['pull'],
    open: true,
    async run({ exchange, params, query, path }) {
      const name = imageName(params, query.image);
      return exchange.services.executor.store.read(async (reading) => {
        const { repository } = await seenRepository(reading, exchange, name);
        const all = await listManifests(reading, repository, name.image);
        const listed = (await Promise.all(all.map((one) => keep(reading, repository, name.image, one, query))))
          .filter((one) => one !== undefined)
          .map((item) => ({ item, name: item.digest, created: sortable(item.pushed), uid: item.digest }));
        const found = pageOf(listed, { ...query, limit: query.limit ?? 50, sort: query.sort ?? '-created' });
        const digests = await Promise.all(found.items.map((one) => showManifest(reading, repository, name, one.digest, one)));
        return { body: { digests, ...linkTo(path, query, found.after) } };
      });
    },
  }),
  operation({
    method: 'GET',
    path: `${base}/digests/:digest`,
    id: 'getDigest',
    tag,
    summary: 'A manifest, with all that is known of it',
    params: digestParams,
    query: object({ image }),
    status: 200,
    answer: manifest,
    token: ['pull'],
    open: true,
    async run({ exchange, params, query }) {
      const name = imageName(params, query.image);
      const digest = digestIn(params.digest);
      return exchange.services.executor.store.read(async (reading) => {
        const { repository } = await seenRepository(reading, exchange, name);
        const found = await findManifest(reading, repository, name.image, digest);
        if (found === undefined) return reject('MANIFEST_UNKNOWN', { name: name.name, reference: digest });
        return { body: await showManifest(reading, repository, name, digest, found) };
      });
    },
  }),
  operation({
    method: 'DELETE',
    path: `${base}/digests/:digest`,
    id: 'deleteDigest',
    tag,
    summary: 'Deletes a manifest with the tags that point at it; owners may',
    params: digestParams,
    query: object({ image }),
    status: 204,
    token: ['delete'],
    async run({ exchange, params, query }) {
      const name = imageName(params, query.image);
      const contextOf = () => commandContext(exchange);
      const command = { kind: 'DeleteManifest', name, digest: digestIn(params.digest) } as const;
      granted(await deleteManifest(exchange.services.executor, contextOf, command));
      return {};
    },
  }),
];

interface Filters {
  readonly tagged?: boolean | undefined;
  readonly mediaType?: string | undefined;
  readonly artifactType?: string | undefined;
}

async function keep(reading: Reading, repository: Uid, of: ImagePath, one: Found, filters: Filters): Promise<Found | undefined> {
  const { tagged, mediaType, artifactType } = filters;
  if (mediaType !== undefined && one.mediaType !== mediaType) return undefined;
  if (artifactType !== undefined && one.artifactType !== artifactType) return undefined;
  if (tagged === undefined) return one;
  const tags = await listTagsOf(reading, repository, of, one.digest, 1);
  return tags.length > 0 === tagged ? one : undefined;
}
