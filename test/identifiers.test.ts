import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { NAME_MAX_LENGTH, parseName, parseReference, parseTag, parseUid, uidFromBytes, uidToBytes } from '../src/identifiers.js';

/** As it stands in distribution-spec 1.1, "Pulling manifests". */
const specName = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
const specTag = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

const nearlyName = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '.', '_', '-', '/', ' ', '\n', 'é'), maxLength: 12 });

describe('a name', () => {
  test('is one exactly where the specification says so, has two parts or more and at most 200 characters', () => {
    fc.assert(
      fc.property(fc.oneof(nearlyName, fc.stringMatching(/^[a-z0-9]{1,3}(?:[._/-][a-z0-9]{1,3}){0,5}$/)), (text) => {
        const parsed = parseName(text);
        const expected = specName.test(text) ? (text.includes('/') ? 'name' : 'too-few-parts') : 'invalid';
        expect('problem' in parsed ? parsed.problem : 'name').toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test('is taken apart into project, repository and image, and put together again', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,5}(?:(?:\.|__?|-{1,3})[a-z0-9]{1,5}){0,2}$/);
    fc.assert(
      fc.property(fc.array(part, { minLength: 2, maxLength: 6 }), (parts) => {
        const parsed = parseName(parts.join('/'));
        if ('problem' in parsed) throw new Error(parsed.reason);
        const { project, repository, image, name } = parsed;
        expect([project, repository, ...(image === '' ? [] : image.split('/'))]).toEqual(parts);
        expect(name).toBe(parts.join('/'));
      }),
    );
  });

  test('of 200 characters is the longest, and the reason names both numbers', () => {
    expect('problem' in parseName(`p/${'r'.repeat(NAME_MAX_LENGTH - 2)}`)).toBe(false);
    expect(parseName(`p/${'r'.repeat(NAME_MAX_LENGTH - 1)}`)).toMatchObject({
      problem: 'too-long',
      reason: expect.stringMatching(/201.*200/) as string,
    });
  });

  test('with a line break at its end is none', () => {
    for (const text of ['p/r\n', 'p\n/r', '\np/r']) expect(parseName(text)).toMatchObject({ problem: 'invalid' });
  });
});

describe('a reference', () => {
  test('is a tag exactly where the specification says so', () => {
    const nearlyTag = fc.string({ unit: fc.constantFrom('a', 'Z', '9', '_', '.', '-', ' ', '/', '\n', 'é'), maxLength: 130 });
    fc.assert(
      fc.property(fc.oneof(nearlyTag, fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{120,130}$/)), (text) => {
        expect(parseTag(text) !== undefined).toBe(specTag.test(text) && !text.endsWith('\n'));
        expect('tag' in parseReference(text)).toBe(specTag.test(text) && !text.endsWith('\n'));
      }),
    );
  });

  test('with a colon is a digest or nothing', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 }), (a, b) => {
        expect('reason' in parseReference(`${a}:${b}`)).toBe(true);
      }),
    );
    for (const text of [`sha256:${'0'.repeat(64)}`, `sha512:${'f'.repeat(128)}`])
      expect(parseReference(text)).toEqual({ digest: text });
    for (const text of [`sha256:${'A'.repeat(64)}`, `sha256:${'0'.repeat(64)}\n`, `sha512:${'0'.repeat(64)}`]) {
      expect('reason' in parseReference(text)).toBe(true);
    }
  });
});

test('a uid survives its bytes', () => {
  fc.assert(
    fc.property(fc.uuid(), (text) => {
      const uid = parseUid(text);
      if (uid === undefined) throw new Error(text);
      expect(uidFromBytes(uidToBytes(uid))).toBe(text);
    }),
  );
  for (const text of ['', 'x', '01A20172-33DE-71C8-ADBF-307F4DD8932B', '01a2017233de71c8adbf307f4dd8932b']) {
    expect(parseUid(text)).toBeUndefined();
  }
});
