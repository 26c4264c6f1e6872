import { describe, expect, test } from 'vitest';

import { createTurns } from '../../src/commands/in-turn.js';
import { pushManifest } from '../../src/commands/manifest.js';
import { createRepository } from '../../src/commands/repository.js';
import { findTag } from '../../src/projections/tags.js';
import type { ImagePath } from '../../src/identifiers.js';
import { compareWithFold } from '../support/fold.js';
import {
  accepted,
  blobOf,
  create,
  events,
  imageOf,
  kinds,
  nameOf,
  push,
  putManifest,
  simulate,
  tagOf,
  type Workplace,
} from './fixture.js';

const creation = (at: Workplace, name: string) =>
  ({
    kind: 'CreateRepository',
    name: nameOf(name),
    origin: 'push',
    scanning: true,
    newRepository: at.newId(),
    newProject: at.newId(),
  }) as const;

describe('a command id', () => {
  test('that comes again gives the first outcome and no second event', async () => {
    const at = await simulate();
    const context = at.context();
    const first = await createRepository(at.executor, context, creation(at, 'shop/web'));
    expect(first).toMatchObject({ created: true });
    // With other ids to make it from, as a retry in another process has them.
    expect(await createRepository(at.executor, context, creation(at, 'shop/web'))).toEqual(first);
    expect(await kinds(at)).toEqual(['RepositoryCreated']);
  });

  test('that comes twice at once gives one outcome and one event', async () => {
    const at = await simulate();
    const other = at.another();
    const context = at.context();
    const [first, second] = await Promise.all([
      createRepository(at.executor, context, creation(at, 'shop/web')),
      createRepository(other.executor, context, creation(at, 'shop/web')),
    ]);
    expect(first).toEqual(second);
    expect(await kinds(at)).toEqual(['RepositoryCreated']);
  });

  test('of a refused command is free to be tried again', async () => {
    const at = await simulate();
    await create(at, 'shop/web');
    const context = at.context();
    const blob = blobOf('a');
    const image = imageOf(blob, []);
    const command = { kind: 'PushManifest', name: nameOf('shop/web'), tags: [], config: undefined, sparse: false } as const;
    expect(await pushManifest(at.executor, context, { ...command, ...image })).toMatchObject({
      refused: 'MANIFEST_BLOB_UNKNOWN',
    });
    accepted(await push(at, 'shop/web', blob));
    expect(await pushManifest(at.executor, context, { ...command, ...image })).toEqual({ created: true });
  });
});

describe('a commit whose outcome nobody knows', () => {
  for (const fault of ['unknownApplied', 'unknownLost'] as const) {
    const which = fault === 'unknownApplied' ? 'when it had happened' : 'when it had not';
    test(`does the command once ${which}`, async () => {
      const at = await simulate();
      await create(at, 'shop/web');
      const blob = blobOf('a');
      const before = (await events(at)).length;
      // The session's own transaction comes first.
      at.simulated.force(fault, 2);
      expect(await push(at, 'shop/web', blob)).toMatchObject({ generation: expect.any(String) as string });
      at.simulated.force(fault);
      expect(await putManifest(at, 'shop/web', imageOf(blob, []), ['latest'])).toEqual({ created: true });
      expect(await kinds(at, before)).toEqual(['BlobStored', 'BlobPushed', 'ManifestPushed', 'TagMoved']);
      expect(await compareWithFold(at.store)).toEqual([]);
    });
  }
});

describe('many at once', () => {
  test('two creations make one repository', async () => {
    const at = await simulate();
    const other = at.another();
    const made = await Promise.all([create(at, 'shop/web'), create(other, 'shop/web')]);
    expect(new Set(made.map(({ repository }) => repository)).size).toBe(1);
    expect(made.map(({ created }) => created).sort()).toEqual([false, true]);
    expect(await kinds(at)).toEqual(['RepositoryCreated']);
  });

  test('50 pushes of different manifests on one base layer into one repository do not conflict', async () => {
    const at = await simulate();
    await create(at, 'shop/web');
    const base = blobOf('base layer');
    accepted(await push(at, 'shop/web', base));
    const configs = Array.from({ length: 50 }, (_, index) => blobOf(`config ${index}`));
    for (const config of configs) accepted(await push(at, 'shop/web', config));
    at.bodies();
    const pushes = configs.map((config, index) =>
      putManifest(at, 'shop/web', imageOf(config, [base]), [`build-${index}`], { config: Buffer.from(`config ${index}`) }),
    );
    for (const outcome of await Promise.all(pushes)) expect(outcome).toEqual({ created: true });
    expect(at.bodies()).toBe(50);
    expect(await compareWithFold(at.store)).toEqual([]);
  });

  test('50 uploads of one new layer into one repository end with one record and one link', async () => {
    const at = await simulate();
    await create(at, 'shop/web');
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => push(at, 'shop/web', blobOf('layer'))));
    const generations = new Set(outcomes.map((outcome) => JSON.stringify(accepted(outcome))));
    expect(generations.size).toBe(1);
    expect(await kinds(at, 1)).toEqual(['BlobStored', 'BlobPushed']);
  });

  test('a thousand moves of one tag, in turn, all end, each in one body', async () => {
    const at = await simulate();
    const { repository } = await create(at, 'shop/web');
    const config = blobOf('config');
    accepted(await push(at, 'shop/web', config));
    const images = Array.from({ length: 10 }, (_, index) => imageOf(config, [], { annotations: { n: String(index) } }));
    for (const image of images) accepted(await putManifest(at, 'shop/web', image));
    const before = (await events(at)).length;
    const inTurn = createTurns();
    at.bodies();
    await Promise.all(
      Array.from({ length: 100 }, () => images)
        .flat()
        .map((image) => inTurn('shop/web:latest', async () => accepted(await putManifest(at, 'shop/web', image, ['latest'])))),
    );
    expect(at.bodies()).toBe(1_000);
    expect(await kinds(at, before)).toEqual(Array.from({ length: 1_000 }, () => 'TagMoved'));
    const last = await at.store.read((reading) => findTag(reading, repository, '' as ImagePath, tagOf('latest')));
    expect(last).toBe(images.at(-1)?.digest);
    expect(await compareWithFold(at.store)).toEqual([]);
  });

  test('turns go on behind a task that failed, and leave nothing behind', async () => {
    const inTurn = createTurns();
    const order: string[] = [];
    const task = (text: string, fails = false) =>
      inTurn('key', async () => {
        await Promise.resolve();
        order.push(text);
        if (fails) throw new Error(text);
        return text;
      });
    const results = await Promise.allSettled([task('a'), task('b', true), task('c')]);
    expect(order).toEqual(['a', 'b', 'c']);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });
});
