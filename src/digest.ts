import { createHash, type Hash } from 'node:crypto';

/** `sha256:<64 hex>` or `sha512:<128 hex>`, lower case. OCI image-spec 1.1, "Digests". */
export type Digest = string & { readonly __brand: 'Digest' };
export type DigestAlgorithm = 'sha256' | 'sha512';

const grammar = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function parseDigest(text: string): Digest | undefined {
  return grammar.test(text) ? (text as Digest) : undefined;
}

/** What a digest may look like, for messages. */
export const digestForm = 'sha256:<64 lower-case hex digits> or sha512:<128 lower-case hex digits>';

export function isDigestAlgorithm(text: string): text is DigestAlgorithm {
  return text === 'sha256' || text === 'sha512';
}

export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

export function hexOf(digest: Digest): string {
  return digest.slice(7);
}

/** The digest of bytes that are all here. */
export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm): Digest {
  return finish(createHash(algorithm).update(bytes), algorithm);
}

/** Ends the hash, which takes no more bytes after it. */
export function finish(hash: Hash, algorithm: DigestAlgorithm): Digest {
  return `${algorithm}:${hash.digest('hex')}` as Digest;
}

const codes = { sha256: 1, sha512: 2 } as const;

/** The form in keys, for ever: one byte for the algorithm (1 sha256, 2 sha512), then the raw hash. */
export function digestToBytes(digest: Digest): Buffer {
  const hex = hexOf(digest);
  const bytes = Buffer.allocUnsafe(1 + hex.length / 2);
  bytes[0] = codes[algorithmOf(digest)];
  bytes.write(hex, 1, 'hex');
  return bytes;
}

/** The inverse of `digestToBytes`; throws on bytes that it never made. */
export function digestFromBytes(bytes: Buffer): Digest {
  const algorithm = bytes[0] === codes.sha256 ? 'sha256' : 'sha512';
  const digest = parseDigest(`${algorithm}:${bytes.toString('hex', 1)}`);
  if (digest === undefined || bytes[0] !== codes[algorithm]) throw new Error(`no digest in key bytes ${bytes.toString('hex')}`);
  return digest;
}
