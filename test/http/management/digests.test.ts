import { beforeEach, describe, expect, test } from 'vitest';

import {
  accepted,
  indexOf,
  putManifest,
  pushImage,
  subjectOf,
  imageOf,
  blobOf,
  type TestManifest,
} from '../../commands/fixture.js';
import { of, type As } from '../api-fixture.js';
import { base, openManagement, type Management } from './fixture.js';

const repository = '/projects/team/repositories/backend';

let api: Management;
let one: TestManifest;
let two: TestManifest;
beforeEach(async () => {
  api = await openManagement();
  await api.done('POST', '/projects', { id: 'team' });
  await api.done('POST', `/projects/team/repositories`, { id: 'backend' });
  one = await pushImage(api.at, 'team/backend', 'one', ['v1', 'latest']);
  two = await pushImage(api.at, 'team/backend', 'two');
  await pushImage(api.at, 'team/backend/api', 'three', ['v1']);
});

describe('digests', () => {
  test('have tags, sizes, parts and the time of the push', async () => {
    const { body } = await api.get(`${base}${repository}/digests/${one.digest}`);
    expect(body).toMatchObject({
      image: '',
      digest: one.digest,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      size: one.size,
      totalSize: one.size + 'config of one'.length + 'layer of one'.length,
      tags: ['latest', 'v1'],
      config: blobOf('config of one'),
      layers: [blobOf('layer of one')],
      referrers: [],
    });
    expect(body['pushed']).toMatch(/^2026-11-01T09:00:00\.\d{6}Z$/);
    const escaped = await api.get(`${base}${repository}/digests/${encodeURIComponent(one.digest)}`);
    expect(escaped.body).toEqual(body);
  });

  test('are filtered, the newest first', async () => {
    const digests = async (query = '') => of(await api.get(`${base}${repository}/digests${query}`), 'digests', 'digest');
    expect(await digests()).toEqual([two.digest, one.digest]);
    expect(await digests('?sort=created')).toEqual([one.digest, two.digest]);
    expect(await digests('?tagged=true')).toEqual([one.digest]);
    expect(await digests('?tagged=false')).toEqual([two.digest]);
    expect(await digests('?mediaType=application/vnd.oci.image.index.v1%2Bjson')).toEqual([]);
    expect(await digests('?image=api')).toHaveLength(1);
    expect(await digests('?image=none')).toEqual([]);
  });

  test('of an index have its entries, and of what is referred to its referrers', async () => {
    const index = indexOf([one, two]);
    accepted(await putManifest(api.at, 'team/backend', index, ['all']));
    const signature = imageOf(blobOf('config of one'), [], {
      ...subjectOf(one),
      artifactType: 'application/example',
      annotations: { by: 'me' },
    });
    accepted(await putManifest(api.at, 'team/backend', signature));
    const shown = async ({ digest }: TestManifest) => (await api.get(`${base}${repository}/digests/${digest}`)).body;
    expect((await shown(index))['manifests']).toMatchObject([{ digest: one.digest }, { digest: two.digest }]);
    expect((await shown(one))['referrers']).toMatchObject([{ digest: signature.digest, artifactType: 'application/example' }]);
    expect(await shown(signature)).toMatchObject({ subject: one.digest, annotations: { by: 'me' } });
    const kept = await api.get(`${base}${repository}/digests?artifactType=application/example`);
    expect(of(kept, 'digests', 'digest')).toEqual([signature.digest]);
    const listed = await api.send('DELETE', `${repository}/digests/${one.digest}`);
    expect([listed.status, listed.body['code']]).toEqual([405, 'MANIFEST_IN_USE']);
  });

  test('are deleted with their tags', async () => {
    await api.done('DELETE', `${repository}/digests/${one.digest}`);
    expect((await api.get(`${base}${repository}/digests/${one.digest}`)).status).toBe(404);
    expect((await api.get(`${base}${repository}/tags/v1`)).status).toBe(404);
  });

  test('that were erased say so', async () => {
    await api.done('POST', `/content/${one.digest}/erase`);
    const { body } = await api.get(`${base}${repository}/digests/${one.digest}`);
    expect(body).toMatchObject({ erased: true, tags: ['latest', 'v1'] });
    expect(body['layers']).toBeUndefined();
  });
});

test('images are listed by their paths', async () => {
  const page = await api.get(`${base}${repository}/images`);
  expect(page.body['images']).toEqual([
    { image: '', name: 'team/backend' },
    { image: 'api', name: 'team/backend/api' },
  ]);
});

describe('a tag', () => {
  const tag = `${repository}/tags/v1`;

  test('is moved to a manifest of the image, made, and taken away', async () => {
    expect((await api.get(`${base}${tag}`)).body).toEqual({ image: '', tag: 'v1', digest: one.digest });
    expect((await api.done('PUT', tag, { digest: two.digest })).body).toEqual({ image: '', tag: 'v1', digest: two.digest });
    await api.done('PUT', `${repository}/tags/v2`, { digest: one.digest });
    const { body } = await api.get(`${base}${repository}/digests/${one.digest}`);
    expect(body['tags']).toEqual(['latest', 'v2']);
    await api.done('DELETE', tag);
    expect((await api.get(`${base}${tag}`)).status).toBe(404);
    const kinds = of(await api.get(`${base}${repository}/history?tag=v1&order=oldest`), 'entries', 'kind');
    expect(kinds).toEqual(['TagMoved', 'TagMoved', 'TagDeleted']);
  });

  test('is moved by one of two with its ETag', async () => {
    const etag = String((await api.get(`${base}${tag}`)).headers['etag']);
    const three = await pushImage(api.at, 'team/backend', 'four');
    const answers = await Promise.all(
      [two, three].map(({ digest }) => api.send('PUT', tag, { body: { digest }, headers: { 'if-match': etag } })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412]);
    expect((await api.send('DELETE', tag, { headers: { 'if-match': etag } })).status).toBe(412);
  });

  test('is not pointed at what the image does not have', async () => {
    const other = `sha256:${'0'.repeat(64)}`;
    for (const [path, digest, status] of [
      [tag, other, 404],
      [`${tag}?image=api`, one.digest, 404],
      [tag, 'v2', 400],
      [`${repository}/tags/-x`, one.digest, 400],
      [`${repository}/tags/v1.at.2026-11-01T09-00-00Z`, one.digest, 405],
    ] as const) {
      expect((await api.send('PUT', path, { body: { digest } })).status, `${path} ${digest}`).toBe(status);
    }
  });

  test('that is immutable is neither moved nor deleted, and pointed at what it points at again', async () => {
    await api.done('PATCH', repository, { immutableTags: true });
    expect((await api.send('PUT', tag, { body: { digest: two.digest } })).body['code']).toBe('TAG_IMMUTABLE');
    expect((await api.send('DELETE', tag)).body['code']).toBe('TAG_IMMUTABLE');
    await api.done('PUT', tag, { digest: one.digest });
    await api.done('PATCH', repository, { immutableTagExemptions: ['v*'] });
    await api.done('PUT', tag, { digest: two.digest });
  });

  test('is moved by editors and deleted by owners', async () => {
    const as = async (role: string): Promise<As> => {
      const user = await api.user(`${role}@example.org`);
      await api.done('POST', `${repository}/permissions`, { principal: `${role}@example.org`, role: `artifact_store_${role}` });
      return user;
    };
    const [viewer, editor] = [await as('viewer'), await as('editor')];
    const put = { body: { digest: two.digest } };
    expect((await api.send('PUT', tag, { as: viewer, ...put })).status).toBe(403);
    expect((await api.send('PUT', tag, { as: editor, ...put })).status).toBe(200);
    expect((await api.send('DELETE', tag, { as: editor })).status).toBe(403);
    expect((await api.get(`${base}${tag}`, viewer)).status).toBe(200);
  });
});
