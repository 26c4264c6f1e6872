import { createHash } from 'node:crypto';
import { lastValueFrom } from 'rxjs';

import { createLog } from '../../src/events/log.js';
import { comparePositions, formatPosition, type Position } from '../../src/events/position.js';
import { subscribe } from '../../src/events/subscribe.js';
import type { RecordedEvent } from '../../src/events/types.js';
import { resumeDeletions } from '../../src/commands/repository.js';
import { follow } from '../../src/processes/follow.js';
import { clearAll } from '../../src/processes/rebuild.js';
import { beat, HEARTBEAT_MS } from '../../src/processes/heartbeat.js';
import { PULLS_WRITTEN_MS } from '../../src/processes/pull-counting.js';
import { upgrade } from '../../src/processes/upgrade.js';
import { expireUploads } from '../../src/processes/upload-expiry.js';
import { findBuild, listBuilds } from '../../src/projections/builds.js';
import { createStore } from '../../src/projections/store.js';
import { checkAnswers, commitsOf, type Violation } from './asked.js';
import { checkEnd } from './check-end.js';
import { checkHistory, momentOf, type Moment } from './check-history.js';
import { checkIndexes } from './check-indexes.js';
import { Client, type Journal } from './client.js';
import { NoProgressError } from './clock.js';
import { Cluster, counted, expiry, type Server } from './cluster.js';
import { plainStore } from './plain-store.js';
import { randomFrom } from './random.js';
import { ACTORS, FOLLOWER, SERVERS, stepsFrom, type FaultKind, type Step } from './steps.js';
import { world } from './world.js';

export interface RunOptions {
  readonly seed: number;
  readonly steps: number;
  /** Only these steps of the seed's. */
  readonly only?: ReadonlySet<number> | undefined;
  /** Faults that do not strike, as `<step>.<number of the fault in it>`. */
  readonly spared?: ReadonlySet<string> | undefined;
  /** Errors have their stacks, which costs a tenth of the time. */
  readonly stacks?: boolean;
}

export interface RunResult {
  readonly violations: readonly Violation[];
  /** Of the whole store and everything that was told: two runs with one hash are one run. */
  readonly hash: string;
  readonly steps: readonly Step[];
  readonly told: ReadonlyMap<number, readonly string[]>;
  /** How often each kind of step, outcome and fault came. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Longest that a run may take of its own clock, in milliseconds for each step; jumps come on top. */
const STEP_MS = 5_000;
const JUMPS_MS = 400 * 24 * 3_600_000;
/** What is left to do when the faults have ended takes no longer than this many milliseconds. */
const PROGRESS_MS = 120_000;

/** What a batch of the log is to its follower, in milliseconds. */
const FOLLOWING_MS = 50;

/** Chance of a commit to be a moment that is asked for later. */
const MOMENTS = 0.004;

const UNEXPECTED = 'no fault but the ordered ones';
const FOLDED = 'the indexes are the folded log';

/** The steps that are left of a seed's. */
export function stepsOf({ seed, steps, only, spared }: RunOptions): readonly Step[] {
  return stepsFrom(seed, steps)
    .filter(({ id }) => only?.has(id) !== false)
    .map((step) => ({ ...step, faults: step.faults.filter((_, index) => spared?.has(`${step.id}.${index}`) !== true) }));
}

/** One run of a seed, from the first commit to the last check. */
export async function run(options: RunOptions): Promise<RunResult> {
  const cluster = new Cluster(options.seed);
  const restore = takeTimers(cluster, options.stacks === true);
  try {
    return await new Run(cluster, options).go();
  } finally {
    restore();
  }
}

/** The routes ask the machine for the time of an event, and for the interval in which an upload is renewed: both come from the simulation. */
function takeTimers(cluster: Cluster, stacks: boolean): () => void {
  const before = { now: Date.now, setInterval: globalThis.setInterval, clearInterval: globalThis.clearInterval };
  // Half of a run's errors are ordered, and nobody reads their stacks.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = stacks ? 20 : 0;
  Date.now = () => cluster.wall;
  globalThis.setInterval = ((task: () => void, ms: number) => cluster.clock.every(ms, task)) as unknown as typeof setInterval;
  globalThis.clearInterval = ((cancel: () => void) => cancel()) as unknown as typeof clearInterval;
  return () => {
    Date.now = before.now;
    globalThis.setInterval = before.setInterval;
    globalThis.clearInterval = before.clearInterval;
    Error.stackTraceLimit = stackTraceLimit;
  };
}

class Run {
  readonly #journal: Journal = { asked: [], violations: [], told: new Map(), ended: new Map(), frozen: [] };
  readonly #steps: readonly Step[];
  readonly #followed: Position[] = [];
  #over = false;

  constructor(
    readonly cluster: Cluster,
    readonly options: RunOptions,
  ) {
    this.#steps = stepsOf(options);
  }

  async go(): Promise<RunResult> {
    const { clock } = this.cluster;
    const violated = (invariant: string, text: string, step?: number): void =>
      void this.#journal.violations.push({ invariant, text, step });
    let events: readonly RecordedEvent[] = [];
    // It would end a server.
    const unhandled = (error: unknown): void => violated(UNEXPECTED, `a rejection that nobody handles: ${String(error)}`);
    process.on('unhandledRejection', unhandled);
    try {
      await clock.during(this.cluster.found(), PROGRESS_MS, 'the founding');
      this.cluster.started = (server) => this.#live(server);
      await clock.during(this.#upgrade(this.cluster.server(0)), PROGRESS_MS, 'building what is new');
      const following = Promise.all([this.#follow(), this.#count(FOLLOWER), this.#count(1)]);
      await clock.during(this.#act(), JUMPS_MS + STEP_MS * this.#steps.length, 'the run');
      this.cluster.callOffFaults();
      await clock.during(this.#progress(), 30 * 24 * 3_600_000, 'what is left to do');
      events = await clock.during(this.#log(), PROGRESS_MS, 'reading the log');
      await clock.during(this.#untilFollowed(events.filter(inRegistry).length), PROGRESS_MS, 'following the log');
      await clock.during(this.#untilCounted(events.filter(inRegistry).at(-1)), PROGRESS_MS, 'counting the log');
      this.#over = true;
      this.cluster.restartAll();
      await clock.during(following, PROGRESS_MS, "the follower's end");
      const random = randomFrom(this.options.seed ^ 0x1007);
      const moments: Moment[] = [];
      const checked = checkAnswers(commitsOf(events), this.#journal.asked, (position, model) => {
        if (random() < MOMENTS) moments.push(momentOf(model, position));
      });
      this.#journal.violations.push(...checked.violations);
      this.#checkFollowed(events);
      const end = this.cluster.server(0);
      const wrong = await clock.during(checkEnd(end, checked.model), PROGRESS_MS, 'the last look');
      this.#journal.violations.push(...wrong);
      const plain = createStore(plainStore(this.cluster.store.contents()), end.prefixes, end.store.projections);
      await checkHistory(plain, events, moments, random, violated);
      for (const { step, pairs } of this.#journal.frozen) {
        for (const text of await checkIndexes(end.store, pairs(), false)) violated(FOLDED, text, step);
      }
      for (const text of await checkIndexes(end.store, this.cluster.store.contents(), true)) violated(FOLDED, text);
    } catch (error) {
      if (error instanceof NoProgressError) violated('progress', error.message);
      else violated(UNEXPECTED, error instanceof Error ? (error.stack ?? error.message) : String(error));
    } finally {
      process.off('unhandledRejection', unhandled);
    }
    return this.#result(events);
  }

  /** The steps begin in their order, each as soon as its time has come and an actor is free: so their order is the same where some are left out. */
  async #act(): Promise<void> {
    const { clock } = this.cluster;
    const running = new Set<Promise<void>>();
    this.cluster.busy = true;
    const background: Promise<void>[] = [];
    for (const step of this.#steps) {
      await clock.sleep(step.wait);
      while (running.size >= ACTORS) await Promise.race(running);
      for (const fault of step.faults) this.cluster.order(fault);
      const done = new Client(this.cluster, this.#journal, step).perform(step.action).finally(() => running.delete(done));
      // Builders wait for each other; nobody waits for them.
      if (step.action.kind === 'rebuild' || step.action.kind === 'verify') background.push(done);
      else running.add(done);
    }
    await Promise.all(running);
    this.cluster.busy = false;
    await Promise.all(background);
  }

  /** Without faults everything that was begun ends, and everybody can push and pull. */
  async #progress(): Promise<void> {
    const { cluster } = this;
    const { clock } = cluster;
    cluster.restartAll();
    while (cluster.replaceOne() !== undefined);
    const server = cluster.server(0);
    const id = server.services.newId();
    const from = cluster.version;
    await this.#soon(
      resumeDeletions(server.executor, () => server.context(id)),
      'resuming deletions',
    );
    this.#journal.asked.push({
      id,
      step: -1,
      command: { kind: 'resume deletions' },
      from,
      to: cluster.version,
      answer: { kind: 'answered', status: 200, headers: new Map(), body: Buffer.alloc(0) },
      outcome: 'done',
      excused: false,
    });
    for (let actor = 0; actor < ACTORS; actor += 1)
      await this.#soon(this.#pushAndPull(actor), `a push and a pull of actor ${actor}`);
    // Ids of a clock that was ahead are young for longer.
    clock.advance(7 * 24 * 3_600_000);
    await this.#soon(this.#endBuilding(), 'ending the builds that were begun');
    await this.#soon(expireUploads(cluster.server(1).executor, cluster.server(1).blobs, expiry), 'expiring uploads');
  }

  /** What killed builders left: builds are made to their end, and what is superfluous is cleared. */
  async #endBuilding(): Promise<void> {
    await this.#upgrade(this.cluster.server(1));
    const { store } = this.cluster.server(2);
    const { registry } = store.keyspaces;
    const client = new Client(this.cluster, this.#journal, { id: -100, process: 2 });
    for (const { state, purpose, projections } of await store.database.read((tx) => listBuilds(tx, registry))) {
      if (state !== 'building' || purpose !== 'switch') continue;
      const ended = await client.rebuild(
        projections.map(({ name }) => name),
        false,
      );
      if (ended === undefined) throw new NoProgressError('a build does not end without any fault');
    }
    await clearAll(store, 'registry', new AbortController().signal);
  }

  async #pushAndPull(actor: number): Promise<void> {
    const client = new Client(this.cluster, this.#journal, { id: -1 - actor, process: actor % SERVERS });
    const name = world.names[actor % world.names.length] ?? '';
    const tag = world.tags[actor % world.tags.length] ?? '';
    const pushed = await client.pushImage(name, actor % world.manifests.length, [tag]);
    const pulled = pushed && (await client.pull(name, tag));
    if (!pulled) {
      const text = `actor ${actor} could not ${pushed ? 'pull' : 'push'} ${name}:${tag} without any fault`;
      this.#journal.violations.push({ invariant: 'progress', text, step: undefined });
    }
  }

  async #soon<T>(work: Promise<T>, what: string): Promise<void> {
    const { clock } = this.cluster;
    const begun = clock.now();
    await work;
    if (clock.now() - begun > PROGRESS_MS)
      throw new NoProgressError(`${what} took ${(clock.now() - begun) / 1_000} s without any fault`);
  }

  // ---- The log

  async #log(): Promise<readonly RecordedEvent[]> {
    const { store } = this.cluster.server(0);
    const log = createLog(store.keyspaces.registry);
    const platform = createLog(store.keyspaces.platform);
    const all: RecordedEvent[] = [];
    // At one position the platform's event is the cause of the registry's.
    for (const one of [platform, log]) {
      const batch = await store.database.read((tx) => one.readFrom(tx, 1, undefined, { limit: 1_000_000, targetBytes: 1e9 }));
      all.push(...batch.events);
    }
    return all.sort((left, right) => comparePositions(left.position, right.position));
  }

  /** A process of its own that follows the registry's log, and goes on where it stopped when it dies. */
  async #follow(): Promise<void> {
    const { clock } = this.cluster;
    while (!this.#over) {
      const server = this.cluster.server(FOLLOWER);
      await this.#followIn(server).catch(() => undefined);
      if (!this.#over) await clock.sleep(100);
    }
  }

  async #followIn({ connection, store, cluster }: Server): Promise<void> {
    const log = createLog(store.keyspaces.registry);
    const timer = (_: number, ring: () => void): (() => void) => cluster.clock.after(500 + 1_000 * cluster.random(), ring);
    const incarnation = (): Promise<number> => Promise.resolve(1);
    const after = this.#followed.at(-1);
    await lastValueFrom(
      subscribe(log, connection, { after, incarnation, timer, limit: 50 }, ({ events }) => {
        this.#followed.push(...events.map(({ position }) => position));
        // A subscriber that works takes some time, and finds more at once then.
        return cluster.clock.sleep(FOLLOWING_MS);
      }),
      { defaultValue: undefined },
    );
  }

  async #untilFollowed(events: number): Promise<void> {
    while (this.#followed.length < events) await this.cluster.clock.sleep(200);
  }

  /** What a server does by itself: it says that it is here, writes down what was pulled, and builds what its release has in a newer version than the store. */
  #live(server: Server): void {
    const { clock } = this.cluster;
    const id = server.services.newId();
    const beating = async (): Promise<void> => {
      while (server.alive) {
        await beat(server.store, id, { release: `simulated ${server.release}`, host: server.connection.name }).catch(
          () => undefined,
        );
        await clock.sleep(HEARTBEAT_MS);
      }
    };
    const upgrading = async (): Promise<void> => {
      let ended = false;
      while (server.alive && !ended) {
        ended = await this.#upgrade(server).then(
          () => true,
          () => false,
        );
        if (!ended) await clock.sleep(1_000);
      }
    };
    const counting = async (): Promise<void> => {
      while (server.alive) {
        await clock.sleep(PULLS_WRITTEN_MS);
        await server.pulls.flush().catch(() => undefined);
      }
    };
    void beating();
    void counting();
    if (server.isNewest) void upgrading();
  }

  /** The store was founded without the projection that counts, and a new release has another one in a new version. */
  #upgrade(server: Server): Promise<void> {
    const { ended } = this.#journal;
    return upgrade(server.store, {
      builder: server.builder(),
      newId: server.services.newId,
      limit: 100,
      signal: new AbortController().signal,
      clock: this.cluster.clock,
      progress: () => undefined,
      done: () => void ended.set('an upgrade', (ended.get('an upgrade') ?? 0) + 1),
    });
  }

  /** A server's part in keeping the projection that counts up with the log: one of them does. */
  async #count(slot: number): Promise<void> {
    const { clock, random } = this.cluster;
    while (!this.#over) {
      const server = this.cluster.server(slot);
      const options = {
        builder: server.builder(),
        limits: { limit: 100, targetBytes: 1_000_000 },
        clock,
        failed: () => undefined,
        timer: (_: number, ring: () => void) => clock.after(500 + 1_000 * random(), ring),
      };
      const following = follow(server.store, counted, options).subscribe();
      while (server.alive && !this.#over) await clock.sleep(500);
      following.unsubscribe();
    }
  }

  /** A process that was killed holds its lease for a while. */
  async #untilCounted(last: RecordedEvent | undefined): Promise<void> {
    const { store } = this.cluster.server(0);
    for (;;) {
      const build = await store.database.read(async (tx) => {
        const { builds, keyspace } = await store.readDirectory(tx, 'registry');
        return findBuild(tx, keyspace, builds.get(counted.name)?.build ?? '');
      });
      if (last === undefined || (build?.checkpoint && comparePositions(build.checkpoint, last.position) >= 0)) return;
      await this.cluster.clock.sleep(500);
    }
  }

  #checkFollowed(events: readonly RecordedEvent[]): void {
    const registry = events.filter(inRegistry).map(({ position }) => formatPosition(position));
    const followed = this.#followed.map(formatPosition);
    const at = registry.findIndex((position, index) => followed[index] !== position);
    if (at < 0 && followed.length === registry.length) return;
    const text = `the follower saw ${followed[at] ?? 'nothing'} where the log has ${registry[at] ?? 'no more'}`;
    this.#journal.violations.push({ invariant: 'followed in order, each once', text, step: undefined });
  }

  #result(events: readonly RecordedEvent[]): RunResult {
    const hash = createHash('sha256');
    for (const { key, value } of this.cluster.store.contents()) hash.update(key).update(value);
    const counts = new Map<string, number>();
    const count = (what: string, by = 1): void => void counts.set(what, (counts.get(what) ?? 0) + by);
    for (const { action } of this.#steps) count(`step: ${action.kind}`);
    for (const [kind, times] of this.cluster.struck) count(`fault: ${kind satisfies FaultKind}`, times);
    for (const { command, answer, outcome = answer.kind } of this.#journal.asked) {
      hash.update(`${command.kind} ${outcome}\n`);
      count(`asked: ${command.kind}`);
      count(`told: ${outcome.startsWith('sha256:') ? 'a manifest' : outcome}`);
    }
    for (const [what, times] of this.#journal.ended) count(`to its end: ${what}`, times);
    for (const { payload } of events) count(`event: ${payload.kind}`);
    const { violations, told } = this.#journal;
    return { violations, hash: hash.digest('hex'), steps: this.#steps, told, counts };
  }
}

function inRegistry({ stream }: RecordedEvent): boolean {
  return /^(repository|blob)\//.test(stream);
}
