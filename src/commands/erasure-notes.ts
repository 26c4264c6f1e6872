import type { Digest } from '../digest.js';
import type { Uid } from '../identifiers.js';
import type { Lease } from '../projections/builds.js';
import type { DirectoryName } from '../projections/projection.js';

/**
 * What an erasure has still to clear when its event is there: noted in the event's transaction under `erasure/<id>`, done by `processes/finish-erasures.ts`, the
 * note taken away at the end. So a process that dies on the way leaves nothing behind.
 */
export type Erasure = ErasureOfBlob | ErasureOfPerson;

/** The file of a blob whose bytes were erased, and the repositories that have it. */
export interface ErasureOfBlob {
  readonly kind: 'blob';
  readonly digest: Digest;
  readonly generation: Uid;
}

/** The roles on repositories of somebody who was forgotten, as far as they did not go with the event, and where that one's requests came from. */
export interface ErasureOfPerson {
  readonly kind: 'person';
  readonly user: Uid;
  /** How far each log was looked through; undefined until the first server has begun. It never goes back. */
  readonly after?: Readonly<Partial<Record<DirectoryName, string>>> | undefined;
  /** Of the server that looks. */
  readonly lease?: Lease | undefined;
}
