import { catchError, concatMap, defer, EMPTY, from, repeat, type Observable } from 'rxjs';

import { createLog, type ReadLimits } from '../events/log.js';
import { subscribe, type SubscribeOptions } from '../events/subscribe.js';
import { BuildLostError, claimFollowing, foldEvents, type Build, type Builder } from '../projections/builds.js';
import type { Projection } from '../projections/projection.js';
import type { Store } from '../projections/store.js';
import type { BuilderClock } from './build-run.js';

export interface FollowOptions extends Pick<SubscribeOptions, 'pollMs' | 'timer'> {
  readonly builder: Builder;
  readonly limits: ReadLimits;
  readonly clock: Pick<BuilderClock, 'sleep'>;
  readonly failed: (error: unknown) => void;
}

/** Another process follows, or the projection is not live: how long until that is looked at again. */
const IDLE_MS = 5_000;

/**
 * Keeps an async projection's live build up with the log, its checkpoint in the transaction of its data, so that each event is in it once. One process at a time
 * does, by a lease; the others take over when it is gone. A projection without a checkpoint begins with the first event. Emits nothing; ends with its subscription.
 */
export function follow(store: Store, projection: Projection, options: FollowOptions): Observable<never> {
  const { builder, clock, failed } = options;
  const { directory, name } = projection;
  const log = createLog(store.keyspaces[directory]);
  const incarnation: SubscribeOptions['incarnation'] = async (tx) => (await store.readDirectory(tx, directory)).live.incarnation;
  return defer(() => from(claimFollowing(store, builder, directory, name))).pipe(
    concatMap((claim) => {
      if (claim === undefined || 'held' in claim) return EMPTY;
      let build: Build = claim.claimed;
      const { limits, pollMs, timer } = options;
      const subscription = {
        after: build.checkpoint,
        incarnation,
        ...limits,
        ...(pollMs === undefined ? {} : { pollMs }),
        ...(timer && { timer }),
      };
      return subscribe(log, store.database, subscription, ({ events }) =>
        from(foldEvents(store, builder, directory, build, events).then((next) => (build = next))),
      );
    }),
    // A lease that was lost, a release that may not serve any more, a store that does not work: all of them may pass.
    catchError((error: unknown) => {
      if (!(error instanceof BuildLostError)) failed(error);
      return EMPTY;
    }),
    concatMap(() => EMPTY),
    repeat({ delay: () => from(clock.sleep(IDLE_MS)) }),
  );
}
