import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { CommitRequest } from './commit-request.js';
import { KeyValueError } from './database.js';
import { closed } from './lmdb-snapshots.js';
import { packRequest, steadyMs, type CommitOutcome, type FromWorker, type ToWorker, type WorkerStart } from './lmdb-messages.js';

interface Pending {
  readonly resolve: (version: bigint) => void;
  readonly reject: (error: Error) => void;
  readonly timeout: NodeJS.Timeout;
}

export interface CommitterOptions extends WorkerStart {
  /** For tests: another worker than the built one. */
  readonly worker?: URL | undefined;
  /** Called when commits of this process have become visible, before their promises resolve. */
  readonly onCommitted: () => void;
}

// The commits have ended by then: what remains is the lock, which a stopped process may hold.
const CLOSE_MS = 5_000;

/** The main thread's side of the commit worker. Starts it again when it dies. */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #lastId = 0;
  #batches = 0;
  /** Outcomes that nobody was told of yet, batch by batch. */
  readonly #untold: (readonly CommitOutcome[])[] = [];
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  private constructor(options: CommitterOptions) {
    this.#options = options;
  }

  static async open(options: CommitterOptions): Promise<Committer> {
    const committer = new Committer(options);
    await new Promise<void>((resolve, reject) => {
      const worker = committer.#start();
      worker.once('message', (message: FromWorker) => {
        if (message.kind === 'failed') reject(message.error);
        else resolve();
      });
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the commit worker ended before it opened the store')));
    });
    committer.#worker?.unref();
    return committer;
  }

  /** Write transactions of this process so far, each with one sync for all of its commits. */
  get batches(): number {
    return this.#batches;
  }

  /** Resolves with the commit's version when it is on the disk and visible; rejects after `waitMs`, when nobody knows. */
  commit(request: CommitRequest, waitMs: number): Promise<bigint> {
    if (this.#closing !== undefined) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      const worker = this.#worker ?? this.#start();
      // Only commits keep the process alive.
      if (this.#pending.size === 0) worker.ref();
      const id = (this.#lastId += 1);
      const wait = Math.ceil(waitMs);
      // A process that is stopped while it holds the store's lock holds up the worker for as long.
      const timeout = setTimeout(() => this.#giveUp(id, wait), wait);
      this.#pending.set(id, { resolve, reject, timeout });
      const packed = packRequest(request);
      send(worker, { kind: 'commit', id, request: packed, until: steadyMs() + wait }, [packed.buffer]);
    });
  }

  /** Waits for the commits that run, then ends the worker, `between` the two. A worker that waits for a lock is left behind. */
  close(between: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    this.#closing ??= this.#close(between);
    return this.#closing;
  }

  async #close(between: () => Promise<void>): Promise<void> {
    if (this.#pending.size > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await between();
    const worker = this.#worker;
    if (worker === undefined) return;
    worker.ref();
    const ended = new Promise<boolean>((resolve) => worker.once('exit', () => resolve(true)));
    send(worker, { kind: 'close' });
    let timeout: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => (timeout = setTimeout(() => resolve(false), CLOSE_MS)));
    const inTime = await Promise.race([ended, late]);
    clearTimeout(timeout);
    if (!inTime) leave(worker);
  }

  #start(): Worker {
    const { folder, create, mapSize } = this.#options;
    const start: WorkerStart = { folder, create, mapSize };
    const worker = new Worker(this.#options.worker ?? workerFile(), { workerData: start, name: 'lmdb-commit-worker' });
    let isReady = false;
    let cause: unknown;
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'batch') this.#settleSoon(message.outcomes);
      else if (message.kind === 'ready') isReady = true;
      else cause = message.error;
    });
    worker.on('error', (error) => (cause = error));
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#settleAll();
      this.#abandon(
        isReady
          ? new KeyValueError('commit_unknown_result', 'the commit worker died; the commit may have happened', { cause })
          : new KeyValueError('storage_failed', 'the commit worker did not start', { cause }),
      );
    });
    this.#worker = worker;
    return worker;
  }

  /**
   * Node hands out a port's messages without a turn of its loop, up to 1 000 of them, for as long as there is another: where commits follow each other and what is
   * done between two of them takes longer than the worker does, no timer and no socket had its turn for many seconds.
   */
  #settleSoon(outcomes: readonly CommitOutcome[]): void {
    if (this.#untold.push(outcomes) === 1) setImmediate(() => this.#settleAll());
  }

  #settleAll(): void {
    for (const outcomes of this.#untold.splice(0)) this.#settle(outcomes);
  }

  #settle(outcomes: readonly CommitOutcome[]): void {
    this.#batches += 1;
    if (outcomes.some((outcome) => 'version' in outcome)) this.#options.onCommitted();
    for (const outcome of outcomes) {
      const pending = this.#pending.get(outcome.id);
      this.#pending.delete(outcome.id);
      clearTimeout(pending?.timeout);
      if ('version' in outcome) pending?.resolve(outcome.version);
      else if ('fault' in outcome) pending?.reject(outcome.fault);
      else pending?.reject(new KeyValueError(outcome.code, outcome.message, { cause: outcome.cause }));
    }
    this.#rest();
  }

  #giveUp(id: number, waited: number): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    const message = `the commit has waited ${waited} ms for the disk, or for the lock of a process that is stopped; it may have happened`;
    pending?.reject(new KeyValueError('commit_unknown_result', message));
    this.#rest();
  }

  #abandon(error: KeyValueError): void {
    for (const { reject, timeout } of this.#pending.values()) {
      clearTimeout(timeout);
      reject(error);
    }
    this.#pending.clear();
    this.#rest();
  }

  #rest(): void {
    if (this.#pending.size > 0) return;
    this.#worker?.unref();
    this.#idle?.();
  }
}

function send(worker: Worker, message: ToWorker, transfer: ArrayBuffer[] = []): void {
  worker.postMessage(message, transfer);
}

/** Lets the process end without a worker that waits for a lock, or go on. */
function leave(worker: Worker): void {
  worker.unref();
  // Node waits for its threads when it ends, for ever for one that waits in LMDB. What was acknowledged is on the disk.
  const end = (): void => {
    process.kill(process.pid, 'SIGKILL');
  };
  process.once('exit', end);
  worker.once('exit', () => process.off('exit', end));
}

/** Node cannot load TypeScript into a worker, so the sources, as tests run them, use the built worker. */
function workerFile(): URL {
  const isSource = import.meta.url.endsWith('.ts');
  const file = new URL(isSource ? '../../dist/keyvalue/lmdb-commit-worker.js' : './lmdb-commit-worker.js', import.meta.url);
  if (!existsSync(file)) throw new Error(`${fileURLToPath(file)} is missing: run 'node scripts/build.js'`);
  return file;
}
