import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { CommitRequest } from './commit-request.js';
import { KeyValueError } from './database.js';
import { closed } from './lmdb-snapshots.js';
import { packRequest, type CommitOutcome, type FromWorker, type ToWorker, type WorkerStart } from './lmdb-messages.js';

interface Pending {
  readonly resolve: (version: bigint) => void;
  readonly reject: (error: KeyValueError) => void;
}

export interface CommitterOptions extends WorkerStart {
  /** For tests: another worker than the built one. */
  readonly worker?: URL | undefined;
  /** Called when commits of this process have become visible, before their promises resolve. */
  readonly onCommitted: () => void;
}

/** The main thread's side of the commit worker. Starts it again when it dies. */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #lastId = 0;
  #batches = 0;
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

  /** Resolves with the commit's version when it is on the disk and visible. */
  commit(request: CommitRequest): Promise<bigint> {
    if (this.#closing !== undefined) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      const worker = this.#worker ?? this.#start();
      // Only commits keep the process alive.
      if (this.#pending.size === 0) worker.ref();
      const id = (this.#lastId += 1);
      this.#pending.set(id, { resolve, reject });
      const packed = packRequest(request);
      send(worker, { kind: 'commit', id, request: packed }, [packed.buffer]);
    });
  }

  /** Waits for the commits that run, then ends the worker, `between` the two. */
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
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    send(worker, { kind: 'close' });
    await ended;
  }

  #start(): Worker {
    const { folder, create, mapSize } = this.#options;
    const start: WorkerStart = { folder, create, mapSize };
    const worker = new Worker(this.#options.worker ?? workerFile(), { workerData: start, name: 'lmdb-commit-worker' });
    let isReady = false;
    let cause: unknown;
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'batch') this.#settle(message.outcomes);
      else if (message.kind === 'ready') isReady = true;
      else cause = message.error;
    });
    worker.on('error', (error) => (cause = error));
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#abandon(
        isReady
          ? new KeyValueError('commit_unknown_result', 'the commit worker died; the commit may have happened', { cause })
          : new KeyValueError('storage_failed', 'the commit worker did not start', { cause }),
      );
    });
    this.#worker = worker;
    return worker;
  }

  #settle(outcomes: readonly CommitOutcome[]): void {
    this.#batches += 1;
    if (outcomes.some((outcome) => 'version' in outcome)) this.#options.onCommitted();
    for (const outcome of outcomes) {
      const pending = this.#pending.get(outcome.id);
      this.#pending.delete(outcome.id);
      if ('version' in outcome) pending?.resolve(outcome.version);
      else pending?.reject(new KeyValueError(outcome.code, outcome.message, { cause: outcome.cause }));
    }
    this.#rest();
  }

  #abandon(error: KeyValueError): void {
    for (const { reject } of this.#pending.values()) reject(error);
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

/** Node cannot load TypeScript into a worker, so the sources, as tests run them, use the built worker. */
function workerFile(): URL {
  const isSource = import.meta.url.endsWith('.ts');
  const file = new URL(isSource ? '../../dist/keyvalue/lmdb-commit-worker.js' : './lmdb-commit-worker.js', import.meta.url);
  if (!existsSync(file)) throw new Error(`${fileURLToPath(file)} is missing: run 'node scripts/build.js'`);
  return file;
}
