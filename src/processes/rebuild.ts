import type { Build } from '../projections/builds.js';
import { clearSuperfluous } from '../projections/clear-builds.js';
import type { DirectoryName } from '../projections/projection.js';
import { listServers, serversBehind } from '../projections/servers.js';
import type { Store } from '../projections/store.js';
import { hasShortTail, liftFence, raiseFence, switchTo } from '../projections/switch-build.js';
import { BuildRun, type BuildOptions } from './build-run.js';
import { HEARTBEAT_MS } from './heartbeat.js';

const SERVERS_POLL_MS = 1_000;
/** After so many rounds that were no shorter than the ones before, waiting does not help: the rest is folded in under the fence. */
const ROUNDS_WITHOUT_GAIN = 3;
/** Events; a round that is shorter says nothing of how fast they come. */
const SHORTEST_ROUND = 500;
/** Commands go on between two fences. */
const BETWEEN_FENCES_MS = 100;
/** A fence stands for 1 s: what a switch has not folded in by then is folded in by the next one. */
const SWITCH_FOLDING_MS = 300;

/**
 * Builds what is ordered from the log and switches to it; ends however fast events are appended. Commands are held back for the moment of the switch, pulls are
 * not. What another process brought to its end meanwhile is not done again. Throws BuildStoppedError, BuildLostError where another process took the build over,
 * and the EventDecodeError or ReplayError of an event that can't be read or applied.
 */
export async function rebuild(store: Store, options: BuildOptions): Promise<Build> {
  const run = await BuildRun.begin(store, options);
  if ('finished' in run) return run.finished;
  try {
    const before = run.build.events;
    await run.catchUp();
    const first = run.build.events - before;
    for (let outcome: 'switched' | 'servers behind' = 'servers behind'; outcome === 'servers behind';) {
      await awaitServers(run);
      await shortenTail(run, Math.max(first, SHORTEST_ROUND));
      outcome = await makeTheSwitch(run);
    }
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
  for (let lookedAt: number | undefined; !run.build.forced;) {
    run.checkStopped();
    const { servers, now } = await run.store.database.read(async (tx) => ({
      servers: await listServers(tx, run.store, order.directory),
      now: Number(await tx.time()) / 1_000,
    }));
    const behind = serversBehind(servers, order.projections);
    // Where this process, or the whole machine, stood still, so did those who would have been heard from.
    const stoodStill = lookedAt !== undefined && now - lookedAt > 2 * HEARTBEAT_MS;
    if (behind.length === 0 && !stoodStill) return;
    await run.renew();
    run.report('waiting for servers', behind);
    await run.clock.sleep(stoodStill ? HEARTBEAT_MS + SERVERS_POLL_MS : SERVERS_POLL_MS);
    lookedAt = stoodStill ? undefined : now;
    await run.catchUp('waiting for servers');
  }
}

/**
 * Until a switch takes what is left of the log, or it is clear that reading on does not get there: what came while a round was folded in is the next one. `first`:
 * the length of the one before, in events.
 */
async function shortenTail(run: BuildRun, first: number): Promise<void> {
  const { order } = run.options;
  let shortest = first;
  for (let without = 0; without < ROUNDS_WITHOUT_GAIN;) {
    if (await hasShortTail(run.store, order.directory, run.build)) return;
    const before = run.build.events;
    const longer = shortest * 1.2;
    await run.catchUp('building', longer);
    const length = run.build.events - before;
    // Events come faster than they are folded in: each round would be longer than the one before.
    if (length > longer) return;
    without = length < shortest * 0.8 ? 0 : without + 1;
    shortest = Math.min(shortest, length);
  }
}

async function makeTheSwitch(run: BuildRun): Promise<'switched' | 'servers behind'> {
  const { store, clock } = run;
  const { builder, order } = run.options;
  for (;;) {
    run.checkStopped();
    if (await raiseFence(store, builder, order.directory, run.build.build)) {
      run.report('switching');
      const outcome = await switchUnderFence(run);
      if (outcome !== 'fence lost') return outcome;
      // What took too long is not tried again as it was.
      await run.advance();
    }
    await clock.sleep(BETWEEN_FENCES_MS);
    await run.renew();
  }
}

async function switchUnderFence(run: BuildRun): Promise<'switched' | 'servers behind' | 'fence lost'> {
  const { store } = run;
  const { builder, order } = run.options;
  const time = { now: () => run.clock.now(), ms: SWITCH_FOLDING_MS };
  try {
    for (;;) {
      const outcome = await switchTo(store, builder, order.directory, run.build.build, time);
      if (outcome === 'switched') await run.reread();
      if (outcome === 'servers behind') await liftFence(store, order.directory, run.build.build);
      if (outcome !== 'tail too long') return outcome;
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
  do report();
  while (!signal.aborted && (await clearSuperfluous(store, directory)));
}
