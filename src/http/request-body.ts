import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

import { refuse, RefusalError, type Refusal } from '../errors.js';

const FIRST_BYTES = 1_024;

/**
 * The whole body, at most `limit` bytes. Rejects with `tooLarge()` behind that, with BODY_TRUNCATED when the client goes away, and with UPLOAD_TAKEN_OVER
 * when `signal` says so. What comes behind a rejection runs off.
 */
export function readBody(source: Readable, limit: number, tooLarge: () => Refusal, signal?: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, fail) => {
    // Copied: a chunk of one byte would keep all that its connection read at once in memory.
    let bytes: Buffer = Buffer.alloc(0);
    let received = 0;
    const done = (finish: () => void): void => {
      source.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
      signal?.removeEventListener('abort', onAbort);
      finish();
    };
    const onData = (chunk: Buffer): void => {
      const length = received + chunk.length;
      if (length > limit) {
        done(() => fail(new RefusalError(tooLarge())));
        return;
      }
      if (length > bytes.length) {
        const larger = Buffer.allocUnsafe(Math.min(limit, Math.max(length, 2 * bytes.length, FIRST_BYTES)));
        bytes.copy(larger, 0, 0, received);
        bytes = larger;
      }
      chunk.copy(bytes, received);
      received = length;
    };
    const onEnd = (): void => done(() => resolve(bytes.subarray(0, received)));
    const onBroken = (): void => done(() => fail(new RefusalError(refuse('BODY_TRUNCATED', { received }))));
    const onAbort = (): void => done(() => fail(new RefusalError(refuse('UPLOAD_TAKEN_OVER'))));
    source.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) onAbort();
    else if (source.destroyed) onBroken();
  });
}

/** Announced length of the body; undefined when it is streamed without one, 0 when there is none. */
export function announcedLength(request: IncomingMessage): number | undefined {
  if (request.headers['transfer-encoding'] !== undefined) return undefined;
  return Number(request.headers['content-length'] ?? 0);
}
