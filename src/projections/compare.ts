import { keyAfter } from '../keyvalue/apply-operations.js';
import type { KeyValue, ReadTransaction, Transaction } from '../keyvalue/database.js';
import { boundsOf } from '../keyvalue/keyspace.js';
import { targetsOf } from './advance-build.js';
import { findBuild, heldBuild, type Build, type Builder } from './builds.js';
import type { DirectoryName, Projection } from './projection.js';
import { foldLog } from './replay.js';
import type { LiveDirectory, Store } from './store.js';

/** A key that the live build and the folded log do not agree on. */
export interface Difference {
  readonly projection: string;
  readonly version: number;
  /** Behind the build's prefix. */
  readonly key: Buffer;
  /** What the live build has; undefined where it lacks the key. */
  readonly live: Buffer | undefined;
  /** What the log says. */
  readonly folded: Buffer | undefined;
}

export interface ComparedRange {
  readonly differences: readonly Difference[];
  /** Of the live build. */
  readonly keys: number;
  readonly bytes: number;
  /** Where the next range begins, behind the build's prefix; undefined behind the last. */
  readonly next: Buffer | undefined;
}

export type Comparison =
  | ComparedRange
  /** More of the log is not in the build yet than one transaction folds in beside the comparing. */
  | 'tail too long'
  /** The live build is of an async projection and has not come far enough: whoever follows the log for it has to go on. */
  | 'follower behind'
  /** The live build is another one than at the beginning. */
  | 'switched meanwhile';

/** The events that are folded in for a comparison, and taken back. */
const TAIL_LIMITS = { limit: 500 } as const;
const RANGE_LIMITS = { limit: 2_000, targetBytes: 1_000_000 } as const;

/** Carries a result out of a transaction that is not to be committed. */
class TakenBack extends Error {
  constructor(readonly result: Comparison) {
    super('taken back');
  }
}

/**
 * Compares a range of a live build with the same of a build made aside from the log, at one version: what the log has behind either of them is folded in for the
 * comparison alone. `from` and the answer's `next` are behind the build's prefix. Costs what the range costs, and no commit. Throws BuildLostError where the build
 * aside is no longer this builder's.
 */
export async function compareRange(
  store: Store,
  builder: Builder,
  directory: DirectoryName,
  aside: string,
  projection: Projection,
  liveBuild: string,
  from: Buffer,
): Promise<Comparison> {
  try {
    await store.database.transact(async (tx) => {
      throw new TakenBack(await compare(tx, store, builder, directory, aside, projection, liveBuild, from));
    });
  } catch (error) {
    if (error instanceof TakenBack) return error.result;
    throw error;
  }
  throw new Error('a comparison was committed');
}

async function compare(
  tx: Transaction,
  store: Store,
  builder: Builder,
  directory: DirectoryName,
  aside: string,
  projection: Projection,
  liveBuild: string,
  from: Buffer,
): Promise<Comparison> {
  const found = await store.readDirectory(tx, directory);
  if (found.builds.get(projection.name)?.build !== liveBuild) return 'switched meanwhile';
  const { keyspace } = found;
  // One that was taken over, or given up while this process stood still, may be half cleared.
  if (!(await foldTail(tx, store, found, await heldBuild(tx, keyspace, builder, aside)))) return 'tail too long';
  if (projection.mode === 'async') {
    const followed = await findBuild(tx, keyspace, liveBuild);
    if (followed === undefined || !(await foldTail(tx, store, found, followed))) return 'follower behind';
  }
  const prefix = keyspace.projection(projection.name, liveBuild);
  const live = await readRange(tx, prefix, from);
  const folded = await readRange(tx, keyspace.projection(projection.name, aside), from);
  // A range that was cut says nothing of what lies behind its last key.
  const ends = [live, folded].filter(({ cut }) => cut).map(({ pairs }) => pairs.at(-1)?.key ?? from);
  const end = ends.sort((left, right) => left.compare(right))[0];
  const within = (pairs: readonly KeyValue[]) => (end === undefined ? pairs : pairs.filter(({ key }) => key.compare(end) <= 0));
  const mine = within(live.pairs);
  return {
    differences: differencesOf(projection, mine, within(folded.pairs)),
    keys: mine.length,
    bytes: mine.reduce((sum, { key, value }) => sum + prefix.length + key.length + value.length, 0),
    next: end === undefined ? undefined : keyAfter(end),
  };
}

async function foldTail(tx: Transaction, store: Store, { live, keyspace }: LiveDirectory, build: Build): Promise<boolean> {
  const targets = targetsOf(keyspace, store.projections, build);
  return (await foldLog(tx, keyspace, targets, live.incarnation, build.checkpoint, TAIL_LIMITS)).tailReached;
}

/** Keys come without the prefix. */
async function readRange(
  tx: ReadTransaction,
  prefix: Buffer,
  from: Buffer,
): Promise<{ readonly pairs: readonly KeyValue[]; readonly cut: boolean }> {
  const bounds = boundsOf(prefix);
  const begin = from.length === 0 ? bounds.begin : Buffer.concat([prefix, from]);
  const found = await tx.getRange(begin, bounds.end, RANGE_LIMITS);
  const bytes = found.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
  return {
    pairs: found.map(({ key, value }) => ({ key: key.subarray(prefix.length), value })),
    cut: found.length >= RANGE_LIMITS.limit || bytes >= RANGE_LIMITS.targetBytes,
  };
}

function differencesOf(
  { name, version }: Projection,
  live: readonly KeyValue[],
  folded: readonly KeyValue[],
): readonly Difference[] {
  const differences: Difference[] = [];
  const differ = (key: Buffer, one: Buffer | undefined, other: Buffer | undefined) =>
    differences.push({ projection: name, version, key, live: one, folded: other });
  let [at, other] = [0, 0];
  while (at < live.length || other < folded.length) {
    const mine = live[at];
    const theirs = folded[other];
    const order = mine === undefined ? 1 : theirs === undefined ? -1 : mine.key.compare(theirs.key);
    if (order <= 0) at += 1;
    if (order >= 0) other += 1;
    if (order < 0 && mine !== undefined) differ(mine.key, mine.value, undefined);
    else if (order > 0 && theirs !== undefined) differ(theirs.key, undefined, theirs.value);
    else if (mine !== undefined && theirs !== undefined && !mine.value.equals(theirs.value))
      differ(mine.key, mine.value, theirs.value);
  }
  return differences;
}
