// The suites that know no engine, and those of FoundationDB alone, on a cluster that runs: npm run test:fdb -- [cluster file] [files or options of vitest]
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
// By ARTS_TEST_DATABASE, on any engine.
const suites = [
  'test/events/log.test.ts',
  'test/events/subscribe.test.ts',
  'test/projections',
  'test/processes',
  'test/commands',
  'test/cli/history-command',
  'test/cli/incarnation-command',
  'test/cli/projections-command',
  'test/cli/repository-command',
  'test/protocol',
  'test/several-servers',
  'test/crash/restarts',
  'test/crash/sigkill',
  'test/conformance',
];
// Of FoundationDB itself, wherever it is.
const ownSuites = [
  'test/keyvalue/foundationdb',
  'test/availability.test.ts',
  'test/fdb-start.test.ts',
  'test/cli/migrate-command',
  'test/crash/fdbserver-kills',
];

const given = process.argv.slice(2);
const isClusterFile = given[0] !== undefined && !given[0].startsWith('-') && !given[0].startsWith('test/');
const named = isClusterFile ? given.shift() : process.env.FDB_CLUSTER_FILE;
// npm starts this in the project's folder, wherever it was called.
const clusterFile = named === undefined || named === '' ? undefined : resolve(process.env.INIT_CWD ?? '.', named);
const files = given.filter((argument) => argument.startsWith('test/'));
const options = given.filter((argument) => !argument.startsWith('test/'));

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
let stopped = false;
let child;
// Ctrl-C goes to vitest, too, which ends by it; the directory is removed all the same.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    stopped = true;
    child?.kill(signal);
  });
}

/** Whether they passed. */
async function run(selected, env) {
  if (stopped || selected.length === 0) return !stopped;
  child = spawn(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      // One file after the other: what changes the cluster's metadata version is seen by all.
      ...['--no-file-parallelism', '--testTimeout=300000', '--hookTimeout=300000'],
      ...options,
      ...selected,
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
        ARTS_TEST_FDB_DIRECTORY: directory,
        ...env,
      },
    },
  );
  return new Promise((done) => {
    child.on('error', () => done(false));
    child.on('close', (status) => done(status === 0 && !stopped));
  });
}

const isOwn = (file) => ownSuites.some((suite) => file.startsWith(suite));
const results = [
  await run(files.length === 0 ? ownSuites : files.filter(isOwn), {}),
  await run(files.length === 0 ? suites : files.filter((file) => !isOwn(file)), { ARTS_TEST_DATABASE: 'fdb' }),
];
let passed = results.every(Boolean);
try {
  await database.removeDirectory([directory]);
} catch (error) {
  console.error(`test:fdb: the directory ${directory} of ${clusterFile} could not be removed: ${error.message}`);
  passed = false;
}
await database.close();
console.log(`test:fdb: ${passed ? 'all passed' : stopped ? 'stopped' : 'not all passed'}`);
process.exit(passed ? 0 : 1);
