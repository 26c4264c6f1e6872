import { KeyValueError, type Transaction } from '../keyvalue/database.js';
import { boundsOf, type Keyspace } from '../keyvalue/keyspace.js';
import { BuildLostError, heldBuild, leaseOf, writeBuild, type Build, type Builder } from './builds.js';
import type { DirectoryName, Projection } from './projection.js';
import { foldLog, FOLDED_BYTES, type FoldLimits, type Targets } from './replay.js';
import { versionOf, type Store } from './store.js';

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
  /** Nothing lay behind these events when they were read. */
  readonly tailReached: boolean;
  /** So often what it was tried with had to be halved before it got done. */
  readonly halved: number;
}

/** A step that is tried for so long, in milliseconds, does not outlive its lease. */
const STEP_TIMEOUT_MS = 8_000;

/**
 * Folds what the log has behind a build's checkpoint into it, as far as the limits go, checkpoint and lease in the transaction of the data. Throws BuildLostError,
 * ReplayError, and the EventDecodeError of an event that can't be read. An attempt that failed is not repeated as it was: it may have been too large, or too slow,
 * and what did not fit once at this place would not fit again.
 */
export async function advanceBuild(
  store: Store,
  builder: Builder,
  directory: DirectoryName,
  build: string,
  limits: FoldLimits,
): Promise<Step> {
  for (let attempts = 0; ;) {
    try {
      return await store.database.transact(
        async (tx) => {
          const halved = attempts;
          attempts += 1;
          return { ...(await advance(tx, store, builder, directory, build, shortened(limits, halved))), halved };
        },
        { timeoutMs: STEP_TIMEOUT_MS },
      );
    } catch (error) {
      // One event fits in any case, since its command's transaction had to hold more.
      const isTooLarge = error instanceof KeyValueError && error.code === 'transaction_too_large';
      if (!isTooLarge || limits.limit >> (attempts - 1) <= 1) throw error;
    }
  }
}

function shortened({ limit, bytes = FOLDED_BYTES, time }: FoldLimits, halved: number): FoldLimits {
  const share = 2 ** halved;
  return {
    limit: Math.max(1, Math.floor(limit / share)),
    bytes: Math.ceil(bytes / share),
    ...(time === undefined ? {} : { time: { ...time, ms: time.ms / share } }),
  };
}

async function advance(
  tx: Transaction,
  store: Store,
  builder: Builder,
  directory: DirectoryName,
  build: string,
  limits: FoldLimits,
): Promise<Omit<Step, 'halved'>> {
  const keyspace = store.keyspaces[directory];
  // A commit whose outcome nobody knew is found by its checkpoint.
  const found = await heldBuild(tx, keyspace, builder, build);
  const isFollowed = found.state === 'live';
  // What is followed is read: it is gone on with for as long as it is live, and a switch conflicts.
  const { live } = await store.readDirectory(isFollowed ? tx : tx.snapshot, directory);
  const isAsync = live.projections.some((entry) => entry.build === build && entry.mode === 'async');
  if (isFollowed && !isAsync) throw new BuildLostError(`build ${build} is no longer followed`);
  const targets = targetsOf(keyspace, store.projections, found);
  const folded = await foldLog(tx, keyspace, targets, live.incarnation, found.checkpoint, limits);
  if (folded.events === 0) return { build: found, tailReached: folded.tailReached };
  if (!isFollowed) {
    // Nobody reads there yet: one range that nobody conflicts with, in place of one for each key.
    for (const { begin, end } of [...targets.values()].map(boundsOf)) tx.addWriteConflictRange(begin, end);
  }
  const known = { events: found.events + folded.events, checkpoint: folded.checkpoint };
  const advanced = { ...found, ...known, lease: leaseOf(builder, Number(await tx.time())) };
  writeBuild(tx, keyspace, advanced);
  return { build: advanced, tailReached: folded.tailReached };
}
