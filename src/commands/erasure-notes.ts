import type { Digest } from '../digest.js';
import type { Uid } from '../identifiers.js';
import type { DirectoryName } from '../projections/projection.js';

/**
 * What an erasure has still to clear when its event is there: noted in the event's transaction under `erasure/<id>`, done by `processes/finish-erasures.ts`, the
 * note taken away at the end. So a process that dies on the way leaves nothing behind.
 */
export type Erasure = ErasureOfBlob | ErasureOfRequests;

/** The file of a blob whose bytes were erased, and the repositories that have it. */
export interface ErasureOfBlob {
  readonly kind: 'blob';
  readonly digest: Digest;
  readonly generation: Uid;
}

/** Where the requests of somebody who was forgotten came from. */
export interface ErasureOfRequests {
  readonly kind: 'requests';
  readonly actor: Uid;
  /** How far each log was looked through. */
  readonly after?: Readonly<Partial<Record<DirectoryName, string>>>;
}
