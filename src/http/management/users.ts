import { randomBytes } from 'node:crypto';
import { Type } from 'typebox';

import { refuseHalfCharacters } from '../../commands/descriptions.js';
import { forgetUser } from '../../commands/forget-user.js';
import { changePassword, createUser, setUserDisabled } from '../../commands/user.js';
import { reject } from '../../errors.js';
import type { AuthenticationDeps } from '../../identity/caller.js';
import { findUserCredentials, nameHash, saltOf } from '../../identity/directory.js';
import { judgeManaging } from '../../identity/judge.js';
import { hashPassword } from '../../identity/password.js';
import { nameOfRole, resolveUser } from '../../identity/principal-text.js';
import type { Uid } from '../../identifiers.js';
import { listPlatformRolesOf } from '../../projections/access.js';
import { principalsOf } from '../../projections/grants.js';
import { findOrganization } from '../../projections/organizations.js';
import { findAccount, findUserCreation, findUserState, listUsers, type UserEntry } from '../../projections/principals.js';
import { findProjectDetails } from '../../projections/project-details.js';
import { standingAsAdministrator } from '../../projections/standing.js';
import type { Reading } from '../../projections/store.js';
import { commandContext, type Exchange } from '../exchange.js';
import { contextIfMatch, contextOnceOfSecret, entityTag } from './conditions.js';
import { linkTo, matches, pageOf, readAll } from './paging.js';
import { administering, granted, sortable, throwIf, withTime } from './resources.js';
import { operation } from './route.js';
import { listQuery, object, page, roleSchema, uid as uidSchema, user, userText } from './schemas.js';

const tag = 'Users';
export const userParams = object({ user: userText });
const password = Type.String({
  minLength: 8,
  maxLength: 1_024,
  description: '8 to 1024 characters.',
  examples: ['correct horse battery staple'],
});

// RFC 5321 is wider; what is refused here nobody has. A colon would end the name in Basic credentials, a slash make it a service account.
const emailGrammar = /^[^\s@:/\p{Cc}]+@[^\s@:/\p{Cc}]+$/u;

export function userOperations(authentication: Pick<AuthenticationDeps, 'passwords' | 'guessing'>) {
  return [
    operation({
      method: 'GET',
      path: '/me',
      id: 'getMe',
      tag,
      summary: 'Who you are, and your roles on organizations and projects',
      status: 200,
      answer: object({
        kind: Type.Enum(['user', 'serviceAccount']),
        uid: uidSchema,
        name: Type.String({ description: 'E-mail, or `<project>/<account>`.' }),
        administrator: Type.Boolean({ description: 'Whether you own the first organization.' }),
        roles: Type.Array(object({ on: Type.String(), role: roleSchema })),
      }),
      async run({ exchange }) {
        const { caller, services } = exchange;
        return services.executor.store.read(async (reading) => {
          const standing = await standingAsAdministrator(reading, caller.actor);
          const { uid } = caller.actor;
          if (uid === undefined) return reject('UNAUTHORIZED');
          throwIf(judgeManaging(caller, standing === 'barred' ? standing : 'owner', 'yourself'));
          const [own] = principalsOf(caller.actor);
          const held = own === undefined ? [] : await listPlatformRolesOf(reading, own);
          const roles = await Promise.all(
            held.map(async ({ on, aggregate, role }) => {
              const found =
                aggregate === 'organization' ? await findOrganization(reading, on) : await findProjectDetails(reading, on);
              return { on: `${aggregate}/${found?.id ?? on}`, role: nameOfRole(role) };
            }),
          );
          const account = caller.actor.kind === 'service-account' ? await findAccount(reading, uid) : undefined;
          const name = account === undefined ? await emailOf(reading, uid) : `${account.projectId}/${account.id}`;
          const kind = account === undefined ? 'user' : 'serviceAccount';
          return { body: { kind, uid, name, administrator: standing === 'owner', roles } };
        });
      },
    }),
    operation({
      method: 'PUT',
      path: '/me/password',
      id: 'changeMyPassword',
      tag,
      summary: 'Changes your password; refresh tokens end with the old one',
      body: object({ current: Type.String({ maxLength: 1_024 }), password }),
      status: 204,
      async run({ exchange, body }) {
        const { caller, services, request } = exchange;
        const { uid } = caller.actor;
        // By no token, before the password is looked at.
        throwIf(judgeManaging(caller, caller.actor.kind === 'anonymous' ? undefined : 'owner', 'your password'));
        if (caller.actor.kind !== 'user' || uid === undefined)
          return reject('DENIED', { verb: 'change', name: 'a password without being a user' });
        const found = await services.executor.store.read((reading) => findUserCredentials(reading, uid));
        if (found === undefined) return reject(caller.viaToken ? 'TOKEN_INVALID' : 'CREDENTIALS_WRONG');
        throwIf(refuseHalfCharacters('password', body.password));
        const slowly = (check: () => Promise<boolean>) => authentication.guessing.attempt(uid, request.ip, check);
        const right = await authentication.passwords.verify(uid, found.passwordHash, body.current, { from: request.ip, slowly });
        if (!right) return reject('FIELD_INVALID', { field: 'current', reason: 'it is not your password' });
        const passwordHash = await hashPassword(body.password, uid);
        granted(
          await changePassword(services.executor, commandContext(exchange), {
            kind: 'ChangePassword',
            user: uid,
            passwordHash,
            verified: found.passwordHash,
          }),
        );
        authentication.passwords.remember(uid, passwordHash, body.password);
        return {};
      },
    }),
    operation({
      method: 'GET',
      path: '/users',
      id: 'listUsers',
      tag,
      summary: 'All users; administrators are told',
      query: Type.Object({ ...listQuery.properties, disabled: Type.Optional(Type.Boolean()) }, { additionalProperties: false }),
      status: 200,
      answer: page('users', user),
      async run({ exchange, query, path }) {
        return exchange.services.executor.store.read(async (reading) => {
          await administering(reading, exchange, 'users');
          const all = await everyUser(reading);
          const listed = all
            .filter(
              ({ email, disabled }) => matches(query.q, email) && (query.disabled === undefined || query.disabled === disabled),
            )
            .map((item) => ({ item, name: item.email.toLowerCase(), created: sortable(item.created), uid: item.uid }));
          const found = pageOf(listed, query);
          const users = await Promise.all(found.items.map((one) => withTime(reading, reading.platform, one)));
          return { body: { users, ...linkTo(path, query, found.after) } };
        });
      },
    }),
    operation({
      method: 'POST',
      path: '/users',
      id: 'createUser',
      tag,
      summary: 'Makes a user; administrators may',
      description: 'Without a password one is made up and shown once, in this answer alone.',
      body: object({
        email: Type.String({ minLength: 3, maxLength: 320, examples: ['ann@example.org'] }),
        password: Type.Optional(password),
      }),
      status: 201,
      answer: Type.Object({ ...user.properties, password: Type.Optional(Type.String()) }, { additionalProperties: false }),
      creates: true,
      async run({ exchange, body, path }) {
        const { executor, newId } = exchange.services;
        const salt = await executor.store.read(async (reading) => {
          await administering(reading, exchange, 'users');
          return saltOf(reading);
        });
        throwIf(refuseHalfCharacters('email', body.email) ?? refuseHalfCharacters('password', body.password ?? ''));
        if (!emailGrammar.test(body.email)) {
          return reject('FIELD_INVALID', {
            field: 'email',
            reason: `${JSON.stringify(body.email)} is no e-mail; accepted is <name>@<host>, without spaces, colons and slashes`,
          });
        }
        const made = body.password ?? randomBytes(18).toString('base64url');
        const created = newId();
        const outcome = granted(
          await createUser(executor, await contextOnceOfSecret(exchange), {
            kind: 'CreateUser',
            user: created,
            loginName: body.email,
            nameHash: nameHash(salt, body.email),
            passwordHash: await hashPassword(made, exchange.caller.actor.uid),
          }),
        );
        const shown = await executor.store.read((reading) => showUser(reading, outcome.user));
        // Only its hash is kept.
        if (body.password === undefined && outcome.user !== created) return reject('PASSWORD_SHOWN_BEFORE', { user: body.email });
        const once = body.password === undefined ? { password: made } : {};
        return { body: { ...shown, ...once }, location: `${path}/${encodeURIComponent(body.email)}` };
      },
    }),
    operation({
      method: 'GET',
      path: '/users/:user',
      id: 'getUser',
      tag,
      summary: 'A user',
      params: userParams,
      status: 200,
      answer: user,
      editable: true,
      async run({ exchange, params }) {
        const shown = await exchange.services.executor.store.read((reading) => load(reading, exchange, params.user));
        return { body: shown, etag: entityTag(shown) };
      },
    }),
    operation({
      method: 'PATCH',
      path: '/users/:user',
      id: 'changeUser',
      tag,
      summary: 'Lets a user in no more, or again; administrators may',
      description: 'What a disabled user holds, tokens included, is refused from the next request on.',
      params: userParams,
      body: object({ disabled: Type.Boolean() }),
      status: 200,
      answer: user,
      editable: true,
      async run({ exchange, params, body }) {
        const { executor } = exchange.services;
        const found = await executor.store.read((reading) => managedUser(reading, exchange, params.user));
        const context = contextIfMatch(exchange, (reading) => load(reading, exchange, params.user));
        granted(await setUserDisabled(executor, context, { kind: 'SetUserDisabled', user: found, disabled: body.disabled }));
        const shown = await executor.store.read((reading) => showUser(reading, found));
        return { body: shown, etag: entityTag(shown) };
      },
    }),
    operation({
      method: 'POST',
      path: '/users/:user/password',
      id: 'resetPassword',
      tag,
      summary: 'Gives a user another password; administrators may',
      description: 'Without one it is made up and shown once, in this answer alone.',
      params: userParams,
      body: object({ password: Type.Optional(password) }),
      status: 200,
      answer: object({ password: Type.Optional(Type.String({ description: 'The one that was made up.' })) }),
      async run({ exchange, params, body }) {
        const { executor } = exchange.services;
        const found = await executor.store.read((reading) => managedUser(reading, exchange, params.user));
        throwIf(refuseHalfCharacters('password', body.password ?? ''));
        const made = body.password ?? randomBytes(18).toString('base64url');
        const passwordHash = await hashPassword(made, exchange.caller.actor.uid);
        granted(
          await changePassword(executor, commandContext(exchange), {
            kind: 'ChangePassword',
            user: found,
            passwordHash,
            verified: undefined,
          }),
        );
        return { body: body.password === undefined ? { password: made } : {} };
      },
    }),
    operation({
      method: 'POST',
      path: '/users/:user/forget',
      id: 'forgetUser',
      tag,
      summary: 'Erases what is personal of a user, for ever; administrators may',
      description:
        'Name and password are gone at once, addresses and user agents of the requests soon after. Roles end, on more than 500 repositories soon after, too; the e-mail is free. History stays, and says that it was erased.',
      params: userParams,
      status: 204,
      async run({ exchange, params }) {
        const { executor, newId } = exchange.services;
        const found = await executor.store.read(async (reading) => {
          const uid = await managedUser(reading, exchange, params.user);
          return { uid, hash: nameHash(await saltOf(reading), await emailOf(reading, uid)) };
        });
        granted(
          await forgetUser(executor, commandContext(exchange), {
            kind: 'ForgetUser',
            user: found.uid,
            nameHash: found.hash,
            erasure: newId(),
          }),
        );
        return {};
      },
    }),
  ];
}

/** A user who was not forgotten, for an administrator. */
export async function managedUser(reading: Reading, exchange: Exchange, text: string): Promise<Uid> {
  await administering(reading, exchange, 'users');
  const uid = await resolveUser(reading, text);
  if (uid === undefined || (await findUserCreation(reading, uid)) === undefined) return reject('USER_UNKNOWN', { user: text });
  return uid;
}

async function load(reading: Reading, exchange: Exchange, text: string): Promise<object> {
  return showUser(reading, await managedUser(reading, exchange, text));
}

async function showUser(reading: Reading, uid: Uid): Promise<object> {
  const created = await findUserCreation(reading, uid);
  if (created === undefined) return reject('USER_UNKNOWN', { user: uid });
  return withTime(reading, reading.platform, await entryOf(reading, { uid, created }));
}

async function entryOf(reading: Reading, { uid, created }: UserEntry) {
  const [email, state] = await Promise.all([emailOf(reading, uid), findUserState(reading, uid)]);
  return { uid, email, disabled: state === 'disabled', created };
}

async function emailOf({ tx, platform }: Reading, uid: Uid): Promise<string> {
  return (await tx.get(platform.keyspace.personal(uid, 'login-name')))?.toString() ?? uid;
}

/** Names lie beside the log, where no index has them: in the order of names they are sorted when all are read. */
function everyUser(reading: Reading) {
  return readAll(async (most, last: Awaited<ReturnType<typeof entryOf>> | undefined) => {
    const some = await listUsers(reading, most, last?.uid);
    return Promise.all(some.map((one) => entryOf(reading, one)));
  });
}
