import { describe, expect, test } from 'vitest';

import { forgetUser } from '../../src/commands/forget-user.js';
import { createOrganization, decideCreateOrganization, decideDeleteOrganization } from '../../src/commands/organization.js';
import { createProject } from '../../src/commands/project.js';
import { grantRole } from '../../src/commands/role.js';
import { createServiceAccount, deleteServiceAccount } from '../../src/commands/service-account.js';
import { createUser, setUserDisabled } from '../../src/commands/user.js';
import { refuse } from '../../src/errors.js';
import type { AccountId, OrganizationId, Principal } from '../../src/events/types.js';
import type { ProjectId, Uid } from '../../src/identifiers.js';
import { listOrganizations, type Organization } from '../../src/projections/organizations.js';
import { engine } from '../support/database.js';
import { compareWithFold } from '../support/fold.js';
import { accepted, simulate, type Simulation, type Workplace } from './fixture.js';

const denied = refuse('DENIED');
const about = { displayName: '', description: '' };

const user: Principal = { kind: 'user', uid: 'ann' as Uid };

describe('decideCreateOrganization', () => {
  const state = { denied: undefined, ownerCanLogIn: true, refusedAsTooMany: undefined, taken: false };
  const command = {
    kind: 'CreateOrganization',
    organization: 'new' as Uid,
    id: 'acme' as OrganizationId,
    about,
    owner: user,
    named: 'ann@example.org',
  } as const;

  test('an organization is made with its owner', () => {
    expect(decideCreateOrganization(state, command)).toMatchObject({
      events: [
        { stream: 'organization/new', payload: { kind: 'OrganizationCreated', id: 'acme' } },
        { stream: 'organization/new', payload: { kind: 'RoleGranted', principal: user, role: 'owner' } },
      ],
    });
  });

  test('and is described where there is something to say', () => {
    const said = { displayName: 'Acme', description: '' };
    expect(decideCreateOrganization(state, { ...command, about: said })).toMatchObject({
      events: [{}, { payload: { kind: 'OrganizationDescribed', ...said } }, {}],
    });
  });

  test('not with one who cannot log in', () => {
    const refusal = { refused: 'OWNER_CANNOT_LOG_IN', details: { owner: 'ann@example.org' } };
    expect(decideCreateOrganization({ ...state, ownerCanLogIn: false }, command)).toMatchObject(refusal);
  });

  test('not with everybody', () => {
    const decision = decideCreateOrganization({ ...state, ownerCanLogIn: false }, { ...command, owner: { kind: 'all-users' } });
    expect(decision).toMatchObject({ refused: 'EVERYBODY_VIEWS_ONLY' });
  });

  test('not under an id that is taken', () => {
    expect(decideCreateOrganization({ ...state, taken: true }, command)).toMatchObject({ refused: 'ORGANIZATION_EXISTS' });
  });

  test('not by who may not, whatever else is wrong', () => {
    expect(decideCreateOrganization({ ...state, denied, ownerCanLogIn: false, taken: true }, command)).toBe(denied);
  });
});

describe('decideDeleteOrganization', () => {
  const organization = { uid: 'acme-uid' as Uid, id: 'acme' as OrganizationId, ...about } as Organization;
  const state = { denied: undefined, organization, isFirst: false, hasProjects: false };
  const command = { kind: 'DeleteOrganization', id: 'acme' as OrganizationId } as const;

  test('an empty organization is deleted', () => {
    expect(decideDeleteOrganization(state, command)).toMatchObject({
      events: [{ stream: 'organization/acme-uid', payload: { kind: 'OrganizationDeleted', id: 'acme' } }],
    });
  });

  test.each([
    ['that is not there', { organization: undefined }, 'ORGANIZATION_UNKNOWN'],
    ['whose owners administer the registry', { isFirst: true }, 'ORGANIZATION_IS_FIRST'],
    ['that has projects', { hasProjects: true }, 'ORGANIZATION_NOT_EMPTY'],
    ['of others', { denied, organization: undefined }, 'DENIED'],
  ])('one %s is not', (_, more, refused) => {
    expect(decideDeleteOrganization({ ...state, ...more }, command)).toMatchObject({ refused });
  });
});

/** Somebody who can log in. */
async function person(at: Workplace, number: number): Promise<{ readonly uid: Uid; readonly nameHash: string }> {
  const made = { uid: at.newId(), nameHash: String(number).repeat(64) };
  const command = { kind: 'CreateUser', loginName: `user ${number}`, passwordHash: 'none', nameHash: made.nameHash } as const;
  accepted(await createUser(at.executor, at.context(), { ...command, user: made.uid }));
  return made;
}

function makeFor(at: Workplace, owner: Principal, id = 'acme') {
  return createOrganization(at.executor, at.context(), {
    kind: 'CreateOrganization',
    organization: at.newId(),
    id: id as OrganizationId,
    about,
    owner,
    named: 'the owner',
  });
}

const ids = ({ store }: Simulation) =>
  store.read(async (reading) => (await listOrganizations(reading, 100)).map(({ id }) => id as string));

describe('an organization is not made for', () => {
  test('a user who is disabled', async () => {
    const at = await simulate();
    const { uid } = await person(at, 1);
    accepted(await setUserDisabled(at.executor, at.context(), { kind: 'SetUserDisabled', user: uid, disabled: true }));
    expect(await makeFor(at, { kind: 'user', uid })).toMatchObject({ refused: 'OWNER_CANNOT_LOG_IN' });
    expect(await ids(at)).toEqual(['default']);
  });

  test('a user who is forgotten, or was never there', async () => {
    const at = await simulate();
    const { uid, nameHash } = await person(at, 1);
    accepted(await forgetUser(at.executor, at.context(), { kind: 'ForgetUser', user: uid, nameHash, erasure: at.newId() }));
    for (const owner of [uid, at.newId()]) {
      expect(await makeFor(at, { kind: 'user', uid: owner })).toMatchObject({ refused: 'OWNER_CANNOT_LOG_IN' });
    }
  });

  test('a service account, which may become an owner beside a user and go', async () => {
    const at = await simulate();
    const { executor, newId } = at;
    const project = 'team' as ProjectId;
    const [id, account] = ['ci' as AccountId, newId()];
    accepted(
      await createProject(executor, at.context(), {
        kind: 'CreateProject',
        project: newId(),
        id: project,
        organization: undefined,
        about,
      }),
    );
    accepted(
      await createServiceAccount(executor, at.context(), { kind: 'CreateServiceAccount', project, account, id, displayName: '' }),
    );
    const machine: Principal = { kind: 'service-account', uid: account };
    expect(await makeFor(at, machine)).toMatchObject({ refused: 'OWNER_CANNOT_LOG_IN' });
    const owner: Principal = { kind: 'user', uid: at.owner.uid ?? newId() };
    accepted(await makeFor(at, owner));
    const on = { kind: 'organization', id: 'acme' as OrganizationId } as const;
    accepted(
      await grantRole(executor, at.context(), { kind: 'GrantRole', on, principal: machine, named: 'team/ci', role: 'owner' }),
    );
    // It is no owner that could be left alone.
    const user = at.owner.uid ?? newId();
    expect(
      await grantRole(executor, at.context(), { kind: 'GrantRole', on, principal: owner, named: 'me', role: 'editor' }),
    ).toMatchObject({ refused: 'LAST_OWNER' });
    expect(await setUserDisabled(executor, at.context(), { kind: 'SetUserDisabled', user, disabled: true })).toMatchObject({
      refused: 'LAST_OWNER',
    });
    accepted(await deleteServiceAccount(executor, () => at.context(), { kind: 'DeleteServiceAccount', project, id }));
    expect(await compareWithFold(at.store)).toEqual([]);
  });
});

test('an organization made while its owner is disabled or forgotten is made for one who can log in, or not at all', async () => {
  let refused = 0;
  for (let seed = 1; seed <= 20; seed += 1) {
    const at = await simulate({ seed });
    const { uid, nameHash } = await person(at, 1);
    const other = at.another();
    const [made, left] = await Promise.all([
      makeFor(at, { kind: 'user', uid }),
      seed % 2 === 0
        ? setUserDisabled(other.executor, other.context(), { kind: 'SetUserDisabled', user: uid, disabled: true })
        : forgetUser(other.executor, other.context(), { kind: 'ForgetUser', user: uid, nameHash, erasure: at.newId() }),
    ]);
    const outcomes = [made, left].map((outcome) => ('refused' in outcome ? outcome.refused : 'done'));
    expect(
      [
        ['done', 'LAST_OWNER'],
        ['OWNER_CANNOT_LOG_IN', 'done'],
      ],
      `seed ${seed}`,
    ).toContainEqual(outcomes);
    if (outcomes[0] !== 'done') refused += 1;
  }
  // The schedule of another engine is no seed's.
  if (engine === 'simulated') expect(refused).toBeGreaterThan(0);
});
