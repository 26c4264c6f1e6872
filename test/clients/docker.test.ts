import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { digestOf, type Image } from '../support/client.js';
import { makePublic } from '../support/public-repository.js';
import { makeServiceAccount, revokeKey } from '../support/service-account.js';
import { startDocker, type Docker } from './dockerd.js';
import { realArchive, realImage, writeDockerArchive } from './real-images.js';
import { describeClient, moment } from './workplace.js';

describeClient('docker', ['docker', 'dockerd', 'unshare'], { needsRoot: true }, (place) => {
  let docker: Docker;
  let image: Image;
  const reference = (nameWithTag: string): string => place.reference(nameWithTag);

  beforeAll(async () => {
    docker = await startDocker(place);
    await docker.login(place.host);
    // The vfs driver copies all files below a layer for every layer.
    image = realImage(12, { flavour: 'docker', limit: 100_000 });
    writeDockerArchive(place.path('twelve.tar'), image, [reference('acme/docker/twelve:1')]);
    await docker.run(['load', '-i', place.path('twelve.tar')]);
    await docker.run(['push', reference('acme/docker/twelve:1')]);
  });

  const imageId = (ref: string): Promise<string> => docker.line(['image', 'inspect', '--format', '{{.Id}}', ref]);
  const repoDigest = (ref: string): Promise<string> =>
    docker.line(['image', 'inspect', '--format', '{{index .RepoDigests 0}}', ref]);

  test('an imported root file system comes back as the image that was pushed', async () => {
    const archive = realArchive(2);
    writeFileSync(place.path('root.tar'), archive);
    const ref = reference('acme/docker/imported:1');
    await docker.run(['import', place.path('root.tar'), ref]);
    const id = await imageId(ref);
    await docker.run(['push', ref]);
    const digest = await repoDigest(ref);

    const stored = await place.client.pullImage('acme/docker/imported', '1');
    expect(digest).toBe(`${reference('acme/docker/imported')}@${stored.manifest.digest}`);
    expect(digestOf(stored.config.bytes)).toBe(id);
    expect(stored.layers.map((layer) => digestOf(gunzipSync(layer.bytes)))).toEqual([digestOf(archive)]);

    await docker.run(['rmi', ref]);
    await docker.run(['pull', ref]);
    expect(await imageId(ref)).toBe(id);
    expect(await repoDigest(ref)).toBe(digest);
  });

  test('an image of twelve layers comes back whole, by tag and by digest, and its second push uploads nothing', async () => {
    const ref = reference('acme/docker/twelve:1');
    const id = await imageId(ref);
    expect(id).toBe(image.config.digest);
    const digest = await repoDigest(ref);

    const stored = await place.client.pullImage('acme/docker/twelve', '1');
    expect(digestOf(stored.config.bytes)).toBe(id);
    expect(stored.layers.map((layer) => digestOf(gunzipSync(layer.bytes)))).toEqual(
      image.layers.map((layer) => digestOf(gunzipSync(layer.bytes))),
    );

    const again = (await docker.run(['push', ref])).output;
    expect(again.match(/Layer already exists/g)).toHaveLength(12);
    expect(again).toContain(stored.manifest.digest);

    await docker.run(['rmi', ref]);
    await docker.run(['pull', ref]);
    expect(await imageId(ref)).toBe(id);
    await docker.run(['rmi', ref]);
    await docker.run(['pull', digest]);
    expect(await imageId(digest)).toBe(id);
    await docker.run(['tag', digest, ref]);

    // `docker save` writes the layers' archives anew from the unpacked files.
    await docker.run(['save', '-o', place.path('saved.tar'), ref]);
    const saved = readFileSync(place.path('saved.tar'));
    for (const layer of image.layers) expect(saved.includes(gunzipSync(layer.bytes))).toBe(true);
  });

  test('the same image pushed to another repository is mounted', async () => {
    const ref = reference('acme/docker-other/twelve:1');
    await docker.run(['tag', reference('acme/docker/twelve:1'), ref]);
    const { output } = await docker.run(['push', ref]);
    expect(output.match(/Mounted from acme\/docker\//g)).toHaveLength(12);
    const mounted = await place.client.pullImage('acme/docker-other/twelve', '1');
    expect(digestOf(mounted.config.bytes)).toBe(image.config.digest);
  });

  test('all tags are pushed and pulled at once', async () => {
    for (const tag of ['a', 'b'])
      await docker.run(['tag', reference('acme/docker/twelve:1'), reference(`acme/docker/tags:${tag}`)]);
    await docker.run(['push', '--all-tags', reference('acme/docker/tags')]);
    expect(await place.client.tags('acme/docker/tags')).toEqual(['a', 'b']);
    await docker.run(['rmi', reference('acme/docker/tags:a'), reference('acme/docker/tags:b')]);
    await docker.run(['pull', '--all-tags', reference('acme/docker/tags')]);
    expect(await imageId(reference('acme/docker/tags:b'))).toBe(image.config.digest);
  });

  test('a manifest list of two platforms is pushed, and the platform asked for is pulled', async () => {
    const list = reference('acme/docker/list:1');
    const images = (['amd64', 'arm64'] as const).map((architecture) =>
      realImage(1, { flavour: 'docker', first: 4, platform: { os: 'linux', architecture } }),
    );
    for (const [index, made] of images.entries()) await place.client.pushImage('acme/docker/list', `part-${index}`, made);
    const parts = images.map((_, index) => reference(`acme/docker/list:part-${index}`));
    await docker.run(['manifest', 'create', '--insecure', list, ...parts]);
    await docker.run(['manifest', 'push', '--insecure', list]);
    const stored = await place.client.pullIndex('acme/docker/list', '1');
    expect(stored.images.map((part) => part.manifest.digest)).toEqual(images.map((part) => part.manifest.digest));
    await docker.run(['pull', '--platform', 'linux/arm64', list]);
    expect(await imageId(list)).toBe(images[1]?.config.digest);
  });

  test('an OCI image of another client is pulled', async () => {
    const oci = realImage(2, { first: 6 });
    await place.client.pushImage('acme/docker/oci', '1', oci);
    await docker.run(['pull', reference('acme/docker/oci:1')]);
    expect(await imageId(reference('acme/docker/oci:1'))).toBe(oci.config.digest);
  });

  test('a wrong password is refused at once, at the login and at a push', async () => {
    const wrong = { home: 'wrong', input: 'not it' };
    const login = ['login', '--username', place.server.user, '--password-stdin', place.host];
    expect(await docker.refused(login, wrong)).toMatch(/unauthorized|incorrect username or password/i);
    const auth = Buffer.from(`${place.server.user}:not it`).toString('base64');
    const { DOCKER_CONFIG = '' } = place.environment('wrong');
    writeFileSync(`${DOCKER_CONFIG}/config.json`, JSON.stringify({ auths: { [place.host]: { auth } } }));
    await docker.run(['tag', reference('acme/docker/twelve:1'), reference('acme/docker/refused:1')]);
    expect(await docker.refused(['push', reference('acme/docker/refused:1')], wrong)).toMatch(/unauthorized/i);
    expect(await docker.refused(['pull', reference('acme/docker/twelve:1')], wrong)).toMatch(/unauthorized/i);
  });

  test('a service account logs in by its key file, however a shell hands it over, pushes, and is out when the key is revoked', async () => {
    const key = await makeServiceAccount(place.client, 'acme', 'docker-ci');
    const login = ['login', '--username', '_json_key', '--password-stdin', place.host];
    const indented = JSON.stringify(JSON.parse(key.text), undefined, 2);
    for (const [home, input] of [
      ['key', key.text],
      ['key-indented', `${indented}\n`],
      ['key-of-windows', `${indented.replaceAll('\n', '\r\n')}\r\n`],
    ] as const) {
      expect((await docker.run(login, { home, input })).output).toContain('Login Succeeded');
    }
    const encoded = { home: 'key-base64', input: Buffer.from(key.text).toString('base64') };
    await docker.run(['login', '--username', '_json_key_base64', '--password-stdin', place.host], encoded);

    const ref = reference('acme/docker/by-key:1');
    await docker.run(['tag', reference('acme/docker/twelve:1'), ref]);
    for (const home of ['key', 'key-indented', 'key-base64']) {
      await docker.run(['push', ref], { home });
      await docker.run(['pull', ref], { home });
    }
    // The password stays in docker's file, for pull secrets that are made of it: no token has taken its place.
    const kept = readFileSync(`${place.environment('key').DOCKER_CONFIG}/config.json`, 'utf8');
    expect(kept).not.toContain('identitytoken');

    await revokeKey(place.client, key);
    expect(await docker.refused(['push', ref], { home: 'key' })).toMatch(/unauthorized|denied/i);
    expect(await docker.refused(login, { home: 'key-again', input: key.text })).toMatch(/unauthorized|incorrect/i);
    expect(await docker.refused(login, { home: 'key-cut', input: key.text.slice(0, -20) })).toMatch(/unauthorized|incorrect/i);
  });

  test('without a login the public image is pulled, and not the private one beside it', async () => {
    for (const name of ['acme/docker-open', 'acme/docker-closed']) {
      await place.client.pushImage(name, '1', realImage(1, { flavour: 'docker', first: 9 }));
    }
    await makePublic(place.client, 'acme', 'docker-open');
    await docker.run(['pull', reference('acme/docker-open:1')], { home: 'nobody' });
    for (const name of ['acme/docker-closed', 'acme/docker-absent']) {
      expect(await docker.refused(['pull', reference(`${name}:1`)], { home: 'nobody' })).toMatch(
        /denied|unauthorized|no basic auth credentials/i,
      );
    }
  });

  test('a push without a login is refused at once', async () => {
    await docker.run(['tag', reference('acme/docker/twelve:1'), reference('acme/docker/nobody:1')]);
    expect(await docker.refused(['push', reference('acme/docker/nobody:1')], { home: 'nobody' })).toMatch(
      /denied|unauthorized|no basic auth credentials/i,
    );
  });

  test('a tag that is not there is named in the message', async () => {
    expect(await docker.refused(['pull', reference('acme/docker/twelve:nope')])).toMatch(/not found|manifest unknown/i);
  });

  test('a tag is pulled as it was at a time, until what it was is deleted; nobody pushes one', async () => {
    const [before, after] = [realImage(2, { flavour: 'docker', first: 7 }), realImage(2, { flavour: 'docker', first: 8 })];
    await place.client.pushImage('acme/docker/past', 'latest', before);
    const then = await moment();
    await place.client.pushImage('acme/docker/past', 'latest', after);
    const ref = reference(`acme/docker/past:latest.at.${then}`);
    await docker.run(['pull', ref]);
    expect(await imageId(ref)).toBe(before.config.digest);
    expect(await docker.refused(['push', ref])).toMatch(/nobody can change/);
    (await place.client.request('DELETE', `/v2/acme/docker/past/manifests/${before.manifest.digest}`)).expect(202);
    await docker.run(['rmi', ref]);
    expect(await docker.refused(['pull', ref])).toMatch(/deleted at 2.* by user /);
  });

  test('a name of one part is refused at once with the form that is right', async () => {
    await docker.run(['tag', reference('acme/docker/twelve:1'), reference('short:1')]);
    expect(await docker.refused(['push', reference('short:1')])).toMatch(/project/i);
  });
});
