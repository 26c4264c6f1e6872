import type { FastifyReply } from 'fastify';
import { describe, expect, test } from 'vitest';

import type { Digest } from '../../src/digest.js';
import { RefusalError, type ErrorCode } from '../../src/errors.js';
import { formatTime } from '../../src/events/database-time.js';
import type { Actor } from '../../src/events/types.js';
import type { Exchange } from '../../src/http/exchange.js';
import { deleteReference, getManifest, putManifest } from '../../src/http/manifests.js';
import { parseTagAt } from '../../src/http/tag-at.js';
import { SimulatedStore, VirtualClock, type SimulatedOptions } from '../../src/keyvalue/simulated.js';
import { sampleTimes } from '../../src/processes/time-sampling.js';
import {
  accepted,
  create,
  found,
  grant,
  nameOf,
  pushImage,
  putManifest as push,
  removeManifest,
  removeRepository,
  tagOf,
  uidOf,
  type Workplace,
} from '../commands/fixture.js';
import { findProject } from '../../src/projections/projects.js';
import { deleteTag } from '../../src/commands/tag.js';

describe('the shape', () => {
  test.each([
    ['latest.at.2026-11-01T09-00-00Z', 'latest', '2026-11-01T09:00:00Z'],
    ['v1.0.at.2026-11-01T09-00-00.5Z', 'v1.0', '2026-11-01T09:00:00.5Z'],
    ['a.at.b.at.2026-11-01T09-00-00.123456Z', 'a.at.b', '2026-11-01T09:00:00.123456Z'],
    ['v.at.2026-01-01T00-00-00Z.at.2026-11-01T09-00-00Z', 'v.at.2026-01-01T00-00-00Z', '2026-11-01T09:00:00Z'],
    ['v.at.2026-99-99T99-99-99Z', 'v', '2026-99-99T99:99:99Z'],
  ])('%s', (reference, tag, time) => {
    expect(parseTagAt(tagOf(reference))).toEqual({ reference, tag, time });
  });

  test.each([
    ...[
      'latest',
      'a.at.b',
      '.at.2026-11-01T09-00-00Z',
      'v.at.2026-11-01',
      'v.at.2026-11-01T09-00-00',
      'vat.2026-11-01T09-00-00Z',
    ],
    ...['v.at.2026-11-01T09-00-00Z-rc1', 'v.at.2026-11-01t09-00-00z', 'v.at.2026-11-01T09-00-00.Z', 'v.at.2026-11-01T09-00Z'],
  ])('%s is an ordinary tag', (reference) => {
    expect(parseTagAt(tagOf(reference))).toBeUndefined();
  });
});

/** A registry, and a client of it that speaks to the routes. */
async function setUp(options: Pick<SimulatedOptions, 'versions'> = {}) {
  const clock = new VirtualClock();
  const at = await found(new SimulatedStore({ seed: 1, clock, faults: {}, ...options }).connect('one'));
  const sample = () => sampleTimes(at.store, () => Math.floor(clock.now() * 1_000));
  await sample();
  await create(at, 'shop/web');
  /** A moment as a tag says it; whatever happens next happens after it. */
  const moment = async (): Promise<string> => {
    clock.advance(1_000);
    const time = await at.store.read(({ tx }) => tx.time());
    clock.advance(1_000);
    await sample();
    return formatTime(Number(time)).replaceAll(/:/g, '-');
  };
  return { at, moment };
}

interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a GET is answered, or the refusal. */
async function get(at: Workplace, name: string, tag: string, actor: Actor = at.owner): Promise<Told | RefusalError> {
  const headers: Record<string, string> = {};
  let status = 0;
  const raw = {
    writeHead(code: number, list: readonly string[]) {
      status = code;
      for (let index = 0; index < list.length; index += 2) headers[list[index] ?? ''] = String(list[index + 1]);
    },
    end: () => undefined,
  };
  const reply = { raw, hijack: () => undefined } as unknown as FastifyReply;
  const exchange = { ...exchangeOf(at, actor), reply, request: { told: {}, headers: {}, method: 'HEAD' } };
  try {
    await getManifest(exchange as unknown as Exchange, nameOf(name), tag);
  } catch (error) {
    if (error instanceof RefusalError) return error;
    throw error;
  }
  return { status, headers };
}

function exchangeOf(at: Workplace, actor: Actor, query = ''): Exchange {
  return {
    services: {
      executor: at.executor,
      inTurn: (_key: string, task: () => Promise<unknown>) => task(),
      newId: at.newId,
      hashClient: () => '0'.repeat(64),
      config: { createOnPush: true },
    },
    request: { told: {}, headers: {}, method: 'GET', ip: '127.0.0.1' },
    reply: { header: () => undefined },
    caller: { actor, access: undefined, viaToken: false },
    query: new URLSearchParams(query),
  } as unknown as Exchange;
}

async function served(at: Workplace, name: string, tag: string): Promise<Told> {
  const answer = await get(at, name, tag);
  if (answer instanceof RefusalError) throw answer;
  return answer;
}

async function refused(at: Workplace, name: string, tag: string, code: ErrorCode, actor?: Actor): Promise<string> {
  const answer = await get(at, name, tag, actor);
  if (!(answer instanceof RefusalError)) throw new Error(`served ${JSON.stringify(answer)}`);
  expect(answer.refusal.refused).toBe(code);
  expect(answer.message).not.toMatch(/[{}]/);
  return answer.message;
}

test.each([
  ['are times', {}],
  ['are none', { versions: (time: bigint) => time - 1_767_000_000_000_000n }],
])('is what the tag was then, and says which position was looked at, where versions %s', async (_, options) => {
  const { at, moment } = await setUp(options);
  const digests = new Map<string, Digest>();
  for (const text of ['one', 'two', 'one again']) {
    const image = await pushImage(at, 'shop/web/deep', text.split(' ')[0] ?? '', ['latest']);
    digests.set(await moment(), image.digest);
  }
  for (const [time, digest] of digests) {
    const { status, headers } = await served(at, 'shop/web/deep', `latest.at.${time}`);
    expect(status).toBe(200);
    expect(headers['docker-content-digest']).toBe(digest);
    expect(headers['artifact-store-position']).toMatch(/^1-[0-9a-f]{16}f{8}$/);
    expect(Number(headers['content-length'])).toBeGreaterThan(100);
  }
  expect((await served(at, 'shop/web/deep', 'latest')).headers).not.toHaveProperty('artifact-store-position');
});

test('where there is nothing, it says why', async () => {
  const { at, moment } = await setUp();
  const early = await moment();
  const first = await pushImage(at, 'shop/web', 'one', ['latest', 'kept']);
  const then = await moment();
  accepted(await deleteTag(at.executor, at.context(), { kind: 'DeleteTag', name: nameOf('shop/web'), tag: tagOf('latest') }));
  const later = await moment();
  const deep = await pushImage(at, 'shop/web', 'two', ['latest']);
  expect(await refused(at, 'shop/web', `latest.at.${early}`, 'TAG_NEVER_BEFORE')).toContain(
    'shop/web had no tag latest at 2026-',
  );
  expect((await served(at, 'shop/web', `latest.at.${then}`)).headers['docker-content-digest']).toBe(first.digest);
  expect(await refused(at, 'shop/web', `latest.at.${later}`, 'TAG_DELETED_BEFORE')).toMatch(
    /it was deleted at 2026-.*Z by owner$/,
  );
  accepted(await removeManifest(at, 'shop/web', first.digest));
  expect(await refused(at, 'shop/web', `latest.at.${then}`, 'MANIFEST_DELETED_SINCE')).toContain(`${first.digest} at 2026-`);
  // A manifest that was pushed again is there.
  await pushImage(at, 'shop/web', 'one');
  expect((await served(at, 'shop/web', `latest.at.${then}`)).headers['docker-content-digest']).toBe(first.digest);
  expect(await refused(at, 'shop/web', 'latest.at.2999-01-01T00-00-00Z', 'TIME_NOT_COME')).toContain('has not come yet');
  expect(await refused(at, 'shop/web', 'latest.at.2026-02-30T00-00-00Z', 'TIME_INVALID')).toContain('on no calendar');
  expect(await refused(at, 'shop/web', 'latest.at.2026-12-31T23-59-60Z', 'TIME_INVALID')).toContain('leap second');
  expect((await served(at, 'shop/web', 'latest')).headers['docker-content-digest']).toBe(deep.digest);
});

test('time comes without a commit: what has not come yet is not remembered', async () => {
  const clock = new VirtualClock(Date.UTC(2026, 0, 2));
  const at = await found(new SimulatedStore({ seed: 1, clock, faults: {} }).connect('one'));
  await create(at, 'shop/web');
  await pushImage(at, 'shop/web', 'one', ['latest']);
  await refused(at, 'shop/web', 'latest.at.2026-01-02T01-00-00Z', 'TIME_NOT_COME');
  clock.advance(3_600_001);
  await served(at, 'shop/web', 'latest.at.2026-01-02T01-00-00Z');
});

test('is of the repository that bears the name now', async () => {
  const { at, moment } = await setUp();
  await pushImage(at, 'shop/web', 'one', ['latest']);
  const then = await moment();
  accepted(await removeRepository(at, 'shop/web'));
  await refused(at, 'shop/web', `latest.at.${then}`, 'REPOSITORY_UNKNOWN');
  await create(at, 'shop/web');
  await pushImage(at, 'shop/web', 'one', ['latest']);
  const message = await refused(at, 'shop/web', `latest.at.${then}`, 'REPOSITORY_CREATED_SINCE');
  expect(message).toContain('the repository that bears this name now was created at 2026-');
});

test('who may not see the repository learns nothing of its past; who is no owner, no names', async () => {
  const { at, moment } = await setUp();
  const image = await pushImage(at, 'shop/web', 'one', ['latest']);
  const then = await moment();
  accepted(await removeManifest(at, 'shop/web', image.digest));
  const stranger: Actor = { kind: 'user', uid: at.newId(), authentication: 'password' };
  const tags = ['latest', 'none', `latest.at.${then}`, 'latest.at.2026-02-30T00-00-00Z', 'latest.at.2999-01-01T00-00-00Z'];
  const messages = [];
  for (const name of ['shop/web', 'shop/none']) {
    for (const tag of tags) messages.push((await refused(at, name, tag, 'DENIED', stranger)).replace(name, ''));
  }
  expect(new Set(messages).size).toBe(1);
  const project = await at.store.read((reading) => findProject(reading, nameOf('shop/web').project));
  const viewer: Actor = { kind: 'user', uid: at.newId(), authentication: 'password' };
  await grant(at, viewer.uid ?? at.newId(), project?.uid ?? at.newId(), 'viewer');
  const told = await refused(at, 'shop/web', `latest.at.${then}`, 'MANIFEST_DELETED_SINCE', viewer);
  expect(told).toContain(`by user ${at.owner.uid ?? ''}`);
});

test('one that was pushed under this very name, as release 0.1.0 accepted, is an ordinary tag, then and when it is deleted', async () => {
  const { at, moment } = await setUp();
  await pushImage(at, 'shop/web', 'one', ['latest']);
  const literal = `latest.at.${await moment()}`;
  const image = await pushImage(at, 'shop/web', 'two', ['latest']);
  expect((await served(at, 'shop/web', literal)).headers['docker-content-digest']).not.toBe(image.digest);
  accepted(await push(at, 'shop/web', image, [literal]));
  const told = await served(at, 'shop/web', literal);
  expect(told.headers['docker-content-digest']).toBe(image.digest);
  expect(told.headers).not.toHaveProperty('artifact-store-position');
  const sent: unknown[] = [];
  const status = (code: number) => ({ header: () => ({ send: () => sent.push(code) }) });
  const exchange = { ...exchangeOf(at, at.owner), reply: { status, header: () => undefined } } as unknown as Exchange;
  await deleteReference(exchange, nameOf('shop/web'), literal);
  expect(sent).toEqual([202]);
  await refused(at, 'shop/web', literal, 'MANIFEST_UNKNOWN');
  await expect(deleteReference(exchange, nameOf('shop/web'), literal)).rejects.toThrow('nobody can change');
});

test('nobody can push one, nor delete one; a push creates no repository', async () => {
  const { at, moment } = await setUp();
  const image = await pushImage(at, 'shop/web', 'one', ['latest']);
  const tag = `latest.at.${await moment()}`;
  const refusedAs = (code: ErrorCode) =>
    expect.objectContaining({ refusal: expect.objectContaining({ refused: code }) as unknown }) as unknown;
  const ask = (query = '', actor = at.owner) => exchangeOf(at, actor, query);
  await expect(putManifest(ask(), nameOf('shop/new'), tag)).rejects.toEqual(refusedAs('TAG_OF_THE_PAST'));
  await expect(putManifest(ask(`tag=a&tag=${tag}`), nameOf('shop/new'), image.digest)).rejects.toEqual(
    refusedAs('TAG_OF_THE_PAST'),
  );
  expect(await uidOf(at, 'shop/new')).toBeUndefined();
  await expect(deleteReference(ask(), nameOf('shop/web'), tag)).rejects.toEqual(refusedAs('TAG_OF_THE_PAST'));
  const stranger: Actor = { kind: 'user', uid: at.newId(), authentication: 'password' };
  await expect(deleteReference(ask('', stranger), nameOf('shop/web'), tag)).rejects.toEqual(refusedAs('DENIED'));
});
