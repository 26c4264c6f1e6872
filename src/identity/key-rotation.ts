import type { Database } from '../keyvalue/database.js';
import type { Reading, Store } from '../projections/store.js';
import { replaceSigningKeys, rotateSigningKey } from './signing-key-rotation.js';
import { SIGNING_KEY_KEPT_MS } from './tokens.js';

/** How long a key signs. */
const SIGNING_MS = 30 * 24 * 3_600 * 1_000;

/**
 * A server of release 0.3.0 or before reads the keys at its start alone, and would refuse a new one's tokens until it ends. Events are of this generation only when no such
 * server beats any more, and then none can start.
 */
const RELOADED_SINCE = 3;

/** `asked`: by an administrator; `compromised`: so that the old keys end at once, with all their tokens. */
export type Occasion = 'due' | 'asked' | 'compromised';

export type Rotation =
  | { readonly kid: string }
  /** `young`: the newest key is not old enough, or does not sign yet. `older-release`: a server runs that would refuse the new key's tokens. */
  | 'young'
  | 'older-release';

/**
 * Makes a new signing key. A compromised one is replaced whatever else runs. `allowed`: asked in the transaction that makes it; throws where it may not be made.
 */
export async function rotateKeys(
  store: Store,
  occasion: Occasion,
  allowed: (reading: Reading) => Promise<void> = () => Promise.resolve(),
): Promise<Rotation> {
  const database: Pick<Database, 'transact'> = {
    transact: (body, options) =>
      store.transact(async (writing) => {
        await allowed(writing);
        return body(writing.tx);
      }, options),
  };
  const keyspace = store.keyspaces.platform;
  if (occasion === 'compromised') return { kid: await replaceSigningKeys(database, keyspace) };
  // A generation never goes back; who may not make a key is not told of it.
  const { live } = await store.read(async (reading) => {
    await allowed(reading);
    return reading.platform;
  });
  if (live.events < RELOADED_SINCE) return 'older-release';
  const kid = await rotateSigningKey(database, keyspace, {
    olderThanMs: occasion === 'due' ? SIGNING_MS : 0,
    keptMs: SIGNING_KEY_KEPT_MS,
  });
  return kid === undefined ? 'young' : { kid };
}
