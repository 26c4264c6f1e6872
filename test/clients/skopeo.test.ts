import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { digestOf, digestsOf, indexOf, mediaTypes, randomImage, type Image } from '../support/client.js';
import { layoutBlob, missingFrom, realImage, writeDockerArchive, writeLayout } from './real-images.js';
import { describeClient, moment } from './workplace.js';

describeClient('skopeo', ['skopeo'], (place) => {
  const copyFlags = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  const remote = (nameWithTag: string): string => `docker://${place.reference(nameWithTag)}`;
  const copy = (from: string, to: string, ...flags: readonly string[]) =>
    place.run('skopeo', ['copy', ...copyFlags, ...flags, from, to]);

  beforeAll(async () => {
    const { user, password } = place.server;
    await place.run('skopeo', ['login', '--tls-verify=false', '-u', user, '-p', password, place.host]);
  });

  /** What skopeo's `dir:` holds: the manifest, and each blob under its bare digest. */
  const directoryBlob = (folder: string, image: Image) => (digest: string) =>
    readFileSync(join(folder, digest === image.manifest.digest ? 'manifest.json' : digest.slice('sha256:'.length)));

  test('a layout copied in and out keeps every byte', async () => {
    const image = realImage(3);
    writeLayout(place.path('layout'), [{ tag: 'one', of: image }]);
    await copy(`oci:${place.path('layout')}:one`, remote('acme/skopeo/layout:1'), '--preserve-digests');
    await place.expectStored('acme/skopeo/layout', '1', image);
    await copy(remote('acme/skopeo/layout:1'), `oci:${place.path('layout-out')}:one`, '--preserve-digests');
    expect(missingFrom((digest) => layoutBlob(place.path('layout-out'), digest), image)).toEqual([]);
  });

  for (const flavour of ['oci', 'docker'] as const) {
    test(`an image of ${flavour} types copied through a folder keeps every byte`, async () => {
      const image = realImage(2, { flavour, first: 2 });
      const folder = place.path(`dir-${flavour}`);
      await place.client.pushImage('acme/skopeo/dir', flavour, image);
      await copy(remote(`acme/skopeo/dir:${flavour}`), `dir:${folder}`, '--preserve-digests');
      expect(missingFrom(directoryBlob(folder, image), image)).toEqual([]);
      await copy(`dir:${folder}`, remote(`acme/skopeo/dir-back:${flavour}`), '--preserve-digests');
      await place.expectStored('acme/skopeo/dir-back', flavour, image);
    });
  }

  test('a tag is copied as it was at a time', async () => {
    const [before, after] = [realImage(2), realImage(2, { first: 3 })];
    await place.client.pushImage('acme/skopeo/past', 'latest', before);
    const then = await moment();
    await place.client.pushImage('acme/skopeo/past', 'latest', after);
    const folder = place.path('past');
    await copy(remote(`acme/skopeo/past:latest.at.${then}`), `dir:${folder}`, '--preserve-digests');
    expect(missingFrom(directoryBlob(folder, before), before)).toEqual([]);
  });

  test('a docker archive copied in has the archive layers and config, and copies out again', async () => {
    const image = realImage(3, { flavour: 'docker', first: 5 });
    writeDockerArchive(place.path('in.tar'), image, ['skopeo/archive:1']);
    await copy(`docker-archive:${place.path('in.tar')}`, remote('acme/skopeo/archive:1'));
    const stored = await place.client.pullImage('acme/skopeo/archive', '1');
    expect(digestOf(stored.config.bytes)).toBe(image.config.digest);
    expect(stored.layers.map((layer) => digestOf(gunzipSync(layer.bytes)))).toEqual(
      image.layers.map((layer) => digestOf(gunzipSync(layer.bytes))),
    );
    await copy(remote('acme/skopeo/archive:1'), `docker-archive:${place.path('out.tar')}:skopeo/archive:1`);
    const archive = readFileSync(place.path('out.tar'));
    for (const layer of image.layers) expect(archive.includes(gunzipSync(layer.bytes))).toBe(true);
  });

  test('an index of several platforms copied between repositories keeps its digest', async () => {
    const index = indexOf(
      (['amd64', 'arm64'] as const).map((architecture) => ({
        image: realImage(2, { platform: { os: 'linux', architecture } }),
        platform: { os: 'linux', architecture },
      })),
    );
    await place.client.pushIndex('acme/skopeo/index', '1', index);
    await copy(remote('acme/skopeo/index:1'), remote('acme/skopeo-copies/index:1'), '--all', '--preserve-digests');
    const copied = await place.client.pullIndex('acme/skopeo-copies/index', '1');
    expect(copied.manifest.digest).toBe(index.manifest.digest);
    expect(copied.images.map(digestsOf)).toEqual(index.images.map(digestsOf));
    const raw = await place.run('skopeo', ['inspect', '--tls-verify=false', '--raw', remote('acme/skopeo-copies/index:1')]);
    expect(raw.stdout.equals(index.manifest.bytes)).toBe(true);
  });

  test('an image is converted to docker types on its way', async () => {
    const image = realImage(2);
    await place.client.pushImage('acme/skopeo/converted', 'oci', image);
    await copy(remote('acme/skopeo/converted:oci'), remote('acme/skopeo/converted:docker'), '--format', 'v2s2');
    const converted = await place.client.pullImage('acme/skopeo/converted', 'docker');
    expect(converted.manifest.mediaType).toBe(mediaTypes.dockerManifest);
    expect(digestsOf(converted).layers).toEqual(digestsOf(image).layers);
  });

  test('a repository is synchronized to a folder and from there to another repository', async () => {
    const images = { v1: realImage(1), v2: realImage(2) };
    for (const [tag, image] of Object.entries(images)) await place.client.pushImage('acme/skopeo/synced', tag, image);
    const folder = place.newFolder('sync');
    const flags = ['--src-tls-verify=false', '--preserve-digests'];
    await place.run('skopeo', [
      'sync',
      ...flags,
      '--src',
      'docker',
      '--dest',
      'dir',
      place.reference('acme/skopeo/synced'),
      folder,
    ]);
    for (const [tag, image] of Object.entries(images)) {
      expect(missingFrom(directoryBlob(join(folder, `synced:${tag}`), image), image)).toEqual([]);
    }
    await place.run('skopeo', [
      ...['sync', '--dest-tls-verify=false', '--preserve-digests', '--src', 'dir', '--dest', 'docker'],
      folder,
      place.reference('acme/skopeo-mirror'),
    ]);
    for (const [tag, image] of Object.entries(images)) await place.expectStored('acme/skopeo-mirror/synced', tag, image);
  });

  test('an image is inspected, and its tags are listed', async () => {
    const image = realImage(2);
    for (const tag of ['b', 'a']) await place.client.pushImage('acme/skopeo/inspected', tag, image);
    const { stdout } = await place.run('skopeo', ['inspect', '--tls-verify=false', remote('acme/skopeo/inspected:a')]);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      Name: place.reference('acme/skopeo/inspected'),
      Digest: image.manifest.digest,
      RepoTags: ['a', 'b'],
      Layers: image.layers.map((layer) => layer.digest),
    });
    const config = await place.run('skopeo', [
      'inspect',
      '--tls-verify=false',
      '--config',
      '--raw',
      remote('acme/skopeo/inspected:a'),
    ]);
    expect(config.stdout.equals(image.config.bytes)).toBe(true);
    const tags = await place.run('skopeo', ['list-tags', '--tls-verify=false', remote('acme/skopeo/inspected')]);
    expect(JSON.parse(tags.stdout.toString())).toMatchObject({ Tags: ['a', 'b'] });
  });

  test('a deleted image is gone for the next request', async () => {
    await place.client.pushImage('acme/skopeo/deleted', '1', randomImage());
    await place.run('skopeo', ['delete', '--tls-verify=false', remote('acme/skopeo/deleted:1')]);
    expect(await place.refused('skopeo', ['inspect', '--tls-verify=false', remote('acme/skopeo/deleted:1')])).toMatch(
      /manifest unknown|not found/i,
    );
  });

  test('a wrong password is refused at once, and the message says so', async () => {
    const wrong = { home: 'wrong' };
    const login = ['login', '--tls-verify=false', '-u', place.server.user, '-p', 'not it', place.host];
    expect(await place.refused('skopeo', login, wrong)).toMatch(/invalid username\/password/i);
    writeLayout(place.path('small'), [{ tag: 'one', of: randomImage() }]);
    const push = ['copy', ...copyFlags, '--dest-creds', `${place.server.user}:not it`, `oci:${place.path('small')}:one`];
    expect(await place.refused('skopeo', [...push, remote('acme/skopeo/refused:1')], wrong)).toMatch(
      /unauthorized|invalid username/i,
    );
  });
});
