import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import {
  artifactOf,
  descriptor,
  digestOf,
  digestsOf,
  indexOf,
  mediaTypes,
  randomBytesOf,
  randomImage,
} from '../support/client.js';
import { realArchive, realImage } from './real-images.js';
import { describeClient } from './workplace.js';

describeClient('regctl', ['regctl'], (place) => {
  const reference = (nameWithTag: string): string => place.reference(nameWithTag);
  const regctl = (...args: readonly string[]) => place.run('regctl', args);

  beforeAll(async () => {
    const { user, password } = place.server;
    await regctl('registry', 'set', '--tls', 'disabled', '--skip-check', place.host);
    await regctl('registry', 'login', '-u', user, '-p', password, place.host);
  });

  test('a blob put and got is the same, and so is its head', async () => {
    const bytes = randomBytesOf('a blob that regctl puts', 500_000);
    writeFileSync(place.path('blob'), bytes);
    const digest = await place.line('regctl', ['blob', 'put', reference('acme/regctl/blob')], { input: bytes });
    expect(digest).toContain(digestOf(bytes));
    const got = await regctl('blob', 'get', reference('acme/regctl/blob'), digestOf(bytes));
    expect(got.stdout.equals(bytes)).toBe(true);
    expect((await regctl('blob', 'head', reference('acme/regctl/blob'), digestOf(bytes))).output).toMatch(/500000/);
    await regctl('blob', 'copy', reference('acme/regctl/blob'), reference('acme/regctl-copies/blob'), digestOf(bytes));
    expect((await place.client.pullBlob('acme/regctl-copies/blob', digestOf(bytes))).equals(bytes)).toBe(true);
    await regctl('blob', 'delete', reference('acme/regctl/blob'), digestOf(bytes));
    expect(await place.refused('regctl', ['blob', 'head', reference('acme/regctl/blob'), digestOf(bytes)])).toMatch(/not found/i);
  });

  test('a manifest put and got is the same', async () => {
    const image = realImage(2);
    for (const blob of [image.config, ...image.layers]) await place.client.pushBlob('acme/regctl/manifest', blob.bytes);
    const put = ['manifest', 'put', '--content-type', mediaTypes.ociManifest, reference('acme/regctl/manifest:1')];
    await place.run('regctl', put, { input: image.manifest.bytes });
    await place.expectStored('acme/regctl/manifest', '1', image);
    const got = await regctl('manifest', 'get', '--format', 'raw-body', reference('acme/regctl/manifest:1'));
    expect(got.stdout.equals(image.manifest.bytes)).toBe(true);
    const head = await place.line('regctl', ['manifest', 'head', reference('acme/regctl/manifest:1')]);
    expect(head).toBe(image.manifest.digest);
  });

  test('an index is copied whole with its referrers and the tags named after its digest', async () => {
    const index = indexOf(
      (['amd64', 'arm64'] as const).map((architecture) => ({
        image: realImage(2, { platform: { os: 'linux', architecture } }),
        platform: { os: 'linux', architecture },
      })),
    );
    const [first] = index.images;
    if (first === undefined) throw new Error('an index of two images was made');
    const sbom = artifactOf({ artifactType: 'application/spdx+json', subject: descriptor(first.manifest) });
    const signature = artifactOf({ artifactType: 'application/vnd.test.signature', subject: descriptor(index.manifest) });
    const named = randomImage();
    const source = 'acme/regctl/source';
    await place.client.pushIndex(source, '1', index);
    await place.client.pushImage(source, sbom.manifest.digest, sbom);
    await place.client.pushImage(source, signature.manifest.digest, signature);
    const digestTag = `${index.manifest.digest.replace(':', '-')}.sig`;
    await place.client.pushImage(source, digestTag, named);

    const target = 'acme/regctl-copies/target';
    await regctl('image', 'copy', '--referrers', '--digest-tags', reference(`${source}:1`), reference(`${target}:1`));
    const copied = await place.client.pullIndex(target, '1');
    expect(copied.manifest.digest).toBe(index.manifest.digest);
    expect(copied.images.map(digestsOf)).toEqual(index.images.map(digestsOf));
    await place.expectStored(target, digestTag, named);
    const referrersOf = async (digest: string): Promise<readonly string[]> =>
      (await place.client.referrers(target, digest)).map((entry) => entry.digest);
    expect(await referrersOf(index.manifest.digest)).toEqual([signature.manifest.digest]);
    expect(await referrersOf(first.manifest.digest)).toEqual([sbom.manifest.digest]);

    await regctl('image', 'export', reference(`${target}:1`), place.path('image.tar'));
    await regctl('image', 'import', reference('acme/regctl/imported:1'), place.path('image.tar'));
    expect((await place.client.pullManifest('acme/regctl/imported', '1')).digest).toBe(index.manifest.digest);
  });

  test('an artifact is put, listed at its subject, and got', async () => {
    const image = realImage(1);
    await place.client.pushImage('acme/regctl/subject', '1', image);
    const subject = reference('acme/regctl/subject:1');
    const sbom = '{"spdxVersion":"SPDX-2.3"}';
    await place.run('regctl', ['artifact', 'put', '--artifact-type', 'application/spdx+json', '--subject', subject], {
      input: sbom,
    });
    const [referrer, ...more] = await place.client.referrers('acme/regctl/subject', image.manifest.digest);
    expect(more).toEqual([]);
    const listed = await regctl('artifact', 'list', subject, '--format', '{{json .}}');
    expect(listed.stdout.toString()).toContain(referrer?.digest);
    const got = await regctl('artifact', 'get', '--subject', subject, '--filter-artifact-type', 'application/spdx+json');
    expect(got.stdout.toString()).toBe(sbom);
    expect((await regctl('artifact', 'tree', subject)).output).toContain(referrer?.digest);

    writeFileSync(place.path('chart.bin'), randomBytesOf('an artifact', 50_000));
    const artifact = reference('acme/regctl/artifact:1');
    await regctl('artifact', 'put', '--artifact-type', 'application/vnd.test', '--file', place.path('chart.bin'), artifact);
    const back = await regctl('artifact', 'get', artifact);
    expect(back.stdout.equals(readFileSync(place.path('chart.bin')))).toBe(true);
  });

  test('an image is changed on the registry: labels, a layer more, docker types, another digest algorithm', async () => {
    const image = realImage(2);
    await place.client.pushImage('acme/regctl/changed', '1', image);
    const ref = reference('acme/regctl/changed:1');
    await regctl('image', 'mod', ref, '--create', 'labelled', '--label', 'team=shop', '--annotation', 'kept=yes');
    const labelled = await place.client.pullImage('acme/regctl/changed', 'labelled');
    expect(labelled.config.bytes.toString()).toContain('"team":"shop"');
    expect(digestsOf(labelled).layers).toEqual(digestsOf(image).layers);

    writeFileSync(place.path('added.tar'), realArchive(9, 100_000));
    await regctl('image', 'mod', ref, '--create', 'longer', '--layer-add', `tar=${place.path('added.tar')}`);
    expect((await place.client.pullImage('acme/regctl/changed', 'longer')).layers).toHaveLength(3);

    await regctl('image', 'mod', ref, '--create', 'docker', '--to-docker');
    expect((await place.client.pullManifest('acme/regctl/changed', 'docker')).mediaType).toBe(mediaTypes.dockerManifest);

    await regctl('image', 'mod', ref, '--create', 'sha512', '--digest-algo', 'sha512');
    const sha512 = await place.client.pullImage('acme/regctl/changed', 'sha512');
    expect(sha512.config.digest).toMatch(/^sha512:/);
    expect(sha512.layers.map((layer) => digestOf(layer.bytes))).toEqual(digestsOf(image).layers);
  });

  test('a file in a layer is read without pulling the image', async () => {
    await place.client.pushImage('acme/regctl/file', '1', realImage(1));
    const got = await regctl('image', 'get-file', reference('acme/regctl/file:1'), '/opt/fastify/LICENSE');
    expect(got.stdout.toString()).toContain('MIT License');
  });

  test('tags and repositories are listed, page by page, too', async () => {
    const image = randomImage();
    for (const tag of ['b', 'a', 'c']) await place.client.pushImage('acme/regctl/listed', tag, image);
    const list = ['tag', 'ls', reference('acme/regctl/listed')];
    expect(await place.lines('regctl', list)).toEqual(['a', 'b', 'c']);
    expect(await place.lines('regctl', [...list, '--limit', '1', '--last', 'a'])).toEqual(['b']);
    expect(await place.lines('regctl', ['repo', 'ls', place.host])).toContain('acme/regctl/listed');
  });

  test('a whole repository is copied', async () => {
    const images = { one: realImage(1), two: realImage(2) };
    for (const [tag, image] of Object.entries(images)) await place.client.pushImage('acme/regctl/whole', tag, image);
    await regctl('repo', 'copy', reference('acme/regctl/whole'), reference('acme/regctl-copies/whole'));
    for (const [tag, image] of Object.entries(images)) await place.expectStored('acme/regctl-copies/whole', tag, image);
  });

  test('a deleted tag leaves the others; a deleted manifest takes its tags', async () => {
    const image = randomImage();
    for (const tag of ['one', 'two']) await place.client.pushImage('acme/regctl/deleted', tag, image);
    await regctl('tag', 'delete', reference('acme/regctl/deleted:one'));
    expect(await place.client.tags('acme/regctl/deleted')).toEqual(['two']);
    await regctl('manifest', 'delete', reference(`acme/regctl/deleted@${image.manifest.digest}`));
    expect(await place.refused('regctl', ['manifest', 'head', reference('acme/regctl/deleted:two')])).toMatch(/not found/i);
  });

  test('a wrong password is refused at once, and the message says so', async () => {
    const wrong = { home: 'wrong' };
    await place.run('regctl', ['registry', 'set', '--tls', 'disabled', '--skip-check', place.host], wrong);
    const login = ['registry', 'login', '-u', place.server.user, '-p', 'not it', place.host];
    expect(await place.refused('regctl', login, wrong)).toMatch(/unauthorized/i);
    await place.run('regctl', [...login, '--skip-check'], wrong);
    const put = ['blob', 'put', reference('acme/regctl/refused')];
    expect(await place.refused('regctl', put, { ...wrong, input: 'bytes' })).toMatch(/unauthorized/i);
  });
});
