import { createHash } from 'node:crypto';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  algorithmOf,
  digestFromBytes,
  digestOf,
  digestToBytes,
  hexOf,
  isDigestAlgorithm,
  parseDigest,
  type Digest,
} from '../../src/digest.js';

const digest = fc
  .tuple(fc.constantFrom('sha256', 'sha512'), fc.uint8Array({ maxLength: 20 }))
  .map(([algorithm, bytes]): Digest => {
    const made = parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`);
    if (made === undefined) throw new Error('no digest');
    return made;
  });

test('the digest of bytes is the one that others compute', () => {
  // NIST, FIPS 180-4: "abc".
  expect(digestOf(Buffer.from('abc'), 'sha256')).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(digestOf(Buffer.from('abc'), 'sha512')).toBe(
    'sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  );
});

test('a digest goes into its key form and comes back', () => {
  fc.assert(
    fc.property(digest, (value) => {
      expect(digestFromBytes(digestToBytes(value))).toBe(value);
      expect(parseDigest(`${algorithmOf(value)}:${hexOf(value)}`)).toBe(value);
    }),
  );
});

test('the codes of the algorithms in keys stay what they are', () => {
  for (const [algorithm, code, length] of [
    ['sha256', 1, 32],
    ['sha512', 2, 64],
  ] as const) {
    const value = parseDigest(`${algorithm}:${'0f'.repeat(length)}`);
    if (value === undefined) throw new Error('no digest');
    expect(digestToBytes(value)).toEqual(Buffer.concat([Buffer.of(code), Buffer.alloc(length, 0x0f)]));
  }
});

test.each([
  ['an unknown algorithm', `md5:${'a'.repeat(32)}`],
  ['upper case', `sha256:${'A'.repeat(64)}`],
  ['an upper-case algorithm', `SHA256:${'a'.repeat(64)}`],
  ['a digit too few', `sha256:${'a'.repeat(63)}`],
  ['a digit too many', `sha256:${'a'.repeat(65)}`],
  ['the length of the other algorithm', `sha512:${'a'.repeat(64)}`],
  ['no hex', `sha256:${'g'.repeat(64)}`],
  ['a line end', `sha256:${'a'.repeat(64)}\n`],
  ['a path', `sha256:${'../'.repeat(21)}a`],
  ['no algorithm', 'a'.repeat(64)],
  ['nothing', ''],
])('%s is no digest', (_why, text) => {
  expect(parseDigest(text)).toBeUndefined();
});

test.each([
  ['an unknown code', Buffer.concat([Buffer.of(3), Buffer.alloc(32)])],
  ['too few bytes', Buffer.concat([Buffer.of(1), Buffer.alloc(31)])],
  ['no bytes', Buffer.alloc(0)],
])('key bytes with %s are refused', (_why, bytes) => {
  expect(() => digestFromBytes(bytes)).toThrow('no digest');
});

test('sha256 and sha512 are the algorithms', () => {
  expect(['sha256', 'sha512', 'sha384', 'SHA256', 'toString'].filter(isDigestAlgorithm)).toEqual(['sha256', 'sha512']);
});
