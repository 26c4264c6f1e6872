import { pushTo } from '../client/token.js';
import { newImage } from '../content/image.js';
import { inParallel } from '../load/parallel.js';
import { pushImage } from './push-image.js';

const connections = 8;
const imagesEach = 25;
const names = Array.from({ length: connections }, (_, index) => `bench/image-${index}`);

/** Eight builds of eight repositories, each pushing one small image after another. @type {import('./row.js').Row} */
export const imagePush = {
  name: 'image-push',
  title: 'small image push, 8 connections',
  unit: 'images/s',
  async measure(registry, { round }) {
    const images = names.map(() => Array.from({ length: imagesEach }, newImage));
    const seconds = await inParallel(registry, connections, names.map(pushTo), async (connection, index) => {
      for (const [number, image] of (images[index] ?? []).entries()) {
        await pushImage(connection, names[index] ?? '', `build-${round}-${number}`, image);
      }
    });
    return (connections * imagesEach) / seconds;
  },
};
