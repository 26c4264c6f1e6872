import { afterAll, describe, expect, test } from 'vitest';

import { type Answer, digestOf, randomBytesOf, type RegistryClient } from '../support/client.js';
import { startServer } from '../support/server.js';
import { expectError, freshName, keepAliveClient, uuid } from './shape.js';

const server = await startServer();
const client = keepAliveClient(server);
afterAll(async () => {
  client.close();
  await server.remove();
});

const octets = { 'content-type': 'application/octet-stream' };

const post = (name: string, query = '', options: Parameters<RegistryClient['request']>[2] = {}) =>
  client.request('POST', `/v2/${name}/blobs/uploads/${query}`, options);

const patch = (upload: URL, body: Parameters<RegistryClient['request']>[2] = {}) =>
  client.request('PATCH', upload.href, { ...body, headers: { ...octets, ...body.headers } });

async function expectOpen(upload: URL, bytes: number): Promise<void> {
  const answer = (await client.request('GET', upload.href)).expect(204);
  expectUpload(answer, upload, bytes);
}

function expectUpload(answer: Answer, upload: URL, bytes: number): void {
  expect(answer.header('location')).toBe(upload.pathname);
  expect(answer.header('range')).toBe(`0-${Math.max(0, bytes - 1)}`);
}

function expectCreated(answer: Answer, name: string, digest: string): void {
  answer.expect(201);
  expect(answer.header('location')).toBe(`/v2/${name}/blobs/${digest}`);
  expect(answer.header('docker-content-digest')).toBe(digest);
  expect(answer.header('content-length')).toBe('0');
  expect(answer.header('docker-distribution-api-version')).toBe('registry/2.0');
}

const gone = async (upload: URL) => expectError(await client.request('GET', upload.href), 404, 'BLOB_UPLOAD_UNKNOWN');

/** Sent chunked, without a length. */
async function* streamed(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    yield part;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('end-4a: POST opens an upload', () => {
  test('at a relative Location with its id in the path, at range 0-0', async () => {
    const name = freshName();
    const answer = (await post(name)).expect(202);
    expect(answer.header('location')).toMatch(new RegExp(`^/v2/${name}/blobs/uploads/${uuid}$`));
    expect(answer.header('range')).toBe('0-0');
    expect(answer.header('content-length')).toBe('0');
    expect(answer.header('docker-upload-uuid')).toBe(answer.header('location')?.split('/').at(-1));
    await expectOpen(client.location(answer), 0);
  });

  test('with Content-Type application/json and no body', async () => {
    (await post(freshName(), '', { headers: { 'content-type': 'application/json' } })).expect(202);
  });

  test('without a slash at the end of the path', async () => {
    (await client.request('POST', `/v2/${freshName()}/blobs/uploads`, { scopes: ['repository:p/r:push'], auth: 'basic' })).expect(
      202,
    );
  });

  test('with a digest-algorithm (end-4c), which the bytes are hashed with', async () => {
    const name = freshName();
    const bytes = randomBytesOf('algorithm', 200_000);
    const upload = client.location((await post(name, '?digest-algorithm=sha512')).expect(202));
    (await patch(upload, { body: bytes })).expect(202);
    expectCreated(await client.finishUpload(upload, digestOf(bytes, 'sha512')), name, digestOf(bytes, 'sha512'));
  });

  test('but not with an algorithm that is not supported', async () => {
    for (const algorithm of ['md5', 'sha384', 'SHA256', '']) {
      expectError(await post(freshName(), `?digest-algorithm=${algorithm}`), 400, 'UNSUPPORTED');
    }
  });
});

describe('end-4b: POST with a digest and the bytes', () => {
  test.each(['sha256', 'sha512'] as const)('stores a blob under its %s', async (algorithm) => {
    for (const bytes of [Buffer.from('small'), randomBytesOf('large', 300_000)]) {
      const name = freshName();
      const digest = digestOf(bytes, algorithm);
      expectCreated(await post(name, `?digest=${digest}`, { body: bytes, headers: octets }), name, digest);
      expect((await client.pullBlob(name, digest)).equals(bytes)).toBe(true);
    }
  });

  test('stores a blob that comes chunked', async () => {
    const name = freshName();
    const bytes = randomBytesOf('chunked', 150_000);
    const body = streamed(bytes.subarray(0, 70_000), bytes.subarray(70_000));
    expectCreated(await post(name, `?digest=${digestOf(bytes)}`, { body, headers: octets }), name, digestOf(bytes));
    expect((await client.pullBlob(name, digestOf(bytes))).equals(bytes)).toBe(true);
  });

  test('stores the empty blob', async () => {
    const name = freshName();
    const digest = digestOf('');
    expectCreated(await post(name, `?digest=${digest}`), name, digest);
    expect((await client.headBlob(name, digest)).expect(200).header('content-length')).toBe('0');
    expect((await client.getBlob(name, digest)).expect(200).header('content-length')).toBe('0');
  });

  test('without bytes opens an upload, which then takes them', async () => {
    const name = freshName();
    const bytes = Buffer.from('later');
    const upload = client.location((await post(name, `?digest=${digestOf(bytes)}`)).expect(202));
    expectCreated(await client.finishUpload(upload, digestOf(bytes), bytes), name, digestOf(bytes));
  });

  test('refuses bytes of another digest with 400 DIGEST_INVALID that names both, and keeps nothing', async () => {
    const name = freshName();
    const [given, actual] = [digestOf('one'), digestOf('other')];
    for (const body of ['other', randomBytesOf('l', 200_000)]) {
      const message = expectError(await post(name, `?digest=${given}`, { body, headers: octets }), 400, 'DIGEST_INVALID');
      expect(message).toContain(given);
      if (body === 'other') expect(message).toContain(actual);
      expectError(await client.getBlob(name, given), 404, 'BLOB_UNKNOWN');
      expectError(await client.getBlob(name, actual), 404, 'BLOB_UNKNOWN');
    }
  });

  test.each([
    '',
    'sha256',
    'sha256:',
    'sha256:abc',
    `sha256:${'A'.repeat(64)}`,
    `md5:${'0'.repeat(32)}`,
    `sha512:${'0'.repeat(64)}`,
  ])('refuses the digest %j with 400 DIGEST_INVALID', async (digest) => {
    expectError(await post(freshName(), `?digest=${digest}`, { body: 'x', headers: octets }), 400, 'DIGEST_INVALID');
  });
});

describe('end-5: PATCH', () => {
  test('takes chunks with Content-Range one after the other and says how far it is', async () => {
    const name = freshName();
    const bytes = randomBytesOf('chunks', 30_000);
    const upload = await client.startUpload(name);
    for (const start of [0, 10_000, 20_000]) {
      const headers = { 'content-range': `${start}-${start + 9_999}` };
      const answer = (await patch(upload, { body: bytes.subarray(start, start + 10_000), headers })).expect(202);
      expectUpload(answer, upload, start + 10_000);
      expect(answer.header('content-length')).toBe('0');
      await expectOpen(upload, start + 10_000);
    }
    expectCreated(await client.finishUpload(upload, digestOf(bytes)), name, digestOf(bytes));
    expect((await client.pullBlob(name, digestOf(bytes))).equals(bytes)).toBe(true);
  });

  test('takes a stream without a length and without Content-Range', async () => {
    const name = freshName();
    const bytes = randomBytesOf('stream', 1_300_000);
    const upload = await client.startUpload(name);
    const body = streamed(bytes.subarray(0, 1), bytes.subarray(1, 700_000), bytes.subarray(700_000));
    expectUpload((await patch(upload, { body })).expect(202), upload, bytes.length);
    expectCreated(await client.finishUpload(upload, digestOf(bytes)), name, digestOf(bytes));
    expect((await client.pullBlob(name, digestOf(bytes))).equals(bytes)).toBe(true);
  });

  test('without a body changes nothing', async () => {
    const upload = await client.startUpload(freshName());
    expectUpload((await client.request('PATCH', upload.href)).expect(202), upload, 0);
    (await patch(upload, { body: 'ab' })).expect(202);
    expectUpload((await client.request('PATCH', upload.href)).expect(202), upload, 2);
  });

  test('at a wrong offset is 416 with Location and Range, and the session lives on', async () => {
    const name = freshName();
    const bytes = Buffer.from('0123456789');
    const upload = await client.startUpload(name);
    const early = await patch(upload, { body: bytes.subarray(5), headers: { 'content-range': '5-9' } });
    expectError(early, 416, 'BLOB_UPLOAD_INVALID');
    expectUpload(early, upload, 0);
    const first = { body: bytes.subarray(0, 5), headers: { 'content-range': '0-4' } };
    (await patch(upload, first)).expect(202);
    for (const again of [first, { body: bytes.subarray(6), headers: { 'content-range': '6-9' } }]) {
      const answer = await patch(upload, again);
      const message = expectError(answer, 416, 'BLOB_UPLOAD_INVALID');
      expect(message).toContain('5');
      expectUpload(answer, upload, 5);
    }
    await expectOpen(upload, 5);
    (await patch(upload, { body: bytes.subarray(5), headers: { 'content-range': '5-9' } })).expect(202);
    expectCreated(await client.finishUpload(upload, digestOf(bytes)), name, digestOf(bytes));
  });

  test.each(['bytes', '5', '-5', '5-', 'a-b', '4-0', '0-1,3-4', '0--1', `0-${'9'.repeat(30)}`])(
    'with Content-Range %j is 400 and the session lives on',
    async (range) => {
      const upload = await client.startUpload(freshName());
      expectError(await patch(upload, { body: 'abc', headers: { 'content-range': range } }), 400, 'BLOB_UPLOAD_INVALID');
      await expectOpen(upload, 0);
    },
  );

  test('with a Content-Range that Content-Length contradicts is 400 SIZE_INVALID', async () => {
    const upload = await client.startUpload(freshName());
    expectError(await patch(upload, { body: 'abc', headers: { 'content-range': '0-9' } }), 400, 'SIZE_INVALID');
    await expectOpen(upload, 0);
  });
});

describe('end-6: PUT', () => {
  test('brings all the bytes', async () => {
    const name = freshName();
    for (const bytes of [Buffer.from('few'), randomBytesOf('many', 200_000)]) {
      const upload = await client.startUpload(name);
      expectCreated(await client.finishUpload(upload, digestOf(bytes), bytes), name, digestOf(bytes));
      expect((await client.pullBlob(name, digestOf(bytes))).equals(bytes)).toBe(true);
    }
  });

  test.each([undefined, '6-9'])('brings the last bytes, with Content-Range %s', async (range) => {
    const name = freshName();
    const bytes = Buffer.from(`0123456789`);
    const upload = await client.startUpload(name);
    (await patch(upload, { body: bytes.subarray(0, 6) })).expect(202);
    const answer = await client.request('PUT', `${upload.href}?digest=${digestOf(bytes)}`, {
      body: bytes.subarray(6),
      headers: { ...octets, ...(range === undefined ? {} : { 'content-range': range }) },
    });
    expectCreated(answer, name, digestOf(bytes));
  });

  test('brings the last bytes as a stream without a length', async () => {
    const name = freshName();
    const bytes = randomBytesOf('end', 90_000);
    const upload = await client.startUpload(name);
    (await patch(upload, { body: bytes.subarray(0, 10) })).expect(202);
    const body = streamed(bytes.subarray(10, 50_000), bytes.subarray(50_000));
    expectCreated(await client.request('PUT', `${upload.href}?digest=${digestOf(bytes)}`, { body }), name, digestOf(bytes));
  });

  test('at a wrong offset is 416 with Location and Range, and the session lives on', async () => {
    const name = freshName();
    const bytes = Buffer.from('0123456789');
    const upload = await client.startUpload(name);
    (await patch(upload, { body: bytes.subarray(0, 6) })).expect(202);
    const path = `${upload.href}?digest=${digestOf(bytes)}`;
    const answer = await client.request('PUT', path, { body: bytes.subarray(7), headers: { ...octets, 'content-range': '7-9' } });
    expectError(answer, 416, 'BLOB_UPLOAD_INVALID');
    expectUpload(answer, upload, 6);
    expectCreated(await client.finishUpload(upload, digestOf(bytes), bytes.subarray(6)), name, digestOf(bytes));
  });

  test('without headers and without a body ends the upload of the empty blob', async () => {
    const name = freshName();
    const upload = await client.startUpload(name);
    expectCreated(await client.request('PUT', `${upload.href}?digest=${digestOf('')}`), name, digestOf(''));
  });

  test('without a digest is 400 DIGEST_INVALID, and the session lives on', async () => {
    const name = freshName();
    const upload = await client.startUpload(name);
    (await patch(upload, { body: 'abc' })).expect(202);
    expectError(await client.request('PUT', upload.href), 400, 'DIGEST_INVALID');
    expectError(await client.finishUpload(upload, 'sha256:abc'), 400, 'DIGEST_INVALID');
    expectCreated(await client.finishUpload(upload, digestOf('abc')), name, digestOf('abc'));
  });

  test('with a digest of other bytes is 400 DIGEST_INVALID that names both, and links nothing', async () => {
    const name = freshName();
    const upload = await client.startUpload(name);
    const message = expectError(await client.finishUpload(upload, digestOf('a'), Buffer.from('b')), 400, 'DIGEST_INVALID');
    expect(message).toContain(digestOf('a'));
    expect(message).toContain(digestOf('b'));
    expectError(await client.getBlob(name, digestOf('b')), 404, 'BLOB_UNKNOWN');
    await gone(upload);
  });

  test('names another algorithm than the upload began with', async () => {
    const name = freshName();
    const bytes = randomBytesOf('another', 100_000);
    const upload = await client.startUpload(name);
    (await patch(upload, { body: bytes })).expect(202);
    expectCreated(await client.finishUpload(upload, digestOf(bytes, 'sha512')), name, digestOf(bytes, 'sha512'));
    expect((await client.pullBlob(name, digestOf(bytes, 'sha512'))).equals(bytes)).toBe(true);
    expectError(await client.getBlob(name, digestOf(bytes)), 404, 'BLOB_UNKNOWN');
  });

  test('whose answer was lost is answered again; no other request finds the finished upload', async () => {
    const name = freshName();
    const upload = await client.startUpload(name);
    for (let time = 0; time < 2; time += 1) {
      expectCreated(await client.finishUpload(upload, digestOf('once'), Buffer.from('once')), name, digestOf('once'));
    }
    expectError(await client.finishUpload(upload, digestOf('other'), Buffer.from('other')), 404, 'BLOB_UPLOAD_UNKNOWN');
    expectError(await patch(upload, { body: 'x' }), 404, 'BLOB_UPLOAD_UNKNOWN');
    await gone(upload);
  });

  test('whose answer was lost is 404 once the blob is deleted: nothing says that it is there when it is not', async () => {
    const name = freshName();
    const digest = digestOf('deleted');
    const upload = await client.startUpload(name);
    const last = () => client.finishUpload(upload, digest, Buffer.from('deleted'));
    expectCreated(await last(), name, digest);
    (await client.deleteBlob(name, digest)).expect(202);
    expectError(await last(), 404, 'BLOB_UPLOAD_UNKNOWN');
    expectError(await client.getBlob(name, digest), 404, 'BLOB_UNKNOWN');
    expectCreated(await client.finishUpload(await client.startUpload(name), digest, Buffer.from('deleted')), name, digest);
    expectCreated(await last(), name, digest);
  });

  test('of bytes that are there already is 201 all the same', async () => {
    const name = freshName();
    for (const how of ['single', 'monolithic', 'chunked', 'streamed'] as const) {
      await client.pushBlob(name, randomBytesOf('same', 100_000), { how, chunkBytes: 40_000 });
    }
  });

  test('ends an upload whose first bytes another process took in', async () => {
    const name = freshName();
    const bytes = randomBytesOf('restart', 500_000);
    const upload = await client.startUpload(name);
    (await patch(upload, { body: bytes.subarray(0, 400_000) })).expect(202);
    await server.restart();
    const again = keepAliveClient(server);
    const status = (await again.request('GET', upload.href)).expect(204);
    expectUpload(status, upload, 400_000);
    expectCreated(await again.finishUpload(upload, digestOf(bytes), bytes.subarray(400_000)), name, digestOf(bytes));
    expect((await again.pullBlob(name, digestOf(bytes))).equals(bytes)).toBe(true);
    again.close();
  });
});

describe('end-11: mounting', () => {
  test('from a repository that has the blob is 201 without an upload', async () => {
    const [source, target] = [freshName(), freshName('q')];
    const digest = await client.pushBlob(source, Buffer.from('mounted'));
    expectCreated(await client.mountBlob(target, digest, source), target, digest);
    expect((await client.pullBlob(target, digest)).toString()).toBe('mounted');
    expectCreated(await client.mountBlob(target, digest, source), target, digest);
  });

  test('without from finds the blob by itself', async () => {
    const digest = await client.pushBlob(freshName(), Buffer.from('found'));
    const target = freshName();
    expectCreated(await client.mountBlob(target, digest), target, digest);
    expect((await client.pullBlob(target, digest)).toString()).toBe('found');
  });

  test('what cannot be mounted is 202 with an upload that works', async () => {
    const source = freshName();
    await client.pushBlob(source, Buffer.from('else'));
    const absent = digestOf('not here');
    for (const from of [source, 'no/where', undefined, 'x', 'NOT/A NAME', '']) {
      const target = freshName();
      const query = `?mount=${absent}${from === undefined ? '' : `&from=${encodeURIComponent(from)}`}`;
      const answer = await client.request('POST', `/v2/${target}/blobs/uploads/${query}`, { auth: 'basic' });
      answer.expect(202);
      const upload = client.location(answer);
      expectUpload(answer, upload, 0);
      expectCreated(await client.finishUpload(upload, absent, Buffer.from('not here')), target, absent);
      (await client.deleteBlob(target, absent)).expect(202);
    }
  });

  test('where only the scope of the token lacks the source, 401 asks for both', async () => {
    const [source, target] = [freshName(), freshName()];
    const digest = await client.pushBlob(source, Buffer.from('scoped'));
    const token = await client.token([`repository:${target}:pull,push`]);
    const path = `/v2/${target}/blobs/uploads/?mount=${digest}&from=${source}`;
    const answer = await client.request('POST', path, { auth: { token } });
    expectError(answer, 401, 'UNAUTHORIZED');
    expect(answer.header('www-authenticate')).toContain(`scope="repository:${target}:pull,push repository:${source}:pull"`);
  });

  test.each(['latest', '', 'sha256:abc', `sha384:${'0'.repeat(96)}`, `sha256:${'A'.repeat(64)}`])(
    'the digest %j, which is none of ours, is 202 with an upload that works',
    async (mount) => {
      const name = freshName();
      const upload = client.location((await client.mountBlob(name, mount, 'p/r')).expect(202));
      expectCreated(await client.finishUpload(upload, digestOf('whole'), Buffer.from('whole')), name, digestOf('whole'));
    },
  );
});

describe('end-13 and end-14: status and cancel', () => {
  test('the status of an upload is 204 with Location and Range', async () => {
    const upload = await client.startUpload(freshName());
    await expectOpen(upload, 0);
    (await patch(upload, { body: 'x' })).expect(202);
    await expectOpen(upload, 1);
    (await patch(upload, { body: 'y' })).expect(202);
    await expectOpen(upload, 2);
  });

  test('a cancelled upload is gone at the next request', async () => {
    const upload = await client.startUpload(freshName());
    (await patch(upload, { body: 'abc' })).expect(202);
    const answer = (await client.request('DELETE', upload.href)).expect(204);
    expect(answer.body.length).toBe(0);
    await gone(upload);
    for (const method of ['PATCH', 'DELETE']) {
      expectError(await client.request(method, upload.href), 404, 'BLOB_UPLOAD_UNKNOWN');
    }
    expectError(await client.finishUpload(upload, digestOf('abc'), Buffer.from('abc')), 404, 'BLOB_UPLOAD_UNKNOWN');
  });

  test('an upload of one name is not there under another, not of the same repository either', async () => {
    const name = freshName();
    const [, repository = ''] = name.split('/');
    const upload = await client.startUpload(name);
    const id = upload.pathname.split('/').at(-1) ?? '';
    const other = freshName();
    await client.pushBlob(other, Buffer.from('x'));
    for (const elsewhere of [`${name}/${repository}`, `${name}/image`, other]) {
      const url = new URL(`/v2/${elsewhere}/blobs/uploads/${id}`, server.url);
      await gone(url);
      expectError(await patch(url, { body: 'x' }), 404, 'BLOB_UPLOAD_UNKNOWN');
      expectError(await client.finishUpload(url, digestOf('x'), Buffer.from('x')), 404, 'BLOB_UPLOAD_UNKNOWN');
      expectError(await client.request('DELETE', url.href), 404, 'BLOB_UPLOAD_UNKNOWN');
    }
    await expectOpen(upload, 0);
  });

  test.each(['1', '01a20172-33de-71c8-adbf-307f4dd8932b', '01A20172-33DE-71C8-ADBF-307F4DD8932B', '..%2f..%2fSTORE', '%00'])(
    'an upload %s that never was is 404 BLOB_UPLOAD_UNKNOWN',
    async (id) => {
      const name = freshName();
      await client.pushBlob(name, Buffer.from('x'));
      await gone(new URL(`${server.url}/v2/${name}/blobs/uploads/${id}`));
    },
  );
});
