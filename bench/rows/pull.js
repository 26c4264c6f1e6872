import { pullBlob, pushBlob } from '../client/registry-client.js';
import { pullFrom, pushTo } from '../client/token.js';
import { newBlob } from '../content/blob.js';
import { alone, inParallel } from '../load/parallel.js';
import { blobSizes } from './blob-sizes.js';
import { once } from './row.js';

const name = 'bench/pull';

/** Each connection pulls a blob of its own, over and over. @type {readonly import('./row.js').Row[]} */
export const pulls = blobSizes.map(({ label, title, size, connections }) => {
  const pushed = once(async (registry) => {
    const blobs = Array.from({ length: connections }, () => newBlob(size));
    await alone(registry, [pushTo(name)], async (connection) => {
      for (const blob of blobs) await pushBlob(connection, name, blob);
    });
    return blobs;
  });
  return {
    name: `pull-${label}`,
    title: `blob pull ${title}`,
    unit: 'MB/s',
    prepare: async (registry) => void (await pushed(registry)),
    async measure(registry, turn) {
      const blobs = await pushed(registry);
      let pulled = 0;
      const seconds = await inParallel(registry, connections, [pullFrom(name)], async (connection, index) => {
        const blob = blobs[index];
        for (const until = Date.now() + turn.seconds * 1000; blob !== undefined && Date.now() < until; pulled++) {
          await pullBlob(connection, name, blob);
        }
      });
      return (pulled * size) / 1e6 / seconds;
    },
  };
});
