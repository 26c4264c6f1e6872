import * as fc from 'fast-check';

import { createExecutor } from '../../src/commands/execute.js';
import { foundStore } from '../../src/commands/found-store.js';
import type { Digest } from '../../src/digest.js';
import { createLog } from '../../src/events/log.js';
import {
  projectStream,
  repositoryStream,
  type Actor,
  type EventPayload,
  type RecordedEvent,
  type Stream,
} from '../../src/events/types.js';
import type { ImagePath, ProjectId, RepositoryId, Tag, Uid } from '../../src/identifiers.js';
import { directoryPrefix } from '../../src/keyvalue/keyspace.js';
import type { VirtualClock } from '../../src/keyvalue/simulated.js';
import { history } from '../../src/projections/history.js';
import { writeLive } from '../../src/projections/live.js';
import { platformHistory } from '../../src/projections/platform-history.js';
import type { Projection } from '../../src/projections/projection.js';
import { projects } from '../../src/projections/projects.js';
import { repositories } from '../../src/projections/repositories.js';
import { createStore, type Store } from '../../src/projections/store.js';
import { identityOnly } from '../support/blobs-identity.js';
import { createIds, sha256Of, sha512Of } from '../commands/fixture.js';
import { newClock, newStore } from '../support/database.js';

/** A store with the history and as little else as it can have, where events are appended as they come, whether or not a command would. */
export interface HistoryStore {
  readonly store: Store;
  readonly clock: VirtualClock;
  /** Of one transaction, by one actor. */
  append(actor: Actor, events: readonly { readonly stream: Stream; readonly payload: EventPayload }[]): Promise<void>;
  /** As after a restore from a backup. */
  raiseIncarnation(): Promise<void>;
  /** The registry's log and the platform's in the order of positions; of two at one, the platform's first. */
  log(): Promise<readonly RecordedEvent[]>;
}

const newId = createIds(1_000_000);
const prefixes = { registry: directoryPrefix('registry'), platform: directoryPrefix('topaz') };

export async function openHistory(
  projections: readonly Projection[] = [repositories, history, projects, platformHistory],
): Promise<HistoryStore> {
  const clock = newClock();
  const database = newStore({ seed: 1, clock }).connect();
  const store = createStore(database, prefixes, projections);
  const { keyspaces } = store;
  await foundStore({ database, keyspaces, blobs: identityOnly(), projections, identity: newId(), salt: Buffer.alloc(32) });
  const executor = createExecutor(store);
  return {
    store,
    clock,
    async append(actor, events) {
      const requestId = newId();
      const context = {
        ...{ commandId: newId(), requestId, correlationId: requestId, newId, actor },
        occurredAt: 1_767_225_600_000_000,
        judge: () => undefined,
        judgeManaging: () => undefined,
      };
      await executor.execute<boolean>(context, () => Promise.resolve({ events, outcome: true }));
    },
    async raiseIncarnation() {
      await store.transact(({ tx, registry, platform }) => {
        for (const { keyspace, live } of [registry, platform]) {
          writeLive(tx, keyspace, { ...live, incarnation: live.incarnation + 1 });
        }
        return Promise.resolve();
      });
    },
    log: () =>
      store.read(async ({ tx, registry, platform }) => {
        const all: RecordedEvent[] = [];
        for (const { keyspace, live } of [platform, registry]) {
          const limits = { limit: 1_000_000, targetBytes: 1e9 };
          all.push(...(await createLog(keyspace).readFrom(tx, live.incarnation, undefined, limits)).events);
        }
        const place = ({ position }: RecordedEvent): string =>
          `${String(position.incarnation).padStart(9, '0')} ${position.stamp.toString('hex')}`;
        return all.sort((left, right) => (place(left) < place(right) ? -1 : place(left) > place(right) ? 1 : 0));
      }),
  };
}

// A small world, so that everything meets.
const uid = (last: string): Uid => `0190a000-0000-7000-8000-00000000000${last}` as Uid;
export const world = {
  projects: [uid('1'), uid('2')] as const,
  repositories: [uid('3'), uid('4')] as const,
  actors: [
    { kind: 'user', uid: uid('5'), authentication: 'password' },
    { kind: 'service-account', uid: uid('6'), authentication: 'key' },
    { kind: 'user', uid: uid('7'), authentication: 'token' },
    { kind: 'system', authentication: 'none' },
    { kind: 'anonymous', authentication: 'none' },
  ] as const satisfies readonly Actor[],
  images: ['', 'a', 'a/b'] as unknown as readonly ImagePath[],
  tags: ['latest', 'v1', 'v1.0'] as unknown as readonly Tag[],
  // One has the bytes that a tuple escapes, and ends in one.
  digests: [sha256Of('1'), `sha256:${'00ff'.repeat(15)}0000` as Digest, sha512Of('3')] as readonly Digest[],
  ids: ['web', 'api'] as unknown as readonly RepositoryId[],
};

const one = <T>(from: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...from);
const digest = one(world.digests);
const place = { image: one(world.images), digest };
const size = fc.constant(7);
const named = { project: one(world.projects), id: one(world.ids) };
const projectId = fc.constant('shop' as ProjectId);

const inRepository: fc.Arbitrary<EventPayload> = fc.oneof(
  fc.record({
    ...named,
    kind: fc.constant('RepositoryCreated' as const),
    projectId,
    origin: fc.constant('push' as const),
    scanning: fc.boolean(),
  }),
  fc.record({ ...named, projectId, kind: fc.constant('RepositoryDeletionBegun' as const) }),
  fc.record({ ...named, projectId, kind: fc.constant('RepositoryDeleted' as const) }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('BlobPushed' as const), digest, size }) },
  fc.record({ kind: fc.constant('BlobMounted' as const), digest, size, fromRepository: one(world.repositories) }),
  fc.record({ kind: fc.constant('BlobUnlinked' as const), digest }),
  {
    weight: 3,
    arbitrary: fc.record({
      ...place,
      kind: fc.constant('ManifestPushed' as const),
      size,
      mediaType: fc.constant('application/vnd.oci.image.manifest.v1+json'),
      ...{ artifactType: fc.constant(undefined), subject: fc.constant(undefined), config: fc.constant(undefined) },
      layersSize: size,
    }),
  },
  { weight: 2, arbitrary: fc.record({ ...place, kind: fc.constant('ManifestDeleted' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      ...place,
      kind: fc.constant('TagMoved' as const),
      tag: one(world.tags),
      previous: fc.option(digest, { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ ...place, kind: fc.constant('TagDeleted' as const), tag: one(world.tags) }) },
);

const roleGranted = fc.record({
  kind: fc.constant('RoleGranted' as const),
  principal: fc.constant({ kind: 'all-users' as const }),
  role: fc.constant('viewer' as const),
});

export const event: fc.Arbitrary<{ readonly stream: Stream; readonly payload: EventPayload }> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ stream: one(world.repositories.map(repositoryStream)), payload: inRepository }) },
  fc.record({ stream: one(world.repositories.map(repositoryStream)), payload: roleGranted }),
  fc.record({ stream: one(world.projects.map(projectStream)), payload: roleGranted }),
  fc.record({
    stream: fc.constant(`blob/${world.digests[0] ?? ''}` as Stream),
    payload: fc.record({
      kind: fc.constant('BlobStored' as const),
      digest: fc.constant(sha256Of('1')),
      size,
      generation: fc.constant(uid('9')),
    }),
  }),
);

/** Transactions, in order; `undefined`: the incarnation is raised. */
export const commits = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ actor: one<Actor>(world.actors), events: fc.array(event, { minLength: 1, maxLength: 4 }) }),
    },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
  { minLength: 1, maxLength: 40 },
);

export type Commit = typeof commits extends fc.Arbitrary<(infer C)[]> ? C : never;

export async function play(at: HistoryStore, commit: Commit): Promise<void> {
  // Half of the commits share a millisecond with the one before.
  at.clock.advance(0.5);
  if (commit === undefined) await at.raiseIncarnation();
  else await at.append(commit.actor, commit.events);
}
