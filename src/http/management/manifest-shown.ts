import { Type } from 'typebox';

import type { Digest } from '../../digest.js';
import { formatTime } from '../../events/database-time.js';
import { readContent } from '../../events/content.js';
import type { Position } from '../../events/position.js';
import { timesOf } from '../../events/sampled-times.js';
import type { RepositoryName, Uid } from '../../identifiers.js';
import { readPulls } from '../../keyvalue/pull-counters.js';
import type { ManifestRecord } from '../../projections/manifests.js';
import { listReferrers } from '../../projections/referrers.js';
import type { Reading } from '../../projections/store.js';
import { listTagsOf } from '../../projections/tags.js';
import { object, time } from './schemas.js';

/** What is known of a manifest: its record, its own bytes, those of its config, and who points at it. */

const descriptor = object({ mediaType: Type.String(), digest: Type.String(), size: Type.Number() });
export const manifest = object({
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

export type Found = ManifestRecord & { readonly digest: Digest; readonly pushed: Position };

const SHOWN = 100;

export async function showManifest(
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
