import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { Subscription } from 'rxjs';

import { isUnavailable } from './availability.js';
import type { Uid } from './identifiers.js';
import { faultOf } from './logger.js';
import type { Progress } from './processes/build-run.js';
import { follow } from './processes/follow.js';
import { beat, HEARTBEAT_MS, stopBeating } from './processes/heartbeat.js';
import { periodically } from './processes/periodic.js';
import { SERVING_LIMITS, SERVING_SHARE } from './processes/serving-share.js';
import { upgrade } from './processes/upgrade.js';
import type { Projection } from './projections/projection.js';
import type { Store } from './projections/store.js';
import { readRelease } from './release.js';

/** What a server does for the indexes beside serving. */
export interface IndexUpkeep {
  /** Throws LiveMismatchError. */
  start(): Promise<void>;
  /** The builds that this server makes, or waits for, for `/readyz`; empty as a rule. */
  builds(): readonly Readonly<Record<string, unknown>>[];
  /** Throws when this server could not write for a while: pulls go on, pushes do not. */
  checkWriting(): void;
  /** Says at once that this server is here, where the database was away and nobody could. */
  beatNow(): void;
  /** Ends what builds and follows, in bounded time. */
  stop(): Promise<void>;
  /** Says that this server is gone: when its last request has ended, since until then a switch has to wait for it. */
  leave(): Promise<void>;
}

const UPGRADE_MS = 30_000;
const LOGGED_MS = 5_000;
/** Three heartbeats. */
const SILENT_SECONDS = 35;

/** Says that this server is here, builds what its release needs and the store lacks, follows the log with the async projections. */
export function createIndexUpkeep(store: Store, newId: () => Uid, logger: Logger): IndexUpkeep {
  const id = newId();
  const host = `${hostname()}:${process.pid}`;
  const builder = { owner: `${host} ${id}`, release: readRelease() };
  const mine = { release: builder.release, host };
  const running = new Map<string, Readonly<Record<string, unknown>>>();
  const abort = new AbortController();
  const failed = (what: string) => (err: unknown) => {
    if (!abort.signal.aborted && !isUnavailable(err)) logger.error(faultOf(err), what);
  };
  const logged = new Map<string, { readonly at: number; readonly phase: string }>();
  const progress = (projections: readonly Projection[], state: Progress): void => {
    const names = namesOf(projections);
    running.set(names, { projections: projections.map(({ name, version }) => ({ name, version })), ...told(state) });
    const last = logged.get(names);
    if (last?.phase === state.phase && performance.now() - last.at < LOGGED_MS) return;
    logged.set(names, { at: performance.now(), phase: state.phase });
    logger.info({ projections: names, ...told(state) }, 'building indexes');
  };
  const done = (projections: readonly Projection[], events: number): void => {
    logger.info({ projections: namesOf(projections), events }, 'indexes built and switched to');
  };
  let upgrading = Promise.resolve();
  const runUpgrade = (): Promise<void> => {
    upgrading = upgrade(store, {
      builder,
      newId,
      ...SERVING_LIMITS,
      share: SERVING_SHARE,
      signal: abort.signal,
      progress,
      done,
    }).finally(() => running.clear());
    return upgrading;
  };

  const chores = new Subscription();
  const heart = new Subscription();
  let beatAt = performance.now();
  const pulse = async (): Promise<void> => {
    await beat(store, id, mine);
    beatAt = performance.now();
  };
  let beating = false;
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  return {
    async start() {
      await pulse();
      beating = true;
      heart.add(periodically(HEARTBEAT_MS, pulse, failed('the heartbeat failed')));
      chores.add(periodically(UPGRADE_MS, runUpgrade, failed('building indexes failed'), 0));
      for (const projection of store.projections.filter(({ mode }) => mode === 'async')) {
        const options = {
          builder,
          limits: SERVING_LIMITS,
          clock: { sleep },
          failed: failed(`following the log for ${projection.name} failed`),
        };
        chores.add(follow(store, projection, options).subscribe());
      }
    },
    builds: () => [...running.values()],
    checkWriting() {
      const seconds = Math.round((performance.now() - beatAt) / 1_000);
      if (seconds > SILENT_SECONDS) {
        throw new Error(
          `nothing could be written for ${seconds} s: the disk, a process that holds the embedded store's lock, or a cluster that has only just come back; the log says more`,
        );
      }
    },
    beatNow() {
      if (beating) void pulse().catch(failed('the heartbeat failed'));
    },
    async stop() {
      abort.abort();
      chores.unsubscribe();
      await upgrading.catch(() => undefined);
    },
    async leave() {
      beating = false;
      heart.unsubscribe();
      await stopBeating(store, id).catch(failed('the last heartbeat failed'));
    },
  };
}

function namesOf(projections: readonly Projection[]): string {
  return projections.map(({ name, version }) => `${name} v${version}`).join(', ');
}

function told({ phase, events, total, rate, secondsLeft, behind, holder }: Progress): Readonly<Record<string, unknown>> {
  return {
    phase,
    events,
    total,
    percent: total === 0 ? 100 : Math.floor((events / total) * 100),
    eventsPerSecond: Math.round(rate),
    ...(secondsLeft === undefined ? {} : { secondsLeft: Math.ceil(secondsLeft) }),
    ...(holder === undefined ? {} : { builder: holder }),
    ...(behind.length === 0 ? {} : { waitingFor: behind.map(({ host, release }) => `${host} (${release})`) }),
  };
}
