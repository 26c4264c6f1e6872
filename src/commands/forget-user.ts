import { refuse, type Refusal } from '../errors.js';
import { userStream, type Principal } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { findUserCreation } from '../projections/principals.js';
import { encodeJson } from '../projections/projection.js';
import { listRepositoryRolesOf, type RepositoryRole } from '../projections/repository-access.js';
import { standingAsAdministrator } from '../projections/standing.js';
import type { Writing } from '../projections/store.js';
import type { ErasureOfPerson } from './erasure-notes.js';
import { isRefusal, type CommandContext, type Decision, type Executor, type NewEvent } from './execute.js';
import { refuseLastOwnerAnywhere } from './last-owner.js';
import { revocationsOf, REVOKED_AT_ONCE } from './revoke-repository-roles.js';

/**
 * Clears what is personal of a user beside the log: name and password at once, the addresses and user agents of the requests soon (`erasure-notes.ts`). Roles end,
 * those on very many repositories soon, too; the name is free for somebody who inherits nothing; history says that it was erased. An administrator may.
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
  readonly exists: boolean;
  /** The refusal, where the user is an organization's last owner. */
  readonly lastOwner: Refusal | undefined;
  /** The first of the user's roles on repositories themselves. */
  readonly roles: readonly RepositoryRole[];
}

function decideForgetUser(state: ForgettingState, { user, nameHash }: ForgetUser): Decision<{ readonly user: Uid }> {
  if (state.denied !== undefined) return state.denied;
  if (!state.exists) return refuse('USER_UNKNOWN', { user });
  if (state.lastOwner !== undefined) return state.lastOwner;
  const forgotten: NewEvent = { stream: userStream(user), payload: { kind: 'UserForgotten', nameHash } };
  return { events: [...revocationsOf(principalOf(user), state.roles), forgotten], outcome: { user } };
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
      const note: ErasureOfPerson = { kind: 'person', user: command.user };
      tx.set(registry.keyspace.erasure(command.erasure), encodeJson(note));
    }
    return decision;
  });
}

/**
 * Takes the roles on repositories from somebody who was forgotten that did not go with the event, so that no list of permissions shows who is nobody any more. In
 * bounded transactions; several at once do it together. No role comes after: nothing is granted to who was forgotten.
 */
export async function revokeRepositoryRoles(executor: Executor, contextOf: () => CommandContext, user: Uid): Promise<void> {
  for (;;) {
    const step = await executor.execute(contextOf(), async (writing) => {
      const roles = await listRepositoryRolesOf(writing, principalOf(user), REVOKED_AT_ONCE);
      return { events: revocationsOf(principalOf(user), roles), outcome: { done: roles.length < REVOKED_AT_ONCE } };
    });
    if (isRefusal(step) || step.done) return;
  }
}

async function loadForgettingState(writing: Writing, context: CommandContext, { user }: ForgetUser): Promise<ForgettingState> {
  const denied = context.judgeManaging(await standingAsAdministrator(writing, context.actor), 'users');
  if (denied !== undefined) return { denied, exists: false, lastOwner: undefined, roles: [] };
  const [created, lastOwner, roles] = await Promise.all([
    findUserCreation(writing, user),
    refuseLastOwnerAnywhere(writing, user),
    listRepositoryRolesOf(writing, principalOf(user), REVOKED_AT_ONCE),
  ]);
  return { denied, exists: created !== undefined, lastOwner, roles };
}

function principalOf(uid: Uid): Principal {
  return { kind: 'user', uid };
}
