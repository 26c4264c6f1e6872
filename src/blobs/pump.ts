import { finished, type Readable } from 'node:stream';

/** Bytes that make one write. Measured with the hash: 64 kB 0.65 GB/s, 256 kB 0.8, 512 kB 0.9, 1 MB 0.95. */
const BATCH_BYTES = 512 * 1024;
/** Chunks that make one write, however small: a stream of single bytes must not fill the memory with Buffers. */
const BATCH_CHUNKS = 512;
/** A slow source's bytes are written after this long all the same: a stalled client holds no memory here. */
const IDLE_MS = 100;

export interface Sink {
  /** Every chunk as it comes, while earlier ones are being written. */
  see(chunk: Buffer): void;
  /** Called again only after it has resolved. */
  write(chunks: readonly Buffer[], bytes: number): Promise<void>;
}

/**
 * Moves a stream's bytes in large writes, one at a time, gathering the next while one is under way; at most two batches are in memory.
 * Resolves with undefined at the source's end, or with what broke it (its error, a premature close, the signal) after everything that arrived has been
 * written; rejects with the sink's error. Never destroys the source: a server still has an answer to send on the same socket.
 */
export function pump(source: Readable, sink: Sink, signal?: AbortSignal): Promise<Error | undefined> {
  return new Promise((resolve, reject) => {
    let gathered: Buffer[] = [];
    let bytes = 0;
    let writing = false;
    let over = false;
    let broken: Error | undefined;
    let idle: NodeJS.Timeout | undefined;

    const full = () => bytes >= BATCH_BYTES || gathered.length >= BATCH_CHUNKS;

    function flush(): void {
      if (writing) return;
      clearTimeout(idle);
      idle = undefined;
      if (gathered.length === 0) {
        if (over) resolve(broken);
        return;
      }
      const [batch, size] = [gathered, bytes];
      [gathered, bytes] = [[], 0];
      writing = true;
      if (!over && source.isPaused()) source.resume();
      sink.write(batch, size).then(written, failed);
    }

    function written(): void {
      writing = false;
      if (over || full()) flush();
      else if (gathered.length > 0) idle ??= setTimeout(flush, IDLE_MS);
    }

    function failed(error: unknown): void {
      detach();
      clearTimeout(idle);
      reject(error);
    }

    function take(chunk: unknown): void {
      const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk as Uint8Array | string);
      if (buffer.length === 0) return;
      try {
        sink.see(buffer);
      } catch (error) {
        failed(error);
        return;
      }
      gathered.push(buffer);
      bytes += buffer.length;
      if (!full()) {
        if (!writing) idle ??= setTimeout(flush, IDLE_MS);
      } else if (writing) source.pause();
      else flush();
    }

    function stop(error: Error | undefined): void {
      if (over) return;
      broken = error;
      detach();
      flush();
    }

    function detach(): void {
      over = true;
      source.off('data', take);
      source.off('end', end);
      source.pause();
      signal?.removeEventListener('abort', abort);
    }

    const end = () => stop(undefined);
    const abort = () => stop(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));

    if (signal?.aborted === true) {
      abort();
      return;
    }
    signal?.addEventListener('abort', abort);
    source.on('data', take);
    source.on('end', end);
    // Also knows of a source that ended or broke before; and its listeners stay, so that a later error of the source is no uncaught one.
    finished(source, { writable: false }, (error) => stop(error ?? undefined));
    source.resume();
  });
}
