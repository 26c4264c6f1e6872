import { digestToBytes, type Digest } from '../digest.js';
import type { ImagePath, Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import { digestItem } from './manifests.js';
import { aggregateUid, decodeJson, encodeJson, projection } from './projection.js';
import { indexOf, type Reading } from './store.js';

export interface Referrer {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string | undefined;
}

/** What refers to a subject. A deletion's event does not say the subject, so each referrer also stands under its own digest. */
export const referrers = projection({
  name: 'referrers',
  version: 1,
  directory: 'registry',
  mode: 'inline',
  apply: {
    ManifestPushed(event, view) {
      const { image, digest, subject, mediaType, size, artifactType } = event.payload;
      if (subject === undefined) return;
      const repository = uuidItem(aggregateUid(event));
      const record: Referrer = { digest, mediaType, size, artifactType };
      view.set(['referrer', repository, image, digestToBytes(subject), digestToBytes(digest)], encodeJson(record));
      view.set(['subject', repository, image, digestToBytes(digest)], digestToBytes(subject));
    },
    async ManifestDeleted(event, view) {
      const { image, digest } = event.payload;
      const repository = uuidItem(aggregateUid(event));
      const subject = await view.get(['subject', repository, image, digestToBytes(digest)]);
      if (subject === undefined) return;
      view.clear(['referrer', repository, image, subject, digestToBytes(digest)]);
      view.clear(['subject', repository, image, digestToBytes(digest)]);
    },
  },
});

/** At most `limit` referrers of a subject in order of their digests, after `after`. Their annotations are in their manifests' bytes. */
export async function listReferrers(
  reading: Reading,
  repository: Uid,
  image: ImagePath,
  subject: Digest,
  page: { readonly after?: Digest | undefined; readonly limit: number },
): Promise<readonly Referrer[]> {
  const found = await indexOf(reading, referrers).range(['referrer', uuidItem(repository), image, digestToBytes(subject)], {
    limit: page.limit,
    after: page.after === undefined ? undefined : [digestToBytes(page.after)],
  });
  return found.map(({ items, value }) => ({ ...decodeJson<Referrer>(value), digest: digestItem(items[0]) }));
}
