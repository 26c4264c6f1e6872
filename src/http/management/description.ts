import type { TObject } from 'typebox';

import { pastRoutes } from './past-described.js';
import type { Operation } from './route.js';
import { problem } from './schemas.js';

/** OpenAPI 3.1 of the management API, made of the schemas that its requests are held against. https://spec.openapis.org/oas/v3.1.1 */

type Json = Readonly<Record<string, unknown>>;

const problemAnswer = (description: string) => ({ description, content: { 'application/problem+json': { schema: reference } } });
const reference = { $ref: '#/components/schemas/Problem' };

const refusals = {
  '400': problemAnswer('The request is not understood; the problem says what is accepted.'),
  '401': problemAnswer('Credentials are missing, wrong, or a token where none is accepted.'),
  '403': problemAnswer('You may not, whether it is there or not.'),
  '404': problemAnswer('It is not there.'),
  '405': problemAnswer('It is not for that: the method, or what it is asked of, which something else lists, for instance.'),
  '429': problemAnswer('Too many attempts; Retry-After says when.'),
  '503': problemAnswer('Not now; Retry-After says when.'),
  default: problemAnswer('Anything else, such as a full disk (507).'),
};

export function describe(operations: readonly Operation[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const one of operations) {
    const path = one.path.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[one.method.toLowerCase()] = describeOperation(one);
  }
  for (const { path, id, summary, params, query, answer, mediaTypes = ['application/json'] } of pastRoutes) {
    const content = Object.fromEntries(mediaTypes.map((type) => [type, answer === undefined ? {} : { schema: plain(answer) }]));
    (paths[path] ??= {})['get'] = {
      operationId: id,
      tags: ['History'],
      summary,
      parameters: [...parametersOf('path', params), ...parametersOf('query', query)],
      responses: { '200': { description: 'docs/api.md says what is in it.', content }, ...refusals },
    };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Artifact Store',
      // Of the API, as its paths have it.
      version: '1',
      description:
        'Organizations, projects, people, machines, repositories and their history. Images themselves are pushed and pulled under /v2, by the OCI distribution specification. Problems are RFC 9457.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ basic: [] }, { bearer: [] }],
    tags: ['Organizations', 'Projects', 'Roles', 'Users', 'Service accounts', 'Repositories', 'Images', 'History', 'Upkeep'].map(
      (name) => ({
        name,
      }),
    ),
    paths,
    components: {
      securitySchemes: {
        basic: {
          type: 'http',
          scheme: 'basic',
          description: 'E-mail and password, or `_json_key` and the whole key file of a service account.',
        },
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description:
            'A token of /token with the scope repository:<project>/<repository>:pull, for what is read of one repository.',
        },
      },
      schemas: { Problem: plain(problem) },
    },
  };
}

function describeOperation(one: Operation): Json {
  const { id, tag, summary, description, params, query, body, status, answer, creates = false, editable = false, method } = one;
  const changes = editable && method !== 'GET';
  const headers = [
    ...(creates ? [header('Idempotency-Key', 'The same request with the same key does nothing more, for a day.')] : []),
    ...(changes ? [header('If-Match', 'The ETag of what is to be changed; another is 412.')] : []),
    ...(editable && method === 'GET' ? [header('If-None-Match', 'An ETag; where it is still that, 304.')] : []),
  ];
  const done = {
    description: status === 204 ? 'Done.' : summary,
    ...(answer === undefined ? {} : { content: { 'application/json': { schema: plain(answer) } } }),
    ...(editable && status === 200 ? { headers: { ETag: { schema: { type: 'string' } } } } : {}),
  };
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: [...parametersOf('path', params), ...parametersOf('query', query), ...headers],
    ...(body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: plain(body) } } } }),
    responses: {
      [String(status)]: done,
      ...refusals,
      ...(method === 'GET' ? {} : { '409': problemAnswer('It can not be done as things are; the problem says why.') }),
      ...(changes ? { '412': problemAnswer('It is not what If-Match says any more.') } : {}),
      ...(body === undefined ? {} : { '415': problemAnswer('The body is no application/json.') }),
      ...(creates ? { '422': problemAnswer('The Idempotency-Key came with another body before.') } : {}),
    },
  };
}

function parametersOf(where: 'path' | 'query', schema: TObject | undefined): readonly Json[] {
  if (schema === undefined) return [];
  const required: readonly string[] = (plain(schema)['required'] as readonly string[] | undefined) ?? [];
  return Object.entries(plain(schema.properties)).map(([name, property]) => {
    const { description, ...rest } = property as Json;
    const about = description === undefined ? {} : { description };
    return { name, in: where, required: where === 'path' || required.includes(name), ...about, schema: rest };
  });
}

function header(name: string, description: string): Json {
  return { name, in: 'header', required: false, description, schema: { type: 'string' } };
}

/** Without what the library keeps beside JSON Schema. */
function plain(schema: object): Json {
  return JSON.parse(JSON.stringify(schema)) as Json;
}
