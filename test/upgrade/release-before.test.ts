import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { registered } from '../../src/projections/registered.js';
import { clientOf, randomImage, type Answer, type Image, type RegistryClient } from '../support/client.js';
import { hasCommit, makeRelease, type Release } from '../support/next-release.js';
import { run, waitFor } from '../support/processes.js';
import { startServer, storeSettings, type Server } from '../support/server.js';
import { makeKey, makeServiceAccount, revokeKey } from '../support/service-account.js';

// Release 0.3.0, which knows neither roles on repositories nor settings, is replaced by this one on its store.

/** Of release 0.3.0, in this repository. */
const RELEASE_BEFORE = '5511936';

const isThere = await hasCommit(RELEASE_BEFORE);
if (!isThere) process.stderr.write(`SKIPPED the upgrade from 0.3.0: the history of this copy has no commit ${RELEASE_BEFORE}\n`);

const json = { 'content-type': 'application/json' };
const guest = { email: 'guest@example.test', password: 'guest of the registry' };

/** Pulls all that was there before from each server in turn, until it is told to stop: what failed, and how often all went well. */
class SteadyPulls {
  readonly failed: string[] = [];
  rounds = 0;
  #stopping = false;
  readonly #servers: () => readonly Server[];
  readonly #images: ReadonlyMap<string, Image>;
  readonly #loop: Promise<void>;

  /** `servers`: asked once for each round. */
  constructor(servers: () => readonly Server[], images: ReadonlyMap<string, Image>) {
    this.#servers = servers;
    this.#images = images;
    this.#loop = this.#work();
  }

  /** Until a round that begins after now has ended. */
  async nextRound(): Promise<void> {
    const end = this.rounds + 2;
    await waitFor(
      () => Promise.resolve(this.rounds >= end || undefined),
      30_000,
      () => `only ${this.rounds} rounds were pulled, not ${end}`,
    );
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#loop;
  }

  async #work(): Promise<void> {
    while (!this.#stopping) {
      for (const server of this.#servers()) {
        for (const [reference, image] of this.#images) {
          const [name = '', tag = ''] = reference.split(':');
          try {
            const pulled = await clientOf(server).pullImage(name, tag);
            if (pulled.manifest.digest !== image.manifest.digest) this.failed.push(`${reference} is ${pulled.manifest.digest}`);
          } catch (error) {
            this.failed.push(`${reference} of ${server.host}: ${error instanceof Error ? error.message : String(error)}`);
          }
        }
      }
      this.rounds += 1;
      await sleep(50);
    }
  }
}

describe.runIf(isThere)('a store of release 0.3.0', () => {
  let before: Release;
  let old: Server;
  let server: Server;
  let owner: RegistryClient;
  let pulls: SteadyPulls;
  let answering: readonly Server[] = [];
  const images = new Map<string, Image>();

  beforeAll(async () => {
    before = await makeRelease({ version: '0.3.0', commit: RELEASE_BEFORE });
    old = await startServer({ program: before.main });
    for (const reference of ['shop/web:latest', 'shop/web/worker:v1', 'team/app:latest']) {
      const [name = '', tag = ''] = reference.split(':');
      const image = randomImage();
      await clientOf(old).pushImage(name, tag, image);
      images.set(reference, image);
    }
    answering = [old];
    pulls = new SteadyPulls(() => answering, images);
    server = await startServer({ directory: old.directory });
    owner = clientOf(server);
    answering = [old, server];
  }, 120_000);

  afterAll(async () => {
    await pulls.stop();
    await server.remove();
    await old.remove();
  });

  const send = (method: string, path: string, body?: object, as: RegistryClient = owner): Promise<Answer> =>
    as.request(method, `/api/v1/${path}`, body === undefined ? {} : { headers: json, body: JSON.stringify(body) });

  test('is served by both at once; what only the new one knows waits for the end of the old one', async () => {
    await waitFor(
      async () => {
        const { builds = [] } = (await owner.request('GET', '/readyz')).expect(200).json() as {
          readonly builds?: readonly { readonly phase: string }[];
        };
        return builds.some(({ phase }) => phase === 'waiting for servers') || undefined;
      },
      60_000,
      () => server.log(),
    );
    const [first, second] = [randomImage(), randomImage()];
    await clientOf(old).pushImage('shop/web', 'by-the-old', first);
    await owner.pushImage('shop/web', 'by-the-new', second);
    expect((await owner.pullImage('shop/web', 'by-the-old')).manifest.digest).toBe(first.manifest.digest);
    expect((await clientOf(old).pullImage('shop/web', 'by-the-new')).manifest.digest).toBe(second.manifest.digest);

    const waiting = [
      await send('POST', 'users', guest),
      await send('POST', 'organizations', { id: 'acme' }),
      await send('POST', 'projects/shop/service-accounts', { id: 'ci' }),
      await send('POST', 'projects/shop/repositories/web/permissions', { principal: 'allUsers', role: 'artifact_store_viewer' }),
      await send('PATCH', 'projects/shop/repositories/web', { immutableTags: true }),
      await send('POST', `content/${first.manifest.digest}/erase`),
    ];
    expect(waiting.map(({ request, status }) => `${request} ${status}`)).toEqual(waiting.map(({ request }) => `${request} 503`));
    // What the old one could not read was not written: it goes on.
    (await clientOf(old).request('GET', '/readyz')).expect(200);
    await clientOf(old).pushImage('shop/web', 'by-the-old', randomImage());
  });

  test('is the new one’s when the old one has ended', async () => {
    answering = [server];
    await pulls.nextRound();
    expect(await old.stop()).toEqual({ code: 0, signal: null });
    const made = await waitFor(
      async () => {
        const answer = await send('POST', 'users', guest);
        return answer.status === 503 ? undefined : answer;
      },
      60_000,
      () => server.log(),
    );
    expect(made.status, made.text()).toBe(201);
    await waitFor(
      async () =>
        (await send('PATCH', 'projects/shop/repositories/web', { description: 'upgraded' })).status === 200 || undefined,
      60_000,
      () => server.log(),
    );
  });

  test('has roles, settings and service accounts from then on', async () => {
    const visitor = owner.as(guest.email, guest.password);
    (await visitor.headManifest('shop/web', 'latest')).expect(401, 403, 404);
    const members = 'projects/shop/repositories/web/permissions';
    (await send('POST', members, { principal: guest.email, role: 'artifact_store_viewer' })).expect(201);
    // The token that was kept was bought before, for nothing.
    visitor.forgetTokens();
    expect((await visitor.pullImage('shop/web', 'latest')).manifest.digest).toBe(images.get('shop/web:latest')?.manifest.digest);
    await expect(visitor.pushImage('shop/web', 'mine', randomImage())).rejects.toThrow(/was answered (?:401|403)/);
    (await send('DELETE', `${members}/${encodeURIComponent(guest.email)}`)).expect(204);
    (await visitor.headManifest('shop/web', 'latest')).expect(401, 403, 404);

    (await send('PATCH', 'projects/shop/repositories/web', { immutableTags: true })).expect(200);
    await expect(owner.pushImage('shop/web', 'latest', randomImage())).rejects.toThrow(/was answered 4/);
    (await send('PATCH', 'projects/shop/repositories/web', { immutableTags: false })).expect(200);

    const key = await makeServiceAccount(owner, 'shop', 'ci');
    const machine = owner.as('_json_key', key.text);
    await machine.pushImage('shop/web', 'by-a-machine', randomImage());
    const another = await makeKey(owner, key);
    await revokeKey(owner, key);
    (await machine.headManifest('shop/web', 'by-a-machine')).expect(401);
    (await owner.as('_json_key', another.text).headManifest('shop/web', 'by-a-machine')).expect(200);
  });

  test('was pulled from all the time, as before', async () => {
    await pulls.nextRound();
    await pulls.stop();
    expect(pulls.failed).toEqual([]);
  });

  test('has indexes that equal its folded log, and is not opened by the old one any more', async () => {
    const verified = await run(process.execPath, ['dist/main.js', 'projections', 'verify', '--all'], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, ...storeSettings(old.directory) },
      timeoutMs: 120_000,
    });
    expect(verified.code, verified.output).toBe(0);
    expect(verified.output.match(/equals the folded log/g)?.length).toBe(registered.length);
    const again = await before.command(['serve'], { ...storeSettings(old.directory), ARTIFACT_STORE_ADDRESS: old.host });
    expect(again.code, again.output).toBe(1);
    expect(again.stderr).toMatch(/start the release that wrote them|does not know it/);
  });
});
