import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const user = 'bench@localhost';
const password = 'a password of the benchmark';

/** This registry, as `npm start` runs it, on embedded defaults. @type {import('../registry.js').Kind} */
export const ours = {
  name: 'ours',
  missing: 'dist/main.js is not there: run without --no-build',
  find() {
    if (!existsSync(join(root, 'dist', 'main.js'))) return undefined;
    return { command: process.execPath, version: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version };
  },
  configure: (directory, port) => ({
    args: [join(root, 'dist', 'main.js'), 'serve'],
    env: {
      ARTIFACT_STORE_ADDRESS: `127.0.0.1:${port}`,
      ARTS_DATABASE: `lmdb:${join(directory, 'db')}`,
      ARES_CLIENT_ADDRESS: join(directory, 'blobs'),
      ARTS_FIRST_USER: user,
      ARTS_FIRST_PASSWORD: password,
    },
  }),
  credentials: `${user}:${password}`,
};
