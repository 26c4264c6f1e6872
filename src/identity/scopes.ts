/**
 * Scopes, as the distribution's token specification has them: `<type>[(<class>)]:<name>:<action>[,<action>]`, joined by spaces.
 */

import type { Verb } from '../projections/targets.js';

export type { Verb };

/** What a token can be given for; who manages shows credentials. */
export type ScopedVerb = Exclude<Verb, 'manage'>;
export const verbs: readonly ScopedVerb[] = ['pull', 'push', 'delete'];

/** What a token may be used for; `*`: everything, or the catalog. */
export type ScopeAction = ScopedVerb | '*';

/** One entry of a token's `access` claim. A class, as in `repository(plugin)`, is read and not kept. */
export interface TokenAccess {
  readonly type: 'repository' | 'registry';
  readonly name: string;
  readonly actions: readonly ScopeAction[];
}

/** So many resources fit into a token that fits into the 16 kB that Node accepts of a request's headers. */
export const SCOPES_LIMIT = 40;

// The specification's resourcetype with its class in brackets; the name may hold colons (a host's port), the actions not.
const scopeGrammar = /^(repository|registry)(?:\([a-z0-9]*\))?:(.+):([a-z*,]*)$/;

const isScopeAction = (text: string): text is ScopeAction => text === '*' || (verbs as readonly string[]).includes(text);

/**
 * The known part of what was asked for, each resource once, in the order asked. What is not known - a type, an action, a text that is no scope - is left out
 * without an error, and so is what goes beyond SCOPES_LIMIT resources.
 */
export function parseScopes(texts: readonly string[]): readonly TokenAccess[] {
  const byResource = new Map<string, { type: TokenAccess['type']; name: string; actions: Set<ScopeAction> }>();
  for (const text of texts.flatMap((joined) => joined.split(' '))) {
    const [, type, name, actions] = scopeGrammar.exec(text) ?? [];
    if (type === undefined || name === undefined || actions === undefined) continue;
    const known = actions.split(',').filter(isScopeAction);
    if (known.length === 0) continue;
    const resource = `${type}:${name}`;
    let entry = byResource.get(resource);
    if (entry === undefined) {
      if (byResource.size === SCOPES_LIMIT) continue;
      entry = { type: type as TokenAccess['type'], name, actions: new Set() };
      byResource.set(resource, entry);
    }
    for (const action of known) entry.actions.add(action);
  }
  return [...byResource.values()].map(({ type, name, actions }) => ({ type, name, actions: [...actions] }));
}

/** As `parseScopes` reads it. */
export function formatScope(access: TokenAccess): string {
  return `${access.type}:${access.name}:${access.actions.join(',')}`;
}

/** As a token's answer and a challenge name them, joined by spaces. */
export function formatScopes(access: readonly TokenAccess[]): string {
  return access.map(formatScope).join(' ');
}

/** The scope that a challenge asks for. A push comes with pull: every client that pushes asks first what is there. */
export function scopeFor(verb: Verb, name: string): string {
  return formatScope({
    type: 'repository',
    name,
    actions: verb === 'push' ? ['pull', 'push'] : verb === 'manage' ? ['*'] : [verb],
  });
}

/** Whether a token with this access may be used for the verb on the repository. */
export function covers(access: readonly TokenAccess[], name: string, verb: Verb): boolean {
  if (verb === 'manage') return false;
  return access.some(
    (entry) =>
      entry.type === 'repository' && entry.name === name && (entry.actions.includes(verb) || entry.actions.includes('*')),
  );
}
