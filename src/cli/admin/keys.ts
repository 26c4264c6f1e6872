import type { Command } from './command.js';
import { createKey } from './key-file.js';
import { accountPath, part } from './paths.js';

const word = '<project>/<account>';

export const keyCommands: readonly Command[] = [
  {
    name: 'keys list',
    words: [word],
    does: 'the keys of a service account, without what is secret',
    async run(client, [account = '']) {
      return {
        rows: await client.list(`${accountPath(account)}/keys`, 'keys'),
        columns: ['id', 'created', 'expires', 'publicKey'],
      };
    },
  },
  {
    name: 'keys show',
    words: [word, '<key>'],
    does: 'one of them',
    run: async (client, [account = '', key = '']) => ({
      fields: await client.ask('GET', `${accountPath(account)}/keys/${part(key)}`),
    }),
  },
  {
    name: 'keys create',
    words: [word],
    flags: ['expires', 'output'],
    does: 'makes a key; its file, the only copy, goes to --output or is printed',
    run: (client, [account = ''], { expires, output }) => createKey(client, account, expires, output),
  },
  {
    name: 'keys revoke',
    words: [word, '<key>'],
    does: 'revokes a key; what was bought with it ends with the next request',
    async run(client, [account = '', key = '']) {
      await client.ask('DELETE', `${accountPath(account)}/keys/${part(key)}`);
      return { line: `key ${key} is revoked` };
    },
  },
];
