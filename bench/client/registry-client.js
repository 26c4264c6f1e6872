import { headerOf } from './answer-reader.js';

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./answer-reader.js').Answer} Answer */
/** @typedef {import('../content/blob.js').Blob} Blob */
/** @typedef {import('../content/image.js').Manifest} Manifest */

/** A blob as docker pushes it: POST, a streamed PATCH, PUT. @param {Connection} connection @param {string} name @param {Blob} blob */
export async function pushBlob(connection, name, blob) {
  const started = await expect(202, connection, 'POST', `/v2/${name}/blobs/uploads/`, { headers: 'Content-Length: 0\r\n' });
  const sent = await expect(202, connection, 'PATCH', location(started), {
    headers: 'Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n',
    body: blob.frames(),
  });
  const session = location(sent);
  const closing = `${session}${session.includes('?') ? '&' : '?'}digest=${encodeURIComponent(blob.digest)}`;
  await expect(201, connection, 'PUT', closing, { headers: 'Content-Length: 0\r\n' });
}

/** As a client does before it pushes. @param {Connection} connection @param {string} name @param {Blob} blob */
export async function pushBlobIfAbsent(connection, name, blob) {
  const answer = await connection.request('HEAD', `/v2/${name}/blobs/${blob.digest}`);
  if (answer.status === 404) await pushBlob(connection, name, blob);
  else if (answer.status !== 200) throw unexpected('HEAD', `/v2/${name}/blobs/${blob.digest}`, answer);
}

/** @param {Connection} connection @param {string} name @param {string} reference @param {Manifest} manifest */
export async function putManifest(connection, name, reference, manifest) {
  await expect(201, connection, 'PUT', `/v2/${name}/manifests/${reference}`, {
    headers: `Content-Type: ${manifest.mediaType}\r\nContent-Length: ${manifest.bytes.length}\r\n`,
    body: [manifest.bytes],
  });
}

/** Reads the blob and drops its bytes. @param {Connection} connection @param {string} name @param {Blob} blob */
export async function pullBlob(connection, name, blob) {
  const path = `/v2/${name}/blobs/${blob.digest}`;
  const answer = await expect(200, connection, 'GET', path);
  if (answer.length !== blob.size) throw new Error(`GET ${path}: ${answer.length} bytes instead of ${blob.size}`);
}

/**
 * @param {number} status
 * @param {Connection} connection
 * @param {string} method
 * @param {string} path
 * @param {Parameters<Connection['request']>[2]} [options]
 */
export async function expect(status, connection, method, path, options) {
  const answer = await connection.request(method, path, options);
  if (answer.status !== status) throw unexpected(method, path, answer);
  return answer;
}

/** @param {string} method @param {string} path @param {Answer} answer */
function unexpected(method, path, answer) {
  return new Error(`${method} ${path}: ${answer.status} ${answer.text.trim().slice(0, 300)}`);
}

/** Relative or absolute, as RFC 9110 allows both. @param {Answer} answer */
function location(answer) {
  const value = headerOf(answer, 'location');
  if (value === undefined) throw new Error('an upload without a Location');
  return value.replace(/^https?:\/\/[^/]+/, '');
}
