import { writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { artifactOf, content, type Image } from '../support/client.js';
import { realImage } from './real-images.js';
import { describeClient } from './workplace.js';

describeClient('cosign', ['cosign'], (place) => {
  const plain = ['--allow-http-registry', '--allow-insecure-registry'];
  const offline = ['--tlog-upload=false', '--use-signing-config=false', '-y', '--key', 'cosign.key'];
  const checked = ['--insecure-ignore-tlog=true', '--key', 'cosign.pub'];
  const cosign = (...args: readonly string[]) => place.run('cosign', args);

  beforeAll(async () => {
    const { user, password } = place.server;
    await cosign('login', place.host, '-u', user, '-p', password);
    await cosign('generate-key-pair');
  });

  async function pushed(name: string): Promise<{ readonly image: Image; readonly reference: string }> {
    const image = realImage(1, { limit: 50_000 });
    const digest = await place.client.pushImage(name, '1', image);
    return { image, reference: place.reference(`${name}@${digest}`) };
  }
  const signatureTag = (image: Image, suffix: string): string => `${image.manifest.digest.replace(':', '-')}.${suffix}`;

  test('a signature as a bundle is a referrer of the image, and is verified', async () => {
    const { image, reference } = await pushed('acme/cosign/bundle');
    await cosign('sign', ...offline, ...plain, reference);
    const referrers = await place.client.referrers('acme/cosign/bundle', image.manifest.digest);
    expect(referrers.map(({ artifactType }) => artifactType)).toEqual([expect.stringContaining('sigstore.bundle')]);
    expect((await cosign('verify', ...checked, ...plain, reference)).stdout.toString()).toContain(image.manifest.digest);
    expect(await place.client.tags('acme/cosign/bundle')).toEqual(['1']);
  });

  test('a signature under a tag of its own is verified', async () => {
    const { image, reference } = await pushed('acme/cosign/tag');
    await cosign('sign', '--new-bundle-format=false', ...offline, ...plain, reference);
    expect(await place.client.tags('acme/cosign/tag')).toEqual(['1', signatureTag(image, 'sig')]);
    await cosign('verify', '--new-bundle-format=false', ...checked, ...plain, reference);
    // A second signature is a second layer under the same tag.
    await cosign('sign', '--new-bundle-format=false', '-a', 'second=yes', ...offline, ...plain, reference);
    const signatures = await place.client.pullImage('acme/cosign/tag', signatureTag(image, 'sig'));
    expect(signatures.layers).toHaveLength(2);
    await cosign('verify', '--new-bundle-format=false', '-a', 'second=yes', ...checked, ...plain, reference);
  });

  test('an image that nobody signed is not verified', async () => {
    const { reference } = await pushed('acme/cosign/unsigned');
    expect(await place.refused('cosign', ['verify', ...checked, ...plain, reference])).toMatch(/no (?:matching )?signatures/i);
  });

  test('an attestation is verified, in both forms', async () => {
    writeFileSync(place.path('predicate.json'), '{"built":"by a test"}');
    const { image, reference } = await pushed('acme/cosign/attested');
    const predicate = ['--predicate', 'predicate.json', '--type', 'custom'];
    await cosign('attest', ...predicate, ...offline, ...plain, reference);
    expect(await place.client.referrers('acme/cosign/attested', image.manifest.digest)).toHaveLength(1);
    await cosign('verify-attestation', '--type', 'custom', ...checked, ...plain, reference);
    await cosign('attest', '--new-bundle-format=false', ...predicate, ...offline, ...plain, reference);
    expect(await place.client.tags('acme/cosign/attested')).toContain(signatureTag(image, 'att'));
    const verify = ['verify-attestation', '--new-bundle-format=false', '--type', 'custom'];
    await cosign(...verify, ...checked, ...plain, reference);
  });

  test('what belongs to an image is shown as a tree, and copied off the registry and back', async () => {
    const { image, reference } = await pushed('acme/cosign/saved');
    await cosign('sign', '--new-bundle-format=false', ...offline, ...plain, reference);
    expect((await cosign('tree', ...plain, reference)).output).toContain('Signatures');
    await cosign('save', '--dir', place.path('saved'), ...plain, reference);
    await cosign('load', '--dir', place.path('saved'), ...plain, place.reference('acme/cosign-loaded/image:1'));
    await place.expectStored('acme/cosign-loaded/image', '1', image);
    const loaded = place.reference(`acme/cosign-loaded/image@${image.manifest.digest}`);
    await cosign('verify', '--new-bundle-format=false', ...checked, ...plain, loaded);
  });

  test('the signature of an artifact without layers of an image is verified, too', async () => {
    const artifact = artifactOf({ artifactType: 'application/vnd.test', blobs: [content('text/plain', 'not an image')] });
    const digest = await place.client.pushImage('acme/cosign/artifact', '1', artifact);
    const reference = place.reference(`acme/cosign/artifact@${digest}`);
    await cosign('sign', ...offline, ...plain, reference);
    await cosign('verify', ...checked, ...plain, reference);
  });
});
