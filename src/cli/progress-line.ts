import type { Progress } from '../processes/build-run.js';
import type { CopyProgress } from '../processes/migrate-copy.js';

const BAR_WIDTH = 24;
const TERMINAL_MS = 200;
const LINES_MS = 5_000;

/** Progress on stderr: one line that is written over on a terminal, a line now and then anywhere else. */
export class ProgressLine {
  readonly #title: string;
  readonly #terminal = process.stderr.isTTY;
  // What is done at once is not worth a line in a file.
  #shownAt = this.#terminal ? -Infinity : performance.now();
  #waiting = false;
  #open = false;

  constructor(title: string) {
    this.#title = title;
  }

  show(progress: Progress): void {
    this.tell(() => describeProgress(progress), progress.phase.startsWith('waiting'));
  }

  /** `isWaiting`: that it waits, or goes on, is told at once. */
  tell(describe: () => string, isWaiting = false): void {
    const now = performance.now();
    const isDue = now - this.#shownAt >= (this.#terminal ? TERMINAL_MS : LINES_MS);
    if (!isDue && isWaiting === this.#waiting) return;
    this.#shownAt = now;
    this.#waiting = isWaiting;
    const text = `${this.#title}: ${describe()}`;
    // As wide as the terminal: a longer line would not be written over.
    const columns = process.stderr.columns || 120;
    process.stderr.write(this.#terminal ? `\r\u001b[K${text.slice(0, columns - 1)}` : `${text}\n`);
    this.#open = this.#terminal;
  }

  /** What is printed next begins on a line of its own. */
  end(): void {
    if (this.#open) process.stderr.write('\r\u001b[K');
    this.#open = false;
  }
}

/** `[######    ] 25 % · 250000 of 1000000 events · 51234 a second · 15 s left` */
function describeProgress({ phase, events, total, rate, secondsLeft, resumedAt, behind, holder }: Progress): string {
  const parts = [barOf(events, total), `${events} of ${total} events`];
  if (phase !== 'building') parts.push(holder === undefined ? phase : `${phase}, ${holder}`);
  if (behind.length > 0) {
    parts.push(`${behind.map(({ host, release }) => `${host} (${release})`).join(', ')}; --force does not wait`);
  }
  if (phase === 'building' && rate > 0) parts.push(`${Math.round(rate)} a second`);
  if (secondsLeft !== undefined) parts.push(`${Math.ceil(secondsLeft)} s left`);
  if (resumedAt > 0 && phase === 'building') parts.push(`gone on with at ${resumedAt}`);
  return parts.join(' · ');
}

/** `[######    ] 25 % · 250000 of 1000000 keys · 48.1 MB a second · 15 s left`; without a bar where nobody knows how many there are. */
export function describeCopy({ done, total, bytes, seconds, secondsLeft }: CopyProgress): string {
  const parts = total === undefined ? [`${done} keys`] : [barOf(done, total), `${done} of ${total} keys`];
  if (seconds > 0) parts.push(`${(bytes / 1e6 / seconds).toFixed(1)} MB a second`);
  if (secondsLeft !== undefined) parts.push(`${Math.ceil(secondsLeft)} s left`);
  return parts.join(' · ');
}

function barOf(done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(done / total, 1);
  const filled = Math.floor(share * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${' '.repeat(BAR_WIDTH - filled)}] ${Math.floor(share * 100)} %`;
}
