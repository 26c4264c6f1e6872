import type { Erasure, ErasureOfPerson } from '../commands/erasure-notes.js';
import { positionOf } from '../events/database-time.js';
import { createLog } from '../events/log.js';
import { comparePositions, formatPosition, parsePosition, type Position } from '../events/position.js';
import { sampledTime } from '../events/sampled-times.js';
import type { Uid } from '../identifiers.js';
import type { ReadTransaction } from '../keyvalue/database.js';
import { isHeldByAnother, leaseOf } from '../projections/builds.js';
import { decodeJson, directoryNames, encodeJson, type DirectoryName } from '../projections/projection.js';
import type { Store, Writing } from '../projections/store.js';
import { realClock, type BuilderClock } from './build-run.js';
import { REQUEST_KEPT_MS } from './request-pruning.js';
import { restAfter, SERVING_LIMITS, SERVING_SHARE } from './serving-share.js';

export interface RequestErasureOptions {
  /** The process's own name for itself. */
  readonly owner: string;
  /** Ends it; what is done stays, to be gone on with. */
  readonly signal: AbortSignal;
  readonly clock?: BuilderClock | undefined;
}

/** An event is later than its request: by the time that the request takes, and less what a server's clock, that ids are made by, is ahead of the database's. */
const AHEAD_MS = 24 * 3_600 * 1_000;

/**
 * Clears `request/` of every event that a person who was forgotten made, and the note with the last. The logs are looked through from the time on that requests are kept for, in steps that
 * leave a thread that serves the most of its time, each with the place reached in its transaction. One process at a time does it, by a lease in the note; where another does,
 * nothing happens. A killed process's is gone on with when its lease has run out.
 */
export async function eraseRequests(store: Store, id: Uid, options: RequestErasureOptions): Promise<void> {
  if (!(await claim(store, id, options))) return;
  let ended = false;
  try {
    ended = await eraseInLogs(store, id, options);
  } finally {
    // Whoever comes next need not wait for the lease; one that was lost is not touched.
    if (!ended) await release(store, id, options).catch(() => undefined);
  }
}

/** Whether it was brought to its end. */
async function eraseInLogs(store: Store, id: Uid, options: RequestErasureOptions): Promise<boolean> {
  for (const name of directoryNames) {
    if (!(await eraseInLog(store, id, name, options))) return false;
  }
  return store.transact(async (writing) => {
    if ((await heldNote(writing, id, options)) === undefined) return false;
    writing.tx.clear(writing.registry.keyspace.erasure(id));
    return true;
  });
}

/** Whether the log was looked through. */
async function eraseInLog(store: Store, id: Uid, name: DirectoryName, options: RequestErasureOptions): Promise<boolean> {
  const { signal, clock = realClock } = options;
  const log = createLog(store.keyspaces[name]);
  // Nothing of who is forgotten comes after: so there is an end, however fast events are appended.
  const end = await store.read(({ tx, [name]: { live } }) => log.newest(tx, live.incarnation));
  while (!signal.aborted) {
    const before = clock.now();
    const step = await store.transact(async (writing) => {
      const note = await heldNote(writing, id, options);
      if (note === undefined) return 'lost';
      const { tx, registry } = writing;
      const { limit, bytes: targetBytes } = SERVING_LIMITS;
      const { incarnation } = writing[name].live;
      const batch = await log.readFrom(tx.snapshot, incarnation, placeIn(note, name), { limit, targetBytes });
      for (const { actor, requestId } of batch.events) {
        if (actor.uid === note.user) tx.clear(registry.keyspace.request(requestId));
      }
      const after = batch.next === undefined ? note.after : { ...note.after, [name]: formatPosition(batch.next) };
      await write(writing, id, { ...note, after }, options);
      return batch.tailReached || isBehind(batch.next, end) ? 'ended' : 'more';
    });
    if (step !== 'more') return step === 'ended';
    await clock.sleep(restAfter(clock.now() - before, SERVING_SHARE));
  }
  return false;
}

function placeIn({ after }: ErasureOfPerson, name: DirectoryName): Position | undefined {
  const text = after?.[name];
  return text === undefined ? undefined : parsePosition(text);
}

function isBehind(position: Position | undefined, end: Position | undefined): boolean {
  return position !== undefined && end !== undefined && comparePositions(position, end) >= 0;
}

/** Whether this process is the one to do it. */
async function claim(store: Store, id: Uid, { owner }: RequestErasureOptions): Promise<boolean> {
  return store.transact(async (writing) => {
    const note = await findNote(writing, id);
    if (note === undefined || isHeldByAnother(note.lease, { owner }, Number(await writing.tx.time()))) return false;
    await write(writing, id, { ...note, after: note.after ?? (await placesToBeginAt(writing)) }, { owner });
    return true;
  });
}

async function release(store: Store, id: Uid, options: RequestErasureOptions): Promise<void> {
  await store.transact(async (writing) => {
    const note = await heldNote(writing, id, options);
    if (note === undefined) return;
    writing.tx.set(writing.registry.keyspace.erasure(id), encodeJson({ ...note, lease: undefined } satisfies ErasureOfPerson));
  });
}

/** With a conflict: of two that claim it one does, and what a process finds that has lost it is not written over. */
async function findNote({ tx, registry }: Writing, id: Uid): Promise<ErasureOfPerson | undefined> {
  const bytes = await tx.get(registry.keyspace.erasure(id));
  const note = bytes === undefined ? undefined : decodeJson<Erasure>(bytes);
  return note?.kind === 'person' ? note : undefined;
}

/** Undefined where another process has taken it over, or brought it to its end. */
async function heldNote(writing: Writing, id: Uid, { owner }: RequestErasureOptions): Promise<ErasureOfPerson | undefined> {
  const note = await findNote(writing, id);
  return note?.lease?.owner === owner ? note : undefined;
}

/** Renews the lease. */
async function write(
  { tx, registry }: Writing,
  id: Uid,
  note: ErasureOfPerson,
  owner: Pick<RequestErasureOptions, 'owner'>,
): Promise<void> {
  const leased: ErasureOfPerson = { ...note, lease: leaseOf(owner, Number(await tx.time())) };
  tx.set(registry.keyspace.erasure(id), encodeJson(leased));
}

/** Requests of events before these places are not kept any more: `processes/request-pruning.ts`. */
async function placesToBeginAt(writing: Writing): Promise<Readonly<Partial<Record<DirectoryName, string>>>> {
  const places: Partial<Record<DirectoryName, string>> = {};
  for (const name of directoryNames) {
    const { keyspace, live } = writing[name];
    const reading: ReadTransaction = writing.tx.snapshot;
    const now = (await sampledTime(reading, keyspace, live.incarnation)) ?? Number(await reading.time());
    const time = now - (REQUEST_KEPT_MS + AHEAD_MS) * 1_000;
    const position = await positionOf(reading, keyspace, live.incarnation, { time });
    if (!('reason' in position)) places[name] = formatPosition(position);
  }
  return places;
}
