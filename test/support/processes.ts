import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Outlives the test's process, however that ends (a failed test, a time limit, SIGKILL): when its input closes, it ends the process
 * groups that are still listed and removes the temporary folder. What is mounted below the folder is left alone.
 */
const guardianScript = `
trap '' INT TERM HUP
groups=
while read -r what group; do
  case $what in
    started) groups="$groups $group" ;;
    ended) rest=; for g in $groups; do [ "$g" = "$group" ] || rest="$rest $g"; done; groups=$rest ;;
  esac
done
for g in $groups; do kill -TERM "-$g"; done
tries=0
while [ $tries -lt 50 ]; do
  left=; for g in $groups; do kill -0 "-$g" && left=yes; done
  [ -z "$left" ] && break
  tries=$((tries + 1)); sleep 0.1
done
for g in $groups; do kill -KILL "-$g"; done
grep -q " $1/" /proc/mounts || rm -rf -- "$1"
`;

interface Guardian {
  readonly folder: string;
  readonly tell: (what: 'started' | 'ended', group: number) => void;
}

let guardian: Guardian | undefined;

function guard(): Guardian {
  if (guardian !== undefined) return guardian;
  const folder = mkdtempSync(join(tmpdir(), 'artifact-store-test-'));
  const child = spawn('/bin/sh', ['-c', guardianScript, 'guardian', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  child.unref();
  const { stdin } = child;
  stdin.on('error', () => undefined);
  if (stdin instanceof Socket) stdin.unref();
  guardian = { folder, tell: (what, group) => void stdin.write(`${what} ${group}\n`) };
  return guardian;
}

/** A new folder, removed when the test's process ends. */
export function temporaryFolder(name = 'folder'): string {
  return mkdtempSync(join(guard().folder, `${name}-`));
}

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that runs beside the test. Its output goes to a file, so that it never waits for the test to read. */
export interface Daemon {
  readonly pid: number;
  readonly ended: Promise<Outcome>;
  isRunning(): boolean;
  log(): string;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL to its whole group when it is still there after `withinMs`. */
  stop(withinMs?: number): Promise<Outcome>;
}

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** A program and its arguments that start the command somewhere else, by exec: the process stays the same. */
  readonly through?: readonly string[] | undefined;
}

export interface DaemonOptions extends StartOptions {
  readonly logFile?: string;
}

export async function startDaemon(command: string, args: readonly string[], options: DaemonOptions = {}): Promise<Daemon> {
  const logFile = options.logFile ?? join(temporaryFolder('daemon'), 'log');
  const log = openSync(logFile, 'a');
  const child = spawnGroup(command, args, ['ignore', log, log], options);
  closeSync(log);
  const ended = watchEnd(child);
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} did not start`);
  let outcome: Outcome | undefined;
  void ended.then((value) => (outcome = value));
  const isRunning = (): boolean => outcome === undefined;
  const signal = (name: NodeJS.Signals): void => {
    if (isRunning()) child.kill(name);
  };
  return {
    pid,
    ended,
    isRunning,
    signal,
    log: () => readFileSync(logFile, 'utf8'),
    stop: async (withinMs = 40_000) => {
      signal('SIGTERM');
      const late = new AbortController();
      const kill = sleep(withinMs, undefined, { signal: late.signal }).then(
        () => killGroup(pid, 'SIGKILL'),
        () => undefined,
      );
      const result = await ended;
      late.abort();
      await kill;
      return result;
    },
  };
}

export interface RunOptions extends StartOptions {
  readonly input?: string | Uint8Array;
  /** The command and all that it started is killed after so long. */
  readonly timeoutMs?: number;
}

export interface RunResult extends Outcome {
  readonly command: string;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly milliseconds: number;
  /** Both outputs, for messages that a tool may print on either. */
  readonly output: string;
}

/** Runs a command to its end, whatever its exit status. Throws only when it cannot be started or takes too long. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const timeoutMs = options.timeoutMs ?? 45_000;
  const started = performance.now();
  const child = spawnGroup(command, args, ['pipe', 'pipe', 'pipe'], options);
  const { stdin, stdout, stderr, pid } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error(`${command} has no pipes`);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  stdout.on('data', (bytes: Buffer) => out.push(bytes));
  stderr.on('data', (bytes: Buffer) => err.push(bytes));
  // A command may end before it has read its input.
  stdin.on('error', () => undefined);
  stdin.end(options.input);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    if (pid !== undefined) killGroup(pid, 'SIGKILL');
  }, timeoutMs);
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    const [outcome] = await Promise.race([Promise.all([watchEnd(child), closed]), failed]);
    const line = [command, ...args].join(' ');
    const stdoutBytes = Buffer.concat(out);
    const stderrText = Buffer.concat(err).toString();
    const output = `${stdoutBytes.toString()}${stderrText}`;
    if (late) throw new Error(`${line}\ntook more than ${timeoutMs} ms\n${output.slice(-4_000)}`);
    const milliseconds = performance.now() - started;
    return { ...outcome, command: line, stdout: stdoutBytes, stderr: stderrText, output, milliseconds };
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a command that has to succeed; the error shows what it printed. */
export async function mustRun(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await run(command, args, options);
  if (result.code === 0) return result;
  throw new Error(`${result.command}\nended with ${result.code ?? result.signal}\n${result.output}`);
}

function spawnGroup(command: string, args: readonly string[], stdio: StdioOptions, options: StartOptions): ChildProcess {
  const { tell } = guard();
  const [program = command, ...rest] = [...(options.through ?? []), command, ...args];
  const child = spawn(program, rest, {
    stdio,
    detached: true,
    env: options.env ?? process.env,
    cwd: options.cwd ?? guard().folder,
  });
  const { pid } = child;
  if (pid !== undefined) {
    tell('started', pid);
    child.once('exit', () => {
      // What it started and left behind.
      killGroup(pid, 'SIGKILL');
      tell('ended', pid);
    });
  }
  return child;
}

function watchEnd(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
}

function killGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // It ended by itself in the meantime.
  }
}

/** Waits until `probe` gives something, asking every 25 ms; `describe` tells why it was waited for in vain. */
export async function waitFor<T>(
  probe: () => Promise<T | undefined>,
  timeoutMs: number,
  describe: () => string,
): Promise<NonNullable<T>> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null) return value;
    if (performance.now() > end) throw new Error(`${describe()} (waited ${timeoutMs} ms)`);
    await sleep(25);
  }
}

/** A folder below the test's own temporary one, by name. */
export function subfolder(parent: string, name: string): string {
  const folder = join(parent, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
