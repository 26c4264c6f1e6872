export interface AvailabilityOptions {
  /** So many milliseconds without any answer, though there are questions, and the cluster is away. */
  readonly silenceMs: number;
  /** Asks the cluster something small; rejects after a second or two without an answer. */
  readonly probe: () => Promise<void>;
  /** The cluster has become away: who waits for it is to be told. */
  readonly onAway: () => void;
}

const TICK_MS = 250;

/**
 * Knows whether the cluster answers, from the calls that are made anyway; where those get no answer, a probe asks. So a call that is slow by itself
 * is told from a cluster that is gone, a short restart is waited out, and nobody waits long for a cluster that is away. Comes back by itself.
 */
export class Availability {
  readonly #options: AvailabilityOptions;
  #waiting = 0;
  #answers = 0;
  #seen = 0;
  #silentMs = 0;
  #away = false;
  #closed = false;
  #probing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AvailabilityOptions) {
    this.#options = options;
  }

  get away(): boolean {
    return this.#away;
  }

  /** A call is made, and ends by `answered` or by `ended`. */
  asked(): void {
    this.#waiting += 1;
    if (this.#timer === undefined && !this.#closed) this.#start();
  }

  /** By the cluster, with whatever answer. */
  answered(): void {
    this.#waiting -= 1;
    this.#answers += 1;
  }

  /** By this process. */
  ended(): void {
    this.#waiting -= 1;
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #start(): void {
    this.#seen = this.#answers;
    this.#silentMs = 0;
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  #tick(): void {
    if (this.#answers !== this.#seen) {
      this.#seen = this.#answers;
      this.#silentMs = 0;
      this.#away = false;
    } else if (this.#waiting > 0 || this.#away) {
      // By the number of ticks, not by a clock: a process that stood still for long finds its answers after this.
      this.#silentMs += TICK_MS;
    }
    if (this.#waiting === 0 && !this.#away) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    if (this.#silentMs > 0) this.#probe();
    if (this.#silentMs >= this.#options.silenceMs && !this.#away) {
      this.#away = true;
      this.#options.onAway();
    }
  }

  #probe(): void {
    if (this.#probing) return;
    this.#probing = true;
    this.#options
      .probe()
      .then(
        () => {
          this.#answers += 1;
          this.#away = false;
        },
        () => undefined,
      )
      .finally(() => (this.#probing = false));
  }
}
