import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';

import { clientOf, randomImage } from '../support/client.js';
import { startServer, type Server } from '../support/server.js';
import { faultsIn, findDamage } from './aftermath.js';
import { check, repositories, seeded, work, type Pusher } from './pushers.js';

const kills = Number(process.env['ARTS_TEST_KILLS'] ?? 15);
const seed = Number(process.env['ARTS_TEST_SEED'] ?? randomInt(2 ** 31));
const PUSHERS = 5;

let server: Server | undefined;
afterEach(async () => {
  await server?.remove();
  server = undefined;
});

// An hour for the full run; a normal one takes half a minute.
test(
  `nothing acknowledged is lost, and nothing is left over, by ${kills} kills (ARTS_TEST_SEED=${seed})`,
  { timeout: 3_600_000 },
  async () => {
    const started = performance.now();
    const random = seeded(seed);
    const running = await startServer({ env: { ARTS_UPLOAD_IDLE_SECS: '600' } });
    server = running;
    const stopping = new AbortController();
    const pushers: Promise<Pusher>[] = Array.from({ length: PUSHERS }, (_, number) =>
      work(clientOf(running), { seed, number, stopping: stopping.signal }),
    );
    for (let kill = 0; kill < kills; kill += 1) {
      await sleep(20 + random() ** 2 * 1_500);
      await running.kill();
      await running.restart();
    }
    await sleep(200);
    stopping.abort();
    const results = await Promise.all(pushers);

    const surprises = results.flatMap((result) => result.surprises);
    expect(surprises.slice(0, 3)).toEqual([]);
    expect((await check(clientOf(running), results)).slice(0, 5)).toEqual([]);
    expect(faultsIn(running.log()).slice(0, 5)).toEqual([]);
    await running.stop();
    expect(await findDamage(running)).toEqual([]);

    const total = (what: keyof Pusher['counts']): number => results.reduce((sum, { counts }) => sum + counts[what], 0);
    const tags = results.reduce((sum, { beliefs }) => sum + beliefs.size, 0);
    process.stderr.write(
      `sigkill: seed ${seed}, ${kills} kills in ${Math.round((performance.now() - started) / 1_000)} s; ${total('pushed')} images pushed, ` +
        `${total('deleted')} deleted, ${total('mounted')} blobs mounted, ${total('lost')} requests without an answer, ` +
        `${total('resumed')} uploads resumed; ${tags} tags checked\n`,
    );
    expect(total('pushed')).toBeGreaterThan(kills);
  },
);

test('what a manifest PUT acknowledged is there after a kill that follows its answer at once', async () => {
  const running = await startServer();
  server = running;
  const client = clientOf(running);
  for (let round = 0; round < 4; round += 1) {
    const image = randomImage({ layerBytes: round % 2 === 0 ? 500 : 200_000 });
    const name = repositories[round % repositories.length] ?? 'shop/web';
    await client.pushImage(name, `round-${round}`, image);
    await running.kill();
    await running.restart();
    expect((await client.pullImage(name, `round-${round}`)).manifest.digest).toBe(image.manifest.digest);
  }
  await running.stop();
  expect(await findDamage(running)).toEqual([]);
});
