import {
  KeyValueError,
  limits,
  type Database,
  type KeyValue,
  type ReadTransaction,
  type Transaction,
} from '../../src/keyvalue/database.js';
import type { RangeOptions, TransactOptions, Watch } from '../../src/keyvalue/database.js';
import { withRetries } from '../../src/keyvalue/retry.js';
import {
  CrashedError,
  SimulatedStore,
  VirtualClock,
  type CrashPoint,
  type Faults,
  type SimulatedClock,
  type SimulatedOptions,
} from '../../src/keyvalue/simulated.js';

/** What the suites know of a store: the simulated one, or one on a real engine with the same faults put before it. */
export interface TestStore {
  readonly seed: number;
  readonly clock: SimulatedClock;
  readonly random: () => number;
  faults: Faults;
  crash: ((point: CrashPoint, process: string) => void) | undefined;
  /** How many watches wait. */
  readonly watching: number;
  connect(name?: string): Database;
  force(fault: keyof Faults, times?: number): void;
  /** All pairs in key order. */
  contents(): readonly KeyValue[] | Promise<readonly KeyValue[]>;
}

/** Reads and commits of all remote stores of this process that are on their way. */
let underWay = 0;

async function onTheWay<T>(operation: Promise<T>): Promise<T> {
  underWay += 1;
  try {
    return await operation;
  } finally {
    underWay -= 1;
  }
}

// As VirtualClock's own.
const TURNS_BEFORE_A_SLEEPER = 16;

/** A virtual clock for a store behind a network: it jumps to the first sleeper only when nothing is on its way to or from the store. */
export class PatientClock extends VirtualClock {
  #now: number;
  #sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  #running = false;

  constructor(start = Date.UTC(2026, 0, 1)) {
    super(start);
    this.#now = start;
  }

  override now(): number {
    return this.#now;
  }

  override sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#sleepers.push({ at: this.#now + Math.max(0, ms), wake: resolve });
      if (!this.#running) void this.#run();
    });
  }

  override advance(ms: number): void {
    this.#now += ms;
    const due = this.#sleepers.filter((sleeper) => sleeper.at <= this.#now).sort((a, b) => a.at - b.at);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.at > this.#now);
    for (const sleeper of due) sleeper.wake();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (;;) {
      for (let quiet = 0; quiet < TURNS_BEFORE_A_SLEEPER; quiet += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        if (underWay === 0) continue;
        quiet = 0;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const next = this.#sleepers.reduce((earliest, sleeper) => Math.min(earliest, sleeper.at), Infinity);
      if (next === Infinity) break;
      this.advance(Math.max(0, next - this.#now));
    }
    this.#running = false;
  }
}

/** A store of its own on a real engine. Faults strike in front of the engine: it is its own conflicts and watches that the rest are about. */
export class RemoteStore implements TestStore {
  readonly #open: () => Promise<Database>;
  /** Draws and counts the faults, and has no pairs. */
  readonly #chance: SimulatedStore;
  readonly #ownTime: SimulatedClock | undefined;
  readonly #watches = new Set<object>();
  #processes = 0;

  /** `open` is called at the first use of a connection. With a clock of its own the store's time is that clock's. */
  constructor(open: () => Promise<Database>, options: SimulatedOptions) {
    let database: Promise<Database> | undefined;
    this.#open = () => (database ??= open());
    this.#chance = new SimulatedStore(options);
    this.#ownTime = options.clock;
  }

  get seed(): number {
    return this.#chance.seed;
  }

  get clock(): SimulatedClock {
    return this.#chance.clock;
  }

  get random(): () => number {
    return this.#chance.random;
  }

  get faults(): Faults {
    return this.#chance.faults;
  }

  set faults(faults: Faults) {
    this.#chance.faults = faults;
  }

  get crash(): TestStore['crash'] {
    return this.#chance.crash;
  }

  set crash(crash: TestStore['crash']) {
    this.#chance.crash = crash;
  }

  get watching(): number {
    return this.#watches.size;
  }

  force(fault: keyof Faults, times?: number): void {
    this.#chance.force(fault, times);
  }

  connect(name?: string): Database {
    this.#processes += 1;
    return new Connection(name ?? `process ${this.#processes}`, this.#open, this.#chance, this.#ownTime, this.#watches);
  }

  async contents(): Promise<readonly KeyValue[]> {
    const database = await this.#open();
    return database.read((tx) => tx.getRange(Buffer.alloc(0), Buffer.of(0xff)));
  }
}

class Connection implements Database {
  // What a cluster's engine says of itself; asked before anything is open.
  readonly quietVersions = false;
  readonly waits = new Set<{ end(how: 'fire' | 'forget'): void }>();
  #state: 'open' | 'closed' | 'crashed' = 'open';

  constructor(
    readonly name: string,
    readonly open: () => Promise<Database>,
    readonly chance: SimulatedStore,
    readonly ownTime: SimulatedClock | undefined,
    readonly watches: Set<object>,
  ) {}

  async transact<T>(body: (tx: Transaction) => Promise<T>, options: TransactOptions = {}): Promise<T> {
    const retries = { timeoutMs: options.timeoutMs };
    const environment = {
      now: () => performance.now(),
      random: () => Math.random(),
      sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    };
    return withRetries(() => this.#attempt(body, options), retries, environment);
  }

  async read<T>(body: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    this.pause('begin');
    const database = await onTheWay(this.open());
    return database.read((tx) => body(new FaultyReads(tx, this)));
  }

  close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closed';
    for (const wait of [...this.waits]) wait.end('fire');
    return Promise.resolve();
  }

  /** Dies where the crash hook says. */
  pause(point: CrashPoint): void {
    this.#alive();
    try {
      this.chance.crash?.(point, this.name);
    } catch (error) {
      this.#state = 'crashed';
      for (const wait of [...this.waits]) wait.end('forget');
      throw error;
    }
  }

  fault(fault: keyof Faults, code: 'not_committed' | 'transaction_too_old' | 'commit_unknown_result'): void {
    if (this.chance.strikes(fault)) throw new KeyValueError(code, `in front of the engine: ${fault}`);
  }

  async #attempt<T>(body: (tx: Transaction) => Promise<T>, options: TransactOptions): Promise<T> {
    this.pause('begin');
    let isHeld = false;
    const hold = (held: boolean): void => {
      underWay += Number(held) - Number(isHeld);
      isHeld = held;
    };
    hold(true);
    let last: FaultyTransaction | undefined;
    try {
      const database = await this.open();
      const result = await database.transact(async (inner) => {
        hold(false);
        // Of a body that runs again the first run's watches are nobody's.
        const tx = new FaultyTransaction(inner, this);
        last = tx;
        const value = await body(tx);
        if (tx.writes) {
          this.pause('commit');
          tx.checkAge();
          this.fault('transactionTooOld', 'transaction_too_old');
          this.fault('notCommitted', 'not_committed');
          this.fault('unknownLost', 'commit_unknown_result');
        }
        hold(true);
        return value;
      }, options);
      hold(false);
      if (last?.writes === true) this.fault('unknownApplied', 'commit_unknown_result');
      for (const wait of last?.made ?? []) wait.begin();
      if (last?.writes === true) this.pause('committed');
      return result;
    } finally {
      hold(false);
    }
  }

  #alive(): void {
    if (this.#state === 'crashed') throw new CrashedError(`${this.name} has crashed (seed ${this.chance.seed})`);
    if (this.#state === 'closed') throw new KeyValueError('closed', 'the database is closed');
  }
}

class FaultyReads<Tx extends ReadTransaction> implements ReadTransaction {
  readonly #begun: number | undefined;

  constructor(
    protected readonly tx: Tx,
    protected readonly process: Connection,
  ) {
    this.#begun = process.ownTime?.now();
  }

  /** By the clock that is the store's time. */
  checkAge(): void {
    if (this.#begun === undefined || (this.process.ownTime?.now() ?? 0) - this.#begun < limits.transactionMs) return;
    throw new KeyValueError('transaction_too_old', 'in front of the engine: older than a transaction may be');
  }

  readVersion(): Promise<bigint> {
    return this.reading(() => this.tx.readVersion());
  }

  time(): Promise<bigint> {
    const { ownTime } = this.process;
    if (ownTime === undefined) return this.reading(() => this.tx.time());
    return Promise.resolve(BigInt(Math.floor(ownTime.now() * 1_000)));
  }

  metadataVersion(): Promise<Buffer | undefined> {
    return this.reading(() => this.tx.metadataVersion());
  }

  get(key: Buffer): Promise<Buffer | undefined> {
    return this.reading(() => this.tx.get(key));
  }

  getRange(begin: Buffer, end: Buffer, options?: RangeOptions): Promise<readonly KeyValue[]> {
    return this.reading(() => this.tx.getRange(begin, end, options));
  }

  protected async reading<T>(read: () => Promise<T>): Promise<T> {
    this.process.pause('read');
    this.checkAge();
    this.process.fault('transactionTooOld', 'transaction_too_old');
    const value = await onTheWay(read());
    this.process.pause('read');
    return value;
  }
}

interface Wait {
  begin(): void;
  end(how: 'fire' | 'forget'): void;
}

class FaultyTransaction extends FaultyReads<Transaction> implements Transaction {
  writes = false;
  readonly made: Wait[] = [];

  get snapshot(): ReadTransaction {
    return new FaultyReads(this.tx.snapshot, this.process);
  }

  set(key: Buffer, value: Buffer): void {
    this.#writing().set(key, value);
  }

  clear(key: Buffer): void {
    this.#writing().clear(key);
  }

  clearRange(begin: Buffer, end: Buffer): void {
    this.#writing().clearRange(begin, end);
  }

  add(key: Buffer, delta: bigint): void {
    this.#writing().add(key, delta);
  }

  max(key: Buffer, value: bigint): void {
    this.#writing().max(key, value);
  }

  setVersionstampedKey(template: Buffer, offset: number, value: Buffer): void {
    this.#writing().setVersionstampedKey(template, offset, value);
  }

  setVersionstampedValue(key: Buffer, template: Buffer, offset: number): void {
    this.#writing().setVersionstampedValue(key, template, offset);
  }

  touchMetadata(): void {
    this.#writing().touchMetadata();
  }

  addReadConflictRange(begin: Buffer, end: Buffer): void {
    this.tx.addReadConflictRange(begin, end);
  }

  addWriteConflictRange(begin: Buffer, end: Buffer): void {
    this.#writing().addWriteConflictRange(begin, end);
  }

  versionstamp(): Promise<Buffer> {
    return this.tx.versionstamp();
  }

  watch(key: Buffer): Watch {
    const { process } = this;
    const watch = this.tx.watch(key);
    const fate = process.chance.strikes('watchLost') ? 'lost' : process.chance.strikes('watchLate') ? 'late' : 'fires';
    let isOver = false;
    let fire = (): void => undefined;
    const changed = new Promise<void>((resolve) => (fire = resolve));
    const wait: Wait = {
      begin() {
        if (isOver) return;
        process.watches.add(wait);
        process.waits.add(wait);
      },
      end(how) {
        watch.cancel();
        forget();
        if (how === 'fire') fire();
      },
    };
    const forget = (): void => {
      isOver = true;
      process.watches.delete(wait);
      process.waits.delete(wait);
    };
    this.made.push(wait);
    void watch.changed.then(async () => {
      if (fate === 'late') await process.chance.clock.sleep(process.chance.random() * 5_000);
      if (fate === 'lost') return;
      forget();
      fire();
    });
    return { changed, cancel: () => wait.end('fire') };
  }

  #writing(): Transaction {
    this.writes = true;
    return this.tx;
  }
}
