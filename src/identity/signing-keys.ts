import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

import type { Database } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';

/** One Ed25519 key of the store's. */
export interface SigningKey {
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Microseconds since 1970 by the store's clock. */
  readonly createdAt: number;
}

/** At least one key: the newest signs, all of them verify. */
export interface SigningKeys {
  readonly newest: SigningKey;
  readonly byKid: ReadonlyMap<string, SigningKey>;
}

/** As it lies in the store, for as long as the store lives. */
interface StoredSigningKey {
  readonly kid: string;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
  readonly createdAt: number;
}

/**
 * The store's keys; makes the first where there is none. The read of the empty range conflicts with another server's first key, so that servers that start
 * at once end with the same one.
 */
export async function loadSigningKeys(database: Database, keyspace: Keyspace): Promise<SigningKeys> {
  const { begin, end } = keyspace.signingKeys;
  const candidate = generateKeyPairSync('ed25519').privateKey;
  const stored = await database.transact(async (tx) => {
    const found = await tx.getRange(begin, end);
    if (found.length > 0) return found.map(({ value }) => value);
    const first = encodeSigningKey(candidate, Number(await tx.time()));
    tx.set(keyspace.signingKey(first.kid), first.value);
    return [first.value];
  });
  return signingKeys(stored.map(decodeSigningKey));
}

/** Sorts out which key signs. Throws where there is none. */
export function signingKeys(keys: readonly SigningKey[]): SigningKeys {
  // The kid decides between keys of one microsecond, so that all servers sign with the same one.
  const [newest] = [...keys].sort((a, b) => b.createdAt - a.createdAt || (a.kid < b.kid ? -1 : 1));
  if (newest === undefined) throw new Error('there is no signing key');
  return { newest, byKid: new Map(keys.map((key) => [key.kid, key])) };
}

/** A key as it lies in the store, and its name. `createdAt`: as in SigningKey. */
export function encodeSigningKey(privateKey: KeyObject, createdAt: number): { readonly kid: string; readonly value: Buffer } {
  const kid = thumbprint(createPublicKey(privateKey));
  const stored: StoredSigningKey = {
    kid,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    createdAt,
  };
  return { kid, value: Buffer.from(JSON.stringify(stored)) };
}

/** Throws, without the key in the message, on what `encodeSigningKey` did not write. */
export function decodeSigningKey(value: Buffer): SigningKey {
  try {
    const stored = JSON.parse(value.toString()) as StoredSigningKey;
    const privateKey = createPrivateKey(stored.privateKey);
    const publicKey = createPublicKey(privateKey);
    if (privateKey.asymmetricKeyType !== 'ed25519' || thumbprint(publicKey) !== stored.kid) throw new Error('another key');
    if (!Number.isSafeInteger(stored.createdAt)) throw new Error('no time');
    return { kid: stored.kid, privateKey, publicKey, createdAt: stored.createdAt };
  } catch {
    throw new Error('the store has a signing key that cannot be read');
  }
}

// RFC 7638, section 3: the required members alone, in the order of their names. RFC 8037 says which those are of an Ed25519 key.
function thumbprint(publicKey: KeyObject): string {
  const { crv, kty, x } = publicKey.export({ format: 'jwk' });
  return createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url');
}
