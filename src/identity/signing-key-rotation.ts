import { generateKeyPairSync } from 'node:crypto';

import type { Database } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';
import { encodeSigningKey, readSigningKeys, SIGNING_AFTER_MS } from './signing-keys.js';

export interface RotationOptions {
  /** Nothing is done while the newest key is younger, in milliseconds; never less than a new key waits before it signs. */
  readonly olderThanMs: number;
  /** A key that signs no more is kept so long, in milliseconds: longer than any token that it signed. */
  readonly keptMs: number;
}

/**
 * Makes a new key and takes those out of use that no living token can be signed with. The new key's kid; undefined: it was not time. Several servers at once
 * make one: each reads all keys, and conflicts with who writes one.
 */
export async function rotateSigningKey(
  database: Pick<Database, 'transact'>,
  keyspace: Keyspace,
  { olderThanMs, keptMs }: RotationOptions,
): Promise<string | undefined> {
  const candidate = generateKeyPairSync('ed25519').privateKey;
  return database.transact(async (tx) => {
    const now = Number(await tx.time());
    const keys = await readSigningKeys(tx, keyspace);
    const made = encodeSigningKey(candidate, now);
    // Nobody knew whether the commit before had happened, and it had.
    if (keys.some(({ kid }) => kid === made.kid)) return made.kid;
    const newest = keys[0];
    const youngMs = Math.max(olderThanMs, SIGNING_AFTER_MS);
    if (newest !== undefined && now - newest.createdAt < youngMs * 1_000) return undefined;
    tx.set(keyspace.signingKey(made.kid), made.value);
    // A key signs until the one after it is old enough.
    for (const [index, key] of keys.entries()) {
      const successor = keys[index - 1];
      const over = successor !== undefined && successor.createdAt + (SIGNING_AFTER_MS + keptMs) * 1_000 < now;
      if (over) tx.clear(keyspace.signingKey(key.kid));
    }
    return made.kid;
  });
}

/**
 * For a key that somebody else may have: a new one, and all others are taken out of use at once, and with them every token that they signed. The new key's kid. It signs
 * from now on, being the only one; a server learns of it by its first token. Not guaranteed: that a server refuses the old ones' tokens before it reads the keys again.
 */
export async function replaceSigningKeys(database: Pick<Database, 'transact'>, keyspace: Keyspace): Promise<string> {
  const candidate = generateKeyPairSync('ed25519').privateKey;
  return database.transact(async (tx) => {
    const made = encodeSigningKey(candidate, Number(await tx.time()));
    for (const { kid } of await readSigningKeys(tx, keyspace)) tx.clear(keyspace.signingKey(kid));
    tx.set(keyspace.signingKey(made.kid), made.value);
    return made.kid;
  });
}
