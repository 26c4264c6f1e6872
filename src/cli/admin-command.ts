import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { readConfig } from '../config.js';
import { AdminClient, type Fields } from './admin-client.js';
import { recoverUser } from './admin-recovery.js';
import { AdminError, Misused, misused, told } from './complaints.js';
import { credentialUsage, readCredentials, readSecret } from './credentials.js';
import { formatTable } from './table.js';

const usage = `usage: artifact-store admin <command> [--server <url>] [--user <e-mail> --password-stdin | --key-file <file>] [--json]

  me                                                     who you are
  organizations [list] | create [<id>] | show <id> | set <id> | delete <id>
  projects [list] | create [<id>] | show <id> | set <id> | delete <id>      [--organization <id>]
  repositories list <project> | create <project>/<id> | show <project>/<id> | set <project>/<id> | delete <project>/<id>
  digests <project>/<repository>[/<image>]               manifests with tags, sizes, pushes and pulls
  roles <on>                                             who may do what, inherited roles included
  grant <principal> viewer|editor|owner <on>
  revoke <principal> <on>
  users [list] | create <e-mail> | show <user> | disable <user> | enable <user>
  reset-password <user> [--new-password-stdin] [--store] another password; --store: straight on the store, for recovery
  forget <user> --yes                                    erases what is personal of a user, for ever
  erase <digest> --yes                                   erases the bytes under a digest from all repositories, for ever
  service-accounts list <project> | create <project>/<id> | delete <project>/<id>
  keys list <project>/<account> | create <project>/<account> | revoke <project>/<account> <key>
                                                         [--expires <time>] [--output <file>]
  signing-keys [list] | rotate [--compromised]           --compromised: the others end at once, with all their tokens

  <on>          organization/<id>, project/<id> or repository/<project>/<id>
  <principal>   an e-mail, a service account as <project>/<account>, allUsers or allAuthenticatedUsers
  set, create   --display-name <text> --description <text>; of a repository also --scanning on|off --immutable-tags on|off
                --exempt <pattern> (as often as there are patterns)

${credentialUsage}`;

const options = {
  server: { type: 'string' },
  user: { type: 'string' },
  'password-stdin': { type: 'boolean' },
  'key-file': { type: 'string' },
  json: { type: 'boolean' },
  yes: { type: 'boolean' },
  store: { type: 'boolean' },
  'new-password-stdin': { type: 'boolean' },
  organization: { type: 'string' },
  'display-name': { type: 'string' },
  description: { type: 'string' },
  scanning: { type: 'string' },
  'immutable-tags': { type: 'string' },
  exempt: { type: 'string', multiple: true },
  expires: { type: 'string' },
  output: { type: 'string' },
  compromised: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Flags = ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>['values'];

/** What a command shows: columns of rows, one thing, or a line. */
type Shown =
  | { readonly rows: readonly Fields[]; readonly columns: readonly string[] }
  | { readonly fields: Fields }
  | { readonly line: string };

/** `artifact-store admin ...`: the management API, for people and programs. Exit status. */
export async function administer(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  try {
    const { values: flags, positionals } = parse(args);
    if (flags.help === true || positionals.length === 0) {
      process.stdout.write(usage);
      return flags.help === true ? 0 : 2;
    }
    const [verb = '', ...rest] = positionals;
    if (flags.store === true) {
      if (verb !== 'reset-password') throw new Misused('--store is for reset-password alone');
      return await recoverUser(readConfig(env), required(rest, 0, 'the user'), await newPassword(flags));
    }
    const command = Object.hasOwn(commands, verb) ? commands[verb] : undefined;
    if (command === undefined) throw new Misused(`${JSON.stringify(verb)} is not a command`);
    const client = new AdminClient(await readCredentials(env, flags));
    print(await command(client, rest, flags), flags.json === true);
    return 0;
  } catch (error) {
    if (error instanceof Misused) return misused(error.message, usage);
    if (error instanceof AdminError) return told(error.message, 1);
    throw error;
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new Misused(error instanceof Error ? error.message : String(error));
  }
}

type Command = (client: AdminClient, words: readonly string[], flags: Flags) => Promise<Shown>;

const api = '/api/v1';
const part = encodeURIComponent;

const commands: Readonly<Record<string, Command>> = {
  async me(client) {
    return { fields: await client.ask('GET', `${api}/me`) };
  },
  organizations: (client, words, flags) =>
    managed(client, words, flags, {
      items: 'organizations',
      columns: ['id', 'displayName', 'created', 'uid'],
      collection: () => `${api}/organizations`,
      body: described,
    }),
  projects: (client, words, flags) =>
    managed(client, words, flags, {
      items: 'projects',
      columns: ['id', 'organization', 'displayName', 'created', 'uid'],
      collection: () => `${api}/projects`,
      query: flags.organization === undefined ? '' : `?organization=${part(flags.organization)}`,
      body: (of) => ({ ...described(of), ...(of.organization === undefined ? {} : { organization: of.organization }) }),
    }),
  repositories: (client, words, flags) =>
    managed(client, words, flags, {
      items: 'repositories',
      columns: ['id', 'displayName', 'scanning', 'immutableTags', 'created', 'uid'],
      collection: (project) => `${api}/projects/${part(project)}/repositories`,
      inProject: true,
      body: settings,
    }),
  'service-accounts': (client, words, flags) =>
    managed(client, words, flags, {
      items: 'serviceAccounts',
      columns: ['identifier', 'displayName', 'created', 'uid'],
      collection: (project) => `${api}/projects/${part(project)}/service-accounts`,
      inProject: true,
      body: (of) => (of['display-name'] === undefined ? {} : { displayName: of['display-name'] }),
    }),
  async digests(client, words) {
    const [project, repository, ...image] = required(words, 0, '<project>/<repository>[/<image>]').split('/');
    if (project === undefined || repository === undefined) throw new Misused('digests are of <project>/<repository>[/<image>]');
    const query = image.length === 0 ? '' : `?image=${part(image.join('/'))}`;
    const path = `${api}/projects/${part(project)}/repositories/${part(repository)}/digests${query}`;
    const columns = ['digest', 'tags', 'totalSize', 'platform', 'pushed', 'pulls', 'lastPulled'];
    return { rows: await client.list(path, 'digests'), columns };
  },
  async roles(client, words) {
    const { path, list } = resourceIn(required(words, 0, 'organization/<id>, project/<id> or repository/<project>/<id>'));
    return { rows: await client.list(`${path}/${list}`, list), columns: ['principal', 'role', 'on', 'inherited'] };
  },
  async grant(client, words) {
    const [principal, role, on] = [
      required(words, 0, 'the principal'),
      required(words, 1, 'the role'),
      required(words, 2, 'on what'),
    ];
    const name = role.startsWith('artifact_store_') ? role : `artifact_store_${role}`;
    const { path, list } = resourceIn(on);
    return { fields: await client.ask('PUT', `${path}/${list}/${part(principal)}`, { role: name }) };
  },
  async revoke(client, words) {
    const [principal, on] = [required(words, 0, 'the principal'), required(words, 1, 'on what')];
    const { path, list } = resourceIn(on);
    await client.ask('DELETE', `${path}/${list}/${part(principal)}`);
    return { line: `${principal} has no role of its own on ${on} any more` };
  },
  async users(client, words) {
    const [verb = 'list'] = words;
    if (verb === 'list')
      return { rows: await client.list(`${api}/users`, 'users'), columns: ['email', 'disabled', 'created', 'uid'] };
    const user = required(words, 1, 'the user');
    switch (verb) {
      case 'create':
        return { fields: await client.ask('POST', `${api}/users`, { email: user }) };
      case 'show':
        return { fields: await client.ask('GET', `${api}/users/${part(user)}`) };
      case 'disable':
      case 'enable':
        return { fields: await client.ask('PATCH', `${api}/users/${part(user)}`, { disabled: verb === 'disable' }) };
      default:
        throw new Misused(`${JSON.stringify(verb)} is not list, create, show, disable or enable`);
    }
  },
  async 'reset-password'(client, words, flags) {
    const user = required(words, 0, 'the user');
    const password = await newPassword(flags);
    return {
      fields: await client.ask('POST', `${api}/users/${part(user)}/password`, password === undefined ? {} : { password }),
    };
  },
  async forget(client, words, flags) {
    const user = required(words, 0, 'the user');
    if (flags.yes !== true) throw new Misused(`what is personal of ${user} would be erased for ever; say so with --yes`);
    await client.ask('POST', `${api}/users/${part(user)}/forget`);
    return { line: `${user} is forgotten` };
  },
  async erase(client, words, flags) {
    const digest = required(words, 0, 'the digest');
    if (flags.yes !== true)
      throw new Misused(`the bytes of ${digest} would be erased from all repositories for ever; say so with --yes`);
    await client.ask('POST', `${api}/content/${part(digest)}/erase`);
    return { line: `${digest} is erased` };
  },
  async keys(client, words, flags) {
    const [verb = ''] = words;
    const [project, account, ...more] = required(words, 1, '<project>/<account>').split('/');
    if (project === undefined || account === undefined || more.length > 0)
      throw new Misused('a service account is <project>/<account>');
    const path = `${api}/projects/${part(project)}/service-accounts/${part(account)}/keys`;
    switch (verb) {
      case 'list':
        return { rows: await client.list(path, 'keys'), columns: ['id', 'created', 'expires', 'publicKey'] };
      case 'create':
        return createKey(client, path, flags);
      case 'revoke': {
        const key = required(words, 2, 'the key');
        await client.ask('DELETE', `${path}/${part(key)}`);
        return { line: `key ${key} is revoked` };
      }
      default:
        throw new Misused(`${JSON.stringify(verb)} is not list, create or revoke`);
    }
  },
  async 'signing-keys'(client, words, flags) {
    const [verb = 'list'] = words;
    if (verb === 'list') return { rows: await client.list(`${api}/signing-keys`, 'signingKeys'), columns: ['kid', 'created'] };
    if (verb !== 'rotate') throw new Misused(`${JSON.stringify(verb)} is not list or rotate`);
    return { fields: await client.ask('POST', `${api}/signing-keys${flags.compromised === true ? '?compromised=true' : ''}`) };
  },
};

interface Collection {
  readonly items: string;
  readonly columns: readonly string[];
  readonly collection: (project: string) => string;
  /** What it names is `<project>/<id>`. */
  readonly inProject?: boolean;
  readonly query?: string;
  readonly body: (flags: Flags) => Fields;
}

async function managed(client: AdminClient, words: readonly string[], flags: Flags, of: Collection): Promise<Shown> {
  const [verb = 'list'] = words;
  const { inProject = false, items, columns, collection, query = '', body } = of;
  const named = words[1] ?? '';
  const [project, id, ...more] = inProject ? named.split('/') : ['', named];
  if (project === undefined || more.length > 0 || (inProject && project === '')) {
    throw new Misused(`${verb} needs ${verb === 'list' ? '<project>' : '<project>/<id>'}`);
  }
  const path = collection(project);
  if (verb === 'list') return { rows: await client.list(`${path}${query}`, items), columns };
  if (verb === 'create') {
    return { fields: await client.ask('POST', path, { ...body(flags), ...(id === undefined || id === '' ? {} : { id }) }) };
  }
  if (id === undefined || id === '') throw new Misused(`${verb} needs ${inProject ? '<project>/<id>' : '<id>'}`);
  switch (verb) {
    case 'show':
      return { fields: await client.ask('GET', `${path}/${part(id)}`) };
    case 'set':
      return { fields: await client.ask('PATCH', `${path}/${part(id)}`, body(flags)) };
    case 'delete':
      await client.ask('DELETE', `${path}/${part(id)}`);
      return { line: `${named} is deleted` };
    default:
      throw new Misused(`${JSON.stringify(verb)} is not list, create, show, set or delete`);
  }
}

function described(flags: Flags): Fields {
  const { 'display-name': displayName, description } = flags;
  return { ...(displayName === undefined ? {} : { displayName }), ...(description === undefined ? {} : { description }) };
}

function settings(flags: Flags): Fields {
  const { exempt } = flags;
  const [scanning, immutableTags] = [onOrOff('scanning', flags.scanning), onOrOff('immutable-tags', flags['immutable-tags'])];
  return {
    ...described(flags),
    ...(scanning === undefined ? {} : { scanning }),
    ...(immutableTags === undefined ? {} : { immutableTags }),
    ...(exempt === undefined ? {} : { immutableTagExemptions: exempt }),
  };
}

function onOrOff(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined || text === 'on' || text === 'off') return text === undefined ? undefined : text === 'on';
  throw new Misused(`--${name} ${JSON.stringify(text)} is not on or off`);
}

/** The file is made before the key, so that no key is made whose only copy can't be written. */
async function createKey(client: AdminClient, path: string, flags: Flags): Promise<Shown> {
  const body = flags.expires === undefined ? {} : { expires: flags.expires };
  if (flags.output === undefined) return { fields: await client.ask('POST', path, body) };
  let file: number;
  try {
    file = openSync(flags.output, 'wx', 0o600);
  } catch (error) {
    throw new AdminError(`${flags.output} can't be written: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    const made = await client.ask('POST', path, body);
    writeSync(file, `${JSON.stringify(made, undefined, 2)}\n`);
    return { line: `key ${String(made['key_id'])} is in ${flags.output}; the registry does not keep it` };
  } catch (error) {
    rmSync(flags.output);
    throw error;
  } finally {
    closeSync(file);
  }
}

function resourceIn(text: string): { readonly path: string; readonly list: 'members' | 'permissions' } {
  const [kind, first, second, ...more] = text.split('/');
  if (first !== undefined && first !== '' && more.length === 0) {
    if (kind === 'organization' && second === undefined) return { path: `${api}/organizations/${part(first)}`, list: 'members' };
    if (kind === 'project' && second === undefined) return { path: `${api}/projects/${part(first)}`, list: 'members' };
    if (kind === 'repository' && second !== undefined) {
      return { path: `${api}/projects/${part(first)}/repositories/${part(second)}`, list: 'permissions' };
    }
  }
  throw new Misused(`${JSON.stringify(text)} is not organization/<id>, project/<id> or repository/<project>/<id>`);
}

function required(words: readonly string[], index: number, what: string): string {
  const word = words[index];
  if (word === undefined || word === '') throw new Misused(`${what} is missing`);
  return word;
}

async function newPassword(flags: Flags): Promise<string | undefined> {
  if (flags['new-password-stdin'] !== true) return undefined;
  if (flags['password-stdin'] === true)
    throw new Misused('standard input can give one password only; give yours in ARTS_PASSWORD');
  const password = await readSecret();
  if (password.length < 8) throw new AdminError('the new password has fewer than 8 characters; 8 to 1024 are accepted');
  return password;
}

function print(shown: Shown, json: boolean): void {
  if ('rows' in shown) {
    const { rows, columns } = shown;
    const table = (): string =>
      formatTable(
        columns,
        rows.map((row) => columns.map((column) => cellOf(row[column]))),
      );
    process.stdout.write(json ? `${JSON.stringify(rows, undefined, 2)}\n` : table());
  } else if ('fields' in shown) {
    const lines = Object.entries(shown.fields).map(([name, value]) => [name, cellOf(value)]);
    const isFile = 'private_key' in shown.fields;
    process.stdout.write(
      json || isFile ? `${JSON.stringify(shown.fields, undefined, 2)}\n` : formatTable(['field', 'value'], lines),
    );
  } else {
    process.stdout.write(json ? `${JSON.stringify({ done: shown.line })}\n` : `${shown.line}\n`);
  }
}

function cellOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map(cellOf).join(' ');
  if (typeof value === 'object') return Object.values(value).map(cellOf).join('/');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
