import { expect, putManifest } from '../client/registry-client.js';
import { authorize, listCatalog, pullFrom, pushTo } from '../client/token.js';
import { emptyImage } from '../content/image.js';
import { alone, inParallel, shareOut } from '../load/parallel.js';
import { wrk } from '../load/wrk.js';
import { pushImage } from './push-image.js';
import { once } from './row.js';

/** @typedef {import('../registry.js').Registry} Registry */
/** @typedef {import('./row.js').Row} Row */

const connections = 8;
const tagged = 'bench/tags';
const tags = Array.from({ length: 10_000 }, (_, index) => `v${String(index).padStart(5, '0')}`);
const repositories = Array.from({ length: 1000 }, (_, index) => `catalog/r${String(index).padStart(4, '0')}`);
const scopesAtOnce = 25; // As many as fit a token that every server takes as a header.

const pushTags = once(async (registry) => {
  const image = emptyImage();
  await alone(registry, [pushTo(tagged)], (connection) => pushImage(connection, tagged, 'v00000', image));
  for (let at = 0; at < tags.length; at += 1000) {
    const share = shareOut(tags.slice(at, at + 1000));
    await inParallel(registry, connections, [pushTo(tagged)], (connection) =>
      share((tag) => putManifest(connection, tagged, tag, image.manifest)),
    );
  }
});

const pushRepositories = once(async (registry) => {
  const image = emptyImage();
  for (let at = 0; at < repositories.length; at += scopesAtOnce) {
    const names = repositories.slice(at, at + scopesAtOnce);
    const share = shareOut(names);
    await inParallel(registry, connections, names.map(pushTo), (connection) =>
      share((name) => pushImage(connection, name, 'latest', image)),
    );
  }
});

/**
 * @param {string} scope
 * @param {string} path
 * @param {(registry: Registry) => Promise<void>} push
 * @param {(answer: { tags?: string[], repositories?: string[] }) => boolean} isRight
 * @returns {Pick<Row, 'unit' | 'needsWrk' | 'prepare' | 'measure'>}
 */
const list = (scope, path, push, isRight) => ({
  unit: 'lists/s',
  needsWrk: true,
  async prepare(registry) {
    /** @type {string | undefined} */
    let remark;
    await push(registry);
    await alone(registry, [scope], async (connection) => {
      const { text } = await expect(200, connection, 'GET', path, { keep: true });
      // A peer that cannot page is measured all the same, and told of.
      if (!isRight(JSON.parse(text))) remark = `GET ${path} answered with another list: ${text.slice(0, 80)}...`;
    });
    return remark;
  },
  async measure(registry, { seconds }) {
    const headers = { Authorization: await authorize(registry, [scope]) };
    return wrk({ port: registry.port, path, headers, connections, seconds });
  },
});

const tagList = `/v2/${tagged}/tags/list`;

/** @type {readonly Row[]} */
export const lists = [
  {
    name: 'tags-all',
    title: 'list of 10 000 tags, whole, 8 connections',
    ...list(pullFrom(tagged), tagList, pushTags, (answer) => answer.tags?.length === tags.length),
  },
  {
    name: 'tags-page',
    title: '100 of 10 000 tags, from the middle, 8 connections',
    ...list(
      pullFrom(tagged),
      `${tagList}?n=100&last=${tags[4999]}`,
      pushTags,
      (answer) => answer.tags?.length === 100 && answer.tags[0] === tags[5000],
    ),
  },
  {
    name: 'catalog',
    title: 'catalog of 1 000 repositories, 8 connections',
    ...list(
      listCatalog,
      `/v2/_catalog?n=1000`,
      pushRepositories,
      (answer) => answer.repositories?.length === repositories.length,
    ),
  },
];
