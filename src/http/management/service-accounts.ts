import { Type } from 'typebox';

import {
  addServiceAccountKey,
  createServiceAccount,
  deleteServiceAccount,
  KEYS_MOST,
  revokeServiceAccountKey,
} from '../../commands/service-account.js';
import { refuse, reject, RefusalError } from '../../errors.js';
import { formatTime } from '../../events/database-time.js';
import { generateAccountKey, KEY_FILE_TYPE, type KeyFile } from '../../identity/key-file.js';
import { judgeManaging } from '../../identity/judge.js';
import { parseUid, type Uid } from '../../identifiers.js';
import {
  findAccount,
  findAccountIn,
  findAccountKey,
  listAccountKeys,
  listAccountsIn,
  type AccountEntry,
  type AccountKey,
} from '../../projections/principals.js';
import type { Reading } from '../../projections/store.js';
import { commandContext, type Exchange } from '../exchange.js';
import { contextOnce } from './conditions.js';
import { generateId } from './generated-ids.js';
import { linkTo, matches, pageOf, readAll } from './paging.js';
import { accountId, granted, projectId, seenProject, sortable, throwIf, withTime, withTimes } from './resources.js';
import { operation } from './route.js';
import {
  account,
  accountParams,
  after,
  displayName,
  key,
  limit,
  listQuery,
  object,
  page,
  projectParams,
  uid as uidSchema,
} from './schemas.js';

const tag = 'Service accounts';
const many = '/projects/:project/service-accounts';
const one = `${many}/:account`;
const keys = `${one}/keys`;
const keyParams = Type.Object({ ...accountParams.properties, key: uidSchema }, { additionalProperties: false });

const keyFile = object(
  {
    type: Type.Literal(KEY_FILE_TYPE),
    project: Type.String(),
    account: Type.String(),
    key_id: uidSchema,
    private_key: Type.String({ description: 'Ed25519, PKCS #8, PEM. The registry does not keep it.' }),
    created: Type.String({ format: 'date-time' }),
    expires: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
  },
  { description: 'The key file: save the whole answer. As password it goes with the user name _json_key.' },
);

export const serviceAccountOperations = [
  operation({
    method: 'GET',
    path: many,
    id: 'listServiceAccounts',
    tag,
    summary: 'A project’s service accounts; owners are told',
    params: projectParams,
    query: listQuery,
    status: 200,
    answer: page('serviceAccounts', account),
    async run({ exchange, params, query, path }) {
      return exchange.services.executor.store.read(async (reading) => {
        const project = await ownedProject(reading, exchange, params.project);
        const all = await everyAccount(reading, project);
        const shown = await Promise.all(all.map(async (entry) => ({ entry, found: await findAccount(reading, entry.uid) })));
        const listed = shown
          .filter(({ entry, found }) => matches(query.q, entry.id, found?.displayName ?? ''))
          .map(({ entry }) => ({ item: entry, name: entry.id, created: sortable(entry.created), uid: entry.uid }));
        const found = pageOf(listed, query);
        const serviceAccounts = await Promise.all(found.items.map(({ uid }) => show(reading, uid)));
        return { body: { serviceAccounts, ...linkTo(path, query, found.after) } };
      });
    },
  }),
  operation({
    method: 'POST',
    path: many,
    id: 'createServiceAccount',
    tag,
    summary: 'Makes a service account; owners of the project may',
    params: projectParams,
    body: object({
      id: Type.Optional(Type.String({ description: 'Made up when left out.', examples: ['ci'] })),
      displayName: Type.Optional(displayName),
    }),
    status: 201,
    answer: account,
    creates: true,
    async run({ exchange, params, body, path }) {
      const { executor, newId } = exchange.services;
      const made = granted(
        await createServiceAccount(executor, contextOnce(exchange), {
          kind: 'CreateServiceAccount',
          project: projectId(params.project),
          account: newId(),
          id: accountId(body.id ?? generateId('sa'), 'id'),
          displayName: body.displayName ?? '',
        }),
      );
      const shown = await executor.store.read(async (reading) => {
        await ownedProject(reading, exchange, params.project);
        return show(reading, made.account);
      });
      return { body: shown, location: `${path}/${shown.id}` };
    },
  }),
  operation({
    method: 'GET',
    path: one,
    id: 'getServiceAccount',
    tag,
    summary: 'A service account',
    params: accountParams,
    status: 200,
    answer: account,
    async run({ exchange, params }) {
      return exchange.services.executor.store.read(async (reading) => ({
        body: await show(reading, await ownedAccount(reading, exchange, params)),
      }));
    },
  }),
  operation({
    method: 'DELETE',
    path: one,
    id: 'deleteServiceAccount',
    tag,
    summary: 'Deletes a service account with its keys; its tokens end with the next request',
    params: accountParams,
    status: 204,
    async run({ exchange, params }) {
      const command = {
        kind: 'DeleteServiceAccount',
        project: projectId(params.project),
        id: accountId(params.account),
      } as const;
      granted(await deleteServiceAccount(exchange.services.executor, () => commandContext(exchange), command));
      return {};
    },
  }),
  operation({
    method: 'GET',
    path: keys,
    id: 'listKeys',
    tag,
    summary: 'A service account’s keys, without what is secret',
    params: accountParams,
    query: object({ limit, after, sort: Type.Optional(Type.Enum(['created', '-created'], { default: 'created' })) }),
    status: 200,
    answer: page('keys', key),
    async run({ exchange, params, query, path }) {
      return exchange.services.executor.store.read(async (reading) => {
        const all = await listAccountKeys(reading, await ownedAccount(reading, exchange, params), KEYS_MOST);
        const listed = all.map((item) => ({ item, name: item.key, created: sortable(item.created), uid: item.key }));
        const found = pageOf(listed, { ...query, sort: query.sort ?? 'created' });
        const shown = await withTimes(reading, reading.platform, found.items);
        return { body: { keys: shown.map(showKey), ...linkTo(path, query, found.after) } };
      });
    },
  }),
  operation({
    method: 'POST',
    path: keys,
    id: 'createKey',
    tag,
    summary: 'Makes a key; its file is in this answer, and nowhere else again',
    description: 'Keys overlap: make the next one, hand it out, revoke the one before.',
    params: accountParams,
    body: object({
      expires: Type.Optional(
        Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
          description: 'RFC 3339; null, or left out: never.',
          examples: ['2027-11-01T00:00:00Z'],
        }),
      ),
    }),
    status: 201,
    answer: keyFile,
    creates: true,
    async run({ exchange, params, body, path }) {
      const { executor, newId } = exchange.services;
      const [project, id] = [projectId(params.project), accountId(params.account)];
      const { privateKey, publicKey } = generateAccountKey();
      const made = newId();
      const expiresAt = expiryOf(body.expires);
      const outcome = granted(
        await addServiceAccountKey(executor, contextOnce(exchange), {
          kind: 'AddServiceAccountKey',
          project,
          id,
          key: made,
          publicKey,
          expiresAt,
        }),
      );
      const found = await executor.store.read(async (reading) => {
        await ownedAccount(reading, exchange, params);
        if (outcome.key !== made) return reject('KEY_SHOWN_BEFORE', { key: outcome.key });
        const noted = await findAccountKey(reading, made);
        return noted && withTime(reading, reading.platform, noted);
      });
      const file: KeyFile = {
        type: KEY_FILE_TYPE,
        project,
        account: id,
        key_id: made,
        private_key: privateKey,
        created: found?.created ?? formatTime(Date.now() * 1_000),
        expires: expiresAt === undefined ? null : formatTime(expiresAt),
      };
      return { body: file, location: `${path}/${made}` };
    },
  }),
  operation({
    method: 'GET',
    path: `${keys}/:key`,
    id: 'getKey',
    tag,
    summary: 'A key, without what is secret',
    params: keyParams,
    status: 200,
    answer: key,
    async run({ exchange, params }) {
      return exchange.services.executor.store.read(async (reading) => {
        const owner = await ownedAccount(reading, exchange, params);
        const found = await findAccountKey(reading, keyIn(params));
        if (found?.account !== owner) throw new RefusalError(refuseKey(params));
        return { body: showKey(await withTime(reading, reading.platform, found)) };
      });
    },
  }),
  operation({
    method: 'DELETE',
    path: `${keys}/:key`,
    id: 'revokeKey',
    tag,
    summary: 'Revokes a key; what it was shown for, its tokens too, ends with the next request',
    params: keyParams,
    status: 204,
    async run({ exchange, params }) {
      const command = {
        kind: 'RevokeServiceAccountKey',
        project: projectId(params.project),
        id: accountId(params.account),
        key: keyIn(params),
      } as const;
      granted(await revokeServiceAccountKey(exchange.services.executor, commandContext(exchange), command));
      return {};
    },
  }),
];

type KeyPlace = Readonly<Record<'project' | 'account' | 'key', string>>;

const refuseKey = ({ project, account: of, key: id }: KeyPlace) =>
  refuse('KEY_UNKNOWN', { account: `${project}/${of}`, key: id });

/** In any case, as a UUID is read. RFC 9562, section 4. */
function keyIn(place: KeyPlace): Uid {
  const id = parseUid(place.key.toLowerCase());
  if (id === undefined) throw new RefusalError(refuseKey(place));
  return id;
}

function expiryOf(text: string | null | undefined): number | undefined {
  if (text === undefined || text === null) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time))
    return reject('FIELD_INVALID', { field: 'expires', reason: `${JSON.stringify(text)} is no time by RFC 3339` });
  // Microseconds are kept as whole numbers.
  if (time * 1_000 > Number.MAX_SAFE_INTEGER) {
    const last = formatTime(Number.MAX_SAFE_INTEGER);
    return reject('FIELD_INVALID', { field: 'expires', reason: `the latest is ${last}; null is for a key that never expires` });
  }
  return time * 1_000;
}

async function ownedProject(reading: Reading, exchange: Exchange, id: string): Promise<Uid> {
  const { details, standing } = await seenProject(reading, exchange, id);
  throwIf(judgeManaging(exchange.caller, standing, `project ${id}`));
  return details.uid;
}

/** An account of a project that the caller owns. */
export async function ownedAccount(
  reading: Reading,
  exchange: Exchange,
  params: { readonly project: string; readonly account: string },
): Promise<Uid> {
  const project = await ownedProject(reading, exchange, params.project);
  const found = await findAccountIn(reading, project, accountId(params.account));
  return found?.uid ?? reject('ACCOUNT_UNKNOWN', { account: `${params.project}/${params.account}` });
}

async function show(reading: Reading, uid: Uid) {
  const found = await findAccount(reading, uid);
  const entry = found && (await findAccountIn(reading, found.project, found.id));
  if (found === undefined || entry === undefined) return reject('ACCOUNT_UNKNOWN', { account: uid });
  const { created } = await withTime(reading, reading.platform, entry);
  const { id, projectId: project, displayName: called } = found;
  return { uid, id, project, identifier: `${project}/${id}`, displayName: called, created };
}

function showKey({ key: id, publicKey, created, expiresAt }: Omit<AccountKey, 'created'> & { readonly created: string }): object {
  const expires = expiresAt === undefined ? null : formatTime(expiresAt);
  return { id, publicKey: publicKey.toString('hex'), created, expires };
}

function everyAccount(reading: Reading, project: Uid): Promise<readonly AccountEntry[]> {
  return readAll((most, last) => listAccountsIn(reading, project, most, last?.id));
}
