import { digestToBytes } from '../digest.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import { aggregateUid, nothing, projection } from './projection.js';

/** As release 0.2.0 made it: the digest alone. Applied and read for as long as a store has it live. */
export const tagsV1 = projection({
  name: 'tags',
  version: 1,
  directory: 'registry',
  mode: 'inline',
  apply: {
    TagMoved(event, view) {
      const { image, tag, digest, previous } = event.payload;
      const repository = uuidItem(aggregateUid(event));
      if (previous !== undefined) view.clear(['digest', repository, image, digestToBytes(previous), tag]);
      view.setWithPosition(['tag', repository, image, tag], digestToBytes(digest));
      view.set(['digest', repository, image, digestToBytes(digest), tag], nothing);
    },
    TagDeleted(event, view) {
      const { image, tag, digest } = event.payload;
      const repository = uuidItem(aggregateUid(event));
      view.clear(['digest', repository, image, digestToBytes(digest), tag]);
      view.clear(['tag', repository, image, tag]);
    },
  },
});
