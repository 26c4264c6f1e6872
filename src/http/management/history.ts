import { Type } from 'typebox';

import { blobStream, organizationStream, projectStream, serviceAccountStream, userStream } from '../../events/types.js';
import type { Uid } from '../../identifiers.js';
import { standingAsAdministrator, standingOnOrganization } from '../../projections/standing.js';
import { exportHistory, getHistory, getPlatformHistory } from './history-answers.js';
import { exported, exports, filters, historyPage, ordered, parts } from './past-schemas.js';
import { administering, digestIn, seenOrganization } from './resources.js';
import { operation } from './route.js';
import { accountParams, contentParams, object, organizationParams, projectParams, repositoryParams, uid } from './schemas.js';
import { ownedAccount } from './service-accounts.js';
import { managedUser, userParams } from './users.js';

const tag = 'History';
const query = object({ ...filters, ...ordered });
const exportSends = ['Artifact-Store-Position', 'Content-Disposition'] as const;
/** What a uid of the platform's may be of. */
const streamsOf = [organizationStream, projectStream, userStream, serviceAccountStream];

export const historyOperations = [
  operation({
    method: 'GET',
    path: '/history',
    id: 'getPlatformHistory',
    tag,
    summary:
      'What happened to organizations, projects, people and service accounts, also to those that are gone; administrators are told',
    query: object({ of: Type.Optional(uid), ...filters, ...ordered }),
    status: 200,
    answer: historyPage({ of: Type.Optional(uid) }),
    async run({ exchange, query: asked, path }) {
      const { of } = asked;
      const body = await getPlatformHistory(exchange, path, asked, async (reading) => {
        await administering(reading, exchange, 'the history of the platform');
        const streams = of === undefined ? undefined : streamsOf.map((stream) => stream(of as Uid));
        return { head: { of }, streams, people: true };
      });
      return { body };
    },
  }),
  operation({
    method: 'GET',
    path: '/content/:digest/history',
    id: 'getContentHistory',
    tag,
    summary: 'What happened to bytes, whatever repositories have or had them: who erased them; administrators are told',
    params: contentParams,
    query,
    status: 200,
    answer: historyPage({ digest: Type.String() }),
    async run({ exchange, params, query: asked, path }) {
      const body = await getPlatformHistory(exchange, path, asked, async (reading) => {
        await administering(reading, exchange, 'content');
        const digest = digestIn(params.digest);
        return { head: { digest }, streams: [blobStream(digest)], people: true };
      });
      return { body };
    },
  }),
  operation({
    method: 'GET',
    path: '/projects/:project/history',
    id: 'getProjectHistory',
    tag,
    summary: 'What happened to a project, and the coming and going of its repositories',
    params: projectParams,
    query,
    status: 200,
    answer: historyPage({ project: Type.String() }),
    open: true,
    async run({ exchange, params: { project }, query: asked, path }) {
      return { body: await getHistory(exchange, path, { project, repository: undefined }, asked) };
    },
  }),
  operation({
    method: 'GET',
    path: '/projects/:project/history/export',
    id: 'exportProjectHistory',
    tag,
    summary: 'All of a project’s history',
    params: projectParams,
    query: object({ ...filters, ...exported }),
    status: 200,
    files: exports,
    open: true,
    sends: exportSends,
    async run({ exchange, params: { project }, query: asked }) {
      return { sent: await exportHistory(exchange, { project, repository: undefined }, asked) };
    },
  }),
  operation({
    method: 'GET',
    path: '/projects/:project/repositories/:repository/history',
    id: 'getRepositoryHistory',
    tag,
    summary: 'What happened to a repository, or to a part of it',
    params: repositoryParams,
    query: object({ ...parts, ...filters, ...ordered }),
    status: 200,
    answer: historyPage({
      project: Type.String(),
      repository: Type.String(),
      bearers: Type.Array(Type.Object({}, { additionalProperties: true }), {
        description: 'The repositories that bore the id, the oldest first.',
      }),
    }),
    open: true,
    token: ['pull'],
    async run({ exchange, params, query: asked, path }) {
      return { body: await getHistory(exchange, path, params, asked) };
    },
  }),
  operation({
    method: 'GET',
    path: '/projects/:project/repositories/:repository/history/export',
    id: 'exportRepositoryHistory',
    tag,
    summary: 'All of a repository’s history',
    params: repositoryParams,
    query: object({ ...parts, ...filters, ...exported }),
    status: 200,
    files: exports,
    open: true,
    token: ['pull'],
    sends: exportSends,
    async run({ exchange, params, query: asked }) {
      return { sent: await exportHistory(exchange, params, asked) };
    },
  }),
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
    async run({ exchange, params, query: asked, path }) {
      const body = await getPlatformHistory(exchange, path, asked, async (reading) => {
        const { id, uid: found } = await seenOrganization(reading, exchange, params.organization);
        const { actor } = exchange.caller;
        const own = await standingOnOrganization(reading, actor, found);
        const people = (own ?? (await standingAsAdministrator(reading, actor))) === 'owner';
        return { head: { organization: id }, streams: [organizationStream(found)], people };
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
    async run({ exchange, params, query: asked, path }) {
      const body = await getPlatformHistory(exchange, path, asked, async (reading) => {
        const found = await managedUser(reading, exchange, params.user);
        return { head: { user: found }, streams: [userStream(found)], people: true };
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
    async run({ exchange, params, query: asked, path }) {
      const body = await getPlatformHistory(exchange, path, asked, async (reading) => {
        const found = await ownedAccount(reading, exchange, params);
        const serviceAccount = `${params.project}/${params.account}`;
        return { head: { serviceAccount }, streams: [serviceAccountStream(found)], people: true };
      });
      return { body };
    },
  }),
];
