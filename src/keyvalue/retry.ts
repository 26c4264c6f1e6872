import { KeyValueError, limits } from './database.js';

/** Where the retry loop gets its time and chance from; a simulation brings its own. */
export interface RetryEnvironment {
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  sleep(ms: number): Promise<void>;
}

export const realRetryEnvironment: RetryEnvironment = {
  now: () => performance.now(),
  random: () => Math.random(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

export interface RetryOptions {
  /** No attempt begins later than this many milliseconds after the first. */
  readonly timeoutMs?: number | undefined;
  /** Which errors are worth another attempt. Without it, every `retryable` KeyValueError. */
  readonly retryOn?: (error: KeyValueError) => boolean;
  /** So many attempts may be too old by themselves, having run for a transaction's whole life: the next would be, too. Default: any number. */
  readonly outlivedAtMost?: number;
}

/** For `read`: nothing but its age can end one, and a body that is too slow three times is too slow. */
export const readRetries: RetryOptions = { retryOn: (error) => error.code === 'transaction_too_old', outlivedAtMost: 3 };

export const DEFAULT_TIMEOUT_MS = 30_000;

// FoundationDB's client starts at 10 ms and stops growing at 1 s (DEFAULT_BACKOFF, DEFAULT_MAX_BACKOFF); without a network the start can be lower.
const FIRST_BACKOFF_MS = 4;
const LARGEST_BACKOFF_MS = 1_000;

/**
 * The one retry loop of `transact` and `read`: repeats `attempt` on retryable errors after a jittered, exponentially growing pause, until `timeoutMs` is
 * over or too many attempts outlived a transaction; then throws `retries_exhausted` with the last error as its cause. Any other throw of `attempt` passes through at once.
 */
export async function withRetries<T>(
  attempt: (number: number) => Promise<T>,
  options: RetryOptions = {},
  environment: RetryEnvironment = realRetryEnvironment,
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const retryOn = options.retryOn ?? ((error: KeyValueError) => error.retryable);
  const start = environment.now();
  let outlived = 0;
  let conflicts = 0;
  for (let number = 1; ; number += 1) {
    const begun = environment.now();
    try {
      return await attempt(number);
    } catch (error) {
      if (!(error instanceof KeyValueError) || !retryOn(error)) throw error;
      // Full jitter: of many that conflicted together, some go soon and alone.
      const { retryAfterMs } = error;
      if (retryAfterMs === undefined) conflicts += 1;
      const pause =
        retryAfterMs === undefined
          ? environment.random() * Math.min(LARGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(conflicts, 16))
          : retryAfterMs * (0.5 + environment.random());
      const now = environment.now();
      const spent = now - start;
      if (error.code === 'transaction_too_old' && now - begun >= limits.transactionMs) outlived += 1;
      if (spent + pause >= timeoutMs || outlived >= (options.outlivedAtMost ?? Infinity)) {
        throw new KeyValueError(
          'retries_exhausted',
          `gave up after ${number} attempts in ${Math.round(spent)} ms, the last of which ended in ${error.code}`,
          {
            cause: error,
          },
        );
      }
      await environment.sleep(pause);
    }
  }
}
