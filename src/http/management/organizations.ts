import { Type } from 'typebox';

import { createOrganization, deleteOrganization, describeOrganization } from '../../commands/organization.js';
import { reject } from '../../errors.js';
import type { Principal } from '../../events/types.js';
import { resolvePrincipal } from '../../identity/principal-text.js';
import { listPlatformRolesOf } from '../../projections/access.js';
import { principalsOf } from '../../projections/grants.js';
import { findOrganization, listOrganizations, type Organization } from '../../projections/organizations.js';
import { standingAsAdministrator } from '../../projections/standing.js';
import type { Reading } from '../../projections/store.js';
import type { Exchange } from '../exchange.js';
import { contextIfMatch, contextOnce, entityTag } from './conditions.js';
import { generateId } from './generated-ids.js';
import { linkTo, matches, pageOf, readAll } from './paging.js';
import {
  administering,
  granted,
  listing,
  organizationId,
  seenOrganization,
  showOrganization,
  sortable,
  withTimes,
} from './resources.js';
import { operation } from './route.js';
import { described, listQuery, object, organization, organizationParams, page, principalText } from './schemas.js';

const tag = 'Organizations';

export const organizationOperations = [
  operation({
    method: 'GET',
    path: '/organizations',
    id: 'listOrganizations',
    tag,
    summary: 'Organizations that you have a role on; for an administrator all of them',
    query: listQuery,
    status: 200,
    answer: page('organizations', organization),
    async run({ exchange, query, path }) {
      const { caller, services } = exchange;
      return services.executor.store.read(async (reading) => {
        await listing(reading, exchange, 'organizations');
        const administers = await standingAsAdministrator(reading, caller.actor);
        const all = administers === 'owner' ? await everyOrganization(reading) : await ownOrganizations(reading, exchange);
        const listed = all
          .filter(({ id, displayName }) => matches(query.q, id, displayName))
          .map((item) => ({ item, name: item.id, created: sortable(item.created), uid: item.uid }));
        const { items, after } = pageOf(listed, query);
        const shown = (await withTimes(reading, reading.platform, items)).map(
          ({ uid, id, displayName, description, created }) => ({
            uid,
            id,
            displayName,
            description,
            created,
          }),
        );
        return { body: { organizations: shown, ...linkTo(path, query, after) } };
      });
    },
  }),
  operation({
    method: 'POST',
    path: '/organizations',
    id: 'createOrganization',
    tag,
    summary: 'Makes an organization; administrators may',
    body: object({
      id: Type.Optional(Type.String({ description: 'Made up when left out.', examples: ['acme'] })),
      displayName: Type.Optional(described.displayName),
      description: Type.Optional(described.description),
      owner: Type.Optional(
        Type.String({
          ...principalText,
          description: 'The first owner, a user who can log in. Without it you are; a service account has to name one.',
        }),
      ),
    }),
    status: 201,
    answer: organization,
    creates: true,
    sends: ['ETag'],
    async run({ exchange, body, path }) {
      const { executor, newId } = exchange.services;
      const { owner, named } = await firstOwner(exchange, body.owner);
      const made = granted(
        await createOrganization(executor, contextOnce(exchange), {
          kind: 'CreateOrganization',
          organization: newId(),
          id: organizationId(body.id ?? generateId('org'), 'id'),
          about: { displayName: body.displayName ?? '', description: body.description ?? '' },
          owner,
          named,
        }),
      );
      return executor.store.read(async (reading) => {
        const found = await findOrganization(reading, made.organization);
        if (found === undefined) return reject('ORGANIZATION_UNKNOWN', { organization: made.organization });
        const shown = await load(reading, exchange, found.id);
        return { body: shown, etag: entityTag(shown), location: `${path}/${found.id}` };
      });
    },
  }),
  operation({
    method: 'GET',
    path: '/organizations/:organization',
    id: 'getOrganization',
    tag,
    summary: 'An organization',
    params: organizationParams,
    status: 200,
    answer: organization,
    editable: true,
    async run({ exchange, params }) {
      const shown = await exchange.services.executor.store.read((reading) => load(reading, exchange, params.organization));
      return { body: shown, etag: entityTag(shown) };
    },
  }),
  operation({
    method: 'PATCH',
    path: '/organizations/:organization',
    id: 'describeOrganization',
    tag,
    summary: 'Says what an organization is called and is for',
    params: organizationParams,
    body: object({ displayName: Type.Optional(described.displayName), description: Type.Optional(described.description) }),
    status: 200,
    answer: organization,
    editable: true,
    async run({ exchange, params, body }) {
      const { executor } = exchange.services;
      const show = (reading: Reading) => load(reading, exchange, params.organization);
      const id = organizationId(params.organization);
      granted(
        await describeOrganization(executor, contextIfMatch(exchange, show), { kind: 'DescribeOrganization', id, change: body }),
      );
      const shown = await executor.store.read(show);
      return { body: shown, etag: entityTag(shown) };
    },
  }),
  operation({
    method: 'DELETE',
    path: '/organizations/:organization',
    id: 'deleteOrganization',
    tag,
    summary: 'Deletes an organization that has no projects',
    params: organizationParams,
    status: 204,
    editable: true,
    async run({ exchange, params }) {
      const show = (reading: Reading) => load(reading, exchange, params.organization);
      const id = organizationId(params.organization);
      granted(
        await deleteOrganization(exchange.services.executor, contextIfMatch(exchange, show), { kind: 'DeleteOrganization', id }),
      );
      return {};
    },
  }),
];

/** The user named, or the one who asks. Who may not make an organization is not told who there is. */
async function firstOwner(
  exchange: Exchange,
  named: string | undefined,
): Promise<{ readonly owner: Principal; readonly named: string }> {
  return exchange.services.executor.store.read(async (reading) => {
    await administering(reading, exchange, 'organizations');
    if (named !== undefined) return { owner: granted(await resolvePrincipal(reading, named)), named };
    const { kind, uid } = exchange.caller.actor;
    if (kind === 'user' && uid !== undefined) return { owner: { kind, uid }, named: uid };
    return reject('FIELD_INVALID', { field: 'owner', reason: 'it is missing, and who asks is no user who could be it' });
  });
}

async function load(reading: Reading, exchange: Exchange, id: string): Promise<object> {
  return showOrganization(reading, await seenOrganization(reading, exchange, id));
}

function everyOrganization(reading: Reading): Promise<readonly Organization[]> {
  return readAll((limit, last) => listOrganizations(reading, limit, last?.uid));
}

async function ownOrganizations(reading: Reading, { caller }: Exchange): Promise<readonly Organization[]> {
  const [own] = principalsOf(caller.actor);
  if (own === undefined || !('uid' in own)) return [];
  const held = (await listPlatformRolesOf(reading, own)).filter(({ aggregate }) => aggregate === 'organization');
  const found = await Promise.all(held.map(({ on }) => findOrganization(reading, on)));
  return found.filter((one) => one !== undefined);
}
