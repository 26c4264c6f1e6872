import fc from 'fast-check';
import { expect, test } from 'vitest';

import { comparePositions, formatPosition, parsePosition, positionInCommit, timeOf } from '../../src/events/position.js';
import { createKeyspace, directoryPrefix, stampOfKey } from '../../src/keyvalue/keyspace.js';

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
  const key = ({ incarnation, stamp }: { incarnation: number; stamp: Buffer }): Buffer =>
    keyspace.streamKey('s', incarnation, stamp);
  fc.assert(
    fc.property(positions, positions, (left, right) => {
      expect(Math.sign(comparePositions(left, right))).toBe(key(left).compare(key(right)));
    }),
  );
});

test('an event of a commit has its versionstamp, its number and its time', () => {
  const versionstamp = Buffer.alloc(10);
  versionstamp.writeBigUInt64BE(1_763_781_234_567_890n);
  const position = positionInCommit(3, versionstamp, 258);
  expect(formatPosition(position)).toBe('3-0006442651f2aad200000102');
  expect(timeOf(position)).toBe(1_763_781_234_567_890);
  const { template, offset } = createKeyspace(directoryPrefix('registry')).logAppend(3, 0, 258);
  versionstamp.copy(template, offset);
  expect(stampOfKey(template)).toEqual(position.stamp);
});
