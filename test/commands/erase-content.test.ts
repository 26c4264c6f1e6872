import { describe, expect, test } from 'vitest';

import { eraseContent } from '../../src/commands/erase-content.js';
import type { Digest } from '../../src/digest.js';
import { MANIFEST_MAX_DESCRIPTORS } from '../../src/events/manifest-document.js';
import { compareWithFold } from '../support/fold.js';
import {
  accepted,
  create,
  imageOf,
  linkAll,
  putManifest,
  removeManifest,
  sha256Of,
  sha512Of,
  simulate,
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
    const blobs = Array.from({ length: MANIFEST_MAX_DESCRIPTORS }, (_, index) => ({ digest: digestOf(`blob ${index}`), size: 7 }));
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
