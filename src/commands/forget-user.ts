import { refuse, type Refusal } from '../errors.js';
import { repositoryStream, userStream, type Principal } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { findUserCreation } from '../projections/principals.js';
import { encodeJson } from '../projections/projection.js';
import { findOwnRepositoryRole, listRepositoriesOf } from '../projections/repository-access.js';
import { standingAsAdministrator } from '../projections/standing.js';
import type { Writing } from '../projections/store.js';
import type { ErasureOfRequests } from './erasure-notes.js';
import { isRefusal, type CommandContext, type Decision, type Executor, type NewEvent } from './execute.js';
import { refuseLastOwnerAnywhere } from './last-owner.js';

/**
 * Clears what is personal of a user beside the log: name and password at once, the addresses and user agents of the requests soon (`erasure-notes.ts`). Roles end, the name is
 * free for somebody who inherits nothing; history says that it was erased. An administrator may.
 */
export interface ForgetUser {
  readonly kind: 'ForgetUser';
  readonly user: Uid;
  /** As in UserCreated. */
  readonly nameHash: string;
  /** Names what is still to be cleared when the event is there. */
  readonly erasure: Uid;
}

interface ForgettingState {
  readonly denied: Refusal | undefined;
  readonly there: boolean;
  /** The refusal, where the user is an organization's last owner. */
  readonly last: Refusal | undefined;
  /** The user's roles on repositories themselves. */
  readonly roles: readonly { readonly repository: Uid; readonly role: 'viewer' | 'editor' | 'owner' }[];
}

export function decideForgetUser(state: ForgettingState, { user, nameHash }: ForgetUser): Decision<{ readonly user: Uid }> {
  if (state.denied !== undefined) return state.denied;
  if (!state.there) return refuse('USER_UNKNOWN', { user });
  if (state.last !== undefined) return state.last;
  const principal: Principal = { kind: 'user', uid: user };
  const events = state.roles.map(({ repository, role }): NewEvent => ({
    stream: repositoryStream(repository),
    payload: { kind: 'RoleRevoked', principal, role },
  }));
  events.push({ stream: userStream(user), payload: { kind: 'UserForgotten', nameHash } });
  return { events, outcome: { user } };
}

export function forgetUser(
  executor: Executor,
  context: CommandContext,
  command: ForgetUser,
): Promise<{ readonly user: Uid } | Refusal> {
  return executor.execute(context, async (writing) => {
    const decision = decideForgetUser(await loadForgettingState(writing, context, command), command);
    if (!isRefusal(decision)) {
      const { tx, platform, registry } = writing;
      for (const field of ['login-name', 'password']) tx.clear(platform.keyspace.personal(command.user, field));
      const note: ErasureOfRequests = { kind: 'requests', actor: command.user };
      tx.set(registry.keyspace.erasure(command.erasure), encodeJson(note));
    }
    return decision;
  });
}

// What is left of more is nobody's: a uid is never used again.
const ROLES_AT_ONCE = 500;

async function loadForgettingState(writing: Writing, context: CommandContext, { user }: ForgetUser): Promise<ForgettingState> {
  const denied = context.judgeManaging(await standingAsAdministrator(writing, context.actor), 'users');
  if (denied !== undefined) return { denied, there: false, last: undefined, roles: [] };
  const principal: Principal = { kind: 'user', uid: user };
  const [created, last, repositories] = await Promise.all([
    findUserCreation(writing, user),
    refuseLastOwnerAnywhere(writing, user),
    listRepositoriesOf(writing, [principal], ROLES_AT_ONCE),
  ]);
  const roles = await Promise.all(
    repositories.map(async (repository) => ({ repository, role: await findOwnRepositoryRole(writing, repository, principal) })),
  );
  return {
    denied,
    there: created !== undefined,
    last,
    roles: roles.flatMap(({ repository, role }) => (role === undefined ? [] : [{ repository, role }])),
  };
}
