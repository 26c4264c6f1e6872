import fc from 'fast-check';
import { expect, test } from 'vitest';

import { exempts, isExemption, isImmutable } from '../../src/commands/immutable-tags.js';
import type { Tag } from '../../src/identifiers.js';
import { defaultSettings } from '../../src/projections/repository-details.js';

const hex = 'abcdef0123456789'.repeat(4);

test.each([
  ['latest', 'latest', true],
  ['latest', 'latest2', false],
  ['*', 'anything', true],
  ['v*', 'v1.2', true],
  ['v*', 'w1.2', false],
  ['v?', 'v1', true],
  ['v?', 'v', false],
  ['v?', 'v12', false],
  ['*-rc*', '1.0-rc.1', true],
  ['*-rc*', '1.0', false],
  ['a.b', 'a.b', true],
  ['a.b', 'axb', false],
  ['sha256-<hex>*', `sha256-${hex}`, true],
  ['sha256-<hex>*', `sha256-${hex}.sig`, true],
  ['sha256-<hex>*', 'sha256-foo', false],
  ['sha256-<hex>', `sha256-${hex}.sig`, false],
  ['<hex>', hex.slice(0, 31), false],
  ['<hex>', hex.slice(0, 32), true],
  ['<hex>?', hex.slice(0, 33), true],
])('%s stands for %s: %s', (pattern, tag, yes) => {
  expect(exempts(pattern, tag as Tag)).toBe(yes);
});

test('a pattern stands for what an expression of the same meaning matches', () => {
  const letters = fc.constantFrom('a', 'b', '.', '-');
  const pieces = fc.array(fc.oneof(letters, fc.constant('*'), fc.constant('?')), { minLength: 1, maxLength: 8 });
  const tags = fc.array(letters, { minLength: 1, maxLength: 10 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(pieces, tags, (parts, tag) => {
      const source = parts
        .map((part) => (({ '*': '.*', '?': '.', '.': '\\.' }) as Record<string, string>)[part] ?? part)
        .join('');
      expect(exempts(parts.join(''), tag as Tag)).toBe(new RegExp(`^${source}$`).test(tag));
    }),
    { numRuns: 2_000 },
  );
});

test('a pattern of many stars takes no longer than others', () => {
  const tag = 'a'.repeat(128) as Tag;
  const began = performance.now();
  expect(exempts(`${'*a'.repeat(60)}*b`, tag)).toBe(false);
  // An engine that goes back and tries again takes longer than there is time.
  expect(performance.now() - began).toBeLessThan(1_000);
});

test.each([
  ['', false],
  ['a b', false],
  ['a/b', false],
  ['<hex', false],
  ['<dec>', false],
  ['*'.repeat(129), false],
  ['release-*', true],
  ['sha512-<hex>?', true],
])('%j is a pattern: %s', (text, yes) => {
  expect(isExemption(text)).toBe(yes);
});

test('by default the tags of signatures are movable, and only they', () => {
  const settings = { ...defaultSettings, immutableTags: true };
  expect(isImmutable(settings, 'latest' as Tag)).toBe(true);
  expect(isImmutable(settings, `sha256-${hex}` as Tag)).toBe(false);
  expect(isImmutable(settings, `sha512-${hex}${hex}.att` as Tag)).toBe(false);
  expect(isImmutable(defaultSettings, 'latest' as Tag)).toBe(false);
});
