import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

export interface TarEntry {
  readonly path: string;
  /** Absent: a folder. */
  readonly bytes?: Uint8Array;
  readonly mode?: number;
}

const block = 512;

/** A ustar archive, the same bytes for the same entries. Paths are at most 100 bytes, or 255 where they can be split at a slash. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap(({ path, bytes, mode }) => {
    if (bytes === undefined) return [header(path.endsWith('/') ? path : `${path}/`, 0, mode ?? 0o755, '5')];
    return [header(path, bytes.length, mode ?? 0o644, '0'), bytes, Buffer.alloc((block - (bytes.length % block)) % block)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header(path: string, size: number, mode: number, type: string): Buffer {
  const [prefix, name] = splitPath(path);
  const bytes = Buffer.alloc(block);
  bytes.write(name, 0);
  bytes.write(octal(mode, 8), 100);
  bytes.write(octal(0, 8), 108);
  bytes.write(octal(0, 8), 116);
  bytes.write(octal(size, 12), 124);
  bytes.write(octal(1_700_000_000, 12), 136);
  bytes.write(' '.repeat(8), 148);
  bytes.write(type, 156);
  bytes.write('ustar\u000000', 257);
  bytes.write(prefix, 345);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${octal(sum, 7)}\0 `, 148);
  return bytes;
}

function octal(value: number, width: number): string {
  return value.toString(8).padStart(width - 1, '0');
}

function splitPath(path: string): readonly [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ['', path];
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    const prefix = path.slice(0, slash);
    const name = path.slice(slash + 1);
    if (name !== '' && Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return [prefix, name];
  }
  throw new Error(`${path} is too long for a tar archive`);
}

/** A folder's files as entries below `prefix`, in byte order of their paths, at most `limit` bytes of them. */
export function folderEntries(folder: string, prefix: string, limit = Infinity): TarEntry[] {
  const entries: TarEntry[] = [{ path: prefix }];
  let left = limit;
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const status = statSync(join(folder, path), { throwIfNoEntry: false });
    if (status === undefined) continue;
    if (status.isDirectory()) entries.push({ path: `${prefix}/${path}` });
    if (!status.isFile() || status.size > left) continue;
    left -= status.size;
    entries.push({ path: `${prefix}/${path}`, bytes: readFileSync(join(folder, path)), mode: status.mode & 0o777 });
  }
  return entries;
}

/** What a layer is in a registry and in a container's file system: its compressed bytes, and the digest of its tar archive. */
export interface Layer {
  readonly bytes: Buffer;
  readonly diffId: string;
  readonly tar: Buffer;
}

export function gzipLayer(archive: Buffer): Layer {
  return { bytes: gzipSync(archive), diffId: `sha256:${createHash('sha256').update(archive).digest('hex')}`, tar: archive };
}
