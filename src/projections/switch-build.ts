import { EVENT_GENERATION } from '../events/codec.js';
import { createLog, type ReadLimits } from '../events/log.js';
import { findBuild, heldBuild, leaseOf, writeBuild, type Build, type Builder } from './builds.js';
import { targetsOf } from './advance-build.js';
import { writeLive, type Live } from './live.js';
import type { DirectoryName, Projection } from './projection.js';
import { foldLog, type FoldLimits } from './replay.js';
import { listServers, serversBehind } from './servers.js';
import type { Store } from './store.js';

/**
 * A switch takes milliseconds. Commands wait for it so long at most, in microseconds: the wait of one that finds the fence of a builder that was killed, and what it
 * does then, together stay under 2 s.
 */
export const FENCE_MICROS = 1_000_000;

/** A tail that one transaction takes, as a rule. */
const SHORT_TAIL: ReadLimits = { limit: 500, targetBytes: 1_000_000 };
/** Commands wait: as much as takes some tenths of a second. */
const SWITCH_LIMITS = { limit: 5_000, bytes: 1_000_000 } as const;

/** Whether what lies behind a build's checkpoint is short enough for a switch. */
export async function hasShortTail(store: Store, directory: DirectoryName, { checkpoint }: Build): Promise<boolean> {
  const keyspace = store.keyspaces[directory];
  return store.database.read(async (tx) => {
    const { live } = await store.readDirectory(tx, directory);
    return (await createLog(keyspace).readFrom(tx, live.incarnation, checkpoint, SHORT_TAIL)).tailReached;
  });
}

/**
 * Holds commands back for at most FENCE_MICROS: those in flight conflict, since they have read `meta/live`. False while another builder's fence stands.
 * Throws BuildLostError.
 */
export async function raiseFence(store: Store, builder: Builder, directory: DirectoryName, build: string): Promise<boolean> {
  return store.database.transact(async (tx) => {
    const { live, keyspace } = await store.readDirectory(tx, directory);
    const now = Number(await tx.time());
    const found = await heldBuild(tx, keyspace, builder, build);
    if (live.fence !== undefined && live.fence.build !== build && live.fence.deadline > now) return false;
    writeLive(tx, keyspace, { ...live, fence: { build, deadline: now + FENCE_MICROS } });
    writeBuild(tx, keyspace, { ...found, lease: leaseOf(builder, now) });
    return true;
  });
}

/** Lets commands go on without a switch. */
export async function liftFence(store: Store, directory: DirectoryName, build: string): Promise<void> {
  await store.database.transact(async (tx) => {
    const { live, keyspace } = await store.readDirectory(tx, directory);
    if (live.fence?.build === build) writeLive(tx, keyspace, { ...live, fence: undefined });
  });
}

export type Switch =
  | 'switched'
  /** The fence is gone: it outlived its deadline, or a command lifted it. */
  | 'fence lost'
  /** More came before the fence stood than one transaction takes; a part of it is folded in. */
  | 'tail too long'
  /** A server runs that could not serve afterwards, and the build is not forced. */
  | 'servers behind';

/**
 * Under this build's fence: applies what is left of the log, names the build in `meta/live` in place of the live ones and lifts the fence, in one transaction.
 * `time`: folding takes no longer; what is left then is "too long". The generation of events that may be written is raised on the way, where all servers read the newest. Throws as `advanceBuild` does.
 */
export async function switchTo(
  store: Store,
  builder: Builder,
  directory: DirectoryName,
  build: string,
  time?: FoldLimits['time'],
): Promise<Switch> {
  return store.database.transact(async (tx): Promise<Switch> => {
    const { live, keyspace } = await store.readDirectory(tx, directory);
    // The commit whose outcome nobody knew was this one's: the lease went with it.
    if ((await findBuild(tx, keyspace, build))?.state === 'live') return 'switched';
    const found = await heldBuild(tx, keyspace, builder, build);
    const now = Number(await tx.time());
    if (live.fence?.build !== build || live.fence.deadline <= now) return 'fence lost';
    const targets = targetsOf(keyspace, store.projections, found);
    const servers = await listServers(tx, store, directory);
    if (!found.forced && serversBehind(servers, [...targets.keys()]).length > 0) return 'servers behind';
    const limits = { ...SWITCH_LIMITS, ...(time === undefined ? {} : { time }) };
    // The log is read by snapshot: nobody appends under a fence without lifting it, and that conflicts.
    const tail = await foldLog(tx, keyspace, targets, live.incarnation, found.checkpoint, limits);
    const known = { events: found.events + tail.events, checkpoint: tail.checkpoint };
    if (!tail.tailReached) {
      writeBuild(tx, keyspace, { ...found, ...known, lease: leaseOf(builder, now) });
      return 'tail too long';
    }
    const allRead = servers.every(({ events }) => events >= EVENT_GENERATION);
    const events = allRead ? Math.max(live.events, EVENT_GENERATION) : live.events;
    writeLive(tx, keyspace, { ...nextLive(live, store.projections, found), events });
    const replaced = live.projections
      .filter(({ name }) => found.projections.some((one) => one.name === name))
      .map(({ name, build: old }) => ({ name, build: old }));
    const done = { state: 'live', lease: undefined, forced: false } as const;
    writeBuild(tx, keyspace, { ...found, ...known, ...done, replaced: [...found.replaced, ...replaced] });
    return 'switched';
  });
}

/** In the order in which this release applies them; what it does not know stays behind them. */
function nextLive(live: Live, known: readonly Projection[], { build, projections }: Build): Live {
  const entryOf = ({ name, mode }: Projection) => {
    const built = projections.find((one) => one.name === name);
    const before = live.projections.find((one) => one.name === name);
    return built === undefined ? before : { name, version: built.version, build, mode };
  };
  const mine = known.map(entryOf).filter((entry) => entry !== undefined);
  const others = live.projections.filter(({ name }) => !mine.some((entry) => entry.name === name));
  return { ...live, fence: undefined, projections: [...mine, ...others] };
}

/** Raises the generation of events that may be written, if all who serve can read it. */
export async function raiseEvents(store: Store, directory: DirectoryName): Promise<void> {
  await store.transact(async ({ tx, [directory]: { live, keyspace } }) => {
    if (live.events >= EVENT_GENERATION) return;
    const servers = await listServers(tx, store, directory);
    if (servers.some(({ events }) => events < EVENT_GENERATION)) return;
    writeLive(tx, keyspace, { ...live, fence: undefined, events: EVENT_GENERATION });
  });
}
