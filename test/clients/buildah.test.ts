import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { mediaTypes } from '../support/client.js';
import { realArchive, realImage } from './real-images.js';
import { describeClient } from './workplace.js';

describeClient('buildah', ['buildah'], { needsRoot: true }, (place) => {
  const plain = '--tls-verify=false';
  const buildah = (...args: readonly string[]) => place.run('buildah', args);

  beforeAll(async () => {
    const { user, password } = place.server;
    await buildah('login', plain, '-u', user, '-p', password, place.host);
    writeFileSync(place.path('files.tar'), realArchive(1, 200_000));
  });

  test('a container committed to the registry is pulled as the same image', async () => {
    const remote = `docker://${place.reference('acme/buildah/committed:1')}`;
    const container = await place.line('buildah', ['from', 'scratch']);
    await buildah('add', container, place.path('files.tar'), '/');
    await buildah('config', '--label', 'made-by=buildah', '--cmd', '/bin/true', container);
    await buildah('commit', plain, container, remote);
    await buildah('rm', container);
    const stored = await place.client.pullImage('acme/buildah/committed', '1');
    expect(stored.manifest.mediaType).toBe(mediaTypes.ociManifest);
    expect(stored.config.bytes.toString()).toContain('"made-by":"buildah"');
    const id = await place.line('buildah', ['pull', plain, remote]);
    expect(`sha256:${id}`).toBe(stored.config.digest);
  });

  test('a build from a pulled base is pushed on top of it', async () => {
    const base = realImage(1, { limit: 200_000 });
    await place.client.pushImage('acme/buildah/base', '1', base);
    const folder = place.newFolder('context');
    writeFileSync(place.path('context', 'own.txt'), 'what the build adds');
    writeFileSync(
      place.path('context', 'Containerfile'),
      [`FROM ${place.reference('acme/buildah/base:1')}`, 'COPY own.txt /own.txt', 'LABEL stage=built'].join('\n'),
    );
    const built = place.reference('acme/buildah/built:1');
    await buildah('build', plain, '--isolation', 'chroot', '--layers', '-t', built, folder);
    await buildah('push', plain, '--digestfile', place.path('built-digest'), built);
    const stored = await place.client.pullImage('acme/buildah/built', '1');
    expect(readFileSync(place.path('built-digest'), 'utf8').trim()).toBe(stored.manifest.digest);
    expect(stored.layers[0]?.digest).toBe(base.layers[0]?.digest);
    const last = stored.layers.find((layer) => gunzipSync(layer.bytes).includes('what the build adds'));
    expect(last).toBeDefined();
    await buildah('rmi', '--all', '--force');
    const id = await place.line('buildah', ['pull', plain, built]);
    expect(`sha256:${id}`).toBe(stored.config.digest);
  });

  test('the layers of a build are cached in a repository and found there', async () => {
    const folder = place.newFolder('cached');
    writeFileSync(place.path('cached', 'own.txt'), 'what the cache holds');
    writeFileSync(place.path('cached', 'Containerfile'), ['FROM scratch', 'COPY own.txt /one', 'COPY own.txt /two'].join('\n'));
    const cache = place.reference('acme/buildah/cache');
    const build = ['build', plain, '--isolation', 'chroot', '--layers', '--cache-to', cache, '--cache-from', cache, folder];
    await buildah(...build);
    const tags = await place.client.tags('acme/buildah/cache');
    expect(tags.length).toBeGreaterThan(0);
    await buildah('rmi', '--all', '--force');
    expect((await buildah(...build)).output).toMatch(/Cache pulled from remote|Using cache/);
  });

  test('a wrong password is refused at once, at the login and at a push', async () => {
    const login = ['login', plain, '-u', place.server.user, '-p', 'not it', place.host];
    expect(await place.refused('buildah', login, { home: 'wrong' })).toMatch(/invalid username\/password/i);
    const container = await place.line('buildah', ['from', 'scratch']);
    const remote = `docker://${place.reference('acme/buildah/refused:1')}`;
    const push = ['commit', plain, '--creds', `${place.server.user}:not it`, container, remote];
    expect(await place.refused('buildah', push)).toMatch(/unauthorized|invalid username/i);
  });
});
