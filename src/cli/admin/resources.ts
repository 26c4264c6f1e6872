import type { Fields } from '../admin-client.js';
import { Misused } from '../complaints.js';
import type { Command, FlagName, Flags } from './command.js';
import { historyCommand } from './history.js';
import { accountPath, api, organizationPath, projectPath, queryOf, repositoryPath } from './paths.js';

/** What is listed, made, shown, changed and deleted alike. */
interface Resource {
  readonly name: string;
  readonly what: string;
  readonly columns: readonly string[];
  /** Of the list, in its answer. */
  readonly items: string;
  /** What one is called by. */
  readonly word: string;
  readonly pathOf: (word: string) => string;
  /** `inProject`: they are a project's, which is told before the id. */
  readonly inProject: boolean;
  readonly collection: (project: string) => string;
  readonly listed?: string;
  readonly listFlags?: readonly FlagName[];
  readonly deleted: string;
  /** What is said of one when it is made, and what of that can be said anew. */
  readonly createFlags: readonly FlagName[];
  readonly setFlags: readonly FlagName[];
}

function resourceCommands(of: Resource): readonly Command[] {
  const { name, what, columns, items, word, pathOf, inProject, collection, listFlags = [], createFlags, setFlags } = of;
  const list: Command = {
    name: `${name} list`,
    words: inProject ? ['<project>'] : [],
    flags: listFlags,
    does: of.listed ?? '',
    async run(client, [project = ''], { organization }) {
      const rows = await client.list(`${collection(project)}${queryOf({ organization })}`, items);
      return { rows, columns };
    },
  };
  const create: Command = {
    name: `${name} create`,
    words: [inProject ? '<project>[/<id>]' : '[<id>]'],
    flags: createFlags,
    does: `makes ${what}; without an id one is made up`,
    async run(client, [text = ''], flags) {
      const [project = '', id, ...more] = inProject ? text.split('/') : ['', text];
      if (inProject && (project === '' || id === '' || more.length > 0))
        throw new Misused(`${JSON.stringify(text)} is not <project>[/<id>]`);
      const named = id === undefined || id === '' ? {} : { id };
      return { fields: await client.ask('POST', collection(project), { ...named, ...said(flags) }) };
    },
  };
  const show: Command = {
    name: `${name} show`,
    words: [word],
    does: `shows ${what}`,
    run: async (client, [text = '']) => ({ fields: await client.ask('GET', pathOf(text)) }),
  };
  const set: Command = {
    name: `${name} set`,
    words: [word],
    flags: setFlags,
    does: `changes what is given of ${what}`,
    async run(client, [text = ''], flags) {
      const change = said(flags);
      if (Object.keys(change).length === 0)
        throw new Misused(`what is to be changed? accepted are ${setFlags.map((flag) => `--${flag}`).join(', ')}`);
      return { fields: await client.ask('PATCH', pathOf(text), change) };
    },
  };
  const remove: Command = {
    name: `${name} delete`,
    words: [word],
    does: of.deleted,
    async run(client, [text = '']) {
      await client.ask('DELETE', pathOf(text));
      return { line: `${text} is deleted` };
    },
  };
  const history = historyCommand(name, word, `what happened to ${what}`, pathOf);
  return [list, create, show, ...(setFlags.length === 0 ? [] : [set]), remove, history];
}

/** What the flags say of a thing; which of them are given is the command's. */
function said(flags: Flags): Fields {
  const { organization, owner, exempt } = flags;
  const given = {
    organization,
    owner,
    displayName: flags['display-name'],
    description: flags.description,
    scanning: onOrOff('scanning', flags.scanning),
    immutableTags: onOrOff('immutable-tags', flags['immutable-tags']),
    // An empty one: none is exempt.
    immutableTagExemptions: exempt?.filter((pattern) => pattern !== ''),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function onOrOff(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined || text === 'on' || text === 'off') return text === undefined ? undefined : text === 'on';
  throw new Misused(`--${name} ${JSON.stringify(text)} is not on or off`);
}

const described = ['display-name', 'description'] as const;
const settings = [...described, 'scanning', 'immutable-tags', 'exempt'] as const;

export const organizationCommands = resourceCommands({
  name: 'organizations',
  what: 'an organization',
  columns: ['id', 'displayName', 'created', 'uid'],
  items: 'organizations',
  word: '<id>',
  pathOf: organizationPath,
  inProject: false,
  collection: () => `${api}/organizations`,
  listed: 'those that you have a role on; for an administrator all',
  deleted: 'deletes an organization that has no projects',
  createFlags: [...described, 'owner'],
  setFlags: described,
});

export const projectCommands = resourceCommands({
  name: 'projects',
  what: 'a project',
  columns: ['id', 'organization', 'displayName', 'created', 'uid'],
  items: 'projects',
  word: '<id>',
  pathOf: projectPath,
  inProject: false,
  collection: () => `${api}/projects`,
  listed: 'those that you have a role on',
  listFlags: ['organization'],
  deleted: 'deletes a project that has no repositories',
  createFlags: [...described, 'organization'],
  setFlags: described,
});

export const repositoryCommands = resourceCommands({
  name: 'repositories',
  what: 'a repository',
  columns: ['id', 'displayName', 'scanning', 'immutableTags', 'created', 'uid'],
  items: 'repositories',
  word: '<project>/<id>',
  pathOf: repositoryPath,
  inProject: true,
  collection: (project) => `${projectPath(project)}/repositories`,
  listed: 'those of a project that you may pull from',
  deleted: 'deletes a repository with all its images',
  createFlags: settings,
  setFlags: settings,
});

export const accountCommands = resourceCommands({
  name: 'service-accounts',
  what: 'a service account',
  columns: ['identifier', 'displayName', 'created', 'uid'],
  items: 'serviceAccounts',
  word: '<project>/<id>',
  pathOf: accountPath,
  inProject: true,
  collection: (project) => `${projectPath(project)}/service-accounts`,
  listed: 'those of a project',
  deleted: 'deletes a service account with its keys',
  createFlags: ['display-name'],
  setFlags: [],
});
