import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { parseRegistryPath } from '../../src/http/registry-path.js';

// Words that also stand for something in a path are the names that a parser mistakes.
const component = fc.oneof(
  fc.constantFrom('tags', 'list', 'blobs', 'uploads', 'manifests', 'referrers', 'p', 'r'),
  fc.stringMatching(/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+){0,2}$/),
);
const name = fc.array(component, { minLength: 2, maxLength: 6 }).map((parts) => parts.join('/'));
const hex = fc.stringMatching(/^[0-9a-f]{64}$/).map((digits) => `sha256:${digits}`);
const tag = fc.oneof(fc.constantFrom('list', 'uploads', 'tags'), fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/));

describe('a path under /v2 that is put together from its parts is taken apart into them', () => {
  test('tags', () => {
    fc.assert(
      fc.property(name, (of) => {
        expect(parseRegistryPath(`/${of}/tags/list`)).toEqual({ kind: 'tags', name: of });
      }),
    );
  });

  test('manifests', () => {
    fc.assert(
      fc.property(name, fc.oneof(tag, hex), (of, reference) => {
        expect(parseRegistryPath(`/${of}/manifests/${reference}`)).toEqual({ kind: 'manifest', name: of, reference });
      }),
    );
  });

  test('blobs, with the colon as it is or escaped', () => {
    fc.assert(
      fc.property(name, hex, (of, digest) => {
        for (const text of [digest, digest.replace(':', '%3A'), digest.replace(':', '%3a')]) {
          expect(parseRegistryPath(`/${of}/blobs/${text}`)).toEqual({ kind: 'blob', name: of, digest });
        }
      }),
    );
  });

  test('referrers', () => {
    fc.assert(
      fc.property(name, hex, (of, digest) => {
        expect(parseRegistryPath(`/${of}/referrers/${digest}`)).toEqual({ kind: 'referrers', name: of, digest });
      }),
    );
  });

  test('uploads, with and without the slash, and one upload', () => {
    fc.assert(
      fc.property(name, fc.uuid({ version: 7 }), (of, upload) => {
        for (const end of ['', '/'])
          expect(parseRegistryPath(`/${of}/blobs/uploads${end}`)).toEqual({ kind: 'uploads', name: of });
        expect(parseRegistryPath(`/${of}/blobs/uploads/${upload}`)).toEqual({ kind: 'upload', name: of, upload });
      }),
    );
  });

  test('the base and the catalog', () => {
    expect(parseRegistryPath('')).toEqual({ kind: 'base' });
    expect(parseRegistryPath('/')).toEqual({ kind: 'base' });
    expect(parseRegistryPath('/_catalog')).toEqual({ kind: 'catalog' });
  });
});

test('any text is taken apart or not, and never throws', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.webPath()), (text) => {
      expect(() => parseRegistryPath(text)).not.toThrow();
      expect(() => parseRegistryPath(`/p/r/manifests/${text}`)).not.toThrow();
    }),
  );
});

test('a long path is taken apart in a moment', () => {
  for (const part of ['/blobs/uploads', '/tags/list', '/manifests/x', '/a', '//']) {
    const started = performance.now();
    parseRegistryPath(`${part.repeat(2_000)}!`);
    expect(performance.now() - started).toBeLessThan(200);
  }
});
