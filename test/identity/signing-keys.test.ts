import { describe, expect, test } from 'vitest';

import { decodeSigningKey, loadSigningKeys } from '../../src/identity/signing-keys.js';
import { createKeyspace, directoryPrefix } from '../../src/keyvalue/keyspace.js';
import { SimulatedStore, VirtualClock } from '../../src/keyvalue/simulated.js';

const keyspace = createKeyspace(directoryPrefix('topaz'));

// The value as it lies in stores for ever. The key is RFC 8410's example (section 10.3), the kid as jose calculates it.
const golden = JSON.stringify({
  kid: '3YZxBJ12jO3n_mXt_q-j_Z-TFP1vt-NiI3OCf-fEnHQ',
  privateKey:
    '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n',
  createdAt: 1_700_000_000_000_000,
});

describe('signing keys', () => {
  test('are made once, and read by the next start', async () => {
    const store = new SimulatedStore({ seed: 1, clock: new VirtualClock() });
    const first = await loadSigningKeys(store.connect(), keyspace);
    const second = await loadSigningKeys(store.connect(), keyspace);
    expect(first.byKid.size).toBe(1);
    expect([...second.byKid.keys()]).toEqual([...first.byKid.keys()]);
    expect(second.signing.publicKey.equals(first.signing.publicKey)).toBe(true);
    expect(first.signing.createdAt).toBeGreaterThan(1e15);
  });

  test.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'servers that start at once end with the same ones (seed %i)',
    async (seed) => {
      const faults = { notCommitted: 0.2, transactionTooOld: 0.1, unknownApplied: 0.2, unknownLost: 0.2 };
      const store = new SimulatedStore({ seed, clock: new VirtualClock(), faults });
      const all = await Promise.all([1, 2, 3].map(() => loadSigningKeys(store.connect(), keyspace)));
      expect(new Set(all.map(({ signing }) => signing.kid)).size).toBe(1);
      expect(all.map(({ byKid }) => byKid.size)).toEqual([1, 1, 1]);
    },
  );

  test('are read as they were stored by the first version', () => {
    const key = decodeSigningKey(Buffer.from(golden));
    expect(key.createdAt).toBe(1_700_000_000_000_000);
    // RFC 8410, section 10.1: the public key of the example.
    expect(key.publicKey.export({ format: 'jwk' }).x).toBe('Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE');
  });

  test.each(['', '{}', 'null', golden.replace('3YZx', '4YZx')])(
    'that cannot be read stop the start without being shown',
    (value) => {
      expect(() => decodeSigningKey(Buffer.from(value))).toThrow('the store has a signing key that cannot be read');
    },
  );
});
