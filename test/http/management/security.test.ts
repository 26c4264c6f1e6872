import { beforeAll, describe, expect, test } from 'vitest';

import { pushImage } from '../../commands/fixture.js';
import { base, openManagement, type Management } from './fixture.js';
import { bodies, fill, type Fields, type Operation, operationsOf } from './valid-requests.js';

let api: Management;
let operations: readonly Operation[];
beforeAll(async () => {
  api = await openManagement();
  operations = await operationsOf(api);
  await fill(api);
  for (const on of ['/projects/team/members', '/projects/team/repositories/backend/permissions']) {
    await api.done('POST', on, { principal: 'allUsers', role: 'artifact_store_viewer' });
  }
});

const accepts = (operation: Operation, scheme: string) => operation.security.some((one) => Object.hasOwn(one, scheme));

/** As the description has it, all that it needs and no more. */
const requestOf = ({ method, path, id }: Operation) => {
  const target = `${base}${path}`;
  return { method, target, body: bodies[id] };
};

// What would take away what the others are asked of is asked of it last.
const inOrder = (all: readonly Operation[]) =>
  all.toSorted((left, right) => Number(left.method === 'DELETE') - Number(right.method === 'DELETE'));

test('an operation that says that it takes no token takes none, whatever its scope', async () => {
  const access = [{ type: 'repository', name: 'team/backend', actions: ['pull', 'push', 'delete', '*'] }] as never;
  for (const operation of inOrder(operations).filter((one) => !accepts(one, 'bearer'))) {
    const { method, target, body } = requestOf(operation);
    const { status, body: problem } = await api.send(method, target, {
      as: { ...api.owner, access },
      ...(body === undefined ? {} : { body }),
    });
    expect([status, operation.id], JSON.stringify(problem)).toEqual([401, operation.id]);
  }
});

test('an operation that is for nobody in particular where it is public says so, and no other', async () => {
  for (const operation of inOrder(operations)) {
    const { method, target, body } = requestOf(operation);
    const { status, body: problem } = await api.send(method, target, { as: 'nobody', ...(body === undefined ? {} : { body }) });
    const isOpen = operation.security.some((one) => Object.keys(one).length === 0);
    expect([status < 300, operation.id], JSON.stringify(problem)).toEqual([isOpen, operation.id]);
    if (!isOpen) expect(status, operation.id).toBe(401);
  }
});

describe('a token', () => {
  test('of what an operation says is enough for it, and of less is not', async () => {
    for (const operation of inOrder(operations).filter((one) => accepts(one, 'bearer'))) {
      const actions = operation.security.find((one) => 'bearer' in one)?.['bearer'] ?? [];
      const { method, target, body } = requestOf(operation);
      const by = (given: readonly string[]) => {
        const access = [{ type: 'repository', name: 'team/backend', actions: given }] as never;
        return api.send(method, target, { as: { ...api.owner, access }, ...(body === undefined ? {} : { body }) });
      };
      for (const missing of actions) {
        const answer = await by(actions.filter((one) => one !== missing));
        expect([answer.status, operation.id]).toEqual([401, operation.id]);
      }
      // What an operation before took away.
      await pushImage(api.at, 'team/backend', 'one', ['latest']);
      const answer: { readonly status: number; readonly body: Fields } = await by(actions);
      expect([answer.status < 300, operation.id], JSON.stringify(answer.body)).toEqual([true, operation.id]);
    }
  });
});
