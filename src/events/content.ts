import type { Digest } from '../digest.js';
import type { ReadTransaction, Transaction } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';

/** A chunk's bytes: under FoundationDB's 100 kB for a value. Stored for ever. */
export const CONTENT_CHUNK_BYTES = 90_000;

/**
 * Puts a manifest's or small config's bytes beside the log. Content is named by its digest: whoever writes it writes the same, and it is read by snapshot, so that
 * a thousand who push what they have in common conflict with nobody. Costs a read only where the bytes are many. `bytes` is not empty.
 */
export async function writeContent(tx: Transaction, keyspace: Keyspace, digest: Digest, bytes: Buffer): Promise<void> {
  if (bytes.length > CONTENT_CHUNK_BYTES && (await tx.snapshot.get(keyspace.content(digest, 0))) !== undefined) return;
  for (let chunk = 0; chunk * CONTENT_CHUNK_BYTES < bytes.length; chunk++) {
    tx.set(keyspace.content(digest, chunk), bytes.subarray(chunk * CONTENT_CHUNK_BYTES, (chunk + 1) * CONTENT_CHUNK_BYTES));
  }
}

/** Undefined when the digest is no manifest's or stored config's. */
export async function readContent(tx: ReadTransaction, keyspace: Keyspace, digest: Digest): Promise<Buffer | undefined> {
  const first = await tx.get(keyspace.content(digest, 0));
  if (first === undefined || first.length < CONTENT_CHUNK_BYTES) return first;
  const { begin, end } = keyspace.contentBounds(digest);
  const chunks = await tx.getRange(begin, end);
  return Buffer.concat(chunks.map((chunk) => chunk.value));
}
