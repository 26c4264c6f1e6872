import { createHash, randomBytes } from 'node:crypto';

/**
 * @typedef {object} Blob
 * @property {string} digest
 * @property {number} size
 * @property {() => Iterable<Buffer>} frames the bytes in chunk frames, the last one included: a chunked body, ready for the wire
 */

const CHUNK_BYTES = 32 * 1024; // What docker's io.Copy makes of a layer.
const PERIOD_BYTES = 64_000_000;
const TAIL_BYTES = 16;

/** @type {Map<number, ReturnType<typeof prepare>>} */
const prepared = new Map();

/**
 * A blob of random bytes whose digest nobody has seen. Blobs of one size share all but their last bytes, so that making one more, its
 * digest included, costs one block: framing and hashing never fall into a measurement. Past 64 MB the bytes repeat.
 * @param {number} size
 * @returns {Blob}
 */
export function newBlob(size) {
  let shared = prepared.get(size);
  if (shared === undefined) prepared.set(size, (shared = prepare(size)));
  const { hash, period, times, rest } = shared;
  const tail = randomBytes(TAIL_BYTES);
  const end = Buffer.concat([frame(tail), Buffer.from('0\r\n\r\n')]);
  return {
    digest: digestOf(hash.copy().update(tail)),
    size,
    *frames() {
      for (let i = 0; i < times; i++) yield period;
      yield rest;
      yield end;
    },
  };
}

/** A blob of these bytes. @param {Buffer} bytes @returns {Blob} */
export function blobOf(bytes) {
  const frames = [Buffer.concat([frame(bytes), Buffer.from('0\r\n\r\n')])];
  return { digest: digestOf(createHash('sha256').update(bytes)), size: bytes.length, frames: () => frames };
}

/** @param {number} size */
function prepare(size) {
  const length = size - TAIL_BYTES;
  const random = randomBytes(Math.min(length, PERIOD_BYTES));
  const times = Math.floor(length / PERIOD_BYTES);
  const remainder = random.subarray(0, length - times * PERIOD_BYTES);
  const hash = createHash('sha256');
  for (let i = 0; i < times; i++) hash.update(random);
  return { hash: hash.update(remainder), times, period: times > 0 ? frame(random) : random, rest: frame(remainder) };
}

/** @param {Buffer} bytes */
function frame(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    const chunk = bytes.subarray(at, at + CHUNK_BYTES);
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/** @param {import('node:crypto').Hash} hash */
function digestOf(hash) {
  return `sha256:${hash.digest('hex')}`;
}
