import tuple, { type TupleItem } from 'fdb-tuple';

/** What keys of this store are made of. A uid and a digest are bytes already (`uidToBytes`, `digestToBytes`). */
export type KeyItem = string | number | Buffer | Uuid;

/** Packs as the tuple layer's UUID (0x30), 17 bytes. */
export interface Uuid {
  readonly uuid: Buffer;
}

const scratch = Buffer.allocUnsafeSlow(8_192);

/**
 * FoundationDB's tuple encoding of strings, bytes, UUIDs and integers from 0 to 2^48 - 1, byte for byte as `fdb-tuple` packs them (a test holds the
 * two together) in an eighth of its time: a pull builds half a dozen keys. Strings hold no NUL and keys have at most 4 kB: longer throws a RangeError.
 */
export function pack(prefix: Buffer, items: readonly KeyItem[]): Buffer {
  let at = prefix.copy(scratch);
  for (const item of items) at = typeof item === 'string' ? packText(item, at) : packOther(item, at);
  if (at > 4_096) throw new RangeError(`a key of ${at} bytes`);
  const key = Buffer.allocUnsafe(at);
  scratch.copy(key, 0, 0, at);
  return key;
}

function packText(text: string, at: number): number {
  if (text.length > 1_500) throw new RangeError(`a key part of ${text.length} characters`);
  if (text.includes('\u0000')) throw new RangeError('a key part with NUL');
  scratch[at] = 0x02;
  const end = at + 1 + scratch.write(text, at + 1);
  scratch[end] = 0x00;
  return end + 1;
}

function packOther(item: number | Buffer | Uuid, at: number): number {
  if (typeof item === 'number') return packInteger(item, at);
  if (!Buffer.isBuffer(item)) {
    scratch[at] = 0x30;
    return at + 1 + item.uuid.copy(scratch, at + 1, 0, 16);
  }
  if (item.length > 1_500) throw new RangeError(`a key part of ${item.length} bytes`);
  scratch[at++] = 0x01;
  for (const byte of item) {
    scratch[at++] = byte;
    if (byte === 0x00) scratch[at++] = 0xff;
  }
  scratch[at++] = 0x00;
  return at;
}

function packInteger(item: number, at: number): number {
  if (!Number.isSafeInteger(item) || item < 0 || item >= 2 ** 48) throw new RangeError(`a key part of ${item}`);
  let length = 0;
  for (let rest = item; rest > 0; rest = Math.floor(rest / 256)) length += 1;
  scratch[at] = 0x14 + length;
  if (length > 0) scratch.writeUIntBE(item, at + 1, length);
  return at + 1 + length;
}

/** Lists are read by the ten thousand, and most of their keys end in one string: those are taken apart here. */
export function unpack(bytes: Buffer): TupleItem[] {
  const end = bytes.length - 1;
  return bytes[0] === 0x02 && bytes.indexOf(0x00) === end ? [bytes.toString('utf8', 1, end)] : tuple.unpack(bytes);
}
