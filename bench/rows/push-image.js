import { pushBlobIfAbsent, putManifest } from '../client/registry-client.js';

/**
 * All that a client does to push an image: HEAD, POST, PATCH, PUT for each blob that is not there, then the manifest.
 * @param {import('../client/connection.js').Connection} connection
 * @param {string} name
 * @param {string} tag
 * @param {import('../content/image.js').Image} image
 */
export async function pushImage(connection, name, tag, image) {
  for (const blob of image.blobs) await pushBlobIfAbsent(connection, name, blob);
  await putManifest(connection, name, tag, image.manifest);
}
