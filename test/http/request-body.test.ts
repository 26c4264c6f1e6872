import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';

import { refuse } from '../../src/errors.js';
import { readBody } from '../../src/http/request-body.js';

const tooLarge = () => refuse('MANIFEST_TOO_LARGE');

test('a body in tiny chunks keeps none of them', async () => {
  const text = 'abcdefghij'.repeat(1_000);
  const source = new PassThrough();
  const reading = readBody(source, text.length, tooLarge);
  // Every chunk is the same memory: one that is kept would say what the last one said.
  const chunk = Buffer.alloc(1);
  for (const letter of text) {
    chunk.write(letter);
    source.emit('data', chunk);
  }
  source.end();
  expect((await reading).toString() === text).toBe(true);
});

test('a body of exactly the limit is read, one byte more is refused', async () => {
  expect(await readBody(Readable.from([Buffer.alloc(3), Buffer.alloc(2)]), 5, tooLarge)).toHaveLength(5);
  await expect(readBody(Readable.from([Buffer.alloc(3), Buffer.alloc(3)]), 5, tooLarge)).rejects.toMatchObject({
    refusal: { refused: 'MANIFEST_TOO_LARGE' },
  });
});

test('an empty body is no bytes', async () => {
  expect(await readBody(Readable.from([]), 5, tooLarge)).toHaveLength(0);
});

test('reading ends when the upload is taken over', async () => {
  const source = new PassThrough();
  const claim = new AbortController();
  const reading = readBody(source, 5, tooLarge, claim.signal);
  source.write('ab');
  claim.abort();
  await expect(reading).rejects.toMatchObject({ refusal: { refused: 'UPLOAD_TAKEN_OVER' } });
  await expect(readBody(source, 5, tooLarge, claim.signal)).rejects.toMatchObject({
    refusal: { refused: 'UPLOAD_TAKEN_OVER' },
  });
  expect(source.listenerCount('data')).toBe(0);
});
