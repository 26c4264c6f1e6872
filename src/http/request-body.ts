import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

import { refuse, RefusalError, type Refusal } from '../errors.js';

/** The whole body, at most `limit` bytes. Rejects with `tooLarge()` behind that, and with BODY_TRUNCATED when the client goes away. */
export function readBody(source: Readable, limit: number, tooLarge: () => Refusal): Promise<Buffer> {
  return new Promise((resolve, fail) => {
    const chunks: Buffer[] = [];
    let received = 0;
    const done = (finish: () => void): void => {
      source.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
      finish();
    };
    const onData = (chunk: Buffer): void => {
      received += chunk.length;
      chunks.push(chunk);
      if (received > limit) done(() => fail(new RefusalError(tooLarge())));
    };
    const onEnd = (): void =>
      done(() => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
    const onBroken = (): void => done(() => fail(new RefusalError(refuse('BODY_TRUNCATED', { received }))));
    source.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
    if (source.destroyed) onBroken();
  });
}

/** Announced length of the body; undefined when it is streamed without one, 0 when there is none. */
export function announcedLength(request: IncomingMessage): number | undefined {
  if (request.headers['transfer-encoding'] !== undefined) return undefined;
  return Number(request.headers['content-length'] ?? 0);
}
