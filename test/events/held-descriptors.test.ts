import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { heldBy } from '../../src/events/held-descriptors.js';
import { descriptorsToFind, parseManifest } from '../../src/events/manifest-document.js';

const fixtures = new URL('../fixtures/manifests/', import.meta.url);
const golden = JSON.parse(readFileSync(new URL('../golden/held.json', import.meta.url), 'utf8')) as Record<string, string[]>;

describe('what a stored manifest holds', () => {
  for (const name of readdirSync(fixtures).filter((file) => file.endsWith('.json'))) {
    const bytes = readFileSync(new URL(name, fixtures));
    const type = /"mediaType"/.test(bytes.toString()) ? undefined : 'application/vnd.oci.image.manifest.v1+json';
    const document = parseManifest(bytes, type);
    if ('reason' in document) continue;
    test(`${name} is what a push looks for, and what it was when it was first read`, () => {
      const held = heldBy(bytes).map(({ kind, digest }) => `${kind} ${digest}`);
      expect(held).toEqual(descriptorsToFind(document).map(({ kind, digest }) => `${kind} ${digest}`));
      expect(held).toEqual(golden[name]);
    });
  }

  test('is asked of any JSON object without an exception', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('config', 'layers', 'manifests', 'x'), fc.jsonValue()), (root) => {
        heldBy(Buffer.from(JSON.stringify(root)));
      }),
    );
  });
});
