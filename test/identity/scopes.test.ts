import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { covers, formatScope, formatScopes, parseScopes, scopeFor, SCOPES_LIMIT, verbs } from '../../src/identity/scopes.js';

const latin1 = fc.nat(255).map((code) => String.fromCharCode(code));

const access = (name: string, ...actions: ('pull' | 'push' | 'delete' | '*')[]) => ({
  type: 'repository' as const,
  name,
  actions,
});

describe('scopes', () => {
  test.each([
    [['repository:acme/app:pull,push'], [access('acme/app', 'pull', 'push')]],
    [['repository(plugin):acme/app:pull'], [access('acme/app', 'pull')]],
    [['registry:catalog:*'], [{ type: 'registry', name: 'catalog', actions: ['*'] }]],
    [['repository:localhost:5000/acme/app:pull'], [access('localhost:5000/acme/app', 'pull')]],
    [
      ['repository:a/a:pull repository:b/b:push', 'repository:c/c:delete'],
      [access('a/a', 'pull'), access('b/b', 'push'), access('c/c', 'delete')],
    ],
    [['repository:a/a:pull', 'repository:a/a:push,pull'], [access('a/a', 'pull', 'push')]],
    [['repository:a/a:fly,pull,,'], [access('a/a', 'pull')]],
    [['repository:a/a:fly', 'repository:a/a:', 'repository:a/a', 'printer:a/a:pull', '', ' ', ':::', 'aws'], []],
  ])('%j', (texts, expected) => {
    expect(parseScopes(texts)).toEqual(expected);
  });

  test('more resources than fit into a token are left out', () => {
    const texts = Array.from({ length: SCOPES_LIMIT + 5 }, (_, index) => `repository:acme/app${index}:pull`);
    expect(parseScopes(texts)).toHaveLength(SCOPES_LIMIT);
  });

  test('a challenge for a push asks for pull, too', () => {
    expect(verbs.map((verb) => scopeFor(verb, 'acme/app'))).toEqual([
      'repository:acme/app:pull',
      'repository:acme/app:pull,push',
      'repository:acme/app:delete',
    ]);
  });

  test('a scope covers its own repository and its own actions alone, and * covers all', () => {
    expect(covers([access('acme/app', 'pull')], 'acme/app', 'pull')).toBe(true);
    expect(covers([access('acme/app', 'pull')], 'acme/app', 'push')).toBe(false);
    expect(covers([access('acme/app', 'pull')], 'acme/app/web', 'pull')).toBe(false);
    expect(covers([{ type: 'registry', name: 'acme/app', actions: ['*'] }], 'acme/app', 'pull')).toBe(false);
    expect(covers([], 'acme/app', 'pull')).toBe(false);
    for (const verb of verbs) expect(covers([access('acme/app', '*')], 'acme/app', verb)).toBe(true);
  });

  const part = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const known = fc.record({
    type: fc.constantFrom('repository' as const, 'registry' as const),
    name: fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
    actions: fc.uniqueArray(fc.constantFrom('pull' as const, 'push' as const, 'delete' as const, '*' as const), {
      minLength: 1,
    }),
  });

  test('what was formatted parses to the same', () => {
    const list = fc.uniqueArray(known, { maxLength: 10, selector: (entry) => `${entry.type}:${entry.name}` });
    fc.assert(
      fc.property(list, (entries) => {
        expect(parseScopes([formatScopes(entries)])).toEqual(entries);
        expect(parseScopes(entries.map(formatScope))).toEqual(entries);
      }),
    );
  });

  test('no text makes it throw or grants an action that is not known', () => {
    const noise = fc.oneof(
      fc.string({ unit: latin1 }),
      fc.string({ unit: fc.constantFrom(':', ',', ' ', '*', '(', ')', 'repository', 'pull') }),
    );
    fc.assert(
      fc.property(fc.array(noise), (texts) => {
        for (const { actions } of parseScopes(texts)) for (const action of actions) expect([...verbs, '*']).toContain(action);
      }),
    );
  });
});
