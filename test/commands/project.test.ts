import { describe, expect, test } from 'vitest';

import type { LeavingAccount } from '../../src/commands/leaving-accounts.js';
import { createProject, decideCreateProject, decideDeleteProject, deleteProject } from '../../src/commands/project.js';
import { createServiceAccount, KEYS_MOST } from '../../src/commands/service-account.js';
import { refuse } from '../../src/errors.js';
import {
  projectStream,
  repositoryStream,
  serviceAccountStream,
  type AccountId,
  type Actor,
  type OrganizationId,
  type Principal,
} from '../../src/events/types.js';
import type { ProjectId, Uid } from '../../src/identifiers.js';
import { judgeManaging } from '../../src/identity/judge.js';
import { CrashedError } from '../../src/keyvalue/simulated.js';
import { countAccountKeys, findAccount, listAccountsIn } from '../../src/projections/principals.js';
import type { ProjectDetails } from '../../src/projections/project-details.js';
import { findProject } from '../../src/projections/projects.js';
import { listRepositoryRolesOf } from '../../src/projections/repository-access.js';
import { compareWithFold } from '../support/fold.js';
import { accepted, record, simulate, type Simulation, type Workplace } from './fixture.js';

const denied = refuse('DENIED');
const id = 'team' as ProjectId;
const about = { displayName: '', description: '' };
const command = { kind: 'DeleteProject', id } as const;

describe('decideCreateProject', () => {
  const organization = 'acme' as OrganizationId;
  const creation = { kind: 'CreateProject', project: 'new' as Uid, id, organization, about } as const;
  const state = { denied: undefined, organization: 'acme-uid' as Uid, taken: false };

  test('a project is made in its organization, and described where there is something to say', () => {
    const made = { stream: 'project/new', payload: { kind: 'ProjectCreated', organization: 'acme-uid', id } };
    expect(decideCreateProject(state, creation)).toEqual({ events: [made], outcome: { project: 'new' } });
    const said = { displayName: 'Team', description: '' };
    expect(decideCreateProject(state, { ...creation, about: said })).toMatchObject({
      events: [made, { payload: { kind: 'ProjectDescribed', ...said } }],
    });
  });

  test('not in an organization that is not there, and not where it is not said in which of several', () => {
    const nowhere = { ...state, organization: undefined };
    expect(decideCreateProject(nowhere, creation)).toMatchObject({ refused: 'ORGANIZATION_UNKNOWN' });
    expect(decideCreateProject(nowhere, { ...creation, organization: undefined })).toMatchObject({
      refused: 'ORGANIZATION_NEEDED',
    });
  });

  test.each([
    ['under an id that is taken', { taken: true }, 'PROJECT_EXISTS'],
    ['by who may not', { denied, organization: undefined }, 'DENIED'],
  ])('not %s', (_, more, refused) => {
    expect(decideCreateProject({ ...state, ...more }, creation)).toMatchObject({ refused });
  });
});

describe('decideDeleteProject', () => {
  const project = { uid: 'team-uid' as Uid, id, organization: 'acme-uid' as Uid } as ProjectDetails;
  const account = (name: string, weight = 1, roles: LeavingAccount['roles'] = []): LeavingAccount => ({
    uid: `${name}-uid` as Uid,
    id: name as AccountId,
    roles,
    weight,
  });
  const state = { denied: undefined, project, hasRepositories: false, accounts: [], hasMoreAccounts: false };
  const whatGoes = (decision: ReturnType<typeof decideDeleteProject>) =>
    'events' in decision ? decision.events.map(({ stream, payload }) => `${payload.kind} ${stream}`) : decision.refused;

  test('a project goes with its accounts and their roles on repositories', () => {
    const accounts = [account('ci', 2, [{ repository: 'r' as Uid, role: 'owner' }]), account('cd')];
    const decision = decideDeleteProject({ ...state, accounts }, command);
    expect(whatGoes(decision)).toEqual([
      'RoleRevoked repository/r',
      'ServiceAccountDeleted service-account/ci-uid',
      'ServiceAccountDeleted service-account/cd-uid',
      'ProjectDeleted project/team-uid',
    ]);
    expect(decision).toMatchObject({ outcome: { project: 'team-uid', done: true } });
  });

  test('accounts that weigh too much for one transaction go before it', () => {
    const accounts = [account('a', 600), account('b', 400), account('c', 1)];
    const decision = decideDeleteProject({ ...state, accounts }, command);
    expect(whatGoes(decision)).toEqual([
      'ServiceAccountDeleted service-account/a-uid',
      'ServiceAccountDeleted service-account/b-uid',
    ]);
    expect(decision).toMatchObject({ outcome: { done: false } });
  });

  test('one that weighs too much by itself goes alone', () => {
    const accounts = [account('a', 5_000), account('b')];
    expect(whatGoes(decideDeleteProject({ ...state, accounts }, command))).toEqual([
      'ServiceAccountDeleted service-account/a-uid',
    ]);
  });

  test('while there may be more accounts, it stays', () => {
    const decision = decideDeleteProject({ ...state, accounts: [account('a')], hasMoreAccounts: true }, command);
    expect(whatGoes(decision)).toEqual(['ServiceAccountDeleted service-account/a-uid']);
    expect(decision).toMatchObject({ outcome: { done: false } });
  });

  test.each([
    ['that is not there', { project: undefined }, 'PROJECT_UNKNOWN'],
    ['that has repositories', { hasRepositories: true }, 'PROJECT_NOT_EMPTY'],
    ['of others', { denied, project: undefined }, 'DENIED'],
  ])('one %s stays, and its accounts do', (_, more, refused) => {
    expect(whatGoes(decideDeleteProject({ ...state, accounts: [account('a')], ...more }, command))).toBe(refused);
  });
});

// ---- With a store

async function openProject(at: Simulation): Promise<Uid> {
  const organization = 'default' as OrganizationId;
  const made = { kind: 'CreateProject', project: at.newId(), id, organization, about } as const;
  return accepted(await createProject(at.executor, at.context(), made)).project;
}

/** So many accounts with so many keys and roles on repositories each. */
async function addAccounts(at: Simulation, project: Uid, count: number, keys: number, roles = 0): Promise<readonly Uid[]> {
  const uids = Array.from({ length: count }, () => at.newId());
  await record(
    at,
    uids.flatMap((uid, index) => [
      {
        stream: serviceAccountStream(uid),
        payload: {
          kind: 'ServiceAccountCreated',
          project,
          projectId: id,
          id: `ci-${index}` as AccountId,
          displayName: '',
        } as const,
      },
      ...Array.from({ length: keys }, () => ({
        stream: serviceAccountStream(uid),
        payload: { kind: 'ServiceAccountKeyAdded', key: at.newId(), publicKey: 'ab'.repeat(32), expiresAt: undefined } as const,
      })),
      ...Array.from({ length: roles }, () => ({
        stream: repositoryStream(at.newId()),
        payload: { kind: 'RoleGranted', principal: { kind: 'service-account', uid }, role: 'editor' } as const,
      })),
    ]),
  );
  return uids;
}

function remove(at: Workplace, contextOf = () => at.context()) {
  return deleteProject(at.executor, contextOf, command);
}

/** What there is of the project and of those accounts. */
function remains(at: Workplace, project: Uid, accounts: readonly Uid[]) {
  return at.store.read(async (reading) => {
    const found = await Promise.all(
      accounts.map(async (uid) => ({
        account: await findAccount(reading, uid),
        keys: await countAccountKeys(reading, uid),
        roles: (await listRepositoryRolesOf(reading, { kind: 'service-account', uid }, 1_000)).length,
      })),
    );
    return {
      project: await findProject(reading, id),
      listed: (await listAccountsIn(reading, project, 1_000)).length,
      accounts: found,
    };
  });
}

const nothing = { account: undefined, keys: 0, roles: 0 };

test('a project is deleted whose 150 accounts have 100 keys each', async () => {
  const at = await simulate();
  const project = await openProject(at);
  const accounts = await addAccounts(at, project, 150, KEYS_MOST);
  expect(await remove(at)).toEqual({ project });
  expect(await remains(at, project, accounts)).toEqual({
    project: undefined,
    listed: 0,
    accounts: accounts.map(() => nothing),
  });
  expect(await remove(at)).toMatchObject({ refused: 'PROJECT_UNKNOWN' });
}, 60_000);

test('a project with few accounts goes with them in one transaction', async () => {
  const at = await simulate();
  const project = await openProject(at);
  const accounts = await addAccounts(at, project, 3, 2, 2);
  at.bodies();
  accepted(await remove(at));
  expect(at.bodies()).toBe(1);
  expect((await remains(at, project, accounts)).accounts).toEqual([nothing, nothing, nothing]);
  expect(await compareWithFold(at.store)).toEqual([]);
});

test('killed on its way, a deletion leaves whole accounts in a project that is there, and is repeated', async () => {
  for (const when of ['commit', 'committed'] as const) {
    for (let place = 1; place <= 4; place += 1) {
      const at = await simulate();
      const project = await openProject(at);
      // More than are looked at in one step.
      const accounts = await addAccounts(at, project, 120, 1, 2);
      let commits = 0;
      at.simulated.crash = (point, process) => {
        if (process !== 'victim' || point !== when) return;
        commits += 1;
        if (commits === place) throw new CrashedError(`at ${place}`);
      };
      const killed = await remove(at.another('victim')).then(
        () => false,
        (error: unknown) => error instanceof CrashedError,
      );
      const left = await remains(at, project, accounts);
      const whole = left.accounts.filter(({ account }) => account !== undefined);
      expect(left.accounts.filter(({ account }) => account === undefined)).toEqual(
        Array.from({ length: 120 - whole.length }, () => nothing),
      );
      expect(whole.every(({ keys, roles }) => keys === 1 && roles === 2)).toBe(true);
      expect(left.listed).toBe(whole.length);
      if (whole.length > 0) expect(left.project?.uid).toBe(project);
      const again = await remove(at);
      if (killed && left.project !== undefined) expect(again).toEqual({ project });
      else expect(again).toMatchObject({ refused: 'PROJECT_UNKNOWN' });
      expect((await remains(at, project, accounts)).accounts.every(({ account }) => account === undefined)).toBe(true);
      if (place === 2) expect(await compareWithFold(at.store)).toEqual([]);
    }
  }
}, 60_000);

test('a service account deletes its own project, and goes last', async () => {
  const at = await simulate();
  const project = await openProject(at);
  const account = at.newId();
  const machine: Principal = { kind: 'service-account', uid: account };
  accepted(
    await createServiceAccount(at.executor, at.context(), {
      kind: 'CreateServiceAccount',
      project: id,
      account,
      id: 'a' as AccountId,
      displayName: '',
    }),
  );
  const key = at.newId();
  await record(at, [
    {
      stream: serviceAccountStream(account),
      payload: { kind: 'ServiceAccountKeyAdded', key, publicKey: 'ab'.repeat(32), expiresAt: undefined },
    },
    { stream: projectStream(project), payload: { kind: 'RoleGranted', principal: machine, role: 'owner' } },
  ]);
  await addAccounts(at, project, 12, KEYS_MOST);
  const actor: Actor = { kind: 'service-account', uid: account, authentication: 'key', key };
  const caller = { actor, access: undefined, viaToken: false };
  const contextOf = () => ({ ...at.context(actor), judgeManaging: judgeManaging.bind(undefined, caller) });
  expect(await remove(at, contextOf)).toEqual({ project });
  expect(await compareWithFold(at.store)).toEqual([]);
}, 60_000);

test('two who delete a project at once both find it gone, and no other of its id', async () => {
  for (let seed = 1; seed <= 6; seed += 1) {
    const at = await simulate({ seed });
    const project = await openProject(at);
    await addAccounts(at, project, 12, KEYS_MOST);
    const other = at.another();
    const outcomes = await Promise.all([remove(at), remove(other)]);
    expect(outcomes).toContainEqual({ project });
    for (const outcome of outcomes) {
      if ('refused' in outcome) expect(outcome.refused).toBe('PROJECT_UNKNOWN');
      else expect(outcome).toEqual({ project });
    }
  }
}, 60_000);
