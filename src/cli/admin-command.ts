import { readConfig } from '../config.js';
import { AdminClient } from './admin-client.js';
import { MisusedCommand, parseCommandLine, usageOf, type Command } from './admin/command.js';
import { historyCommands } from './admin/history.js';
import { imageCommands } from './admin/images.js';
import { keyCommands } from './admin/keys.js';
import { ownCommands, roleCommands, userCommands } from './admin/people.js';
import { formatShown } from './admin/print.js';
import { accountCommands, organizationCommands, projectCommands, repositoryCommands } from './admin/resources.js';
import { upkeepCommands } from './admin/upkeep.js';
import { AdminError, Misused, misused, told } from './complaints.js';
import { credentialUsage, readCredentials } from './credentials.js';

/** In the order of the usage. */
const commands: readonly Command[] = [
  ...ownCommands,
  ...organizationCommands,
  ...projectCommands,
  ...repositoryCommands,
  ...imageCommands,
  ...roleCommands,
  ...userCommands,
  ...accountCommands,
  ...keyCommands,
  ...upkeepCommands,
  ...historyCommands,
];

const head =
  'usage: artifact-store admin <command> [--server <url>] [--user <e-mail> --password-stdin | --key-file <file>] [--json]\n';

const legend = `
  list may be left out where nothing follows it.
  <on>          organization/<id>, project/<id> or repository/<project>/<id>
  <principal>   an e-mail, a service account as <project>/<account>, allUsers or allAuthenticatedUsers
  <role>        viewer, editor or owner
  <user>        an e-mail, or a uid
  <image>       <project>/<repository>[/<image>]
  <time>        as 2026-11-01T09:00:00Z
  <moment>      a time or a position
  --exempt      tags that stay movable; as often as there are patterns, '' for none
  --kind, --actor, --limit, --newest
                as of artifact-store history, which reads the store itself
  --store       straight on the store, with the server's settings, and without a password

${credentialUsage}  --json              for programs; else tables

Exit status: 0; 1 for what failed; 2 for a command line that is not understood.
`;

/** `artifact-store admin ...`: the management API, for people and programs. Exit status. */
export async function administer(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  let meant: readonly Command[] = commands;
  try {
    const asked = parseCommandLine(commands, args);
    if ('help' in asked) {
      process.stdout.write(`${head}\n${usageOf(asked.help)}${legend}`);
      return 0;
    }
    const { command, words, flags } = asked;
    meant = [command];
    const shown =
      flags.store === true && command.onStore !== undefined
        ? await command.onStore(readConfig(env), words, flags)
        : await command.run(new AdminClient(await readCredentials(env, flags)), words, flags);
    process.stdout.write(formatShown(shown, flags.json === true));
    return 0;
  } catch (error) {
    if (error instanceof MisusedCommand) meant = error.meant;
    if (error instanceof Misused) return misused(error.message, usageFor(meant));
    if (error instanceof AdminError) return told(error.message, 1);
    throw error;
  }
}

/** Of what may have been meant; of all of it only where nothing else is known. */
function usageFor(meant: readonly Command[]): string {
  if (meant.length === commands.length) return `${head}\n${usageOf(commands)}${legend}`;
  return `accepted is\n${usageOf(meant)}\nartifact-store admin --help has the rest.\n`;
}
