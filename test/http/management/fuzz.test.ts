import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';

import type { As, Method } from '../api-fixture.js';
import { base, openManagement, type Management } from './fixture.js';

/** Requests made of the description: mostly as it says, with something that it does not say in between. */

type Fields = Readonly<Record<string, unknown>>;
interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema: Fields;
}
interface Described {
  readonly method: Method;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: Fields | undefined;
}

let api: Management;
let operations: readonly Described[];
let stranger: As;

beforeAll(async () => {
  api = await openManagement();
  await api.done('POST', `/users/${api.owner.uid}/password`, {});
  stranger = await api.user('mallory@example.org');
  await api.done('POST', '/projects', { id: 'team' });
  await api.done('POST', '/projects/team/repositories', { id: 'backend' });
  await api.done('POST', '/projects/team/service-accounts', { id: 'ci' });
  const document = await api.app.inject({ url: `${base}/openapi.json`, headers: { host: 'registry.test' } });
  operations = Object.entries(
    document.json<Fields>()['paths'] as Readonly<Record<string, Readonly<Record<string, Fields>>>>,
  ).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      method: method.toUpperCase() as Method,
      path,
      parameters: operation['parameters'] as readonly Parameter[],
      body: bodyOf(operation),
    })),
  );
});

function bodyOf(operation: Fields): Fields | undefined {
  const content = (operation['requestBody'] as { readonly content?: Fields } | undefined)?.content;
  return (content?.['application/json'] as { readonly schema: Fields } | undefined)?.schema;
}

const nasty = fc.oneof(
  fc.constantFrom(
    '',
    '..',
    '.',
    '%',
    'a/b',
    '\0',
    '__proto__',
    'constructor',
    'null',
    '-1',
    '1e9',
    '🚀',
    '\ud800',
    'É',
    'x'.repeat(5_000),
    '"',
    "' or 1=1",
    '{}',
    '${x}',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const known: Readonly<Record<string, readonly string[]>> = {
  organization: ['default'],
  project: ['team'],
  repository: ['backend'],
  account: ['ci'],
  user: ['owner', 'mallory@example.org'],
  principal: ['mallory@example.org', 'allUsers', 'team/ci'],
  tag: ['latest'],
  reference: ['latest'],
  digest: [`sha256:${'0'.repeat(64)}`],
};

function valueOf(name: string, schema: Fields): fc.Arbitrary<unknown> {
  const choices = schema['enum'] as readonly unknown[] | undefined;
  const typed = choices
    ? fc.constantFrom(...choices)
    : schema['type'] === 'integer'
      ? fc.integer({ min: 1, max: 1_000 })
      : schema['type'] === 'boolean'
        ? fc.boolean()
        : schema['type'] === 'array'
          ? fc.array(fc.string({ maxLength: 20 }), { maxLength: 5 })
          : fc.constantFrom(...(known[name] ?? []), ...((schema['examples'] as readonly string[] | undefined) ?? ['abc']));
  return fc.oneof(
    { weight: 4, arbitrary: typed },
    { weight: 1, arbitrary: nasty },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  );
}

function text(value: unknown): string {
  return typeof value === 'string' ? Buffer.from(value).toString() : JSON.stringify(value);
}

const requests = fc.nat().chain((index) => {
  const operation = operations[index % operations.length];
  if (operation === undefined) throw new Error('no operations');
  const { method, path, parameters, body } = operation;
  const inPath = parameters.filter((one) => one.in === 'path');
  const others = parameters.filter((one) => one.in !== 'path');
  const schemas = (body?.['properties'] ?? {}) as Readonly<Record<string, Fields>>;
  return fc.record({
    method: fc.constant(method),
    path: fc.constant(path),
    filled: fc.tuple(...inPath.map(({ name, schema }) => valueOf(name, schema))),
    names: fc.constant(inPath.map(({ name }) => name)),
    others: fc.tuple(
      ...others.map((one) =>
        fc.option(
          valueOf(one.name, one.schema).map((value) => [one, value] as const),
          { freq: 1 },
        ),
      ),
    ),
    body:
      body === undefined
        ? fc.constant(undefined)
        : fc.oneof(
            {
              weight: 5,
              arbitrary: fc.record(
                Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, valueOf(name, schema)])),
                { requiredKeys: [] },
              ),
            },
            { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
          ),
    as: fc.constantFrom('owner', 'stranger', 'nobody'),
  });
});

/** Whether the owner has made public what the path names: its project, or its repository, or where it names only a project one in that. */
async function isPublic(path: string): Promise<boolean> {
  const [, project, repository] = /^(\/projects\/[^/]+)(\/repositories\/[^/]+)?/.exec(path) ?? [];
  if (project === undefined) return false;
  const repositories = repository === undefined ? await idsOf(`${project}/repositories?limit=1000`) : [repository];
  const lists = [`${project}/members`, ...repositories.map((one) => `${project}${one}/permissions`)];
  // A repository that is gone has no permissions: its project's count.
  const granted = await Promise.all(lists.map((list) => api.send('GET', list)));
  return granted
    .flatMap(({ body }) => (body['members'] ?? body['permissions'] ?? []) as readonly Fields[])
    .some(({ principal }) => principal === 'allUsers');
}

async function idsOf(list: string): Promise<readonly string[]> {
  const { body } = await api.send('GET', list);
  return (body['repositories'] as readonly Fields[]).map(({ id }) => `/repositories/${String(id)}`);
}

// The whole of it would be thrown away by one of these.
const ends = ['DELETE /projects/{project}', 'DELETE /projects/{project}/repositories/{repository}', 'POST /users/{user}/forget'];

test('whatever is sent, the answer is described, and none is a fault of the server', async () => {
  let answers = 0;
  await fc.assert(
    fc.asyncProperty(requests, async ({ method, path, filled, names, others, body, as }) => {
      if (ends.includes(`${method} ${path}`) && as === 'owner') return;
      const parts = filled.map((value) => encodeURIComponent(text(value)));
      // A client that follows RFC 3986 section 5.2.4 sends something else for these, and another operation is meant.
      if (parts.includes('.') || parts.includes('..')) return;
      const values = new Map(names.map((name, index) => [name, parts[index]]));
      const target = path.replace(/\{(\w+)\}/g, (_all, name: string) => values.get(name) ?? '');
      const query = new URLSearchParams();
      const headers: Record<string, string> = {};
      for (const other of others) {
        if (other === null) continue;
        const [{ name, in: where }, value] = other;
        if (where === 'query') query.append(name, text(value));
        else headers[name] = text(value).replace(/[^\x21-\x7e]/g, '.') || '.';
      }
      const sender = as === 'owner' ? api.owner : as === 'stranger' ? stranger : 'nobody';
      const search = query.size === 0 ? '' : `?${query.toString()}`;
      const answer = await api.send(method, `${target}${search}`, {
        as: sender,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      answers += 1;
      expect(answer.status).toBeLessThan(500);
      if (answer.status >= 400 && method !== 'HEAD') {
        expect(answer.headers['content-type']).toBe('application/problem+json');
        expect(answer.bytes.toString()).not.toMatch(/node_modules|\.ts:|at Object|SyntaxError/);
      }
      if (as !== 'nobody') return;
      if (answer.status === 200 || answer.status === 304) {
        expect(method).toBe('GET');
        expect(await isPublic(target)).toBe(true);
      } else expect([400, 401, 404, 405, 415]).toContain(answer.status);
    }),
    { numRuns: 600 },
  );
  expect(answers).toBeGreaterThan(400);
}, 120_000);
