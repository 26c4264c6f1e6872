import { describe, expect, test } from 'vitest';

import { GRANTS_OF_MOST, GRANTS_ON_MOST } from '../../src/commands/grant-limits.js';
import { createOrganization, deleteOrganization } from '../../src/commands/organization.js';
import type { Resource } from '../../src/commands/owned-resource.js';
import { createProject, deleteProject } from '../../src/commands/project.js';
import { decideGrantRole, decideRevokeRole, grantRole, revokeRole } from '../../src/commands/role.js';
import { createUser } from '../../src/commands/user.js';
import { refuse } from '../../src/errors.js';
import {
  organizationStream,
  projectStream,
  repositoryStream,
  type OrganizationId,
  type Principal,
  type Role,
  type Stream,
} from '../../src/events/types.js';
import type { ProjectId, Uid } from '../../src/identifiers.js';
import { accepted, create, nameOf, record, removeRepository, simulate, uidOf, type Simulation } from './fixture.js';

const denied = refuse('DENIED');
const lastOwner = refuse('LAST_OWNER', { organization: 'acme' });
const tooMany = refuse('ROLES_ON_TOO_MANY');
const ann: Principal = { kind: 'user', uid: 'ann' as Uid };
const organization: Resource = { kind: 'organization', id: 'acme' as OrganizationId };
const project: Resource = { kind: 'project', id: 'team' as ProjectId };
const repository: Resource = { kind: 'repository', name: nameOf('team/web') };

describe('decideGrantRole', () => {
  const state = {
    denied: undefined,
    resource: 'uid' as Uid,
    current: undefined,
    refusedAsLastOwner: undefined,
    principalExists: true,
    refusedAsTooMany: undefined,
  } as const;
  const command = { kind: 'GrantRole', on: project, principal: ann, named: 'ann@example.org', role: 'editor' } as const;

  test.each([
    [organization, 'organization/uid'],
    [project, 'project/uid'],
    [repository, 'repository/uid'],
  ])('a role on the $kind is in its stream', (on, stream) => {
    expect(decideGrantRole(state, { ...command, on })).toEqual({
      events: [{ stream, payload: { kind: 'RoleGranted', principal: ann, role: 'editor' } }],
      outcome: { changed: true },
    });
  });

  test('the role that is there already is nothing new, even where no more could be granted', () => {
    const full = { ...state, current: 'editor', refusedAsTooMany: tooMany, refusedAsLastOwner: lastOwner } as const;
    expect(decideGrantRole(full, command)).toEqual({ events: [], outcome: { changed: false } });
  });

  test.each<[Principal['kind'], Resource, Role, boolean]>([
    ['all-users', project, 'viewer', true],
    ['all-authenticated-users', repository, 'viewer', true],
    ['all-users', project, 'editor', false],
    ['all-authenticated-users', repository, 'owner', false],
    ['all-users', organization, 'viewer', false],
  ])('%s on %o as %s: %s', (kind, on, role, allowed) => {
    const decision = decideGrantRole(state, { ...command, principal: { kind } as Principal, on, role });
    expect(decision).toMatchObject(allowed ? { outcome: { changed: true } } : { refused: 'EVERYBODY_VIEWS_ONLY' });
  });

  test.each([
    ['by who may not, whatever else is wrong', { denied, resource: undefined, principalExists: false }, 'DENIED'],
    ['on what is not there', { resource: undefined }, 'PROJECT_UNKNOWN'],
    ['to who is gone', { principalExists: false }, 'PRINCIPAL_UNKNOWN'],
    ['in place of the last owner’s', { current: 'owner', refusedAsLastOwner: lastOwner }, 'LAST_OWNER'],
    ['beyond what there can be', { refusedAsTooMany: tooMany }, 'ROLES_ON_TOO_MANY'],
  ] as const)('nothing is granted %s', (_, more, refused) => {
    expect(decideGrantRole({ ...state, ...more }, command)).toMatchObject({ refused });
  });
});

describe('decideRevokeRole', () => {
  const state = { denied: undefined, resource: 'uid' as Uid, current: 'owner', refusedAsLastOwner: undefined } as const;
  const command = { kind: 'RevokeRole', on: organization, principal: ann, named: 'ann@example.org' } as const;

  test('the event says which role it was', () => {
    expect(decideRevokeRole(state, command)).toEqual({
      events: [{ stream: 'organization/uid', payload: { kind: 'RoleRevoked', principal: ann, role: 'owner' } }],
      outcome: { changed: true },
    });
  });

  test.each([
    ['by who may not', { denied, resource: undefined }, 'DENIED'],
    ['on what is not there', { resource: undefined }, 'ORGANIZATION_UNKNOWN'],
    ['that was not granted there', { current: undefined }, 'ROLE_UNKNOWN'],
    ['of the last owner', { refusedAsLastOwner: lastOwner }, 'LAST_OWNER'],
  ] as const)('none is taken away %s', (_, more, refused) => {
    expect(decideRevokeRole({ ...state, ...more }, command)).toMatchObject({ refused });
  });
});

// ---- With a store

const about = { displayName: '', description: '' };

async function person(at: Simulation, number: number): Promise<Principal & { readonly uid: Uid }> {
  const user = at.newId();
  const nameHash = String(number).repeat(64);
  const command = { kind: 'CreateUser', loginName: `user ${number}`, passwordHash: 'none', nameHash } as const;
  accepted(await createUser(at.executor, at.context(), { ...command, user }));
  return { kind: 'user', uid: user };
}

const grant = (at: Simulation, on: Resource, principal: Principal) =>
  grantRole(at.executor, at.context(), { kind: 'GrantRole', on, principal, named: 'ann', role: 'viewer' });

/** Roles for so many people who are not there, as if each had been granted. */
function fill(at: Simulation, stream: Stream, count: number): Promise<void> {
  const payloadOf = () => ({ kind: 'RoleGranted', principal: { kind: 'user', uid: at.newId() }, role: 'viewer' }) as const;
  return record(
    at,
    Array.from({ length: count }, () => ({ stream, payload: payloadOf() })),
  );
}

test('an organization, a project and a repository take so many roles, and are deleted with all of them', async () => {
  const at = await simulate();
  const owner: Principal = { kind: 'user', uid: at.owner.uid ?? at.newId() };
  const made = accepted(
    await createOrganization(at.executor, at.context(), {
      kind: 'CreateOrganization',
      organization: at.newId(),
      id: 'acme' as OrganizationId,
      about,
      owner,
      named: 'me',
    }),
  );
  const team = accepted(
    await createProject(at.executor, at.context(), {
      kind: 'CreateProject',
      project: at.newId(),
      id: 'team' as ProjectId,
      organization: 'acme' as OrganizationId,
      about,
    }),
  );
  await create(at, 'team/web');
  const [one, other] = [await person(at, 1), await person(at, 2)];
  const web = (await uidOf(at, 'team/web')) ?? at.newId();
  for (const [on, stream, before] of [
    [organization, organizationStream(made.organization), 1],
    [project, projectStream(team.project), 0],
    [repository, repositoryStream(web), 0],
  ] as const) {
    await fill(at, stream, GRANTS_ON_MOST - before - 1);
    accepted(await grant(at, on, one));
    expect(await grant(at, on, other)).toMatchObject({ refused: 'ROLES_ON_TOO_MANY' });
    // Another role in place of one is none more.
    accepted(await grantRole(at.executor, at.context(), { kind: 'GrantRole', on, principal: one, named: 'ann', role: 'editor' }));
  }
  accepted(await removeRepository(at, 'team/web'));
  const contextOf = () => at.context();
  accepted(await deleteProject(at.executor, contextOf, { kind: 'DeleteProject', id: 'team' as ProjectId }));
  accepted(await deleteOrganization(at.executor, at.context(), { kind: 'DeleteOrganization', id: 'acme' as OrganizationId }));
});

test('a user has roles on so many organizations and projects, and on any number of repositories', async () => {
  const at = await simulate();
  await create(at, 'team/web');
  const someone = await person(at, 1);
  const granted = { kind: 'RoleGranted', principal: someone, role: 'viewer' } as const;
  await record(
    at,
    Array.from({ length: GRANTS_OF_MOST }, () => ({ stream: projectStream(at.newId()), payload: granted })),
  );
  expect(await grant(at, project, someone)).toMatchObject({ refused: 'ROLES_OF_TOO_MANY' });
  expect(
    await createOrganization(at.executor, at.context(), {
      kind: 'CreateOrganization',
      organization: at.newId(),
      id: 'acme' as OrganizationId,
      about,
      owner: someone,
      named: 'ann',
    }),
  ).toMatchObject({ refused: 'ROLES_OF_TOO_MANY' });
  accepted(await grant(at, repository, someone));
  accepted(await grant(at, project, { kind: 'all-users' }));
  accepted(await revokeRole(at.executor, at.context(), { kind: 'RevokeRole', on: repository, principal: someone, named: 'ann' }));
});
