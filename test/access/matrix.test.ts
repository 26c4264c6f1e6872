import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Role } from '../../src/events/types.js';
import type { TokenAccess } from '../../src/identity/scopes.js';
import { expectedOf, rankOf, type Asker, type Expected, type Place, type Verb } from './oracle.js';
import { openWorld, roleName, sha256, type Got, type Principal, type Sent, type World } from './world.js';

const roles = ['viewer', 'editor', 'owner'] as const;
const levels = ['organization', 'project', 'repository'] as const;
const indexType = 'application/vnd.oci.image.index.v1+json';
const emptyIndex = (text: string): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [], annotations: { text } });
const standing = emptyIndex('standing');

const ordinary = { ours: true, granted: { project: false, repository: false }, everybodyOn: 'repository' } as const;
const inTeam = { ...ordinary, granted: { project: true, repository: false } } as const;

/** All names are of one length, so that answers about them can be compared byte by byte. */
const places: Readonly<Record<string, Place>> = {
  'team/opened': { ...inTeam, everybody: 'all-users', there: 'repository' },
  'team/logins': { ...inTeam, everybody: 'all-authenticated-users', there: 'repository' },
  'team/closed': { ...inTeam, granted: { project: true, repository: true }, everybody: undefined, there: 'repository' },
  'team/hidden': { ...inTeam, everybody: undefined, there: 'repository' },
  'team/absent': { ...inTeam, everybody: undefined, there: 'project' },
  'free/inside': { ...ordinary, everybody: 'all-users', everybodyOn: 'project', there: 'repository' },
  'free/absent': { ...ordinary, everybody: 'all-users', everybodyOn: 'project', there: 'project' },
  'crew/inside': { ...ordinary, everybody: 'all-authenticated-users', everybodyOn: 'project', there: 'repository' },
  'crew/absent': { ...ordinary, everybody: 'all-authenticated-users', everybodyOn: 'project', there: 'project' },
  'else/inside': { ...ordinary, ours: false, everybody: undefined, there: 'repository' },
  'else/absent': { ...ordinary, ours: false, everybody: undefined, there: 'project' },
  'void/absent': { ...ordinary, ours: false, everybody: undefined, there: 'nothing' },
};

interface Subject extends Asker {
  readonly label: string;
  readonly principal: Principal | undefined;
}

type Act = (name: string, isThere: boolean) => Omit<Sent, 'authorization'> | Promise<Omit<Sent, 'authorization'>>;

interface Action {
  readonly verb: Verb;
  /** Of who may, on what is there. */
  readonly done: number;
  /** `isDone`: it will be; what it uses up is made for it. */
  readonly act: Act;
  /** Of what is not there, too, for who may see that: DESIGN, section 11, on referrers. */
  readonly ofNothing?: boolean;
  /** Makes the repository where it is not there. */
  readonly creates?: boolean;
}

let world: World;
const uploads = new Map<string, string>();
const blobs = new Map<string, string>();
const subjects: Subject[] = [];

async function upload(name: string): Promise<string> {
  const got = await world.send({ method: 'POST', url: `/v2/${name}/blobs/uploads/`, authorization: world.admin });
  return String(got.headers['docker-upload-uuid']);
}

async function put(name: string, reference: string, body: string): Promise<void> {
  const url = `/v2/${name}/manifests/${reference}`;
  const got = await world.send({ method: 'PUT', url, authorization: world.admin, body, type: indexType });
  if (got.status !== 201) throw new Error(`${url} was answered ${got.status}: ${got.text}`);
}

const nobodysUpload = '01a203ce-267d-73a2-81de-1cb1e4b2342b';
const standingUpload = (name: string): string => uploads.get(name) ?? nobodysUpload;
const standingBlob = (name: string): string => blobs.get(name) ?? sha256('of no repository');
const bytes = { type: 'application/octet-stream' };
const lastBytes = 'the last bytes';
let made = 0;
const next = (): number => (made += 1);

const json = (method: Sent['method'], url: string, body: object): Omit<Sent, 'authorization'> => ({
  method,
  url,
  body: JSON.stringify(body),
  type: 'application/json',
});
const projectUrl = (name: string): string => `/api/v1/projects/${name.split('/')[0] ?? ''}`;
const repositoryUrl = (name: string): string => `${projectUrl(name)}/repositories/${name.split('/')[1] ?? ''}`;
const bystander = encodeURIComponent('bystander@example.test');
const viewing = { role: roleName('viewer') };

const actions: Readonly<Record<string, Action>> = {
  ...reading('GET'),
  ...reading('HEAD'),
  'POST of an upload': {
    verb: 'push',
    done: 202,
    creates: true,
    act: (n) => ({ method: 'POST', url: `/v2/${n}/blobs/uploads/` }),
  },
  'PATCH of an upload': {
    verb: 'push',
    done: 202,
    act: async (n, isDone) => ({ method: 'PATCH', url: await uploadUrl(n, isDone), body: 'bytes', ...bytes }),
  },
  'PUT of an upload': {
    verb: 'push',
    done: 201,
    act: async (n, isDone) => ({
      method: 'PUT',
      url: `${await uploadUrl(n, isDone)}?digest=${sha256(lastBytes)}`,
      body: lastBytes,
      ...bytes,
    }),
  },
  'GET of an upload': {
    verb: 'push',
    done: 204,
    act: (n) => ({ method: 'GET', url: `/v2/${n}/blobs/uploads/${standingUpload(n)}` }),
  },
  'DELETE of an upload': {
    verb: 'push',
    done: 204,
    act: async (n, isDone) => ({ method: 'DELETE', url: await uploadUrl(n, isDone) }),
  },
  'PUT of a manifest': {
    verb: 'push',
    done: 201,
    creates: true,
    act: (n) => ({ method: 'PUT', url: `/v2/${n}/manifests/pushed`, body: emptyIndex('pushed'), type: indexType }),
  },
  'DELETE of a tag': {
    verb: 'delete',
    done: 202,
    async act(n, isDone) {
      const tag = isDone ? `t${next()}` : 'standing';
      if (isDone) await put(n, tag, standing);
      return { method: 'DELETE', url: `/v2/${n}/manifests/${tag}` };
    },
  },
  'DELETE of a manifest': {
    verb: 'delete',
    done: 202,
    async act(n, isDone) {
      const body = isDone ? emptyIndex(`m${next()}`) : standing;
      if (isDone) await put(n, sha256(body), body);
      return { method: 'DELETE', url: `/v2/${n}/manifests/${sha256(body)}` };
    },
  },
  'DELETE of a blob': {
    verb: 'delete',
    done: 202,
    act: async (n, isDone) => ({ method: 'DELETE', url: `/v2/${n}/blobs/${isDone ? await world.blob(n) : standingBlob(n)}` }),
  },
  'API GET of a repository': { verb: 'pull', done: 200, act: (n) => ({ method: 'GET', url: repositoryUrl(n) }) },
  'API GET of the images': { verb: 'pull', done: 200, act: (n) => ({ method: 'GET', url: `${repositoryUrl(n)}/images` }) },
  'API PATCH of a repository': { verb: 'manage', done: 200, act: (n) => json('PATCH', repositoryUrl(n), { displayName: 'it' }) },
  'API GET of permissions': {
    verb: 'manage',
    done: 200,
    act: (n) => ({ method: 'GET', url: `${repositoryUrl(n)}/permissions` }),
  },
  'API PUT of a permission': {
    verb: 'manage',
    done: 200,
    act: (n) => json('PUT', `${repositoryUrl(n)}/permissions/${bystander}`, viewing),
  },
  'API DELETE of a permission': {
    verb: 'manage',
    done: 204,
    async act(n, isDone) {
      const path = `${repositoryUrl(n)}/permissions/${bystander}`;
      if (isDone) await world.manage('PUT', path.replace('/api/v1', ''), viewing);
      return { method: 'DELETE', url: path };
    },
  },
  'API GET of a project': { verb: 'see project', done: 200, act: (n) => ({ method: 'GET', url: projectUrl(n) }) },
  'API PATCH of a project': {
    verb: 'manage project',
    done: 200,
    act: (n) => json('PATCH', projectUrl(n), { displayName: 'it' }),
  },
  'API GET of members': { verb: 'manage project', done: 200, act: (n) => ({ method: 'GET', url: `${projectUrl(n)}/members` }) },
  'API PUT of a member': {
    verb: 'manage project',
    done: 200,
    act: (n) => json('PUT', `${projectUrl(n)}/members/${bystander}`, viewing),
  },
};

function reading(method: 'GET' | 'HEAD'): Readonly<Record<string, Action>> {
  const of = (path: (name: string) => string): Action => ({
    verb: 'pull',
    done: 200,
    act: (n) => ({ method, url: `/v2/${n}/${path(n)}` }),
  });
  return {
    [`${method} of a manifest by tag`]: of(() => 'manifests/standing'),
    [`${method} of a manifest by digest`]: of(() => `manifests/${sha256(standing)}`),
    [`${method} of a blob`]: of((n) => `blobs/${standingBlob(n)}`),
    [`${method} of the tags`]: of(() => 'tags/list'),
    [`${method} of the referrers`]: { ...of(() => `referrers/${sha256(standing)}`), ofNothing: true },
  };
}

async function uploadUrl(name: string, isDone: boolean): Promise<string> {
  return `/v2/${name}/blobs/uploads/${isDone ? await upload(name) : standingUpload(name)}`;
}

beforeAll(async () => {
  world = await openWorld();
  await world.manage('POST', '/organizations', { id: 'acme' });
  await world.manage('POST', '/organizations', { id: 'rest' });
  for (const project of ['team', 'free', 'crew']) await world.manage('POST', '/projects', { id: project, organization: 'acme' });
  await world.manage('POST', '/projects', { id: 'else', organization: 'rest' });
  await world.manage('POST', '/projects', { id: 'keys', organization: 'rest' });
  await world.user('bystander');
  await world.manage('POST', '/projects/free/members', { principal: 'allUsers', ...viewing });
  await world.manage('POST', '/projects/crew/members', { principal: 'allAuthenticatedUsers', ...viewing });
  for (const [name, { there, everybody, everybodyOn }] of Object.entries(places)) {
    if (there !== 'repository') continue;
    await put(name, 'standing', standing);
    uploads.set(name, await upload(name));
    blobs.set(name, await world.blob(name));
    if (everybody === undefined || everybodyOn === 'project') continue;
    const principal = everybody === 'all-users' ? 'allUsers' : 'allAuthenticatedUsers';
    await world.manage('POST', `${repositoryUrl(name).replace('/api/v1', '')}/permissions`, { principal, ...viewing });
  }
  await addSubjects();
}, 60_000);

afterAll(() => world.close());

const grantedAt = {
  organization: '/organizations/acme/members',
  project: '/projects/team/members',
  repository: '/projects/team/repositories/closed/permissions',
} as const;

async function addSubjects(): Promise<void> {
  const nobody = { kind: 'anonymous', state: 'good', role: undefined, level: 'repository', principal: undefined } as const;
  for (const by of ['nothing', 'wide token', 'narrow token'] as const) subjects.push({ ...nobody, by, label: `nobody by ${by}` });
  const granted: readonly (readonly [Role | undefined, Asker['level']])[] = [
    [undefined, 'repository'],
    ...roles.flatMap((role) => levels.map((level) => [role, level] as const)),
  ];
  for (const kind of ['user', 'service-account'] as const) {
    for (const [role, level] of granted) await add(kind, role, level, 'good');
    await add(kind, 'owner', 'organization', 'barred');
  }
}

async function add(kind: 'user' | 'service-account', role: Role | undefined, level: Asker['level'], state: Asker['state']) {
  const id = `s${next()}`;
  const principal = kind === 'user' ? await world.user(id) : await world.account('keys', id);
  if (role !== undefined) await world.manage('POST', grantedAt[level], { principal: principal.text, role: roleName(role) });
  if (state === 'barred' && principal.key === undefined) {
    await world.manage('PATCH', `/users/${encodeURIComponent(principal.text)}`, { disabled: true });
  } else if (state === 'barred') {
    await world.manage('DELETE', `/projects/keys/service-accounts/${id}/keys/${String(principal.key)}`);
  }
  for (const by of ['basic', 'wide token', 'narrow token'] as const) {
    // What a token narrows is the same whatever the level, and so is who shows what; a disabled user's password is a wrong one, and guessed at ever more slowly: below.
    if (by === 'narrow token' && role !== undefined && level !== 'organization') continue;
    if (by === (kind === 'user' ? 'basic' : 'wide token') && role !== undefined && level !== 'organization') continue;
    if (by === 'basic' && state === 'barred' && kind === 'user') continue;
    const what = role === undefined ? 'without a role' : `${role} of the ${level}`;
    subjects.push({ kind, role, level, state, by, principal, label: `${state} ${kind} ${what} by ${by}` });
  }
}

function authorizationOf({ by, principal }: Subject, name: string): string | undefined {
  const all: TokenAccess = { type: 'repository', name, actions: ['pull', 'push', 'delete'] };
  switch (by) {
    case 'nothing':
      return undefined;
    case 'basic':
      return principal?.basic;
    case 'wide token':
      return world.bearer(principal, [all]);
    case 'narrow token':
      return world.bearer(principal, []);
  }
}

/** What an answer says of the contract's order; anything else shows itself. */
function outcomeOf({ status, headers, text }: Got, done: number): unknown {
  if (status === done) return { status: 'done' };
  if (status === 401) {
    const [, error] = /error="(\w+)"/.exec(String(headers['www-authenticate'])) ?? [];
    return { status, error };
  }
  if (status === 403 || status === 404) return { status };
  return { status, text };
}

const inWords = (outcome: unknown): string => JSON.stringify(outcome);

/** Where the names were, nothing is said: what stays has to be the same. */
function nameless({ status, headers, text }: Got, name: string): string {
  const others = { ...headers, date: undefined };
  const [project = '', repository = ''] = name.split('/');
  const all = JSON.stringify({ status, headers: others, text });
  return all
    .replaceAll(name, '<name>')
    .replaceAll(`projects/${project}`, 'projects/<project>')
    .replaceAll(`project ${project}`, 'project <project>')
    .replaceAll(`repositories/${repository}`, 'repositories/<repository>');
}

describe('who may do what, and what the others are told', () => {
  test.each(Object.keys(actions))('%s', { timeout: 60_000 }, async (title) => {
    const action = actions[title];
    if (action === undefined) throw new Error(title);
    const wrong: string[] = [];
    let cells = 0;
    for (const subject of subjects) {
      const told = new Map<string, string>();
      const ask = async ([place, what]: readonly [string, Place]): Promise<void> => {
        const judged = expectedOf(subject, action.verb, what);
        const expected: Expected = judged.status === 404 && action.ofNothing === true ? { status: 'done' } : judged;
        const isDone = expected.status === 'done';
        const creating = isDone && what.there !== 'repository' && action.verb === 'push';
        // What is created is there for the next cell: each has a name of its own.
        const [project = ''] = place.split('/');
        const fresh = what.there === 'nothing' ? `void${next()}/absent` : `${project}/absent${next()}`;
        const name = creating ? fresh : place;
        const authorization = authorizationOf(subject, name);
        const got = await world.send({ ...(await action.act(name, isDone && !creating)), authorization });
        const wanted: unknown = creating && action.creates !== true ? { status: 404 } : expected;
        const outcome = outcomeOf(got, action.done);
        cells += 1;
        if (inWords(outcome) !== inWords(wanted)) {
          wrong.push(`${subject.label} on ${place}: ${inWords(outcome)} and not ${inWords(wanted)}`);
        }
        const ofProject = action.verb.endsWith('project');
        if (rankOf(subject, what, ofProject) === 0) told.set(place, nameless(got, name));
      };
      await Promise.all(Object.entries(places).map(ask));
      // Whoever has no role there cannot tell the one from the other.
      if (new Set(told.values()).size > 1)
        wrong.push(`${subject.label} is told apart: ${JSON.stringify([...told], undefined, 1)}`);
    }
    expect(wrong).toEqual([]);
    expect(cells).toBe(subjects.length * Object.keys(places).length);
  });
});

test('a disabled user with the right password is told what one with a wrong password is', async () => {
  const { basic, text } = await world.user('disabled');
  await world.manage('PATCH', `/users/${encodeURIComponent(text)}`, { disabled: true });
  const wrong = `Basic ${Buffer.from(`${text}:wrong`).toString('base64')}`;
  const url = '/v2/team/opened/manifests/standing';
  const [disabled, guessed] = [
    await world.send({ method: 'GET', url, authorization: basic }),
    await world.send({ method: 'GET', url, authorization: wrong }),
  ];
  expect(outcomeOf(disabled, 200)).toEqual({ status: 401 });
  expect(nameless(disabled, 'team/opened')).toBe(nameless(guessed, 'team/opened'));
});

test('the catalog names what may be pulled, and nothing else', { timeout: 60_000 }, async () => {
  const catalog: TokenAccess = { type: 'registry', name: 'catalog', actions: ['*'] };
  for (const subject of subjects) {
    const { by, principal, state } = subject;
    const authorization = by === 'wide token' ? world.bearer(principal, [catalog]) : authorizationOf(subject, 'any/name');
    const got = await world.send({ method: 'GET', url: '/v2/_catalog?n=1000', authorization });
    if (state === 'barred' || by === 'nothing' || by === 'narrow token') {
      const error =
        by === 'wide token' || (state === 'barred' && by === 'narrow token')
          ? 'invalid_token'
          : by === 'narrow token'
            ? 'insufficient_scope'
            : undefined;
      expect([subject.label, outcomeOf(got, 200)]).toEqual([subject.label, { status: 401, error }]);
      continue;
    }
    const { repositories } = JSON.parse(got.text) as { readonly repositories: readonly string[] };
    const seen = repositories.filter((name) => name in places);
    const named = Object.keys(places).filter((name) => places[name]?.there === 'repository');
    const expected = named.filter((name) => rankOf(subject, places[name] ?? missing(name)) > 0);
    expect([subject.label, [...seen].sort()]).toEqual([subject.label, expected.sort()]);
  }
});

test('a mount reaches what may be pulled now, and nothing else', { timeout: 60_000 }, async () => {
  const target = 'team/closed';
  const to = places[target] ?? missing(target);
  const wrong: string[] = [];
  for (const subject of subjects) {
    const push = expectedOf(subject, 'push', to);
    for (const [source, what] of Object.entries(places)) {
      if (source === target) continue;
      const there = what.there === 'repository';
      for (const from of [true, false]) {
        const digest = there && push.status === 'done' ? await world.blob(source) : standingBlob(source);
        // With `from`, the token's scope counts for the source; without, the rights alone.
        const names = from && subject.by === 'wide token' ? [[target], [target, source]] : [[target]];
        for (const scoped of names) {
          const access = scoped.map((name): TokenAccess => ({ type: 'repository', name, actions: ['pull', 'push'] }));
          const authorization =
            subject.by === 'wide token' ? world.bearer(subject.principal, access) : authorizationOf(subject, target);
          const url = `/v2/${target}/blobs/uploads/?mount=${digest}${from ? `&from=${source}` : ''}`;
          const got = await world.send({ method: 'POST', url, authorization });
          const mayPull = rankOf(subject, what) > 0;
          const unscoped = from && mayPull && subject.by === 'wide token' && scoped.length === 1;
          const wanted =
            push.status !== 'done'
              ? push
              : unscoped
                ? { status: 401, error: 'insufficient_scope' }
                : { status: mayPull && there ? 201 : 202 };
          const outcome = got.status < 300 ? { status: got.status } : outcomeOf(got, 0);
          if (inWords(outcome) !== inWords(wanted)) {
            wrong.push(
              `${subject.label} ${from ? 'from' : 'without'} ${source} (${scoped.join(' ')}): ${inWords(outcome)} and not ${inWords(wanted)}`,
            );
          }
        }
      }
    }
  }
  expect(wrong).toEqual([]);
});

function missing(name: string): never {
  throw new Error(`no place ${name}`);
}
