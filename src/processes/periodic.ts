import { catchError, exhaustMap, defer, EMPTY, from, timer, type Subscription } from 'rxjs';

/** Runs `task` now and then, never twice at once: a run that is missed is left out; a failure is told and does not end it. The first run is after `firstMs`. All waits have a jitter. */
export function periodically(
  everyMs: number,
  task: () => Promise<unknown>,
  failed: (error: unknown) => void,
  firstMs = everyMs,
): Subscription {
  const jitter = 0.9 + Math.random() * 0.2;
  return timer(firstMs * jitter, everyMs * jitter)
    .pipe(
      exhaustMap(() =>
        defer(() => from(task())).pipe(
          catchError((error: unknown) => {
            failed(error);
            return EMPTY;
          }),
        ),
      ),
    )
    .subscribe();
}
