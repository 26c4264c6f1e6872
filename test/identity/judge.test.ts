import { describe, expect, test } from 'vitest';

import type { Role } from '../../src/events/types.js';
import { anonymous, type Caller } from '../../src/identity/caller.js';
import { judge } from '../../src/identity/judge.js';
import { scopeFor, verbs, type TokenAccess } from '../../src/identity/scopes.js';
import type { Uid } from '../../src/identifiers.js';

const name = 'acme/app';
const uid = '01890a5d-ac96-774b-bcce-b302099a8057' as Uid;
const scoped: readonly TokenAccess[] = [{ type: 'repository', name, actions: ['*'] }];

const callers: Record<string, Caller> = {
  nobody: anonymous,
  'nobody with a token': { ...anonymous, access: scoped, viaToken: true },
  'nobody with an empty token': { ...anonymous, access: [], viaToken: true },
  'a user': { actor: { kind: 'user', uid, authentication: 'password' }, access: undefined, viaToken: false },
  'a user with a token': { actor: { kind: 'user', uid, authentication: 'token' }, access: scoped, viaToken: true },
  'a user with an empty token': { actor: { kind: 'user', uid, authentication: 'token' }, access: [], viaToken: true },
};
const roles: readonly (Role | undefined)[] = [undefined, 'viewer', 'editor', 'owner'];

// DESIGN.md, section 9. One letter for pull, push and delete each: y(es), U(NAUTHORIZED), S(COPE_INSUFFICIENT), D(ENIED).
const table: Record<string, readonly [string, string, string, string]> = {
  nobody: ['UUU', 'yUU', 'yyU', 'yyy'],
  'nobody with a token': ['SSS', 'ySS', 'yyS', 'yyy'],
  'nobody with an empty token': ['SSS', 'SSS', 'SSS', 'SSS'],
  'a user': ['DDD', 'yDD', 'yyD', 'yyy'],
  'a user with a token': ['DDD', 'yDD', 'yyD', 'yyy'],
  'a user with an empty token': ['DDD', 'SDD', 'SSD', 'SSS'],
};

describe('the judge', () => {
  for (const [who, caller] of Object.entries(callers)) {
    test.each(roles)(`${who} as %s`, (role) => {
      const letters = verbs.map((verb) => judge({ caller, verb, name, role })?.refused[0] ?? 'y').join('');
      expect(letters).toBe(table[who]?.[roles.indexOf(role)]);
    });
  }

  test('names the scope that is needed, or what was denied', () => {
    const details = (who: string, role: Role | undefined) =>
      judge({ caller: callers[who] ?? anonymous, verb: 'push', name, role })?.details;
    expect(details('nobody', undefined)).toEqual({ scope: scopeFor('push', name) });
    expect(details('a user with an empty token', 'editor')).toEqual({ scope: scopeFor('push', name) });
    expect(details('a user', undefined)).toEqual({ verb: 'push', name });
    expect(details('a user', 'viewer')).toEqual({ verb: 'push', name });
  });
});
