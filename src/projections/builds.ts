import { createLog, type Batch, type ReadLimits } from '../events/log.js';
import { comparePositions, formatPosition, parsePosition, type Position } from '../events/position.js';
import type { RecordedEvent } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { keyAfter } from '../keyvalue/apply-operations.js';
import { KeyValueError, type ReadTransaction, type Transaction } from '../keyvalue/database.js';
import { boundsOf, itemsBehind, type Keyspace } from '../keyvalue/keyspace.js';
import { encodeLive, type Live } from './live.js';
import { decodeJson, encodeJson, type DirectoryName, type Projection } from './projection.js';
import { applyEvents, foldLog, inPortions, type Targets } from './replay.js';
import { versionOf, type Store } from './store.js';

/**
 * Builds of projections: made beside the live ones from the log, in bounded transactions, and switched to in one. What a builder needs of a clock, a pause or
 * a screen is in processes/rebuild.ts; here is what has to be true of the store after each transaction. DESIGN, "Builds" and "The switch".
 */

/** `build/<build>`: one or more projections of a directory, made in one pass over its log. */
export interface Build {
  /** A UUID, or the name that founding gave. */
  readonly build: string;
  readonly projections: readonly { readonly name: string; readonly version: number }[];
  /** A build that is only there to be compared with the live ones is never switched to. */
  readonly purpose: 'switch' | 'verify';
  /** `dropped`: its keys are to be cleared, then the record. */
  readonly state: 'building' | 'live' | 'dropped';
  /** Version and sources of the release that made it: another release's `apply` may differ. */
  readonly release: string;
  /** Microseconds of database time. */
  readonly begun: number;
  /** How many events are in it. */
  readonly events: number;
  /** The last of them. */
  readonly checkpoint: Position | undefined;
  readonly lease: Lease | undefined;
  /** An operator wants the switch now, whoever can't serve afterwards. */
  readonly forced: boolean;
  /** What the switch to this build made superfluous; its keys are to be cleared. */
  readonly replaced: readonly { readonly name: string; readonly build: string }[];
}

export interface Lease {
  /** The process's own name for itself: its lease is renewed with everything that it writes into the build. */
  readonly owner: string;
  /** Microseconds of database time. */
  readonly until: number;
}

/** Another process has taken the build over, or dropped it. */
export class BuildLostError extends Error {
  override readonly name = 'BuildLostError';
}

/** A killed builder's build can be gone on with after so long. */
export const LEASE_MICROS = 10_000_000;

/** A switch takes milliseconds; commands wait for it so long at most. */
export const FENCE_MICROS = 2_000_000;

type StoredBuild = Omit<Build, 'build' | 'checkpoint'> & { readonly format: 1; readonly checkpoint: string | null };

function encodeBuild(build: Build): Buffer {
  const { projections, purpose, state, release, begun, events, checkpoint, lease, forced, replaced } = build;
  const stored: StoredBuild = {
    format: 1,
    ...{ projections, purpose, state, release, begun, events, lease, forced, replaced },
    checkpoint: checkpoint === undefined ? null : formatPosition(checkpoint),
  };
  return encodeJson(stored);
}

function decodeBuild(build: string, bytes: Buffer): Build {
  const { format, checkpoint, ...rest } = decodeJson<StoredBuild>(bytes);
  // A later release's; nobody else's business.
  if ((format as number) !== 1) throw new Error(`the record of build ${build} has format ${format}, this release knows format 1`);
  const position = checkpoint === null ? undefined : parsePosition(checkpoint);
  if (checkpoint !== null && position === undefined)
    throw new Error(`the checkpoint ${checkpoint} of build ${build} is no position`);
  return { ...rest, build, lease: rest.lease, checkpoint: position };
}

export async function findBuild(tx: ReadTransaction, keyspace: Keyspace, build: string): Promise<Build | undefined> {
  const bytes = await tx.get(keyspace.build(build));
  return bytes === undefined ? undefined : decodeBuild(build, bytes);
}

export async function listBuilds(tx: ReadTransaction, keyspace: Keyspace): Promise<readonly Build[]> {
  const { begin, end } = keyspace.builds;
  const found = await tx.getRange(begin, end);
  const prefix = begin.subarray(0, begin.length - 1);
  return found.map(({ key, value }) => decodeBuild(textItem(itemsBehind(prefix, key)[0]), value));
}

function textItem(item: unknown): string {
  if (typeof item !== 'string') throw new Error('a key of builds that names none');
  return item;
}

function writeBuild(tx: Transaction, keyspace: Keyspace, build: Build): void {
  tx.set(keyspace.build(build.build), encodeBuild(build));
}

/** Who builds, and as which release. */
export interface Builder {
  readonly owner: string;
  readonly release: string;
}

/** What is to be built. */
export interface Order {
  readonly directory: DirectoryName;
  readonly projections: readonly Projection[];
  readonly purpose: Build['purpose'];
  /** The switch does not wait for servers: also where another process makes the build. */
  readonly force?: boolean;
}

export type Claim =
  | { readonly claimed: Build }
  /** Somebody else's lease has not run out. */
  | { readonly held: Build };

/**
 * The build of an order to go on with, or a new one under `newBuild`. Builds of the same projections that another release began, or for another version, are
 * dropped once nobody holds them.
 */
export async function claimBuild(store: Store, builder: Builder, order: Order, newBuild: Uid): Promise<Claim> {
  const keyspace = store.keyspaces[order.directory];
  return store.database.transact(async (tx): Promise<Claim> => {
    const now = Number(await tx.time());
    const wanted = order.projections.map(({ name, version }) => ({ name, version }));
    let mine: Build | undefined;
    for (const other of await listBuilds(tx, keyspace)) {
      const { state, purpose, lease, release } = other;
      if (state !== 'building' || purpose !== order.purpose) continue;
      if (!other.projections.some(({ name }) => wanted.some((one) => one.name === name))) continue;
      if (lease !== undefined && lease.until > now && lease.owner !== builder.owner) {
        if (order.force === true && !other.forced) writeBuild(tx, keyspace, { ...other, forced: true });
        return { held: other };
      }
      if (mine === undefined && release === builder.release && sameProjections(other.projections, wanted)) mine = other;
      else writeBuild(tx, keyspace, { ...other, state: 'dropped', lease: undefined });
    }
    const fresh = { projections: wanted, purpose: order.purpose, state: 'building', release: builder.release } as const;
    const begun = { build: newBuild, ...fresh, begun: now, events: 0, checkpoint: undefined, forced: false, replaced: [] };
    const before = mine ?? begun;
    const claimed: Build = { ...before, forced: before.forced || order.force === true, lease: leaseOf(builder, now) };
    writeBuild(tx, keyspace, claimed);
    return { claimed };
  });
}

function sameProjections(left: Build['projections'], right: Build['projections']): boolean {
  const has = ({ name, version }: Build['projections'][number]) =>
    right.some((other) => other.name === name && other.version === version);
  return left.length === right.length && left.every(has);
}

function leaseOf({ owner }: Builder, now: number): Lease {
  return { owner, until: now + LEASE_MICROS };
}

/** The build as this builder holds it. Throws BuildLostError. */
async function heldBuild(tx: ReadTransaction, keyspace: Keyspace, builder: Builder, build: string): Promise<Build> {
  const found = await findBuild(tx, keyspace, build);
  if (found === undefined || found.state === 'dropped') throw new BuildLostError(`build ${build} was dropped`);
  if (found.lease?.owner !== builder.owner) {
    throw new BuildLostError(`build ${build} was taken over by ${found.lease?.owner ?? 'another process'}`);
  }
  return found;
}

/** Lets others go on with the build at once. */
export async function releaseBuild(store: Store, builder: Builder, directory: DirectoryName, build: string): Promise<void> {
  const keyspace = store.keyspaces[directory];
  await store.database.transact(async (tx) => {
    const found = await findBuild(tx, keyspace, build);
    if (found?.lease?.owner === builder.owner) writeBuild(tx, keyspace, { ...found, lease: undefined });
  });
}

/** Keeps the lease while there is nothing to write. Throws BuildLostError. */
export async function renewLease(store: Store, builder: Builder, directory: DirectoryName, build: string): Promise<Build> {
  const keyspace = store.keyspaces[directory];
  return store.database.transact(async (tx) => {
    const found = await heldBuild(tx, keyspace, builder, build);
    const renewed = { ...found, lease: leaseOf(builder, Number(await tx.time())) };
    writeBuild(tx, keyspace, renewed);
    return renewed;
  });
}

/** Gives a build up; its keys are cleared by `clearSuperfluous`. */
export async function dropBuild(store: Store, directory: DirectoryName, build: string): Promise<void> {
  const keyspace = store.keyspaces[directory];
  await store.database.transact(async (tx) => {
    const found = await findBuild(tx, keyspace, build);
    if (found !== undefined && found.state !== 'live') writeBuild(tx, keyspace, { ...found, state: 'dropped', lease: undefined });
  });
}

/** Where the projections of a build keep their keys. */
export function targetsOf(keyspace: Keyspace, projections: readonly Projection[], { build, projections: built }: Build): Targets {
  const targets = new Map<Projection, Buffer>();
  for (const { name, version } of built) {
    const newest = projections.find((candidate) => candidate.name === name);
    const projection = newest && versionOf(newest, version);
    if (projection === undefined)
      throw new BuildLostError(`build ${build} is of ${name} in version ${version}, which this release does not know`);
    targets.set(projection, keyspace.projection(name, build));
  }
  return targets;
}

export interface Step {
  readonly build: Build;
  /** The log ended behind these events when they were read. */
  readonly tailReached: boolean;
}

/**
 * Reads on behind the build's checkpoint and folds what is there into it, checkpoint and lease in the transaction of the data. Throws BuildLostError, and the
 * EventDecodeError of an event that can't be read.
 */
export async function advanceBuild(
  store: Store,
  builder: Builder,
  directory: DirectoryName,
  from: Build,
  limit: number,
): Promise<Step> {
  try {
    return await store.database.transact((tx) => foldBehind(tx, store, builder, directory, from, limit));
  } catch (error) {
    // One event fits in any case, since its command's transaction had to hold more.
    if (!(error instanceof KeyValueError) || error.code !== 'transaction_too_large' || limit <= 1) throw error;
    return advanceBuild(store, builder, directory, from, limit >> 1);
  }
}

async function foldBehind(
  tx: Transaction,
  store: Store,
  builder: Builder,
  directory: DirectoryName,
  from: Build,
  limit: number,
): Promise<Step> {
  const keyspace = store.keyspaces[directory];
  // A commit whose outcome nobody knew is found by its checkpoint.
  const found = await heldBuild(tx, keyspace, builder, from.build);
  await checkFollowed(tx, store, directory, found);
  const targets = targetsOf(keyspace, store.projections, found);
  if (found.state === 'building') {
    // Nobody reads there yet: one range that nobody conflicts with, in place of one for each key.
    for (const { begin, end } of [...targets.values()].map(boundsOf)) tx.addWriteConflictRange(begin, end);
  }
  const { live } = await store.readDirectory(tx.snapshot, directory);
  const folded = await foldLog(tx, keyspace, targets, live.incarnation, found.checkpoint, limit);
  if (folded.events === 0) return { build: found, tailReached: folded.tailReached };
  const known = { events: found.events + folded.events, checkpoint: folded.checkpoint };
  const build = { ...found, ...known, lease: leaseOf(builder, Number(await tx.time())) };
  writeBuild(tx, keyspace, build);
  return { build, tailReached: folded.tailReached };
}

/** Folds events that follow the build's checkpoint into it, as `advanceBuild` does. Those that are in it already are left out. */
export async function foldEvents(
  store: Store,
  builder: Builder,
  directory: DirectoryName,
  from: Build,
  events: readonly RecordedEvent[],
): Promise<Build> {
  let build = from;
  for (const portion of inPortions(events)) build = await fold(store, builder, directory, build, portion);
  return build;
}

function readBehind(
  tx: ReadTransaction,
  store: Store,
  directory: DirectoryName,
  { checkpoint }: Build,
  limits: ReadLimits,
): Promise<Batch> {
  const keyspace = store.keyspaces[directory];
  return store
    .readDirectory(tx, directory)
    .then(({ live }) => createLog(keyspace).readFrom(tx, live.incarnation, checkpoint, limits));
}

/** Throws BuildLostError. */
async function checkFollowed(tx: Transaction, store: Store, directory: DirectoryName, { state, build }: Build): Promise<void> {
  if (state !== 'live') return;
  const { live } = await store.readDirectory(tx, directory);
  const follows = live.projections.some((entry) => entry.build === build && entry.mode === 'async');
  if (!follows) throw new BuildLostError(`build ${build} is no longer followed`);
}

/** In one transaction, or in as many as it takes: one event fits in any case, since its command's transaction had to hold more. */
async function fold(
  store: Store,
  builder: Builder,
  directory: DirectoryName,
  from: Build,
  events: readonly RecordedEvent[],
): Promise<Build> {
  const { database } = store;
  try {
    return await database.transact((tx) => foldInto(tx, store, builder, directory, from, events));
  } catch (error) {
    if (!(error instanceof KeyValueError) || error.code !== 'transaction_too_large' || events.length === 1) throw error;
    const half = events.length >> 1;
    const build = await fold(store, builder, directory, from, events.slice(0, half));
    return fold(store, builder, directory, build, events.slice(half));
  }
}

async function foldInto(
  tx: Transaction,
  store: Store,
  builder: Builder,
  directory: DirectoryName,
  from: Build,
  events: readonly RecordedEvent[],
): Promise<Build> {
  const keyspace = store.keyspaces[directory];
  const found = await heldBuild(tx, keyspace, builder, from.build);
  await checkFollowed(tx, store, directory, found);
  // A commit whose outcome nobody knew is found by its checkpoint.
  const rest = events.filter(
    ({ position }) => found.checkpoint === undefined || comparePositions(position, found.checkpoint) > 0,
  );
  await applyEvents(tx, keyspace, targetsOf(keyspace, store.projections, found), rest);
  const build = {
    ...found,
    events: found.events + rest.length,
    checkpoint: rest.at(-1)?.position ?? found.checkpoint,
    lease: leaseOf(builder, Number(await tx.time())),
  };
  writeBuild(tx, keyspace, build);
  return build;
}

/** What lies behind a build's checkpoint, as far as the limits go. */
export interface Tail {
  readonly events: number;
  readonly ends: boolean;
}

/** Costs what reading them costs; for a tail that is expected to be short. */
export async function measureTail(store: Store, directory: DirectoryName, build: Build, limits: ReadLimits): Promise<Tail> {
  const batch = await store.database.read((tx) => readBehind(tx, store, directory, build, limits));
  return { events: batch.events.length, ends: batch.tailReached };
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
    tx.set(keyspace.metaLive, encodeLive({ ...live, fence: { build, deadline: now + FENCE_MICROS } }));
    writeBuild(tx, keyspace, { ...found, lease: leaseOf(builder, now) });
    return true;
  });
}

/** Lets commands go on without a switch. */
export async function liftFence(store: Store, directory: DirectoryName, build: string): Promise<void> {
  await store.database.transact(async (tx) => {
    const { live, keyspace } = await store.readDirectory(tx, directory);
    if (live.fence?.build === build) tx.set(keyspace.metaLive, encodeLive({ ...live, fence: undefined }));
  });
}

/** A switch applies so much of the log in its own transaction. */
export const SWITCH_LIMITS: Required<ReadLimits> = { limit: 500, targetBytes: 1_000_000 };

export type Switch =
  | 'switched'
  /** The fence is gone: it outlived its deadline, or a command lifted it. */
  | 'fence lost'
  /** More came before the fence stood than one transaction takes: it has to be folded in first. */
  | 'tail too long';

/**
 * Under this build's fence: applies what is left of the log, names the build in `meta/live` in place of the live ones and lifts the fence, in one transaction.
 * `events`: the generation that may be written from here on, where that is to be raised. Throws BuildLostError.
 */
export async function switchTo(
  store: Store,
  builder: Builder,
  directory: DirectoryName,
  build: string,
  events: number | undefined,
): Promise<Switch> {
  return store.database.transact(async (tx): Promise<Switch> => {
    const { live, keyspace } = await store.readDirectory(tx, directory);
    // The commit whose outcome nobody knew was this one's: the lease went with it.
    if ((await findBuild(tx, keyspace, build))?.state === 'live') return 'switched';
    const found = await heldBuild(tx, keyspace, builder, build);
    const now = Number(await tx.time());
    if (live.fence?.build !== build || live.fence.deadline <= now) return 'fence lost';
    // By snapshot: nobody appends under a fence without lifting it, and that conflicts.
    const tail = await readBehind(tx.snapshot, store, directory, found, SWITCH_LIMITS);
    if (!tail.tailReached) return 'tail too long';
    await applyEvents(tx, keyspace, targetsOf(keyspace, store.projections, found), tail.events);
    const next = nextLive(live, store.projections, found);
    tx.set(keyspace.metaLive, encodeLive({ ...next, events: Math.max(live.events, events ?? 0) }));
    const replaced = live.projections
      .filter(({ name }) => found.projections.some((one) => one.name === name))
      .map(({ name, build: old }) => ({ name, build: old }));
    const checkpoint = tail.events.at(-1)?.position ?? found.checkpoint;
    const known = { events: found.events + tail.events.length, checkpoint, replaced: [...found.replaced, ...replaced] };
    writeBuild(tx, keyspace, { ...found, ...known, state: 'live', lease: undefined });
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

/** Raises the generation of events that may be written, once all who serve can read it. */
export async function raiseEvents(store: Store, directory: DirectoryName, events: number): Promise<void> {
  await store.transact(async ({ tx, [directory]: { live, keyspace } }) => {
    if (live.events < events) tx.set(keyspace.metaLive, encodeLive({ ...live, fence: undefined, events }));
  });
}

const CLEARED_KEYS = 1_000;
const CLEARED_BYTES = 1_000_000;

/**
 * One bounded transaction of clearing what no reader needs: keys of dropped builds and of those that a switch replaced, then their records. Builds that were
 * left behind in the middle are dropped by whoever orders the same next, those made to verify here. False when there was nothing to do.
 */
export async function clearSuperfluous(store: Store, directory: DirectoryName): Promise<boolean> {
  return store.database.transact(async (tx) => {
    const { live, keyspace } = await store.readDirectory(tx, directory);
    const now = Number(await tx.time());
    // By snapshot: a builder at work writes its record all the time.
    for (const seen of await listBuilds(tx.snapshot, keyspace)) {
      if (!isSuperfluous(seen, live, now)) continue;
      const build = await findBuild(tx, keyspace, seen.build);
      if (build === undefined || !isSuperfluous(build, live, now)) continue;
      if (build.state !== 'live') {
        const cleared = await clearSome(
          tx,
          keyspace,
          build.projections.map(({ name }) => ({ name, build: build.build })),
        );
        if (cleared) writeBuild(tx, keyspace, { ...build, state: 'dropped', lease: undefined });
        else tx.clear(keyspace.build(build.build));
        return true;
      }
      const [first, ...rest] = build.replaced;
      if (first === undefined) tx.clear(keyspace.build(build.build));
      else if (!(await clearSome(tx, keyspace, [first]))) writeBuild(tx, keyspace, { ...build, replaced: rest });
      return true;
    }
    return false;
  });
}

function isSuperfluous({ build, state, purpose, lease, replaced }: Build, live: Live, now: number): boolean {
  switch (state) {
    case 'dropped':
      return true;
    case 'building':
      return purpose === 'verify' && (lease === undefined || lease.until <= now);
    case 'live':
      return replaced.length > 0 || !live.projections.some((entry) => entry.build === build);
  }
}

/** Whether there was something to clear. */
async function clearSome(
  tx: Transaction,
  keyspace: Keyspace,
  builds: readonly { readonly name: string; readonly build: string }[],
): Promise<boolean> {
  for (const { name, build } of builds) {
    const { begin, end } = boundsOf(keyspace.projection(name, build));
    // Nobody writes there any more.
    const some = await tx.snapshot.getRange(begin, end, { limit: CLEARED_KEYS, targetBytes: CLEARED_BYTES });
    const last = some.at(-1);
    if (last === undefined) continue;
    tx.clearRange(begin, keyAfter(last.key));
    return true;
  }
  return false;
}

/** The live build of an async projection, whose record says how far it has come: claimed, to be gone on with by `advanceBuild`. */
export async function claimFollowing(
  store: Store,
  builder: Builder,
  directory: DirectoryName,
  name: string,
): Promise<Claim | undefined> {
  return store.database.transact(async (tx): Promise<Claim | undefined> => {
    const { builds, keyspace } = await store.readDirectory(tx, directory);
    const live = builds.get(name);
    if (live === undefined) return undefined;
    const { version } = live.projection;
    const now = Number(await tx.time());
    // A store that was founded with the projection has no record yet: it begins with the first event.
    const found: Build = (await findBuild(tx, keyspace, live.build)) ?? {
      build: live.build,
      projections: [{ name, version }],
      purpose: 'switch',
      state: 'live',
      release: builder.release,
      begun: now,
      events: 0,
      checkpoint: undefined,
      lease: undefined,
      forced: false,
      replaced: [],
    };
    if (found.lease !== undefined && found.lease.until > now && found.lease.owner !== builder.owner) return { held: found };
    const claimed: Build = { ...found, lease: leaseOf(builder, now) };
    writeBuild(tx, keyspace, claimed);
    return { claimed };
  });
}
