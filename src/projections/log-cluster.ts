import type { Database, ReadTransaction } from '../keyvalue/database.js';
import type { Keyspace } from '../keyvalue/keyspace.js';

/**
 * Whether a directory's log was written on another cluster than the one that answers now, of which this is a copy, restored from a backup. Never so where
 * the engine knows no clusters, nor before the directory has a note of its own. Read without a conflict when given a transaction's `snapshot`.
 */
export async function isOfAnotherCluster(tx: ReadTransaction, database: Database, keyspace: Keyspace): Promise<boolean> {
  if (database.clusterId === undefined) return false;
  const [noted, clusterId] = await Promise.all([tx.get(keyspace.metaCluster), database.clusterId()]);
  return noted !== undefined && clusterId !== undefined && noted.toString() !== clusterId;
}
