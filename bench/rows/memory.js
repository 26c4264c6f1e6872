import { pushBlob } from '../client/registry-client.js';
import { pushTo } from '../client/token.js';
import { newBlob } from '../content/blob.js';
import { inParallel } from '../load/parallel.js';

/** @typedef {import('./row.js').Row} Row */

const connections = 4;
const size = 2_000_000_000;
const name = 'bench/big';

export const bigBytes = connections * size;

/** Read once, after all other rows that were run. @type {Row} */
export const memory = {
  name: 'memory',
  title: 'peak memory over all rows above',
  unit: 'MB',
  lessIsBetter: true,
  measure: async (registry) => registry.peakBytes() / 1e6,
};

/** Measured once, on a registry started for it. @type {Row} */
export const bigMemory = {
  name: 'memory-big',
  title: 'peak memory, four pushes of 2 GB at once',
  unit: 'MB',
  lessIsBetter: true,
  async measure(registry) {
    const blobs = Array.from({ length: connections }, () => newBlob(size));
    await inParallel(registry, connections, [pushTo(name)], async (connection, index) => {
      const blob = blobs[index];
      if (blob !== undefined) await pushBlob(connection, name, blob);
    });
    return registry.peakBytes() / 1e6;
  },
};
