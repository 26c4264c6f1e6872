import type { Command } from './command.js';
import { digestPath, imageForm, imagePlace, queryOf, repositoryPath, tagPath } from './paths.js';

export const imageCommands: readonly Command[] = [
  {
    name: 'images list',
    words: ['<project>/<repository>'],
    does: 'the images of a repository',
    async run(client, [text = '']) {
      return { rows: await client.list(`${repositoryPath(text)}/images`, 'images'), columns: ['name', 'image'] };
    },
  },
  {
    name: 'digests list',
    words: [imageForm],
    does: 'manifests with their tags, sizes and pulls',
    async run(client, [text = '']) {
      const { repository, image } = imagePlace(text);
      const columns = ['digest', 'tags', 'totalSize', 'platform', 'pushed', 'pulls', 'lastPulled'];
      return { rows: await client.list(`${repository}/digests${queryOf({ image })}`, 'digests'), columns };
    },
  },
  {
    name: 'digests show',
    words: ['<image>@<digest>'],
    does: 'all that is known of a manifest',
    run: async (client, [text = '']) => ({ fields: await client.ask('GET', digestPath(text)) }),
  },
  {
    name: 'digests delete',
    words: ['<image>@<digest>'],
    does: 'deletes a manifest with the tags that point at it',
    async run(client, [text = '']) {
      await client.ask('DELETE', digestPath(text));
      return { line: `${text} is deleted` };
    },
  },
  {
    name: 'tags list',
    words: [imageForm],
    flags: ['at'],
    does: 'the tags of an image, now or at a moment of the past',
    async run(client, [text = ''], { at }) {
      const { repository, image } = imagePlace(text);
      return {
        rows: await client.list(`${repository}/tags${queryOf({ image, at })}`, 'tags'),
        columns: ['tag', 'digest', 'since'],
      };
    },
  },
  {
    name: 'tags show',
    words: ['<image>:<tag>'],
    does: 'what a tag points at',
    run: async (client, [text = '']) => ({ fields: await client.ask('GET', tagPath(text)) }),
  },
  {
    name: 'tags set',
    words: ['<image>:<tag>', '<digest>'],
    does: 'points a tag at a manifest of the same image',
    run: async (client, [text = '', digest = '']) => ({ fields: await client.ask('PUT', tagPath(text), { digest }) }),
  },
  {
    name: 'tags delete',
    words: ['<image>:<tag>'],
    does: 'deletes a tag',
    async run(client, [text = '']) {
      await client.ask('DELETE', tagPath(text));
      return { line: `${text} is deleted` };
    },
  },
];
