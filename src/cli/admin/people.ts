import { AdminError, Misused } from '../complaints.js';
import { readSecret } from '../credentials.js';
import { recoverUser } from '../admin-recovery.js';
import type { Command, Flags } from './command.js';
import { historyCommand } from './history.js';
import { api, part, rolesOn, userPath } from './paths.js';
import type { Shown } from './print.js';

export const ownCommands: readonly Command[] = [
  {
    name: 'me',
    does: 'who you are, and your roles on organizations and projects',
    run: async (client) => ({ fields: await client.ask('GET', `${api}/me`) }),
  },
  {
    name: 'change-password',
    flags: ['new-password-stdin'],
    does: 'yours, to the one on standard input; the one before is in ARTS_PASSWORD',
    async run(client, _words, flags) {
      const password = await newPassword(flags);
      if (password === undefined)
        throw new Misused('the new password is missing: give it on standard input with --new-password-stdin');
      await client.ask('PUT', `${api}/me/password`, { current: client.password, password });
      return { line: 'your password is changed' };
    },
  },
];

export const userCommands: readonly Command[] = [
  {
    name: 'users list',
    does: 'all users',
    run: async (client) => ({
      rows: await client.list(`${api}/users`, 'users'),
      columns: ['email', 'disabled', 'created', 'uid'],
    }),
  },
  {
    name: 'users create',
    words: ['<e-mail>'],
    flags: ['new-password-stdin'],
    does: 'makes a user; without a password one is made up and shown, once',
    async run(client, [email = ''], flags) {
      return { fields: await client.ask('POST', `${api}/users`, { email, ...given(await newPassword(flags)) }) };
    },
  },
  {
    name: 'users show',
    words: ['<user>'],
    does: 'shows a user',
    run: async (client, [user = '']) => ({ fields: await client.ask('GET', userPath(user)) }),
  },
  ...(['disable', 'enable'] as const).map((verb): Command => ({
    name: `users ${verb}`,
    words: ['<user>'],
    does: verb === 'disable' ? 'lets a user in no more, from the next request on' : 'lets a user in again',
    run: async (client, [user = '']) => ({ fields: await client.ask('PATCH', userPath(user), { disabled: verb === 'disable' }) }),
  })),
  historyCommand('users', '<user>', 'what happened to a user, not what the user did', userPath),
  {
    name: 'reset-password',
    words: ['<user>'],
    flags: ['new-password-stdin', 'store'],
    does: 'another password; without one it is made up and shown, once. --store: for recovery',
    async run(client, [user = ''], flags) {
      const password = await newPassword(flags);
      const { password: made } = await client.ask('POST', `${userPath(user)}/password`, given(password));
      return resetShown(user, password === undefined ? String(made) : undefined);
    },
    async onStore(config, [user = ''], flags) {
      return resetShown(user, await recoverUser(config, user, await newPassword(flags)));
    },
  },
  {
    name: 'forget',
    words: ['<user>'],
    flags: ['yes'],
    does: 'erases what is personal of a user, for ever (--yes)',
    async run(client, [user = ''], flags) {
      needsYes(flags, `what is personal of ${user}`);
      await client.ask('POST', `${userPath(user)}/forget`);
      return { line: `${user} is forgotten` };
    },
  },
];

const columns = ['principal', 'role', 'on', 'inherited'];

export const roleCommands: readonly Command[] = [
  {
    name: 'roles',
    words: ['<on>'],
    does: 'who may do what there, inherited roles included',
    async run(client, [on = '']) {
      const { path, list } = rolesOn(on);
      return { rows: await client.list(path, list), columns };
    },
  },
  {
    name: 'role',
    words: ['<principal>', '<on>'],
    does: 'the role that was granted to a principal there itself',
    run: async (client, [principal = '', on = '']) => ({
      fields: await client.ask('GET', `${rolesOn(on).path}/${part(principal)}`),
    }),
  },
  {
    name: 'grant',
    words: ['<principal>', '<role>', '<on>'],
    does: 'gives a principal a role there, in place of the one that it has there',
    async run(client, [principal = '', role = '', on = '']) {
      const name = role.startsWith('artifact_store_') ? role : `artifact_store_${role}`;
      return { fields: await client.ask('PUT', `${rolesOn(on).path}/${part(principal)}`, { role: name }) };
    },
  },
  {
    name: 'revoke',
    words: ['<principal>', '<on>'],
    does: 'takes the role away that was granted there itself',
    async run(client, [principal = '', on = '']) {
      await client.ask('DELETE', `${rolesOn(on).path}/${part(principal)}`);
      return { line: `${principal} has no role of its own on ${on} any more` };
    },
  },
];

/** For what nothing brings back. */
export function needsYes({ yes = false }: Flags, what: string): void {
  if (!yes) throw new Misused(`${what} would be erased for ever; say so with --yes`);
}

const [SHORTEST, LONGEST] = [8, 1_024];

/** From standard input, where it is said to come from there; of as many characters as the API takes. */
async function newPassword(flags: Flags): Promise<string | undefined> {
  if (flags['new-password-stdin'] !== true) return undefined;
  const password = await readSecret();
  // As JSON Schema counts them.
  const { length } = Array.from(password);
  if (length >= SHORTEST && length <= LONGEST) return password;
  throw new AdminError(`the new password has ${length} characters; ${SHORTEST} to ${LONGEST} are accepted`);
}

const given = (password: string | undefined) => (password === undefined ? {} : { password });

/** `made`: what was made up, alone on its line, for a shell to take. */
function resetShown(user: string, made: string | undefined): Shown {
  return made === undefined ? { line: `the password of ${user} is set` } : { line: made, fields: { password: made } };
}
