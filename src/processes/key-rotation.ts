import { EVENT_GENERATION } from '../events/codec.js';
import { rotateSigningKey } from '../identity/signing-keys.js';
import { SIGNING_KEY_KEPT_MS } from '../identity/tokens.js';
import type { Store } from '../projections/store.js';

/** How long a key signs, in milliseconds. */
const SIGNING_MS = 30 * 24 * 3_600 * 1_000;

/**
 * Makes a new signing key where the newest is old. A server of release 0.3.0 or before reads the keys at its start alone, and would refuse the new one's tokens: while
 * one runs, the events' generation is an older one, and nothing is done.
 */
export async function rotateWhenDue(store: Store): Promise<string | undefined> {
  const { live } = await store.read((reading) => Promise.resolve(reading.platform));
  if (live.events < EVENT_GENERATION) return undefined;
  return rotateSigningKey(store.database, store.keyspaces.platform, { olderThanMs: SIGNING_MS, keptMs: SIGNING_KEY_KEPT_MS });
}
