import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeAll, describe, expect, test } from 'vitest';

import { create, pushImage } from '../../commands/fixture.js';
import { base, openManagement, type Management } from './fixture.js';

type Fields = Readonly<Record<string, unknown>>;

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: object;
}

interface Operation extends Fields {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly responses: Fields;
}

let api: Management;
let document: Fields;
let operations: readonly (readonly [string, string, Operation])[];
beforeAll(async () => {
  api = await openManagement();
  const answer = await api.app.inject({ url: `${base}/openapi.json`, headers: { host: 'registry.test' } });
  document = answer.json<Fields>();
  const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [method.toUpperCase(), path, operation] as const),
  );
});

test('the document is OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe('3.1');
});

test('each operation has an id of its own, a known tag, and says what it does', () => {
  const ids = operations.map(([, , { operationId }]) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const known = (document['tags'] as readonly { readonly name: string }[]).map(({ name }) => name);
  for (const [, , { tags, summary }] of operations) {
    expect(known).toEqual(expect.arrayContaining([...tags]));
    expect(summary).not.toBe('');
  }
});

test('each parameter in a path is described, and no other', () => {
  for (const [method, path, { parameters }] of operations) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(
      parameters.filter((one) => one.in === 'path').map(({ name }) => name),
      `${method} ${path}`,
    ).toEqual(named);
  }
});

test('what makes something takes an Idempotency-Key, what changes something an If-Match where there is an ETag', () => {
  const headersOf = (wanted: string) =>
    operations
      .filter(([, , { parameters }]) => parameters.some(({ name }) => name === wanted))
      .map(([method, path]) => `${method} ${path}`);
  expect(headersOf('Idempotency-Key').toSorted()).toEqual([
    'POST /organizations',
    'POST /organizations/{organization}/members',
    'POST /projects',
    'POST /projects/{project}/members',
    'POST /projects/{project}/repositories',
    'POST /projects/{project}/repositories/{repository}/permissions',
    'POST /projects/{project}/service-accounts',
    'POST /projects/{project}/service-accounts/{account}/keys',
    'POST /users',
  ]);
  for (const changed of headersOf('If-Match')) {
    expect(headersOf('If-None-Match')).toContain(changed.replace(/^\w+/, 'GET'));
  }
});

test('each path answers 405 with the methods that are described there to a method that is not', async () => {
  const methods = new Map<string, string[]>();
  for (const [method, path] of operations) methods.set(path, [...(methods.get(path) ?? []), method]);
  for (const [path, described] of methods) {
    const wrong = (['PATCH', 'PUT', 'POST'] as const).find((method) => !described.includes(method)) ?? 'DELETE';
    const answer = await api.send(wrong, path.replace(/\{\w+\}/g, 'x'));
    expect(answer.status, `${wrong} ${path}`).toBe(405);
    const allowed = String(answer.headers['allow'])
      .split(', ')
      .filter((method) => method !== 'HEAD');
    expect(allowed.toSorted(), path).toEqual(described.toSorted());
  }
});

test('history and the past answer what is described: JSON, and exports of both kinds', async () => {
  await create(api.at, 'team/backend');
  const image = await pushImage(api.at, 'team/backend', 'one', ['latest']);
  const path = '/projects/team/repositories/backend';
  const asked = [
    'history',
    'tags',
    'manifests',
    'manifests/latest',
    `manifests/${image.digest}`,
    'history/export',
    'history/export?format=parquet',
  ];
  // Each answer is held against the description: fixture.ts.
  for (const one of asked) expect((await api.send('GET', `${path}/${one}`)).status, one).toBe(200);
  const typesOf = (id: string) => {
    const [, , found] = operations.find(([, , { operationId }]) => operationId === id) ?? [];
    return Object.keys((found?.responses['200'] as { readonly content: object }).content);
  };
  expect(typesOf('getManifest')).toEqual(['application/json']);
  expect(typesOf('exportRepositoryHistory')).toEqual(['application/x-ndjson', 'application/vnd.apache.parquet']);
});

test('who asks with If-None-Match is told of 304, and what else is sent is described', () => {
  for (const [method, path, { parameters, responses }] of operations) {
    const asks = parameters.some(({ name }) => name === 'If-None-Match');
    expect('304' in responses, `${method} ${path}`).toBe(asks);
    const headers = JSON.stringify(responses['503']);
    expect(headers).toContain('Retry-After');
  }
});

test('it is given to everybody, and its head alone to HEAD', async () => {
  const got = await api.app.inject({ url: `${base}/openapi.json`, headers: { host: 'registry.test' } });
  const head = await api.app.inject({ method: 'HEAD', url: `${base}/openapi.json`, headers: { host: 'registry.test' } });
  expect([head.statusCode, head.body, head.headers['content-length']]).toEqual([200, '', got.headers['content-length']]);
});

describe('the page', () => {
  const load = (url: string) => api.app.inject({ url, headers: { host: 'registry.test' } });

  test('needs nothing that this server does not have', async () => {
    const page = await load('/api/docs/');
    expect(page.statusCode).toBe(200);
    const assets = [...page.body.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, url = '']) => url);
    expect(assets.length).toBeGreaterThanOrEqual(4);
    for (const asset of assets) {
      expect(asset).not.toMatch(/^(?:https?:)?\/\//);
      expect((await load(new URL(asset, 'http://registry.test/api/docs/').pathname)).statusCode, asset).toBe(200);
    }
    expect((await load('/api/docs/static/swagger-initializer.js')).body).toContain('"validatorUrl":null');
  });

  test('may load nothing from elsewhere, and is not sent to https where the registry has none', async () => {
    const policy = String((await load('/api/docs/')).headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/https?:|upgrade-insecure-requests|\w\.\w/);
    expect(await load('/api/docs/')).toMatchObject({ body: expect.not.stringMatching(/<script>[^<]|style="/) as string });
  });

  test('shows the description', async () => {
    // Where the library's script has it from.
    expect((await load('/api/docs/static/swagger-initializer.js')).body).toContain("url: resolveUrl('./json')");
    const [shown, served] = await Promise.all([load('/api/docs/json'), load('/api/v1/openapi.json')]);
    expect(shown.json()).toEqual(served.json());
  });

  test('fits a phone', async () => {
    expect((await load('/api/docs/')).body).toContain('name="viewport" content="width=device-width');
  });
});
