import { statfsSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { applyOperations, commitStamp, writeRanges, type OperationTarget } from './apply-operations.js';
import type { CommitRequest } from './commit-request.js';
import { lmdbErrorCode } from './lmdb-binding.js';
import { DatabaseClock } from './database-clock.js';
import { ConflictLog } from './lmdb-conflict-log.js';
import {
  steadyMs,
  unpackRequest,
  type CommitOutcome,
  type FromWorker,
  type ToWorker,
  type WorkerStart,
} from './lmdb-messages.js';
import { clearValues, getValue, putValue, readState, removeValue, WritableStore } from './lmdb-store.js';

/**
 * The thread that commits for one process: it waits for the disk and for other processes' locks, so that the main thread never does. Everything that waits
 * when it gets the lock goes into one write transaction with one sync; each commit of it is checked for itself, against those before it in the batch, too.
 */

interface Waiting {
  readonly id: number;
  readonly bytes: number;
  readonly until: number;
  readonly request: CommitRequest;
}

/** A request that could not be applied, for a reason of its own and not of the disk's. */
class RequestFailed extends Error {
  constructor(
    readonly id: number,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

// What is not on the disk is in memory: three of the largest transactions or thousands of usual ones.
const BATCH_BYTES = 32 * 1024 * 1024;

const start = workerData as WorkerStart;
const port = parentPort;
if (port === null) throw new Error('lmdb-commit-worker is a worker thread');

function tell(message: FromWorker): void {
  port?.postMessage(message);
}

let opened: WritableStore | undefined;
try {
  opened = WritableStore.open(start.folder, start);
} catch (error) {
  tell({ kind: 'failed', error: asError(error) });
}
if (opened !== undefined) serve(opened);

function serve(store: WritableStore): void {
  const log = new ConflictLog(store);
  const clock = new DatabaseClock();
  // A store that is ahead goes on from here, not from the first commit.
  clock.after(readState(store).version);
  const target: OperationTarget = {
    get: (key) => getValue(store, key),
    set: (key, value) => putValue(store, key, value),
    clear: (key) => removeValue(store, key),
    clearRange: (begin, end) => clearValues(store, begin, end),
  };

  port?.on('message', (first: ToWorker) => {
    const waiting: Waiting[] = [];
    let bytes = 0;
    for (let next: ToWorker | undefined = first; next !== undefined;) {
      if (next.kind === 'close') {
        // The main thread sends nothing behind it.
        commit(waiting);
        void store.close().then(() => port.close());
        return;
      }
      waiting.push({ id: next.id, bytes: next.request.byteLength, until: next.until, request: unpackRequest(next.request) });
      bytes += next.request.byteLength;
      next = bytes < BATCH_BYTES ? nextMessage() : undefined;
    }
    commit(waiting);
  });
  tell({ kind: 'ready' });

  function commit(waiting: readonly Waiting[]): void {
    if (waiting.length === 0) return;
    let outcomes: CommitOutcome[] = [];
    try {
      store.write(() => {
        outcomes = commitAll(waiting);
      });
    } catch (error) {
      log.forget();
      if (error instanceof RequestFailed) {
        tell({ kind: 'batch', outcomes: [{ id: error.id, fault: asError(error.cause) }] });
        commit(waiting.filter(({ id }) => id !== error.id));
        return;
      }
      outcomes = waiting.map(({ id }) => storageFailed(id, error));
    }
    tell({ kind: 'batch', outcomes });
  }

  function commitAll(waiting: readonly Waiting[]): CommitOutcome[] {
    log.catchUp();
    const now = clock.after(log.version);
    const outcomes = waiting.map((each) => commitOne(each, now));
    log.finish(now);
    return outcomes;
  }

  function commitOne({ id, until, request }: Waiting, now: bigint): CommitOutcome {
    // Its caller was told that nobody knows, and may have done something else since: that it happens so late would be a surprise.
    if (steadyMs() > until) return { id, code: 'commit_unknown_result', message: 'the lock of the store came too late' };
    const { reads, readVersion } = request;
    if (reads.length > 0 && readVersion < log.forgotten)
      return { id, code: 'transaction_too_old', message: 'the conflict log does not go back to what the transaction read' };
    if (reads.length > 0 && log.conflictsSince(readVersion, reads))
      return { id, code: 'not_committed', message: 'another transaction changed what this one read' };
    const version = now > log.version ? now : log.version + 1n;
    const stamp = commitStamp(version, 0);
    try {
      applyOperations(target, request.operations, stamp);
      log.append(version, writeRanges(request, stamp));
    } catch (error) {
      // LMDB's errors spoil the write transaction, and so do the system's.
      throw lmdbErrorCode(error) === undefined ? new RequestFailed(id, error) : error;
    }
    return { id, version };
  }
}

function nextMessage(): ToWorker | undefined {
  const received = port === null ? undefined : receiveMessageOnPort(port);
  return received?.message as ToWorker | undefined;
}

function storageFailed(id: number, error: unknown): CommitOutcome {
  const cause = asError(error);
  // lmdb-js adds what it was last told about another error.
  const told = getSystemErrorMap().get(-(lmdbErrorCode(error) ?? 0));
  // LMDB calls a write of which the disk took only a part EIO: usually the disk is full.
  const [name, meaning] = told?.[0] === 'EIO' && diskIsFull() ? noSpace : (told ?? ['', cause.message]);
  return { id, code: 'storage_failed', message: `the commit did not reach the disk: ${meaning} ${name}`.trimEnd(), cause };
}

const noSpace = ['ENOSPC', 'no space left on device'] as const;

function diskIsFull(): boolean {
  try {
    const { bavail, bsize } = statfsSync(start.folder);
    return bavail * bsize < 1024 * 1024;
  } catch {
    return false;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
