import { writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { digestOf, digestsOf, mediaTypes, randomImage, type Image } from '../support/client.js';
import { realArchive, realImage, writeDockerArchive } from './real-images.js';
import { describeClient } from './workplace.js';

describeClient('podman', ['podman'], { needsRoot: true }, (place) => {
  const plain = '--tls-verify=false';
  const reference = (nameWithTag: string): string => place.reference(nameWithTag);
  const podman = (...args: readonly string[]) => place.run('podman', args);
  const imageId = async (ref: string): Promise<string> =>
    `sha256:${await place.line('podman', ['image', 'inspect', '--format', '{{.Id}}', ref])}`;
  const diffIds = (image: Image): readonly string[] => image.layers.map((layer) => digestOf(gunzipSync(layer.bytes)));
  let image: Image;

  beforeAll(async () => {
    const { user, password } = place.server;
    await podman('login', plain, '-u', user, '-p', password, place.host);
    image = realImage(3, { flavour: 'docker', limit: 200_000 });
    writeDockerArchive(place.path('loaded.tar'), image, [reference('acme/podman/loaded:1')]);
    await podman('load', '-i', place.path('loaded.tar'));
  });

  test('a loaded image comes back as the one that was pushed, by tag and by digest', async () => {
    const ref = reference('acme/podman/loaded:1');
    const id = await imageId(ref);
    await podman('push', plain, '--digestfile', place.path('digest'), ref);
    const stored = await place.client.pullImage('acme/podman/loaded', '1');
    expect(await place.line('podman', ['image', 'inspect', '--format', '{{.Id}}', ref])).toBe(stored.config.digest.slice(7));
    expect(diffIds(stored)).toEqual(diffIds(image));
    await podman('rmi', ref);
    await podman('pull', plain, ref);
    expect(await imageId(ref)).toBe(id);
    await podman('rmi', ref);
    await podman('pull', plain, `${reference('acme/podman/loaded')}@${stored.manifest.digest}`);
    await podman('tag', id.slice(7), ref);
  });

  for (const [format, mediaType] of [
    ['oci', mediaTypes.ociManifest],
    ['v2s2', mediaTypes.dockerManifest],
  ] as const) {
    test(`an imported root file system is pushed in the format ${format} and pulled again`, async () => {
      const archive = realArchive(3, 200_000);
      writeFileSync(place.path('root.tar'), archive);
      const ref = reference(`acme/podman/imported:${format}`);
      await podman('import', place.path('root.tar'), ref);
      await podman('push', plain, '--format', format, ref);
      const stored = await place.client.pullImage('acme/podman/imported', format);
      expect(stored.manifest.mediaType).toBe(mediaType);
      expect(diffIds(stored)).toEqual([digestOf(archive)]);
      await podman('rmi', ref);
      await podman('pull', plain, ref);
      expect(await imageId(ref)).toBe(digestsOf(stored).config);
    });
  }

  test('a second push, and a push to another repository, end with the same image', async () => {
    const ref = reference('acme/podman/loaded:1');
    const other = reference('acme/podman-other/loaded:1');
    await podman('tag', ref, other);
    await podman('push', plain, other);
    await podman('push', plain, other);
    expect(diffIds(await place.client.pullImage('acme/podman-other/loaded', '1'))).toEqual(diffIds(image));
  });

  test('a list of two platforms is made, pushed and pulled', async () => {
    const list = reference('acme/podman/list:1');
    for (const architecture of ['amd64', 'arm64']) {
      const part = realImage(1, { platform: { os: 'linux', architecture } });
      await place.client.pushImage('acme/podman/list', architecture, part);
    }
    await podman('manifest', 'create', list);
    for (const tag of ['amd64', 'arm64']) {
      await podman('manifest', 'add', plain, list, `docker://${reference(`acme/podman/list:${tag}`)}`);
    }
    await podman('manifest', 'push', '--all', plain, list, `docker://${list}`);
    const stored = await place.client.pullIndex('acme/podman/list', '1');
    expect(stored.images).toHaveLength(2);
    await podman('manifest', 'rm', list);
    await podman('pull', plain, '--platform', 'linux/arm64', list);
    expect(await imageId(list)).toBe(stored.images[1]?.config.digest);
  });

  test('repositories are searched, and tags are listed', async () => {
    await place.client.pushImage('acme/podman/searched', 'x', randomImage());
    const found = await place.lines('podman', ['search', plain, '--format', '{{.Name}}', reference('acme/podman/searched')]);
    expect(found).toContain(reference('acme/podman/searched'));
    const tags = await place.lines('podman', [
      ...['search', plain, '--list-tags', '--format', '{{.Tag}}'],
      reference('acme/podman/searched'),
    ]);
    expect(tags.at(-1)).toMatch(/\bx$/);
  });

  test('a wrong password is refused at once, at the login and at a push', async () => {
    const login = ['login', plain, '-u', place.server.user, '-p', 'not it', place.host];
    expect(await place.refused('podman', login, { home: 'wrong' })).toMatch(/invalid username\/password/i);
    const ref = reference('acme/podman/loaded:1');
    const push = ['push', plain, '--creds', `${place.server.user}:not it`, ref];
    expect(await place.refused('podman', push)).toMatch(/unauthorized|invalid username/i);
  });

  test('a tag that is not there is named in the message', async () => {
    expect(await place.refused('podman', ['pull', plain, reference('acme/podman/loaded:nope')])).toMatch(
      /manifest unknown|not found/i,
    );
  });
});
