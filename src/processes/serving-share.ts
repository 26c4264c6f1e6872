/** What work in the background takes of a thread that serves, too: a step holds it up for some milliseconds, of large manifests for some tens. */
export const SERVING_LIMITS = { limit: 200, bytes: 250_000 } as const;

/** Requests that come meanwhile find the thread free half of the time. `artifact-store projections rebuild` takes a whole core. */
export const SERVING_SHARE = 0.5;

export const LONGEST_PAUSE_MS = 1_000;

/** How long to rest behind a step, in milliseconds, to take this share of the time. */
export function restAfter(tookMs: number, share: number): number {
  return Math.min(tookMs / share - tookMs, LONGEST_PAUSE_MS);
}
