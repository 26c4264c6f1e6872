import { parseArgs } from 'node:util';

import { KEY_FILE_USER } from '../identity/key-file.js';
import { AdminClient } from './admin-client.js';
import { AdminError, Misused, misused, told } from './complaints.js';
import { credentialFlags, credentialUsage, isThisMachine, readCredentials } from './credentials.js';

const usage = `usage: artifact-store login [--server <url>] [--user <e-mail> --password-stdin | --key-file <file>] [--json]

Tries the credentials and prints what docker needs: the line to paste, or with --json what belongs into ~/.docker/config.json and into a
pull secret, which has the password in it. Nothing is written anywhere.

${credentialUsage}
Exit status: 0; 1 for what failed; 2 for a command line that is not understood.
`;

const options = { ...credentialFlags, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;

/** Exit status. */
export async function showLogin(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  try {
    const flags = parse(args);
    if (flags.help === true) {
      process.stdout.write(usage);
      return 0;
    }
    const credentials = await readCredentials(env, flags);
    const client = new AdminClient(credentials);
    const { host, hostname, protocol } = new URL(client.server);
    // Docker shows them here.
    const { token } = await client.ask('GET', `/token?service=${encodeURIComponent(host)}`);
    if (typeof token !== 'string') throw new AdminError(`${client.server} gives no token: it is no Artifact Store`);
    if (protocol === 'http:' && !isThisMachine(hostname)) {
      process.stderr.write(
        `artifact-store: docker speaks TLS with ${host}, unless "insecure-registries" in its daemon.json has it; the password is sent in the clear then\n`,
      );
    }
    if (flags.json === true) {
      const auths = { [host]: { auth: client.authorization.slice('Basic '.length) } };
      process.stdout.write(`${JSON.stringify({ auths }, undefined, 2)}\n`);
      return 0;
    }
    const keyFile = flags['key-file'] ?? env['ARTS_KEY_FILE'] ?? '<key file>';
    process.stdout.write(
      credentials.user === KEY_FILE_USER
        ? `docker login ${host} -u ${KEY_FILE_USER} --password-stdin < ${shellWord(keyFile)}\n`
        : `docker login ${host} -u ${shellWord(credentials.user)}\n`,
    );
    return 0;
  } catch (error) {
    if (error instanceof Misused) return misused(error.message, usage);
    if (error instanceof AdminError) return told(error.message, 1);
    throw error;
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new Misused(error instanceof Error ? error.message : String(error));
  }
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
