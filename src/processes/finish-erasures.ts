import type { BlobStore } from '../blobs/blob-store.js';
import { unlinkEverywhere } from '../commands/erase-content.js';
import type { Erasure, ErasureOfRequests } from '../commands/erasure-notes.js';
import type { CommandContext, Executor } from '../commands/execute.js';
import { createLog, type ReadLimits } from '../events/log.js';
import { formatPosition, parsePosition } from '../events/position.js';
import type { Uid } from '../identifiers.js';
import { itemsBehind } from '../keyvalue/keyspace.js';
import { decodeJson, directoryNames, encodeJson } from '../projections/projection.js';
import { uidItem } from '../projections/repositories.js';
import type { Store } from '../projections/store.js';

/**
 * Does what erasures have left to do; several processes at once do it together. Costs a look through both logs for each person who was forgotten. `contextOf`
 * makes a context of the system's for each transaction.
 */
export async function finishErasures(
  executor: Executor,
  contextOf: () => CommandContext,
  blobs: Pick<BlobStore, 'remove'>,
  signal: AbortSignal,
): Promise<void> {
  const { store } = executor;
  const { erasures } = store.keyspaces.registry;
  const prefix = erasures.begin.subarray(0, erasures.begin.length - 1);
  const isEnding = (): boolean => signal.aborted;
  while (!isEnding()) {
    const [first] = await store.database.read((tx) => tx.getRange(erasures.begin, erasures.end, { limit: 1 }));
    if (first === undefined) return;
    const id = uidItem(itemsBehind(prefix, first.key)[0]);
    const erasure = decodeJson<Erasure>(first.value);
    if (erasure.kind === 'blob') {
      await blobs.remove({ digest: erasure.digest, generation: erasure.generation });
      await unlinkEverywhere(executor, contextOf, erasure.digest);
    } else await eraseRequests(store, id, erasure, signal);
    // Where it was interrupted, the note says how far it came.
    if (isEnding() && erasure.kind === 'requests') return;
    await store.transact(({ tx, registry }) => {
      tx.clear(registry.keyspace.erasure(id));
      return Promise.resolve();
    });
  }
}

const READ_LIMITS: ReadLimits = { limit: 1_000, targetBytes: 500_000 };

/** Clears `request/` of every event that the actor made, for each batch of a log with the place reached in one transaction. */
async function eraseRequests(store: Store, id: Uid, erasure: ErasureOfRequests, signal: AbortSignal): Promise<void> {
  let after = erasure.after ?? {};
  for (const name of directoryNames) {
    const log = createLog(store.keyspaces[name]);
    for (let ended = false; !ended && !signal.aborted;) {
      const before = after;
      const step = await store.transact(async (writing) => {
        const { tx, registry } = writing;
        const text = before[name];
        const from = text === undefined ? undefined : parsePosition(text);
        const batch = await log.readFrom(tx.snapshot, writing[name].live.incarnation, from, READ_LIMITS);
        for (const { actor, requestId } of batch.events) {
          if (actor.uid === erasure.actor) tx.clear(registry.keyspace.request(requestId));
        }
        const reached = batch.next === undefined ? before : { ...before, [name]: formatPosition(batch.next) };
        tx.set(registry.keyspace.erasure(id), encodeJson({ ...erasure, after: reached } satisfies ErasureOfRequests));
        return { reached, ended: batch.tailReached };
      });
      after = step.reached;
      ended = step.ended;
    }
  }
}
