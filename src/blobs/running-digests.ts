import { createHash, type Hash } from 'node:crypto';

import { finish, type Digest, type DigestAlgorithm } from '../digest.js';

/** Uploads whose hash is kept between appends. A hash is a few hundred bytes; one that falls out costs a second reading of its upload. */
const KEPT = 1_024;

export interface RunningDigest {
  readonly algorithm: DigestAlgorithm;
  readonly hash: Hash;
  /** How many of the upload's bytes, from its first, the hash has seen. */
  readonly size: number;
}

export interface RunningDigests {
  /** Takes out the hash that an append at `offset` can go on with: the kept one, a new one at the beginning, or none. */
  take(id: string, algorithm: DigestAlgorithm, offset: number): Hash | undefined;
  keep(id: string, digest: RunningDigest): void;
  /** The digest of the first `size` bytes, if that is what was seen. */
  digest(id: string, algorithm: DigestAlgorithm, size: number): Digest | undefined;
  drop(id: string): void;
  clear(): void;
}

export function createRunningDigests(): RunningDigests {
  // A Map iterates in the order of insertion: the first is the one that was used longest ago.
  const kept = new Map<string, RunningDigest>();

  function find(id: string, algorithm: DigestAlgorithm, size: number): Hash | undefined {
    const found = kept.get(id);
    return found?.algorithm === algorithm && found.size === size ? found.hash : undefined;
  }

  return {
    take(id, algorithm, offset) {
      const hash = offset === 0 ? createHash(algorithm) : find(id, algorithm, offset);
      kept.delete(id);
      return hash;
    },
    keep(id, digest) {
      kept.delete(id);
      kept.set(id, digest);
      if (kept.size > KEPT) for (const oldest of kept.keys()) return void kept.delete(oldest);
    },
    digest(id, algorithm, size) {
      const hash = find(id, algorithm, size);
      return hash === undefined ? undefined : finish(hash.copy(), algorithm);
    },
    drop: (id) => void kept.delete(id),
    clear: () => kept.clear(),
  };
}
