import { refuse, type Refusal } from '../errors.js';
import type { Standing } from '../projections/standing.js';
import type { Target, Verb } from '../projections/targets.js';
import type { Caller } from './caller.js';
import { covers, scopeFor, verbs } from './scopes.js';

const verbsOf: Readonly<Record<Standing, readonly Verb[]>> = {
  barred: [],
  viewer: ['pull'],
  editor: ['pull', 'push'],
  owner: [...verbs, 'manage'],
};

/** What a role lets its holder do. */
export function allowedBy(role: Standing | undefined): readonly Verb[] {
  return role === undefined ? [] : verbsOf[role];
}

/** Who wants to do what to which repository. */
export interface Question {
  readonly caller: Caller;
  readonly verb: Verb;
  /** The `<name>` asked for, whether it is there or not, and the caller's effective role on it now, inherited and public ones included. */
  readonly target: Pick<Target, 'name' | 'repository' | 'role'>;
}

/**
 * Whether the caller may; `undefined` is yes. The order is the contract (DESIGN, section 9): who could log in is asked to (401) before anybody is told no
 * (403), so that a client with credentials fetches a token; without a role the answer is the same whether the repository is there or not; who has one is told
 * of what is missing (404) before what the role forbids. Refusals with 401 carry the `scope` that a challenge names.
 */
export function judge({ caller, verb, target }: Question): Refusal | undefined {
  const { role, repository } = target;
  const { name, project } = target.name;
  const barred = refuseBarred(caller, role);
  if (barred !== undefined) return barred;
  const may = allowedBy(role).includes(verb);
  if (!may && caller.actor.kind === 'anonymous') {
    return refuse(caller.viaToken ? 'SCOPE_INSUFFICIENT' : 'UNAUTHORIZED', { scope: scopeFor(verb, name) });
  }
  if (!may && role !== undefined && repository === undefined) {
    return verb === 'push' ? refuse('REPOSITORY_NEEDS_OWNER', { name, project }) : refuse('REPOSITORY_UNKNOWN', { name });
  }
  if (!may) return refuse('DENIED', { verb, name });
  if (caller.access !== undefined && !covers(caller.access, name, verb)) {
    return verb === 'manage' ? refuse('MANAGED_BY_TOKEN') : refuse('SCOPE_INSUFFICIENT', { scope: scopeFor(verb, name) });
  }
  return undefined;
}

/**
 * Whether the caller may change what no `<name>` stands for, an organization, a project or the registry's own, with this role on it; `what`: for the message.
 * Only an owner may, and by no token: their scopes are of repositories.
 */
export function judgeManaging(caller: Caller, role: Standing | undefined, what: string): Refusal | undefined {
  const barred = refuseBarred(caller, role);
  if (barred !== undefined) return barred;
  if (role !== 'owner' && caller.actor.kind === 'anonymous') return refuse(caller.viaToken ? 'MANAGED_BY_TOKEN' : 'UNAUTHORIZED');
  if (role !== 'owner') return refuse('DENIED', { verb: 'manage', name: what });
  return caller.access === undefined ? undefined : refuse('MANAGED_BY_TOKEN');
}

/** Credentials that are good no more are answered as those that never were. */
export function refuseBarred(caller: Caller, role: Standing | undefined): Refusal | undefined {
  return role === 'barred' ? refuse(caller.viaToken ? 'TOKEN_INVALID' : 'CREDENTIALS_WRONG') : undefined;
}

/** As `judgeManaging`, for who only looks: any role will do. */
export function judgeSeeing(caller: Caller, role: Standing | undefined, what: string): Refusal | undefined {
  const barred = refuseBarred(caller, role);
  if (barred !== undefined) return barred;
  if (role === undefined && caller.actor.kind === 'anonymous')
    return refuse(caller.viaToken ? 'MANAGED_BY_TOKEN' : 'UNAUTHORIZED');
  if (role === undefined) return refuse('DENIED', { verb: 'see', name: what });
  return caller.access === undefined ? undefined : refuse('MANAGED_BY_TOKEN');
}
