import { describe, expect, test } from 'vitest';

import { mountBlob } from '../../src/commands/blob.js';
import { eraseContent } from '../../src/commands/erase-content.js';
import { pushManifest } from '../../src/commands/manifest.js';
import type { Digest } from '../../src/digest.js';
import { readContent, writeContent } from '../../src/events/content.js';
import { MANIFEST_MAX_DESCRIPTORS } from '../../src/events/manifest-document.js';
import { CrashedError } from '../../src/keyvalue/simulated.js';
import { compareWithFold } from '../support/fold.js';
import {
  accepted,
  blobOf,
  create,
  imageOf,
  linkAll,
  nameOf,
  push,
  putManifest,
  removeManifest,
  sha256Of,
  sha512Of,
  simulate,
  type Simulation,
  type Workplace,
} from './fixture.js';

const erase = (at: Workplace, digest: Digest) =>
  eraseContent(at.executor, () => at.context(), { kind: 'EraseContent', digest, erasure: at.newId() });

describe('a manifest of as many descriptors as are accepted', () => {
  test.each([
    ['sha256', sha256Of],
    ['sha512', sha512Of],
  ] as const)('that are %s is erased, and holds what it held until it is deleted', async (_, digestOf) => {
    const at = await simulate();
    const name = 'shop/web';
    await create(at, name);
    const blobs = Array.from({ length: MANIFEST_MAX_DESCRIPTORS }, (_, index) => ({
      digest: digestOf(`blob ${index}`),
      size: 7,
    }));
    await linkAll(at, name, blobs);
    const [config, ...layers] = blobs;
    const image = imageOf(config ?? { digest: digestOf(''), size: 7 }, layers);
    accepted(await putManifest(at, name, image, ['latest']));
    expect(accepted(await erase(at, image.digest))).toEqual({ erased: true });
    // Every key and value of every index.
    expect(await compareWithFold(at.store)).toEqual([]);
    accepted(await removeManifest(at, name, image.digest));
    expect(await compareWithFold(at.store)).toEqual([]);
  });
});

describe('while an erased blob is still linked', () => {
  const config = { digest: sha256Of('{"a":"secret"}'), size: 14 };
  const layer = blobOf('layer');
  const image = imageOf(config, [layer]);
  const bytes = Buffer.from('{"a":"secret"}');

  /** The event of the erasure is there, and the process died before the links went. */
  async function open(): Promise<Simulation> {
    const at = await simulate();
    for (const name of ['shop/web', 'shop/api']) await create(at, name);
    for (const blob of [config, layer]) accepted(await push(at, 'shop/web', blob));
    return at;
  }

  async function eraseAlone(at: Simulation): Promise<void> {
    at.simulated.crash = (point, process) => {
      if (process === 'eraser' && point === 'committed') throw new CrashedError('behind the event');
    };
    await expect(erase(at.another('eraser'), config.digest)).rejects.toThrow(CrashedError);
    at.simulated.crash = undefined;
  }

  const contentOf = ({ store }: Workplace) => store.read(({ tx, registry }) => readContent(tx, registry.keyspace, config.digest));

  test('a push that has read its bytes as a config does not bring them back', async () => {
    const at = await open();
    await eraseAlone(at);
    expect(await putManifest(at, 'shop/web', image, ['latest'], { config: bytes })).toMatchObject({
      refused: 'CONTENT_ERASED',
      details: { digest: config.digest },
    });
    expect(await contentOf(at)).toBeUndefined();
    expect(await putManifest(at, 'shop/web', image, [], { config: bytes, sparse: true })).toEqual({ created: true });
    expect(await contentOf(at)).toBeUndefined();
  });

  test('a push that has decided when they are erased does not bring them back', async () => {
    const at = await open();
    const { digest, bytes: manifest, document } = image;
    const name = nameOf('shop/web');
    const command = {
      kind: 'PushManifest',
      name,
      digest,
      bytes: manifest,
      document,
      tags: [],
      config: bytes,
      sparse: false,
    } as const;
    let attempts = 0;
    const expected = async (): Promise<undefined> => {
      attempts += 1;
      // Behind the reads of the first attempt, and ahead of its commit.
      if (attempts === 1) await eraseAlone(at);
    };
    const pushed = await pushManifest(at.executor, { ...at.context(), expected }, command);
    expect(pushed).toMatchObject({ refused: 'CONTENT_ERASED', details: { digest: config.digest } });
    expect(attempts).toBe(1);
    expect(await contentOf(at)).toBeUndefined();
  });

  test('an image with such a layer is not pushed either', async () => {
    const at = await open();
    at.simulated.crash = (point, process) => {
      if (process === 'eraser' && point === 'committed') throw new CrashedError('behind the event');
    };
    await expect(erase(at.another('eraser'), layer.digest)).rejects.toThrow(CrashedError);
    at.simulated.crash = undefined;
    expect(await putManifest(at, 'shop/web', image)).toMatchObject({
      refused: 'CONTENT_ERASED',
      details: { digest: layer.digest },
    });
  });

  test('it is not mounted, and what is uploaded in its place is refused', async () => {
    const at = await open();
    await eraseAlone(at);
    const mount = (name: string, from?: string) =>
      mountBlob(at.executor, at.context(), {
        kind: 'MountBlob',
        name: nameOf(name),
        digest: config.digest,
        from: from === undefined ? undefined : nameOf(from),
      });
    expect(await mount('shop/api', 'shop/web')).toEqual({ mounted: false });
    expect(await mount('shop/api')).toEqual({ mounted: false });
    expect(await mount('shop/web', 'shop/web')).toEqual({ mounted: false });
    expect(await push(at, 'shop/api', config)).toMatchObject({ refused: 'CONTENT_ERASED' });
  });

  test('erasing it once more clears what is there nonetheless', async () => {
    const at = await open();
    await eraseAlone(at);
    await at.store.transact(({ tx, registry }) => writeContent(tx, registry.keyspace, config.digest, bytes));
    expect(accepted(await erase(at, config.digest))).toEqual({ erased: false });
    expect(await contentOf(at)).toBeUndefined();
    expect(await compareWithFold(at.store)).toEqual([]);
  });
});
