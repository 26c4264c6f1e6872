import { afterAll, describe, expect, test } from 'vitest';

import { artifactOf, descriptor, digestOf, randomImage, type Answer, type Descriptor } from '../support/client.js';
import { startServer } from '../support/server.js';
import { expectError, freshName, keepAliveClient } from './shape.js';

const server = await startServer();
const client = keepAliveClient(server);
afterAll(async () => {
  client.close();
  await server.remove();
});

const linkOf = (answer: Answer) => /^<([^>]*)>; rel="next"$/.exec(answer.header('link') ?? '')?.[1];

function expectJson(answer: Answer, mediaType = 'application/json'): unknown {
  answer.expect(200);
  expect(answer.header('content-type')).toBe(mediaType);
  expect(answer.header('content-length')).toBe(String(answer.body.length));
  expect(answer.header('docker-distribution-api-version')).toBe('registry/2.0');
  return answer.json();
}

describe('end-8: tags', () => {
  const name = freshName();
  const tags = ['A', 'B', '_', 'a', 'a-b', 'a.b', 'a0', 'aa', 'b', '10', '9', 'Z'];
  const ordered = [...tags].sort();
  const image = randomImage({ layers: 1 });
  const ready = (async () => {
    await client.pushImage(name, image.manifest.digest, image);
    for (const tag of tags) await client.pushManifest(name, tag, image.manifest);
  })();
  const list = async (query = '', of = name) => {
    await ready;
    return client.request('GET', `/v2/${of}/tags/list${query}`);
  };
  const tagsOf = (answer: Answer) => (expectJson(answer) as { readonly tags: readonly string[] }).tags;

  test('are listed in ASCII order with the name, without a Link', async () => {
    const answer = await list();
    expect(expectJson(answer)).toEqual({ name, tags: ordered });
    expect(answer.header('link')).toBeUndefined();
  });

  test('come n at a time, and the Links lead to the end', async () => {
    for (const n of [1, 5, tags.length - 1, tags.length, tags.length + 1]) {
      const seen: string[] = [];
      for (let query: string | undefined = `?n=${n}`; query !== undefined;) {
        const answer = await list(query);
        const page = tagsOf(answer);
        const link = linkOf(answer);
        if (link !== undefined) expect(page.length).toBe(n);
        seen.push(...page);
        expect(link ?? `/v2/${name}/tags/list?`).toMatch(new RegExp(`^/v2/${name}/tags/list\\?`));
        query = link?.slice(link.indexOf('?'));
      }
      expect(seen).toEqual(ordered);
    }
  });

  test('begin behind last, which need not be there', async () => {
    expect(tagsOf(await list('?last=a'))).toEqual(ordered.slice(ordered.indexOf('a') + 1));
    expect(tagsOf(await list('?last=a!'))).toEqual(ordered.filter((tag) => tag > 'a!'));
    expect(tagsOf(await list('?n=2&last=a'))).toEqual(ordered.slice(ordered.indexOf('a') + 1).slice(0, 2));
    expect(tagsOf(await list('?last=zzz'))).toEqual([]);
    expect(tagsOf(await list('?last='))).toEqual(ordered);
    expect(tagsOf(await list('?last=%00'))).toEqual(ordered);
  });

  test('with n=0 are none, without a Link', async () => {
    for (const query of ['?n=0', '?n=0&last=a', '?n=00']) {
      const answer = await list(query);
      expect(expectJson(answer)).toEqual({ name, tags: [] });
      expect(answer.header('link')).toBeUndefined();
    }
  });

  test('with an n that is no number are 400', async () => {
    for (const n of ['-1', 'x', '1.5', '', '1e3', '9'.repeat(20), '0x10', '%00']) {
      expectError(await list(`?n=${n}`), 400, 'UNSUPPORTED');
    }
    expect(tagsOf(await list('?n=999999999'))).toEqual(ordered);
  });

  test('of an image without any are [], of an absent repository 404', async () => {
    await ready;
    expect(expectJson(await list('', `${name}/other`))).toEqual({ name: `${name}/other`, tags: [] });
    expectError(await list('', freshName()), 404, 'NAME_UNKNOWN');
  });

  test('of HEAD are the headers alone', async () => {
    await ready;
    const answer = (await client.request('HEAD', `/v2/${name}/tags/list`)).expect(200);
    expect(answer.body.length).toBe(0);
    expect(answer.header('content-length')).toBe(String((await list()).body.length));
  });
});

describe('end-12: referrers', () => {
  const indexType = 'application/vnd.oci.image.index.v1+json';
  const referrers = (name: string, digest: string, query = '') =>
    client.request('GET', `/v2/${name}/referrers/${digest}${query}`);
  const manifestsOf = (answer: Answer) =>
    (expectJson(answer, indexType) as { readonly manifests: readonly Descriptor[] }).manifests;
  const empty = { schemaVersion: 2, mediaType: indexType, manifests: [] };

  test('of an absent subject, image or repository are 200 and an empty index', async () => {
    const name = freshName();
    await client.pushBlob(name, Buffer.from('x'));
    for (const absent of [name, `${name}/image`, freshName(), 'no/such/image']) {
      expect(expectJson(await referrers(absent, digestOf('x')), indexType)).toEqual(empty);
      const filtered = await referrers(absent, digestOf('x', 'sha512'), '?artifactType=a%2Fb');
      expect(expectJson(filtered, indexType)).toEqual(empty);
      expect(filtered.header('oci-filters-applied')).toBe('artifactType');
    }
  });

  test('of what is no digest are 400 DIGEST_INVALID', async () => {
    for (const digest of ['latest', 'sha256:x', '%00']) expectError(await referrers(freshName(), digest), 400, 'DIGEST_INVALID');
  });

  test('are descriptors with artifactType and annotations, and go with their manifests', async () => {
    const name = freshName();
    const image = randomImage({ layers: 1 });
    await client.pushImage(name, 'latest', image);
    const subject = descriptor(image.manifest);
    const sbom = artifactOf({ artifactType: 'application/sbom', subject, annotations: { a: 'b' } });
    const signature = artifactOf({ artifactType: 'application/signature', subject });
    const plain = randomImage({ layers: 1, subject });
    for (const one of [sbom, signature, plain]) await client.pushImage(name, one.manifest.digest, one);

    const all = await referrers(name, image.manifest.digest);
    expect(all.header('oci-filters-applied')).toBeUndefined();
    expect(all.header('link')).toBeUndefined();
    const byDigest = new Map(manifestsOf(all).map((one) => [one.digest, one]));
    expect(byDigest.size).toBe(3);
    expect(byDigest.get(sbom.manifest.digest)).toEqual({
      ...descriptor(sbom.manifest),
      artifactType: 'application/sbom',
      annotations: { a: 'b' },
    });
    expect(byDigest.get(signature.manifest.digest)).toEqual({
      ...descriptor(signature.manifest),
      artifactType: 'application/signature',
    });
    // Without an artifactType of its own: its config's media type.
    expect(byDigest.get(plain.manifest.digest)?.artifactType).toBe(plain.config.mediaType);

    const filtered = await referrers(name, image.manifest.digest, '?artifactType=application%2Fsbom');
    expect(manifestsOf(filtered).map((one) => one.digest)).toEqual([sbom.manifest.digest]);
    expect(filtered.header('oci-filters-applied')).toBe('artifactType');
    expect(manifestsOf(await referrers(name, image.manifest.digest, '?artifactType=application/none'))).toEqual([]);
    expect(manifestsOf(await referrers(`${name}/other`, image.manifest.digest))).toEqual([]);

    (await client.deleteManifest(name, sbom.manifest.digest)).expect(202);
    expect(manifestsOf(await referrers(name, image.manifest.digest)).length).toBe(2);
    (await client.deleteManifest(name, image.manifest.digest)).expect(202);
    expect(manifestsOf(await referrers(name, image.manifest.digest)).length).toBe(2);
  });

  test('are there before their subject', async () => {
    const name = freshName();
    const image = randomImage({ layers: 1 });
    const sbom = artifactOf({ artifactType: 'application/sbom', subject: descriptor(image.manifest) });
    await client.pushImage(name, sbom.manifest.digest, sbom);
    expect(manifestsOf(await referrers(name, image.manifest.digest)).map((one) => one.digest)).toEqual([sbom.manifest.digest]);
  });

  test('with big annotations come in pages below 4 MiB, with the filter in the Link', async () => {
    const name = freshName();
    const subject = descriptor(randomImage({ layers: 1 }).manifest);
    const pushed = new Set<string>();
    for (let index = 0; index < 9; index += 1) {
      const annotations = { big: String(index).repeat(900_000) };
      const one = artifactOf({ artifactType: 'application/big', subject, annotations });
      await client.pushImage(name, one.manifest.digest, one);
      pushed.add(one.manifest.digest);
    }
    const other = artifactOf({ artifactType: 'application/small', subject });
    await client.pushImage(name, other.manifest.digest, other);
    const seen: string[] = [];
    let pages = 0;
    for (let query: string | undefined = '?artifactType=application/big'; query !== undefined; pages += 1) {
      const answer = await referrers(name, subject.digest, query);
      expect(answer.body.length).toBeLessThanOrEqual(4 * 1024 * 1024);
      expect(answer.header('oci-filters-applied')).toBe('artifactType');
      seen.push(...manifestsOf(answer).map((one) => one.digest));
      const link = linkOf(answer);
      query = link?.slice(link.indexOf('?'));
    }
    expect(pages).toBe(3);
    expect([...seen].sort()).toEqual([...pushed].sort());
    expect(await client.referrers(name, subject.digest)).toHaveLength(10);
  });
});

describe('the catalog', () => {
  const image = randomImage({ layers: 1 });
  // Byte order of the whole name, in which `-` and `.` come before `/`.
  const names = ['cat/a', 'cat/a/b', 'cat/a-b', 'cat/a.b', 'cat/a0', 'cat/b', 'cat-x/a', 'cat.x/a', 'cat0/a'];
  const ordered = [...names].sort();
  const ready = (async () => {
    for (const name of names) await client.pushImage(name, 'latest', image);
    await client.pushBlob('cat/blobs-alone', Buffer.from('x'));
  })();
  const page = async (query = '') => {
    await ready;
    const answer = await client.request('GET', `/v2/_catalog${query}`);
    return { answer, repositories: (expectJson(answer) as { readonly repositories: readonly string[] }).repositories };
  };
  const own = (repositories: readonly string[]) => repositories.filter((name) => name.startsWith('cat'));

  test('lists the names that have a manifest in byte order', async () => {
    const { answer, repositories } = await page();
    expect(own(repositories)).toEqual(ordered);
    expect([...repositories]).toEqual([...repositories].sort());
    expect(answer.header('link')).toBeUndefined();
  });

  test('comes n at a time, and the Links lead to the end', async () => {
    await ready;
    const whole = (await page()).repositories;
    for (const n of [1, 2, 4, whole.length]) expect(await client.catalog(n)).toEqual(whole);
    const { answer, repositories } = await page('?n=2&last=cat/a');
    expect(repositories).toEqual(ordered.slice(ordered.indexOf('cat/a') + 1).slice(0, 2));
    expect(linkOf(answer)).toBe(`/v2/_catalog?n=2&last=${encodeURIComponent(repositories.at(-1) ?? '')}`);
  });

  test('of n=0 is empty, of nothing behind last too', async () => {
    expect((await page('?n=0')).repositories).toEqual([]);
    expect((await page('?n=0')).answer.header('link')).toBeUndefined();
    expect((await page('?last=~')).repositories).toEqual([]);
  });

  test('of an n that is no number is 400', async () => {
    expectError(await client.request('GET', '/v2/_catalog?n=-1'), 400, 'UNSUPPORTED');
  });

  test('loses a name with its last manifest, at the next request', async () => {
    await client.pushImage('zcat/gone', 'latest', image);
    expect((await page()).repositories).toContain('zcat/gone');
    (await client.deleteManifest('zcat/gone', image.manifest.digest)).expect(202);
    expect((await page()).repositories).not.toContain('zcat/gone');
  });

  test('shows nobody what only others may pull', async () => {
    await ready;
    const nobody = client.as();
    const token = await nobody.token(['registry:catalog:*']);
    expect(expectJson(await nobody.request('GET', '/v2/_catalog', { auth: { token } }))).toEqual({ repositories: [] });
    nobody.close();
  });

  test('is 401 insufficient_scope for a token of another scope', async () => {
    const token = await client.token(['repository:cat/a:pull']);
    const answer = await client.request('GET', '/v2/_catalog', { auth: { token } });
    expectError(answer, 401, 'UNAUTHORIZED');
    expect(answer.header('www-authenticate')).toContain('scope="registry:catalog:*",error="insufficient_scope"');
  });
});
