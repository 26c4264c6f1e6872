import type { Uid } from '../identifiers.js';
import { createLog } from '../events/log.js';
import type { Builder, Order } from '../projections/builds.js';
import type { MigrationRecord } from '../projections/migration.js';
import type { DirectoryName } from '../projections/projection.js';
import { BuildStoppedError, type BuilderClock, type Progress } from './build-run.js';
import { compareAll, copyAll, type CopyProgress, type PageLimits } from './migrate-copy.js';
import {
  abandonTarget,
  claimTarget,
  clearTarget,
  describeMoved,
  directoriesToMove,
  fenceSource,
  findRecord,
  freeSource,
  isSamePlace,
  keyspaceOf,
  markMoved,
  MigrationError,
  openTarget,
  readSource,
  setUpTarget,
  type End,
  type SourceState,
} from './migration-ends.js';
import { rebuild } from './rebuild.js';
import { verifyTruth } from './verify-truth.js';
import { verify } from './verify.js';

export interface MigrateOptions {
  readonly builder: Builder;
  readonly newId: () => Uid;
  /** Ends it with a BuildStoppedError; the next call goes on where it stopped. */
  readonly signal: AbortSignal;
  /** Told all the time. `title`: what is under way. */
  readonly progress: (title: string, progress: CopyProgress | Progress | undefined) => void;
  /** Told when something is done: a line for people. */
  readonly done: (what: string) => void;
  readonly clock?: BuilderClock | undefined;
  /** Default: far from a transaction's limits. */
  readonly page?: PageLimits | undefined;
  /** Events of a transaction that replays at most. */
  readonly limit: number;
}

/**
 * Moves a store into another database: copies what its indexes are made from and what lies beside that, replays every index, verifies all of it, marks the source as
 * moved for ever, and only then lets servers start on the target. From its beginning on nobody reads or writes the source. A process that was killed at it is
 * gone on with by the next call; `abandonMigration` gives it up. Positions of the past keep their incarnation, the target begins a new one. Throws MigrationError,
 * BuildStoppedError, and what reading a damaged log throws.
 */
export async function migrate(source: End, target: End, options: MigrateOptions): Promise<void> {
  const state = await readSource(source);
  checkMark(state, target);
  const wanted: MigrationRecord = {
    migration: state.marks.registry?.migration ?? options.newId(),
    ...{ from: source.place, to: target.place, identity: state.identity, state: 'copying', owner: options.builder.owner },
    ...{ directories: directoriesToMove(state, target.place), checkpoint: undefined, pairs: 0, bytes: 0 },
  };
  const mark = state.marks.registry;
  if (mark?.state === 'moved') {
    // Killed between the two ends' last transactions.
    if ((await findRecord(target))?.migration !== mark.migration) throw new MigrationError(describeMoved(mark));
    await openTarget(target, await claimTarget(target, wanted, true));
    return;
  }
  const claimed = await claimTarget(target, wanted, mark !== undefined);
  await fenceSource(source, claimed);
  await setUpTarget(source, target, claimed);
  const copied = await copy(source, target, claimed, options);
  for (const directory of copied.directories) await replay(target, directory, options);
  await compare(source, target, copied, options);
  for (const directory of copied.directories) await verifyDirectory(target, directory, options);
  await awaitTime(source, target, options);
  await markMoved(source, copied);
  await openTarget(target, copied);
}

/** Whether a migration that is under way is this one. */
function checkMark({ marks: { registry } }: SourceState, target: End): void {
  if (registry === undefined || isSamePlace(registry.to, target.place)) return;
  if (registry.state === 'moved') throw new MigrationError(describeMoved(registry));
  const { database, directories } = registry.to;
  throw new MigrationError(
    `this store is being moved to ${database}, directories ${directories.registry} and ${directories.platform}; go on with that, or give it up with "artifact-store migrate --abandon"`,
  );
}

async function copy(source: End, target: End, claimed: MigrationRecord, options: MigrateOptions): Promise<MigrationRecord> {
  const begun = performance.now();
  const record = await copyAll(source, target, claimed, {
    ...options,
    progress: (state) => options.progress(`copying ${state.kind} of ${state.directory}`, state),
  });
  const seconds = (performance.now() - begun) / 1_000;
  const events = await countEvents(target, record);
  const before = claimed.pairs > 0 ? ` (${claimed.pairs} of them by an earlier process)` : '';
  const speed = perSecond(record.bytes - claimed.bytes, seconds);
  options.done(
    `copied: ${events} events, ${record.pairs} keys${before}, ${megabytes(record.bytes)} MB in ${seconds.toFixed(1)} s, ${speed}`,
  );
  return record;
}

async function countEvents(target: End, { directories }: MigrationRecord): Promise<number> {
  const counts = await target.database.read((tx) =>
    Promise.all(directories.map((name) => createLog(keyspaceOf(target, name)).count(tx))),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The inline indexes of a directory in one pass, each async one by itself; what an earlier process has built is not built again. */
async function replay(target: End, directory: DirectoryName, options: MigrateOptions): Promise<void> {
  const { store } = target;
  const { builds } = await store.database.read((tx) => store.readDirectory(tx, directory));
  const missing = store.projections.filter((one) => one.directory === directory && !builds.has(one.name));
  const inline = missing.filter(({ mode }) => mode === 'inline');
  const groups = [inline, ...missing.filter(({ mode }) => mode === 'async').map((one) => [one])];
  for (const projections of groups.filter((group) => group.length > 0)) {
    const order: Order = { directory, projections, purpose: 'switch', force: true };
    const begun = performance.now();
    let resumedAt = 0;
    const build = await rebuild(store, {
      ...options,
      order,
      progress: (state) => {
        ({ resumedAt } = state);
        options.progress(`replaying ${directory}`, state);
      },
    });
    const seconds = (performance.now() - begun) / 1_000;
    const names = projections.map(({ name, version }) => `${name} v${version}`).join(', ');
    const rate = Math.round((build.events - resumedAt) / seconds);
    options.done(`replayed ${names}: ${build.events} events in ${seconds.toFixed(1)} s, ${rate} a second`);
  }
}

async function compare(source: End, target: End, record: MigrationRecord, options: MigrateOptions): Promise<void> {
  const begun = performance.now();
  const { pairs, bytes } = await compareAll(source, target, record, {
    ...options,
    progress: (state) => options.progress(`comparing ${state.kind} of ${state.directory}`, state),
  });
  const seconds = (performance.now() - begun) / 1_000;
  options.done(`compared: ${pairs} keys, ${megabytes(bytes)} MB equal their source byte for byte, ${perSecond(bytes, seconds)}`);
}

/** The existing verify, of the log and of every index. */
async function verifyDirectory(target: End, directory: DirectoryName, options: MigrateOptions): Promise<void> {
  const { store } = target;
  const { signal, builder, newId, limit, clock } = options;
  options.progress(`verifying the log of ${directory}`, undefined);
  const damages: string[] = [];
  const truth = await verifyTruth(store, directory, { signal, onDamage: (what) => void damages.push(what) });
  if (signal.aborted) throw new BuildStoppedError('stopped');
  refuseDamage(directory, damages);
  options.done(`verified the log of ${directory}: ${truth.events} events and ${truth.contents} manifests and configs, 0 damaged`);
  const names = store.projections.filter((one) => one.directory === directory).map(({ name }) => name);
  // An async one is compared by itself: each comparison is exact for one checkpoint.
  const isAsync = (name: string): boolean => store.projections.some((one) => one.name === name && one.mode === 'async');
  const groups = [names.filter((name) => !isAsync(name)), ...names.filter(isAsync).map((name) => [name])];
  for (const group of groups.filter((one) => one.length > 0)) {
    const progress = (state: Progress): void => options.progress(`verifying the indexes of ${directory}`, state);
    const told = { onDifference: () => undefined, shown: 0, progress };
    const verified = await verify(store, { ...{ builder, newId, limit, signal, clock, directory }, names: group, ...told });
    const different = verified.filter(({ differences }) => differences > 0);
    refuseDamage(
      directory,
      different.map(({ name, differences }) => `${differences} keys of the index ${name} differ from the fold of the log`),
    );
    const keys = verified.reduce((sum, one) => sum + one.keys, 0);
    options.done(`verified ${group.join(', ')}: equal the folded log; ${keys} keys`);
  }
}

function refuseDamage(directory: DirectoryName, damages: readonly string[]): void {
  const [first, ...more] = damages;
  if (first === undefined) return;
  const others = more.length === 0 ? '' : `, and ${more.length} more like it`;
  throw new MigrationError(
    `the ${directory} directory is damaged: ${first}${others}; "artifact-store migrate --abandon" makes the source usable again, "artifact-store projections verify --all" says whether it is damaged itself`,
  );
}

/** A database that is told the time by another clock may be behind; events that come after must not be earlier. */
const LONGEST_WAIT_MICROS = 60_000_000n;
const WAIT_MS = 100;

async function awaitTime(source: End, target: End, { signal, progress, clock }: MigrateOptions): Promise<void> {
  const reached = await source.database.read((tx) => tx.time());
  for (;;) {
    // Where time is told by samples, the first of an incarnation keeps it.
    if (!target.database.quietVersions) return;
    const behind = reached - (await target.database.read((tx) => tx.time()));
    if (behind < 0n) return;
    if (behind > LONGEST_WAIT_MICROS) {
      const seconds = behind / 1_000_000n;
      throw new MigrationError(
        `the source's time is ${seconds} s ahead of this host's clock, and what happens on the target would seem earlier than what has happened; go on with the migration in ${seconds} s`,
      );
    }
    if (signal.aborted) throw new BuildStoppedError('stopped');
    progress(`waiting for the source's time, ${behind / 1_000_000n} s`, undefined);
    await (clock?.sleep(WAIT_MS) ?? new Promise((resolve) => setTimeout(resolve, WAIT_MS)));
  }
}

/** What giving a migration up has done. */
export interface Abandoned {
  /** The source was marked, and is usable again. */
  readonly freed: boolean;
  /** How many transactions it took to clear the target; undefined where there was nothing to clear. */
  readonly cleared: number | undefined;
}

/**
 * Gives a migration up that has not been brought to its end: the source is usable again, and what is in the target is cleared. Without a target (it is lost, or nobody
 * can reach it) only the source is freed; where the target has what an earlier migration of the store left there, only that is cleared. Throws MigrationError where
 * the store was moved.
 */
export async function abandonMigration(
  source: End,
  target: End | undefined,
  onCleared: (steps: number) => void = () => undefined,
): Promise<Abandoned> {
  const { identity, marks } = await readSource(source);
  const mark = marks.registry;
  const found = target && (await findRecord(target));
  const left = found?.identity === identity ? found.migration : undefined;
  // Of an earlier migration, given up while this target was away: it says nothing of the one that the mark is of.
  const isOther = left !== undefined && left !== mark?.migration;
  const abandon = async () => (target === undefined || left === undefined ? undefined : abandonTarget(target, left));
  // Before the source is freed where the target may be opened by anybody who goes on; else after, so that it is free even where the target is lost.
  if (mark?.state === 'moved' && !isOther && (await abandon()) === undefined) throw new MigrationError(describeMoved(mark));
  const freed = mark !== undefined && !isOther && (await freeSource(source, mark));
  const record = await abandon();
  if (target === undefined || record === undefined) return { freed, cleared: undefined };
  let steps = 1;
  for (; await clearTarget(target, record); steps += 1) onCleared(steps);
  return { freed, cleared: steps };
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

function perSecond(bytes: number, seconds: number): string {
  return `${seconds > 0 ? (bytes / 1e6 / seconds).toFixed(1) : '-'} MB a second`;
}
