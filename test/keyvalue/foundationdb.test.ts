import { randomUUID } from 'node:crypto';

import { openFoundationDb } from '../../src/keyvalue/foundationdb.js';
import { findFoundationDb } from '../support/fdbserver.js';
import { describeDatabaseContract } from './contract.js';

const { cluster } = findFoundationDb();
if ('missing' in cluster) console.warn(`SKIPPED the key-value contract on FoundationDB: ${cluster.missing}`);
else {
  const { clusterFile } = cluster;
  describeDatabaseContract('foundationdb', async () => {
    const directory = ['artifact-store-tests', randomUUID()];
    const database = await openFoundationDb({ clusterFile });
    const prefix = await database.openDirectory(directory, { create: true });
    if (prefix === undefined) throw new Error('a directory that was created is there');
    return {
      database,
      prefix,
      connect: () => openFoundationDb({ clusterFile }),
      close: async () => {
        await database.removeDirectory(directory);
        await database.close();
      },
    };
  });
}
