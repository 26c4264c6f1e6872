import { EVENT_GENERATION } from '../events/codec.js';
import { BuildLostError, raiseEvents, type Order } from '../projections/builds.js';
import type { DirectoryName, Projection } from '../projections/projection.js';
import type { Store } from '../projections/store.js';
import { BuildStoppedError, type BuildOptions, type Progress } from './build-run.js';
import { listServers } from './heartbeat.js';
import { clearAll, rebuild } from './rebuild.js';

export interface UpgradeOptions extends Omit<BuildOptions, 'order' | 'progress' | 'rate'> {
  readonly progress: (projections: readonly Projection[], progress: Progress) => void;
  /** Told once for each build when it is live. */
  readonly done: (projections: readonly Projection[], events: number) => void;
}

/**
 * Builds what this release has in a newer version than the store, or for the first time, and switches to it when every server knows it; one after another, the
 * inline ones of a directory in one pass. Nothing to do is the rule. What another process does meanwhile is waited for, and not done again.
 */
export async function upgrade(store: Store, options: UpgradeOptions): Promise<void> {
  for (const directory of ['registry', 'platform'] as const) {
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
    await raiseWhenAllRead(store, directory);
    await clearAll(store, directory, options.signal);
  }
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

async function raiseWhenAllRead(store: Store, directory: DirectoryName): Promise<void> {
  const { live, servers } = await store.database.read(async (tx) => ({
    live: (await store.readDirectory(tx, directory)).live,
    servers: await listServers(tx, store, directory),
  }));
  if (live.events >= EVENT_GENERATION || servers.some(({ events }) => events < EVENT_GENERATION)) return;
  await raiseEvents(store, directory, EVENT_GENERATION);
}
