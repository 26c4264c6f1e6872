// The suites that know no engine, and those of FoundationDB alone, on a cluster that runs: npm run test:fdb -- [cluster file] [files or options of vitest]
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const suites = [
  'test/keyvalue/foundationdb',
  'test/events/log.test.ts',
  'test/events/subscribe.test.ts',
  'test/projections',
  'test/processes',
  'test/commands',
  'test/cli',
  'test/availability.test.ts',
  'test/fdb-start.test.ts',
  'test/protocol',
  'test/several-servers',
  'test/crash',
  'test/conformance',
];

const given = process.argv.slice(2);
const isClusterFile = given[0] !== undefined && !given[0].startsWith('-') && !given[0].startsWith('test/');
const named = isClusterFile ? given.shift() : process.env.FDB_CLUSTER_FILE;
// npm starts this in the project's folder, wherever it was called.
const clusterFile = named === undefined || named === '' ? undefined : resolve(process.env.INIT_CWD ?? '.', named);
const options = given.filter((argument) => argument.startsWith('-'));
const files = given.filter((argument) => !argument.startsWith('-'));

function fail(problem) {
  console.error(`test:fdb: ${problem}`);
  process.exit(1);
}

if (clusterFile === undefined) {
  fail('no cluster is given; set FDB_CLUSTER_FILE, or name the cluster file: npm run test:fdb -- /path/to/fdb.cluster');
}
if (!existsSync(clusterFile)) fail(`the cluster file ${clusterFile} is not there`);

const { openFoundationDb } = await import(join(root, 'dist/keyvalue/foundationdb.js'));
// Tells whether the client library and the cluster are there, in the words of the registry's own start.
const database = await openFoundationDb({ clusterFile }).catch((error) => fail(error.message));

const directory = `artifact-store-test-${randomUUID()}`;
console.log(`test:fdb: in the directory ${directory} of ${clusterFile}`);
const child = spawn(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    // One file after the other: what changes the cluster's metadata version is seen by all.
    ...['--no-file-parallelism', '--testTimeout=300000', '--hookTimeout=300000'],
    ...options,
    ...(files.length === 0 ? suites : files),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ARTS_TEST_FDB_KILLS: '20',
      // Each program has hundreds of commits.
      ARTS_TEST_PROGRAMS: '4',
      ...process.env,
      FDB_CLUSTER_FILE: clusterFile,
      ARTS_TEST_DATABASE: 'fdb',
      ARTS_TEST_FDB_DIRECTORY: directory,
    },
  },
);
// Ctrl-C goes to vitest, too, which ends by it; the directory is removed all the same.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
const code = await new Promise((done) => {
  child.on('error', () => done(1));
  child.on('close', (status) => done(status ?? 1));
});
try {
  await database.removeDirectory([directory]);
} catch (error) {
  console.error(`test:fdb: the directory ${directory} of ${clusterFile} could not be removed: ${error.message}`);
  process.exitCode = 1;
}
await database.close();
process.exit(process.exitCode ?? code);
