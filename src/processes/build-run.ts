import { createLog, type Log } from '../events/log.js';
import { comparePositions, type Position } from '../events/position.js';
import type { Uid } from '../identifiers.js';
import { KeyValueError } from '../keyvalue/database.js';
import { advanceBuild } from '../projections/advance-build.js';
import { claimBuild, findBuild, releaseBuild, renewLease, type Build, type Builder, type Order } from '../projections/builds.js';
import type { Store } from '../projections/store.js';
import type { ServerRecord } from '../projections/servers.js';
import { LONGEST_PAUSE_MS, restAfter } from './serving-share.js';

export type Phase =
  /** Another process builds the same, or was killed at it a moment ago: its lease has not run out. */
  | 'waiting for another builder'
  | 'building'
  /** Servers are running that could not serve afterwards. */
  | 'waiting for servers'
  | 'switching'
  | 'comparing'
  | 'clearing';

export interface Progress {
  readonly phase: Phase;
  /** How many events are in the build, and about how many there are. */
  readonly events: number;
  readonly total: number;
  /** Events a second since this process began, the pauses of a rate limit included. */
  readonly rate: number;
  readonly secondsLeft: number | undefined;
  /** So many events were in the build when this process took it up. */
  readonly resumedAt: number;
  /** In the phase 'waiting for servers': those. */
  readonly behind: readonly ServerRecord[];
  /** In the phase 'waiting for another builder': that. */
  readonly holder: string | undefined;
}

export interface BuilderClock {
  /** Milliseconds that never go back. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

export const realClock: BuilderClock = {
  now: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

export interface BuildOptions {
  readonly builder: Builder;
  readonly order: Order;
  readonly newId: () => Uid;
  /** Events of one transaction at most: the more, the faster, and the longer is whoever shares the thread held up. */
  readonly limit: number;
  /** Read of the log's content and written by one transaction, about. Default: what fits. */
  readonly bytes?: number | undefined;
  /** Events a second, for what was in the log at the beginning; what came since is caught up with as fast as it goes, so that there is an end. */
  readonly rate?: number | undefined;
  /** Of a thread that serves, too: so much of its time at most, from 0 to 1, for what was in the log at the beginning. Default 1. */
  readonly share?: number | undefined;
  readonly progress: (progress: Progress) => void;
  /** Ends it with a BuildStoppedError; what is built stays, to be gone on with. */
  readonly signal: AbortSignal;
  readonly clock?: BuilderClock | undefined;
}

export class BuildStoppedError extends Error {
  override readonly name = 'BuildStoppedError';
}

const HELD_POLL_MS = 500;
const FIRST_LIMIT = 2_000;
const SHORTEST_STEP_MS = 400;
const LONGEST_STEP_MS = 1_000;
const SMALLEST_STEP = 50;
/** A step that has folded for so long ends itself, commits, and is far from a transaction's 5 s, however slow the reads of a cluster are. */
const FOLDING_MS = 800;

/** One process at work on one build: what making one to switch to and making one to compare with have in common. */
export class BuildRun {
  readonly store: Store;
  readonly options: BuildOptions;
  readonly clock: BuilderClock;
  build: Build;
  readonly #log: Log;
  readonly #resumedAt: number;
  readonly #startedAt: number;
  /** The log's end when this began: up to here the rate limit holds. */
  readonly #startEnd: Position | undefined;
  readonly #total: number;
  /** Of the next step. */
  #limit: number;

  /** Claims the build; waits while another process holds it. What that has brought to its end meanwhile is not done again. */
  static async begin(store: Store, options: BuildOptions): Promise<BuildRun | { readonly finished: Build }> {
    const clock = options.clock ?? realClock;
    const { builder, order, newId } = options;
    const log = createLog(store.keyspaces[order.directory]);
    for (let waitedFor: string | undefined; ;) {
      if (options.signal.aborted) throw new BuildStoppedError('stopped');
      const state = await store.database.read(async (tx) => {
        const { live } = await store.readDirectory(tx, order.directory);
        return { end: await log.newest(tx, live.incarnation), total: await log.count(tx) };
      });
      const claim = await claimBuild(store, builder, order, newId(), waitedFor);
      if ('finished' in claim) return claim;
      if ('claimed' in claim) return new BuildRun(store, options, clock, log, claim.claimed, state);
      const { build, events, lease } = claim.held;
      waitedFor = build;
      const holder = lease?.owner.split(' ')[0];
      options.progress({
        ...nothingDone,
        phase: 'waiting for another builder',
        events,
        resumedAt: events,
        total: state.total,
        holder,
      });
      await clock.sleep(HELD_POLL_MS);
    }
  }

  private constructor(
    store: Store,
    options: BuildOptions,
    clock: BuilderClock,
    log: Log,
    build: Build,
    state: { readonly end: Position | undefined; readonly total: number },
  ) {
    this.store = store;
    this.options = options;
    this.clock = clock;
    this.build = build;
    this.#log = log;
    this.#resumedAt = build.events;
    this.#startedAt = clock.now();
    this.#startEnd = state.end;
    this.#total = state.total;
    this.#limit = Math.min(options.limit, FIRST_LIMIT);
  }

  /**
   * Folds on to where the log ends now, so that there is an end however fast events are appended: whether nothing had come behind that. Throws BuildStoppedError,
   * BuildLostError, ReplayError, EventDecodeError. `phase`: what is told meanwhile. `atMost`: it ends, too, when it has folded in more events
   * than that.
   */
  async catchUp(phase: Phase = 'building', atMost = Infinity): Promise<boolean> {
    const end = await this.#end();
    const begin = this.build.events;
    for (;;) {
      this.checkStopped();
      const before = this.clock.now();
      if (await this.advance()) return true;
      const { checkpoint } = this.build;
      if (checkpoint !== undefined && end !== undefined && comparePositions(checkpoint, end) >= 0) return false;
      if (this.build.events - begin > atMost) return false;
      this.report(phase);
      await this.#pace(this.clock.now() - before);
    }
  }

  #end(): Promise<Position | undefined> {
    const { directory } = this.options.order;
    return this.store.database.read(async (tx) =>
      this.#log.newest(tx, (await this.store.readDirectory(tx, directory)).live.incarnation),
    );
  }

  /** One transaction of it; whether that found the log's end. */
  async advance(): Promise<boolean> {
    const { builder, order, rate = Infinity } = this.options;
    // A rate is kept in steps of at most a second.
    const limit = this.#isLimited() ? Math.max(1, Math.min(this.#limit, Math.floor(rate))) : this.#limit;
    const before = this.clock.now();
    const { events } = this.build;
    try {
      const { bytes } = this.options;
      const time = { now: () => this.clock.now(), ms: FOLDING_MS };
      const limits = { limit, time, ...(bytes === undefined ? {} : { bytes }) };
      const step = await advanceBuild(this.store, builder, order.directory, this.build.build, limits);
      this.build = step.build;
      this.#adapt(this.clock.now() - before, step.build.events - events, limit, step.halved);
      return step.tailReached;
    } catch (error) {
      if (!isTooSlow(error) || this.#limit === 1) throw error;
      this.#limit = Math.ceil(this.#limit / 2);
      return false;
    }
  }

  /** Steps that are long enough to be worth a commit, and far from a transaction's 5 s. */
  #adapt(tookMs: number, events: number, limit: number, halved: number): void {
    const smallest = Math.min(this.#limit, SMALLEST_STEP);
    if (halved > 0) this.#limit = Math.max(1, limit >> halved);
    // A step that is this small waits for a busy disk, or a lock: smaller ones would wait as long.
    else if (tookMs > LONGEST_STEP_MS) this.#limit = Math.max(Math.ceil(events / 2), smallest);
    else if (events >= limit && tookMs < SHORTEST_STEP_MS) this.#limit = Math.min(this.#limit * 2, this.options.limit);
  }

  /** Keeps the build while there is nothing to fold in. */
  async renew(): Promise<void> {
    this.build = await renewLease(this.store, this.options.builder, this.options.order.directory, this.build.build);
  }

  /** The build as a transaction left it that did not say. */
  async reread(): Promise<void> {
    const keyspace = this.store.keyspaces[this.options.order.directory];
    this.build = (await this.store.database.read((tx) => findBuild(tx, keyspace, this.build.build))) ?? this.build;
  }

  /** Lets another process take the build over at once. */
  async release(): Promise<void> {
    await releaseBuild(this.store, this.options.builder, this.options.order.directory, this.build.build);
  }

  report(phase: Phase, behind: readonly ServerRecord[] = []): void {
    const { events } = this.build;
    const seconds = (this.clock.now() - this.#startedAt) / 1_000;
    const rate = seconds > 0 ? (events - this.#resumedAt) / seconds : 0;
    // Release 0.1.0 counted appends, which are fewer than events.
    const total = Math.max(this.#total, events);
    const secondsLeft = phase === 'building' && rate > 0 ? (total - events) / rate : undefined;
    this.options.progress({ phase, events, total, rate, secondsLeft, resumedAt: this.#resumedAt, behind, holder: undefined });
  }

  checkStopped(): void {
    if (this.options.signal.aborted) throw new BuildStoppedError('stopped; what is built stays and is gone on with');
  }

  #isLimited(): boolean {
    const { checkpoint } = this.build;
    if (this.#startEnd === undefined) return false;
    return checkpoint === undefined || comparePositions(checkpoint, this.#startEnd) < 0;
  }

  /** `tookMs`: the last step. */
  async #pace(tookMs: number): Promise<void> {
    const { rate, share = 1 } = this.options;
    if (!this.#isLimited()) return;
    if (share < 1) await this.clock.sleep(restAfter(tookMs, share));
    if (rate === undefined) return;
    const due = this.#startedAt + ((this.build.events - this.#resumedAt) / rate) * 1_000;
    for (let wait = due - this.clock.now(); wait > 0; wait = due - this.clock.now()) {
      this.checkStopped();
      await this.clock.sleep(Math.min(wait, LONGEST_PAUSE_MS));
      if (wait > LONGEST_PAUSE_MS) await this.renew();
    }
  }
}

const nothingDone = { rate: 0, secondsLeft: undefined, behind: [] } as const;

/** The step did not get done in a transaction's life, however often it was tried. */
function isTooSlow(error: unknown): boolean {
  const cause = error instanceof KeyValueError && error.code === 'retries_exhausted' ? error.cause : undefined;
  return cause instanceof KeyValueError && cause.code === 'transaction_too_old';
}
