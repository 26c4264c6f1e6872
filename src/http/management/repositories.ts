import { Type } from 'typebox';

import { changeRepositorySettings, createRepository, deleteRepository } from '../../commands/repository.js';
import { findRepository } from '../../projections/repositories.js';
import type { Reading } from '../../projections/store.js';
import type { Exchange } from '../exchange.js';
import { contextIfMatch, contextOnce, contextsIfMatch, entityTag } from './conditions.js';
import { generateId } from './generated-ids.js';
import { linkTo } from './paging.js';
import { pageOfRepositories, seenRepositories } from './repository-list.js';
import { granted, repositoryName, seenRepository, showRepository } from './resources.js';
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
    open: true,
    async run({ exchange, params, query, path }) {
      return exchange.services.executor.store.read(async (reading) => {
        const found = await pageOfRepositories(reading, await seenRepositories(reading, exchange, params.project), query);
        const repositories = await Promise.all(found.items.map((uid) => showRepository(reading, params.project, uid)));
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
    sends: ['ETag'],
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
    token: ['pull'],
    open: true,
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
