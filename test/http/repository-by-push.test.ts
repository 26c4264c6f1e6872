import { expect, test } from 'vitest';

import { RefusalError } from '../../src/errors.js';
import type { Role } from '../../src/events/types.js';
import type { Exchange } from '../../src/http/exchange.js';
import { ensureRepository } from '../../src/http/repository-by-push.js';
import type { TokenAccess } from '../../src/identity/scopes.js';
import { findTarget } from '../../src/projections/targets.js';
import { create, grant, nameOf, simulate } from '../commands/fixture.js';

/** What somebody with the role on the project `p`, which has the repository `p/there`, is told of a push. */
async function refusalOf(role: Role | undefined, name: string, access?: readonly TokenAccess[]): Promise<string> {
  const at = await simulate();
  await create(at, 'p/there');
  const uid = at.newId();
  const { project } = await at.store.read((reading) => findTarget(reading, at.owner, nameOf('p/there')));
  if (project === undefined) throw new Error('no project');
  if (role !== undefined) await grant(at, uid, project.uid, role);
  const exchange = {
    services: {
      executor: at.executor,
      config: { createOnPush: true, scanOnPush: false },
      newId: at.newId,
      hashClient: () => '0'.repeat(64),
      inTurn: (_key: string, task: () => Promise<unknown>) => task(),
    },
    caller: { actor: { kind: 'user', uid, authentication: 'password' }, access, viaToken: access !== undefined },
    request: { told: {}, headers: {}, ip: '127.0.0.1' },
  } as unknown as Exchange;
  try {
    await ensureRepository(exchange, nameOf(name));
    return 'nothing';
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal.refused;
    throw error;
  }
}

test.each([
  [undefined, 'DENIED', 'DENIED'],
  ['viewer', 'REPOSITORY_NEEDS_OWNER', 'DENIED'],
  ['editor', 'REPOSITORY_NEEDS_OWNER', 'nothing'],
  ['owner', 'nothing', 'nothing'],
] as const)('a push as %s to what is not there is %s, to what is there %s', async (role, missing, there) => {
  expect(await refusalOf(role, 'p/missing')).toBe(missing);
  expect(await refusalOf(role, 'p/there')).toBe(there);
});

test("an owner's token that was not given for the push is asked for a wider one", async () => {
  expect(await refusalOf('owner', 'p/missing', [{ type: 'repository', name: 'p/missing', actions: ['pull'] }])).toBe(
    'SCOPE_INSUFFICIENT',
  );
});
