import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

import type { Database, ReadTransaction } from '../keyvalue/database.js';
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

/** What tokens are verified with. */
export interface VerifyingKeys {
  readonly byKid: ReadonlyMap<string, SigningKey>;
  /** Looks for a key in the store that another server may have made just now; undefined: there is none. Without it the keys are these. */
  readonly lookAgain?: (kid: string) => Promise<SigningKey | undefined>;
}

/** At least one key: one signs, all of them verify. */
export interface SigningKeys extends VerifyingKeys {
  readonly signing: SigningKey;
}

/**
 * A new key waits so long before it signs, in milliseconds. Every server has read it by then (SigningKeyRing), so that hardly a token makes one look into the store
 * first; and one whose database is away takes its tokens, too.
 */
export const SIGNING_AFTER_MS = 120_000;

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

/** Sorts the keys. `now`: milliseconds since 1970. Throws where there is none. */
export function signingKeys(keys: readonly SigningKey[], now = Date.now()): SigningKeys {
  const newestFirst = sortedKeys(keys);
  return { signing: signingKeyOf(newestFirst, now), byKid: new Map(newestFirst.map((key) => [key.kid, key])) };
}

/** Which key signs: the newest that is old enough, else the oldest. Throws where there is none. */
export function signingKeyOf(newestFirst: readonly SigningKey[], now: number): SigningKey {
  const signing = newestFirst.find(({ createdAt }) => createdAt / 1_000 + SIGNING_AFTER_MS <= now) ?? newestFirst.at(-1);
  if (signing === undefined) throw new Error('there is no signing key');
  return signing;
}

// The kid decides between keys of one microsecond, so that all servers sign with the same one.
function sortedKeys(keys: readonly SigningKey[]): readonly SigningKey[] {
  return [...keys].sort((a, b) => b.createdAt - a.createdAt || (a.kid < b.kid ? -1 : 1));
}

/** All keys of the store, the newest first. */
export async function readSigningKeys(tx: ReadTransaction, keyspace: Keyspace): Promise<readonly SigningKey[]> {
  const { begin, end } = keyspace.signingKeys;
  return sortedKeys((await tx.getRange(begin, end)).map(({ value }) => decodeSigningKey(value)));
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
