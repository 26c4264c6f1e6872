import type { Digest } from '../../src/digest.js';
import { digestOf } from '../../src/digest.js';
import { imageOf, indexOf, subjectOf, type TestManifest } from '../commands/fixture.js';

/** A blob with its bytes. */
export interface WorldBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly bytes: Buffer;
}

/** A manifest with what of the world it needs, by number. */
export interface WorldManifest extends TestManifest {
  readonly blobs: readonly number[];
  readonly children: readonly number[];
  readonly subject: number | undefined;
}

/** What is pushed and deleted: little, so that actors meet. */
export interface World {
  readonly names: readonly string[];
  readonly tags: readonly string[];
  readonly blobs: readonly WorldBlob[];
  readonly manifests: readonly WorldManifest[];
}

// Above what a pull and a PUT hold in memory at once (64 kB): these bytes go through streams.
const LARGE_BYTES = 66_000;

function blobFrom(text: string, size: number): WorldBlob {
  const bytes = Buffer.alloc(size, text);
  return { digest: digestOf(bytes, 'sha256'), size, bytes };
}

function makeWorld(): World {
  const blobs = [
    blobFrom('config of all', 40),
    blobFrom('first layer', 90),
    blobFrom('second layer', 300),
    blobFrom('third layer', LARGE_BYTES),
    blobFrom('config of the artifact', 25),
  ];
  const blob = (index: number): WorldBlob => blobs[index] ?? blobFrom('none', 1);
  const described = (index: number) => ({ digest: blob(index).digest, size: blob(index).size });
  const plain = { children: [], subject: undefined };
  const first = imageOf(described(0), [described(1)]);
  const second = imageOf(described(0), [described(2), described(3)]);
  return {
    names: ['shop/web', 'shop/web/deep', 'shop/api', 'team/tool'],
    tags: ['a', 'b', 'latest'],
    blobs,
    manifests: [
      { ...first, ...plain, blobs: [0, 1] },
      { ...second, ...plain, blobs: [0, 2, 3] },
      { ...indexOf([first, second]), blobs: [], children: [0, 1], subject: undefined },
      { ...imageOf(described(4), [], subjectOf(first)), blobs: [4], children: [], subject: 0 },
      { ...indexOf([first], subjectOf(second)), blobs: [], children: [0], subject: 1 },
      { ...imageOf(described(4), [described(1)]), ...plain, blobs: [4, 1] },
    ],
  };
}

export const world = makeWorld();

/** Blobs of the world, and those that no manifest has: there are more of them, so that one comes for the first time late in a run, too. */
export const BLOBS = 60;

export const allBlobs: readonly WorldBlob[] = Array.from(
  { length: BLOBS },
  (_, index) => world.blobs[index] ?? blobFrom(`lone blob ${index}`, 20 + index),
);

export function blobAt(index: number): WorldBlob {
  const blob = allBlobs[index];
  if (blob === undefined) throw new RangeError(`no blob ${index}`);
  return blob;
}

export function manifestAt(index: number): WorldManifest {
  const manifest = world.manifests[index];
  if (manifest === undefined) throw new RangeError(`no manifest ${index}`);
  return manifest;
}

/** The blobs and manifests that have to be there before a manifest, itself last: by number, each once. */
export function closureOf(index: number): { readonly blobs: readonly number[]; readonly manifests: readonly number[] } {
  const manifest = manifestAt(index);
  const parts = manifest.children.map(closureOf);
  return {
    blobs: [...new Set([...parts.flatMap((part) => part.blobs), ...manifest.blobs])],
    manifests: [...new Set([...parts.flatMap((part) => part.manifests), index])],
  };
}
