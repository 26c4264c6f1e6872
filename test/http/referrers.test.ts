import { expect, test } from 'vitest';

import { readReferrers } from '../../src/http/referrers.js';
import type { Referrer } from '../../src/projections/referrers.js';
import type { Reading } from '../../src/projections/store.js';
import { sha256Of } from '../commands/fixture.js';

const referrers: readonly Referrer[] = Array.from({ length: 1_050 }, (_, index) => ({
  digest: sha256Of(Buffer.from(String(index))),
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  size: 500,
  artifactType: 'application/vnd.example.signature',
})).sort((left, right) => (left.digest < right.digest ? -1 : 1));

// Nothing of the store is read where no type is the wanted one.
const reading = {} as Reading;

test('referrers of other types than the wanted one are looked at in bounded reads, each answer saying where to go on', async () => {
  let looked = 0;
  let answers = 0;
  let after: Referrer['digest'] | undefined;
  do {
    const before = looked;
    const { manifests, next } = await readReferrers(
      reading,
      after,
      'application/vnd.example.sbom',
      (page) => {
        const some = referrers.filter(({ digest }) => page.after === undefined || digest > page.after).slice(0, page.limit);
        looked += some.length;
        return Promise.resolve(some);
      },
      300,
    );
    expect(manifests).toEqual([]);
    expect(looked - before).toBeLessThanOrEqual(300);
    answers += 1;
    after = next;
  } while (after !== undefined);
  expect({ looked, answers }).toEqual({ looked: 1_050, answers: 4 });
});
