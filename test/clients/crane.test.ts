import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { digestOf, digestsOf, indexOf, mediaTypes, randomImage } from '../support/client.js';
import { layoutBlob, missingFrom, realArchive, realImage, writeLayout } from './real-images.js';
import { describeClient } from './workplace.js';

describeClient('crane', ['crane'], (place) => {
  const name = 'acme/crane/app';

  beforeAll(async () => {
    const { user, password } = place.server;
    await place.run('crane', ['auth', 'login', place.host, '-u', user, '-p', password]);
  });

  for (const [kind, flags, mediaType] of [
    ['docker', [], mediaTypes.dockerManifest],
    ['OCI', ['--oci-empty-base'], mediaTypes.ociManifest],
  ] as const) {
    test(`a tar archive appended as an image of ${kind} types is the one that was given`, async () => {
      const archive = realArchive(0);
      writeFileSync(place.path('layer.tar'), archive);
      const tag = `appended-${kind.toLowerCase()}`;
      const reference = place.reference(`${name}:${tag}`);
      await place.run('crane', ['append', ...flags, '-f', place.path('layer.tar'), '-t', reference]);

      const stored = await place.client.pullImage(name, tag);
      expect(stored.manifest.mediaType).toBe(mediaType);
      expect(stored.layers.map((layer) => digestOf(gunzipSync(layer.bytes)))).toEqual([digestOf(archive)]);
      expect(await place.line('crane', ['digest', reference])).toBe(stored.manifest.digest);
      expect((await place.run('crane', ['manifest', reference])).stdout.equals(stored.manifest.bytes)).toBe(true);
      expect((await place.run('crane', ['config', reference])).stdout.equals(stored.config.bytes)).toBe(true);
      await place.run('crane', ['validate', '--remote', reference]);
    });
  }

  test('a layout pushed and pulled keeps every byte', async () => {
    const image = realImage(3);
    writeLayout(place.path('layout'), [{ tag: 'layout', of: image }]);
    const reference = place.reference(`${name}:layout`);
    await place.run('crane', ['push', place.path('layout'), reference]);
    await place.expectStored(name, 'layout', image);

    await place.run('crane', ['pull', '--format=oci', reference, place.path('pulled')]);
    expect(missingFrom((digest) => layoutBlob(place.path('pulled'), digest), image)).toEqual([]);
    const [layer] = image.layers;
    const blob = await place.run('crane', ['blob', place.reference(`${name}@${layer?.digest ?? ''}`)]);
    expect(digestOf(blob.stdout)).toBe(layer?.digest);
  });

  test('a pulled archive pushed again gives the same layers and config', async () => {
    const image = realImage(2, { flavour: 'docker', first: 3 });
    await place.client.pushImage(name, 'archive', image);
    await place.run('crane', ['pull', '--format=tarball', place.reference(`${name}:archive`), place.path('archive.tar')]);
    await place.run('crane', ['push', place.path('archive.tar'), place.reference('acme/crane/again:1')]);
    const { config, layers } = digestsOf(await place.client.pullImage('acme/crane/again', '1'));
    expect({ config, layers }).toEqual({ config: digestsOf(image).config, layers: digestsOf(image).layers });
  });

  test('a copy to another repository has the same digest, and so have all its tags', async () => {
    const image = realImage(2);
    await place.client.pushImage('acme/crane/source', '1', image);
    await place.run('crane', ['tag', place.reference('acme/crane/source:1'), '2']);
    await place.run('crane', ['copy', place.reference('acme/crane/source:1'), place.reference('acme/crane-copies/one:1')]);
    await place.expectStored('acme/crane-copies/one', '1', image);
    await place.run('crane', [
      'copy',
      '--all-tags',
      place.reference('acme/crane/source'),
      place.reference('acme/crane-copies/all'),
    ]);
    expect(await place.lines('crane', ['ls', place.reference('acme/crane-copies/all')])).toEqual(['1', '2']);
    await place.expectStored('acme/crane-copies/all', '2', image);
  });

  test('an index of several platforms is made, and each platform is found in it', async () => {
    const [amd64, arm64] = (['amd64', 'arm64'] as const).map((architecture) =>
      realImage(1, { platform: { os: 'linux', architecture } }),
    );
    if (amd64 === undefined || arm64 === undefined) throw new Error('two images were made');
    await place.client.pushImage('acme/crane/index', 'amd64', amd64);
    await place.client.pushImage('acme/crane/index', 'arm64', arm64);
    const reference = (tag: string): string => place.reference(`acme/crane/index:${tag}`);
    await place.run('crane', ['index', 'append', '-m', reference('amd64'), '-m', reference('arm64'), '-t', reference('all')]);
    const digestFor = (platform: string): Promise<string> =>
      place.line('crane', ['digest', '--platform', platform, reference('all')]);
    expect(await digestFor('linux/amd64')).toBe(amd64.manifest.digest);
    expect(await digestFor('linux/arm64')).toBe(arm64.manifest.digest);
    const stored = await place.client.pullIndex('acme/crane/index', 'all');
    expect(stored.images.map(digestsOf)).toEqual([amd64, arm64].map(digestsOf));
    expect(await place.line('crane', ['digest', reference('all')])).toBe(stored.manifest.digest);
    await place.run('crane', ['validate', '--remote', reference('all')]);

    await place.run('crane', ['index', 'filter', reference('all'), '--platform', 'linux/arm64', '-t', reference('filtered')]);
    const filtered = await place.client.pullIndex('acme/crane/index', 'filtered');
    expect(filtered.images.map(digestsOf)).toEqual([digestsOf(arm64)]);
  });

  test('an index from a layout keeps every byte', async () => {
    const index = indexOf([
      { image: realImage(1), platform: { os: 'linux', architecture: 'amd64' } },
      { image: realImage(2), platform: { os: 'linux', architecture: 'arm', variant: 'v7' } },
    ]);
    writeLayout(place.path('index-layout'), [{ tag: 'all', of: index }]);
    await place.run('crane', ['push', '--index', place.path('index-layout'), place.reference('acme/crane/pushed-index:1')]);
    // crane pushes the layout's own index.json, of which ours is the one entry.
    const outer = await place.client.pullManifest('acme/crane/pushed-index', '1');
    expect(outer.bytes.equals(readFileSync(place.path('index-layout', 'index.json')))).toBe(true);
    const stored = await place.client.pullIndex('acme/crane/pushed-index', index.manifest.digest);
    expect(stored.images.map(digestsOf)).toEqual(index.images.map(digestsOf));
  });

  test('labels are changed in place, and an image is flattened', async () => {
    const image = realImage(3, { flavour: 'docker' });
    const reference = place.reference('acme/crane/changed:1');
    await place.client.pushImage('acme/crane/changed', '1', image);
    await place.run('crane', ['mutate', reference, '--label', 'team=shop', '-t', place.reference('acme/crane/changed:labelled')]);
    const labelled = await place.client.pullImage('acme/crane/changed', 'labelled');
    expect(digestsOf(labelled).layers).toEqual(digestsOf(image).layers);
    expect(labelled.config.bytes.toString()).toContain('"team":"shop"');
    await place.run('crane', ['flatten', reference, '-t', place.reference('acme/crane/changed:flat')]);
    expect((await place.client.pullImage('acme/crane/changed', 'flat')).layers).toHaveLength(1);
  });

  test('the file system of an image is exported', async () => {
    await place.client.pushImage('acme/crane/exported', '1', realImage(1));
    await place.run('crane', ['export', place.reference('acme/crane/exported:1'), place.path('export.tar')]);
    expect(readFileSync(place.path('export.tar')).includes('opt/fastify/LICENSE')).toBe(true);
  });

  test('tags and repositories are listed', async () => {
    const image = randomImage();
    for (const tag of ['b', 'a', '1.0']) await place.client.pushImage('acme/crane/listed', tag, image);
    expect(await place.lines('crane', ['ls', place.reference('acme/crane/listed')])).toEqual(['1.0', 'a', 'b']);
    expect(await place.lines('crane', ['catalog', place.host])).toContain('acme/crane/listed');
  });

  test('a deleted manifest is gone for the next request', async () => {
    const image = randomImage();
    const digest = await place.client.pushImage('acme/crane/deleted', '1', image);
    await place.run('crane', ['delete', place.reference(`acme/crane/deleted@${digest}`)]);
    expect(await place.refused('crane', ['manifest', place.reference('acme/crane/deleted:1')])).toContain('MANIFEST_UNKNOWN');
  });

  test('a wrong password is refused at once, and the message says so', async () => {
    const wrong = { home: 'wrong' };
    await place.run('crane', ['auth', 'login', place.host, '-u', place.server.user, '-p', 'not it'], wrong);
    writeFileSync(place.path('small.tar'), realArchive(11));
    const push = ['append', '-f', place.path('small.tar'), '-t', place.reference('acme/crane/refused:1')];
    expect(await place.refused('crane', push, wrong)).toMatch(/UNAUTHORIZED|401/);
  });

  test('what is not there is named in the message', async () => {
    await place.client.pushImage('acme/crane/named', '1', randomImage());
    expect(await place.refused('crane', ['digest', place.reference('acme/crane/named:nope')])).toMatch(/MANIFEST_UNKNOWN|404/);
  });
});
