import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../find-program.js';
import { versionOf } from './version.js';

/** @type {import('../registry.js').Kind} */
export const zot = {
  name: 'zot',
  missing: 'its releases are at https://zotregistry.dev',
  find() {
    const command = findProgram('zot');
    return command === undefined ? undefined : { command, version: versionOf(command, /"commit":"v?(\d+\.\d+\.\d+)/) };
  },
  configure(directory, port) {
    const file = join(directory, 'config.json');
    const config = {
      distSpecVersion: '1.1.1',
      storage: { rootDirectory: join(directory, 'data') },
      http: { address: '127.0.0.1', port: String(port) },
      log: { level: 'warn' },
    };
    writeFileSync(file, JSON.stringify(config));
    return { args: ['serve', file] };
  },
};
