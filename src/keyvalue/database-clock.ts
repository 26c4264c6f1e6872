/** Where a DatabaseClock gets its time from; a test brings its own. */
export interface ClockSource {
  /** Milliseconds since 1970, by a clock that may jump. */
  wall(): number;
  /** Milliseconds by a clock that never jumps. */
  steady(): number;
}

const systemClock: ClockSource = { wall: () => Date.now(), steady: () => performance.now() };

// Commits within one millisecond are stamped ahead of the clock, and so are those of another process that has seen a little more. Following each
// microsecond of that would make time run fast; so short a while it can stand still instead.
const TOLERATED_MICROSECONDS = 1_000_000n;

/**
 * Database time in microseconds, for one thread. It is the host's clock, but for a store whose newest version is ahead of that, because the clock once was:
 * then it goes on from the version at the clock's rate. The version is all that processes share. Never goes back.
 */
export class DatabaseClock {
  readonly #source: ClockSource;
  #skew = 0n;
  #newest = 0n;
  #lastWall: bigint;
  #lastSteady: bigint;

  constructor(source: ClockSource = systemClock) {
    this.#source = source;
    this.#lastWall = microseconds(source.wall());
    this.#lastSteady = microseconds(source.steady());
  }

  /** How far database time is ahead of the host's clock, as of the last `after`. */
  get aheadMs(): number {
    return Number(this.#skew / 1_000n);
  }

  /** The time now, not before `version`, the newest one that the caller sees. */
  after(version: bigint): bigint {
    if (version > this.#newest) this.#newest = version;
    const wall = this.#wall();
    if (this.#newest - (wall + this.#skew) > TOLERATED_MICROSECONDS) this.#skew = this.#newest - wall;
    const time = wall + this.#skew;
    if (time > this.#newest) this.#newest = time;
    return this.#newest;
  }

  /** A clock that is put right by a jump forward comes nearer to database time instead of taking it along. */
  #wall(): bigint {
    const wall = microseconds(this.#source.wall());
    const steady = microseconds(this.#source.steady());
    const jump = wall - this.#lastWall - (steady - this.#lastSteady);
    if (jump > TOLERATED_MICROSECONDS) this.#skew = jump < this.#skew ? this.#skew - jump : 0n;
    this.#lastWall = wall;
    this.#lastSteady = steady;
    return wall;
  }
}

function microseconds(milliseconds: number): bigint {
  return BigInt(Math.floor(milliseconds * 1_000));
}
