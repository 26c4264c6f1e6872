import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import {
  descriptor,
  digestOf,
  imageOf,
  type Content,
  type Image,
  type ImageIndex,
  type ImageOptions,
} from '../support/client.js';
import { folderEntries, gzipLayer, tar } from '../support/tar.js';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** Folders of real files that are there wherever the tests are. */
const packages = [
  'fastify',
  'pino',
  'rxjs',
  'protobufjs',
  'fast-check',
  'jose',
  'vite',
  'vitest',
  'eslint',
  'typescript',
  'lmdb',
  'uuid',
  'prettier',
  'esbuild',
] as const;

/** The tar archive of a folder of real files, at most `limit` bytes of them. */
export function realArchive(index: number, limit = 600_000): Buffer {
  const name = packages[index % packages.length] ?? 'fastify';
  const entries = folderEntries(join(modules, name), `opt/${name}`, limit).filter(({ path }) => path.length < 90);
  return tar([{ path: 'opt' }, ...entries]);
}

export interface RealImageOptions extends ImageOptions {
  /** Which of the folders makes the first layer. */
  readonly first?: number;
  /** Bytes of files in each layer, at most. */
  readonly limit?: number;
}

export function realImage(layers: number, options: RealImageOptions = {}): Image {
  const { first = 0, limit } = options;
  return imageOf(
    Array.from({ length: layers }, (_, index) => gzipLayer(realArchive(first + index, limit))),
    options,
  );
}

export interface Tagged {
  readonly tag: string;
  readonly of: Image | ImageIndex;
}

/** Writes an OCI image layout. */
export function writeLayout(folder: string, tagged: readonly Tagged[]): void {
  const blobs = join(folder, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  for (const part of tagged.flatMap(({ of }) => contentsOf(of))) writeFileSync(join(blobs, hex(part)), part.bytes);
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const manifests = tagged.map(({ tag, of }) =>
    descriptor(of.manifest, { annotations: { 'org.opencontainers.image.ref.name': tag } }),
  );
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}

/** The blob of an OCI image layout, checked against its name. */
export function layoutBlob(folder: string, digest: string): Buffer {
  const bytes = readFileSync(join(folder, 'blobs', ...digest.split(':')));
  if (digestOf(bytes) !== digest) throw new Error(`${folder} has other bytes than ${digest} under that name`);
  return bytes;
}

/** All that a layout or a folder of skopeo's has to hold of an image or index, and does not. */
export function missingFrom(read: (digest: string) => Buffer, of: Image | ImageIndex): readonly string[] {
  return contentsOf(of)
    .filter(({ digest, bytes }) => {
      try {
        return !read(digest).equals(bytes);
      } catch {
        return true;
      }
    })
    .map(({ mediaType, digest }) => `${mediaType} ${digest}`);
}

/** Writes an archive as `docker save` does, which `docker load`, podman and skopeo read. */
export function writeDockerArchive(file: string, image: Image, repoTags: readonly string[]): void {
  const config = `${hex(image.config)}.json`;
  const layers = image.layers.map((layer, index) => ({ path: `layer-${index}/layer.tar`, bytes: gunzipSync(layer.bytes) }));
  const manifest = [{ Config: config, RepoTags: repoTags, Layers: layers.map(({ path }) => path) }];
  writeFileSync(
    file,
    tar([
      { path: config, bytes: image.config.bytes },
      ...layers,
      { path: 'manifest.json', bytes: Buffer.from(JSON.stringify(manifest)) },
    ]),
  );
}

export function contentsOf(of: Image | ImageIndex): readonly Content[] {
  if ('images' in of) return [of.manifest, ...of.images.flatMap(contentsOf)];
  return [of.manifest, of.config, ...of.layers];
}

function hex(part: Content): string {
  return part.digest.slice(part.digest.indexOf(':') + 1);
}
