import { EVENT_GENERATION } from '../events/codec.js';
import {
  clearSuperfluous,
  liftFence,
  measureTail,
  raiseFence,
  SWITCH_LIMITS,
  switchTo,
  type Build,
} from '../projections/builds.js';
import type { DirectoryName } from '../projections/projection.js';
import type { Store } from '../projections/store.js';
import { BuildRun, type BuildOptions } from './build-run.js';
import { listServers, serversBehind } from './heartbeat.js';

const SERVERS_POLL_MS = 1_000;
/** After so many rounds that were no shorter than the ones before, waiting does not help: the rest is folded in under the fence. */
const ROUNDS_WITHOUT_GAIN = 3;
/** Commands go on between two fences. */
const BETWEEN_FENCES_MS = 250;

/**
 * Builds what is ordered from the log and switches to it; ends however fast events are appended. Commands are held back for the moment of the switch, pulls are
 * not. Throws BuildStoppedError, BuildLostError where another process took the build over, and the EventDecodeError of an event that can't be read.
 */
export async function rebuild(store: Store, options: BuildOptions): Promise<Build> {
  const run = await BuildRun.begin(store, options);
  if ('finished' in run) return run.finished;
  try {
    await run.catchUp();
    await awaitServers(run);
    await shortenTail(run);
    await makeTheSwitch(run);
  } catch (error) {
    // Whoever comes next need not wait for the lease; one that was lost is not touched.
    await run.release().catch(() => undefined);
    throw error;
  }
  await clearAll(store, options.order.directory, options.signal, () => run.report('clearing'));
  return run.build;
}

/** Until all who serve know the version, or those who do not have not been heard from for 30 seconds. */
async function awaitServers(run: BuildRun): Promise<void> {
  const { order } = run.options;
  while (!run.build.forced) {
    run.checkStopped();
    const servers = await run.store.database.read((tx) => listServers(tx, run.store, order.directory));
    const behind = serversBehind(servers, order.projections);
    if (behind.length === 0) return;
    await run.renew();
    run.report('waiting for servers', behind);
    await run.clock.sleep(SERVERS_POLL_MS);
    await run.catchUp();
  }
}

/** Until a switch takes what is left of the log, or it is clear that reading on does not get there: what came while a round was folded in is the next one. */
async function shortenTail(run: BuildRun): Promise<void> {
  const { order } = run.options;
  let shortest = Infinity;
  for (let without = 0; without < ROUNDS_WITHOUT_GAIN;) {
    const tail = await measureTail(run.store, order.directory, run.build, SWITCH_LIMITS);
    if (tail.ends) return;
    const before = run.build.events;
    await run.catchUp();
    const length = run.build.events - before;
    // Events come faster than they are folded in: each round would be longer than the one before.
    if (length > shortest * 1.2) return;
    without = length < shortest * 0.8 ? 0 : without + 1;
    shortest = Math.min(shortest, length);
  }
}

async function makeTheSwitch(run: BuildRun): Promise<void> {
  const { store, clock } = run;
  const { builder, order } = run.options;
  for (;;) {
    run.checkStopped();
    const servers = await store.database.read((tx) => listServers(tx, store, order.directory));
    const allRead = run.build.forced || servers.every((server) => server.events >= EVENT_GENERATION);
    const events = allRead ? EVENT_GENERATION : undefined;
    if (await raiseFence(store, builder, order.directory, run.build.build)) {
      run.report('switching');
      if (await switchUnderFence(run, events)) return;
    }
    await clock.sleep(BETWEEN_FENCES_MS);
    await run.renew();
  }
}

/** False when the fence did not hold for long enough. */
async function switchUnderFence(run: BuildRun, events: number | undefined): Promise<boolean> {
  const { store } = run;
  const { builder, order } = run.options;
  try {
    for (;;) {
      const outcome = await switchTo(store, builder, order.directory, run.build.build, events);
      if (outcome !== 'tail too long') return outcome === 'switched';
      await run.advance();
    }
  } catch (error) {
    await liftFence(store, order.directory, run.build.build).catch(() => undefined);
    throw error;
  }
}

/** Clears what switches and given up builds left behind, in bounded transactions. What is not done is done by whoever comes next. */
export async function clearAll(
  store: Store,
  directory: DirectoryName,
  signal: AbortSignal,
  report: () => void = () => undefined,
): Promise<void> {
  report();
  while (!signal.aborted && (await clearSuperfluous(store, directory)));
}
