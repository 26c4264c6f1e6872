import { formatPosition, parsePosition, type Position } from '../events/position.js';
import type { Uid } from '../identifiers.js';
import type { ReadTransaction, Transaction } from '../keyvalue/database.js';
import { itemsBehind, type Keyspace } from '../keyvalue/keyspace.js';
import { decodeJson, encodeJson, type DirectoryName, type Projection } from './projection.js';
import type { Store } from './store.js';

/**
 * Builds of projections, made beside the live ones from the log: their records and who holds them. advance-build.ts folds the log into one, switch-build.ts makes
 * it the live one, clear-builds.ts clears what is superfluous: each a transaction that leaves the store right. What a builder needs of a clock, a pause or a
 * screen is in processes/. DESIGN, "Builds" and "The switch".
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

export function writeBuild(tx: Transaction, keyspace: Keyspace, build: Build): void {
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
  | { readonly held: Build }
  /** The build that was waited for is live. */
  | { readonly finished: Build };

/**
 * The build of an order to go on with, or a new one under `newBuild`. Builds of the same projections that another release began, or for another version, are
 * dropped once nobody holds them. `waitedFor`: a build that was held before; where that has brought what is ordered to its end, nothing is claimed. Throws
 * LiveMismatchError.
 */
export async function claimBuild(
  store: Store,
  builder: Builder,
  order: Order,
  newBuild: Uid,
  waitedFor?: string,
): Promise<Claim> {
  return store.database.transact(async (tx): Promise<Claim> => {
    // First: a release that may not serve does not touch what others build.
    const { keyspace } = await store.readDirectory(tx, order.directory);
    const now = Number(await tx.time());
    const wanted = order.projections.map(({ name, version }) => ({ name, version }));
    let mine: Build | undefined;
    for (const other of await listBuilds(tx, keyspace)) {
      const { state, purpose, lease, release } = other;
      const isSame = sameProjections(other.projections, wanted);
      if (state === 'live' && other.build === waitedFor && isSame) return { finished: other };
      if (state !== 'building' || purpose !== order.purpose) continue;
      if (!other.projections.some(({ name }) => wanted.some((one) => one.name === name))) continue;
      if (isHeldByAnother(lease, builder, now)) {
        if (order.force === true && !other.forced && isSame) writeBuild(tx, keyspace, { ...other, forced: true });
        return { held: other };
      }
      if (mine === undefined && release === builder.release && isSame) mine = other;
      else writeBuild(tx, keyspace, { ...other, state: 'dropped', lease: undefined });
    }
    const fresh = { projections: wanted, purpose: order.purpose, state: 'building', release: builder.release } as const;
    const begun = { build: newBuild, ...fresh, begun: now, events: 0, checkpoint: undefined, replaced: [] };
    const claimed: Build = { ...(mine ?? begun), forced: order.force === true, lease: leaseOf(builder, now) };
    writeBuild(tx, keyspace, claimed);
    return { claimed };
  });
}

function sameProjections(left: Build['projections'], right: Build['projections']): boolean {
  const has = ({ name, version }: Build['projections'][number]) =>
    right.some((other) => other.name === name && other.version === version);
  return left.length === right.length && left.every(has);
}

export function leaseOf({ owner }: Pick<Builder, 'owner'>, now: number): Lease {
  return { owner, until: now + LEASE_MICROS };
}

/** Whether somebody else's lease has not run out. */
export function isHeldByAnother(lease: Lease | undefined, { owner }: Pick<Builder, 'owner'>, now: number): lease is Lease {
  return lease !== undefined && lease.until > now && lease.owner !== owner;
}

/** The build as this builder holds it. Throws BuildLostError. */
export async function heldBuild(tx: ReadTransaction, keyspace: Keyspace, builder: Builder, build: string): Promise<Build> {
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
    if (found?.lease?.owner !== builder.owner) return;
    // Its end stays: who half made a build, and when, says when it is given up.
    writeBuild(tx, keyspace, { ...found, lease: { owner: '', until: Number(await tx.time()) }, forced: false });
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

/** Gives a build up that this builder still holds; its keys are cleared by `clearSuperfluous`. */
export async function dropBuild(store: Store, builder: Builder, directory: DirectoryName, build: string): Promise<void> {
  const keyspace = store.keyspaces[directory];
  await store.database.transact(async (tx) => {
    const found = await findBuild(tx, keyspace, build);
    if (found?.state !== 'building' || found.lease?.owner !== builder.owner) return;
    writeBuild(tx, keyspace, { ...found, state: 'dropped', lease: undefined });
  });
}

/** The live build of an async projection, whose record says how far it has come: claimed, to be gone on with by `advanceBuild`. */
export async function claimFollowing(
  store: Store,
  builder: Builder,
  directory: DirectoryName,
  name: string,
): Promise<Exclude<Claim, { readonly finished: Build }> | undefined> {
  return store.database.transact(async (tx) => {
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
    if (isHeldByAnother(found.lease, builder, now)) return { held: found };
    const claimed: Build = { ...found, lease: leaseOf(builder, now) };
    writeBuild(tx, keyspace, claimed);
    return { claimed };
  });
}
