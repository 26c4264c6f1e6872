import { EVENT_GENERATION } from '../events/codec.js';
import type { Uid } from '../identifiers.js';
import { decodeJson, directoryNames, encodeJson } from '../projections/projection.js';
import type { ServerRecord } from '../projections/servers.js';
import { knownVersions, type Store } from '../projections/store.js';

export const HEARTBEAT_MS = 10_000;

/** What is so old is of nobody's interest: its process was killed. */
const FORGOTTEN_MICROS = 3_600_000_000;

/** Throws LiveMismatchError: a process that may not serve is not waited for. */
export async function beat(store: Store, id: Uid, { release, host }: Pick<ServerRecord, 'release' | 'host'>): Promise<void> {
  await store.transact(async ({ tx }) => {
    const at = Number(await tx.time());
    for (const directory of directoryNames) {
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
    for (const directory of directoryNames) tx.clear(store.keyspaces[directory].server(id));
  });
}
