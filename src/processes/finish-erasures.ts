import type { BlobStore } from '../blobs/blob-store.js';
import { unlinkEverywhere } from '../commands/erase-content.js';
import type { Erasure } from '../commands/erasure-notes.js';
import type { CommandContext, Executor } from '../commands/execute.js';
import { revokeRepositoryRoles } from '../commands/forget-user.js';
import type { Uid } from '../identifiers.js';
import { keyAfter } from '../keyvalue/apply-operations.js';
import { KeyValueError } from '../keyvalue/database.js';
import { itemsBehind } from '../keyvalue/keyspace.js';
import { decodeJson } from '../projections/projection.js';
import { uidItem } from '../projections/repositories.js';
import type { Store } from '../projections/store.js';
import { eraseRequests, type RequestErasureOptions } from './erase-requests.js';

/**
 * Takes the files of erased blobs away, and their links; several processes at once do it together. `contextOf` makes a context of the system's for each transaction.
 * What can't be finished stays noted and keeps nothing else from it: an AggregateError at the end has the failures.
 */
export function finishErasedBlobs(
  executor: Executor,
  contextOf: () => CommandContext,
  blobs: Pick<BlobStore, 'remove'>,
  signal: AbortSignal,
): Promise<void> {
  return finishEach(executor.store, 'blob', signal, async (id, { digest, generation }) => {
    // First, since it is the database's alone: a file that can't be removed keeps no link.
    await unlinkEverywhere(executor, contextOf, digest);
    await blobs.remove({ digest, generation });
    await executor.store.transact(({ tx, registry }) => {
      tx.clear(registry.keyspace.erasure(id));
      return Promise.resolve();
    });
  });
}

/**
 * Clears what is left of persons who were forgotten: roles on repositories, then where their requests came from, one process at a time for each person. By itself, since it
 * may take a log's time, and no erased bytes are to wait for that. Otherwise as `finishErasedBlobs`.
 */
export function finishForgetting(
  executor: Executor,
  contextOf: () => CommandContext,
  options: RequestErasureOptions,
): Promise<void> {
  return finishEach(executor.store, 'person', options.signal, async (id, { user }) => {
    await revokeRepositoryRoles(executor, contextOf, user);
    await eraseRequests(executor.store, id, options);
  });
}

type ErasureOf<K extends Erasure['kind']> = Extract<Erasure, { readonly kind: K }>;

async function finishEach<K extends Erasure['kind']>(
  store: Store,
  kind: K,
  signal: AbortSignal,
  finish: (id: Uid, erasure: ErasureOf<K>) => Promise<void>,
): Promise<void> {
  const { begin, end } = store.keyspaces.registry.erasures;
  const prefix = begin.subarray(0, begin.length - 1);
  const failures: unknown[] = [];
  for (let from = begin; !signal.aborted;) {
    const start = from;
    const [note] = await store.database.read((tx) => tx.getRange(start, end, { limit: 1 }));
    if (note === undefined) break;
    from = keyAfter(note.key);
    const erasure = decodeJson<Erasure>(note.value);
    if (!isOf(erasure, kind)) continue;
    try {
      await finish(uidItem(itemsBehind(prefix, note.key)[0]), erasure);
    } catch (error) {
      // The others would wait for it as long.
      if (error instanceof KeyValueError && error.code === 'unavailable') throw error;
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} erasures could not be finished`);
}

function isOf<K extends Erasure['kind']>(erasure: Erasure, kind: K): erasure is ErasureOf<K> {
  return erasure.kind === kind;
}
