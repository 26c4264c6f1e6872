import * as fs from 'node:fs';
import { promisify } from 'node:util';

import type { FileCalls } from './file-calls.js';
import { shortFile } from './storage-errors.js';

/** Up to here bytes are read and written at once, with no file open between calls. */
export const SMALL_BYTES = 64 * 1024;
const REREAD_BYTES = 1024 * 1024;

const readBulk = promisify(fs.read);
const writevBulk = promisify(fs.writev);

export async function writeAll(
  calls: FileCalls,
  file: number,
  chunks: readonly Uint8Array[],
  bytes: number,
  position: number,
): Promise<void> {
  let rest = chunks;
  for (let at = 0; at < bytes;) {
    const written =
      bytes <= SMALL_BYTES
        ? await calls.writev(file, rest, position + at)
        : (await writevBulk(file, rest, position + at)).bytesWritten;
    at += written;
    // A disk that fills up takes a part, and says so only at the next call.
    if (at < bytes) rest = after(rest, written);
  }
}

function after(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skip = bytes;
  for (const [index, chunk] of chunks.entries()) {
    if (skip < chunk.length) return [chunk.subarray(skip), ...chunks.slice(index + 1)];
    skip -= chunk.length;
  }
  return [];
}

/** Rejects with `storage_failed` where the file ends before. `path`: for the message. */
export async function readWhole(calls: FileCalls, file: number, path: string, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let at = 0;
  while (at < length) {
    const rest = at === 0 ? buffer : buffer.subarray(at);
    const bytes =
      length <= SMALL_BYTES
        ? await calls.read(file, rest, position + at)
        : (await readBulk(file, rest, 0, rest.length, position + at)).bytesRead;
    if (bytes === 0) throw shortFile(path);
    at += bytes;
  }
  return buffer;
}

/** Reads the next piece while `see` is busy with the last. Answers the size. */
export async function hashFile(file: number, see: (bytes: Buffer) => void): Promise<number> {
  let size = 0;
  let [current, other] = [Buffer.allocUnsafeSlow(REREAD_BYTES), Buffer.allocUnsafeSlow(REREAD_BYTES)];
  let bytes = (await readBulk(file, current, 0, REREAD_BYTES, 0)).bytesRead;
  while (bytes > 0) {
    size += bytes;
    const next = readBulk(file, other, 0, REREAD_BYTES, size);
    see(current.subarray(0, bytes));
    bytes = (await next).bytesRead;
    [current, other] = [other, current];
  }
  return size;
}
