import { afterAll, expect, test } from 'vitest';

import { randomImage } from '../support/client.js';
import { waitFor } from '../support/processes.js';
import { startServer } from '../support/server.js';
import { expectBareError, expectError, freshName, keepAliveClient } from './shape.js';

const server = await startServer();
const client = keepAliveClient(server);
afterAll(async () => {
  client.close();
  await server.remove();
});

const path = (name: string, reference: string) => `/v2/${name}/manifests/${reference}`;

const clock = freshName();
await client.pushImage(clock, 'latest', randomImage({ layers: 1 }));

/** Now, as a tag says it, with nothing else in the same few milliseconds. */
async function moment(): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  const now = new Date().toISOString().replaceAll(':', '-');
  await new Promise((resolve) => setTimeout(resolve, 5));
  // A cluster at rest tells a time that is up to two seconds old.
  await waitFor(
    async () => {
      const { status } = await client.request('GET', path(clock, `latest.at.${now}`));
      return status === 200 ? true : undefined;
    },
    15_000,
    () => `${now} has not come`,
  );
  return now;
}

test('a tag at a time is pulled as any tag is: by HEAD, then GET by digest, or by GET', async () => {
  const name = freshName();
  const [first, second] = [randomImage({ layers: 1 }), randomImage({ layers: 1 })];
  await client.pushImage(name, 'latest', first);
  const then = await moment();
  await client.pushImage(name, 'latest', second);
  for (const [reference, { manifest }] of [
    [`latest.at.${then}`, first],
    [`latest.at.${await moment()}`, second],
  ] as const) {
    const head = (await client.request('HEAD', path(name, reference))).expect(200);
    const answer = (await client.request('GET', path(name, reference))).expect(200);
    for (const { headers } of [head, answer]) {
      expect(headers).toMatchObject({
        'docker-content-digest': manifest.digest,
        'content-type': manifest.mediaType,
        'content-length': String(manifest.bytes.length),
        etag: `"${manifest.digest}"`,
      });
      expect(headers['artifact-store-position']).toMatch(/^1-[0-9a-f]{24}$/);
    }
    expect(answer.body.equals(manifest.bytes)).toBe(true);
    (await client.request('GET', path(name, head.header('docker-content-digest') ?? ''))).expect(200);
    const unchanged = { headers: { 'if-none-match': `"${manifest.digest}"` } };
    (await client.request('GET', path(name, reference), unchanged)).expect(304);
  }
});

test('the position of the answer is what the API takes for the same moment', async () => {
  const name = freshName();
  const { manifest } = await (async () => {
    const image = randomImage({ layers: 1 });
    await client.pushImage(name, 'latest', image);
    return image;
  })();
  const head = (await client.request('HEAD', path(name, `latest.at.${await moment()}`))).expect(200);
  const [project = '', repository = ''] = name.split('/');
  const at = head.header('artifact-store-position') ?? '';
  const tags = (await client.request('GET', `/api/v1/projects/${project}/repositories/${repository}/tags?at=${at}`)).expect(200);
  expect(tags.json()).toMatchObject({ position: at, tags: [{ tag: 'latest', digest: manifest.digest }] });
});

test('there is 404 with the reason where there is nothing, for a HEAD without a body', async () => {
  const name = freshName();
  const early = await moment();
  const image = randomImage({ layers: 1 });
  await client.pushImage(name, 'latest', image);
  const then = await moment();
  (await client.request('DELETE', path(name, image.manifest.digest))).expect(202);
  const reasons = {
    [`latest.at.${early}`]: 'was created at',
    [`other.at.${then}`]: `${name} had no tag other at`,
    [`latest.at.${await moment()}`]: `it was deleted at`,
    [`latest.at.${then}`]: `by ${server.user}, and is nobody's to pull`,
    'latest.at.2999-01-01T00-00-00Z': 'has not come yet',
    'latest.at.2026-02-30T00-00-00Z': 'on no calendar or clock',
  };
  for (const [reference, reason] of Object.entries(reasons)) {
    expect(expectError(await client.request('GET', path(name, reference)), 404, 'MANIFEST_UNKNOWN')).toContain(reason);
    expectBareError(await client.request('HEAD', path(name, reference)), 404);
  }
  const absent = freshName();
  expectError(await client.request('GET', path(absent, `latest.at.${then}`)), 404, 'NAME_UNKNOWN');
  expectError(await client.request('GET', path(name, `latest.at.${then}`), { auth: 'none' }), 401, 'UNAUTHORIZED');
});

test('PUT, DELETE and tag= are 405 UNSUPPORTED, and the upload of the manifest is not waited for', async () => {
  const name = freshName();
  const { manifest } = randomImage({ layers: 1 });
  const reference = 'latest.at.2026-11-01T09-00-00Z';
  const put = await client.putManifest(name, reference, manifest.bytes, manifest.mediaType);
  expect(expectError(put, 405, 'UNSUPPORTED')).toContain('nobody can change');
  expect(put.header('allow')).toBe('GET, HEAD');
  const tagged = `${manifest.digest}?tag=fine&tag=${reference}`;
  expectError(await client.putManifest(name, tagged, manifest.bytes, manifest.mediaType), 405, 'UNSUPPORTED');
  expectError(await client.request('GET', `/v2/${name}/tags/list`), 404, 'NAME_UNKNOWN');
  await client.pushImage(name, 'latest', randomImage({ layers: 1 }));
  const deleted = await client.request('DELETE', path(name, reference));
  expectError(deleted, 405, 'UNSUPPORTED');
  expect(deleted.header('allow')).toBe('GET, HEAD');
});

test('a tag that merely looks like one is ordinary', async () => {
  const name = freshName();
  const image = randomImage({ layers: 1 });
  for (const tag of ['look.at.me', 'latest.at.2026-11-01', 'v1.at.2026-11-01T09-00-00Z-rc1']) {
    await client.pushImage(name, tag, image);
    const answer = (await client.request('GET', path(name, tag))).expect(200);
    expect(answer.header('artifact-store-position')).toBeUndefined();
    (await client.request('DELETE', path(name, tag))).expect(202);
    expectError(await client.request('GET', path(name, tag)), 404, 'MANIFEST_UNKNOWN');
  }
});
