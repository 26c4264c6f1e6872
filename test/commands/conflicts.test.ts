import { expect, test } from 'vitest';

import { accepted, blobOf, create, events, imageOf, linkAll, push, putManifest, simulate } from './fixture.js';

const PUSHES = 50;

/** As many pushes as builds that share a base: each on a process of its own, so that nothing queues but what the store itself makes wait. */
async function pushAll(image: (number: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: PUSHES }, (_, number) => image(number)));
}

test('50 pushes at once into one repository conflict neither in the log nor in the base layer that they share', async () => {
  const at = await simulate();
  await create(at, 'shop/web');
  const base = blobOf('base layer');
  accepted(await push(at, 'shop/web', base));
  const before = (await events(at)).length;
  const processes = Array.from({ length: PUSHES }, () => at.another());
  await pushAll(async (number) => {
    const process = processes[number] ?? at;
    const own = [blobOf(`config ${number}`), blobOf(`layer ${number}`)] as const;
    // Clients that do not ask first push what is there once more.
    for (const blob of [...own, base]) accepted(await push(process, 'shop/web', blob));
    accepted(await putManifest(process, 'shop/web', imageOf(own[0], [base, own[1]]), [`build-${number}`]));
  });
  // Three uploads of two transactions each, and the manifest.
  expect(processes.map((process) => process.bodies())).toEqual(processes.map(() => 7));
  // Two blobs that are stored and linked, a manifest and its tag.
  expect((await events(at)).length - before).toBe(PUSHES * 6);
});

test('what many images have in common besides, a config and what it says, conflicts no more', async () => {
  const at = await simulate();
  await create(at, 'shop/web');
  const empty = blobOf('{}');
  const layers = Array.from({ length: PUSHES }, (_, number) => blobOf(`layer ${number}`));
  await linkAll(at, 'shop/web', [empty, ...layers]);
  const processes = layers.map(() => at.another());
  await pushAll(async (number) => {
    const layer = layers[number] ?? empty;
    const image = imageOf(empty, [layer]);
    accepted(await putManifest(processes[number] ?? at, 'shop/web', image, [`build-${number}`], { config: Buffer.from('{}') }));
  });
  expect(processes.map((process) => process.bodies())).toEqual(processes.map(() => 1));
});
