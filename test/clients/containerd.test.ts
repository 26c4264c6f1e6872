import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { digestsOf, indexOf } from '../support/client.js';
import { startDaemon, waitFor } from '../support/processes.js';
import { contentsOf, realImage } from './real-images.js';
import { findTool } from './tools.js';
import { describeClient } from './workplace.js';

describeClient('containerd', ['containerd', 'ctr'], { needsRoot: true }, (place) => {
  let socket = '';
  const ctr = (...args: readonly string[]) => place.run('ctr', ['--address', socket, ...args]);
  const remote = (password = place.server.password): readonly string[] => [
    '--plain-http',
    '--user',
    `${place.server.user}:${password}`,
  ];

  beforeAll(async () => {
    const folder = place.newFolder('containerd');
    socket = `${folder}/sock`;
    const settings = [
      'version = 2',
      `root = "${folder}/root"`,
      `state = "${folder}/state"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]',
      '[grpc]',
      `address = "${socket}"`,
    ];
    writeFileSync(`${folder}/config.toml`, `${settings.join('\n')}\n`);
    const daemon = await startDaemon(findTool('containerd') ?? 'containerd', ['--config', `${folder}/config.toml`], {
      env: place.environment('containerd-home'),
      cwd: folder,
    });
    place.atClose(() => daemon.stop(15_000));
    const answers = async (): Promise<true | undefined> => {
      if (!daemon.isRunning()) throw new Error(`containerd ended:\n${daemon.log().slice(-3_000)}`);
      return (await place.attempt('ctr', ['--address', socket, 'version'])).code === 0 ? true : undefined;
    };
    await waitFor(answers, 30_000, () => `containerd does not answer:\n${daemon.log().slice(-3_000)}`);
  });

  for (const flavour of ['oci', 'docker'] as const) {
    test(`an image of ${flavour} types is pulled, unpacked, exported and pushed again as it was`, async () => {
      const image = realImage(3, { flavour, limit: 200_000 });
      await place.client.pushImage('acme/containerd/image', flavour, image);
      const [from, to] = [`acme/containerd/image:${flavour}`, `acme/containerd-copies/image:${flavour}`].map((name) =>
        place.reference(name),
      );
      if (from === undefined || to === undefined) throw new Error('two references were made');
      await ctr('images', 'pull', ...remote(), '--snapshotter', 'native', from);
      const listed = await ctr('images', 'ls', `name==${from}`);
      expect(listed.stdout.toString()).toContain(image.manifest.digest);
      await ctr('images', 'export', place.path(`${flavour}.tar`), from);
      const archive = readFileSync(place.path(`${flavour}.tar`));
      for (const { bytes } of contentsOf(image)) expect(archive.includes(bytes)).toBe(true);
      await ctr('images', 'push', ...remote(), to, from);
      await place.expectStored('acme/containerd-copies/image', flavour, image);
      // Nothing is left to upload.
      await ctr('images', 'push', ...remote(), to, from);
    });
  }

  test('an index is fetched and pushed with all its platforms', async () => {
    const index = indexOf(
      (['amd64', 'arm64'] as const).map((architecture) => ({
        image: realImage(2, { limit: 100_000, platform: { os: 'linux', architecture } }),
        platform: { os: 'linux', architecture },
      })),
    );
    await place.client.pushIndex('acme/containerd/index', '1', index);
    const [from, to] = [place.reference('acme/containerd/index:1'), place.reference('acme/containerd-copies/index:1')];
    await ctr('content', 'fetch', ...remote(), '--all-platforms', from);
    await ctr('images', 'push', ...remote(), to, from);
    const copied = await place.client.pullIndex('acme/containerd-copies/index', '1');
    expect(copied.manifest.digest).toBe(index.manifest.digest);
    expect(copied.images.map(digestsOf)).toEqual(index.images.map(digestsOf));
  });

  test('a wrong password is refused at once, at a pull and at a push', async () => {
    const image = realImage(1, { limit: 50_000 });
    await place.client.pushImage('acme/containerd/refused', '1', image);
    const reference = place.reference('acme/containerd/refused:1');
    const wrong = (...args: readonly string[]) => place.refused('ctr', ['--address', socket, ...args]);
    expect(await wrong('content', 'fetch', ...remote('not it'), reference)).toMatch(/401|unauthorized/i);
    await ctr('content', 'fetch', ...remote(), reference);
    expect(await wrong('images', 'push', ...remote('not it'), reference)).toMatch(/401|unauthorized|authorization failed/i);
  });

  test('a tag that is not there is named in the message', async () => {
    const fetch = ['--address', socket, 'content', 'fetch', ...remote(), place.reference('acme/containerd/image:nope')];
    expect(await place.refused('ctr', fetch)).toMatch(/not found/i);
  });
});
