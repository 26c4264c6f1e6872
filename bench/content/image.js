import { randomBytes } from 'node:crypto';
import { blobOf, newBlob } from './blob.js';

/** @typedef {import('./blob.js').Blob} Blob */
/** @typedef {{ readonly mediaType: string, readonly bytes: Buffer }} Manifest */
/** @typedef {{ readonly blobs: readonly Blob[], readonly manifest: Manifest }} Image */

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** A layer for many images. */
export function sharedBase() {
  return newBlob(10_000);
}

/** An image that nobody has seen: a config of about 500 bytes and, above those that are given, one layer of 10 kB. @param {readonly Blob[]} base @returns {Image} */
export function newImage(base = []) {
  const layer = newBlob(10_000);
  const created = '2026-01-01T00:00:00Z';
  const config = blobOf(
    Buffer.from(
      JSON.stringify({
        created,
        architecture: 'amd64',
        os: 'linux',
        config: { Env: ['PATH=/usr/local/bin:/usr/bin:/bin'], Cmd: ['/app'], Labels: { build: randomBytes(64).toString('hex') } },
        rootfs: { type: 'layers', diff_ids: [layer.digest] },
        history: [{ created, created_by: 'COPY app /app' }],
      }),
    ),
  );
  return { blobs: [...base, layer, config], manifest: manifestOf(config, [...base, layer]) };
}

/** The smallest image there is: an empty config that is its layer, too. @returns {Image} */
export function emptyImage() {
  const empty = blobOf(Buffer.from('{}'));
  return { blobs: [empty], manifest: manifestOf(empty, [empty]) };
}

/** @param {Blob} config @param {readonly Blob[]} layers @returns {Manifest} */
function manifestOf(config, layers) {
  const descriptor = (/** @type {string} */ mediaType, /** @type {Blob} */ { digest, size }) => ({ mediaType, digest, size });
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: layers.map((layer) => descriptor('application/vnd.oci.image.layer.v1.tar+gzip', layer)),
  };
  return { mediaType: MANIFEST_TYPE, bytes: Buffer.from(JSON.stringify(manifest)) };
}
