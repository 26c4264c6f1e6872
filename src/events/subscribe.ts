import { concatMap, defer, filter, finalize, repeat, tap, type Observable, type ObservableInput } from 'rxjs';

import type { Database, ReadTransaction, Transaction, Watch } from '../keyvalue/database.js';
import { LOG_PARTITIONS } from '../keyvalue/keyspace.js';
import type { Batch, Log, ReadLimits } from './log.js';
import type { Position } from './position.js';

export interface SubscribeOptions extends ReadLimits {
  /** Events behind this one; without it, from the log's beginning. */
  readonly after: Position | undefined;
  /** The store's incarnation, as the transaction sees it: it may be raised while a subscription lives. */
  readonly incarnation: (tx: ReadTransaction) => Promise<number>;
  /** A watch may be lost, so the log is looked at every so many milliseconds, a half more or less. Default 1 000. */
  readonly pollMs?: number;
  /** Calls `ring` after `ms`; gives what calls it off. Default `setTimeout`. */
  readonly timer?: (ms: number, ring: () => void) => () => void;
}

/**
 * The log from a position on, without end: `consume` is given a batch (never an empty one), what it gives comes out here, and the next batch is read only
 * when that has completed: this is all the backpressure there is, so the work belongs inside `consume`, not behind the Observable that comes out.
 *
 *     subscribe(log, database, { after, incarnation }, (batch) => from(handle(batch)))    // handle: a promise of anything
 *     subscribe(log, database, { after, incarnation }, (batch) => batch.events)           // one by one; the subscriber is synchronous
 *
 * Every event in order, each once for a subscription; a consumer that begins anew after a crash resumes from the position that it kept with its own data.
 * Never completes; ends with an error on an event that can't be decoded, on the store's own errors and on those of `consume`.
 */
export function subscribe<T>(
  log: Log,
  database: Database,
  options: SubscribeOptions,
  consume: (batch: Batch) => ObservableInput<T>,
): Observable<T> {
  return defer(() => {
    const alarm = new Alarm(log, options);
    let position = options.after;
    return defer(() => nextBatch(log, database, options, position, alarm)).pipe(
      filter((batch) => batch !== undefined),
      tap((batch) => (position = batch.next)),
      concatMap(consume),
      repeat(),
      finalize(() => alarm.close()),
    );
  });
}

/** Undefined when the subscription has ended. */
async function nextBatch(
  log: Log,
  database: Database,
  options: SubscribeOptions,
  after: Position | undefined,
  alarm: Alarm,
): Promise<Batch | undefined> {
  let polled = false;
  while (!alarm.closed) {
    alarm.reset();
    // What finds the tail empty sets the watches at the same version: nothing falls between the two. Nothing is read with a conflict.
    const batch = await database.transact(async (tx) => {
      alarm.retract();
      const incarnation = await options.incarnation(tx.snapshot);
      const found = await log.readFrom(tx.snapshot, incarnation, after, options);
      if (found.events.length === 0) alarm.watch(tx);
      return found;
    });
    alarm.keep();
    if (batch.events.length > 0) {
      // The watches that should have told were lost.
      if (polled) alarm.disarm();
      return batch;
    }
    polled = (await alarm.wait()) === 'polled';
  }
  return undefined;
}

/**
 * Waits for an append, by a watch on each partition's wake key and a timer. A watch that has not fired is kept for the next wait, since it covers what came
 * after it was set: on FoundationDB watches are dear.
 */
class Alarm {
  closed = false;
  readonly #log: Log;
  readonly #pollMs: number;
  readonly #timer: (ms: number, ring: () => void) => () => void;
  readonly #watches = new Map<number, Watch>();
  /** Set in a transaction that has not yet ended well. */
  #fresh: number[] = [];
  #rung = false;
  #ring: ((how: 'woken' | 'polled') => void) | undefined;

  constructor(log: Log, options: SubscribeOptions) {
    this.#log = log;
    this.#pollMs = options.pollMs ?? 1_000;
    this.#timer = options.timer ?? realTimer;
  }

  /** What fires from here on ends the next wait at once. */
  reset(): void {
    this.#rung = false;
  }

  watch(tx: Transaction): void {
    if (this.closed) return;
    for (let partition = 0; partition < LOG_PARTITIONS; partition += 1) {
      if (this.#watches.has(partition)) continue;
      const watch = tx.watch(this.#log.keyspace.wake(partition));
      this.#watches.set(partition, watch);
      this.#fresh.push(partition);
      void watch.changed.then(() => {
        if (this.#watches.get(partition) !== watch) return;
        this.#watches.delete(partition);
        this.#rung = true;
        this.#ring?.('woken');
      });
    }
  }

  /** Takes back what an attempt of the transaction set that was then repeated. */
  retract(): void {
    for (const partition of this.#fresh) this.#cancel(partition);
    this.#fresh = [];
  }

  keep(): void {
    this.#fresh = [];
    // The subscription may have ended while the transaction ran.
    if (this.closed) this.disarm();
  }

  disarm(): void {
    for (const partition of [...this.#watches.keys()]) this.#cancel(partition);
  }

  async wait(): Promise<'woken' | 'polled'> {
    if (this.#rung || this.closed) return 'woken';
    let callOff: (() => void) | undefined;
    const how = await new Promise<'woken' | 'polled'>((resolve) => {
      this.#ring = resolve;
      callOff = this.#timer(this.#pollMs * (0.5 + Math.random()), () => resolve('polled'));
    });
    this.#ring = undefined;
    callOff?.();
    return how;
  }

  close(): void {
    this.closed = true;
    this.disarm();
    this.#ring?.('woken');
  }

  #cancel(partition: number): void {
    const watch = this.#watches.get(partition);
    this.#watches.delete(partition);
    watch?.cancel();
  }
}

function realTimer(ms: number, ring: () => void): () => void {
  const timer = setTimeout(ring, ms);
  return () => clearTimeout(timer);
}
