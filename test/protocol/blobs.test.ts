import { afterAll, describe, expect, test } from 'vitest';

import { digestOf, randomBytesOf, randomImage } from '../support/client.js';
import { startServer } from '../support/server.js';
import { expectBareError, expectError, freshName, keepAliveClient } from './shape.js';

const server = await startServer();
const client = keepAliveClient(server);
afterAll(async () => {
  client.close();
  await server.remove();
});

const name = freshName();
// On both sides of the size up to which blobs are read at once.
const blobs = { small: randomBytesOf('small', 1_000), large: randomBytesOf('large', 200_000) };
const digests = { small: await client.pushBlob(name, blobs.small), large: await client.pushBlob(name, blobs.large) };

const blobPath = (digest: string, of = name) => `/v2/${of}/blobs/${digest}`;
const get = (digest: string, headers: Record<string, string> = {}) => client.request('GET', blobPath(digest), { headers });

describe.each(['small', 'large'] as const)('end-2: a %s blob', (which) => {
  const bytes = blobs[which];
  const digest = digests[which];
  const size = bytes.length;

  test('is answered with its digest, type and exact length, by GET and by HEAD', async () => {
    for (const method of ['GET', 'HEAD']) {
      const answer = (await client.request(method, blobPath(digest))).expect(200);
      expect(answer.header('docker-content-digest')).toBe(digest);
      expect(answer.header('content-type')).toBe('application/octet-stream');
      expect(answer.header('content-length')).toBe(String(size));
      expect(answer.header('accept-ranges')).toBe('bytes');
      expect(answer.header('etag')).toBe(`"${digest}"`);
      expect(answer.header('transfer-encoding')).toBeUndefined();
      expect(answer.header('docker-distribution-api-version')).toBe('registry/2.0');
      expect(answer.body.equals(method === 'GET' ? bytes : Buffer.alloc(0))).toBe(true);
    }
  });

  test('is not compressed, whatever the client would take', async () => {
    const answer = (await get(digest, { 'accept-encoding': 'gzip, br, zstd' })).expect(200);
    expect(answer.header('content-encoding')).toBeUndefined();
    expect(answer.body.equals(bytes)).toBe(true);
  });

  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=0-', 0, size - 1],
    ['bytes=10-19', 10, 19],
    [`bytes=${size - 1}-`, size - 1, size - 1],
    [`bytes=5-${size + 100}`, 5, size - 1],
    ['bytes=-1', size - 1, size - 1],
    ['bytes=-100', size - 100, size - 1],
    [`bytes=-${size + 5}`, 0, size - 1],
    ['Bytes=1-2', 1, 2],
    [`bytes=0-${'9'.repeat(400)}`, 0, size - 1],
  ])('in the range %s is 206 with Content-Range', async (range, first, last) => {
    const answer = (await get(digest, { range })).expect(206);
    expect(answer.header('content-range')).toBe(`bytes ${first}-${last}/${size}`);
    expect(answer.header('content-length')).toBe(String(last - first + 1));
    expect(answer.header('docker-content-digest')).toBe(digest);
    expect(answer.body.equals(bytes.subarray(first, last + 1))).toBe(true);
  });

  test.each([`bytes=${size}-`, `bytes=${size + 10}-${size + 20}`, 'bytes=-0', 'bytes=5-2', `bytes=${'9'.repeat(400)}-`])(
    'in the range %s is 416 with its size',
    async (range) => {
      const answer = await get(digest, { range });
      expectError(answer, 416, 'UNSUPPORTED');
      expect(answer.header('content-range')).toBe(`bytes */${size}`);
    },
  );

  test.each(['bytes=0-1,5-6', 'bytes=', 'bytes=-', 'bytes=a-b', 'items=0-1', '0-1', 'bytes 0-1', 'bytes=0-1;x'])(
    'with the header Range: %s is whole',
    async (range) => {
      const answer = (await get(digest, { range })).expect(200);
      expect(answer.header('content-range')).toBeUndefined();
      expect(answer.body.equals(bytes)).toBe(true);
    },
  );

  test('is whole in answer to HEAD with a range', async () => {
    const answer = (await client.request('HEAD', blobPath(digest), { headers: { range: 'bytes=0-1' } })).expect(200);
    expect(answer.header('content-length')).toBe(String(size));
  });

  test('is given in part only where If-Range names it', async () => {
    const range = 'bytes=0-1';
    (await get(digest, { range, 'if-range': `"${digest}"` })).expect(206);
    for (const other of ['"x"', `W/"${digest}"`, 'Sun, 06 Nov 1994 08:49:37 GMT']) {
      expect((await get(digest, { range, 'if-range': other })).expect(200).body.length).toBe(size);
    }
  });

  test('is 304 where If-None-Match names it', async () => {
    for (const tag of [`"${digest}"`, `W/"${digest}"`, `"x", "${digest}"`, '*']) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await client.request(method, blobPath(digest), { headers: { 'if-none-match': tag } });
        answer.expect(304);
        expect(answer.body.length).toBe(0);
        expect(answer.header('etag')).toBe(`"${digest}"`);
      }
    }
    (await get(digest, { 'if-none-match': '"x"' })).expect(200);
  });
});

test('the colon of a digest may be escaped', async () => {
  (await client.request('GET', blobPath(digests.small.replace(':', '%3A')))).expect(200);
});

test('a range of the empty blob is 416', async () => {
  const empty = await client.pushBlob(name, Buffer.alloc(0), { how: 'streamed' });
  for (const range of ['bytes=0-', 'bytes=-1']) {
    const answer = await get(empty, { range });
    expectError(answer, 416, 'UNSUPPORTED');
    expect(answer.header('content-range')).toBe('bytes */0');
  }
  expect((await get(empty)).expect(200).body.length).toBe(0);
});

test('a blob that is not there is 404 BLOB_UNKNOWN, by HEAD with no body', async () => {
  const absent = digestOf('absent');
  expectError(await client.getBlob(name, absent), 404, 'BLOB_UNKNOWN');
  expectBareError(await client.headBlob(name, absent), 404);
  expectError(await client.deleteBlob(name, absent), 404, 'BLOB_UNKNOWN');
});

test('an absent repository is 404 NAME_UNKNOWN to its owner, and no GET or HEAD creates it', async () => {
  const absent = freshName();
  for (let time = 0; time < 2; time += 1) {
    expectError(await client.getBlob(absent, digests.small), 404, 'NAME_UNKNOWN');
    expectBareError(await client.headBlob(absent, digests.small), 404);
    expectError(await client.deleteBlob(absent, digests.small), 404, 'NAME_UNKNOWN');
  }
});

test.each([
  'latest',
  'sha256:',
  'sha256:xyz',
  `SHA256:${'0'.repeat(64)}`,
  `md5:${'0'.repeat(32)}`,
  '%00',
  `sha256:${'0'.repeat(65)}`,
])('a blob called %s is 400 DIGEST_INVALID', async (digest) => {
  for (const method of ['GET', 'DELETE']) {
    expectError(await client.request(method, blobPath(digest)), 400, 'DIGEST_INVALID');
  }
});

test('a digest known by heart opens nothing: the blob of another repository is 404', async () => {
  const other = freshName();
  await client.pushBlob(other, Buffer.from('x'));
  expectError(await client.getBlob(other, digests.large), 404, 'BLOB_UNKNOWN');
});

describe('end-10: deleting a blob', () => {
  test('is 202, and 404 at the next request', async () => {
    const repository = freshName();
    const digest = await client.pushBlob(repository, Buffer.from('deleted'));
    (await client.getBlob(repository, digest)).expect(200);
    const answer = (await client.deleteBlob(repository, digest)).expect(202);
    expect(answer.body.length).toBe(0);
    expectError(await client.getBlob(repository, digest), 404, 'BLOB_UNKNOWN');
    expectBareError(await client.headBlob(repository, digest), 404);
    expectError(await client.deleteBlob(repository, digest), 404, 'BLOB_UNKNOWN');
    await client.pushBlob(repository, Buffer.from('deleted'));
    expect((await client.pullBlob(repository, digest)).toString()).toBe('deleted');
  });

  test('acts on the whole repository and on no other', async () => {
    const [repository, other] = [freshName(), freshName()];
    const digest = await client.pushBlob(`${repository}/a`, Buffer.from('shared'));
    await client.pushBlob(other, Buffer.from('shared'));
    (await client.getBlob(`${repository}/b`, digest)).expect(200);
    (await client.deleteBlob(`${repository}/b`, digest)).expect(202);
    expectError(await client.getBlob(`${repository}/a`, digest), 404, 'BLOB_UNKNOWN');
    (await client.getBlob(other, digest)).expect(200);
  });

  test('is 405 DENIED naming the manifests of the repository that reference it', async () => {
    const repository = freshName();
    const image = randomImage({ layers: 1 });
    await client.pushImage(`${repository}/app`, 'latest', image);
    for (const { digest } of [image.config, ...image.layers]) {
      const message = expectError(await client.deleteBlob(repository, digest), 405, 'DENIED');
      expect(message).toContain(`${repository}/app@${image.manifest.digest}`);
    }
    (await client.deleteManifest(`${repository}/app`, image.manifest.digest)).expect(202);
    (await client.deleteBlob(repository, image.config.digest)).expect(202);
  });
});
