#!/usr/bin/env node
import { BlobStoreError } from './blobs/blob-store.js';
import { StoreMismatchError } from './commands/found-store.js';
import { ConfigError, readConfig } from './config.js';
import { administer } from './cli/admin-command.js';
import { showHistory } from './cli/history-command.js';
import { showLogin } from './cli/login-command.js';
import { manageIncarnation } from './cli/incarnation-command.js';
import { DatabaseUnusableError, KeyValueError } from './keyvalue/database.js';
import { migrateStore } from './cli/migrate-command.js';
import { manageProjections } from './cli/projections-command.js';
import { LiveMismatchError } from './projections/live.js';
import { ProjectionNotLiveError } from './projections/store.js';
import { manageRepository } from './cli/repository-command.js';
import { serve } from './serve.js';

const usage = `usage: artifact-store <command>

  serve                                          the registry with all its parts on one machine
  admin <command>                                organizations, projects, people, machines and roles, by the server's API
  login                                          tries credentials and prints what docker needs
  repository create <project>/<repository>       creates a repository
  repository delete <project>/<repository>       deletes a repository with all its images
  history <what> [options]                       what happened to a project, a repository, an image, a tag or a digest
  migrate --to <database>                        moves the store into another database
  projections list | rebuild | verify            the indexes: what there is, made anew from the log, compared with it
  incarnation show | raise                       of the log: raised once after a restore from a backup

Settings are environment variables: README.md, "Settings".`;

async function run(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case 'serve':
      return serve(readConfig(process.env));
    case 'repository':
      return manageRepository(readConfig(process.env), rest);
    case 'history':
      return showHistory(readConfig(process.env), rest);
    case 'migrate':
      return migrateStore(process.env, rest);
    case 'projections':
      return manageProjections(readConfig(process.env), rest);
    case 'incarnation':
      return manageIncarnation(readConfig(process.env), rest);
    case 'admin':
      return administer(process.env, rest);
    case 'login':
      return showLogin(process.env, rest);
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(`${usage}\n`);
      return 0;
    default:
      process.stderr.write(`${command === undefined ? 'a command is missing' : `${command} is not a command`}\n\n${usage}\n`);
      return 2;
  }
}

// The store holds the key that signs tokens and the hashes of passwords: what is made from here on is this user's alone.
process.umask(0o077);

// `| head` has read enough: the command goes on, and ends in order. A full disk is the operator's to mend.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    process.stderr.write(`artifact-store: the output can't be written: ${error.message}\n`);
    process.exit(1);
  });
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  // What the operator can mend is one line; the rest is a fault and shows where it came from.
  const expected = [
    ConfigError,
    DatabaseUnusableError,
    StoreMismatchError,
    LiveMismatchError,
    ProjectionNotLiveError,
    KeyValueError,
    BlobStoreError,
  ].some((kind) => error instanceof kind);
  process.stderr.write(
    `artifact-store: ${error instanceof Error ? (expected ? error.message : (error.stack ?? error.message)) : String(error)}\n`,
  );
  process.exitCode = 1;
}
