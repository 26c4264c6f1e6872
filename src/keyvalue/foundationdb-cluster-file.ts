import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { DatabaseUnusableError } from './database.js';

export interface ClusterFile {
  readonly path: string;
  /** As the file names them: `10.0.0.1:4500`, with `:tls` where it is. */
  readonly coordinators: readonly string[];
}

/** Where a client looks that was told no file: the variable's, in the current folder, the system's. */
export function defaultClusterFile(): string {
  const named = process.env['FDB_CLUSTER_FILE'] ?? '';
  if (named !== '') return resolve(named);
  const here = resolve('fdb.cluster');
  if (existsSync(here)) return here;
  return process.platform === 'darwin' ? '/usr/local/etc/foundationdb/fdb.cluster' : '/etc/foundationdb/fdb.cluster';
}

/** Throws DatabaseUnusableError when it is not there, cannot be read or is no cluster file: the client library would look for a cluster for ever. */
export async function readClusterFile(path: string): Promise<ClusterFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const why = isMissing(error) ? 'is not there' : `can't be read (${error instanceof Error ? error.message : String(error)})`;
    throw new DatabaseUnusableError(
      `the cluster file ${path} ${why}; every server and client of a cluster has a copy of it, on servers in /etc/foundationdb/fdb.cluster`,
      { cause: error },
    );
  }
  return { path, coordinators: coordinatorsIn(text, path) };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?):\d{1,5}(?::tls)?$/i;

/** Documentation of FoundationDB, "Cluster file format". Throws DatabaseUnusableError, which names the file by `path`. */
export function coordinatorsIn(text: string, path: string): readonly string[] {
  const stripped = text.replace(/#.*$/gm, '').replace(/\s/g, '');
  const addresses = /^\w+:[a-z0-9]+@(.+)$/i.exec(stripped)?.[1]?.split(',') ?? [];
  if (addresses.length === 0 || !addresses.every((address) => ADDRESS.test(address))) {
    throw new DatabaseUnusableError(
      `${path} is no cluster file; it has one line of the form description:id@host:port[:tls],host:port[:tls],... with the coordinators' addresses`,
    );
  }
  return addresses;
}
