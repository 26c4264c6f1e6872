import fc from 'fast-check';
import tuple from 'fdb-tuple';
import { expect, test } from 'vitest';

import { pack, unpack, type KeyItem } from '../../src/keyvalue/tuple.js';

const item: fc.Arbitrary<KeyItem> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }).filter((text) => !text.includes('\u0000')),
  fc.nat({ max: 2 ** 48 - 1 }),
  fc.integer({ min: 0, max: 300 }),
  fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => ({ uuid: Buffer.from(bytes) })),
);

test('keys are packed byte for byte as the tuple layer packs them', () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 6 }), (items) => {
      const theirs = items.map((part) =>
        typeof part === 'object' && 'uuid' in part ? { type: 'uuid' as const, value: part.uuid } : part,
      );
      expect(pack(Buffer.alloc(0), items)).toEqual(tuple.pack(theirs));
    }),
    { numRuns: 2_000 },
  );
});

test('keys are taken apart as the tuple layer takes them apart', () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 3 }), (items) => {
      const packed = pack(Buffer.alloc(0), items);
      expect(unpack(packed)).toEqual(tuple.unpack(packed));
    }),
    { numRuns: 2_000 },
  );
});

test('what the encoding has no room for is refused', () => {
  for (const bad of ['a\u0000b', 'x'.repeat(1_501), -1, 1.5, 2 ** 48, Buffer.alloc(1_501)]) {
    expect(() => pack(Buffer.alloc(0), [bad])).toThrow(RangeError);
  }
});
