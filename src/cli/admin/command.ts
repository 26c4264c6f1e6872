import { parseArgs } from 'node:util';

import type { Config } from '../../config.js';
import type { AdminClient } from '../admin-client.js';
import { Misused } from '../complaints.js';
import { credentialFlags } from '../credentials.js';
import type { Shown } from './print.js';

/** What `artifact-store admin` can do: a row a command. What is accepted, and the usage, follow from it. */
export interface Command {
  /** One word, or a thing and a verb. */
  readonly name: string;
  /** What follows, as the usage has it: `<user>`; in brackets what may be left out. */
  readonly words?: readonly string[];
  /** Besides those that every command takes. */
  readonly flags?: readonly FlagName[];
  readonly does: string;
  /** The words are as many as accepted, and none is empty. */
  readonly run: (client: AdminClient, words: readonly string[], flags: Flags) => Promise<Shown>;
  /** With --store. */
  readonly onStore?: (config: Config, words: readonly string[], flags: Flags) => Promise<Shown>;
}

/** What some commands take, with what stands for the value in the usage. */
const ownFlags = {
  organization: { type: 'string', value: '<id>' },
  owner: { type: 'string', value: '<principal>' },
  'display-name': { type: 'string', value: '<text>' },
  description: { type: 'string', value: '<text>' },
  scanning: { type: 'string', value: 'on|off' },
  'immutable-tags': { type: 'string', value: 'on|off' },
  exempt: { type: 'string', multiple: true, value: '<pattern>' },
  at: { type: 'string', value: '<moment>' },
  since: { type: 'string', value: '<moment>' },
  until: { type: 'string', value: '<moment>' },
  kind: { type: 'string', value: '<kinds>' },
  actor: { type: 'string', value: '<who>' },
  limit: { type: 'string', value: '<number>' },
  newest: { type: 'boolean' },
  'new-password-stdin': { type: 'boolean' },
  store: { type: 'boolean' },
  yes: { type: 'boolean' },
  expires: { type: 'string', value: '<time>' },
  output: { type: 'string', value: '<file>' },
  compromised: { type: 'boolean' },
} as const;

const everyFlag = { ...credentialFlags, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
const options = { ...everyFlag, ...ownFlags } as const;

export type FlagName = keyof typeof ownFlags;
export type Flags = ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>['values'];

/** Two of which one can be given. */
const exclusive: readonly (readonly [keyof Flags, keyof Flags, string?])[] = [
  ['store', 'server'],
  ['store', 'user'],
  ['store', 'password-stdin'],
  ['store', 'key-file'],
  ['password-stdin', 'new-password-stdin', 'standard input has one password; give yours in ARTS_PASSWORD'],
];

/** A command line of a command that there is, and of its words and flags alone. */
export interface Given {
  readonly command: Command;
  readonly words: readonly string[];
  readonly flags: Flags;
}

/** What is asked to be explained. */
export interface HelpAsked {
  readonly help: readonly Command[];
}

/** A command line that is none of these commands'. */
export class MisusedCommand extends Misused {
  constructor(
    message: string,
    /** The ones that may have been meant. */
    readonly meant: readonly Command[],
  ) {
    super(message);
  }
}

/** Throws MisusedCommand. */
export function parseCommandLine(commands: readonly Command[], args: readonly string[]): Given | HelpAsked {
  const { values: flags, positionals, tokens } = parseWords(commands, args);
  const [first, second] = positionals;
  const called = commands.filter(({ name }) => name === first || name.startsWith(`${first} `));
  if (flags.help === true) return { help: narrowed(called, second, commands) };
  if (first === undefined) throw new MisusedCommand('a command is missing', commands);
  if (called.length === 0) throw new MisusedCommand(`${shown(first)} is not a command`, commands);
  const command = find(called, first, second);
  const words = positionals.slice(command.name.split(' ').length);
  const refuse = (reason: string): never => {
    throw new MisusedCommand(reason, [command]);
  };
  const given = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
  const accepted = new Set<string>([...Object.keys(everyFlag), ...(command.flags ?? [])]);
  const [flag] = given.filter((name) => !accepted.has(name));
  if (flag !== undefined) refuse(`--${flag} is not for ${command.name}`);
  const [twice] = given.filter((name, index) => name !== 'exempt' && given.indexOf(name) !== index);
  if (twice !== undefined) refuse(`--${twice} is given twice`);
  const { words: declared = [] } = command;
  const missing = declared[words.length];
  const empty = words.findIndex((word) => word === '');
  if (empty >= 0) refuse(`${declared[empty] ?? 'a word'} is empty`);
  if (missing !== undefined && !missing.startsWith('[')) refuse(`${missing} is missing`);
  if (words.length > declared.length) refuse(`${shown(words[declared.length] ?? '')} is one too many`);
  for (const [one, other, why = 'they exclude each other'] of exclusive) {
    if (flags[one] !== undefined && flags[other] !== undefined) refuse(`--${one} and --${other}: ${why}`);
  }
  return { command, words, flags };
}

function parseWords(commands: readonly Command[], args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, tokens: true });
  } catch (error) {
    // Node's own words end in advice about positionals.
    const message = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error);
    const [first, second] = args.filter((arg) => !arg.startsWith('-'));
    const called = commands.filter(({ name }) => name === first || name.startsWith(`${first} `));
    throw new MisusedCommand(message, narrowed(called, second, commands));
  }
}

/** The command that is called, else those that begin so, else all. */
function narrowed(called: readonly Command[], verb: string | undefined, all: readonly Command[]): readonly Command[] {
  const one = called.find(({ name }) => name.split(' ')[1] === verb && name.includes(' '));
  if (one !== undefined) return [one];
  return called.length === 0 ? all : called;
}

function find(called: readonly Command[], first: string, second: string | undefined): Command {
  const command = called.find(({ name }) => name === `${first} ${second ?? 'list'}`) ?? called.find(({ name }) => name === first);
  if (command !== undefined) return command;
  const verbs = called.map(({ name }) => name.slice(first.length + 1));
  const listed = verbs.length > 1 ? `${verbs.slice(0, -1).join(', ')} or ${verbs.at(-1)}` : (verbs[0] ?? '');
  throw new MisusedCommand(
    second === undefined ? `what of ${first}? accepted is ${listed}` : `${shown(second)} is not ${listed}`,
    called,
  );
}

const shown = (text: string): string => JSON.stringify(text);

const COLUMN = 50;

/** A line a command, with its flags below. */
export function usageOf(commands: readonly Command[]): string {
  const lines = commands.map(({ name, words = [], flags = [], does }) => {
    const line = `${`  ${[name, ...words].join(' ')}`.padEnd(COLUMN)} ${does}\n`;
    const taken = flags.map((flag) => {
      const option = ownFlags[flag];
      return `[--${flag}${'value' in option ? ` ${option.value}` : ''}]${'multiple' in option ? '...' : ''}`;
    });
    return taken.length === 0 ? line : `${line}      ${taken.join(' ')}\n`;
  });
  return lines.join('');
}
