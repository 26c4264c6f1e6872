import { refuse, type Refusal } from '../errors.js';
import { userStream } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { findUserCreation, findUserState, type UserState } from '../projections/principals.js';
import { standingAsAdministrator } from '../projections/standing.js';
import type { Writing } from '../projections/store.js';
import { findUserUid } from '../projections/users.js';
import type { CommandContext, Decision, Executor } from './execute.js';
import { isRefusal } from './execute.js';
import { refuseLastOwnerAnywhere } from './last-owner.js';

/** Makes a user. An administrator may. */
export interface CreateUser {
  readonly kind: 'CreateUser';
  readonly user: Uid;
  /** E-mail as it was given; it lies beside the log, where it can be erased. */
  readonly loginName: string;
  /** As in UserCreated. */
  readonly nameHash: string;
  /** In PHC format. */
  readonly passwordHash: string;
}

export interface UserMade {
  readonly user: Uid;
}

export function decideCreateUser(
  state: { readonly denied: Refusal | undefined; readonly taken: boolean },
  { user, loginName, nameHash }: CreateUser,
): Decision<UserMade> {
  if (state.denied !== undefined) return state.denied;
  if (state.taken) return refuse('USER_EXISTS', { user: loginName });
  return { events: [{ stream: userStream(user), payload: { kind: 'UserCreated', nameHash } }], outcome: { user } };
}

export function createUser(executor: Executor, context: CommandContext, command: CreateUser): Promise<UserMade | Refusal> {
  return executor.execute(context, async (writing) => {
    const denied = context.judgeManaging(await standingAsAdministrator(writing, context.actor), 'users');
    const taken = denied === undefined && (await findUserUid(writing, command.nameHash)) !== undefined;
    const decision = decideCreateUser({ denied, taken }, command);
    if (!isRefusal(decision)) {
      const { keyspace } = writing.platform;
      writing.tx.set(keyspace.personal(command.user, 'login-name'), Buffer.from(command.loginName));
      writing.tx.set(keyspace.personal(command.user, 'password'), Buffer.from(command.passwordHash));
    }
    return decision;
  });
}

/** Lets a user in no more, or again. An administrator may. */
export interface SetUserDisabled {
  readonly kind: 'SetUserDisabled';
  readonly user: Uid;
  readonly disabled: boolean;
}

interface UserManagementState {
  readonly denied: Refusal | undefined;
  readonly exists: boolean;
  readonly state: UserState;
  /** The refusal, where an active user is to be disabled who is an organization's last owner. */
  readonly refusedAsLastOwner: Refusal | undefined;
}

export function decideSetUserDisabled(
  { denied, exists, state, refusedAsLastOwner }: UserManagementState,
  { user, disabled }: SetUserDisabled,
): Decision<UserMade> {
  if (denied !== undefined) return denied;
  if (!exists) return refuse('USER_UNKNOWN', { user });
  if ((state === 'disabled') === disabled) return { events: [], outcome: { user } };
  if (disabled && refusedAsLastOwner !== undefined) return refusedAsLastOwner;
  const kind = disabled ? 'UserDisabled' : 'UserEnabled';
  return { events: [{ stream: userStream(user), payload: { kind } }], outcome: { user } };
}

export function setUserDisabled(
  executor: Executor,
  context: CommandContext,
  command: SetUserDisabled,
): Promise<UserMade | Refusal> {
  return executor.execute(context, async (writing) =>
    decideSetUserDisabled(await loadManaged(writing, context, command), command),
  );
}

/** A user as an administrator finds it. Whoever is not about to lose anything is the last owner of nothing: that costs a look at each owned organization. */
async function loadManaged(
  writing: Writing,
  context: CommandContext,
  { user, disabled }: SetUserDisabled,
): Promise<UserManagementState> {
  const denied = context.judgeManaging(await standingAsAdministrator(writing, context.actor), 'users');
  if (denied !== undefined) return { denied, exists: false, state: 'active', refusedAsLastOwner: undefined };
  const [created, state] = await Promise.all([findUserCreation(writing, user), findUserState(writing, user)]);
  const exists = created !== undefined;
  const refusedAsLastOwner = exists && disabled && state === 'active' ? await refuseLastOwnerAnywhere(writing, user) : undefined;
  return { denied, exists, state, refusedAsLastOwner };
}

/** Gives a user another password: an administrator, or the user who has just shown the old one. */
export interface ChangePassword {
  readonly kind: 'ChangePassword';
  readonly user: Uid;
  /** In PHC format. */
  readonly passwordHash: string;
  /** The hash that the old password was held against, where the user changes it; undefined: an administrator sets it. */
  readonly verified: string | undefined;
}

interface PasswordState {
  readonly denied: Refusal | undefined;
  readonly exists: boolean;
  /** The hash that is there now. */
  readonly current: string | undefined;
}

export function decideChangePassword(state: PasswordState, { user, verified }: ChangePassword): Decision<UserMade> {
  if (state.denied !== undefined) return state.denied;
  if (!state.exists) return refuse('USER_UNKNOWN', { user });
  // Changed by another request since the old one was looked at.
  if (verified !== undefined && verified !== state.current) return refuse('CREDENTIALS_WRONG');
  const reset = verified === undefined;
  return { events: [{ stream: userStream(user), payload: { kind: 'UserPasswordChanged', reset } }], outcome: { user } };
}

export function changePassword(
  executor: Executor,
  context: CommandContext,
  command: ChangePassword,
): Promise<UserMade | Refusal> {
  return executor.execute(context, async (writing) => {
    const key = writing.platform.keyspace.personal(command.user, 'password');
    const state = await loadPasswordState(writing, context, command, key);
    const decision = decideChangePassword(state, command);
    if (!isRefusal(decision)) writing.tx.set(key, Buffer.from(command.passwordHash));
    return decision;
  });
}

async function loadPasswordState(
  writing: Writing,
  context: CommandContext,
  { user, verified }: ChangePassword,
  key: Buffer,
): Promise<PasswordState> {
  const { actor } = context;
  const isOwn = verified !== undefined && actor.kind === 'user' && actor.uid === user;
  const active = isOwn && (await findUserState(writing, user)) === 'active';
  const standing = isOwn ? (active ? 'owner' : 'barred') : await standingAsAdministrator(writing, actor);
  const denied = context.judgeManaging(standing, isOwn ? 'your password' : 'users');
  if (denied !== undefined) return { denied, exists: false, current: undefined };
  const [created, current] = await Promise.all([findUserCreation(writing, user), writing.tx.get(key)]);
  return { denied, exists: created !== undefined, current: current?.toString() };
}
