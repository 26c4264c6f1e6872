import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';

import { readConfig } from '../../src/config.js';
import { createLog } from '../../src/events/log.js';
import { subscribe } from '../../src/events/subscribe.js';
import type { RecordedEvent } from '../../src/events/types.js';
import { openRegistry } from '../../src/open-registry.js';
import { faultsIn, findDamage } from '../crash/aftermath.js';
import { check, seeded, work, type Pusher } from '../crash/pushers.js';
import { clientOf, digestsOf, randomImage, RegistryClient, type Answer, type RequestOptions } from '../support/client.js';
import { temporaryFolder, waitFor } from '../support/processes.js';
import { startServer, storeSettings, type Server } from '../support/server.js';

const kills = Number(process.env['ARTS_TEST_KILLS'] ?? 8);
const seed = Number(process.env['ARTS_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
// Shorter than any lease or retry of ours: whoever waited for a dead server would show.
const LONGEST_REQUEST_MS = 8_000;

let servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await servers[0]?.remove();
  servers = [];
});

/** Two servers on one database and one folder of blobs. */
async function startTwo(env: Readonly<Record<string, string>> = {}): Promise<readonly [Server, Server]> {
  const directory = temporaryFolder('servers');
  const one = await startServer({ directory, env });
  servers.push(one);
  const two = await startServer({ directory, env });
  servers.push(two);
  return [one, two];
}

async function expectWhole(all: readonly Server[]): Promise<void> {
  expect(all.flatMap((server) => faultsIn(server.log())).slice(0, 5)).toEqual([]);
  await Promise.all(all.map((server) => server.stop()));
  const [first] = all;
  expect(first && (await findDamage(first))).toEqual([]);
}

/** Every event of the registry's log. */
async function eventsOf(server: Server): Promise<readonly RecordedEvent[]> {
  const registry = await openRegistry(readConfig(storeSettings(server.directory)), false);
  try {
    const { database, keyspaces } = registry.store;
    const limits = { limit: 100_000, targetBytes: 1e8 };
    return (await database.read((tx) => createLog(keyspaces.registry).readFrom(tx, 1, undefined, limits))).events;
  } finally {
    await registry.close();
  }
}

test('pushes of the same images to both at once are each whole, and every blob is stored once', async () => {
  const [one, two] = await startTwo();
  const images = Array.from({ length: 12 }, () => randomImage({ layerBytes: 40_000 }));
  const hows = ['monolithic', 'single', 'chunked', 'streamed'] as const;
  for (const [number, image] of images.entries()) {
    const how = hows[number % hows.length] ?? 'single';
    const names = number % 2 === 0 ? ['shop/web', 'shop/web'] : ['shop/web', 'shop/api'];
    await Promise.all(
      [one, two].map((server, at) =>
        clientOf(server).pushImage(names[at] ?? '', `v${number}`, image, { how, chunkBytes: 15_000 }),
      ),
    );
    for (const [at, server] of [two, one].entries()) {
      expect(digestsOf(await clientOf(server).pullImage(names[at] ?? '', `v${number}`))).toEqual(digestsOf(image));
    }
  }
  await expectWhole([one, two]);
  const stored = (await eventsOf(one)).flatMap(({ payload }) => (payload.kind === 'BlobStored' ? [payload.digest] : []));
  expect(stored.length).toBe(new Set(stored).size);
});

test('what one answered is what the other says from then on: tags moved and deleted, manifests, roles of repositories made by a push', async () => {
  const both = await startTwo();
  const clients = both.map((server) => clientOf(server));
  const images = Array.from({ length: 4 }, () => randomImage());
  const [first] = clients;
  for (const image of images) await first?.pushImage('shop/web', image.manifest.digest, image);
  for (let round = 0; round < 40; round += 1) {
    const [mine, other] = [clients[round % 2], clients[(round + 1) % 2]];
    const { manifest } = images[round % images.length] ?? expect.fail();
    if (mine === undefined || other === undefined) throw new Error('there are two');
    // Both have it in their caches by now.
    await mine.getManifest('shop/web', 'moving');
    await mine.pushManifest('shop/web', 'moving', manifest);
    expect((await other.pullManifest('shop/web', 'moving')).digest).toBe(manifest.digest);
    if (round % 5 !== 4) continue;
    (await mine.deleteManifest('shop/web', 'moving')).expect(202);
    (await other.getManifest('shop/web', 'moving')).expect(404);
  }
  await first?.pushImage('fresh/one', 'v1', images[0] ?? expect.fail());
  expect(await clients[1]?.catalog()).toContain('fresh/one');
  expect(await clients[1]?.tags('fresh/one')).toEqual(['v1']);
  await expectWhole(both);
});

test('a token of one is good at the other', async () => {
  const [one, two] = await startTwo();
  await clientOf(one).pushImage('shop/web', 'v1', randomImage());
  const token = await clientOf(one).token(['repository:shop/web:pull']);
  (await new RegistryClient({ url: two.url }).request('GET', '/v2/shop/web/manifests/v1', { auth: { token } })).expect(200);
  // Also of one whose key was made after the other had started.
  const back = await clientOf(two).token(['repository:shop/web:pull']);
  (await new RegistryClient({ url: one.url }).request('GET', '/v2/shop/web/manifests/v1', { auth: { token: back } })).expect(200);
});

test('an append at one process wakes a subscriber in another by its watch', async () => {
  const [one, two] = await startTwo();
  const image = randomImage();
  for (const server of [one, two]) await clientOf(server).pushImage('shop/web', 'v0', image);
  const registry = await openRegistry(readConfig(storeSettings(one.directory)), false);
  const { database, keyspaces } = registry.store;
  const tags = new Set<string>();
  // A poll would come in an hour.
  const options = { after: undefined, pollMs: 3_600_000, incarnation: () => Promise.resolve(1) };
  const subscription = subscribe(createLog(keyspaces.registry), database, options, (batch) => batch.events).subscribe(
    ({ payload }) => payload.kind === 'TagMoved' && tags.add(payload.tag),
  );
  try {
    await waitFor(
      () => Promise.resolve(tags.has('v0') || undefined),
      20_000,
      () => 'the subscriber saw nothing',
    );
    const waits: number[] = [];
    for (let round = 1; round <= 20; round += 1) {
      const client = clientOf(round % 2 === 0 ? one : two);
      await client.pushManifest('shop/web', `v${round}`, image.manifest);
      const answered = performance.now();
      await waitFor(
        () => Promise.resolve(tags.has(`v${round}`) || undefined),
        20_000,
        () => `v${round} was not told`,
      );
      waits.push(performance.now() - answered);
    }
    waits.sort((left, right) => left - right);
    process.stderr.write(`several servers: a subscriber in another process saw a push ${shown(waits)} after its answer\n`);
    expect(waits.at(-1)).toBeLessThan(5_000);
  } finally {
    subscription.unsubscribe();
    await registry.close();
  }
});

const shown = (sorted: readonly number[]): string =>
  `${Math.round(sorted[sorted.length >> 1] ?? 0)} ms (median), at most ${Math.round(sorted.at(-1) ?? 0)} ms`;

/** Tells how long each request took. */
class Timed extends RegistryClient {
  readonly took: number[] = [];

  override async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const began = performance.now();
    try {
      return await super.request(method, path, options);
    } finally {
      this.took.push(performance.now() - began);
    }
  }
}

describe(`a server that is killed ${kills} times (ARTS_TEST_SEED=${seed})`, () => {
  test(
    'holds nothing that the other waits for, and nothing that was acknowledged by either is lost',
    { timeout: 600_000 },
    async () => {
      const [killed, other] = await startTwo({ ARTS_UPLOAD_IDLE_SECS: '600' });
      const random = seeded(seed);
      const stopping = new AbortController();
      const { signal } = stopping;
      const timed = [0, 1].map(() => new Timed({ url: other.url, user: other.user, password: other.password }));
      const onKilled = [0, 1].map((number) => work(clientOf(killed), { seed, number, stopping: signal }));
      const onOther = timed.map((client, number) => work(client, { seed, number: 10 + number, stopping: signal }));
      for (let kill = 0; kill < kills; kill += 1) {
        await sleep(20 + random() ** 2 * 1_500);
        await killed.kill();
        // The other is alone for a while.
        await sleep(random() * 500);
        await killed.restart();
      }
      await sleep(200);
      stopping.abort();
      const [ofKilled, ofOther] = [await Promise.all(onKilled), await Promise.all(onOther)];

      const all = [...ofKilled, ...ofOther];
      expect(all.flatMap(({ surprises }) => surprises).slice(0, 3)).toEqual([]);
      const total = (pushers: readonly Pusher[], what: keyof Pusher['counts']): number =>
        pushers.reduce((sum, { counts }) => sum + counts[what], 0);
      expect(total(ofOther, 'lost')).toBe(0);
      const took = timed.flatMap((client) => client.took).sort((left, right) => left - right);
      process.stderr.write(
        `several servers: seed ${seed}, ${kills} kills of one; ${total(ofKilled, 'pushed')} images pushed there, ${total(ofKilled, 'lost')} requests ` +
          `without an answer; ${total(ofOther, 'pushed')} pushed at the other, whose ${took.length} requests took ${shown(took)}\n`,
      );
      expect(took.at(-1)).toBeLessThan(LONGEST_REQUEST_MS);
      expect(total(ofOther, 'pushed')).toBeGreaterThan(kills);
      expect((await check(clientOf(other), all)).slice(0, 5)).toEqual([]);
      await expectWhole([other, killed]);
    },
  );
});
