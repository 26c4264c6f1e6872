import type { EventEnvelope } from './types.js';

export function encodeEvent(envelope: EventEnvelope): Buffer {
  throw new Error(`to be written: ${envelope.payload.kind}`);
}

/** Throws an EventDecodeError. */
export function decodeEvent(bytes: Buffer): EventEnvelope {
  throw new Error(`to be written: ${bytes.length}`);
}
