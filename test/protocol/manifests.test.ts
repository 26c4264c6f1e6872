import { afterAll, describe, expect, test } from 'vitest';

import {
  artifactOf,
  content,
  descriptor,
  digestOf,
  indexOf,
  jsonContent,
  mediaTypes,
  randomImage,
  type Content,
} from '../support/client.js';
import { startServer } from '../support/server.js';
import { expectBareError, expectError, freshName, keepAliveClient } from './shape.js';

const server = await startServer();
const client = keepAliveClient(server);
afterAll(async () => {
  client.close();
  await server.remove();
});

const path = (name: string, reference: string) => `/v2/${name}/manifests/${reference}`;

/** A repository with the empty config in it, which the manifests of these tests name. */
async function repositoryWithConfig(): Promise<{ readonly name: string; readonly config: Content }> {
  const name = freshName();
  const config = content(mediaTypes.ociEmpty, '{}');
  await client.pushBlob(name, config.bytes);
  return { name, config };
}

const manifestOf = (config: Content, more: object = {}, mediaType: string = mediaTypes.ociManifest) =>
  jsonContent(mediaType, { schemaVersion: 2, mediaType, config: descriptor(config), layers: [], ...more });

/** Of exactly so many bytes. */
function manifestOfSize(config: Content, bytes: number): Content {
  const bare = manifestOf(config, { annotations: { padding: '' } });
  return manifestOf(config, { annotations: { padding: 'x'.repeat(bytes - bare.bytes.length) } });
}

describe('end-3: pulling a manifest', () => {
  const images = {
    oci: randomImage({ layers: 1 }),
    docker: randomImage({ layers: 1, flavour: 'docker' }),
  };

  test.each(['oci', 'docker'] as const)(
    '%s: digest, type and exact length, by tag and digest, by GET and HEAD',
    async (flavour) => {
      const name = freshName();
      const { manifest } = images[flavour];
      await client.pushImage(name, 'latest', images[flavour]);
      for (const reference of ['latest', manifest.digest]) {
        for (const method of ['GET', 'HEAD']) {
          const answer = (await client.request(method, path(name, reference))).expect(200);
          expect(answer.header('docker-content-digest')).toBe(manifest.digest);
          expect(answer.header('content-type')).toBe(manifest.mediaType);
          expect(answer.header('content-length')).toBe(String(manifest.bytes.length));
          expect(answer.header('etag')).toBe(`"${manifest.digest}"`);
          expect(answer.header('content-encoding')).toBeUndefined();
          expect(answer.header('docker-distribution-api-version')).toBe('registry/2.0');
          expect(answer.body.equals(method === 'GET' ? manifest.bytes : Buffer.alloc(0))).toBe(true);
        }
      }
    },
  );

  test('the bytes are served as they were pushed, whatever Accept says', async () => {
    const { name, config } = await repositoryWithConfig();
    const plain = manifestOf(config);
    const odd = content(mediaTypes.ociManifest, Buffer.concat([Buffer.from(' \n\t'), plain.bytes, Buffer.from('\r\n ')]));
    await client.pushManifest(name, 'odd', odd);
    for (const accept of ['application/json', mediaTypes.dockerManifest, 'text/html;q=0', '', '*/*']) {
      const answer = (await client.getManifest(name, 'odd', accept)).expect(200);
      expect(answer.header('content-type')).toBe(mediaTypes.ociManifest);
      expect(answer.body.equals(odd.bytes)).toBe(true);
    }
  });

  test('an index is given even to a client that only knows images', async () => {
    const name = freshName();
    const index = indexOf([{ image: randomImage({ layers: 1 }) }], 'docker');
    await client.pushIndex(name, 'multi', index);
    const answer = (await client.getManifest(name, 'multi', mediaTypes.dockerManifest)).expect(200);
    expect(answer.header('content-type')).toBe(mediaTypes.dockerList);
  });

  test('is 304 where If-None-Match names it', async () => {
    const name = freshName();
    const { manifest } = images.oci;
    await client.pushImage(name, 'latest', images.oci);
    for (const reference of ['latest', manifest.digest]) {
      for (const method of ['GET', 'HEAD']) {
        const headers = { 'if-none-match': `"${manifest.digest}"` };
        expect((await client.request(method, path(name, reference), { headers })).expect(304).body.length).toBe(0);
        (await client.request(method, path(name, reference), { headers: { 'if-none-match': '"other"' } })).expect(200);
      }
    }
  });

  test('what is not there is 404 MANIFEST_UNKNOWN, in an absent repository NAME_UNKNOWN', async () => {
    const { name } = await repositoryWithConfig();
    for (const reference of ['latest', digestOf('x')]) {
      expectError(await client.getManifest(name, reference), 404, 'MANIFEST_UNKNOWN');
      expectBareError(await client.headManifest(name, reference), 404);
      const absent = freshName();
      expectError(await client.getManifest(absent, reference), 404, 'NAME_UNKNOWN');
      expectBareError(await client.headManifest(absent, reference), 404);
    }
  });

  test('a reference that is neither tag nor digest is 400', async () => {
    const { name } = await repositoryWithConfig();
    for (const reference of ['-a', '.a', 'a'.repeat(129), 'a%20b', 'a%00b', '%ff']) {
      const answer = await client.getManifest(name, reference);
      if (reference === '%ff') expectError(answer, 400, 'UNSUPPORTED');
      else expectError(answer, 400, 'MANIFEST_INVALID');
    }
    for (const reference of ['sha256:abc', 'a:b', ':', `md5:${'0'.repeat(32)}`]) {
      expectError(await client.getManifest(name, reference), 400, 'DIGEST_INVALID');
    }
  });
});

describe('end-7: pushing a manifest', () => {
  test('is 201 with a relative Location and the digest', async () => {
    const { name, config } = await repositoryWithConfig();
    const manifest = manifestOf(config);
    for (const reference of ['v1', 'a'.repeat(128), '_x', manifest.digest]) {
      const answer = (await client.putManifest(name, reference, manifest.bytes, manifest.mediaType)).expect(201);
      expect(answer.header('location')).toBe(path(name, reference));
      expect(answer.header('docker-content-digest')).toBe(manifest.digest);
      expect(answer.header('content-length')).toBe('0');
      expect(answer.header('oci-subject')).toBeUndefined();
      expect(answer.header('oci-tag')).toBeUndefined();
      (await client.getManifest(name, reference)).expect(200);
    }
  });

  test('moves a tag, and the manifest it pointed at stays', async () => {
    const { name, config } = await repositoryWithConfig();
    const [one, other] = [manifestOf(config, { annotations: { n: '1' } }), manifestOf(config, { annotations: { n: '2' } })];
    for (const manifest of [one, other]) {
      await client.pushManifest(name, 'latest', manifest);
      expect((await client.pullManifest(name, 'latest')).digest).toBe(manifest.digest);
    }
    (await client.getManifest(name, one.digest)).expect(200);
  });

  test('by digest with tag parameters tags it, and OCI-Tag says each tag (end-7b)', async () => {
    const { name, config } = await repositoryWithConfig();
    const manifest = manifestOf(config);
    const tags = Array.from({ length: 100 }, (_, index) => `v${index}`);
    const query = tags.map((tag) => `tag=${tag}`).join('&');
    const answer = (
      await client.putManifest(name, `${manifest.digest}?${query}&tag=v0`, manifest.bytes, manifest.mediaType)
    ).expect(201);
    expect(answer.header('oci-tag')?.split(', ')).toEqual(tags);
    expect(answer.header('location')).toBe(path(name, manifest.digest));
    expect(await client.tags(name)).toEqual([...tags].sort());
    expect((await client.headManifest(name, 'v42')).header('docker-content-digest')).toBe(manifest.digest);
  });

  test('by digest with a tag parameter that is no tag is 400, and nothing is tagged', async () => {
    const { name, config } = await repositoryWithConfig();
    const manifest = manifestOf(config);
    for (const tag of ['', 'a b', '-x', 'a'.repeat(129)]) {
      const reference = `${manifest.digest}?tag=good&tag=${encodeURIComponent(tag)}`;
      expectError(await client.putManifest(name, reference, manifest.bytes, manifest.mediaType), 400, 'MANIFEST_INVALID');
    }
    expect(await client.tags(name)).toEqual([]);
    expectError(await client.getManifest(name, manifest.digest), 404, 'MANIFEST_UNKNOWN');
  });

  test.each(['', 'latest', 'sha256:abc', `sha384:${'0'.repeat(96)}`])(
    'by tag with the digest parameter %j is 400 DIGEST_INVALID with the form that is accepted',
    async (digest) => {
      const { name, config } = await repositoryWithConfig();
      const manifest = manifestOf(config);
      const message = expectError(
        await client.putManifest(name, `v1?digest=${digest}`, manifest.bytes, manifest.mediaType),
        400,
        'DIGEST_INVALID',
      );
      expect(message).toContain(JSON.stringify(digest));
      expect(message).toContain('sha256:<64 lower-case hex digits>');
    },
  );

  test('by another digest than its own is 400 DIGEST_INVALID', async () => {
    const { name, config } = await repositoryWithConfig();
    const manifest = manifestOf(config);
    for (const digest of [digestOf('x'), digestOf('x', 'sha512')]) {
      const message = expectError(
        await client.putManifest(name, digest, manifest.bytes, manifest.mediaType),
        400,
        'DIGEST_INVALID',
      );
      expect(message).toContain(digest);
    }
  });

  test('by its sha512 is pulled by its sha512', async () => {
    const { name, config } = await repositoryWithConfig();
    const manifest = manifestOf(config);
    const digest = digestOf(manifest.bytes, 'sha512');
    const answer = (await client.putManifest(name, `${digest}?tag=long`, manifest.bytes, manifest.mediaType)).expect(201);
    expect(answer.header('docker-content-digest')).toBe(digest);
    for (const reference of [digest, 'long']) {
      expect((await client.getManifest(name, reference)).expect(200).header('docker-content-digest')).toBe(digest);
    }
    expectError(await client.getManifest(name, manifest.digest), 404, 'MANIFEST_UNKNOWN');
  });

  test('may name blobs by their sha512', async () => {
    const name = freshName();
    const bytes = Buffer.from('{}');
    const digest = digestOf(bytes, 'sha512');
    await client.pushBlob(name, bytes, { digest });
    await client.pushManifest(name, 'x', manifestOf({ mediaType: mediaTypes.ociEmpty, digest, bytes }));
  });

  test('of 4 MiB is accepted, of one byte more refused with 413', async () => {
    const { name, config } = await repositoryWithConfig();
    const limit = 4 * 1024 * 1024;
    const largest = manifestOfSize(config, limit);
    expect(largest.bytes.length).toBe(limit);
    await client.pushManifest(name, 'largest', largest);
    expect((await client.pullManifest(name, 'largest')).bytes.equals(largest.bytes)).toBe(true);
    const tooLarge = manifestOfSize(config, limit + 1);
    const message = expectError(
      await client.putManifest(name, 'larger', tooLarge.bytes, tooLarge.mediaType),
      413,
      'SIZE_INVALID',
    );
    expect(message).toContain(String(limit));
    expectError(await client.getManifest(name, 'larger'), 404, 'MANIFEST_UNKNOWN');
  });

  test('without a body is 400 MANIFEST_INVALID', async () => {
    const { name } = await repositoryWithConfig();
    expectError(await client.request('PUT', path(name, 'none')), 400, 'MANIFEST_INVALID');
    expectError(await client.putManifest(name, 'none', '', mediaTypes.ociManifest), 400, 'MANIFEST_INVALID');
  });

  test('that is no manifest is 400 MANIFEST_INVALID', async () => {
    const { name } = await repositoryWithConfig();
    for (const body of ['x', '{', '[]', 'null', '"a"', '{}', '{"schemaVersion":2}', '\u0000', '['.repeat(100_000)]) {
      expectError(await client.putManifest(name, 'bad', body, mediaTypes.ociManifest), 400, 'MANIFEST_INVALID');
    }
  });

  test('of schema 1 or of an unknown type is 400 MANIFEST_INVALID naming what is accepted', async () => {
    const { name, config } = await repositoryWithConfig();
    for (const type of [
      'application/vnd.docker.distribution.manifest.v1+json',
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      'application/json',
      'text/plain',
    ]) {
      const message = expectError(await client.putManifest(name, 'x', manifestOf(config).bytes, type), 400, 'MANIFEST_INVALID');
      for (const accepted of [mediaTypes.ociManifest, mediaTypes.ociIndex, mediaTypes.dockerManifest, mediaTypes.dockerList]) {
        expect(message).toContain(accepted);
      }
    }
  });

  test("ignores Content-Type's parameters, takes mediaType where there is no header, and the header where there is no mediaType", async () => {
    const { name, config } = await repositoryWithConfig();
    const manifest = manifestOf(config);
    const pushes: readonly [string, Buffer, string | undefined][] = [
      ['parameters', manifest.bytes, `${mediaTypes.ociManifest}; charset=utf-8`],
      ['no-header', manifest.bytes, undefined],
      [
        'no-field',
        Buffer.from(JSON.stringify({ schemaVersion: 2, config: descriptor(config), layers: [] })),
        mediaTypes.ociManifest,
      ],
    ];
    for (const [tag, body, type] of pushes) {
      const headers = type === undefined ? {} : { 'content-type': type };
      (await client.request('PUT', path(name, tag), { body, headers })).expect(201);
      expect((await client.getManifest(name, tag)).expect(200).header('content-type')).toBe(mediaTypes.ociManifest);
    }
  });

  test('that names what is not there is 404 MANIFEST_BLOB_UNKNOWN naming it', async () => {
    const { name, config } = await repositoryWithConfig();
    const absent = content('application/x', 'absent');
    for (const manifest of [
      manifestOf(config, { layers: [descriptor(absent)] }),
      manifestOf(absent),
      indexOf([{ image: randomImage({ layers: 1 }) }]).manifest,
    ]) {
      const answer = await client.putManifest(name, 'x', manifest.bytes, manifest.mediaType);
      const message = expectError(answer, 404, 'MANIFEST_BLOB_UNKNOWN');
      expect(message).toMatch(/(?:config|layers\[0\]|manifests\[0\]) refers to (?:blob|manifest) sha256:/);
    }
    expect(await client.tags(name)).toEqual([]);
  });

  test('that says a wrong size of a blob is 400 MANIFEST_INVALID', async () => {
    const { name, config } = await repositoryWithConfig();
    const manifest = jsonContent(mediaTypes.ociManifest, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { ...descriptor(config), size: 3 },
      layers: [],
    });
    expectError(await client.putManifest(name, 'x', manifest.bytes, manifest.mediaType), 400, 'MANIFEST_INVALID');
  });

  test('finds in no other image and no other repository what it names', async () => {
    const [name, other] = [freshName(), freshName()];
    const image = randomImage({ layers: 1 });
    await client.pushImage(name, 'latest', image);
    const { manifest } = indexOf([{ image }]);
    expectError(await client.putManifest(`${name}/b`, 'x', manifest.bytes, manifest.mediaType), 404, 'MANIFEST_BLOB_UNKNOWN');
    expectError(
      await client.putManifest(other, 'x', image.manifest.bytes, image.manifest.mediaType),
      404,
      'MANIFEST_BLOB_UNKNOWN',
    );
  });

  test('accepts what the specifications allow: no layers, a digest twice, unknown fields, foreign layers, platform unknown, inline data', async () => {
    const { name, config } = await repositoryWithConfig();
    const foreign = { mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', digest: digestOf('f'), size: 1 };
    const nondistributable = {
      mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
      digest: digestOf('n'),
      size: 1,
    };
    const data = { ...descriptor(config), data: config.bytes.toString('base64') };
    const variants = [
      manifestOf(config, { layers: null }),
      manifestOf(config, { layers: [descriptor(config), descriptor(config)] }),
      manifestOf(config, { 'x-unknown': { deep: [1, 2, { three: null }] } }),
      manifestOf(config, { layers: [{ ...foreign, urls: ['https://example.test/f'] }, nondistributable] }),
      manifestOf(config, { config: data }),
      jsonContent(mediaTypes.ociIndex, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] }),
    ];
    for (const manifest of variants) await client.pushManifest(name, 'x', manifest);
    const image = artifactOf({ artifactType: 'application/x' });
    await client.pushImage(name, 'y', image);
    const unknown = indexOf([{ image, platform: { architecture: 'unknown', os: 'unknown' } }]);
    await client.pushManifest(name, 'z', unknown.manifest);
  });

  test("an index's entry that is no manifest is looked up as a blob, as BuildKit's cache needs it", async () => {
    const { name } = await repositoryWithConfig();
    const layer = content(mediaTypes.ociLayer, 'layer');
    const cache = jsonContent(mediaTypes.ociIndex, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [descriptor(layer)],
    });
    expectError(await client.putManifest(name, 'cache', cache.bytes, cache.mediaType), 404, 'MANIFEST_BLOB_UNKNOWN');
    await client.pushBlob(name, layer.bytes);
    await client.pushManifest(name, 'cache', cache);
    expect(expectError(await client.deleteBlob(name, layer.digest), 405, 'DENIED')).toContain(cache.digest);
  });

  test('with a subject, there or not and of whatever size, says OCI-Subject', async () => {
    const { name, config } = await repositoryWithConfig();
    const subject = manifestOf(config);
    for (const said of [subject.bytes.length, 1]) {
      const manifest = manifestOf(config, { subject: { ...descriptor(subject), size: said } });
      const answer = (await client.putManifest(name, `s${said}`, manifest.bytes, manifest.mediaType)).expect(201);
      expect(answer.header('oci-subject')).toBe(subject.digest);
      const again = (await client.putManifest(name, `s${said}`, manifest.bytes, manifest.mediaType)).expect(201);
      expect(again.header('oci-subject')).toBe(subject.digest);
    }
  });

  test('a sparse index is accepted where the settings say so', async () => {
    const sparse = await startServer({ env: { ARTS_SPARSE_MANIFESTS: 'true' } });
    try {
      const lenient = keepAliveClient(sparse);
      const [one, two] = [randomImage({ layers: 1 }), randomImage({ layers: 1 })];
      await lenient.pushImage('p/r', one.manifest.digest, one);
      const { manifest } = indexOf([{ image: one }, { image: two }]);
      await lenient.pushManifest('p/r', 'half', manifest);
      expect((await lenient.pullManifest('p/r', 'half')).digest).toBe(manifest.digest);
      await lenient.pushManifest('p/r', two.manifest.digest, two.manifest);
      expectError(await lenient.getBlob('p/r', two.config.digest), 404, 'BLOB_UNKNOWN');
      await lenient.pushImage('p/r', two.manifest.digest, two);
      (await lenient.getBlob('p/r', two.config.digest)).expect(200);
      lenient.close();
    } finally {
      await sparse.remove();
    }
  });
});

describe('end-9: deleting', () => {
  test('a tag is 202, and 404 at the next request; its manifest stays', async () => {
    const name = freshName();
    const image = randomImage({ layers: 1 });
    await client.pushImage(name, 'a', image);
    await client.pushManifest(name, 'b', image.manifest);
    const answer = (await client.deleteManifest(name, 'a')).expect(202);
    expect(answer.body.length).toBe(0);
    expectError(await client.getManifest(name, 'a'), 404, 'MANIFEST_UNKNOWN');
    expectBareError(await client.headManifest(name, 'a'), 404);
    expectError(await client.deleteManifest(name, 'a'), 404, 'MANIFEST_UNKNOWN');
    expect(await client.tags(name)).toEqual(['b']);
    (await client.getManifest(name, image.manifest.digest)).expect(200);
  });

  test('a manifest is 202, and it and its tags are 404 at the next request', async () => {
    const name = freshName();
    const image = randomImage({ layers: 1 });
    await client.pushImage(name, 'a', image);
    await client.pushManifest(name, 'b', image.manifest);
    (await client.deleteManifest(name, image.manifest.digest)).expect(202);
    for (const reference of ['a', 'b', image.manifest.digest]) {
      expectError(await client.getManifest(name, reference), 404, 'MANIFEST_UNKNOWN');
    }
    expectError(await client.deleteManifest(name, image.manifest.digest), 404, 'MANIFEST_UNKNOWN');
    expect(await client.tags(name)).toEqual([]);
    await client.pushManifest(name, 'a', image.manifest);
    (await client.getManifest(name, 'a')).expect(200);
  });

  test('a manifest that an index of the image lists is 405 DENIED naming the index', async () => {
    const name = freshName();
    const image = randomImage({ layers: 1 });
    const index = indexOf([{ image }]);
    await client.pushIndex(name, 'multi', index);
    const message = expectError(await client.deleteManifest(name, image.manifest.digest), 405, 'DENIED');
    expect(message).toContain(`${name}@${index.manifest.digest}`);
    (await client.deleteManifest(name, index.manifest.digest)).expect(202);
    (await client.deleteManifest(name, image.manifest.digest)).expect(202);
  });

  test('in an absent repository is 404 NAME_UNKNOWN', async () => {
    expectError(await client.deleteManifest(freshName(), 'latest'), 404, 'NAME_UNKNOWN');
    expectError(await client.deleteManifest(freshName(), digestOf('x')), 404, 'NAME_UNKNOWN');
  });
});
