import { BuildLostError, type Order } from '../projections/builds.js';
import { directoryNames, type DirectoryName, type Projection } from '../projections/projection.js';
import type { Store } from '../projections/store.js';
import { raiseEvents } from '../projections/switch-build.js';
import { BuildStoppedError, type BuildOptions, type Progress } from './build-run.js';
import { clearAll, rebuild } from './rebuild.js';

export interface UpgradeOptions extends Omit<BuildOptions, 'order' | 'progress' | 'rate'> {
  readonly progress: (projections: readonly Projection[], progress: Progress) => void;
  /** Told once for each build when it is live. */
  readonly done: (projections: readonly Projection[], events: number) => void;
}

/**
 * Builds what this release has in a newer version than the store, or for the first time, and switches to it when every server knows it; one after another, the
 * inline ones of a directory in one pass. Nothing to do is the rule. What another process does meanwhile is waited for, and not done again. A directory that
 * can't be built does not keep the other from it: the first error is thrown at the end.
 */
export async function upgrade(store: Store, options: UpgradeOptions): Promise<void> {
  const outcomes = await Promise.allSettled(directoryNames.map((directory) => upgradeDirectory(store, directory, options)));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

async function upgradeDirectory(store: Store, directory: DirectoryName, options: UpgradeOptions): Promise<void> {
  for (let order = await nextOrder(store, directory); order !== undefined; order = await nextOrder(store, directory)) {
    const { projections } = order;
    try {
      const progress = (state: Progress): void => options.progress(projections, state);
      const { events } = await rebuild(store, { ...options, order, progress });
      options.done(projections, events);
    } catch (error) {
      if (error instanceof BuildStoppedError) return;
      // Whoever took it over goes on with it; then there is nothing left to do.
      if (!(error instanceof BuildLostError)) throw error;
    }
  }
  const { live } = await store.database.read((tx) => store.readDirectory(tx, directory));
  // Servers of release 0.1.0, the first generation's, do not say that they run; a platform may have those of another registry. A switch raises it.
  if (live.events > 1) await raiseEvents(store, directory);
  await clearAll(store, directory, options.signal);
}

/** The inline projections together, an async one by itself: its build has a checkpoint of its own. */
async function nextOrder(store: Store, directory: DirectoryName): Promise<Order | undefined> {
  const { live } = await store.database.read((tx) => store.readDirectory(tx, directory));
  const outdated = store.projections.filter(
    (projection) =>
      projection.directory === directory &&
      !live.projections.some(({ name, version }) => name === projection.name && version >= projection.version),
  );
  const inline = outdated.filter(({ mode }) => mode === 'inline');
  const projections = inline.length > 0 ? inline : outdated.slice(0, 1);
  return projections.length === 0 ? undefined : { directory, projections, purpose: 'switch' };
}
