import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openLmdb } from '../../src/keyvalue/lmdb.js';
import { describeDatabaseContract } from './contract.js';

describeDatabaseContract('lmdb', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lmdb-'));
  const database = await openLmdb(folder, { create: true });
  return {
    database,
    connect: () => openLmdb(folder, { create: false }),
    close: async () => {
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
