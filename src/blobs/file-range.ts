import * as fs from 'node:fs';
import { Readable, type Writable } from 'node:stream';

/** One read, and one write to the socket. Measured to an HTTP socket: 64 kB 0.55 GB/s, 256 kB 1.1, 512 kB 1.4, 1 MB 1.6, which a stalled client pins. */
const CHUNK_BYTES = 512 * 1024;

/** Streams `length` bytes from `position` of an open file, which it closes when it is at its end or destroyed. Fewer bytes are an error. */
export class FileRange extends Readable {
  readonly #file: number;
  readonly #short: () => Error;
  #position: number;
  #left: number;
  #reading = false;
  #afterRead: (() => void) | undefined;

  constructor(file: number, position: number, length: number, short: () => Error) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#file = file;
    this.#position = position;
    this.#left = length;
    this.#short = short;
  }

  override _read(): void {
    if (this.#left === 0) {
      this.push(null);
      return;
    }
    const buffer = Buffer.allocUnsafeSlow(Math.min(this.#left, CHUNK_BYTES));
    this.#reading = true;
    fs.read(this.#file, buffer, 0, buffer.length, this.#position, (error, bytes) => {
      this.#reading = false;
      this.#afterRead?.();
      if (this.destroyed) return;
      if (error !== null) this.destroy(error);
      else if (bytes === 0) this.destroy(this.#short());
      else {
        this.#position += bytes;
        this.#left -= bytes;
        this.push(bytes === buffer.length ? buffer : buffer.subarray(0, bytes));
        // The end is known already: the file is closed without one more round.
        if (this.#left === 0) this.push(null);
      }
    });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const close = () => fs.close(this.#file, (failed) => callback(error ?? failed));
    // A number closed during a read may be given to another file before the read has begun.
    if (this.#reading) this.#afterRead = close;
    else close();
  }
}

/**
 * Writes `length` bytes from `position` of an open file to `sink`, which it does not end, and closes the file whatever happens. Two buffers take turns, one
 * being read while the other is written: a stream would take a new one for each chunk, a quarter of the processor time of a large pull. Rejects when
 * the file is shorter, and when the sink breaks.
 */
export async function sendFile(
  file: number,
  position: number,
  length: number,
  short: () => Error,
  sink: Writable,
): Promise<void> {
  let reading: Promise<number> | undefined;
  try {
    const buffers = [0, 1].map(() => Buffer.allocUnsafeSlow(Math.min(length, CHUNK_BYTES))) as [Buffer, Buffer];
    const end = position + length;
    let at = position;
    let current: 0 | 1 = 0;
    let written: Promise<void> = Promise.resolve();
    reading = readInto(file, buffers[current], at, end);
    while (at < end) {
      const bytes = await reading;
      if (bytes === 0) throw short();
      const chunk = buffers[current].subarray(0, bytes);
      at += bytes;
      current = current === 0 ? 1 : 0;
      await written;
      if (at < end) reading = readInto(file, buffers[current], at, end);
      written = write(sink, chunk);
      // It is awaited a round later; a failure meanwhile is that round's.
      written.catch(() => undefined);
    }
    await written;
  } finally {
    // A number closed during a read may be given to another file before the read has begun.
    await reading?.catch(() => undefined);
    await new Promise<void>((resolve) => {
      fs.close(file, () => {
        resolve();
      });
    });
  }
}

function readInto(file: number, buffer: Buffer, at: number, end: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(file, buffer, 0, Math.min(buffer.length, end - at), at, (error, bytes) => {
      if (error === null) resolve(bytes);
      else reject(error);
    });
  });
}

/** Resolves when the sink has no more use for the chunk. */
function write(sink: Writable, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const broken = (): void => {
      reject(new Error('the reader went away'));
    };
    if (sink.destroyed) {
      broken();
      return;
    }
    // A response whose connection is lost may forget the callbacks of what it still held.
    sink.once('close', broken);
    sink.write(chunk, (error) => {
      sink.off('close', broken);
      if (error == null) resolve();
      else reject(error);
    });
  });
}
