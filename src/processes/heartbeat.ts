import { EVENT_GENERATION } from '../events/codec.js';
import type { Uid } from '../identifiers.js';
import type { ReadTransaction } from '../keyvalue/database.js';
import { decodeJson, encodeJson, type DirectoryName, type Projection } from '../projections/projection.js';
import { knownVersions, type Store } from '../projections/store.js';

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

export const HEARTBEAT_MS = 10_000;

/** A server that was not heard from for so long, in microseconds of database time, is not waited for. */
export const ALIVE_MICROS = 30_000_000;

/** What is so old is of nobody's interest: its process was killed. */
const FORGOTTEN_MICROS = 24 * 3_600_000_000;

const directories = ['registry', 'platform'] as const;

/** Throws LiveMismatchError: a process that may not serve is not waited for. */
export async function beat(store: Store, id: Uid, { release, host }: Pick<ServerRecord, 'release' | 'host'>): Promise<void> {
  await store.transact(async ({ tx }) => {
    const at = Number(await tx.time());
    for (const directory of directories) {
      const { server, servers } = store.keyspaces[directory];
      const mine = store.projections.filter((projection) => projection.directory === directory);
      const projections = Object.fromEntries(mine.map((projection) => [projection.name, knownVersions(projection)]));
      tx.set(server(id), encodeJson({ release, projections, events: EVENT_GENERATION, host, at } satisfies ServerRecord));
      for (const { key, value } of await tx.snapshot.getRange(servers.begin, servers.end)) {
        if (decodeJson<ServerRecord>(value).at < at - FORGOTTEN_MICROS) tx.clear(key);
      }
    }
  });
}

/** A process that ends is not waited for. */
export async function stopBeating(store: Store, id: Uid): Promise<void> {
  await store.database.transact(async (tx) => {
    for (const directory of directories) tx.clear(store.keyspaces[directory].server(id));
  });
}

/** The servers that were heard from in the last 30 seconds. */
export async function listServers(tx: ReadTransaction, store: Store, directory: DirectoryName): Promise<readonly ServerRecord[]> {
  const { begin, end } = store.keyspaces[directory].servers;
  const now = Number(await tx.time());
  const all = (await tx.getRange(begin, end)).map(({ value }) => decodeJson<ServerRecord>(value));
  return all.filter(({ at }) => at >= now - ALIVE_MICROS);
}

/** Those that could not serve once these projections are live. */
export function serversBehind(servers: readonly ServerRecord[], projections: readonly Projection[]): readonly ServerRecord[] {
  const inline = projections.filter(({ mode }) => mode === 'inline');
  return servers.filter((server) => inline.some(({ name, version }) => !(server.projections[name] ?? []).includes(version)));
}
