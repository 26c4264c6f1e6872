import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';

import { readConfig } from '../src/config.js';
import { openFoundationDb } from '../src/keyvalue/foundationdb.js';
import { openRegistry } from '../src/open-registry.js';
import { findFoundationDb } from './support/fdbserver.js';
import { temporaryFolder, waitFor } from './support/processes.js';

const { cluster } = findFoundationDb();
if ('missing' in cluster) console.warn(`SKIPPED open-registry.test.ts: ${cluster.missing}`);

test.skipIf('missing' in cluster)(
  'whoever has a store on a cluster open keeps its time going, a command as well as a server',
  { timeout: 40_000 },
  async () => {
    const clusterFile = 'missing' in cluster ? '' : cluster.clusterFile;
    const run = `artifact-store-test-${randomUUID()}`;
    const registry = await openRegistry(
      readConfig({
        ARTS_DATABASE: `fdb:${clusterFile}`,
        ARTIFACT_STORE_DIRECTORY: `${run}/registry`,
        ARTS_METADATA_DIRECTORY: `${run}/platform`,
        ARES_CLIENT_ADDRESS: temporaryFolder('blobs'),
      }),
      true,
    );
    try {
      const { database, keyspaces } = registry.store;
      for (const { times } of [keyspaces.registry, keyspaces.platform]) {
        const samples = () => database.read((tx) => tx.getRange(times.begin, times.end));
        // One is due 10 s after the one before.
        const found = await waitFor(
          async () => ((await samples()).length > 1 ? samples() : undefined),
          20_000,
          () => 'no sample',
        );
        expect(found.length).toBe(2);
      }
    } finally {
      await registry.close();
      const database = await openFoundationDb({ clusterFile });
      await database.removeDirectory([run]);
      await database.close();
    }
  },
);
