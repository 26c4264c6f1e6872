import { describe, expect, test } from 'vitest';

import { deleteBlob } from '../../src/commands/blob.js';
import { deleteTag } from '../../src/commands/tag.js';
import { RefusalError } from '../../src/errors.js';
import { repositoryStream, type Actor } from '../../src/events/types.js';
import type { Exchange } from '../../src/http/exchange.js';
import { organizationOperations } from '../../src/http/management/organizations.js';
import { projectOperations } from '../../src/http/management/projects.js';
import { repositoryOperations } from '../../src/http/management/repositories.js';
import type { Answer, ManagementRequest, Operation } from '../../src/http/management/route.js';
import { serviceAccountOperations } from '../../src/http/management/service-accounts.js';
import { getManifest } from '../../src/http/manifests.js';
import type { Uid } from '../../src/identifiers.js';
import type { Database, ReadTransaction } from '../../src/keyvalue/database.js';
import { SimulatedStore, VirtualClock } from '../../src/keyvalue/simulated.js';
import { blobOf, create, found, nameOf, pushImage, tagOf, uidOf, type Workplace } from '../commands/fixture.js';

type ReadsOf = (task: () => Promise<unknown>) => Promise<number>;

/** A registry with shop/web:latest, somebody who may nothing, and how many keys and ranges a task reads. */
async function setUp(): Promise<{ at: Workplace; stranger: Actor; readsOf: ReadsOf }> {
  let reads = 0;
  const counting = <Tx extends ReadTransaction>(tx: Tx): Tx =>
    new Proxy(tx, {
      get(target, property) {
        if (property === 'get' || property === 'getRange') reads += 1;
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  const simulated = new SimulatedStore({ seed: 1, clock: new VirtualClock(), faults: {} }).connect('counted');
  const database: Database = {
    quietVersions: simulated.quietVersions,
    transact: (body, options) => simulated.transact((tx) => body(counting(tx)), options),
    read: (body) => simulated.read((tx) => body(counting(tx))),
    close: () => simulated.close(),
  };
  const at = await found(database);
  await create(at, 'shop/web');
  await pushImage(at, 'shop/web', 'x', ['latest']);
  const readsOf: ReadsOf = async (task) => {
    reads = 0;
    await task();
    return reads;
  };
  return { at, stranger: { kind: 'user', uid: at.newId(), authentication: 'password' }, readsOf };
}

const query = new URLSearchParams();

const managed: readonly Operation[] = [
  ...organizationOperations,
  ...projectOperations,
  ...repositoryOperations,
  ...serviceAccountOperations,
];

/** The handlers of a reference touch no more of an exchange than this before they refuse. */
const exchangeOf = (at: Workplace, actor: Actor) =>
  ({
    services: { executor: at.executor },
    request: { told: {}, headers: {}, method: 'GET' },
    caller: { actor, access: undefined, viaToken: false },
    query,
  }) as unknown as Exchange;

const layer = blobOf('layer of x').digest;
const other = blobOf('other').digest;

test.each([
  [
    'GET of a manifest',
    (at: Workplace, actor: Actor, name: string, tag: string) =>
      expect(getManifest(exchangeOf(at, actor), nameOf(name), tag)).rejects.toThrow(RefusalError),
  ],
  [
    'GET of a tag at a time',
    (at: Workplace, actor: Actor, name: string, tag: string) =>
      expect(getManifest(exchangeOf(at, actor), nameOf(name), `${tag}.at.2025-01-01T00-00-00Z`)).rejects.toThrow(RefusalError),
  ],
  [
    'DELETE of a tag',
    async (at: Workplace, actor: Actor, name: string, tag: string) => {
      const deleted = await deleteTag(at.executor, at.context(actor), { kind: 'DeleteTag', name: nameOf(name), tag: tagOf(tag) });
      expect(deleted).toMatchObject({ refused: 'DENIED' });
    },
  ],
  [
    'DELETE of a blob',
    async (at: Workplace, actor: Actor, name: string, tag: string) => {
      const digest = tag === 'latest' ? layer : other;
      const deleted = await deleteBlob(at.executor, at.context(actor), { kind: 'DeleteBlob', name: nameOf(name), digest });
      expect(deleted).toMatchObject({ refused: 'DENIED' });
    },
  ],
] as const)('a %s by a stranger reads the same, whatever is there: no time tells', async (_, ask) => {
  const { at, stranger, readsOf } = await setUp();
  const there = await readsOf(() => ask(at, stranger, 'shop/web', 'latest'));
  expect(there).toBeGreaterThan(0);
  expect(await readsOf(() => ask(at, stranger, 'shop/web', 'none'))).toBe(there);
  expect(await readsOf(() => ask(at, stranger, 'shop/none', 'latest'))).toBe(there);
});

async function grantOnRepository(at: Workplace, { uid }: Actor, repository: Uid): Promise<void> {
  if (uid === undefined) throw new Error('nobody to grant a role to');
  const payload = { kind: 'RoleGranted', principal: { kind: 'user', uid }, role: 'viewer' } as const;
  await at.executor.execute<boolean>(at.context(), () =>
    Promise.resolve({ events: [{ stream: repositoryStream(repository), payload }], outcome: true }),
  );
}

/** What the management API reads for an operation, as its route asks for it. */
function run(at: Workplace, actor: Actor, id: string, params: object, asked: object = {}): Promise<Answer> {
  const found = managed.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no operation ${id}`);
  const exchange = exchangeOf(at, actor);
  return found.run({ exchange, params, query: asked, body: undefined, path: '/' } as unknown as ManagementRequest);
}

describe.each(['a stranger', 'nobody'])('of the management API, by %s', (who) => {
  const asActor = (stranger: Actor): Actor => (who === 'nobody' ? { kind: 'anonymous', authentication: 'none' } : stranger);

  test.each(['listRepositories', 'getProject', 'listServiceAccounts'])(
    '%s reads the same, whether the project is there and however many repositories it has',
    async (id) => {
      const { at, stranger, readsOf } = await setUp();
      const refused = (project: string) =>
        readsOf(() => expect(run(at, asActor(stranger), id, { project })).rejects.toThrow(RefusalError));
      const few = await refused('shop');
      expect(few).toBeGreaterThan(0);
      expect(await refused('none')).toBe(few);
      for (const name of ['api', 'base', 'cli']) await create(at, `shop/${name}`);
      expect(await refused('shop')).toBe(few);
    },
  );

  test('getOrganization reads the same, whether it is there', async () => {
    const { at, stranger, readsOf } = await setUp();
    const refused = (organization: string) =>
      readsOf(() => expect(run(at, asActor(stranger), 'getOrganization', { organization })).rejects.toThrow(RefusalError));
    expect(await refused('none')).toBe(await refused('default'));
  });
});

test('who has a role elsewhere reads as much of a project without one as of one that is not there', async () => {
  const { at, stranger, readsOf } = await setUp();
  await create(at, 'other/web');
  const other = await uidOf(at, 'other/web');
  if (other === undefined) throw new Error('nothing to have a role on');
  await grantOnRepository(at, stranger, other);
  const refused = (project: string) =>
    readsOf(() => expect(run(at, stranger, 'listRepositories', { project })).rejects.toThrow(RefusalError));
  expect(await refused('none')).toBe(await refused('shop'));
  const { body } = await run(at, stranger, 'listRepositories', { project: 'other' });
  expect(body).toMatchObject({ repositories: [{ id: 'web' }] });
});

test('the projects of an organization are read by who has a role there, whatever it has', async () => {
  const { at, stranger, readsOf } = await setUp();
  const listed = (organization: string) =>
    readsOf(async () => {
      const { body } = await run(at, stranger, 'listProjects', {}, { organization });
      expect(body).toEqual({ projects: [] });
    });
  const few = await listed('default');
  expect(await listed('none')).toBe(few);
  for (const name of ['one', 'two', 'three']) await create(at, `${name}/web`);
  expect(await listed('default')).toBe(few);
});

test.each([
  ['listRepositories', { project: 'shop' }, 'repositories'],
  ['listProjects', {}, 'projects'],
])('%s reads no more for a page by name than the page has', async (id, params, list) => {
  const { at, readsOf } = await setUp();
  const namesOf = (round: number) => Array.from({ length: 5 }, (_, index) => `${'abcde'[index] ?? ''}${round}`);
  const make = async (round: number) => {
    for (const name of namesOf(round)) await create(at, id === 'listProjects' ? `${name}/web` : `shop/${name}`);
  };
  const page = () =>
    readsOf(async () => {
      const { body } = await run(at, at.owner, id, params, { limit: 2 });
      expect((body as Readonly<Record<string, unknown>>)[list]).toHaveLength(2);
    });
  await make(1);
  const few = await page();
  await make(2);
  expect(await page()).toBe(few);
});
