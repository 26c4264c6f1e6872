import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../find-program.js';
import { versionOf } from './version.js';

/** @typedef {import('../registry.js').Kind} Kind */

/** The reference implementation as Debian packages it. @type {Kind} */
export const dockerRegistry = {
  name: 'docker-registry',
  missing: 'apt install docker-registry',
  find: () => find('docker-registry'),
  configure,
};

/** The reference implementation of today. @type {Kind} */
export const distribution = {
  name: 'distribution',
  missing: 'go install github.com/distribution/distribution/v3/cmd/registry@v3.1.2',
  find: () => find('registry'),
  configure,
};

/** @param {string} program */
function find(program) {
  const command = findProgram(program);
  return command === undefined ? undefined : { command, version: versionOf(command, /v?(\d+\.\d+\.\d+)/) };
}

/** @param {string} directory @param {number} port */
function configure(directory, port) {
  const file = join(directory, 'config.yml');
  // As the image of the project configures it, the cache of descriptors included, with a log of warnings only.
  writeFileSync(
    file,
    `version: 0.1
log:
  level: warn
  accesslog:
    disabled: true
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: ${JSON.stringify(join(directory, 'data'))}
  delete:
    enabled: true
http:
  addr: 127.0.0.1:${port}
`,
  );
  // Without the variable 3.x sends traces to localhost; its own image sets it.
  return { args: ['serve', file], env: { OTEL_TRACES_EXPORTER: 'none' } };
}
