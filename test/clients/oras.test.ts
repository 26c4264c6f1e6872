import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import {
  artifactOf,
  content,
  descriptor,
  digestOf,
  digestsOf,
  mediaTypes,
  randomBytesOf,
  randomImage,
} from '../support/client.js';
import { layoutBlob, missingFrom, realImage } from './real-images.js';
import { describeClient } from './workplace.js';

describeClient('oras', ['oras'], (place) => {
  const plain = '--plain-http';
  const reference = (nameWithTag: string): string => place.reference(nameWithTag);
  const oras = (...args: readonly string[]) => place.run('oras', args);
  const bytes = randomBytesOf('a file that oras pushes', 300_000);

  beforeAll(async () => {
    const { user, password } = place.server;
    await oras('login', plain, '-u', user, '-p', password, place.host);
    writeFileSync(place.path('data.bin'), bytes);
    writeFileSync(place.path('notes.txt'), 'notes on the data');
  });

  test('files pushed as an artifact are pulled byte for byte', async () => {
    const ref = reference('acme/oras/files:1');
    await oras(
      'push',
      plain,
      ref,
      '--artifact-type',
      'application/vnd.test.data',
      'data.bin:application/x-data',
      'notes.txt:text/plain',
    );
    const stored = await place.client.pullImage('acme/oras/files', '1');
    expect(JSON.parse(stored.manifest.bytes.toString())).toMatchObject({ artifactType: 'application/vnd.test.data' });
    expect(stored.layers.map((layer) => layer.digest)).toEqual([digestOf(bytes), digestOf('notes on the data')]);
    const folder = place.newFolder('pulled');
    await oras('pull', plain, ref, '-o', folder);
    expect(readFileSync(place.path('pulled', 'data.bin')).equals(bytes)).toBe(true);
    expect(readFileSync(place.path('pulled', 'notes.txt'), 'utf8')).toBe('notes on the data');
    expect(await place.line('oras', ['resolve', plain, ref])).toBe(stored.manifest.digest);
  });

  test('a manifest and its config are fetched as they were pushed', async () => {
    const image = realImage(2);
    const ref = reference('acme/oras/fetched:1');
    await place.client.pushImage('acme/oras/fetched', '1', image);
    expect((await oras('manifest', 'fetch', plain, ref)).stdout.equals(image.manifest.bytes)).toBe(true);
    expect((await oras('manifest', 'fetch-config', plain, ref)).stdout.equals(image.config.bytes)).toBe(true);
    const fetched = await oras('manifest', 'fetch', plain, '--descriptor', ref);
    expect(JSON.parse(fetched.stdout.toString())).toMatchObject({ ...descriptor(image.manifest) });
    const [layer] = image.layers;
    const layerReference = reference(`acme/oras/fetched@${layer?.digest ?? ''}`);
    await oras('blob', 'fetch', plain, '--output', place.path('blob'), layerReference);
    expect(digestOf(readFileSync(place.path('blob')))).toBe(layer?.digest);
  });

  test('blobs and a manifest pushed one by one make the artifact', async () => {
    const config = content('application/vnd.test.config+json', '{"made":"by hand"}');
    const artifact = artifactOf({ artifactType: 'application/vnd.test.hand', blobs: [content('application/x-data', bytes)] });
    writeFileSync(place.path('config.json'), config.bytes);
    writeFileSync(place.path('empty.json'), artifact.config.bytes);
    writeFileSync(place.path('manifest.json'), artifact.manifest.bytes);
    for (const file of ['data.bin', 'config.json', 'empty.json'])
      await oras('blob', 'push', plain, reference('acme/oras/hand'), file);
    await oras(
      'manifest',
      'push',
      plain,
      '--media-type',
      mediaTypes.ociManifest,
      reference('acme/oras/hand:1,2'),
      'manifest.json',
    );
    await place.expectStored('acme/oras/hand', '1', artifact);
    await place.expectStored('acme/oras/hand', '2', artifact);
    expect((await place.client.pullBlob('acme/oras/hand', config.digest)).equals(config.bytes)).toBe(true);
  });

  test('what is attached to an image is discovered, by type, too, and pulled', async () => {
    const image = realImage(1);
    const ref = reference('acme/oras/subject:1');
    await place.client.pushImage('acme/oras/subject', '1', image);
    const attach = (type: string, file: string) =>
      oras('attach', plain, '--distribution-spec', 'v1.1-referrers-api', '--artifact-type', type, ref, file);
    await attach('application/vnd.test.notes', 'notes.txt:text/plain');
    await attach('application/vnd.test.data', 'data.bin:application/x-data');
    await oras('attach', plain, '--artifact-type', 'application/vnd.test.bare', '-a', 'reviewed=yes', ref);

    const referrers = await place.client.referrers('acme/oras/subject', image.manifest.digest);
    expect(referrers.map(({ artifactType }) => artifactType).sort()).toEqual([
      'application/vnd.test.bare',
      'application/vnd.test.data',
      'application/vnd.test.notes',
    ]);
    const discover = async (...flags: readonly string[]): Promise<readonly string[]> => {
      const { stdout } = await oras('discover', plain, '--format', 'json', ...flags, ref);
      const found = JSON.parse(stdout.toString()) as { readonly referrers?: readonly { readonly digest: string }[] };
      return (found.referrers ?? []).map(({ digest }) => digest).sort();
    };
    expect(await discover()).toEqual(referrers.map(({ digest }) => digest).sort());
    const notes = referrers.filter(({ artifactType }) => artifactType === 'application/vnd.test.notes');
    expect(await discover('--artifact-type', 'application/vnd.test.notes')).toEqual(notes.map(({ digest }) => digest));
    await oras('pull', plain, '-o', place.newFolder('attached'), reference(`acme/oras/subject@${notes[0]?.digest ?? ''}`));
    expect(readFileSync(place.path('attached', 'notes.txt'), 'utf8')).toBe('notes on the data');
  });

  test('an image is copied with its referrers, and theirs', async () => {
    const image = realImage(2);
    const signature = artifactOf({ artifactType: 'application/vnd.test.signature', subject: descriptor(image.manifest) });
    const note = artifactOf({ artifactType: 'application/vnd.test.note', subject: descriptor(signature.manifest) });
    await place.client.pushImage('acme/oras/copied', '1', image);
    await place.client.pushImage('acme/oras/copied', signature.manifest.digest, signature);
    await place.client.pushImage('acme/oras/copied', note.manifest.digest, note);
    const flags = ['--from-plain-http', '--to-plain-http'];
    await oras('cp', '-r', ...flags, reference('acme/oras/copied:1'), reference('acme/oras-copies/image:a,b'));
    for (const tag of ['a', 'b']) await place.expectStored('acme/oras-copies/image', tag, image);
    const referrers = await place.client.referrers('acme/oras-copies/image', image.manifest.digest);
    expect(referrers.map(({ digest }) => digest)).toEqual([signature.manifest.digest]);
    await place.expectStored('acme/oras-copies/image', note.manifest.digest, note);

    await oras('cp', '-r', '--from-plain-http', '--to-oci-layout', reference('acme/oras/copied:1'), `${place.path('copy')}:1`);
    for (const part of [image, signature, note]) {
      expect(missingFrom((digest) => layoutBlob(place.path('copy'), digest), part)).toEqual([]);
    }
    await oras('cp', '-r', '--from-oci-layout', '--to-plain-http', `${place.path('copy')}:1`, reference('acme/oras/restored:1'));
    await place.expectStored('acme/oras/restored', '1', image);
  });

  test('an index of pushed images is created', async () => {
    const images = (['amd64', 'arm64'] as const).map((architecture) => realImage(1, { platform: { os: 'linux', architecture } }));
    for (const [position, image] of images.entries()) await place.client.pushImage('acme/oras/index', `part-${position}`, image);
    await oras('manifest', 'index', 'create', plain, reference('acme/oras/index:all'), 'part-0', 'part-1');
    const stored = await place.client.pullIndex('acme/oras/index', 'all');
    expect(stored.images.map(digestsOf)).toEqual(images.map(digestsOf));
    const arm = await place.line('oras', ['resolve', plain, '--platform', 'linux/arm64', reference('acme/oras/index:all')]);
    expect(arm).toBe(images[1]?.manifest.digest);
  });

  test('tags are set and listed, and so are repositories', async () => {
    await place.client.pushImage('acme/oras/listed', 'b', randomImage());
    await oras('tag', plain, reference('acme/oras/listed:b'), 'a', 'c');
    expect(await place.lines('oras', ['repo', 'tags', plain, reference('acme/oras/listed')])).toEqual(['a', 'b', 'c']);
    expect(await place.lines('oras', ['repo', 'ls', plain, place.host])).toContain('acme/oras/listed');
    expect(await place.lines('oras', ['repo', 'ls', plain, `${place.host}/acme/oras/`])).toContain('listed');
  });

  test('a deleted manifest, and a deleted blob, are gone for the next request', async () => {
    const image = randomImage();
    const ref = reference(`acme/oras/deleted@${await place.client.pushImage('acme/oras/deleted', '1', image)}`);
    const blob = await place.client.pushBlob('acme/oras/deleted', Buffer.from('a blob that nothing refers to'));
    await oras('manifest', 'delete', plain, '--force', ref);
    expect(await place.refused('oras', ['manifest', 'fetch', plain, ref])).toMatch(/not found/i);
    await oras('blob', 'delete', plain, '--force', reference(`acme/oras/deleted@${blob}`));
    const fetch = ['blob', 'fetch', plain, '--output', '-', reference(`acme/oras/deleted@${blob}`)];
    expect(await place.refused('oras', fetch)).toMatch(/not found/i);
  });

  test('a wrong password is refused at once, and the message says so', async () => {
    const wrong = { home: 'wrong' };
    const login = ['login', plain, '-u', place.server.user, '-p', 'not it', place.host];
    expect(await place.refused('oras', login, wrong)).toMatch(/401|unauthorized/i);
    const push = ['push', plain, '-u', place.server.user, '-p', 'not it', reference('acme/oras/refused:1'), 'notes.txt'];
    expect(await place.refused('oras', push, wrong)).toMatch(/401|unauthorized/i);
  });
});
