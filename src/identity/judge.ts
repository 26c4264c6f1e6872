import { refuse, type Refusal } from '../errors.js';
import type { Role } from '../events/types.js';
import type { Verb } from '../projections/targets.js';
import type { Caller } from './caller.js';
import { covers, scopeFor, verbs } from './scopes.js';

const verbsOf: Readonly<Record<Role, readonly Verb[]>> = {
  viewer: ['pull'],
  editor: ['pull', 'push'],
  owner: verbs,
};

/** What a role lets its holder do. */
export function allowedBy(role: Role | undefined): readonly Verb[] {
  return role === undefined ? [] : verbsOf[role];
}

/** Who wants to do what to which repository. */
export interface Question {
  readonly caller: Caller;
  readonly verb: Verb;
  /** The `<name>` asked for, whether it is there or not. */
  readonly name: string;
  /** The caller's effective role on it now, inherited and public ones included. */
  readonly role: Role | undefined;
}

/**
 * Whether the caller may; `undefined` is yes. The order is the contract: who could log in is asked to (401) before anybody is told no (403), so that a
 * client with credentials fetches a token; and without a role the answer is the same whether the repository is there or not.
 * Refusals with 401 carry the `scope` that a challenge names.
 */
export function judge({ caller, verb, name, role }: Question): Refusal | undefined {
  const may = allowedBy(role).includes(verb);
  if (!may && caller.actor.kind === 'anonymous') {
    return refuse(caller.viaToken ? 'SCOPE_INSUFFICIENT' : 'UNAUTHORIZED', { scope: scopeFor(verb, name) });
  }
  if (!may) return refuse('DENIED', { verb, name });
  if (caller.access !== undefined && !covers(caller.access, name, verb)) {
    return refuse('SCOPE_INSUFFICIENT', { scope: scopeFor(verb, name) });
  }
  return undefined;
}
