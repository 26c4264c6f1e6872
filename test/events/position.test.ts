import fc from 'fast-check';
import { expect, test } from 'vitest';

import { comparePositions, formatPosition, parsePosition, positionInCommit, versionOf } from '../../src/events/position.js';
import { blobStream, repositoryStream } from '../../src/events/types.js';
import { createKeyspace, directoryPrefix, stampOfKey } from '../../src/keyvalue/keyspace.js';
import { sha512, uid } from './samples.js';

const positions = fc
  .tuple(fc.nat(2 ** 31), fc.uint8Array({ minLength: 12, maxLength: 12 }))
  .map(([incarnation, stamp]) => ({ incarnation, stamp: Buffer.from(stamp) }));

test('a position comes back from its text', () => {
  fc.assert(
    fc.property(positions, (position) => {
      expect(parsePosition(formatPosition(position))).toEqual(position);
    }),
  );
});

test('any other text is no position', () => {
  const stamp = '0102030405060708090a0b0c';
  expect(parsePosition(`1-${stamp}`)).toBeDefined();
  for (const text of [
    '',
    stamp,
    `-${stamp}`,
    `01-${stamp}`,
    `1-${stamp}0`,
    `1-${stamp.slice(1)}`,
    `1-${stamp.toUpperCase()}`,
    `1-${stamp}\n`,
  ]) {
    expect(parsePosition(text), text).toBeUndefined();
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      const position = parsePosition(text);
      expect(position === undefined || formatPosition(position) === text).toBe(true);
    }),
  );
});

test('positions are ordered as the keys of a log are', () => {
  const keyspace = createKeyspace(directoryPrefix('registry'));
  const stream = repositoryStream(uid('4'));
  const key = ({ incarnation, stamp }: { incarnation: number; stamp: Buffer }): Buffer =>
    keyspace.streamKey(stream, incarnation, stamp);
  fc.assert(
    fc.property(positions, positions, (left, right) => {
      expect(Math.sign(comparePositions(left, right))).toBe(key(left).compare(key(right)));
    }),
  );
});

test('an event of a commit has its versionstamp, whose version it tells, and its number', () => {
  const versionstamp = Buffer.alloc(10);
  versionstamp.writeBigUInt64BE(1_763_781_234_567_890n);
  const position = positionInCommit(3, versionstamp, 258);
  expect(formatPosition(position)).toBe('3-0006442651f2aad200000102');
  expect(versionOf(position)).toBe(1_763_781_234_567_890n);
  const { template, offset } = createKeyspace(directoryPrefix('registry')).logAppend(3, 0, 258);
  versionstamp.copy(template, offset);
  expect(stampOfKey(template)).toEqual(position.stamp);
});

test("a stream's key holds its digest or uid in binary", () => {
  const keyspace = createKeyspace(Buffer.alloc(0));
  const prefixLength = (stream: string): number => keyspace.streamBounds(stream).begin.length - 1;
  // Tuple layer: a text and bytes have a code and an end, a UUID has a code alone.
  expect(prefixLength(blobStream(sha512('d')))).toBe('stream'.length + 2 + 'blob'.length + 2 + 1 + 64 + 2);
  expect(prefixLength(repositoryStream(uid('4')))).toBe('stream'.length + 2 + 'repository'.length + 2 + 1 + 16);
  for (const text of ['', 'repository', 'repository/', `/${uid('4')}`, 'blob/sha256:abc', 'repository/0190']) {
    expect(() => keyspace.streamBounds(text), text).toThrow(RangeError);
  }
});
