import { digestToBytes, type Digest } from '../digest.js';
import { uidFromBytes, uidToBytes, type Uid } from '../identifiers.js';
import { nothing, projection } from './projection.js';
import { indexOf, type Reading } from './store.js';

export interface CanonicalBlob {
  /** Bytes. */
  readonly size: number;
  /** The upload whose bytes are the live ones. */
  readonly generation: Uid;
}

/** Where the bytes of each digest lie, for all repositories, and which were erased. */
export const blobs = projection({
  name: 'blobs',
  version: 1,
  directory: 'registry',
  mode: 'inline',
  apply: {
    BlobStored(event, view) {
      const { digest, size, generation } = event.payload;
      const value = Buffer.alloc(24);
      value.writeBigUInt64BE(BigInt(size));
      uidToBytes(generation).copy(value, 8);
      view.set([digestToBytes(digest)], value);
    },
    ContentErased(event, view) {
      const digest = digestToBytes(event.payload.digest);
      view.clear([digest]);
      view.set(['erased', digest], nothing);
    },
  },
});

/** Whether an administrator erased the digest's bytes, of a blob, a manifest or a config: they are not to come back. Costs one read. */
export async function isErased(reading: Reading, digest: Digest): Promise<boolean> {
  return (await indexOf(reading, blobs).get(['erased', digestToBytes(digest)])) !== undefined;
}

/** Costs one read. */
export async function findBlob(reading: Reading, digest: Digest): Promise<CanonicalBlob | undefined> {
  const value = await indexOf(reading, blobs).get([digestToBytes(digest)]);
  if (value === undefined) return undefined;
  return { size: Number(value.readBigUInt64BE()), generation: uidFromBytes(value.subarray(8)) };
}
