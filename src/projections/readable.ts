import { digestFromBytes } from '../digest.js';
import { formatPosition } from '../events/position.js';
import { uidFromBytes } from '../identifiers.js';
import { STAMP_BYTES } from '../keyvalue/keyspace.js';
import { unpack } from '../keyvalue/tuple.js';
import { POSITION_BYTES, splitPosition } from './views.js';

/** A key of an index, without its build's prefix, for people: `tag / 0190… / web / latest`. What is no tuple is shown as hex. */
export function readableKey(key: Buffer): string {
  try {
    return unpack(key).map(readableItem).join(' / ');
  } catch {
    return `0x${key.toString('hex')}`;
  }
}

/** A value of an index for people: text and JSON as they are; positions, digests and uids in their text form; what is none of these as hex. */
export function readableValue(value: Buffer): string {
  if (value.length === 0) return '(empty)';
  const plain = readableBytes(value);
  if (plain !== undefined) return plain;
  if (value.length >= POSITION_BYTES && value.readUInt32BE(0) >= 1 && value.readUInt32BE(0) < 0x1_0000) {
    const { position, rest } = splitPosition(value);
    const behind = rest.length === 0 ? '' : `, ${readableBytes(rest) ?? hex(rest)}`;
    return `at ${formatPosition(position)}${behind}`;
  }
  return hex(value);
}

const SHOWN_BYTES = 60;

function hex(bytes: Buffer): string {
  const more = bytes.length > SHOWN_BYTES ? `… (${bytes.length} bytes)` : '';
  return `0x${bytes.toString('hex', 0, SHOWN_BYTES)}${more}`;
}

// Printable, and no more than a screen's line or two.
const printable = /^[\p{L}\p{N}\p{P}\p{S} ]{1,300}$/u;

function readableBytes(bytes: Buffer): string | undefined {
  if ((bytes.length === 33 && bytes[0] === 1) || (bytes.length === 65 && bytes[0] === 2)) return digestFromBytes(bytes);
  const text = bytes.toString();
  if (printable.test(text) && Buffer.from(text).equals(bytes)) return text;
  return bytes.length === 16 ? uidFromBytes(bytes) : undefined;
}

function readableItem(item: unknown): string {
  if (typeof item === 'string') return item === '' ? '""' : item;
  if (typeof item === 'number') return String(item);
  const value = typeof item === 'object' && item !== null && 'value' in item ? item.value : item;
  if (!Buffer.isBuffer(value)) return String(value);
  if (value.length === STAMP_BYTES) return value.toString('hex');
  return readableBytes(value) ?? hex(value);
}
