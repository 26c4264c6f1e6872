import crc32 from 'crc-32';

/** The field's tag and its four bytes. They come first: then no other byte, flipped or cut off, makes an event with a checksum one without. */
export const CHECKSUM_BYTES = 5;

/** `fixed32 checksum = 10` of events.proto. An event without one begins with the tag of its id. */
export const CHECKSUM_TAG = (10 << 3) | 5;

/** Whether an event of the log can be held against a checksum; those of generation 1 can't. Reads one byte, and does not say that the checksum is right. */
export function hasChecksum(bytes: Uint8Array): boolean {
  return bytes[0] === CHECKSUM_TAG;
}

/** Fills in the value of an event that begins with the field. */
export function setChecksum(bytes: Buffer): void {
  bytes.writeInt32LE(crc32.buf(bytes.subarray(CHECKSUM_BYTES)), 1);
}

/** The event behind its checksum; undefined when they don't belong together. */
export function verifyChecksum(bytes: Buffer): Buffer | undefined {
  if (bytes.length < CHECKSUM_BYTES) return undefined;
  const rest = bytes.subarray(CHECKSUM_BYTES);
  return crc32.buf(rest) === bytes.readInt32LE(1) ? rest : undefined;
}
