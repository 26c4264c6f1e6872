import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { makeRelease, overlayFolder } from '../support/next-release.js';

const docs = readFileSync(new URL('../../docs/schema-changes.md', import.meta.url), 'utf8');
const overlays = ['mirrored-repositories', 'principal-registered', 'tags-v2', 'activity'] as const;

const sources = overlays.flatMap((overlay) =>
  readdirSync(overlayFolder(overlay), { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')),
);

// Prettier moves code in documents to the left.
const unindented = (code: string): string => code.replace(/^ +/gm, '');

/** Code, from the line behind the fence to the one before its end. */
const blocks = [...docs.matchAll(/^```(?:ts|diff)\n(.*?)^```$/gms)].map(([, code = '']) => code);

describe('docs/schema-changes.md', () => {
  test.each(blocks.map((code) => [code.split('\n')[0] ?? '', code] as const))('shows code that runs: %s', (_first, code) => {
    expect(sources.some((source) => unindented(source).includes(unindented(code)))).toBe(true);
  });

  test('shows all of the worked examples', () => {
    expect(blocks.length).toBeGreaterThan(10);
    for (const overlay of overlays) expect(docs).toContain(`test/schema-changes/${overlay}`);
  });
});

test.each(overlays)('%s is a whole release by the type check', { timeout: 240_000 }, async (overlay) => {
  expect(await (await makeRelease({ version: '0.5.0', overlay })).typeCheck()).toBe('');
});
