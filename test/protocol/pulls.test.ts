import { afterAll, expect, test } from 'vitest';

import { randomImage, type Answer } from '../support/client.js';
import { waitFor } from '../support/processes.js';
import { startServer } from '../support/server.js';
import { freshName, keepAliveClient } from './shape.js';

const server = await startServer();
const client = keepAliveClient(server);
afterAll(async () => {
  client.close();
  await server.remove();
});

interface Counted {
  readonly digest: string;
  readonly pulls: number;
  readonly lastPulled?: string;
}

/** What the API says of a manifest of an image of two parts. */
async function counted(name: string, digest: string): Promise<Counted> {
  const [project = '', repository = ''] = name.split('/');
  const path = `/api/v1/projects/${project}/repositories/${repository}/digests/${digest}`;
  return (await client.request('GET', path, { auth: 'basic' })).expect(200).json() as Counted;
}

/** What a server counts comes into the store within 5 s, and a tenth of it; a loaded machine takes longer. */
function untilCounted(name: string, digest: string, pulls: number): Promise<Counted> {
  return waitFor(
    async () => {
      const found = await counted(name, digest);
      return found.pulls >= pulls ? found : undefined;
    },
    20_000,
    () => `fewer than ${pulls} pulls of ${name}@${digest}`,
  );
}

async function pushed(name: string): Promise<string> {
  const image = randomImage({ layerBytes: 500 });
  await client.pushImage(name, 'v1', image);
  return image.manifest.digest;
}

const times = async (count: number, pull: () => Promise<Answer>): Promise<void> => {
  for (let time = 0; time < count; time += 1) (await pull()).expect(200);
};

const conditional = (name: string, digest: string) =>
  client.request('GET', `/v2/${name}/manifests/v1`, { headers: { 'if-none-match': `"${digest}"` } });

test(
  'a GET of a manifest is a pull, by tag, by digest and by a tag of the past; nothing else is',
  { timeout: 60_000 },
  async () => {
    const name = freshName();
    const digest = await pushed(name);
    expect(await counted(name, digest)).not.toHaveProperty('lastPulled');
    await times(3, () => client.headManifest(name, 'v1'));
    (await conditional(name, digest)).expect(304);
    (await client.getManifest(name, 'v2')).expect(404);
    (await client.request('GET', `/v2/${name}/manifests/v1`, { auth: 'none' })).expect(401);

    await times(2, () => client.getManifest(name, 'v1'));
    await times(2, () => client.getManifest(name, digest));
    const past = `v1.at.${new Date().toISOString().replaceAll(':', '-')}`;
    const ofThePast = await waitFor(
      async () => {
        const answer = await client.getManifest(name, past);
        return answer.status === 200 ? answer : undefined;
      },
      20_000,
      () => `${past} is not there`,
    );
    expect(ofThePast.header('docker-content-digest')).toBe(digest);

    const { pulls, lastPulled = '' } = await untilCounted(name, digest, 5);
    expect(pulls).toBe(5);
    expect(Math.abs(Date.parse(lastPulled) - Date.now())).toBeLessThan(60_000);
  },
);

test(
  'a server that is stopped writes down what it counted; one that is killed loses what is younger than 5 s',
  {
    timeout: 120_000,
  },
  async () => {
    const name = freshName();
    const digest = await pushed(name);
    await times(2, () => client.getManifest(name, 'v1'));
    await server.restart();
    expect((await counted(name, digest)).pulls).toBe(2);

    await times(3, () => client.getManifest(name, 'v1'));
    await untilCounted(name, digest, 5);
    await times(4, () => client.getManifest(name, 'v1'));
    await server.kill();
    await server.restart();
    const { pulls } = await counted(name, digest);
    expect(pulls).toBeGreaterThanOrEqual(5);
    expect(pulls).toBeLessThanOrEqual(9);
    await times(1, () => client.getManifest(name, digest));
    expect((await untilCounted(name, digest, pulls + 1)).pulls).toBe(pulls + 1);
  },
);

test('pulls of many clients at once are all counted', { timeout: 60_000 }, async () => {
  const name = freshName();
  const digest = await pushed(name);
  await Promise.all(Array.from({ length: 8 }, () => times(50, () => client.getManifest(name, 'v1'))));
  expect((await untilCounted(name, digest, 400)).pulls).toBe(400);
});
