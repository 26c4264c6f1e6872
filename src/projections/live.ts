import { decodeJson, encodeJson } from './projection.js';

/** `meta/live` of a directory: what every transaction reads before anything else. */
export interface Live {
  /** Raised by an operator after a restore, so that positions never repeat. */
  readonly incarnation: number;
  readonly projections: readonly LiveProjection[];
}

export interface LiveProjection {
  readonly name: string;
  readonly version: number;
  readonly build: string;
}

/** This release's projections are not the live ones: the process answers 503 and is not ready. */
export class LiveMismatchError extends Error {
  override readonly name = 'LiveMismatchError';
}

export function parseLive(bytes: Buffer): Live {
  return decodeJson<Live>(bytes);
}

export function encodeLive(live: Live): Buffer {
  return encodeJson(live);
}
