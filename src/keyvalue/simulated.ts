import { randomInt } from 'node:crypto';

import { applyOperations, commitStamp, conflicts, covers, writeRanges, type OperationTarget } from './apply-operations.js';
import type { CommitRequest, KeyRange, Snapshot } from './commit-request.js';
import {
  KeyValueError,
  limits,
  type Database,
  type KeyValue,
  type ReadTransaction,
  type TransactOptions,
  type Transaction,
} from './database.js';
import type { KeyWatch } from './key-watch.js';
import { OptimisticTransaction, type WatchRegistration } from './optimistic-transaction.js';
import { readRetries, withRetries, type RetryEnvironment } from './retry.js';
import { SortedMap } from './sorted-map.js';

/**
 * The engine of the tests: one store in memory that several "processes" connect to, with every fault that a cluster or a power cut can bring, drawn from a
 * seed. With a VirtualClock, and no real I/O in the bodies, one seed gives one run.
 */

export interface SimulatedClock {
  /** Milliseconds since 1970, with a fraction; never goes back. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

export const realClock: SimulatedClock = {
  now: () => performance.timeOrigin + performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

// Enough turns of the event loop that what is awake goes on before a sleeper wakes.
const TURNS_BEFORE_A_SLEEPER = 16;

/** A clock that stands still while anybody works, and jumps to the first sleeper when the others have had their turns. */
export class VirtualClock implements SimulatedClock {
  #now: number;
  #sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  #running = false;

  /** `start` in milliseconds since 1970. */
  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#sleepers.push({ at: this.#now + Math.max(0, ms), wake: resolve });
      if (!this.#running) void this.#run();
    });
  }

  /** Moves the clock, and wakes whoever slept until then. */
  advance(ms: number): void {
    this.#now += ms;
    const due = this.#sleepers.filter((sleeper) => sleeper.at <= this.#now).sort((a, b) => a.at - b.at);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.at > this.#now);
    for (const sleeper of due) sleeper.wake();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (;;) {
      for (let turn = 0; turn < TURNS_BEFORE_A_SLEEPER; turn += 1) await nextTurn();
      const next = this.#sleepers.reduce((earliest, sleeper) => Math.min(earliest, sleeper.at), Infinity);
      if (next === Infinity) break;
      this.advance(Math.max(0, next - this.#now));
    }
    this.#running = false;
  }
}

/** Chances from 0 to 1, each drawn where the fault could strike. */
export interface Faults {
  /** At a commit that writes. */
  readonly notCommitted: number;
  /** At a read or a commit. */
  readonly transactionTooOld: number;
  /** `commit_unknown_result` for a commit that happened. */
  readonly unknownApplied: number;
  /** `commit_unknown_result` for a commit that did not happen. */
  readonly unknownLost: number;
  /** A watch that fires up to 5 s after the change. */
  readonly watchLate: number;
  /** A watch that never fires: only a poll finds the change. */
  readonly watchLost: number;
}

export const noFaults: Faults = {
  notCommitted: 0,
  transactionTooOld: 0,
  unknownApplied: 0,
  unknownLost: 0,
  watchLate: 0,
  watchLost: 0,
};

/** Where a process can die: before an attempt, in a read, before a commit, after it before anybody hears of it, between two attempts. */
export type CrashPoint = 'begin' | 'read' | 'commit' | 'committed' | 'retry';

/** The process died. Everything that it calls from then on throws this, too. */
export class CrashedError extends Error {
  override readonly name = 'CrashedError';
}

export interface SimulatedOptions {
  /** Without it a random one, which is printed when faults are on. */
  readonly seed?: number;
  /** The real one by default. */
  readonly clock?: SimulatedClock;
  readonly faults?: Partial<Faults>;
  /** Called at every await of every process; a throw of CrashedError kills the process there. */
  readonly crash?: (point: CrashPoint, process: string) => void;
  /** What its databases say of themselves. Default true, without `versions`; false for tests of those who have to do without. */
  readonly quietVersions?: boolean;
  /**
   * The version at a time in microseconds, which never falls; read versions then grow with it, without commits, as FoundationDB's do. By default the time
   * itself, at commits alone.
   */
  readonly versions?: (time: bigint) => bigint;
}

interface LoggedCommit {
  readonly version: bigint;
  readonly at: number;
  readonly ranges: readonly KeyRange[];
}

interface RegisteredWatch {
  readonly watch: KeyWatch;
  readonly process: SimulatedDatabase;
  readonly fate: 'fires' | 'late' | 'lost';
}

const LATEST_WATCH_MS = 5_000;

// Behind all keys of users, as FoundationDB's own.
const METADATA_KEY = Buffer.from('\xff/metadataVersion', 'latin1');
const AFTER_USERS_KEYS = Buffer.from([0xff]);

export class SimulatedStore {
  readonly seed: number;
  readonly clock: SimulatedClock;
  /** In [0, 1), from the seed; the simulation's own choices may draw from it, too. */
  readonly random: () => number;
  readonly quietVersions: boolean;
  faults: Faults;
  crash: ((point: CrashPoint, process: string) => void) | undefined;

  readonly #pairs = new SortedMap<Buffer>();
  readonly #forced = new Map<keyof Faults, number>();
  readonly #watches = new Set<RegisteredWatch>();
  #log: LoggedCommit[] = [];
  /** Commits up to this version are no longer in the log. */
  #forgotten = 0n;
  #version = 0n;
  #view: Snapshot | undefined;
  #processes = 0;
  readonly #versions: ((time: bigint) => bigint) | undefined;

  constructor(options: SimulatedOptions = {}) {
    this.seed = options.seed ?? randomInt(2 ** 32);
    this.clock = options.clock ?? realClock;
    this.random = seededRandom(this.seed);
    this.quietVersions = options.quietVersions ?? options.versions === undefined;
    this.#versions = options.versions;
    this.faults = { ...noFaults, ...options.faults };
    this.crash = options.crash;
    if (options.seed === undefined && options.faults !== undefined) process.stderr.write(`simulated store: seed ${this.seed}\n`);
  }

  /** A connection as a process of its own has one: it can crash or close alone, and shares only the store. */
  connect(name?: string): SimulatedDatabase {
    this.#processes += 1;
    return new SimulatedDatabase(this, name ?? `process ${this.#processes}`);
  }

  /** Makes the next `times` occasions of a fault happen, whatever its chance. */
  force(fault: keyof Faults, times = 1): void {
    this.#forced.set(fault, (this.#forced.get(fault) ?? 0) + times);
  }

  /** All pairs in key order, without what the store keeps for itself. */
  contents(): KeyValue[] {
    return [...this.snapshot().range(Buffer.alloc(0), AFTER_USERS_KEYS, false)];
  }

  /** Whether a fault strikes here. @internal */
  strikes(fault: keyof Faults): boolean {
    const forced = this.#forced.get(fault) ?? 0;
    if (forced > 0) {
      this.#forced.set(fault, forced - 1);
      return true;
    }
    return this.faults[fault] > 0 && this.random() < this.faults[fault];
  }

  /** @internal */
  snapshot(): Snapshot {
    const version = this.#versions?.(this.time()) ?? this.#version;
    if (version > this.#version) {
      this.#version = version;
      this.#view = undefined;
    }
    // Every reader between two commits shares one.
    this.#view ??= viewOf(this.#pairs.clone(), this.#version);
    return this.#view;
  }

  /** Microseconds since 1970. @internal */
  time(): bigint {
    return BigInt(Math.floor(this.clock.now() * 1_000));
  }

  /** All or nothing, without an await: the resolver and the log of a cluster. @internal */
  commit(request: CommitRequest): { readonly version: bigint; readonly stamp: Buffer } {
    if (this.strikes('transactionTooOld')) throw new KeyValueError('transaction_too_old', 'simulated: the commit came too late');
    if (this.strikes('notCommitted')) throw new KeyValueError('not_committed', 'simulated: a conflict');
    if (this.strikes('unknownLost'))
      throw new KeyValueError('commit_unknown_result', 'simulated: the commit was lost on its way');
    this.#prune();
    if (request.reads.length > 0) {
      if (request.readVersion < this.#forgotten) {
        throw new KeyValueError(
          'transaction_too_old',
          `what was written after version ${request.readVersion} is no longer known`,
        );
      }
      for (let index = this.#log.length - 1; index >= 0; index -= 1) {
        const commit = this.#log[index];
        if (commit === undefined || commit.version <= request.readVersion) break;
        if (conflicts(request.reads, commit.ranges)) {
          throw new KeyValueError(
            'not_committed',
            `version ${commit.version} changed what was read at version ${request.readVersion}`,
          );
        }
      }
    }
    const now = this.#versions?.(this.time()) ?? this.time();
    this.#version = now > this.#version ? now : this.#version + 1n;
    const stamp = commitStamp(this.#version, 0);
    const ranges = writeRanges(request, stamp);
    applyOperations(targetOf(this.#pairs), request.operations, stamp);
    this.#view = undefined;
    this.#log.push({ version: this.#version, at: this.clock.now(), ranges });
    for (const registered of this.#watches) if (covers(ranges, registered.watch.key)) this.#fire(registered);
    if (this.strikes('unknownApplied'))
      throw new KeyValueError('commit_unknown_result', 'simulated: the answer to the commit was lost');
    return { version: this.#version, stamp };
  }

  /** @internal */
  register({ watch, since }: WatchRegistration, process: SimulatedDatabase): void {
    const fate = this.strikes('watchLost') ? 'lost' : this.strikes('watchLate') ? 'late' : 'fires';
    const registered: RegisteredWatch = { watch, process, fate };
    this.#watches.add(registered);
    watch.onEnd(() => this.#watches.delete(registered));
    const missed =
      since < this.#forgotten || this.#log.some((commit) => commit.version > since && covers(commit.ranges, watch.key));
    if (missed) this.#fire(registered);
  }

  /** A process that closed lets go of its waits; one that crashed has nobody left who waits. @internal */
  dropWatches(process: SimulatedDatabase, how: 'fire' | 'forget'): void {
    for (const registered of [...this.#watches]) {
      if (registered.process !== process) continue;
      this.#watches.delete(registered);
      if (how === 'fire') registered.watch.fire();
    }
  }

  /** How many watches wait; for tests that look for leaks. */
  get watching(): number {
    return this.#watches.size;
  }

  #fire(registered: RegisteredWatch): void {
    if (registered.fate === 'fires') registered.watch.fire();
    else if (registered.fate === 'late') {
      void this.clock.sleep(this.random() * LATEST_WATCH_MS).then(() => {
        if (this.#watches.has(registered)) registered.watch.fire();
      });
    }
  }

  /** As FoundationDB's resolvers: conflicts are known for as long as a transaction may live. */
  #prune(): void {
    const horizon = this.clock.now() - limits.transactionMs;
    let count = 0;
    for (const commit of this.#log) {
      if (commit.at >= horizon) break;
      this.#forgotten = commit.version;
      count += 1;
    }
    if (count > 0) this.#log = this.#log.slice(count);
  }
}

/** One process's connection to a SimulatedStore. */
export class SimulatedDatabase implements Database {
  readonly #store: SimulatedStore;
  readonly #environment: RetryEnvironment;
  #state: 'open' | 'closed' | 'crashed' = 'open';

  /** @internal Use `SimulatedStore.connect`. */
  constructor(
    store: SimulatedStore,
    readonly name: string,
  ) {
    this.#store = store;
    this.#environment = {
      now: () => store.clock.now(),
      random: store.random,
      sleep: async (ms) => {
        await this.#pause('retry');
        await store.clock.sleep(ms);
      },
    };
  }

  get quietVersions(): boolean {
    return this.#store.quietVersions;
  }

  transact<T>(body: (tx: Transaction) => Promise<T>, options: TransactOptions = {}): Promise<T> {
    return withRetries(() => this.#attempt(body, true), { timeoutMs: options.timeoutMs }, this.#environment);
  }

  read<T>(body: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    return withRetries(() => this.#attempt((tx) => body(tx.snapshot), false), readRetries, this.#environment);
  }

  close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closed';
    this.#store.dropWatches(this, 'fire');
    return Promise.resolve();
  }

  /** Kills this process from outside; the store keeps what was committed. */
  kill(): void {
    this.#state = 'crashed';
    this.#store.dropWatches(this, 'forget');
  }

  async #attempt<T>(body: (tx: Transaction) => Promise<T>, commits: boolean): Promise<T> {
    await this.#pause('begin');
    const store = this.#store;
    const tx = new OptimisticTransaction({
      openSnapshot: () => store.snapshot(),
      now: () => store.clock.now(),
      time: (readVersion) => (store.time() > readVersion ? store.time() : readVersion),
      metadataKey: METADATA_KEY,
      pause: async () => {
        await this.#pause('read');
        if (store.strikes('transactionTooOld'))
          throw new KeyValueError('transaction_too_old', 'simulated: the read came too late');
      },
    });
    try {
      const result = await body(tx);
      if (commits) await this.#commit(tx);
      else tx.committed(undefined);
      return result;
    } catch (error) {
      tx.failed(error);
      throw error;
    }
  }

  async #commit(tx: OptimisticTransaction): Promise<void> {
    const request = tx.seal();
    if (request !== undefined) await this.#pause('commit');
    const commit = request === undefined ? undefined : this.#store.commit(request);
    if (commit !== undefined) await this.#pause('committed');
    for (const registration of tx.committed(commit)) this.#store.register(registration, this);
  }

  /** Lets others go first, for as long as the seed says, and dies where the crash hook says. */
  async #pause(point: CrashPoint): Promise<void> {
    this.#alive();
    try {
      this.#store.crash?.(point, this.name);
    } catch (error) {
      this.kill();
      throw error;
    }
    for (let turns = 1 + Math.floor(this.#store.random() * 3); turns > 0; turns -= 1) await nextTurn();
    this.#alive();
  }

  #alive(): void {
    if (this.#state === 'crashed') throw new CrashedError(`${this.name} has crashed (seed ${this.#store.seed})`);
    if (this.#state === 'closed') throw new KeyValueError('closed', 'the database is closed');
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function viewOf(pairs: SortedMap<Buffer>, version: bigint): Snapshot {
  return {
    version,
    get: (key) => {
      const value = pairs.get(key);
      return value === undefined ? undefined : Buffer.from(value);
    },
    *range(begin, end, reverse) {
      for (const { key, value } of pairs.range(begin, end, reverse)) yield { key: Buffer.from(key), value: Buffer.from(value) };
    },
  };
}

function targetOf(pairs: SortedMap<Buffer>): OperationTarget {
  return {
    get: (key) => pairs.get(key),
    set: (key, value) => pairs.set(Buffer.from(key), Buffer.from(value)),
    clear: (key) => pairs.delete(key),
    clearRange: (begin, end) => pairs.deleteRange(begin, end),
  };
}

/** mulberry32: small, fast, and good enough to choose faults. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
