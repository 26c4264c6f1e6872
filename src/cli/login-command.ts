import { parseArgs } from 'node:util';

import { KEY_FILE_USER } from '../identity/key-file.js';
import { AdminClient, AdminError, readCredentials } from './admin-client.js';
import { misused, told } from './complaints.js';

const usage = `usage: artifact-store login [--server <url>] [--user <e-mail> --password-stdin | --key-file <file>] [--json]

Tries the credentials and prints what docker needs: the line to paste, or with --json what belongs into ~/.docker/config.json and into a
pull secret. Nothing is written anywhere.
`;

const options = {
  server: { type: 'string' },
  user: { type: 'string' },
  'password-stdin': { type: 'boolean' },
  'key-file': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Exit status. */
export async function showLogin(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  let flags;
  try {
    flags = parseArgs({ args: [...args], options }).values;
  } catch (error) {
    return misused(error instanceof Error ? error.message : String(error), usage);
  }
  if (flags.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    const credentials = readCredentials(env, flags);
    const client = new AdminClient(credentials);
    // Docker shows them here.
    await client.ask('GET', `/token?service=${encodeURIComponent(new URL(client.server).host)}`);
    const { host } = new URL(client.server);
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
    if (error instanceof AdminError) return told(error.message, 1);
    throw error;
  }
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
