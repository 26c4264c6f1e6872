import { createCipheriv, createHash, randomUUID } from 'node:crypto';
import { gzipLayer, tar, type Layer } from './tar.js';

export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

export function digestOf(bytes: Uint8Array | string, algorithm: 'sha256' | 'sha512' = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Bytes that do not compress; the same for the same seed. */
export function randomBytesOf(seed: string, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** A blob or a manifest with what a descriptor says of it. */
export interface Content {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
}

/** A manifest with all that it names and has to be pushed before it. */
export interface Image {
  readonly manifest: Content;
  readonly config: Content;
  readonly layers: readonly Content[];
}

export interface ImageIndex {
  readonly manifest: Content;
  readonly images: readonly Image[];
}

/** What two images are compared by: the digests that their bytes have, in their order. (A deep comparison of buffers takes minutes.) */
export function digestsOf(
  image: Image,
): Readonly<Record<'manifest' | 'config', string>> & { readonly layers: readonly string[] } {
  return {
    manifest: digestOf(image.manifest.bytes),
    config: digestOf(image.config.bytes),
    layers: image.layers.map((layer) => digestOf(layer.bytes)),
  };
}

export function content(mediaType: string, bytes: Uint8Array | string): Content {
  const buffer = Buffer.from(bytes);
  return { mediaType, digest: digestOf(buffer), bytes: buffer };
}

export function jsonContent(mediaType: string, value: unknown): Content {
  return content(mediaType, JSON.stringify(value));
}

export function descriptor(of: Content, more: Partial<Descriptor> = {}): Descriptor {
  return { mediaType: of.mediaType, digest: of.digest, size: of.bytes.length, ...more };
}

export interface ImageOptions {
  readonly flavour?: 'oci' | 'docker';
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Descriptor;
}

/** An image that container engines can run, were there a program in it. */
export function imageOf(layers: readonly Layer[], options: ImageOptions = {}): Image {
  const docker = options.flavour === 'docker';
  const config = jsonContent(docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig, {
    created: '2024-01-01T00:00:00Z',
    ...(options.platform ?? { architecture: 'amd64', os: 'linux' }),
    config: { Cmd: ['/bin/true'] },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map((_, index) => ({ created: '2024-01-01T00:00:00Z', created_by: `layer ${index}` })),
  });
  const blobs = layers.map((layer) => content(docker ? mediaTypes.dockerLayer : mediaTypes.ociLayer, layer.bytes));
  const manifest = jsonContent(docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest, {
    schemaVersion: 2,
    mediaType: docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest,
    config: descriptor(config),
    layers: blobs.map((blob) => descriptor(blob)),
    ...(options.subject === undefined ? {} : { subject: options.subject }),
    ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
  });
  return { manifest, config, layers: blobs };
}

export interface RandomImageOptions extends ImageOptions {
  /** Default 2. */
  readonly layers?: number;
  /** Of each layer, about. Default 10 000. */
  readonly layerBytes?: number;
  /** The same image for the same seed; without one, an image that was never there. */
  readonly seed?: string;
}

export function randomImage(options: RandomImageOptions = {}): Image {
  const seed = options.seed ?? randomUUID();
  const layers = Array.from({ length: options.layers ?? 2 }, (_, index) =>
    gzipLayer(tar([{ path: `file-${index}`, bytes: randomBytesOf(`${seed}/${index}`, options.layerBytes ?? 10_000) }])),
  );
  // The seed stands in the annotations, so that two images without layers differ, too.
  return imageOf(layers, { ...options, annotations: { 'test.seed': seed, ...options.annotations } });
}

export interface IndexEntry {
  readonly image: Image;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function indexOf(entries: readonly IndexEntry[], flavour: 'oci' | 'docker' = 'oci'): ImageIndex {
  const mediaType = flavour === 'docker' ? mediaTypes.dockerList : mediaTypes.ociIndex;
  const manifest = jsonContent(mediaType, {
    schemaVersion: 2,
    mediaType,
    manifests: entries.map(({ image, platform, annotations }) =>
      descriptor(image.manifest, {
        ...(platform === undefined ? {} : { platform }),
        ...(annotations === undefined ? {} : { annotations }),
      }),
    ),
  });
  return { manifest, images: entries.map((entry) => entry.image) };
}

export interface ArtifactOptions {
  readonly artifactType: string;
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly blobs?: readonly Content[];
}

/** An artifact as the image specification 1.1 guides: the empty config, and the empty blob where there is no other. */
export function artifactOf({ artifactType, subject, annotations, blobs = [] }: ArtifactOptions): Image {
  const config = content(mediaTypes.ociEmpty, '{}');
  const layers = blobs.length === 0 ? [config] : blobs;
  const manifest = jsonContent(mediaTypes.ociManifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config: descriptor(config),
    layers: layers.map((layer) => descriptor(layer)),
    ...(subject === undefined ? {} : { subject }),
    ...(annotations === undefined ? {} : { annotations }),
  });
  return { manifest, config, layers };
}
