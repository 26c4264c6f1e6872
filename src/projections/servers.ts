import type { ReadTransaction } from '../keyvalue/database.js';
import { decodeJson, type DirectoryName, type Projection } from './projection.js';
import type { Store } from './store.js';

/** What a process that serves says of itself, in both directories: a platform may have the servers of several registries. */
export interface ServerRecord {
  readonly release: string;
  /** Of each projection that it applies and reads, the versions that it knows. */
  readonly projections: Readonly<Record<string, readonly number[]>>;
  /** The newest generation of events that it reads. */
  readonly events: number;
  /** For people: where it runs. */
  readonly host: string;
  /** Microseconds of database time. */
  readonly at: number;
}

/** A server that was not heard from for so long, in microseconds of database time, is not waited for. */
const ALIVE_MICROS = 30_000_000;

/** The servers that were heard from in the last 30 seconds. */
export async function listServers(tx: ReadTransaction, store: Store, directory: DirectoryName): Promise<readonly ServerRecord[]> {
  const { begin, end } = store.keyspaces[directory].servers;
  const now = Number(await tx.time());
  const all = (await tx.getRange(begin, end)).map(({ value }) => decodeJson<ServerRecord>(value));
  return all.filter(({ at }) => at >= now - ALIVE_MICROS);
}

/** Those that could not serve once these projections are live. One that does not know an async projection at all has no use for it. */
export function serversBehind(
  servers: readonly ServerRecord[],
  projections: readonly Pick<Projection, 'name' | 'version' | 'mode'>[],
): readonly ServerRecord[] {
  const isBehind = (server: ServerRecord, { name, version, mode }: Pick<Projection, 'name' | 'version' | 'mode'>): boolean => {
    const known = server.projections[name];
    return known === undefined ? mode === 'inline' : !known.includes(version);
  };
  return servers.filter((server) => projections.some((projection) => isBehind(server, projection)));
}
