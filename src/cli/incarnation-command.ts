import type { Config } from '../config.js';
import { formatPosition } from '../events/position.js';
import { openRegistry } from '../open-registry.js';
import { raiseIncarnations, readIncarnations, whyToRaise, type IncarnationState } from '../processes/incarnation.js';
import type { Store } from '../projections/store.js';
import { misused, told } from './complaints.js';

const usage = `usage: artifact-store incarnation [show]
       artifact-store incarnation raise [--force]

  show    the incarnation of the log of each directory, and whether it needs a new one: its database is another cluster than the log's, or has versions
          that are behind it; exit status 1 when one does
  raise   begins a new incarnation where it is needed, as after a restore from a backup into another cluster: what happens from then on comes
          after all that was restored
          --force   in both directories, though nothing needs it
`;

/** `artifact-store incarnation [show|raise]`: straight on the store. Exit status. */
export async function manageIncarnation(config: Config, args: readonly string[]): Promise<number> {
  const [verb = 'show', ...flags] = args;
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage);
    return 0;
  }
  const force = flags[0] === '--force';
  if ((verb !== 'show' && verb !== 'raise') || flags.length > (force && verb === 'raise' ? 1 : 0)) {
    return misused(`incarnation ${args.join(' ')} is not understood`, usage);
  }
  const registry = await openRegistry(config, false, { evenRestored: true });
  try {
    return verb === 'show' ? await show(registry.store, config) : await raise(registry.store, config, force);
  } finally {
    await registry.close();
  }
}

async function show(store: Store, config: Config): Promise<number> {
  const states = await readIncarnations(store);
  for (const state of states) {
    const { directory, incarnation, newest, readVersion } = state;
    const last = newest === undefined ? 'no event yet' : `newest event ${formatPosition(newest)}`;
    const why = whyToRaise(state);
    const versions =
      why === undefined
        ? `the database is at version ${readVersion}, not behind it`
        : `${why}: run artifact-store incarnation raise`;
    process.stdout.write(`${named(config, directory)}: incarnation ${incarnation}, ${last}; ${versions}\n`);
  }
  return states.some((state) => whyToRaise(state) !== undefined) ? 1 : 0;
}

async function raise(store: Store, config: Config, force: boolean): Promise<number> {
  const raised = await raiseIncarnations(store, force);
  if (raised.length === 0) {
    return told(
      'nothing was raised: the log was written on this cluster, whose versions are not behind it; --force begins a new incarnation all the same',
      1,
    );
  }
  for (const { directory, from, to } of raised)
    process.stdout.write(`${named(config, directory)}: incarnation raised from ${from} to ${to}\n`);
  return 0;
}

function named({ directory, metadataDirectory }: Config, name: IncarnationState['directory']): string {
  return `${name} (${name === 'registry' ? directory : metadataDirectory})`;
}
