import { describe, expect, test } from 'vitest';

import { GRANTS_OF_MOST } from '../../src/commands/grant-limits.js';
import { createProject } from '../../src/commands/project.js';
import {
  createServiceAccount,
  decideAddServiceAccountKey,
  decideCreateServiceAccount,
  decideDeleteServiceAccount,
  decideRevokeServiceAccountKey,
  deleteServiceAccount,
  KEYS_MOST,
} from '../../src/commands/service-account.js';
import { refuse } from '../../src/errors.js';
import { projectStream, repositoryStream, serviceAccountStream, type AccountId, type Principal } from '../../src/events/types.js';
import type { ProjectId, Uid } from '../../src/identifiers.js';
import { CrashedError } from '../../src/keyvalue/simulated.js';
import type { AccountEntry } from '../../src/projections/principals.js';
import type { ProjectDetails } from '../../src/projections/project-details.js';
import { listRepositoryGrants, listRepositoryRolesOf } from '../../src/projections/repository-access.js';
import { hasRoleAnywhere } from '../../src/projections/targets.js';
import { compareWithFold } from '../support/fold.js';
import { accepted, create, events, record, simulate, uidOf, type Simulation, type Workplace } from './fixture.js';

const denied = refuse('DENIED');
const project = { uid: 'team-uid' as Uid, id: 'team' as ProjectId } as ProjectDetails;
const found = { uid: 'ci-uid' as Uid, id: 'ci' as AccountId } as AccountEntry;
const named = { project: 'team' as ProjectId, id: 'ci' as AccountId };

describe('decideCreateServiceAccount', () => {
  const command = { kind: 'CreateServiceAccount', ...named, account: 'new' as Uid, displayName: 'CI' } as const;
  const state = { denied: undefined, project, found: undefined };

  test('an account is made in its project', () => {
    expect(decideCreateServiceAccount(state, command)).toMatchObject({
      events: [{ stream: 'service-account/new', payload: { kind: 'ServiceAccountCreated', project: 'team-uid', id: 'ci' } }],
    });
  });

  test.each([
    ['by who may not', { denied, project: undefined }, 'DENIED'],
    ['in no project', { project: undefined }, 'PROJECT_UNKNOWN'],
    ['under an id that is taken', { found }, 'ACCOUNT_EXISTS'],
  ])('not %s', (_, more, refused) => {
    expect(decideCreateServiceAccount({ ...state, ...more }, command)).toMatchObject({ refused });
  });
});

describe('decideAddServiceAccountKey', () => {
  const command = {
    kind: 'AddServiceAccountKey',
    ...named,
    key: 'key' as Uid,
    publicKey: 'ab'.repeat(32),
    expiresAt: 1_001,
  } as const;
  const state = { denied: undefined, project, found, keys: KEYS_MOST - 1, now: 1_000 };

  test('the last key that an account can have is added', () => {
    expect(decideAddServiceAccountKey(state, command)).toMatchObject({
      events: [{ stream: 'service-account/ci-uid', payload: { kind: 'ServiceAccountKeyAdded', key: 'key', expiresAt: 1_001 } }],
      outcome: { account: 'ci-uid', key: 'key' },
    });
  });

  test('one that never expires is, too', () => {
    expect(decideAddServiceAccountKey(state, { ...command, expiresAt: undefined })).toMatchObject({ events: [{}] });
  });

  test.each([
    ['more than there can be', { keys: KEYS_MOST }, 'KEYS_TOO_MANY'],
    ['one that is over at once', { now: 1_001 }, 'KEY_EXPIRED_ALREADY'],
    ['one of nobody', { found: undefined }, 'ACCOUNT_UNKNOWN'],
    ['one in no project', { found: undefined, project: undefined }, 'PROJECT_UNKNOWN'],
    ['one by who may not', { denied }, 'DENIED'],
  ])('not %s', (_, more, refused) => {
    expect(decideAddServiceAccountKey({ ...state, ...more }, command)).toMatchObject({ refused });
  });
});

describe('decideRevokeServiceAccountKey', () => {
  const command = { kind: 'RevokeServiceAccountKey', ...named, key: 'key' as Uid } as const;
  const state = { denied: undefined, project, found, hasKey: true };

  test('a key of the account is revoked', () => {
    expect(decideRevokeServiceAccountKey(state, command)).toMatchObject({
      events: [{ stream: 'service-account/ci-uid', payload: { kind: 'ServiceAccountKeyRevoked', key: 'key' } }],
    });
  });

  test('the key of another account is not', () => {
    expect(decideRevokeServiceAccountKey({ ...state, hasKey: false }, command)).toMatchObject({ refused: 'KEY_UNKNOWN' });
  });
});

describe('decideDeleteServiceAccount', () => {
  const command = { kind: 'DeleteServiceAccount', ...named } as const;
  const roles = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ repository: `r${index}` as Uid, role: 'editor' as const }));
  const stateWith = (count: number) => ({
    denied: undefined,
    project,
    leaving: { uid: found.uid, id: found.id, roles: roles(count), weight: 1 + count },
  });

  test('an account goes with its roles on repositories', () => {
    const principal = { kind: 'service-account', uid: 'ci-uid' };
    expect(decideDeleteServiceAccount(stateWith(1), command)).toMatchObject({
      events: [
        { stream: 'repository/r0', payload: { kind: 'RoleRevoked', principal, role: 'editor' } },
        { stream: 'service-account/ci-uid', payload: { kind: 'ServiceAccountDeleted', project: 'team-uid', id: 'ci' } },
      ],
      outcome: { account: 'ci-uid', done: true },
    });
  });

  test('where there may be more of them than go at once, it goes behind them', () => {
    const decision = decideDeleteServiceAccount(stateWith(500), command);
    expect(decision).toMatchObject({ outcome: { done: false } });
    expect('events' in decision && decision.events.every(({ payload }) => payload.kind === 'RoleRevoked')).toBe(true);
  });

  test.each([
    ['that is not there', { leaving: undefined }, 'ACCOUNT_UNKNOWN'],
    ['of others', { denied, leaving: undefined }, 'DENIED'],
  ])('one %s does not', (_, more, refused) => {
    expect(decideDeleteServiceAccount({ ...stateWith(0), ...more }, command)).toMatchObject({ refused });
  });
});

// ---- With a store

async function machine(at: Simulation): Promise<Principal & { readonly uid: Uid }> {
  const account = at.newId();
  const about = { displayName: '', description: '' };
  accepted(
    await createProject(at.executor, at.context(), {
      kind: 'CreateProject',
      project: at.newId(),
      id: named.project,
      organization: undefined,
      about,
    }),
  );
  accepted(
    await createServiceAccount(at.executor, at.context(), { kind: 'CreateServiceAccount', ...named, account, displayName: '' }),
  );
  return { kind: 'service-account', uid: account };
}

function remove(at: Workplace) {
  return deleteServiceAccount(at.executor, () => at.context(), { kind: 'DeleteServiceAccount', ...named });
}

const rolesLeft = (at: Workplace, principal: Principal) =>
  at.store.read(async (reading) => (await listRepositoryRolesOf(reading, principal, 10_000)).length);

test('a service account that is deleted is on no list of permissions any more', async () => {
  const at = await simulate();
  const principal = await machine(at);
  await create(at, 'shop/web');
  const repository = (await uidOf(at, 'shop/web')) ?? at.newId();
  await record(at, [{ stream: repositoryStream(repository), payload: { kind: 'RoleGranted', principal, role: 'editor' } }]);
  accepted(await remove(at));
  expect(await at.store.read((reading) => listRepositoryGrants(reading, repository, 10))).toEqual([]);
  expect((await events(at)).at(-1)).toMatchObject({ payload: { kind: 'RoleRevoked', principal, role: 'editor' } });
  expect(await compareWithFold(at.store)).toEqual([]);
});

/** An account with as many keys as there can be, and more roles on repositories than go in one transaction. */
async function heavyMachine(at: Simulation, projects = 1): Promise<Principal> {
  const principal = await machine(at);
  const { uid } = principal;
  const many = <T>(count: number, of: () => T) => Array.from({ length: count }, of);
  const granted = { kind: 'RoleGranted', principal, role: 'viewer' } as const;
  await record(at, [
    ...many(KEYS_MOST, () => ({
      stream: serviceAccountStream(uid),
      payload: {
        kind: 'ServiceAccountKeyAdded',
        key: at.newId(),
        publicKey: 'ab'.repeat(32),
        expiresAt: undefined,
      } as const,
    })),
    ...many(projects, () => ({ stream: projectStream(at.newId()), payload: granted })),
    ...many(1_200, () => ({ stream: repositoryStream(at.newId()), payload: granted })),
  ]);
  return principal;
}

test('a service account with more roles than go in one transaction leaves none behind', async () => {
  const at = await simulate();
  const principal = await heavyMachine(at, GRANTS_OF_MOST);
  at.bodies();
  accepted(await remove(at));
  expect(at.bodies()).toBe(3);
  expect(await rolesLeft(at, principal)).toBe(0);
  expect(await at.store.read((reading) => hasRoleAnywhere(reading, { ...principal, authentication: 'token' } as never))).toBe(
    false,
  );
  expect(await remove(at)).toMatchObject({ refused: 'ACCOUNT_UNKNOWN' });
  expect(await compareWithFold(at.store)).toEqual([]);
});

test.each([1, 2, 3])('its deletion can be repeated where it was killed at its commit %i', async (place) => {
  for (const when of ['commit', 'committed'] as const) {
    const at = await simulate();
    const principal = await heavyMachine(at);
    let commits = 0;
    at.simulated.crash = (point, process) => {
      if (process !== 'victim' || point !== when) return;
      commits += 1;
      if (commits === place) throw new CrashedError(`at ${place}`);
    };
    await expect(remove(at.another('victim'))).rejects.toThrow(CrashedError);
    const isDone = place === 3 && when === 'committed';
    expect(await remove(at)).toMatchObject(isDone ? { refused: 'ACCOUNT_UNKNOWN' } : { account: expect.any(String) as string });
    expect(await rolesLeft(at, principal)).toBe(0);
    expect(await compareWithFold(at.store)).toEqual([]);
  }
});
