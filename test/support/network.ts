import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startDaemon, temporaryFolder, waitFor, type Daemon } from './processes.js';

/** A network that reaches nothing, the machine's own addresses included: what runs in it sees only what else runs in it. */
export interface Network {
  /** Its address besides those of 127.0.0.0/8. */
  readonly address: string;
  /** A program starts in the network when this stands before it. */
  readonly through: readonly string[];
  /** Opens a unix socket that leads to this port of 127.0.0.1 in the network, for the test's own process, which is outside. */
  openDoor(port: number): Promise<string>;
  close(): Promise<void>;
}

// RFC 5737, TEST-NET-2: nobody's address.
const address = '198.51.100.1';

const environment = { PATH: `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`, LC_ALL: 'C' };

const unshared = (then: string): readonly string[] => [
  '--net',
  '--',
  '/bin/sh',
  '-c',
  `ip link set lo up && ip addr add ${address}/32 dev lo && ${then}`,
];

/** Why there can be no network here and what to do about it; undefined when there can be one. */
export function networkRefusal(): string | undefined {
  const { error, status, stderr } = spawnSync('unshare', unshared('command -v nsenter'), {
    env: environment,
    encoding: 'utf8',
    timeout: 10_000,
  });
  if (error === undefined && status === 0) return undefined;
  const said = (error?.message ?? stderr).trim().replaceAll(/\s*\n\s*/g, ', ');
  return `no network namespace can be made (${said}); to get one: apt-get install iproute2 util-linux, and run as root with CAP_SYS_ADMIN`;
}

/**
 * A network name space has no name here and lives as long as a process in it does, so that whatever ends the processes (the
 * guardian of processes.ts at the latest) also removes it.
 */
export async function openNetwork(): Promise<Network> {
  const holder = await startDaemon('unshare', unshared('echo ready && exec sleep infinity'), { env: environment });
  const daemons = [holder];
  const close = async (): Promise<void> => {
    for (const daemon of daemons.toReversed()) await daemon.stop(5_000);
  };
  const namespace = `/proc/${holder.pid}/ns/net`;
  const through = ['nsenter', `--net=${namespace}`, '--'];
  try {
    await waitFor(
      () => isReady(holder),
      10_000,
      () => `there is no network name space:\n${holder.log()}`,
    );
    if (readlinkSync(namespace) === readlinkSync('/proc/self/ns/net')) throw new Error('unshare left the network as it was');
  } catch (error) {
    await close();
    throw error;
  }
  return {
    address,
    through,
    close,
    openDoor: async (port) => {
      const socket = join(temporaryFolder('door'), 'sock');
      const door = await startDaemon(process.execPath, ['-e', doorScript, socket, String(port)], { env: environment, through });
      daemons.push(door);
      await waitFor(
        () => connects(socket),
        10_000,
        () => `nothing listens at ${socket}:\n${door.log()}`,
      );
      return socket;
    },
  };
}

const doorScript = `
const { connect, createServer } = require('node:net');
const [socket, port] = process.argv.slice(1);
createServer((outer) => {
  const inner = connect(Number(port), '127.0.0.1');
  const end = () => { outer.destroy(); inner.destroy(); };
  outer.on('error', end).pipe(inner).on('error', end).pipe(outer);
}).listen(socket);
`;

async function isReady(holder: Daemon): Promise<true | undefined> {
  if (!holder.isRunning()) throw new Error(`there is no network name space:\n${holder.log()}`);
  return holder.log().includes('ready') ? true : undefined;
}

/** Whether somebody listens at this unix socket. */
export function connects(path: string): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(undefined));
  });
}
