import type { BlobStore } from '../../src/blobs/blob-store.js';
import { createExecutor, type CommandContext, type Executor } from '../../src/commands/execute.js';
import { createTurns } from '../../src/commands/in-turn.js';
import type { Config } from '../../src/config.js';
import type { Actor, EventKind } from '../../src/events/types.js';
import { BytesCache } from '../../src/http/bytes-cache.js';
import type { RegistryServices } from '../../src/http/exchange.js';
import { RunningUploads } from '../../src/http/running-uploads.js';
import { uidFromBytes, type Uid } from '../../src/identifiers.js';
import type { WriteOperation } from '../../src/keyvalue/commit-request.js';
import type { KeyValue } from '../../src/keyvalue/database.js';
import { directoryPrefix, uuidItem } from '../../src/keyvalue/keyspace.js';
import type { PulledManifest } from '../../src/keyvalue/pull-counters.js';
import { CrashedError, SimulatedDatabase, SimulatedStore, type Faults } from '../../src/keyvalue/simulated.js';
import { PullCounting } from '../../src/processes/pull-counting.js';
import type { Builder } from '../../src/projections/builds.js';
import { aggregateUid, projection, type AppliedEvent, type Projection, type View } from '../../src/projections/projection.js';
import { registered } from '../../src/projections/registered.js';
import { tags } from '../../src/projections/tags.js';
import { createStore, type Store } from '../../src/projections/store.js';
import { found } from '../commands/fixture.js';
import { SimulationClock } from './clock.js';
import { randomFrom, type Random } from './random.js';
import { BlobFaultError, SimulatedDisk } from './simulated-blobs.js';
import { SERVERS, type Fault, type FaultKind } from './steps.js';

/** The simulated engine with faults that strike when they are ordered, each once, so that a run is repeated with some of them left out. */
class OrderedFaults extends SimulatedStore {
  /** Small numbers are frequent: most awaits are short, which leaves the interleavings as many as they are and takes half of the time. */
  override readonly random = skewed(randomFrom(this.seed));
  readonly #orders = new Map<string, number>();
  /** Whose commit or watch this is. */
  #slot = NOBODY;
  struck: (fault: keyof Faults) => void = () => undefined;
  /** A process has raised a fence. */
  fenced: (slot: number) => void = () => undefined;
  /** How often three turns a process stands still now; undefined where it does not. */
  stalls: (slot: number) => number | undefined = () => undefined;

  order(fault: keyof Faults, slot: number): void {
    const order = `${fault} ${slot}`;
    this.#orders.set(order, (this.#orders.get(order) ?? 0) + 1);
  }

  callOff(): void {
    this.#orders.clear();
  }

  /** A connection whose faults are those of its process. */
  connectAs(slot: number, name: string): SimulatedDatabase {
    const as = <T>(work: () => T): T => {
      this.#slot = slot;
      try {
        return work();
      } finally {
        this.#slot = NOBODY;
      }
    };
    const own: Pick<SimulatedStore, Used> = {
      seed: this.seed,
      clock: this.clock,
      quietVersions: this.quietVersions,
      random: () => this.stalls(slot) ?? this.random(),
      crash: this.crash,
      snapshot: () => this.snapshot(),
      time: () => this.time(),
      strikes: (fault) => as(() => this.strikes(fault)),
      commit: (request) => {
        const committed = as(() => this.commit(request));
        if (request.operations.some(raisesFence)) this.fenced(slot);
        return committed;
      },
      register: (registration, process) => as(() => this.register(registration, process)),
      dropWatches: (process, how) => this.dropWatches(process, how),
    };
    return new SimulatedDatabase(own as SimulatedStore, name);
  }

  override strikes(fault: keyof Faults): boolean {
    if (this.#orders.size === 0) return false;
    const order = `${fault} ${this.#slot}`;
    const left = this.#orders.get(order) ?? 0;
    if (left === 0) return false;
    if (left === 1) this.#orders.delete(order);
    else this.#orders.set(order, left - 1);
    this.struck(fault);
    return true;
  }
}

/** What a connection uses of its store. */
type Used =
  | 'seed'
  | 'clock'
  | 'quietVersions'
  | 'random'
  | 'crash'
  | 'snapshot'
  | 'time'
  | 'strikes'
  | 'commit'
  | 'register'
  | 'dropWatches';

const NOBODY = -1;

function raisesFence(operation: WriteOperation): boolean {
  return operation.kind === 'set' && operation.value.includes('"fence":{');
}

function skewed(random: Random): Random {
  return () => random() ** 3;
}

/** Upload lifetimes, as a server's configuration has them. */
export const expiry = { idleSeconds: 3_600, timeoutSeconds: 24 * 3_600 };

const config = {
  createOnPush: true,
  sparseManifests: false,
  scanOnPush: true,
  idleSeconds: 60,
  uploadIdleSeconds: expiry.idleSeconds,
  uploadTimeoutSeconds: expiry.timeoutSeconds,
} as Config;

/** Counts events by their kind, behind the log: an event that it was given twice, or not at all, shows. */
export const counted: Projection = projection({
  name: 'counted',
  version: 1,
  directory: 'registry',
  mode: 'async',
  apply: Object.fromEntries(
    ['BlobStored', 'BlobPushed', 'BlobUnlinked', 'ManifestPushed', 'TagMoved', 'TagDeleted'].map((kind) => [
      kind,
      async (_: AppliedEvent<EventKind>, view: View) => {
        const count = Buffer.alloc(8);
        count.writeBigUInt64BE(((await view.get([kind]))?.readBigUInt64BE() ?? 0n) + 1n);
        view.set([kind], count);
      },
    ]),
  ),
});

/** The next version of the index of tags: it has one more key for each. */
const laterTags: Projection = projection({
  ...tags,
  version: tags.version + 1,
  previous: tags,
  apply: {
    async TagMoved(event, view) {
      await tags.apply.TagMoved?.(event, view);
      const { image, tag, digest } = event.payload;
      view.set(['ever', image, tag, uuidItem(aggregateUid(event))], Buffer.from(digest));
    },
    TagDeleted: async (event, view) => tags.apply.TagDeleted?.(event, view),
  },
});

/** What the servers know: those of the first release, and those of the next. */
const releases: readonly (readonly Projection[])[] = [
  [...registered, counted],
  [...registered.map((one) => (one === tags ? laterTags : one)), counted],
];

const prefixes = { registry: directoryPrefix('registry'), platform: directoryPrefix('topaz') };

/** One life of a server's process: its connection, its caches, and what of its memory matters. It ends with a crash. */
export class Server {
  readonly connection: SimulatedDatabase;
  readonly prefixes = prefixes;
  readonly store: Store;
  readonly executor: Executor;
  readonly blobs: BlobStore;
  readonly services: RegistryServices;
  readonly pulls: PullCounting;
  alive = true;

  constructor(
    readonly cluster: Cluster,
    readonly slot: number,
    name: string,
    readonly release: number,
  ) {
    this.connection = cluster.store.connectAs(slot, name);
    this.store = createStore(this.connection, prefixes, releases[release] ?? []);
    this.executor = createExecutor(this.store);
    this.blobs = cluster.disk.open({ pause: (what, when) => this.#pause(what, when) });
    this.pulls = new PullCounting(this.store, {
      newId: () => cluster.newId(slot),
      failed: () => undefined,
      missed: () => undefined,
    });
    this.services = {
      executor: this.executor,
      blobs: this.blobs,
      logger: { info: () => undefined },
      config,
      newId: () => cluster.newId(slot),
      hashClient: () => 'c'.repeat(64),
      inTurn: createTurns(),
      runningUploads: new RunningUploads(cluster.newId(slot)),
      countPull: (repository, image, digest) => {
        cluster.pulled.push({ repository, image, digest });
        this.pulls.counted(repository, image, digest);
      },
      bytes: new BytesCache(200_000, 100_000),
    };
  }

  /** What a crash leaves: nothing of this process does anything from here on. */
  die(): void {
    this.alive = false;
    this.connection.kill();
  }

  /** Knows the newest versions that there are. */
  get isNewest(): boolean {
    return this.release === releases.length - 1;
  }

  /** Who builds, in this life of the process. */
  builder(): Builder {
    return { owner: `${this.connection.name} ${this.services.newId()}`, release: `simulated ${this.release}` };
  }

  /** A context of a command that is not a client's request. */
  context(requestId: Uid): CommandContext {
    const newId = (): Uid => this.cluster.newId(this.slot);
    return {
      commandId: newId(),
      requestId,
      correlationId: requestId,
      actor: { kind: 'system', authentication: 'none' },
      occurredAt: Math.floor(this.cluster.wallClock(this.slot)) * 1_000,
      newId,
      judge: () => undefined,
      judgeManaging: () => undefined,
    };
  }

  async #pause(what: string, when: 'before' | 'within' | 'after'): Promise<void> {
    const dead = (): void => {
      if (!this.alive) throw new CrashedError(`server ${this.slot} has crashed`);
    };
    dead();
    this.cluster.awaited(this.slot);
    dead();
    const isCommit = what === 'commit' || what === 'put';
    if (this.cluster.diskFails(this.slot, isCommit)) throw new BlobFaultError(what);
    const syncs = isCommit && when === 'within';
    if (syncs) this.cluster.syncs();
    // A sync takes as long as a transaction.
    const turns = syncs ? 10 + Math.floor(this.cluster.random() * 60) : 1 + Math.floor(this.cluster.random() * 3);
    for (let turn = 0; turn < turns; turn += 1) {
      if (syncs) this.cluster.clock.touch();
      await new Promise((resolve) => setImmediate(resolve));
    }
    dead();
  }
}

/** The store, the disk, the clock and the processes, with the faults that are ordered. */
export class Cluster {
  readonly clock = new SimulationClock();
  readonly store: OrderedFaults;
  readonly disk = new SimulatedDisk();
  readonly random: Random;
  readonly struck = new Map<FaultKind, number>();
  /** Every pull that a server was about to answer. */
  readonly pulled: PulledManifest[] = [];
  powerCuts = 0;
  /** Steps are being begun. */
  busy = false;
  /** By their connections' names. */
  readonly #slots = new Map<string, number>();
  #owner: Actor | undefined;
  readonly #servers: Server[] = [];
  /** What a server does by itself when it has started. */
  started: (server: Server) => void = () => undefined;
  readonly #releases: number[] = Array.from({ length: SERVERS + 1 }, () => 0);
  readonly #lives: number[] = [];
  readonly #wallClocks: number[] = Array.from({ length: SERVERS + 1 }, () => 0);
  #wall = 0;
  #ids = 0;
  #crashes: { readonly slot: number; left: number }[] = [];
  #blobErrors: { readonly slot: number; left: number }[] = [];
  #commitErrors: { readonly slot: number; left: number }[] = [];
  /** Begin to be counted at a sync. */
  #cutsAtSync: number[] = [];
  /** Begin to be counted at a fence. */
  #stallsAtFence: Omit<Stall, 'slot' | 'left'>[] = [];
  #stalls: Stall[] = [];
  #cuts: { readonly slot: undefined; left: number }[] = [];

  constructor(readonly seed: number) {
    this.store = new OrderedFaults({ seed, clock: this.clock, quietVersions: seed % 2 === 0 });
    this.random = skewed(randomFrom(seed ^ 0x5eed));
    this.store.struck = (fault) => this.#count(fault);
    this.store.fenced = (slot) => {
      this.#stalls.push(...this.#stallsAtFence.map((stall) => ({ ...stall, slot, left: stall.n })));
      this.#stallsAtFence = [];
    };
    this.store.stalls = (slot) => {
      const stall = due(this.#stalls, slot);
      if (stall === undefined) return undefined;
      this.#count('stall at a fence');
      this.clock.advance(stall.ms);
      return stall.turns / 3;
    };
    this.store.crash = (_, name) => this.awaited(this.#slots.get(name) ?? -1);
  }

  /** Sets the registry up. */
  async found(): Promise<void> {
    const founder = this.store.connect('the founder');
    const { owner } = await found(founder, () => this.newId(0));
    this.#owner = owner;
    await founder.close();
  }

  get owner(): Actor {
    if (this.#owner === undefined) throw new Error('the registry was not founded');
    return this.#owner;
  }

  /** The process of a slot; begun anew where it died. */
  server(slot: number): Server {
    const running = this.#servers[slot];
    if (running?.alive === true) return running;
    const life = (this.#lives[slot] ?? 0) + 1;
    this.#lives[slot] = life;
    const server = new Server(this, slot, `${slot}/${life}`, this.#releases[slot] ?? 0);
    this.#slots.set(server.connection.name, slot);
    this.#servers[slot] = server;
    this.started(server);
    return server;
  }

  /** Replaces the first process of the old release by one of the new; undefined where there is none. */
  replaceOne(): Server | undefined {
    const slot = this.#releases.indexOf(0);
    if (slot < 0) return undefined;
    this.#releases[slot] = 1;
    this.#servers[slot]?.die();
    return this.server(slot);
  }

  restartAll(): void {
    for (const server of this.#servers) server?.die();
  }

  /** A UUIDv7 by the wall clock of a server, the same in every run. */
  newId(slot: number): Uid {
    this.#ids += 1;
    this.#wall = this.wallClock(slot);
    const bytes = Buffer.alloc(16);
    bytes.writeUIntBE(Math.floor(this.#wall), 0, 6);
    bytes.writeUInt16BE(0x7000, 6);
    bytes.writeUInt16BE(0x8000, 8);
    bytes.writeUIntBE(this.#ids, 10, 6);
    return uidFromBytes(bytes);
  }

  /** Milliseconds since 1970 as a server's machine has them: they may be wrong, and go back. */
  wallClock(slot: number): number {
    return this.clock.now() + (this.#wallClocks[slot] ?? 0);
  }

  /** What `Date.now` says to the code that has just made an id: the routes take the time of an event from the machine. */
  get wall(): number {
    return Math.floor(this.#wall);
  }

  /** The newest committed version. */
  get version(): bigint {
    return this.store.snapshot().version;
  }

  /** All pairs of this moment, whoever writes on. */
  frozen(): () => readonly KeyValue[] {
    const snapshot = this.store.snapshot();
    return () => [...snapshot.range(Buffer.alloc(0), Buffer.alloc(1_501, 0xff), false)];
  }

  order(fault: Fault): void {
    switch (fault.kind) {
      case 'crash':
        this.#crashes.push({ slot: fault.process, left: fault.n });
        return;
      case 'blob error':
        (fault.commit ? this.#commitErrors : this.#blobErrors).push({ slot: fault.process, left: fault.n });
        return;
      case 'power cut':
        if (fault.atSync) this.#cutsAtSync.push(fault.n);
        else this.#cuts.push({ slot: undefined, left: fault.n });
        return;
      case 'clock':
        this.#count('clock');
        this.clock.advance(fault.ms);
        return;
      case 'stall at a fence':
        this.#stallsAtFence.push(fault);
        return;
      case 'wall clock':
        this.#count('wall clock');
        this.#wallClocks[fault.process] = fault.ms;
        return;
      default:
        this.store.order(fault.kind, fault.process);
    }
  }

  /** No fault strikes from here on. */
  callOffFaults(): void {
    this.store.callOff();
    this.#crashes = [];
    this.#blobErrors = [];
    this.#commitErrors = [];
    this.#cutsAtSync = [];
    this.#stallsAtFence = [];
    this.#stalls = [];
    this.#cuts = [];
  }

  /** Every await of every process comes here; it throws where the process dies. */
  awaited(slot: number): void {
    this.clock.touch();
    if (due(this.#cuts, slot) !== undefined) {
      this.#count('power cut');
      this.powerCuts += 1;
      this.restartAll();
      this.disk.powerCut(this.random);
      throw new CrashedError('power cut');
    }
    if (due(this.#crashes, slot) !== undefined) {
      this.#count('crash');
      this.#servers[slot]?.die();
      throw new CrashedError(`process ${slot} was killed`);
    }
  }

  /** A blob is being made durable. */
  syncs(): void {
    this.#cuts.push(...this.#cutsAtSync.map((left) => ({ slot: undefined, left })));
    this.#cutsAtSync = [];
  }

  /** `commit`: it is about making a blob durable. */
  diskFails(slot: number, commit: boolean): boolean {
    const struck = due(this.#blobErrors, slot) ?? (commit ? due(this.#commitErrors, slot) : undefined);
    if (struck === undefined) return false;
    this.#count('blob error');
    return true;
  }

  #count(kind: FaultKind): void {
    this.struck.set(kind, (this.struck.get(kind) ?? 0) + 1);
  }
}

interface Stall {
  readonly slot: number;
  left: number;
  readonly n: number;
  readonly turns: number;
  readonly ms: number;
}

/** Counts an occasion for all that wait for one of this process; the one that strikes now. */
function due<T extends { readonly slot: number | undefined; left: number }>(orders: T[], slot: number): T | undefined {
  for (const [index, order] of orders.entries()) {
    if (order.slot !== undefined && order.slot !== slot) continue;
    order.left -= 1;
    if (order.left >= 0) continue;
    orders.splice(index, 1);
    return order;
  }
  return undefined;
}
