import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { matchesEntityTag, parseContentRange, parseRange } from '../../src/http/byte-range.js';

const size = fc.integer({ min: 0, max: 10_000 });
const position = fc.integer({ min: 0, max: 12_000 });

describe('a Range header', () => {
  test('that parses lies in the blob, and asks for at least a byte', () => {
    const header = fc.oneof(
      fc.tuple(position, position).map(([first, last]) => `bytes=${first}-${last}`),
      position.map((first) => `bytes=${first}-`),
      position.map((last) => `bytes=-${last}`),
      fc.string({ unit: fc.constantFrom(...'bytes=-0123456789, '), maxLength: 20 }),
      fc.string({ unit: 'binary', maxLength: 30 }),
    );
    fc.assert(
      fc.property(header, size, (text, bytes) => {
        const range = parseRange(text, bytes);
        if (range === undefined || range === 'unsatisfiable') return;
        expect(range.first).toBeGreaterThanOrEqual(0);
        expect(range.last).toBeGreaterThanOrEqual(range.first);
        expect(range.last).toBeLessThan(bytes);
      }),
    );
  });

  test('gives the bytes that slicing gives', () => {
    fc.assert(
      fc.property(position, position, size, (a, b, bytes) => {
        const all = Array.from({ length: bytes }, (_, index) => index);
        const taken = (text: string) => {
          const range = parseRange(text, bytes);
          if (range === undefined) return all;
          return range === 'unsatisfiable' ? [] : all.slice(range.first, range.last + 1);
        };
        expect(taken(`bytes=${a}-${b}`)).toEqual(all.slice(a, b + 1));
        expect(taken(`bytes=${a}-`)).toEqual(all.slice(a));
        expect(taken(`bytes=-${a}`)).toEqual(a === 0 ? [] : all.slice(-a));
      }),
      { numRuns: 50 },
    );
  });

  test('of another unit, of several ranges or of none asks for all', () => {
    for (const text of [
      undefined,
      '',
      'bytes',
      'bytes=',
      'bytes=-',
      'bytes=0-1,2-3',
      'lines=0-1',
      '0-1',
      'bytes=1',
      'bytes=a-1',
    ]) {
      expect(parseRange(text, 10)).toBeUndefined();
    }
  });

  test('that no byte satisfies is told apart from one that is none', () => {
    for (const text of ['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=5-2', `bytes=${'9'.repeat(500)}-`]) {
      expect(parseRange(text, 10)).toBe('unsatisfiable');
    }
    for (const text of ['bytes=0-', 'bytes=-5', 'bytes=0-0']) expect(parseRange(text, 0)).toBe('unsatisfiable');
  });
});

describe("a chunk's Content-Range", () => {
  test('is parsed back from its two numbers', () => {
    const number = fc.integer({ min: 0, max: 999_999_999_999_999 });
    fc.assert(
      fc.property(
        number,
        number,
        fc.constantFrom('', 'bytes ', 'bytes='),
        fc.constantFrom('', '/*', '/7'),
        (a, b, before, behind) => {
          const expected = a <= b ? { first: a, last: b } : undefined;
          expect(parseContentRange(`${before}${a}-${b}${behind}`)).toEqual(expected);
        },
      ),
    );
  });

  test('of anything else is none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        fc.pre(!/^\s*(?:bytes[ =])?\d+-\d+(?:\/(?:\d+|\*))?\s*$/.test(text));
        expect(parseContentRange(text)).toBeUndefined();
      }),
    );
    for (const text of ['', '-', '1-', '-1', '1-2-3', '1--2', '+1-2', '1.0-2', `${'9'.repeat(16)}-${'9'.repeat(17)}`]) {
      expect(parseContentRange(text)).toBeUndefined();
    }
  });
});

describe('If-None-Match', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const other = fc.array(fc.constantFrom('"x"', 'W/"y"', '""', `"sha256:${'b'.repeat(64)}"`, '"a b"'), { maxLength: 4 });

  test('matches where one of its tags is the digest, weak or strong', () => {
    fc.assert(
      fc.property(other, other, fc.constantFrom(`"${digest}"`, `W/"${digest}"`, '*'), (before, behind, tag) => {
        expect(matchesEntityTag([...before, tag, ...behind].join(', '), digest)).toBe(true);
        expect(matchesEntityTag([...before, ...behind].join(','), digest)).toBe(false);
      }),
    );
  });

  test('matches nothing where it is not there', () => {
    expect(matchesEntityTag(undefined, digest)).toBe(false);
    expect(matchesEntityTag('', digest)).toBe(false);
    expect(matchesEntityTag(`"${digest}x"`, digest)).toBe(false);
  });
});
