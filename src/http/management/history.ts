import { Type } from 'typebox';

import { organizationStream, serviceAccountStream, userStream } from '../../events/types.js';
import { standingAsAdministrator, standingOnOrganization } from '../../projections/standing.js';
import { platformHistory } from '../history-routes.js';
import { filters, historyPage, order, paging } from './past-described.js';
import { seenOrganization } from './resources.js';
import { operation } from './route.js';
import { accountParams, object, organizationParams, uid } from './schemas.js';
import { ownedAccount } from './service-accounts.js';
import { managedUser, userParams } from './users.js';

const tag = 'History';
const query = object({ ...filters, ...order, ...paging });

/** What happened to what the platform's log has, beside the history of projects and repositories (history-routes.ts). */
export const historyOperations = [
  operation({
    method: 'GET',
    path: '/organizations/:organization/history',
    id: 'getOrganizationHistory',
    tag,
    summary: 'What happened to an organization, its roles included',
    params: organizationParams,
    query,
    status: 200,
    answer: historyPage({ organization: Type.String() }),
    async run({ exchange, params, path }) {
      const body = await platformHistory(exchange, path, async (reading) => {
        const { id, uid: found } = await seenOrganization(reading, exchange, params.organization);
        const { actor } = exchange.caller;
        const own = await standingOnOrganization(reading, actor, found);
        const people = (own ?? (await standingAsAdministrator(reading, actor))) === 'owner';
        return { head: { organization: id }, stream: organizationStream(found), people };
      });
      return { body };
    },
  }),
  operation({
    method: 'GET',
    path: '/users/:user/history',
    id: 'getUserHistory',
    tag,
    summary: 'What happened to a user, not what the user did; administrators are told',
    params: userParams,
    query,
    status: 200,
    answer: historyPage({ user: uid }),
    async run({ exchange, params, path }) {
      const body = await platformHistory(exchange, path, async (reading) => {
        const found = await managedUser(reading, exchange, params.user);
        return { head: { user: found }, stream: userStream(found), people: true };
      });
      return { body };
    },
  }),
  operation({
    method: 'GET',
    path: '/projects/:project/service-accounts/:account/history',
    id: 'getServiceAccountHistory',
    tag,
    summary: 'What happened to a service account and its keys; owners of the project are told',
    params: accountParams,
    query,
    status: 200,
    answer: historyPage({ serviceAccount: Type.String() }),
    async run({ exchange, params, path }) {
      const body = await platformHistory(exchange, path, async (reading) => {
        const found = await ownedAccount(reading, exchange, params);
        const serviceAccount = `${params.project}/${params.account}`;
        return { head: { serviceAccount }, stream: serviceAccountStream(found), people: true };
      });
      return { body };
    },
  }),
];
