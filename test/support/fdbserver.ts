import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { freePort } from './ports.js';
import { run, startDaemon, subfolder, temporaryFolder, waitFor, type Daemon, type Outcome, type RunResult } from './processes.js';

export interface FdbPrograms {
  readonly fdbserver: string;
  readonly fdbcli: string;
}

/** What this machine has of FoundationDB, and otherwise the one line that says how to get it. */
export interface FoundationDbHere {
  /** A cluster that runs, and a client library that can be loaded. */
  readonly cluster: { readonly clusterFile: string } | { readonly missing: string };
  /** The programs for a server of a test's own, and a client library that can be loaded. */
  readonly programs: FdbPrograms | { readonly missing: string };
}

let found: FoundationDbHere | undefined;

/** Looked for once per process; starts a process to load the client library, and only where there is something to use it with. */
export function findFoundationDb(): FoundationDbHere {
  found ??= look();
  return found;
}

function look(): FoundationDbHere {
  const clusterFile = process.env['FDB_CLUSTER_FILE'] ?? '';
  const programs = findPrograms();
  const wantsLibrary = (clusterFile !== '' && existsSync(clusterFile)) || !('missing' in programs);
  const library = wantsLibrary ? libraryProblem() : undefined;
  return { cluster: cluster(), programs: library !== undefined && !('missing' in programs) ? { missing: library } : programs };

  function cluster(): FoundationDbHere['cluster'] {
    if (clusterFile === '') {
      return { missing: 'FDB_CLUSTER_FILE is not set; to run it: FDB_CLUSTER_FILE=/path/to/fdb.cluster npm run test:fdb' };
    }
    if (!existsSync(clusterFile)) return { missing: `FDB_CLUSTER_FILE=${clusterFile} is not there` };
    return library === undefined ? { clusterFile } : { missing: library };
  }
}

function findPrograms(): FdbPrograms | { readonly missing: string } {
  const named = process.env['ARTS_TEST_FDBSERVER'] ?? '';
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const fdbserver = [...(named === '' ? [] : [named]), ...folders.map((folder) => join(folder, 'fdbserver'))].find(isProgram);
  const fdbcli = [...(fdbserver === undefined ? [] : [dirname(fdbserver)]), ...folders]
    .map((folder) => join(folder, 'fdbcli'))
    .find(isProgram);
  if (fdbserver !== undefined && fdbcli !== undefined) return { fdbserver, fdbcli };
  const [program, where] =
    fdbserver === undefined
      ? ['fdbserver', 'in ARTS_TEST_FDBSERVER nor on the PATH']
      : ['fdbcli', `beside ${fdbserver} nor on the PATH`];
  return { missing: `${program} is not ${where}; it comes with FoundationDB 7.1 or newer, https://www.foundationdb.org` };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The library is the dynamic linker's to find; a process of its own tries it, since what goes wrong is printed, and can't be tried twice. */
function libraryProblem(): string | undefined {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const script = "require('foundationdb').setAPIVersion(720)";
  const { status, stderr } = spawnSync(process.execPath, ['-e', script], { cwd, encoding: 'utf8' });
  if (status === 0) return undefined;
  const why = /^(?:\w*Error: .*)$/m.exec(stderr)?.[0] ?? `status ${String(status)}`;
  return `the client library libfdb_c.so can't be loaded (${why}); it comes with FoundationDB's client package; elsewhere than in the system's folders, LD_LIBRARY_PATH names its folder`;
}

export interface FdbServerOptions {
  /** Of an earlier server; its data, its port. */
  readonly folder?: string;
  readonly port?: number;
  /** Both keep what was committed over a SIGKILL: memory in its queue on the disk. */
  readonly engine?: 'memory' | 'ssd';
}

/** An fdbserver process on loopback, of the test's own. It ends with the test's process at the latest. */
export interface FdbServer {
  readonly clusterFile: string;
  readonly folder: string;
  readonly port: number;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  isRunning(): boolean;
  /** Again, with the same port and data; resolves when the cluster answers. */
  start(): Promise<void>;
  /** Starts the process and does not wait until it answers. */
  startProcess(): Promise<void>;
  /** Resolves when the cluster answers. */
  answers(withinMs?: number): Promise<void>;
  /** Resolves when the process ended; without a signal that ends it, never. */
  kill(signal?: NodeJS.Signals): Promise<Outcome>;
  /** Without waiting: SIGSTOP and SIGCONT make a cluster that is silent, and not gone. */
  signal(signal: NodeJS.Signals): void;
  stop(): Promise<Outcome>;
  /** Commands of fdbcli on this cluster, separated by semicolons. */
  fdbcli(commands: string): Promise<RunResult>;
}

/** Starts and configures a new cluster of one process (or goes on with a folder's), and waits until it answers. Throws where the programs are missing. */
export async function startFdbServer(options: FdbServerOptions = {}): Promise<FdbServer> {
  const { programs } = findFoundationDb();
  if ('missing' in programs) throw new Error(programs.missing);
  const folder = options.folder ?? temporaryFolder('fdbserver');
  const clusterFile = join(folder, 'fdb.cluster');
  const isNew = !existsSync(clusterFile);
  const port = options.port ?? (isNew ? await freePort() : portIn(clusterFile));
  const address = `127.0.0.1:${port}`;
  if (isNew) writeFileSync(clusterFile, `test:test@${address}\n`);
  const data = subfolder(folder, 'data');
  const logs = subfolder(folder, 'logs');

  const spawnServer = (): Promise<Daemon> =>
    startDaemon(
      programs.fdbserver,
      // A test's disk may be nearly full, and 5 % of a large one is much.
      [
        '--public-address',
        address,
        '--listen-address',
        'public',
        '--cluster-file',
        clusterFile,
        '--datadir',
        data,
        '--logdir',
        logs,
      ]
        .concat(['--maxlogssize', '20MiB', '--logsize', '5MiB', '--storage-memory', '512MiB', '--cache-memory', '256MiB'])
        .concat(['--knob_min_available_space_ratio', '0.001']),
      { cwd: folder, logFile: join(folder, 'fdbserver.log') },
    );
  const fdbcli = (commands: string): Promise<RunResult> =>
    run(programs.fdbcli, ['-C', clusterFile, '--timeout', '20', '--exec', commands], { timeoutMs: 40_000 });

  let daemon = await spawnServer();
  const answers = async (withinMs = 60_000): Promise<void> => {
    let last = '';
    await waitFor(
      async () => {
        if (!daemon.isRunning()) throw new Error(`fdbserver ended:\n${daemon.log().slice(-2_000)}`);
        const { output } = await run(programs.fdbcli, ['-C', clusterFile, '--timeout', '5', '--exec', 'status minimal']);
        last = output;
        return output.includes('The database is available') ? true : undefined;
      },
      withinMs,
      () => `fdbserver does not answer: ${last}`,
    );
  };
  if (isNew) {
    const { output } = await fdbcli(`configure new single ${options.engine ?? 'memory'}`);
    if (!output.includes('Database created'))
      throw new Error(`fdbserver can't be configured: ${output}\n${daemon.log().slice(-2_000)}`);
  }
  await answers();
  const startProcess = async (): Promise<void> => {
    daemon = await spawnServer();
  };
  return {
    clusterFile,
    folder,
    port,
    get pid() {
      return daemon.pid;
    },
    isRunning: () => daemon.isRunning(),
    start: async () => {
      await startProcess();
      await answers();
    },
    startProcess,
    answers,
    kill: (signal = 'SIGKILL') => {
      daemon.signal(signal);
      return daemon.ended;
    },
    signal: (signal) => daemon.signal(signal),
    stop: () => daemon.stop(10_000),
    fdbcli,
  };
}

function portIn(clusterFile: string): number {
  const port = Number(/:(\d+)\s*$/.exec(readFileSync(clusterFile, 'utf8'))?.[1]);
  if (!Number.isSafeInteger(port)) throw new Error(`${clusterFile} names no port`);
  return port;
}
