import type { TObject, TSchema } from 'typebox';

import type { Operation } from './route.js';
import { problem } from './schemas.js';

/** OpenAPI 3.1 of the management API, made of the schemas that its requests are held against. https://spec.openapis.org/oas/v3.1.1 */

type Json = Readonly<Record<string, unknown>>;

const reference = { $ref: '#/components/schemas/Problem' };
const problemContent = { 'application/problem+json': { schema: reference } };

function problemAnswer(description: string, headers: Json = {}): Json {
  return { description, ...(Object.keys(headers).length === 0 ? {} : { headers }), content: problemContent };
}

/** A header of an answer; `required`: none is without it. */
function sent(description: string, required = true): Json {
  return { description, required, schema: { type: 'string' } };
}

const retryAfter = { 'Retry-After': sent('Seconds.') };
const headersSent = {
  ETag: sent('Of what is shown: what If-Match and If-None-Match take.'),
  Location: sent('Path of what was made.'),
  Link: sent('Where there is a next page: its path, with rel="next".', false),
  'Artifact-Store-Position': sent(
    'Up to where the export goes; the next begins behind it. None where nothing has happened yet.',
    false,
  ),
  'Content-Disposition': sent('A name for the file.'),
};

const refusals = {
  '400': problemAnswer('The request is not understood; the problem says what is accepted.'),
  '401': problemAnswer('Credentials are missing, wrong, or a token where none is accepted, or of too little.', {
    'WWW-Authenticate': sent('What is accepted: RFC 6750 and RFC 7617.'),
  }),
  '403': problemAnswer('You may not, whether it is there or not; or a page of another site sent a change.'),
  '404': problemAnswer('It is not there.'),
  '405': problemAnswer('It is not for that: the method, or what it is asked of, which something else lists, for instance.', {
    Allow: sent('Where it is the method: those that are.', false),
  }),
  '429': problemAnswer('Too many attempts.', retryAfter),
  '503': problemAnswer('Not now.', retryAfter),
  default: problemAnswer('Anything else, such as a full disk (507).'),
};

export function describe(operations: readonly Operation[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const one of operations) {
    const path = one.path.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[one.method.toLowerCase()] = describeOperation(one);
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
            'A token of `/token` with the scope `repository:<project>/<repository>:<what the operation names>`, for what is done to one repository. Where an operation names none, no token is accepted.',
        },
      },
      schemas: { Problem: plain(problem) },
    },
  };
}

function describeOperation(one: Operation): Json {
  const { id, tag, summary, description, params, query, body, status, creates = false, editable = false, method } = one;
  const changes = editable && method !== 'GET';
  const shows = editable && method === 'GET';
  const headers = [
    ...(creates ? [header('Idempotency-Key', 'The same request with the same key does nothing more, for a day.')] : []),
    ...(changes ? [header('If-Match', 'The ETag of what is to be changed; another is 412.')] : []),
    ...(shows ? [header('If-None-Match', 'An ETag; where it is still that, 304.')] : []),
  ];
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: securityOf(one),
    parameters: [...parametersOf('path', params), ...parametersOf('query', query), ...headers],
    ...(body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: plain(body) } } } }),
    responses: {
      [String(status)]: doneAnswer(one),
      ...(shows ? { '304': { description: 'It is still what If-None-Match says.', headers: { ETag: headersSent.ETag } } } : {}),
      ...refusals,
      ...(method === 'GET' ? {} : { '409': problemAnswer('It can not be done as things are; the problem says why.') }),
      ...(changes ? { '412': problemAnswer('It is not what If-Match says any more.') } : {}),
      ...(method === 'GET' ? {} : { '415': problemAnswer('The body is no application/json.') }),
      ...(creates ? { '422': problemAnswer('The Idempotency-Key came with another body before.') } : {}),
    },
  };
}

/** Of several, one does. A token's array has what its scope must have of the repository. */
function securityOf({ token, open = false }: Operation): readonly Json[] {
  return [{ basic: [] }, ...(token === undefined ? [] : [{ bearer: token }]), ...(open ? [{}] : [])];
}

function doneAnswer({ summary, status, answer, files = {}, creates = false, editable = false, sends = [] }: Operation): Json {
  const schemas = answer === undefined ? files : { 'application/json': answer };
  const content = Object.fromEntries(
    Object.entries(schemas).map(([type, schema]) => [type, schema === undefined ? {} : { schema: plain(schema) }]),
  );
  const names = [
    ...sends,
    ...(editable && status === 200 ? (['ETag'] as const) : []),
    ...(creates ? (['Location'] as const) : []),
    ...(answer !== undefined && isPage(answer) ? (['Link'] as const) : []),
  ];
  return {
    description: status === 204 ? 'Done.' : summary,
    ...(Object.keys(content).length === 0 ? {} : { content }),
    ...(names.length === 0 ? {} : { headers: Object.fromEntries(names.map((name) => [name, headersSent[name]])) }),
  };
}

function isPage(answer: TSchema): boolean {
  const { properties } = plain(answer);
  return typeof properties === 'object' && properties !== null && 'next' in properties;
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
