import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Uid } from '../../src/identifiers.js';
import { clientOf, randomImage } from '../support/client.js';
import { makeRelease, type Release } from '../support/next-release.js';
import { waitFor } from '../support/processes.js';
import { startServer, storeSettings, type Server } from '../support/server.js';
import { openFolder } from './registry-folder.js';

// A release that counts what happens in repositories (test/schema-changes/activity), on a store that knows nothing of it.

let old: Release;
let next: Release;
let first: Server;
const servers: Server[] = [];

async function start(release: Release, directory?: string): Promise<Server> {
  const server = await startServer({ program: release.main, ...(directory === undefined ? {} : { directory }) });
  servers.push(server);
  return server;
}

beforeAll(async () => {
  old = await makeRelease({ version: '0.2.0' });
  next = await makeRelease({ version: '0.5.0', overlay: 'activity' });
  first = await start(old);
  for (const tag of ['one', 'two', 'three']) await clientOf(first).pushImage('shop/web', tag, randomImage());
  (await clientOf(first).deleteManifest('shop/web', 'three')).expect(202);
}, 120_000);

afterAll(() => Promise.all(servers.map((server) => server.remove())));

/** What the index says of shop/web; undefined while it is not live. */
async function readCounts(): Promise<Readonly<Record<string, number>> | undefined> {
  const registry = await openFolder(next, first.directory);
  const { findProject } = await next.load('projections/projects');
  const { findRepositoryUid } = await next.load('projections/repositories');
  const { readActivity } = await next.load('projections/activity');
  try {
    return await registry.store.read(async (reading) => {
      const project = await findProject(reading, 'shop' as never);
      const repository: Uid | undefined = project && (await findRepositoryUid(reading, project.uid, 'web' as never));
      if (repository === undefined) throw new Error('shop/web is not there');
      return reading.registry.builds.has('activity') ? Object.fromEntries(await readActivity(reading, repository)) : undefined;
    });
  } finally {
    await registry.close();
  }
}

/** After so many pushes of an image with three blobs of its own, and the deletion of one. */
function after(pushes: number): Readonly<Record<string, number>> {
  return { BlobPushed: 3 * pushes, ManifestPushed: pushes, TagDeleted: 1, TagMoved: pushes };
}

async function counts(expected: Readonly<Record<string, number>>): Promise<void> {
  let seen: unknown;
  const same = async (): Promise<true | undefined> => {
    seen = await readCounts();
    return JSON.stringify(seen) === JSON.stringify(expected) ? true : undefined;
  };
  await waitFor(same, 30_000, () => `the counts are ${JSON.stringify(seen)}, not ${JSON.stringify(expected)}`);
}

test('a new async projection begins with the first event, beside a server that does not know it', async () => {
  const server = await start(next, first.directory);
  await counts(after(3));
  // Nobody needs it to write: the old server goes on.
  await clientOf(first).pushImage('shop/web', 'four', randomImage());
  await counts(after(4));
  (await clientOf(first).request('GET', '/readyz')).expect(200);

  // Each event is in it once, however its follower ends.
  await server.kill();
  await clientOf(first).pushImage('shop/web', 'five', randomImage());
  const before = await readCounts();
  expect(before).toEqual(after(4));
  const another = await start(next, first.directory);
  await counts(after(5));
  await server.restart();
  await another.kill();
  await clientOf(first).pushImage('shop/web', 'six', randomImage());
  await counts(after(6));
});

test('it is verified while it is followed', async () => {
  const { code, output } = await next.command(['projections', 'verify', '--all'], storeSettings(first.directory));
  expect(code, output).toBe(0);
  expect(output).toMatch(/^activity v1: equals the folded log; 4 keys/m);
});

test('it is rebuilt while it is followed, and followed from there', async () => {
  const { code, output } = await next.command(['projections', 'rebuild', 'activity'], storeSettings(first.directory));
  expect(code, output).toBe(0);
  await clientOf(first).pushImage('shop/web', 'seven', randomImage());
  await counts(after(7));
});
