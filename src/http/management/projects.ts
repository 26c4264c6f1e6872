import { Type } from 'typebox';

import { createProject, deleteProject, describeProject } from '../../commands/project.js';
import { reject } from '../../errors.js';
import { findProjectDetails } from '../../projections/project-details.js';
import type { Reading } from '../../projections/store.js';
import type { Exchange } from '../exchange.js';
import { contextIfMatch, contextOnce, contextsIfMatch, entityTag } from './conditions.js';
import { generateId } from './generated-ids.js';
import { linkTo } from './paging.js';
import { pageOfProjects } from './project-list.js';
import { granted, listing, organizationId, projectId, seenProject, showProject } from './resources.js';
import { operation } from './route.js';
import { after, described, limit, object, page, project, projectParams, q, sort } from './schemas.js';

const tag = 'Projects';

export const projectOperations = [
  operation({
    method: 'GET',
    path: '/projects',
    id: 'listProjects',
    tag,
    summary: 'Projects that you have a role on',
    query: object({
      limit,
      after,
      q,
      sort,
      organization: Type.Optional(Type.String({ maxLength: 128, description: 'Only those of this organization.' })),
    }),
    status: 200,
    answer: page('projects', project),
    async run({ exchange, query, path }) {
      const { caller, services } = exchange;
      return services.executor.store.read(async (reading) => {
        await listing(reading, exchange, 'projects');
        const found = await pageOfProjects(reading, caller.actor, query);
        const projects = await Promise.all(found.items.map((one) => showProject(reading, one)));
        return { body: { projects, ...linkTo(path, query, found.after) } };
      });
    },
  }),
  operation({
    method: 'POST',
    path: '/projects',
    id: 'createProject',
    tag,
    summary: 'Makes a project; owners of its organization may',
    body: object({
      id: Type.Optional(Type.String({ description: 'Made up when left out.', examples: ['team'] })),
      organization: Type.Optional(Type.String({ description: 'Without it, the only one that you own.', examples: ['default'] })),
      displayName: Type.Optional(described.displayName),
      description: Type.Optional(described.description),
    }),
    status: 201,
    answer: project,
    creates: true,
    sends: ['ETag'],
    async run({ exchange, body, path }) {
      const { executor, newId } = exchange.services;
      const made = granted(
        await createProject(executor, contextOnce(exchange), {
          kind: 'CreateProject',
          project: newId(),
          id: projectId(body.id ?? generateId('p'), 'id'),
          organization: body.organization === undefined ? undefined : organizationId(body.organization),
          about: { displayName: body.displayName ?? '', description: body.description ?? '' },
        }),
      );
      return executor.store.read(async (reading) => {
        const details = await findProjectDetails(reading, made.project);
        if (details === undefined) return reject('PROJECT_UNKNOWN', { project: made.project });
        const shown = await load(reading, exchange, details.id);
        return { body: shown, etag: entityTag(shown), location: `${path}/${details.id}` };
      });
    },
  }),
  operation({
    method: 'GET',
    path: '/projects/:project',
    id: 'getProject',
    tag,
    summary: 'A project',
    params: projectParams,
    status: 200,
    answer: project,
    editable: true,
    open: true,
    async run({ exchange, params }) {
      const shown = await exchange.services.executor.store.read((reading) => load(reading, exchange, params.project));
      return { body: shown, etag: entityTag(shown) };
    },
  }),
  operation({
    method: 'PATCH',
    path: '/projects/:project',
    id: 'describeProject',
    tag,
    summary: 'Says what a project is called and is for',
    params: projectParams,
    body: object({ displayName: Type.Optional(described.displayName), description: Type.Optional(described.description) }),
    status: 200,
    answer: project,
    editable: true,
    async run({ exchange, params, body }) {
      const { executor } = exchange.services;
      const show = (reading: Reading) => load(reading, exchange, params.project);
      const id = projectId(params.project);
      granted(await describeProject(executor, contextIfMatch(exchange, show), { kind: 'DescribeProject', id, change: body }));
      const shown = await executor.store.read(show);
      return { body: shown, etag: entityTag(shown) };
    },
  }),
  operation({
    method: 'DELETE',
    path: '/projects/:project',
    id: 'deleteProject',
    tag,
    summary: 'Deletes a project that has no repositories, with its service accounts',
    params: projectParams,
    status: 204,
    editable: true,
    async run({ exchange, params }) {
      const show = (reading: Reading) => load(reading, exchange, params.project);
      const id = projectId(params.project);
      granted(await deleteProject(exchange.services.executor, contextsIfMatch(exchange, show), { kind: 'DeleteProject', id }));
      return {};
    },
  }),
];

async function load(reading: Reading, exchange: Exchange, id: string): Promise<object> {
  return showProject(reading, (await seenProject(reading, exchange, id)).details);
}
