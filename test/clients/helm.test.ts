import { appendFileSync, readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { digestOf } from '../support/client.js';
import { describeClient } from './workplace.js';

describeClient('helm', ['helm'], (place) => {
  const plain = '--plain-http';
  const helm = (...args: readonly string[]) => place.run('helm', args);
  const repository = (): string => `oci://${place.reference('acme/charts')}`;

  beforeAll(async () => {
    const { user, password } = place.server;
    await helm('registry', 'login', plain, '-u', user, '-p', password, place.host);
    await helm('create', 'shop');
    appendFileSync(place.path('shop', 'values.yaml'), '\nshopName: ours\n');
    for (const version of ['0.1.0', '0.2.0+build.1']) await helm('package', 'shop', '--version', version);
  });

  test('a packaged chart is pulled byte for byte', async () => {
    const chart = readFileSync(place.path('shop-0.1.0.tgz'));
    const { output } = await helm('push', plain, 'shop-0.1.0.tgz', repository());
    const stored = await place.client.pullImage('acme/charts/shop', '0.1.0');
    expect(output).toContain(stored.manifest.digest);
    expect(stored.config.mediaType).toBe('application/vnd.cncf.helm.config.v1+json');
    expect(stored.layers.map((layer) => layer.digest)).toEqual([digestOf(chart)]);
    await helm('pull', plain, `${repository()}/shop`, '--version', '0.1.0', '-d', place.newFolder('pulled'));
    expect(readFileSync(place.path('pulled', 'shop-0.1.0.tgz')).equals(chart)).toBe(true);
    const byDigest = `${repository()}/shop@${stored.manifest.digest}`;
    await helm('pull', plain, byDigest, '-d', place.newFolder('by-digest'));
  });

  test('the newest version that fits is found, though its tag has _ for +', async () => {
    for (const file of ['shop-0.1.0.tgz', 'shop-0.2.0+build.1.tgz']) await helm('push', plain, file, repository());
    expect(await place.client.tags('acme/charts/shop')).toEqual(['0.1.0', '0.2.0_build.1']);
    const shown = await helm('show', 'chart', plain, `${repository()}/shop`);
    expect(shown.stdout.toString()).toContain('version: 0.2.0+build.1');
    const values = await helm('show', 'values', plain, `${repository()}/shop`, '--version', '~0.1');
    expect(values.stdout.toString()).toContain('shopName: ours');
    const rendered = await helm('template', 'release', plain, `${repository()}/shop`, '--version', '0.1.0');
    expect(rendered.stdout.toString()).toContain('kind: Deployment');
  });

  test('a wrong password is refused at once, and the message says so', async () => {
    const login = ['registry', 'login', plain, '-u', place.server.user, '-p', 'not it', place.host];
    expect(await place.refused('helm', login, { home: 'wrong' })).toMatch(/401|unauthorized/i);
    const push = ['push', plain, '--username', place.server.user, '--password', 'not it', 'shop-0.1.0.tgz', repository()];
    expect(await place.refused('helm', push, { home: 'wrong' })).toMatch(/401|unauthorized/i);
  });

  test('a chart that is not there is named in the message', async () => {
    const pull = ['pull', plain, `${repository()}/nothing`, '--version', '1.0.0'];
    expect(await place.refused('helm', pull)).toMatch(/not found/i);
  });
});
