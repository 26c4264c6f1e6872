import { Type } from 'typebox';

import { pushManifest } from '../../commands/manifest.js';
import { deleteTag } from '../../commands/tag.js';
import type { Digest } from '../../digest.js';
import { reject, RefusalError } from '../../errors.js';
import { readContent } from '../../events/content.js';
import { parseManifest } from '../../events/manifest-document.js';
import { parseTag, tagForm, type RepositoryName, type Tag } from '../../identifiers.js';
import { findManifest } from '../../projections/manifests.js';
import type { Reading } from '../../projections/store.js';
import { findTag } from '../../projections/tags.js';
import { findTarget } from '../../projections/targets.js';
import { deny, type Exchange } from '../exchange.js';
import { parseTagAt, refuseChange } from '../tag-at.js';
import { contextIfMatch, entityTag } from './conditions.js';
import { digestText, image, imageName } from './images.js';
import { digestIn, granted, seenRepository, throwIf } from './resources.js';
import { operation } from './route.js';
import { object, repositoryParams } from './schemas.js';

const tag = 'Images';
const base = '/projects/:project/repositories/:repository';

const tagParams = Type.Object(
  { ...repositoryParams.properties, tag: Type.String({ minLength: 1, maxLength: 128, examples: ['latest'] }) },
  { additionalProperties: false },
);

const tagShown = object({ image: Type.String(), tag: Type.String(), digest: Type.String() });

export const tagOperations = [
  operation({
    method: 'GET',
    path: `${base}/tags/:tag`,
    id: 'getTag',
    tag,
    summary: 'What a tag points at',
    params: tagParams,
    query: object({ image }),
    status: 200,
    answer: tagShown,
    editable: true,
    token: ['pull'],
    open: true,
    async run({ exchange, params, query }) {
      const shown = await exchange.services.executor.store.read(tagLoader(exchange, params, query.image));
      return { body: shown, etag: entityTag(shown) };
    },
  }),
  operation({
    method: 'PUT',
    path: `${base}/tags/:tag`,
    id: 'setTag',
    tag,
    summary: 'Points a tag at a manifest of the same image, as a push of it would; editors may',
    params: tagParams,
    query: object({ image }),
    body: object({ digest: digestText }),
    status: 200,
    answer: tagShown,
    editable: true,
    token: ['pull', 'push'],
    async run({ exchange, params, query, body }) {
      const { executor, config, inTurn } = exchange.services;
      const name = imageName(params, query.image);
      const moved = tagIn(params.tag);
      const tagAt = parseTagAt(moved);
      if (tagAt !== undefined) throw new RefusalError(refuseChange(tagAt));
      const digest = digestIn(body.digest);
      const load = tagLoader(exchange, params, query.image);
      const manifestThere = await executor.store.read((reading) => pushable(reading, exchange, name, digest));
      granted(
        await inTurn(`${name.name}:${moved}`, () =>
          pushManifest(executor, contextIfMatch(exchange, load), {
            kind: 'PushManifest',
            name,
            digest,
            ...manifestThere,
            tags: [moved],
            // Where it was kept, it lies beside the log already.
            config: undefined,
            sparse: config.sparseManifests,
          }),
        ),
      );
      const shown = await executor.store.read(load);
      return { body: shown, etag: entityTag(shown) };
    },
  }),
  operation({
    method: 'DELETE',
    path: `${base}/tags/:tag`,
    id: 'deleteTag',
    tag,
    summary: 'Deletes a tag; owners may',
    params: tagParams,
    query: object({ image }),
    status: 204,
    editable: true,
    token: ['delete'],
    async run({ exchange, params, query }) {
      const name = imageName(params, query.image);
      const context = contextIfMatch(exchange, tagLoader(exchange, params, query.image));
      granted(await deleteTag(exchange.services.executor, context, { kind: 'DeleteTag', name, tag: tagIn(params.tag) }));
      return {};
    },
  }),
];

interface TagPlace {
  readonly project: string;
  readonly repository: string;
  readonly tag: string;
}

const tagIn = (text: string): Tag => parseTag(text) ?? reject('FIELD_INVALID', { field: 'tag', reason: `it is ${tagForm}` });

/** Reads what a tag points at, for who may pull it. */
function tagLoader(exchange: Exchange, place: TagPlace, path: string | undefined): (reading: Reading) => Promise<object> {
  return async (reading) => {
    const name = imageName(place, path);
    const asked = tagIn(place.tag);
    const { repository } = await seenRepository(reading, exchange, name);
    const digest = await findTag(reading, repository, name.image, asked);
    if (digest === undefined) return reject('MANIFEST_UNKNOWN', { name: name.name, reference: asked });
    return { image: name.image, tag: asked, digest };
  };
}

/** A manifest that is there, for who may push, and see what comes of it. */
async function pushable(reading: Reading, { caller }: Exchange, name: RepositoryName, digest: Digest) {
  const target = await findTarget(reading, caller.actor, name);
  throwIf(deny(caller, 'push', target) ?? deny(caller, 'pull', target));
  const { repository } = target;
  if (repository === undefined) return reject('REPOSITORY_UNKNOWN', { name: name.name });
  const [record, bytes] = await Promise.all([
    findManifest(reading, repository, name.image, digest),
    readContent(reading.tx, reading.registry.keyspace, digest),
  ]);
  if (record === undefined) return reject('MANIFEST_UNKNOWN', { name: name.name, reference: digest });
  if (bytes === undefined) return reject('CONTENT_GONE', { digest, name: name.name });
  const document = parseManifest(bytes, record.mediaType);
  if ('reason' in document) throw new Error(`the manifest ${digest} cannot be read: ${document.reason}`);
  return { bytes, document };
}
