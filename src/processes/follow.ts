import { catchError, concatMap, defer, EMPTY, from, ignoreElements, merge, repeat, type Observable } from 'rxjs';

import { createLog } from '../events/log.js';
import { subscribe, type SubscribeOptions } from '../events/subscribe.js';
import { advanceBuild } from '../projections/advance-build.js';
import { BuildLostError, claimFollowing, LEASE_MICROS, renewLease, type Build, type Builder } from '../projections/builds.js';
import type { Projection } from '../projections/projection.js';
import type { FoldLimits } from '../projections/replay.js';
import type { Store } from '../projections/store.js';
import type { BuilderClock } from './build-run.js';

export interface FollowOptions extends Pick<SubscribeOptions, 'pollMs' | 'timer'> {
  readonly builder: Builder;
  readonly limits: FoldLimits;
  readonly clock: Pick<BuilderClock, 'sleep'>;
  readonly failed: (error: unknown) => void;
}

/** Another process follows, or the projection is not live: how long until that is looked at again. */
const IDLE_MS = 5_000;
/** Also a log in which nothing happens is followed by one process. */
const RENEWED_MS = LEASE_MICROS / 1_000 / 2;

/**
 * Keeps an async projection's live build up with the log, its checkpoint in the transaction of its data, so that each event is in it once. One process at a time
 * does, by a lease; the others take over when it is gone. A projection without a checkpoint begins with the first event. Emits nothing; ends with its subscription.
 */
export function follow(store: Store, projection: Projection, options: FollowOptions): Observable<never> {
  const { builder, clock, failed } = options;
  const { directory, name } = projection;
  return defer(() => from(claimFollowing(store, builder, directory, name))).pipe(
    concatMap((claim) => {
      if (claim === undefined || 'held' in claim) return EMPTY;
      const { build } = claim.claimed;
      const renewing = defer(() => from(clock.sleep(RENEWED_MS).then(() => renewLease(store, builder, directory, build))));
      return merge(following(store, projection, claim.claimed, options), renewing.pipe(repeat()));
    }),
    // A lease that was lost, a release that may not serve any more, a store that does not work: all of them may pass.
    catchError((error: unknown) => {
      if (!(error instanceof BuildLostError)) failed(error);
      return EMPTY;
    }),
    ignoreElements(),
    repeat({ delay: () => from(clock.sleep(IDLE_MS)) }),
  );
}

function following(
  store: Store,
  { directory }: Projection,
  { build, checkpoint }: Build,
  { builder, limits, pollMs, timer }: FollowOptions,
): Observable<void> {
  const log = createLog(store.keyspaces[directory]);
  const incarnation: SubscribeOptions['incarnation'] = async (tx) => (await store.readDirectory(tx, directory)).live.incarnation;
  const waiting = { ...(pollMs === undefined ? {} : { pollMs }), ...(timer && { timer }) };
  // What the subscription reads says that there is something; it is folded in as it is found in the transaction of the checkpoint.
  return subscribe(log, store.database, { after: checkpoint, incarnation, limit: limits.limit, ...waiting }, () =>
    from(foldToTail(store, builder, directory, build, limits)),
  );
}

async function foldToTail(
  store: Store,
  builder: Builder,
  directory: Projection['directory'],
  build: string,
  limits: FoldLimits,
): Promise<void> {
  while (!(await advanceBuild(store, builder, directory, build, limits)).tailReached);
}
