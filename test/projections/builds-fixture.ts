import { createExecutor, type CommandContext } from '../../src/commands/execute.js';
import { foundStore } from '../../src/commands/found-store.js';
import { repositoryStream, type EventPayload } from '../../src/events/types.js';
import type { ImagePath, Tag, Uid } from '../../src/identifiers.js';
import type { Database } from '../../src/keyvalue/database.js';
import { boundsOf, directoryPrefix } from '../../src/keyvalue/keyspace.js';
import type { SimulatedOptions, VirtualClock } from '../../src/keyvalue/simulated.js';
import { pack } from '../../src/keyvalue/tuple.js';
import type { BuildOptions, Progress } from '../../src/processes/build-run.js';
import { rebuild } from '../../src/processes/rebuild.js';
import { verify, type Verified } from '../../src/processes/verify.js';
import type { Build, Order } from '../../src/projections/builds.js';
import type { Difference } from '../../src/projections/compare.js';
import { history } from '../../src/projections/history.js';
import { encodeJson, type Projection } from '../../src/projections/projection.js';
import { repositories } from '../../src/projections/repositories.js';
import { createStore, type Store } from '../../src/projections/store.js';
import { tags } from '../../src/projections/tags.js';
import { identityOnly } from '../support/blobs-identity.js';
import { createIds, sha256Of } from '../commands/fixture.js';
import { newClock, newStore } from '../support/database.js';
import { compareWithFold } from '../support/fold.js';
import type { TestStore } from '../support/remote-store.js';

const prefixes = { registry: directoryPrefix('registry'), platform: directoryPrefix('topaz') };

/** The release whose stores are built anew, and the one after it: its tags are with who moved them. */
export const old: readonly Projection[] = [repositories, tags, history];
export const tagsV2: Projection = {
  ...tags,
  version: 2,
  previous: tags,
  apply: {
    ...tags.apply,
    TagMoved(event, view) {
      const { image, tag, digest } = event.payload;
      view.setWithPosition(['tag', image, tag], encodeJson({ digest, by: event.actor.kind }));
    },
    TagDeleted: (event, view) => view.clear(['tag', event.payload.image, event.payload.tag]),
  },
};
export const next: readonly Projection[] = [repositories, tagsV2, history];

const repository = '0190a000-0000-7000-8000-000000000003' as Uid;
const [image, kept] = ['app' as ImagePath, 'kept' as Tag];
const digests = ['one', 'two', 'three'].map((text) => sha256Of(text));

/** One process on the store, of the old release or of the next. */
export interface Process {
  readonly store: Store;
  readonly name: string;
  /** One command with so many moves and deletions of tags. */
  append(events: number): Promise<void>;
}

export interface World {
  readonly simulated: TestStore;
  readonly clock: VirtualClock;
  readonly newId: () => Uid;
  connect(name: string, projections?: readonly Projection[]): Process;
}

export async function openWorld(options: SimulatedOptions = {}): Promise<World> {
  const clock = newClock();
  const simulated = newStore({ seed: 1, clock, ...options });
  const newId = createIds();
  const work = worker(newId);
  await found(simulated.connect('founder'), newId);
  return { simulated, clock, newId, connect: (name, projections = next) => work(simulated.connect(name), name, projections) };
}

/** An empty store of the old release. */
export async function found(database: Database, newId: () => Uid): Promise<void> {
  const { keyspaces } = createStore(database, prefixes, old);
  await foundStore({ database, keyspaces, blobs: identityOnly(), projections: old, identity: newId(), salt: Buffer.alloc(32) });
}

/** What connects processes whose appends follow each other. */
export function worker(newId: () => Uid) {
  let moves = 0;
  const current = new Map<string, (typeof digests)[number]>();
  const nextEvent = (): EventPayload => {
    moves += 1;
    const tag = `tag-${(moves * 7) % 40}` as Tag;
    const previous = current.get(tag);
    if (previous !== undefined && moves % 5 === 0) {
      current.delete(tag);
      return { kind: 'TagDeleted', image, tag, digest: previous };
    }
    const digest = digests[moves % digests.length] ?? sha256Of(kept);
    current.set(tag, digest);
    return { kind: 'TagMoved', image, tag, digest, previous };
  };
  return (database: Database, name: string, projections: readonly Projection[]): Process => {
    const store = createStore(database, prefixes, projections);
    const executor = createExecutor(store);
    return {
      store,
      name,
      async append(events) {
        const requestId = newId();
        const context: CommandContext = {
          ...{ commandId: newId(), requestId, correlationId: requestId, newId },
          actor: { kind: 'system', authentication: 'none' },
          occurredAt: 1_767_225_600_000_000,
          judge: () => undefined,
          judgeManaging: () => undefined,
        };
        const made = Array.from({ length: events }, () => ({ stream: repositoryStream(repository), payload: nextEvent() }));
        await executor.execute<boolean>(context, () => Promise.resolve({ events: made, outcome: true }));
      },
    };
  };
}

export const toTagsV2: Order = { directory: 'registry', projections: [tagsV2], purpose: 'switch' };

export const builderOf = (name: string, release = 'next') => ({ owner: name, release });

export interface RunOptions extends Partial<Omit<BuildOptions, 'progress'>> {
  readonly progress?: (progress: Progress) => void;
}

function optionsOf(world: Pick<World, 'clock' | 'newId'>, { name }: Process): Omit<BuildOptions, 'order'> {
  return {
    builder: builderOf(name),
    newId: world.newId,
    limit: 20,
    progress: () => undefined,
    signal: new AbortController().signal,
    clock: world.clock,
  };
}

export function rebuildBy(world: World, process: Process, options: RunOptions = {}): Promise<Build> {
  return rebuild(process.store, { ...optionsOf(world, process), order: toTagsV2, ...options });
}

export async function verifyBy(
  world: World,
  process: Process,
  options: RunOptions = {},
): Promise<{ readonly verified: readonly Verified[]; readonly differences: readonly Difference[] }> {
  const differences: Difference[] = [];
  const names = process.store.projections.map(({ name }) => name);
  const told = { onDifference: (difference: Difference) => void differences.push(difference), shown: 10 };
  const verified = await verify(process.store, {
    ...optionsOf(world, process),
    ...options,
    ...told,
    directory: 'registry',
    names,
  });
  return { verified, differences };
}

/** What a store that is at rest may not have: indexes that are not the folded log, keys of builds that are not live, a fence, builds half made. */
export async function faultsOf({ store }: Process): Promise<readonly string[]> {
  const faults = [...(await compareWithFold(store, store.projections))];
  const { live, keyspace } = await store.database.read((tx) => store.readDirectory(tx, 'registry'));
  if (live.fence !== undefined) faults.push(`a fence of ${live.fence.build}`);
  const records = await store.database.read((tx) => tx.getRange(keyspace.builds.begin, keyspace.builds.end));
  for (const { value } of records) {
    const { state, replaced } = JSON.parse(value.toString()) as { readonly state: string; readonly replaced: readonly unknown[] };
    if (state !== 'live' || replaced.length > 0) faults.push(`a record of a build: ${value.toString()}`);
  }
  return faults;
}

export async function versionOfTags({ store }: Process): Promise<number | undefined> {
  const { live } = await store.database.read((tx) => store.readDirectory(tx, 'registry'));
  return live.projections.find(({ name }) => name === 'tags')?.version;
}

/** All keys of indexes, builds and meta/live with their values. */
export async function contentsOf({ simulated }: World): Promise<readonly string[]> {
  return (await simulated.contents()).map(({ key, value }) => `${key.toString('hex')} ${value.toString('hex')}`);
}

/** How many keys a build of tags has. */
export async function keysOf({ store }: Process, build: string): Promise<number> {
  const { begin, end } = boundsOf(pack(store.keyspaces.registry.directory, ['projection', 'tags', build]));
  return (await store.database.read((tx) => tx.getRange(begin, end))).length;
}
