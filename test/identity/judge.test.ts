import { describe, expect, test } from 'vitest';

import { anonymous, type Caller } from '../../src/identity/caller.js';
import { judge, judgeManaging } from '../../src/identity/judge.js';
import { scopeFor, verbs, type TokenAccess } from '../../src/identity/scopes.js';
import { parseName, type RepositoryName, type Uid } from '../../src/identifiers.js';
import type { Standing } from '../../src/projections/standing.js';

const name = parseName('acme/app') as RepositoryName;
const uid = '01890a5d-ac96-774b-bcce-b302099a8057' as Uid;
const scoped: readonly TokenAccess[] = [{ type: 'repository', name: name.name, actions: ['*'] }];

const callers: Record<string, Caller> = {
  nobody: anonymous,
  'nobody with a token': { ...anonymous, access: scoped, viaToken: true },
  'nobody with an empty token': { ...anonymous, access: [], viaToken: true },
  'a user': { actor: { kind: 'user', uid, authentication: 'password' }, access: undefined, viaToken: false },
  'a user with a token': { actor: { kind: 'user', uid, authentication: 'token' }, access: scoped, viaToken: true },
  'a user with an empty token': { actor: { kind: 'user', uid, authentication: 'token' }, access: [], viaToken: true },
};
const standings: readonly (Standing | undefined)[] = [undefined, 'viewer', 'editor', 'owner', 'barred'];

const letters: Record<string, string> = {
  UNAUTHORIZED: 'U',
  SCOPE_INSUFFICIENT: 'S',
  DENIED: 'D',
  MANAGED_BY_TOKEN: 'M',
  REPOSITORY_UNKNOWN: '4',
  REPOSITORY_NEEDS_OWNER: '4',
  CREDENTIALS_WRONG: 'C',
  TOKEN_INVALID: 'T',
};

// DESIGN.md, section 9. One letter for pull, push, delete and manage each, of a repository that is there: y(es), or the refusal's of above.
const table: Record<string, readonly [string, string, string, string, string]> = {
  nobody: ['UUUU', 'yUUU', 'yyUU', 'yyyy', 'CCCC'],
  'nobody with a token': ['SSSS', 'ySSS', 'yySS', 'yyyM', 'TTTT'],
  'nobody with an empty token': ['SSSS', 'SSSS', 'SSSS', 'SSSM', 'TTTT'],
  'a user': ['DDDD', 'yDDD', 'yyDD', 'yyyy', 'CCCC'],
  'a user with a token': ['DDDD', 'yDDD', 'yyDD', 'yyyM', 'TTTT'],
  'a user with an empty token': ['DDDD', 'SDDD', 'SSDD', 'SSSM', 'TTTT'],
};

describe('the judge', () => {
  for (const [who, caller] of Object.entries(callers)) {
    test.each(standings)(`${who} as %s`, (role) => {
      const answer = (repository: Uid | undefined): string =>
        [...verbs, 'manage' as const]
          .map((verb) => judge({ caller, verb, target: { name, repository, role } })?.refused)
          .map((refused) => (refused === undefined ? 'y' : (letters[refused] ?? '?')))
          .join('');
      const there = table[who]?.[standings.indexOf(role)] ?? '';
      expect(answer(uid)).toBe(there);
      // Who has a role is told of what is missing before what the role forbids; to all others it is as if it were there.
      expect(answer(undefined)).toBe(role === undefined ? there : there.replaceAll('D', '4'));
    });
  }

  test('names the scope that is needed, or what was denied', () => {
    const details = (who: string, role: Standing | undefined) =>
      judge({ caller: callers[who] ?? anonymous, verb: 'push', target: { name, repository: uid, role } })?.details;
    expect(details('nobody', undefined)).toEqual({ scope: scopeFor('push', name.name) });
    expect(details('a user with an empty token', 'editor')).toEqual({ scope: scopeFor('push', name.name) });
    expect(details('a user', undefined)).toEqual({ verb: 'push', name: name.name });
    expect(details('a user', 'viewer')).toEqual({ verb: 'push', name: name.name });
  });

  test('lets an owner manage what is no repository, by credentials that no token narrows', () => {
    const answer = (who: string, role: Standing | undefined) =>
      judgeManaging(callers[who] ?? anonymous, role, 'organization acme')?.refused ?? 'yes';
    expect(answer('a user', 'owner')).toBe('yes');
    expect(answer('a user', 'editor')).toBe('DENIED');
    expect(answer('a user', undefined)).toBe('DENIED');
    expect(answer('a user', 'barred')).toBe('CREDENTIALS_WRONG');
    expect(answer('a user with a token', 'owner')).toBe('MANAGED_BY_TOKEN');
    expect(answer('a user with a token', 'viewer')).toBe('DENIED');
    expect(answer('nobody', undefined)).toBe('UNAUTHORIZED');
    expect(answer('nobody with a token', undefined)).toBe('MANAGED_BY_TOKEN');
  });
});
