import { cpSync } from 'node:fs';
import { join } from 'node:path';

import type { EventPayload, Stream } from '../../src/events/types.js';
import type { Database, KeyValue } from '../../src/keyvalue/database.js';
import type { OpenRegistry } from '../../src/open-registry.js';
import { clientOf, randomImage } from '../support/client.js';
import { copyDatabase } from '../support/database.js';
import type { Release } from '../support/next-release.js';
import { temporaryFolder } from '../support/processes.js';
import { startServer, storeSettings } from '../support/server.js';

/** Opens the store of a server's folder with a release's own code, beside the servers that run. */
export async function openFolder(release: Release, directory: string): Promise<OpenRegistry> {
  const { readConfig } = await release.load('config');
  const { openRegistry } = await release.load('open-registry');
  return openRegistry(readConfig(storeSettings(directory)), false);
}

const PREFILLED_TAGS = 5_000;
const EVENTS_OF_A_COMMAND = 500;

/** The data of a server of this release that has run for a while: two images in shop/web, and so many moves of tags between them, as their commands make them. */
export async function makeFolder(release: Release, moves: number): Promise<string> {
  const server = await startServer({ program: release.main });
  const images = [randomImage(), randomImage()];
  for (const [index, image] of images.entries()) await clientOf(server).pushImage('shop/web', `image-${index}`, image);
  await server.stop();
  const registry = await openFolder(release, server.directory);
  const { findProject } = await release.load('projections/projects');
  const { findRepositoryUid } = await release.load('projections/repositories');
  const { systemContext } = await release.load('open-registry');
  try {
    const repository = await registry.store.read(async (reading) => {
      const project = await findProject(reading, 'shop' as never);
      return project && findRepositoryUid(reading, project.uid, 'web' as never);
    });
    if (repository === undefined) throw new Error('shop/web is not there');
    const stream = `repository/${repository}` as Stream;
    const digest = (move: number): string => images[Math.floor(move / PREFILLED_TAGS) % 2]?.manifest.digest ?? '';
    const moved = (move: number): EventPayload => ({
      kind: 'TagMoved',
      image: '' as never,
      tag: `build-${move % PREFILLED_TAGS}` as never,
      digest: digest(move) as never,
      previous: move < PREFILLED_TAGS ? undefined : (digest(move - PREFILLED_TAGS) as never),
    });
    for (let first = 0; first < moves; first += EVENTS_OF_A_COMMAND) {
      const events = Array.from({ length: EVENTS_OF_A_COMMAND }, (_, at) => ({ stream, payload: moved(first + at) }));
      await registry.executor.execute<boolean>(systemContext(), () => Promise.resolve({ events, outcome: true }));
    }
  } finally {
    await registry.close();
  }
  return server.directory;
}

/** A copy for a test of its own; nobody may have the store open. */
export async function copyFolder(directory: string): Promise<string> {
  const copy = temporaryFolder('registry');
  cpSync(join(directory, 'blobs'), join(copy, 'blobs'), { recursive: true });
  await copyDatabase(directory, copy);
  return copy;
}

/** Everything that is in the store, or below a prefix, in key order. */
export async function readAll(database: Database, prefix: Buffer = Buffer.alloc(0)): Promise<readonly KeyValue[]> {
  const all: KeyValue[] = [];
  const end = Buffer.concat([prefix, Buffer.from([0xff])]);
  for (let from = Buffer.concat([prefix, Buffer.from([0x00])]); ;) {
    const begin = from;
    const page = await database.read((tx) => tx.getRange(begin, end, { targetBytes: 1_000_000 }));
    const last = page.at(-1);
    if (last === undefined) return all;
    all.push(...page);
    from = Buffer.concat([last.key, Buffer.from([0x00])]);
  }
}
