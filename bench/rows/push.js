import { pushBlob } from '../client/registry-client.js';
import { pushTo } from '../client/token.js';
import { newBlob } from '../content/blob.js';
import { inParallel } from '../load/parallel.js';
import { blobSizes } from './blob-sizes.js';

const name = 'bench/push';

/** The count is fixed, not the time: the disk is what it costs. @type {readonly import('./row.js').Row[]} */
export const pushes = blobSizes.map(({ label, title, size, connections, times }) => ({
  name: `push-${label}`,
  title: `blob push ${title}`,
  unit: 'MB/s',
  async measure(registry) {
    const blobs = Array.from({ length: connections }, () => Array.from({ length: times }, () => newBlob(size)));
    const seconds = await inParallel(registry, connections, [pushTo(name)], async (connection, index) => {
      for (const blob of blobs[index] ?? []) await pushBlob(connection, name, blob);
    });
    return (connections * times * size) / 1e6 / seconds;
  },
}));
