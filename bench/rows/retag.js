import { putManifest } from '../client/registry-client.js';
import { pushTo } from '../client/token.js';
import { newImage } from '../content/image.js';
import { alone, inParallel } from '../load/parallel.js';
import { pushImage } from './push-image.js';

const connections = 8;
const tagsEach = 125;

/**
 * The same manifest under new tags, in a repository that each turn makes anew: what a tag costs must not hang on the round.
 * @type {import('./row.js').Row}
 */
export const retag = {
  name: 'retag',
  title: 're-tag (manifest PUT, same bytes), 8 connections',
  unit: 'tags/s',
  async measure(registry, { round }) {
    const name = `bench/retag-${round}`;
    const image = newImage();
    await alone(registry, [pushTo(name)], (connection) => pushImage(connection, name, 'latest', image));
    const seconds = await inParallel(registry, connections, [pushTo(name)], async (connection, index) => {
      for (let number = 0; number < tagsEach; number++) {
        await putManifest(connection, name, `tag-${index}-${number}`, image.manifest);
      }
    });
    return (connections * tagsEach) / seconds;
  },
};
