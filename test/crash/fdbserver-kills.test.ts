import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';

import { clientOf, randomImage, type RegistryClient } from '../support/client.js';
import { findFoundationDb, startFdbServer, type FdbServer } from '../support/fdbserver.js';
import { temporaryFolder } from '../support/processes.js';
import { startServer, type Server } from '../support/server.js';
import { faultsIn, findDamage } from './aftermath.js';
import { check, seeded, work, type Pusher } from './pushers.js';

const kills = Number(process.env['ARTS_TEST_FDB_KILLS'] ?? 5);
const seed = Number(process.env['ARTS_TEST_SEED'] ?? randomInt(2 ** 31));
const PUSHERS = 5;

let server: Server | undefined;
let fdb: FdbServer | undefined;
afterEach(async () => {
  await server?.remove();
  await fdb?.kill();
  server = fdb = undefined;
});

interface Outage {
  /** From the kill to the next answer that needs the cluster; `downMs` of it fdbserver had not been started again. */
  readonly milliseconds: number;
  readonly downMs: number;
}

/** Asks for a tag all the time; an answer is needed from the cluster for each. */
class Prober {
  #lastAnswer = performance.now();
  readonly #running: Promise<void>;
  #isOver = false;

  constructor(client: RegistryClient) {
    this.#running = this.#ask(client);
  }

  /** When the first request that was sent after now is answered; undefined after two minutes. */
  async answered(): Promise<number | undefined> {
    const since = performance.now();
    while (this.#lastAnswer <= since) {
      await sleep(5);
      if (performance.now() - since > 120_000) return undefined;
    }
    return this.#lastAnswer;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #ask(client: RegistryClient): Promise<void> {
    while (!this.#isOver) {
      const sent = performance.now();
      const answer = await client.headManifest('shop/probe', 'v1').catch(() => undefined);
      if (answer?.status === 200) this.#lastAnswer = sent;
      await sleep(10);
    }
  }
}

const isOutage = (line: string): boolean =>
  line.includes('"msg":"the database does not answer"') || line.includes('"status":503,"error":"UNAVAILABLE"');

const { programs } = findFoundationDb();
const missing = 'missing' in programs ? programs.missing : undefined;
const title = `nothing acknowledged is lost, and nothing is left over, by ${kills} kills of fdbserver (ARTS_TEST_SEED=${seed})`;
if (missing !== undefined) console.warn(`SKIPPED ${title}: ${missing}`);

test.skipIf(missing !== undefined)(missing === undefined ? title : `${title}: ${missing}`, { timeout: 1_800_000 }, async () => {
  const started = performance.now();
  const random = seeded(seed);
  const cluster = await startFdbServer({ engine: 'ssd' });
  fdb = cluster;
  const running = await startServer({
    directory: temporaryFolder('fdb-kills'),
    env: {
      ARTS_DATABASE: `fdb:${cluster.clusterFile}`,
      ARTIFACT_STORE_DIRECTORY: 'kills/registry',
      ARTS_METADATA_DIRECTORY: 'kills/platform',
      ARTS_UPLOAD_IDLE_SECS: '600',
    },
  });
  server = running;
  await clientOf(running).pushImage('shop/probe', 'v1', randomImage());
  const prober = new Prober(clientOf(running));
  const stopping = new AbortController();
  const pushers: Promise<Pusher>[] = Array.from({ length: PUSHERS }, (_, number) =>
    work(clientOf(running), { seed, number, stopping: stopping.signal, mayBeUnavailable: true }),
  );
  const outages: Outage[] = [];
  for (let kill = 1; kill <= kills; kill += 1) {
    await sleep(300 + random() ** 2 * 2_000);
    const began = performance.now();
    await cluster.kill();
    // Every fifth time it stays away for longer than the registry waits.
    await sleep(kill % 5 === 0 ? 9_000 : random() * 1_000);
    await cluster.startProcess();
    const downMs = performance.now() - began;
    const answered = await prober.answered();
    if (answered === undefined) {
      const { output } = await cluster.fdbcli('status');
      throw new Error(
        `the registry does not answer again\n${running.log().slice(-3_000)}\nfdbserver: ${cluster.isRunning()}\n${output}`,
      );
    }
    outages.push({ downMs, milliseconds: answered - began });
  }
  await sleep(1_000);
  stopping.abort();
  const results = await Promise.all(pushers);
  await prober.stop();

  const total = (what: keyof Pusher['counts']): number => results.reduce((sum, { counts }) => sum + counts[what], 0);
  const tags = results.reduce((sum, { beliefs }) => sum + beliefs.size, 0);
  const seconds = (values: readonly number[]): string =>
    [...values]
      .sort((left, right) => left - right)
      .filter((_, at) => at === 0 || at === values.length >> 1 || at === values.length - 1)
      .map((value) => (value / 1_000).toFixed(1))
      .join(', ');
  process.stderr.write(
    `fdbserver: seed ${seed}, ${kills} kills in ${Math.round((performance.now() - started) / 1_000)} s; ${total('pushed')} images pushed, ` +
      `${total('deleted')} deleted, ${total('mounted')} blobs mounted, ${total('unavailable')} requests answered 503, ${total('lost')} not answered; ` +
      `${tags} tags; no answer for ${seconds(outages.map(({ milliseconds }) => milliseconds))} s (least, median, most), ` +
      `which was ${seconds(outages.map(({ milliseconds, downMs }) => milliseconds - downMs))} s behind the start of fdbserver\n`,
  );
  expect(results.flatMap(({ surprises }) => surprises).slice(0, 3)).toEqual([]);
  expect((await check(clientOf(running), results)).slice(0, 5)).toEqual([]);
  expect(
    faultsIn(running.log())
      .filter((line) => !isOutage(line))
      .slice(0, 5),
  ).toEqual([]);
  // The server itself never ended: its first start is its last.
  expect(running.isRunning()).toBe(true);
  await running.stop();
  expect(await findDamage(running)).toEqual([]);
  expect(total('pushed')).toBeGreaterThan(kills);
});
