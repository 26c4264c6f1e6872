import { COMMIT_STAMP_BYTES } from './apply-operations.js';
import type { KeyRange } from './commit-request.js';
import { KeyValueError, limits } from './database.js';

/** What every engine refuses in a transaction, in the same words. */

/** A versionstamped key or value carries its offset as 4 bytes at its end. */
export const OFFSET_BYTES = 4;

export function checkKey(key: Buffer): void {
  if (key.length > limits.keyBytes) {
    throw new KeyValueError('key_too_large', `a key of ${key.length} bytes is over the limit of ${limits.keyBytes} bytes`);
  }
}

export function checkValue(bytes: number): void {
  if (bytes > limits.valueBytes) {
    throw new KeyValueError('value_too_large', `a value of ${bytes} bytes is over the limit of ${limits.valueBytes} bytes`);
  }
}

export function checkOffset(template: Buffer, offset: number): void {
  if (!Number.isInteger(offset) || offset < 0 || offset + COMMIT_STAMP_BYTES > template.length) {
    throw new RangeError(`a versionstamp of ${COMMIT_STAMP_BYTES} bytes does not fit at ${offset} of ${template.length} bytes`);
  }
}

export function checkAddend(delta: bigint): void {
  if (delta < -(2n ** 63n) || delta >= 2n ** 64n) throw new RangeError(`add takes an integer of 64 bits, not ${delta}`);
}

export function checkUnsigned(value: bigint): void {
  if (value < 0n || value >= 2n ** 64n) throw new RangeError(`max takes an unsigned integer of 64 bits, not ${value}`);
}

/** The range over the caller's own bytes, its ends cut to what can tell keys apart; undefined when it is empty. Throws `inverted_range`. */
export function checkedRange(begin: Buffer, end: Buffer): KeyRange | undefined {
  if (Buffer.compare(begin, end) > 0) {
    throw new KeyValueError(
      'inverted_range',
      `the range begins at ${begin.toString('hex')}, after its end ${end.toString('hex')}`,
    );
  }
  const range = { begin: cut(begin), end: cut(end) };
  return Buffer.compare(range.begin, range.end) === 0 ? undefined : range;
}

/** No key is longer than the limit, so one byte more is as far behind it as any number; LMDB takes no longer bounds. */
function cut(bound: Buffer): Buffer {
  return bound.length > limits.keyBytes ? bound.subarray(0, limits.keyBytes + 1) : bound;
}

export function unreadable(options?: ErrorOptions): KeyValueError {
  return new KeyValueError(
    'accessed_unreadable',
    'the read reaches a key that this transaction writes by a versionstamp, which is not known before the commit',
    options,
  );
}

export function tooOld(): KeyValueError {
  return new KeyValueError('transaction_too_old', `the transaction has been reading for longer than ${limits.transactionMs} ms`);
}

export function transactionTooLarge(bytes: number, options?: ErrorOptions): KeyValueError {
  return new KeyValueError(
    'transaction_too_large',
    `a transaction of ${bytes} bytes, conflict ranges included, is over the limit of ${limits.transactionBytes} bytes`,
    options,
  );
}

export function noCommitVersion(): KeyValueError {
  return new KeyValueError('no_commit_version', 'the transaction wrote nothing, so it has no versionstamp');
}

export function transactionEnded(): KeyValueError {
  return new KeyValueError('closed', 'the transaction has ended; its body must not use it any more');
}
