import { describe, expect, test } from 'vitest';

import { eraseContent } from '../../src/commands/erase-content.js';
import { isRefusal } from '../../src/commands/execute.js';
import { forgetUser } from '../../src/commands/forget-user.js';
import { createOrganization, deleteOrganization, describeOrganization } from '../../src/commands/organization.js';
import { createProject, deleteProject, describeProject } from '../../src/commands/project.js';
import { changeRepositorySettings } from '../../src/commands/repository.js';
import type { Resource } from '../../src/commands/owned-resource.js';
import { grantRole, revokeRole } from '../../src/commands/role.js';
import {
  addServiceAccountKey,
  createServiceAccount,
  deleteServiceAccount,
  revokeServiceAccountKey,
} from '../../src/commands/service-account.js';
import { createUser, setUserDisabled } from '../../src/commands/user.js';
import type { Digest } from '../../src/digest.js';
import { createLog } from '../../src/events/log.js';
import type { AccountId, EventKind, OrganizationId, Principal } from '../../src/events/types.js';
import { eventKinds } from '../../src/events/words.js';
import type { ProjectId, Uid } from '../../src/identifiers.js';
import { boundsOf } from '../../src/keyvalue/keyspace.js';
import { verify } from '../../src/processes/verify.js';
import { foldLog } from '../../src/projections/replay.js';
import { directoryNames, type DirectoryName } from '../../src/projections/projection.js';
import { registered } from '../../src/projections/registered.js';
import {
  accepted,
  create,
  nameOf,
  pushImage,
  putManifest,
  removeManifest,
  removeRepository,
  simulate,
  type Simulation,
  type TestManifest,
} from '../commands/fixture.js';
import { pick, randomFrom, weighted, type Random } from '../simulation/random.js';
import { compareWithFold } from '../support/fold.js';

// The indexes of who may do what, of settings and of what was erased: those that commands left behind are what the log gives, however it is folded.

const organizations = ['default', 'acme'] as OrganizationId[];
const projects = ['shop', 'team'] as ProjectId[];
const accounts = ['ci', 'cd'] as AccountId[];
const names = ['shop/web', 'team/app'];
const texts = ['one', 'two', 'three'];

/** What was made so far, so that later commands meet it. */
interface Known {
  readonly users: { readonly uid: Uid; readonly nameHash: string }[];
  readonly accounts: Uid[];
  readonly keys: Uid[];
  readonly images: TestManifest[];
}

/** One command by the owner; what it refuses changes nothing, which is as good. */
async function act(random: Random, at: Simulation, known: Known, number: number): Promise<boolean> {
  const { executor, newId } = at;
  const context = at.context();
  const [organization, project, id] = [pick(random, organizations), pick(random, projects), pick(random, accounts)];
  const name = pick(random, names);
  const about = { displayName: pick(random, ['', 'One', 'Two']), description: pick(random, ['', 'for us', 'for all']) };
  const owner: Principal = { kind: 'user', uid: at.owner.uid ?? newId() };
  const user = pick(random, [...known.users, { uid: newId(), nameHash: '1'.repeat(64) }]);
  const account = pick(random, [...known.accounts, newId()]);
  // Not the owner, who is to go on.
  const principal = pick<Principal>(random, [
    { kind: 'all-users' },
    { kind: 'all-authenticated-users' },
    { kind: 'user', uid: user.uid },
    { kind: 'service-account', uid: account },
  ]);
  const on = pick<Resource>(random, [
    { kind: 'organization', id: organization },
    { kind: 'project', id: project },
    { kind: 'repository', name: nameOf(name) },
  ]);
  const role = pick(random, ['viewer', 'editor', 'owner'] as const);
  const text = pick(random, texts);
  const image = known.images.length === 0 ? undefined : pick(random, known.images);
  const made = async (uid: Uid, list: Uid[], outcome: Promise<unknown>) => {
    const told = await outcome;
    if (!isRefusal(told)) list.push(uid);
    return told;
  };
  const run = weighted<() => Promise<unknown>>(random, [
    [
      3,
      () =>
        createOrganization(executor, context, {
          kind: 'CreateOrganization',
          organization: newId(),
          id: organization,
          about,
          owner,
          named: 'the owner',
        }),
    ],
    [2, () => describeOrganization(executor, context, { kind: 'DescribeOrganization', id: organization, change: about })],
    [2, () => deleteOrganization(executor, context, { kind: 'DeleteOrganization', id: organization })],
    [4, () => createProject(executor, context, { kind: 'CreateProject', project: newId(), id: project, organization, about })],
    [2, () => describeProject(executor, context, { kind: 'DescribeProject', id: project, change: about })],
    [2, () => deleteProject(executor, () => at.context(), { kind: 'DeleteProject', id: project })],
    [4, () => create(at, name, 'command')],
    [2, () => removeRepository(at, name)],
    [
      3,
      () =>
        changeRepositorySettings(executor, context, {
          kind: 'ChangeRepositorySettings',
          name: nameOf(name),
          change: { ...about, scanning: random() < 0.5, immutableTagExemptions: pick(random, [[], ['latest']]) },
        }),
    ],
    [
      3,
      async () => {
        const person = { uid: newId(), nameHash: (number + 1).toString(16).padStart(64, '0') };
        const command = { kind: 'CreateUser', user: person.uid, loginName: `user ${number}`, passwordHash: 'none' } as const;
        const told = await createUser(executor, context, { ...command, nameHash: person.nameHash });
        if (!isRefusal(told)) known.users.push(person);
        return told;
      },
    ],
    [3, () => setUserDisabled(executor, context, { kind: 'SetUserDisabled', user: user.uid, disabled: random() < 0.6 })],
    [1, () => forgetUser(executor, context, { kind: 'ForgetUser', user: user.uid, nameHash: user.nameHash, erasure: newId() })],
    [
      4,
      () => {
        const uid = newId();
        const command = { kind: 'CreateServiceAccount', project, account: uid, id, displayName: '' } as const;
        return made(uid, known.accounts, createServiceAccount(executor, context, command));
      },
    ],
    [1, () => deleteServiceAccount(executor, () => at.context(), { kind: 'DeleteServiceAccount', project, id })],
    [
      5,
      () => {
        const key = newId();
        const expiresAt = random() < 0.5 ? undefined : 1_800_000_000_000_000;
        const command = { kind: 'AddServiceAccountKey', project, id, key, publicKey: 'ab'.repeat(32), expiresAt } as const;
        return made(key, known.keys, addServiceAccountKey(executor, context, command));
      },
    ],
    [
      3,
      () =>
        revokeServiceAccountKey(executor, context, {
          kind: 'RevokeServiceAccountKey',
          project,
          id,
          key: pick(random, [...known.keys, newId()]),
        }),
    ],
    [14, () => grantRole(executor, context, { kind: 'GrantRole', on, principal, named: 'somebody', role })],
    [6, () => revokeRole(executor, context, { kind: 'RevokeRole', on, principal, named: 'somebody' })],
    [
      6,
      async () => {
        const pushed = await pushImage(at, name, text, ['latest']);
        known.images.push(pushed);
        return pushed;
      },
    ],
    [3, () => Promise.resolve(image && putManifest(at, name, image, ['again']))],
    [3, () => Promise.resolve(image && removeManifest(at, name, image.digest))],
    [0.5, () => Promise.resolve(image && erase(at, image.digest))],
  ]);
  try {
    const told = await run();
    return told !== undefined && !isRefusal(told);
  } catch (error) {
    // What the fixture does in several steps, and one of them was refused.
    if (error instanceof Error && error.message.startsWith('refused: ')) return false;
    throw error;
  }
}

function erase(at: Simulation, digest: Digest) {
  return eraseContent(at.executor, () => at.context(), { kind: 'EraseContent', digest, erasure: at.newId() });
}

/** The release's own verification of one directory: a line for each difference. */
async function verifyAll({ store, newId, simulated }: Simulation, directory: DirectoryName): Promise<readonly string[]> {
  const differences: string[] = [];
  const own = registered.filter((projection) => projection.directory === directory).map(({ name }) => name);
  const verified = await verify(store, {
    directory,
    names: own,
    builder: { owner: 'verifier', release: 'this' },
    newId,
    limit: 50,
    progress: () => undefined,
    signal: new AbortController().signal,
    clock: simulated.clock,
    onDifference: (difference) => void differences.push(JSON.stringify(difference)),
    shown: 10,
  });
  expect(verified.map(({ name }) => name)).toEqual(own);
  return differences;
}

/** All keys and values of an index, those that the commands left behind or those of another build. */
async function pairsOf({ store }: Simulation, directory: DirectoryName, name: string, build: string): Promise<readonly string[]> {
  const prefix = store.keyspaces[directory].projection(name, build);
  const { begin, end } = boundsOf(prefix);
  const pairs = await store.database.read((tx) => tx.getRange(begin, end, { targetBytes: 10_000_000 }));
  return pairs.map(({ key, value }) => `${key.toString('hex', prefix.length)}=${value.toString('hex')}`);
}

/** Folds a directory's log by `limit` events a transaction into builds of the name `folded`. */
async function fold({ store }: Simulation, directory: DirectoryName, limit: number): Promise<void> {
  const keyspace = store.keyspaces[directory];
  const own = registered.filter((projection) => projection.directory === directory);
  const targets = new Map(own.map((projection) => [projection, keyspace.projection(projection.name, 'folded')]));
  for (let checkpoint: Awaited<ReturnType<typeof foldLog>>['checkpoint']; ;) {
    const after = checkpoint;
    const folded = await store.database.transact((tx) => foldLog(tx, keyspace, targets, 1, after, { limit }));
    if (folded.tailReached) return;
    checkpoint = folded.checkpoint;
  }
}

async function expectFolded(at: Simulation): Promise<void> {
  expect(await compareWithFold(at.store)).toEqual([]);
  for (const directory of directoryNames) expect(await verifyAll(at, directory)).toEqual([]);
}

const seeds = [1, 2, 3, 4, 5, 6];
const seen = new Set<EventKind>();

async function run(seed: number, steps: number): Promise<Simulation> {
  const at = await simulate({ seed });
  const random = randomFrom(seed);
  const known: Known = { users: [], accounts: [], keys: [], images: [] };
  let done = 0;
  for (let step = 0; step < steps; step += 1) if (await act(random, at, known, step)) done += 1;
  expect(done).toBeGreaterThan(steps / 5);
  return at;
}

describe('whatever is managed', () => {
  test.each(seeds)('leaves the indexes that its log folds to (%i)', async (seed) => {
    const at = await run(seed, 250);
    await expectFolded(at);
    for (const directory of directoryNames) {
      await fold(at, directory, [1, 7, 1_000][seed % 3] ?? 1);
      const { builds } = await at.store.database.read((tx) => at.store.readDirectory(tx, directory));
      for (const { projection, build } of builds.values()) {
        const live = await pairsOf(at, directory, projection.name, build);
        expect(await pairsOf(at, directory, projection.name, 'folded'), projection.name).toEqual(live);
      }
      const log = createLog(at.store.keyspaces[directory]);
      const limits = { limit: 1_000_000, targetBytes: 1e9 };
      const { events } = await at.store.database.read((tx) => log.readFrom(tx, 1, undefined, limits));
      for (const { payload } of events) seen.add(payload.kind);
    }
  });

  test('was all of it', () => {
    // Of the password nothing is in an index, and mounts are not managed.
    const others: readonly EventKind[] = ['UserPasswordChanged', 'BlobMounted', 'TagDeleted'];
    expect(eventKinds.filter((kind) => !seen.has(kind) && !others.includes(kind))).toEqual([]);
  });
});

describe('what an erased manifest held', () => {
  const twice = async () => {
    const at = await simulate();
    for (const name of names) await create(at, name);
    const image = await pushImage(at, 'shop/web', 'one', ['latest']);
    await pushImage(at, 'team/app', 'one', ['latest']);
    return { at, image };
  };

  test('is held as before', async () => {
    const { at, image } = await twice();
    const layer = image.document.layers[0]?.digest ?? image.digest;
    accepted(await erase(at, image.digest));
    await expectFolded(at);
    expect(await putManifest(at, 'shop/web', image)).toMatchObject({ refused: 'CONTENT_ERASED' });
    accepted(await erase(at, layer));
    await expectFolded(at);
  });

  test('is given free where it is deleted afterwards', async () => {
    const { at, image } = await twice();
    accepted(await erase(at, image.digest));
    accepted(await removeManifest(at, 'shop/web', image.digest));
    await expectFolded(at);
    accepted(await removeRepository(at, 'team/app'));
    await expectFolded(at);
  });

  test('was given free where it was deleted before', async () => {
    const { at, image } = await twice();
    accepted(await removeManifest(at, 'shop/web', image.digest));
    accepted(await removeRepository(at, 'team/app'));
    accepted(await erase(at, image.digest));
    await expectFolded(at);
  });
});
