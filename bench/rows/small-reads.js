import { authorize, pullFrom, pushTo } from '../client/token.js';
import { MANIFEST_TYPE, newImage } from '../content/image.js';
import { alone } from '../load/parallel.js';
import { heads } from '../load/heads.js';
import { wrk } from '../load/wrk.js';
import { pushImage } from './push-image.js';
import { once } from './row.js';

/** @typedef {import('./row.js').Row} Row */

const name = 'bench/reads';
const connections = 32;

const image = once(async (registry) => {
  const made = newImage();
  await alone(registry, [pushTo(name)], (connection) => pushImage(connection, name, 'latest', made));
  return made;
});

/**
 * @param {typeof wrk} load
 * @param {(layer: string) => string} path
 * @returns {Pick<Row, 'unit' | 'needsWrk' | 'prepare' | 'measure'>}
 */
const read = (load, path) => ({
  unit: 'req/s',
  needsWrk: load === wrk,
  prepare: async (registry) => void (await image(registry)),
  async measure(registry, { seconds }) {
    const layer = (await image(registry)).blobs[0]?.digest ?? '';
    const headers = { Accept: MANIFEST_TYPE, Authorization: await authorize(registry, [pullFrom(name)]) };
    return load({ port: registry.port, path: `/v2/${name}/${path(layer)}`, headers, connections, seconds });
  },
});

/** @type {readonly Row[]} */
export const smallReads = [
  { name: 'manifest-get', title: 'manifest GET by tag, 32 connections', ...read(wrk, () => 'manifests/latest') },
  { name: 'manifest-head', title: 'manifest HEAD by tag, 32 connections', ...read(heads, () => 'manifests/latest') },
  { name: 'blob-get', title: 'blob GET of 10 kB, 32 connections', ...read(wrk, (layer) => `blobs/${layer}`) },
];
