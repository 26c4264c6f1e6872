import { Type } from 'typebox';

import { deleteManifest, pushManifest } from '../../commands/manifest.js';
import { deleteTag } from '../../commands/tag.js';
import { digestForm, parseDigest, type Digest } from '../../digest.js';
import { reject, RefusalError } from '../../errors.js';
import { formatTime } from '../../events/database-time.js';
import { readContent } from '../../events/content.js';
import { parseManifest } from '../../events/manifest-document.js';
import { timesOf } from '../../events/sampled-times.js';
import { parseName, parseTag, tagForm, type ImagePath, type RepositoryName, type Tag, type Uid } from '../../identifiers.js';
import { readPulls } from '../../keyvalue/pull-counters.js';
import { findManifest, listImages, listManifests, type ManifestRecord } from '../../projections/manifests.js';
import { listReferrers } from '../../projections/referrers.js';
import type { Reading } from '../../projections/store.js';
import { findTag, listTagsOf } from '../../projections/tags.js';
import { findTarget } from '../../projections/targets.js';
import { commandContext, deny, type Exchange } from '../exchange.js';
import { parseTagAt, refuseChange } from '../tag-at.js';
import { contextIfMatch, entityTag } from './conditions.js';
import { linkTo, matches, pageOf } from './paging.js';
import { granted, repositoryName, seenRepository, sortable, throwIf } from './resources.js';
import { operation } from './route.js';
import { after, limit, object, page, q, repositoryParams, time } from './schemas.js';

const tag = 'Images';
const base = '/projects/:project/repositories/:repository';

const image = Type.Optional(
  Type.String({
    maxLength: 200,
    description: 'Path of the image inside the repository; left out, the one under the repository’s own name.',
  }),
);
const digestText = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'With its colon, or %3A for it.',
  examples: [`sha256:${'0'.repeat(64)}`],
});
const digestParams = Type.Object({ ...repositoryParams.properties, digest: digestText }, { additionalProperties: false });
const tagParams = Type.Object(
  { ...repositoryParams.properties, tag: Type.String({ minLength: 1, maxLength: 128, examples: ['latest'] }) },
  { additionalProperties: false },
);

const tagShown = object({ image: Type.String(), tag: Type.String(), digest: Type.String() });
const descriptor = object({ mediaType: Type.String(), digest: Type.String(), size: Type.Number() });
const manifest = object({
  image: Type.String(),
  digest: Type.String(),
  mediaType: Type.String(),
  artifactType: Type.Optional(Type.String()),
  size: Type.Number({ description: 'Bytes of the manifest.' }),
  totalSize: Type.Optional(Type.Number({ description: 'Bytes of manifest, config and layers.' })),
  tags: Type.Array(Type.String({ description: 'The first 100 that point at it.' })),
  created: Type.Optional(Type.String({ description: 'When it was built, as its config says.' })),
  pushed: time,
  platform: Type.Optional(
    Type.Object({}, { additionalProperties: true, description: 'Of an image: os, architecture, variant.' }),
  ),
  platforms: Type.Optional(
    Type.Array(Type.Object({}, { additionalProperties: true }), { description: 'Of an index: those of its entries.' }),
  ),
  config: Type.Optional(descriptor),
  layers: Type.Optional(Type.Array(descriptor)),
  manifests: Type.Optional(Type.Array(descriptor, { description: 'Entries of an index.' })),
  subject: Type.Optional(Type.String()),
  annotations: Type.Optional(Type.Record(Type.String(), Type.String())),
  labels: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'Of the config.' })),
  referrers: Type.Array(
    object({ digest: Type.String(), mediaType: Type.String(), size: Type.Number(), artifactType: Type.Optional(Type.String()) }),
    { description: 'The first 100 manifests that refer to it.' },
  ),
  pulls: Type.Integer({ description: 'How often the manifest was pulled by the registry protocol: GET, not HEAD.' }),
  lastPulled: Type.Optional(time),
  erased: Type.Optional(Type.Literal(true, { description: 'Its bytes were erased.' })),
});

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
        const digests = await Promise.all(found.items.map((one) => show(reading, repository, name, one.digest, one)));
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
        return { body: await show(reading, repository, name, digest, found) };
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

function imageName(params: { readonly project: string; readonly repository: string }, path: string | undefined): RepositoryName {
  const name = repositoryName(params.project, params.repository);
  if (path === undefined || path === '') return name;
  const full = parseName(`${name.name}/${path}`);
  return 'problem' in full ? reject('FIELD_INVALID', { field: 'image', reason: full.reason }) : full;
}

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

function digestIn(text: string): Digest {
  return (
    parseDigest(text) ??
    reject('FIELD_INVALID', { field: 'digest', reason: `${JSON.stringify(text)} is none; accepted is ${digestForm}` })
  );
}

interface Filters {
  readonly tagged?: boolean | undefined;
  readonly mediaType?: string | undefined;
  readonly artifactType?: string | undefined;
}

type Found = ManifestRecord & { readonly digest: Digest; readonly pushed: Parameters<typeof sortable>[0] };

async function keep(reading: Reading, repository: Uid, of: ImagePath, one: Found, filters: Filters): Promise<Found | undefined> {
  const { tagged, mediaType, artifactType } = filters;
  if (mediaType !== undefined && one.mediaType !== mediaType) return undefined;
  if (artifactType !== undefined && one.artifactType !== artifactType) return undefined;
  if (tagged === undefined) return one;
  const tags = await listTagsOf(reading, repository, of, one.digest, 1);
  return tags.length > 0 === tagged ? one : undefined;
}

const SHOWN = 100;

async function show(
  reading: Reading,
  repository: Uid,
  name: RepositoryName,
  digest: Digest,
  record: Pick<Found, 'mediaType' | 'size' | 'artifactType' | 'subject' | 'config' | 'pushed'>,
): Promise<object> {
  const { tx, registry } = reading;
  const [tags, referrers, bytes, timeOf, pulled] = await Promise.all([
    listTagsOf(reading, repository, name.image, digest, SHOWN),
    listReferrers(reading, repository, name.image, digest, { limit: SHOWN }),
    readContent(tx, registry.keyspace, digest),
    timesOf(tx, registry.keyspace, [record.pushed]),
    readPulls(tx, registry.keyspace, { repository, image: name.image, digest }),
  ]);
  const config = record.config === undefined ? undefined : await readContent(tx, registry.keyspace, record.config);
  return {
    image: name.image,
    digest,
    mediaType: record.mediaType,
    ...(record.artifactType === undefined ? {} : { artifactType: record.artifactType }),
    size: record.size,
    tags,
    pushed: formatTime(timeOf(record.pushed)),
    ...(record.subject === undefined ? {} : { subject: record.subject }),
    pulls: pulled.pulls,
    ...(pulled.last === undefined ? {} : { lastPulled: formatTime(pulled.last) }),
    ...(bytes === undefined ? { erased: true } : partsOf(bytes, record.size)),
    ...(config === undefined ? {} : configParts(config)),
    referrers: referrers.map(({ digest: of, mediaType, size, artifactType }) => ({
      digest: of,
      mediaType,
      size,
      ...(artifactType === undefined ? {} : { artifactType }),
    })),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

function fieldsIn(bytes: Buffer): Fields {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return isFields(value) ? value : {};
  } catch {
    return {};
  }
}

function descriptorsIn(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

/** What the manifest itself says. Its bytes were checked when it was pushed, as far as a push checks. */
function partsOf(bytes: Buffer, size: number): object {
  const root = fieldsIn(bytes);
  const shown = ({ mediaType, digest, size: of }: Fields) => ({
    mediaType: typeof mediaType === 'string' ? mediaType : '',
    digest: String(digest),
    size: Number(of),
  });
  const config = isFields(root['config']) ? shown(root['config']) : undefined;
  const layers = descriptorsIn(root['layers']).map(shown);
  const entries = descriptorsIn(root['manifests']);
  const platforms = entries.map(({ platform }) => platform).filter(isFields);
  const annotations = textsIn(root['annotations']);
  const isIndex = 'manifests' in root;
  return {
    ...(isIndex ? { manifests: entries.map(shown), platforms } : { layers }),
    ...(config === undefined ? {} : { config }),
    ...(isIndex ? {} : { totalSize: layers.reduce((sum, layer) => sum + layer.size, size + (config?.size ?? 0)) }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function textsIn(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!isFields(value)) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
}

/** OCI image specification 1.1, "Image configuration". Others' configs say what they like. */
function configParts(bytes: Buffer): object {
  const root = fieldsIn(bytes);
  const names = ['os', 'architecture', 'variant', 'os.version'];
  const platform = Object.fromEntries(names.flatMap((name) => (typeof root[name] === 'string' ? [[name, root[name]]] : [])));
  const labels = isFields(root['config']) ? textsIn(root['config']['Labels']) : undefined;
  return {
    ...(Object.keys(platform).length === 0 ? {} : { platform }),
    ...(typeof root['created'] === 'string' ? { created: root['created'] } : {}),
    ...(labels === undefined ? {} : { labels }),
  };
}
