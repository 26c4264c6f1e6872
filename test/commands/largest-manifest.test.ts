import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { MANIFEST_MAX_BYTES, MANIFEST_MAX_DESCRIPTORS } from '../../src/events/manifest-document.js';
import { NAME_MAX_LENGTH } from '../../src/identifiers.js';
import { openLmdb } from '../../src/keyvalue/lmdb.js';
import { SimulatedStore, VirtualClock } from '../../src/keyvalue/simulated.js';
import { compareWithFold } from '../support/fold.js';
import {
  accepted,
  create,
  found,
  imageType,
  indexType,
  kinds,
  linkAll,
  manifestFrom,
  putManifest,
  removeManifest,
  removeRepository,
  sha256Of,
  sha512Of,
  type TestManifest,
  type Workplace,
} from './fixture.js';

// The longest digests, the longest name, the most descriptors, the most bytes.
const longest = `shop/w/${'i'.repeat(NAME_MAX_LENGTH - 7)}`;
const blobs = Array.from({ length: MANIFEST_MAX_DESCRIPTORS }, (_, index) => sha512Of(`blob ${index}`));
const padding = 'p'.repeat(50_000);

function largest(list: 'layers' | 'manifests'): TestManifest {
  const describe = (digest: string) => ({ mediaType: list === 'layers' ? 'application/x' : imageType, digest, size: 7 });
  const [config, ...layers] = blobs;
  const value = {
    schemaVersion: 2,
    ...(list === 'layers'
      ? { mediaType: imageType, config: describe(config ?? ''), layers: layers.map(describe) }
      : { mediaType: indexType, manifests: blobs.map(describe) }),
  };
  const bare = Buffer.byteLength(JSON.stringify({ ...value, annotations: { a: '' } }));
  let left = MANIFEST_MAX_BYTES - bare;
  const annotations: Record<string, string> = {};
  for (let index = 0; left > 0; index += 1) {
    const part = index === 0 ? 'a' : `b${String(index).padStart(3, '0')}`;
    const overhead = index === 0 ? 0 : `,"${part}":""`.length;
    const length = Math.min(padding.length, left - overhead);
    if (length < 0) break;
    annotations[part] = padding.slice(0, length);
    left -= length + overhead;
  }
  const manifest = manifestFrom({ ...value, annotations });
  return { ...manifest, digest: sha512Of(manifest.bytes) };
}

async function live(at: Workplace, name: string, manifest: TestManifest, sparse: boolean): Promise<void> {
  await create(at, name);
  const links = blobs.map((digest) => ({ digest, size: 7 }));
  if (!sparse) await linkAll(at, name, links);
  expect(await putManifest(at, name, manifest, ['latest'], { sparse, config: Buffer.from('{config') })).toEqual({
    created: true,
  });
  expect(await compareWithFold(at.store)).toEqual([]);
  accepted(await removeManifest(at, name, manifest.digest));
  expect(await putManifest(at, name, manifest, ['latest'], { sparse })).toEqual({ created: true });
  accepted(await removeRepository(at, name));
  expect((await kinds(at)).at(-1)).toBe('RepositoryDeleted');
  expect(await compareWithFold(at.store)).toEqual([]);
}

describe.each(['simulated', 'lmdb'] as const)('on %s', (engine) => {
  test.each([
    ['an image of 4 000 blobs under the longest image path', 'layers', longest],
    ['an index of 4 000 manifests under the longest image path', 'manifests', longest],
  ] as const)(
    '%s and 4 MiB is pushed, deleted, pushed again, deleted with its repository and replayed',
    async (_, list, name) => {
      const manifest = largest(list);
      expect(name.length).toBe(NAME_MAX_LENGTH);
      expect(manifest.bytes.length).toBe(MANIFEST_MAX_BYTES);
      expect(sha256Of(manifest.bytes)).not.toBe(manifest.digest);
      // What an index lists is 4 000 pushes more; a sparse push makes the same reads and writes.
      const sparse = list === 'manifests';
      if (engine === 'simulated') {
        await live(await found(new SimulatedStore({ seed: 1, clock: new VirtualClock() }).connect()), name, manifest, sparse);
        return;
      }
      const folder = await mkdtemp(join(tmpdir(), 'largest-'));
      const database = await openLmdb(folder, { create: true });
      try {
        await live(await found(database), name, manifest, sparse);
      } finally {
        await database.close();
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
});
