import { Type } from 'typebox';

import { changeRepositorySettings, createRepository, deleteRepository } from '../../commands/repository.js';
import { reject } from '../../errors.js';
import { judgeSeeing, refuseBarred } from '../../identity/judge.js';
import type { RepositoryId, Uid } from '../../identifiers.js';
import { findProject, type Project } from '../../projections/projects.js';
import { findRepository, listRepositories } from '../../projections/repositories.js';
import { findRepositoryCreation, findSettings } from '../../projections/repository-details.js';
import { standingOnProject, standingOnRepository, type Standing } from '../../projections/standing.js';
import type { Reading } from '../../projections/store.js';
import type { Exchange } from '../exchange.js';
import { contextIfMatch, contextOnce, contextsIfMatch, entityTag } from './conditions.js';
import { generateId } from './generated-ids.js';
import { linkTo, matches, pageOf } from './paging.js';
import {
  granted,
  projectId,
  repositoryName,
  seenProject,
  seenRepository,
  showRepository,
  sortable,
  throwIf,
} from './resources.js';
import { operation } from './route.js';
import {
  after,
  described,
  immutableTagExemptions,
  immutableTags,
  limit,
  object,
  page,
  projectParams,
  q,
  repository,
  repositoryParams,
  scanning,
  sort,
} from './schemas.js';

const tag = 'Repositories';
const settings = {
  displayName: Type.Optional(described.displayName),
  description: Type.Optional(described.description),
  scanning: Type.Optional(scanning),
  immutableTags: Type.Optional(immutableTags),
  immutableTagExemptions: Type.Optional(immutableTagExemptions),
};

export const repositoryOperations = [
  operation({
    method: 'GET',
    path: '/projects/:project/repositories',
    id: 'listRepositories',
    tag,
    summary: 'A project’s repositories that you may pull from',
    params: projectParams,
    query: object({
      limit,
      after,
      q,
      sort,
      scanning: Type.Optional(Type.Boolean()),
      immutableTags: Type.Optional(Type.Boolean()),
    }),
    status: 200,
    answer: page('repositories', repository),
    async run({ exchange, params, query, path }) {
      return exchange.services.executor.store.read(async (reading) => {
        const visible = await visibleRepositories(reading, exchange, params.project);
        const listed = visible
          .filter(({ id, about }) => {
            const kept = query.scanning === undefined || query.scanning === about.scanning;
            const keptTags = query.immutableTags === undefined || query.immutableTags === about.immutableTags;
            return kept && keptTags && matches(query.q, id, about.displayName);
          })
          .map((item) => ({ item, name: item.id, created: item.created, uid: item.uid }));
        const found = pageOf(listed, query);
        const repositories = await Promise.all(found.items.map(({ uid }) => showRepository(reading, params.project, uid)));
        return { body: { repositories, ...linkTo(path, query, found.after) } };
      });
    },
  }),
  operation({
    method: 'POST',
    path: '/projects/:project/repositories',
    id: 'createRepository',
    tag,
    summary: 'Makes a repository; owners of the project may',
    params: projectParams,
    body: object({
      id: Type.Optional(Type.String({ description: 'Made up when left out.', examples: ['backend'] })),
      ...settings,
    }),
    status: 201,
    answer: repository,
    creates: true,
    async run({ exchange, params, body, path }) {
      const { executor, newId, config } = exchange.services;
      const { id, scanning: scan = config.scanOnPush, ...others } = body;
      const name = repositoryName(params.project, id ?? generateId('r'), 'id');
      const made = granted(
        await createRepository(executor, contextOnce(exchange), {
          kind: 'CreateRepository',
          name,
          origin: 'command',
          scanning: scan,
          settings: others,
          inProject: true,
          newRepository: newId(),
          newProject: newId(),
        }),
      );
      const { shown, location } = await executor.store.read(async (reading) => {
        const record = await findRepository(reading, made.repository);
        const there = record?.id ?? name.repository;
        await seenRepository(reading, exchange, repositoryName(name.project, there));
        return { shown: await showRepository(reading, name.project, made.repository), location: `${path}/${there}` };
      });
      return { body: shown, etag: entityTag(shown), location };
    },
  }),
  operation({
    method: 'GET',
    path: '/projects/:project/repositories/:repository',
    id: 'getRepository',
    tag,
    summary: 'A repository with its settings',
    params: repositoryParams,
    status: 200,
    answer: repository,
    editable: true,
    async run({ exchange, params }) {
      const shown = await exchange.services.executor.store.read((reading) => load(reading, exchange, params));
      return { body: shown, etag: entityTag(shown) };
    },
  }),
  operation({
    method: 'PATCH',
    path: '/projects/:project/repositories/:repository',
    id: 'changeRepository',
    tag,
    summary: 'Changes some of a repository’s settings; owners may',
    params: repositoryParams,
    body: object(settings),
    status: 200,
    answer: repository,
    editable: true,
    async run({ exchange, params, body }) {
      const { executor } = exchange.services;
      const show = (reading: Reading) => load(reading, exchange, params);
      const name = repositoryName(params.project, params.repository);
      const context = contextIfMatch(exchange, show);
      granted(await changeRepositorySettings(executor, context, { kind: 'ChangeRepositorySettings', name, change: body }));
      const shown = await executor.store.read(show);
      return { body: shown, etag: entityTag(shown) };
    },
  }),
  operation({
    method: 'DELETE',
    path: '/projects/:project/repositories/:repository',
    id: 'deleteRepository',
    tag,
    summary: 'Deletes a repository with all its images; owners may',
    params: repositoryParams,
    status: 204,
    editable: true,
    async run({ exchange, params }) {
      const name = repositoryName(params.project, params.repository);
      const contextOf = contextsIfMatch(exchange, (reading) => load(reading, exchange, params));
      granted(await deleteRepository(exchange.services.executor, contextOf, { kind: 'DeleteRepository', name }));
      return {};
    },
  }),
];

async function load(
  reading: Reading,
  exchange: Exchange,
  params: { readonly project: string; readonly repository: string },
): Promise<object> {
  const { repository: uid } = await seenRepository(reading, exchange, repositoryName(params.project, params.repository));
  return showRepository(reading, params.project, uid);
}

const READ_AT_ONCE = 500;

/** Who has a role on none of them, nor on the project, is told the same as where there is none. */
async function visibleRepositories(reading: Reading, exchange: Exchange, text: string) {
  const { caller } = exchange;
  const id = projectId(text);
  const project = await findProject(reading, id);
  if (project === undefined) {
    await seenProject(reading, exchange, text);
    return reject('PROJECT_UNKNOWN', { project: id });
  }
  const above = await standingOnProject(reading, caller.actor, project);
  throwIf(refuseBarred(caller, above));
  const visible = await listVisible(reading, exchange, project, above);
  if (above === undefined && visible.length === 0) throwIf(judgeSeeing(caller, undefined, `project ${id}`));
  if (caller.access !== undefined) throwIf(judgeSeeing(caller, 'viewer', `project ${id}`));
  return visible;
}

async function listVisible(reading: Reading, { caller }: Exchange, project: Project, above: Standing | undefined) {
  const visible: Awaited<ReturnType<typeof about>>[] = [];
  for (let last: RepositoryId | undefined; ;) {
    const some = await listRepositories(reading, project.uid, { limit: READ_AT_ONCE, after: last });
    const seen = await Promise.all(
      some.map(async ({ uid, id }) => {
        const standing = await standingOnRepository(reading, caller.actor, uid, above);
        return standing === undefined ? undefined : about(reading, uid, id);
      }),
    );
    visible.push(...seen.filter((one) => one !== undefined));
    last = some.at(-1)?.id;
    if (some.length < READ_AT_ONCE) return visible;
  }
}

async function about(reading: Reading, uid: Uid, id: RepositoryId) {
  const [settingsThere, created] = await Promise.all([findSettings(reading, uid), findRepositoryCreation(reading, uid)]);
  return { uid, id, about: settingsThere, created: created === undefined ? '' : sortable(created) };
}
