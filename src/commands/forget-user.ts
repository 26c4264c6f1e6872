import { refuse, type Refusal } from '../errors.js';
import { repositoryStream, userStream, type Principal, type Role } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { findUserCreation } from '../projections/principals.js';
import { encodeJson } from '../projections/projection.js';
import { findOwnRepositoryRole, listRepositoriesOf } from '../projections/repository-access.js';
import { standingAsAdministrator } from '../projections/standing.js';
import type { Writing } from '../projections/store.js';
import type { ErasureOfPerson } from './erasure-notes.js';
import { isRefusal, type CommandContext, type Decision, type Executor, type NewEvent } from './execute.js';
import { refuseLastOwnerAnywhere } from './last-owner.js';

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
  readonly there: boolean;
  /** The refusal, where the user is an organization's last owner. */
  readonly last: Refusal | undefined;
  /** The first of the user's roles on repositories themselves. */
  readonly roles: readonly RepositoryRole[];
}

interface RepositoryRole {
  readonly repository: Uid;
  readonly role: Role;
}

export function decideForgetUser(state: ForgettingState, { user, nameHash }: ForgetUser): Decision<{ readonly user: Uid }> {
  if (state.denied !== undefined) return state.denied;
  if (!state.there) return refuse('USER_UNKNOWN', { user });
  if (state.last !== undefined) return state.last;
  const forgotten: NewEvent = { stream: userStream(user), payload: { kind: 'UserForgotten', nameHash } };
  return { events: [...revocationsOf(user, state.roles), forgotten], outcome: { user } };
}

function revocationsOf(user: Uid, roles: readonly RepositoryRole[]): readonly NewEvent[] {
  return roles.map(({ repository, role }) => ({
    stream: repositoryStream(repository),
    payload: { kind: 'RoleRevoked', principal: { kind: 'user', uid: user }, role },
  }));
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
      const roles = await loadRepositoryRoles(writing, user);
      return { events: revocationsOf(user, roles), outcome: { done: roles.length < ROLES_A_STEP } };
    });
    if (isRefusal(step) || step.done) return;
  }
}

// Each is an event and some keys of indexes.
const ROLES_A_STEP = 500;

async function loadRepositoryRoles(writing: Writing, user: Uid): Promise<readonly RepositoryRole[]> {
  const principal: Principal = { kind: 'user', uid: user };
  const repositories = await listRepositoriesOf(writing, [principal], ROLES_A_STEP);
  const roles = await Promise.all(
    repositories.map(async (repository) => ({ repository, role: await findOwnRepositoryRole(writing, repository, principal) })),
  );
  return roles.flatMap(({ repository, role }) => (role === undefined ? [] : [{ repository, role }]));
}

async function loadForgettingState(writing: Writing, context: CommandContext, { user }: ForgetUser): Promise<ForgettingState> {
  const denied = context.judgeManaging(await standingAsAdministrator(writing, context.actor), 'users');
  if (denied !== undefined) return { denied, there: false, last: undefined, roles: [] };
  const [created, last, roles] = await Promise.all([
    findUserCreation(writing, user),
    refuseLastOwnerAnywhere(writing, user),
    loadRepositoryRoles(writing, user),
  ]);
  return { denied, there: created !== undefined, last, roles };
}
