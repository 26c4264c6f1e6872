import type { Command } from './command.js';
import { needsYes } from './people.js';
import { api, part } from './paths.js';

export const upkeepCommands: readonly Command[] = [
  {
    name: 'signing-keys list',
    does: 'the keys that tokens are signed with, the newest first',
    run: async (client) => ({ rows: await client.list(`${api}/signing-keys`, 'signingKeys'), columns: ['kid', 'created'] }),
  },
  {
    name: 'signing-keys rotate',
    flags: ['compromised'],
    does: 'makes another; --compromised: the others end at once, with all their tokens',
    async run(client, _words, { compromised = false }) {
      return { fields: await client.ask('POST', `${api}/signing-keys${compromised ? '?compromised=true' : ''}`) };
    },
  },
  {
    name: 'erase',
    words: ['<digest>'],
    flags: ['yes'],
    does: 'erases the bytes under a digest from all repositories, for ever (--yes)',
    async run(client, [digest = ''], flags) {
      needsYes(flags, `the bytes under ${digest}`);
      await client.ask('POST', `${api}/content/${part(digest)}/erase`);
      return { line: `${digest} is erased` };
    },
  },
];
