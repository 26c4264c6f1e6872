import type { Digest } from '../digest.js';
import type { ReadTransaction, Transaction } from '../keyvalue/database.js';
import type { KeyBounds, Keyspace } from '../keyvalue/keyspace.js';
import { heldBy, type Held } from './held-descriptors.js';

/** A chunk's bytes: under FoundationDB's 100 kB for a value. Stored for ever. */
export const CONTENT_CHUNK_BYTES = 90_000;

/**
 * Puts a manifest's or small config's bytes beside the log. Content is named by its digest: whoever writes it writes the same, and it is read by snapshot, so that
 * a thousand who push what they have in common conflict with nobody. Costs a read only where the bytes are many. `bytes` is not empty.
 */
export async function writeContent(tx: Transaction, keyspace: Keyspace, digest: Digest, bytes: Buffer): Promise<void> {
  if (bytes.length > CONTENT_CHUNK_BYTES && (await tx.snapshot.get(keyspace.content(digest, 0))) !== undefined) return;
  writeChunks(tx, (chunk) => keyspace.content(digest, chunk), bytes);
}

/** Undefined when the digest is no manifest's or stored config's, or was erased. */
export function readContent(tx: ReadTransaction, keyspace: Keyspace, digest: Digest): Promise<Buffer | undefined> {
  return readChunks(tx, keyspace.content(digest, 0), keyspace.contentBounds(digest));
}

function writeChunks(tx: Transaction, keyOf: (chunk: number) => Buffer, bytes: Buffer): void {
  for (let chunk = 0; chunk * CONTENT_CHUNK_BYTES < bytes.length; chunk++) {
    tx.set(keyOf(chunk), bytes.subarray(chunk * CONTENT_CHUNK_BYTES, (chunk + 1) * CONTENT_CHUNK_BYTES));
  }
}

/** Costs one read where all of it is in the first chunk, else two. */
async function readChunks(tx: ReadTransaction, firstKey: Buffer, { begin, end }: KeyBounds): Promise<Buffer | undefined> {
  const first = await tx.get(firstKey);
  if (first === undefined || first.length < CONTENT_CHUNK_BYTES) return first;
  const chunks = await tx.getRange(begin, end);
  return Buffer.concat(chunks.map((chunk) => chunk.value));
}

/** What was said of content that was erased, in place of its bytes: JSON, in chunks as content is, since 4 000 digests are more than a value holds. Stored for ever. */
interface ErasedContent {
  readonly held: readonly Held[];
}

/**
 * Takes a manifest's or config's bytes away. What a manifest held stays beside the log: a replay, and the manifest's deletion, make of it the keys that they would have
 * made of its bytes. Costs what `readContent` costs.
 */
export async function clearContent(tx: Transaction, keyspace: Keyspace, digest: Digest): Promise<void> {
  const bytes = await readContent(tx, keyspace, digest);
  if (bytes === undefined) return;
  const { begin, end } = keyspace.contentBounds(digest);
  tx.clearRange(begin, end);
  const erased: ErasedContent = { held: heldInAny(bytes) };
  writeChunks(tx, (chunk) => keyspace.erased(digest, chunk), Buffer.from(JSON.stringify(erased)));
}

// A config holds nothing, and need not be an object.
function heldInAny(bytes: Buffer): readonly Held[] {
  try {
    return heldBy(bytes);
  } catch {
    return [];
  }
}

/** What a manifest of the log holds, and how many bytes were read to know it. Undefined when the digest is nothing of the log's. */
export async function readHeld(
  tx: ReadTransaction,
  keyspace: Keyspace,
  digest: Digest,
): Promise<{ readonly held: readonly Held[]; readonly bytes: number } | undefined> {
  const bytes = await readContent(tx, keyspace, digest);
  if (bytes !== undefined) return { held: heldBy(bytes), bytes: bytes.length };
  const erased = await readChunks(tx, keyspace.erased(digest, 0), keyspace.erasedBounds(digest));
  return erased === undefined ? undefined : { held: (JSON.parse(erased.toString()) as ErasedContent).held, bytes: erased.length };
}
