import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';

import { RegistryClient, type Answer } from '../support/client.js';
import { startServer, type Server } from '../support/server.js';
import { faultsIn, findDamage } from './aftermath.js';

let server: Server | undefined;
afterEach(async () => {
  await server?.remove();
  server = undefined;
});

type Fields = Readonly<Record<string, unknown>>;

/** What is made in a round: how, where it is listed, and what it is called there. */
interface Making {
  readonly path: string;
  readonly body: Fields;
  readonly list: string;
  readonly isIt: (item: Fields) => boolean;
}

/** How long after it was sent a request's server is killed, in ms; the last is answered first. */
const delays = [0, 40, 60, 80, 100, 120, 140, 170, 2_000];

const makings: readonly ((round: number) => Making)[] = [
  (round) => ({
    path: 'projects',
    body: { displayName: `round ${round}` },
    list: 'projects',
    isIt: ({ displayName }) => displayName === `round ${round}`,
  }),
  (round) => ({
    path: 'projects/shop/repositories',
    body: { displayName: `round ${round}` },
    list: 'repositories',
    isIt: ({ displayName }) => displayName === `round ${round}`,
  }),
  (round) => ({
    path: 'users',
    body: { email: `round-${round}@example.test`, password: 'correct horse' },
    list: 'users',
    isIt: ({ email }) => email === `round-${round}@example.test`,
  }),
  () => ({ path: 'projects/shop/service-accounts/ci/keys', body: {}, list: 'keys', isIt: () => true }),
];

test('what a kill leaves without an answer is done once by the same request with its idempotency key', async () => {
  const running = await startServer();
  server = running;
  // A connection of a server that is gone is not taken again.
  const client = () => new RegistryClient({ url: running.url, user: running.user, password: running.password });
  const post = (path: string, body: object, key: string): Promise<Answer> =>
    client().request('POST', `/api/v1/${path}`, {
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    });
  const listed = async ({ path, list, isIt }: Making): Promise<readonly Fields[]> => {
    const answer = (await client().request('GET', `/api/v1/${path}?limit=1000`)).expect(200);
    return ((answer.json() as Fields)[list] as readonly Fields[]).filter(isIt);
  };
  (await post('projects', { id: 'shop' }, 'shop')).expect(201);
  (await post('projects/shop/service-accounts', { id: 'ci' }, 'ci')).expect(201);

  let unanswered = 0;
  let keys = 0;
  const found = { made: 0, missing: 0 };
  for (const [round, delay] of delays.entries()) {
    const all = makings.map((making) => making(round));
    const before = await Promise.all(all.map(listed));
    const sent = all.map(({ path, body }) => post(path, body, `round-${round}`).catch(() => undefined));
    await Promise.race([Promise.all(sent), sleep(delay)]);
    await running.kill();
    const answers = await Promise.all(sent);
    unanswered += answers.filter((answer) => answer === undefined).length;
    await running.restart();

    for (const [index, making] of all.entries()) {
      const known = await listed(making);
      const isThere = known.length > (before[index]?.length ?? 0);
      found[isThere ? 'made' : 'missing'] += 1;
      const again = await post(making.path, making.body, `round-${round}`);
      const now = await listed(making);
      expect(now).toHaveLength((before[index]?.length ?? 0) + 1);
      if (making.list === 'keys') {
        // Its private half was in the answer that is lost, and nowhere else: it is named, to be revoked.
        keys += 1;
        expect([again.status, now.length]).toEqual([isThere ? 409 : 201, keys]);
        if (isThere) expect(again.text()).toContain('KEY_SHOWN_BEFORE');
        continue;
      }
      const first = answers[index];
      if (first !== undefined) expect(again.json()).toEqual(first.expect(201).json());
      expect((again.expect(201).json() as Fields)['uid']).toBe(now[0]?.['uid']);
      if (isThere) expect(now).toEqual(known);
    }
  }
  // The kills fell on both sides of a commit.
  expect(found.made).toBeGreaterThan(0);
  expect(found.missing).toBeGreaterThan(0);
  process.stderr.write(
    `management: ${unanswered} of ${delays.length * makings.length} requests without an answer, ${found.made} had been carried out\n`,
  );
  expect(faultsIn(running.log()).slice(0, 5)).toEqual([]);
  await running.stop();
  expect(await findDamage(running)).toEqual([]);
}, 180_000);
