import { refuse, RefusalError } from '../errors.js';

export interface TurnsOptions {
  readonly atOnce: number;
  /** In all lines together; and of those who go ahead, as many. */
  readonly waitingAtMost: number;
}

interface Waiting {
  readonly begin: () => void;
  readonly giveWay: (error: RefusalError) => void;
}

interface Line {
  readonly key: string;
  readonly waiting: Waiting[];
}

const SECONDS_UNTIL_ROOM = 5;

/** Of one who goes ahead, so many wait at once. */
const AHEAD_EACH = 8;

/**
 * So many tasks run at once; the rest wait. Whose task goes ahead waits for no line. Of the lines each has a task's turn, then the next one; a line that is new has its
 * turn before those that had one, one new and one old in turn (as RFC 8290, section 4, has it, but that the new do not starve the old). When too many wait, the longest
 * line gives way to a shorter one: its last is refused, with TOO_MANY_REQUESTS.
 *
 * Guaranteed: an empty line finds room, and its turn comes before the others' next ones, however long they are, while fewer than `waitingAtMost` lines wait. Not
 * guaranteed: room for one more beside so many. Lines in which nobody waits take no memory for long.
 */
export class Turns {
  readonly #options: TurnsOptions;
  #running = 0;
  readonly #ahead: (Waiting & { readonly key: string })[] = [];
  readonly #lines = new Map<string, Line>();
  #inLines = 0;
  /** Those without a turn yet, and those that had one; each in the order of their next. */
  readonly #fresh: Line[] = [];
  readonly #served: Line[] = [];
  #freshBefore = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** `key`: whose it is. Throws TOO_MANY_REQUESTS. */
  async ahead<T>(key: string, task: () => Promise<T>): Promise<T> {
    await new Promise<void>((begin, giveWay) => {
      const own = this.#ahead.filter((one) => one.key === key).length;
      if (own >= AHEAD_EACH || this.#ahead.length >= this.#options.waitingAtMost) throw tooMany();
      this.#ahead.push({ key, begin, giveWay });
      this.#beginNext();
    });
    return this.#run(task);
  }

  /** Throws TOO_MANY_REQUESTS, also after a while. */
  async inLine<T>(key: string, task: () => Promise<T>): Promise<T> {
    await new Promise<void>((begin, giveWay) => {
      if (this.#inLines >= this.#options.waitingAtMost) this.#makeRoom(this.#lines.get(key)?.waiting.length ?? 0);
      this.#lineOf(key).waiting.push({ begin, giveWay });
      this.#inLines += 1;
      this.#beginNext();
    });
    return this.#run(task);
  }

  async #run<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } finally {
      this.#running -= 1;
      this.#beginNext();
    }
  }

  #beginNext(): void {
    while (this.#running < this.#options.atOnce) {
      const next = this.#ahead.shift() ?? this.#nextInLine();
      if (next === undefined) return;
      this.#running += 1;
      next.begin();
    }
  }

  #lineOf(key: string): Line {
    const found = this.#lines.get(key);
    if (found !== undefined) return found;
    const line: Line = { key, waiting: [] };
    this.#lines.set(key, line);
    this.#fresh.push(line);
    return line;
  }

  #nextInLine(): Waiting | undefined {
    const [one, other] = this.#freshBefore ? [this.#served, this.#fresh] : [this.#fresh, this.#served];
    const next = this.#takeFrom(one);
    if (next === undefined) return this.#takeFrom(other);
    this.#freshBefore = !this.#freshBefore;
    return next;
  }

  #takeFrom(lines: Line[]): Waiting | undefined {
    for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
      const next = line.waiting.shift();
      if (next === undefined) {
        this.#lines.delete(line.key);
        continue;
      }
      // Also where nobody is left in it: who comes one by one is new once in a round, not each time.
      this.#served.push(line);
      this.#inLines -= 1;
      return next;
    }
    return undefined;
  }

  /** `length`: of the line that somebody wants to join. */
  #makeRoom(length: number): void {
    const longest = [...this.#lines.values()].reduce((found, one) => (one.waiting.length > found.waiting.length ? one : found));
    // Not for a line that would be as long then: two would take turns at it.
    const last = longest.waiting.length > length + 1 ? longest.waiting.pop() : undefined;
    if (last === undefined) throw tooMany();
    this.#inLines -= 1;
    last.giveWay(tooMany());
  }
}

function tooMany(): RefusalError {
  return new RefusalError(refuse('TOO_MANY_REQUESTS', { seconds: SECONDS_UNTIL_ROOM }));
}
