import { Type, type TObject, type TString } from 'typebox';

import { describeResource, findOwned, refuseUnknown, type Resource } from '../../commands/owned-resource.js';
import { grantRole, revokeRole } from '../../commands/role.js';
import { reject, RefusalError } from '../../errors.js';
import type { Principal, Role } from '../../events/types.js';
import { nameOfRole, resolvePrincipal, roleOf, showPrincipal, type PrincipalShown } from '../../identity/principal-text.js';
import { parseUid, type Uid } from '../../identifiers.js';
import { listPlatformGrants } from '../../projections/access.js';
import type { StoredGrant } from '../../projections/grants.js';
import { findOrganization } from '../../projections/organizations.js';
import { findAccount } from '../../projections/principals.js';
import type { Project } from '../../projections/projects.js';
import { listRepositoryGrants } from '../../projections/repository-access.js';
import type { Reading } from '../../projections/store.js';
import { judgingFor, type Exchange } from '../exchange.js';
import { contextIfMatch, contextOnce, entityTag } from './conditions.js';
import { linkTo, matches, pageOf, readAll } from './paging.js';
import { granted, organizationId, projectId, repositoryName, throwIf } from './resources.js';
import { operation, type Operation } from './route.js';
import {
  after,
  limit,
  member,
  object,
  organizationParams,
  page,
  principalText,
  projectParams,
  q,
  repositoryParams,
  roleSchema,
} from './schemas.js';

/** Who may do what on one of the three levels: the same operations on each. */
interface Level {
  readonly path: string;
  /** What the roles are called in its paths. */
  readonly list: 'members' | 'permissions';
  readonly what: string;
  /** In operations' ids. */
  readonly named: string;
  readonly params: TObject<Readonly<Record<string, TString>>>;
  readonly resourceOf: (params: Readonly<Record<string, string>>) => Resource;
}

const levels: readonly Level[] = [
  {
    path: '/organizations/:organization',
    list: 'members',
    what: 'an organization',
    named: 'OrganizationMember',
    params: organizationParams,
    resourceOf: ({ organization = '' }) => ({ kind: 'organization', id: organizationId(organization) }),
  },
  {
    path: '/projects/:project',
    list: 'members',
    what: 'a project',
    named: 'ProjectMember',
    params: projectParams,
    resourceOf: ({ project = '' }) => ({ kind: 'project', id: projectId(project) }),
  },
  {
    path: '/projects/:project/repositories/:repository',
    list: 'permissions',
    what: 'a repository',
    named: 'RepositoryPermission',
    params: repositoryParams,
    resourceOf: ({ project = '', repository = '' }) => ({ kind: 'repository', name: repositoryName(project, repository) }),
  },
];

export const memberOperations: readonly Operation[] = levels.flatMap(operationsOf);

function operationsOf({ path, list, what, named, params, resourceOf }: Level): readonly Operation[] {
  const tag = 'Roles';
  const many = `${path}/${list}`;
  const one = `${many}/:principal`;
  const withPrincipal = Type.Object({ ...params.properties, principal: principalText }, { additionalProperties: false });
  const find = async (reading: Reading, exchange: Exchange, of: Readonly<Record<string, string>>): Promise<MemberShown> => {
    const on = resourceOf(of);
    const { uid } = await owned(reading, exchange, on);
    const { principal = '' } = of;
    const grants = await everyGrant(reading, on.kind, uid);
    // Of somebody who is gone the uid is what is left.
    const roles =
      grants.find((grant) => 'uid' in grant.principal && grant.principal.uid === principal) ??
      grantTo(grants, granted(await resolvePrincipal(reading, principal)));
    if (roles === undefined) return reject('ROLE_UNKNOWN', { principal, what: describeResource(on) });
    return showMember(await showPrincipal(reading, roles.principal), roles.role, on, false);
  };
  return [
    operation({
      method: 'GET',
      path: many,
      id: `list${named}s`,
      tag,
      summary: `Who has a role on ${what}, inherited ones included; owners are told`,
      params,
      query: object({
        limit,
        after,
        q,
        role: Type.Optional(roleSchema),
        inherited: Type.Optional(Type.Boolean({ description: 'false: only those granted here; true: only those from above.' })),
        sort: Type.Optional(Type.Enum(['name', '-name'], { default: 'name', description: 'By the principal.' })),
      }),
      status: 200,
      answer: page(list, member),
      async run({ exchange, params: of, query, path: asked }) {
        return exchange.services.executor.store.read(async (reading) => {
          const on = resourceOf(of);
          const all = await everyMember(reading, exchange, on);
          const listed = all
            .filter(({ principal, role, inherited }) => {
              const kept = query.inherited === undefined || query.inherited === inherited;
              return kept && matches(query.q, principal) && (query.role === undefined || query.role === role);
            })
            .map((item) => ({ item, name: item.principal, created: '', uid: `${item.on} ${item.uid ?? ''}` }));
          const found = pageOf(listed, query);
          return { body: { [list]: found.items, ...linkTo(asked, query, found.after) } };
        });
      },
    }),
    operation({
      method: 'POST',
      path: many,
      id: `add${named}`,
      tag,
      summary: `Gives a principal a role on ${what}, in place of the one that it has there`,
      params,
      body: object({ principal: principalText, role: roleSchema }),
      status: 201,
      answer: member,
      creates: true,
      async run({ exchange, params: of, body, path: asked }) {
        const shown = await grant(exchange, resourceOf(of), body.principal, roleOf(body.role), contextOnce(exchange));
        return { body: shown, location: `${asked}/${encodeURIComponent(shown.principal)}` };
      },
    }),
    operation({
      method: 'GET',
      path: one,
      id: `get${named}`,
      tag,
      summary: `The role that was granted to a principal on ${what} itself`,
      params: withPrincipal,
      status: 200,
      answer: member,
      editable: true,
      async run({ exchange, params: of }) {
        const shown = await exchange.services.executor.store.read((reading) => find(reading, exchange, of));
        return { body: shown, etag: entityTag(shown) };
      },
    }),
    operation({
      method: 'PUT',
      path: one,
      id: `set${named}`,
      tag,
      summary: `Gives a principal this role on ${what}`,
      params: withPrincipal,
      body: object({ role: roleSchema }),
      status: 200,
      answer: member,
      editable: true,
      async run({ exchange, params: of, body }) {
        const context = contextIfMatch(exchange, (reading) => find(reading, exchange, of));
        const shown = await grant(exchange, resourceOf(of), of.principal, roleOf(body.role), context);
        return { body: shown, etag: entityTag(shown) };
      },
    }),
    operation({
      method: 'DELETE',
      path: one,
      id: `remove${named}`,
      tag,
      summary: `Takes the role away that was granted to a principal on ${what} itself`,
      params: withPrincipal,
      status: 204,
      editable: true,
      async run({ exchange, params: of }) {
        const { executor } = exchange.services;
        const on = resourceOf(of);
        const { principal: named } = of;
        const context = contextIfMatch(exchange, (reading) => find(reading, exchange, of));
        const principal = await resolveFor(exchange, on, named);
        granted(await revokeRole(executor, context, { kind: 'RevokeRole', on, principal, named }));
        return {};
      },
    }),
  ];
}

function grantTo(grants: readonly StoredGrant[], wanted: Principal): StoredGrant | undefined {
  return grants.find(({ principal }) =>
    'uid' in principal ? 'uid' in wanted && principal.uid === wanted.uid : principal.kind === wanted.kind,
  );
}

/** Who may not manage is told that, whoever was named. */
async function resolveFor(exchange: Exchange, on: Resource, named: string) {
  return exchange.services.executor.store.read(async (reading) => {
    const { uid } = await owned(reading, exchange, on);
    const grantee = await granteeByUid(reading, on, uid, named);
    return grantee ?? granted(await resolvePrincipal(reading, named));
  });
}

/** Who has a role here can be named by the uid, so that a role of somebody who is gone can be taken away; what that one was, a grant does not say. */
async function granteeByUid(reading: Reading, on: Resource, uid: Uid, named: string): Promise<Principal | undefined> {
  const wanted = parseUid(named);
  if (wanted === undefined) return undefined;
  const grants = await everyGrant(reading, on.kind, uid);
  if (!grants.some(({ principal }) => 'uid' in principal && principal.uid === wanted)) return undefined;
  const account = await findAccount(reading, wanted);
  return { kind: account === undefined ? 'user' : 'service-account', uid: wanted };
}

async function grant(
  exchange: Exchange,
  on: Resource,
  named: string,
  role: Role,
  context: Parameters<typeof grantRole>[1],
): Promise<MemberShown> {
  const { executor } = exchange.services;
  const principal = await resolveFor(exchange, on, named);
  granted(await grantRole(executor, context, { kind: 'GrantRole', on, principal, named, role }));
  const shown = await executor.store.read((reading) => showPrincipal(reading, principal));
  return showMember(shown, role, on, false);
}

/** Something that the caller owns. */
async function owned(reading: Reading, { caller }: Exchange, on: Resource) {
  const { denied, uid, project } = await findOwned(reading, judgingFor(caller), on);
  throwIf(denied);
  if (uid === undefined) throw new RefusalError(refuseUnknown(on));
  return { uid, project };
}

interface Place {
  readonly uid: Uid;
  readonly on: Resource;
}

/** What it inherits roles from. */
async function above(reading: Reading, on: Resource, project: Project | undefined): Promise<readonly Place[]> {
  if (project === undefined) return [];
  const found = await findOrganization(reading, project.organization);
  const organization: readonly Place[] =
    found === undefined ? [] : [{ uid: found.uid, on: { kind: 'organization', id: found.id } }];
  return on.kind === 'repository'
    ? [{ uid: project.uid, on: { kind: 'project', id: on.name.project } }, ...organization]
    : organization;
}

function everyGrant(reading: Reading, kind: Resource['kind'], uid: Uid): Promise<readonly StoredGrant[]> {
  const list = kind === 'repository' ? listRepositoryGrants : listPlatformGrants;
  return readAll((most, last: StoredGrant | undefined) => list(reading, uid, most, last?.principal));
}

type MemberShown = PrincipalShown & { readonly role: string; readonly inherited: boolean; readonly on: string };

async function everyMember(reading: Reading, exchange: Exchange, on: Resource): Promise<readonly MemberShown[]> {
  const { uid, project } = await owned(reading, exchange, on);
  const inherited = (await above(reading, on, project)).map((place) => ({ ...place, inherited: true }));
  const places = [{ uid, on, inherited: false }, ...inherited];
  const found = await Promise.all(
    places.map(async (place) => {
      const grants = await everyGrant(reading, place.on.kind, place.uid);
      return Promise.all(
        grants.map(async ({ principal, role }) =>
          showMember(await showPrincipal(reading, principal), role, place.on, place.inherited),
        ),
      );
    }),
  );
  return found.flat();
}

function showMember(shown: PrincipalShown, role: Role, on: Resource, inherited: boolean): MemberShown {
  return {
    ...shown,
    role: nameOfRole(role),
    inherited,
    on: on.kind === 'repository' ? `repository/${on.name.name}` : `${on.kind}/${on.id}`,
  };
}
