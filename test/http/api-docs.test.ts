import { readFileSync } from 'node:fs';
import parquet from 'parquetjs-lite';
import { beforeAll, describe, expect, test } from 'vitest';

import { eventKinds } from '../../src/events/words.js';
import { create, pushImage, removeManifest } from '../commands/fixture.js';
import { openApi, type Api } from './api-fixture.js';

const text = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');

/** What the examples are about. */
async function opened(): Promise<Api> {
  const api = await openApi();
  await create(api.at, 'team/backend');
  await pushImage(api.at, 'team/backend', 'one', ['latest']);
  api.clock.advance(1_000);
  await pushImage(api.at, 'team/backend', 'two', ['latest']);
  api.clock.advance(1_000);
  const image = await pushImage(api.at, 'team/backend/api', 'three', ['v1']);
  api.clock.advance(1_000);
  await removeManifest(api.at, 'team/backend/api', image.digest);
  api.clock.advance(1_000);
  return api;
}

let api: Api;
beforeAll(async () => {
  api = await opened();
});

const examples = [...text.matchAll(/```http\n(GET (\S+))\n```\n\n```json\n(.*?)\n```/gs)].map(
  ([, request = '', path = '', answer = '']) => ({
    request,
    path,
    answer: JSON.parse(answer) as unknown,
  }),
);

/** An answer without what is another in every store: names and types, and texts that are words. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shapeOf(part)]));
  }
  if (typeof value === 'number') return 'a number';
  if (typeof value !== 'string') return value;
  return value
    .replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/, 'a time')
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/, 'a uid')
    .replace(/1-[0-9a-f]{24}/, 'a position')
    .replace(/sha256:(?:[0-9a-f]{64}|[0-9a-f]{12})\b/g, 'a digest');
}

test('there is an example of every kind of answer', () => {
  expect(examples.length).toBeGreaterThanOrEqual(6);
});

test.each(examples)('$request answers as it is written', async ({ path, answer }) => {
  const { status, body } = await api.get(path);
  expect(status).toBe(typeof answer === 'object' && answer !== null && 'status' in answer ? answer.status : 200);
  expect(shapeOf(body)).toEqual(shapeOf(answer));
});

/** Of the table behind a heading, the first column. */
function firstColumn(heading: string, index = 0): readonly string[] {
  const section = text.split(`\n${heading}\n`)[1]?.split(/\n#{2,3} /)[0] ?? '';
  const tables = section
    .split(/\n\n/)
    .map((block) => block.trim())
    .filter((block) => block.startsWith('|'));
  return [...(tables[index] ?? '').matchAll(/^\| `(\w+)`/gm)].map(([, name = '']) => name);
}

const routes = [...text.matchAll(/^### GET (\/api\/v1\/\S+)$/gm)].map(([, route = '']) => route);

test('every route that there is has its section', () => {
  expect(routes.map((route) => route.replace('/api/v1/projects/{project}', ''))).toEqual([
    '/repositories/{repository}/history',
    '/history',
    '/repositories/{repository}/history/export',
    '/repositories/{repository}/tags',
    '/repositories/{repository}/manifests',
    '/repositories/{repository}/manifests/{reference}',
  ]);
});

describe.each(routes)('%s', (route) => {
  const path = route.replace('{project}', 'team').replace('{repository}', 'backend').replace('{reference}', 'latest');

  test('is served', async () => {
    expect((await api.get(path)).status).toBe(200);
  });

  test('takes the parameters that its table has, and no other', async () => {
    const { body } = await api.get(`${path}?none=1`);
    const accepted = /accepted are (.*)$/.exec(String(body['detail']))?.[1]?.split(', ') ?? [];
    expect(firstColumn(`### GET ${route}`).toSorted()).toEqual(accepted.toSorted());
  });
});

test('the fields of entries and of their payloads are the ones written', async () => {
  const { body } = await api.get('/api/v1/projects/team/repositories/backend/history?limit=1000');
  const entries = body['entries'] as readonly (Readonly<Record<string, unknown>> & {
    readonly kind: string;
    readonly payload: object;
  })[];
  const fields = new Set(entries.flatMap((entry) => Object.keys(entry)));
  // No process that reacts to events makes events yet.
  expect(firstColumn('### Entries').filter((field) => field !== 'causationId')).toEqual([...fields]);
  expect(firstColumn('### Entries', 1)).toEqual(eventKinds);
  for (const { kind, payload } of entries) {
    const row = text.split('\n').find((line) => line.startsWith(`| \`${kind}\` `)) ?? '';
    for (const field of Object.keys(payload)) expect(row, kind).toContain(`\`${field}\``);
  }
});

test('the columns of Parquet are the ones written', async () => {
  const { bytes } = await api.get('/api/v1/projects/team/repositories/backend/history/export?format=parquet');
  const reader = (await parquet.ParquetReader.openBuffer(bytes)) as unknown as { readonly schema: { readonly fields: object } };
  expect(Object.keys(reader.schema.fields)).toEqual(firstColumn('### Parquet'));
});
