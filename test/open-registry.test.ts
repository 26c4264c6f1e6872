import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';

import { readConfig } from '../src/config.js';
import { openFoundationDb } from '../src/keyvalue/foundationdb.js';
import { openRegistry } from '../src/open-registry.js';
import { findFoundationDb } from './support/fdbserver.js';
import { temporaryFolder, waitFor } from './support/processes.js';

const { cluster } = findFoundationDb();
const clusterFile = 'missing' in cluster ? '' : cluster.clusterFile;
if ('missing' in cluster) console.warn(`SKIPPED open-registry.test.ts: ${cluster.missing}`);

describe.skipIf('missing' in cluster)('a store on a cluster', () => {
  const run = `artifact-store-test-${randomUUID()}`;
  const configOf = (place: string) =>
    readConfig({
      ARTS_DATABASE: `fdb:${clusterFile}`,
      ARTIFACT_STORE_DIRECTORY: `${run}/${place}/registry`,
      ARTS_METADATA_DIRECTORY: `${run}/${place}/platform`,
      ARES_CLIENT_ADDRESS: temporaryFolder('blobs'),
    });

  afterAll(async () => {
    const database = await openFoundationDb({ clusterFile });
    await database.removeDirectory([run]);
    await database.close();
  });

  test('has its time going while anybody has it open, a command as well as a server', { timeout: 40_000 }, async () => {
    const registry = await openRegistry(configOf('time'), true);
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
    }
  });

  test('that another process sets up in the middle of a start is joined', async () => {
    const config = configOf('twice');
    const database = await openFoundationDb({ clusterFile });
    await database.openDirectory(config.directory.split('/'), { create: true });
    await database.close();
    let first: ReturnType<typeof openRegistry> | undefined;
    const second = await openRegistry(config, true, {
      observe: (inner) => ({
        quietVersions: inner.quietVersions,
        transact: (body, options) => inner.transact(body, options),
        async read(body) {
          await (first ??= openRegistry(config, true));
          return inner.read(body);
        },
        close: () => inner.close(),
      }),
    });
    expect(second.identity).toBe((await first)?.identity);
    await second.close();
    await (await first)?.close();
  });
});
