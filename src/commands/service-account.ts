import { refuse, type Refusal } from '../errors.js';
import { formatTime } from '../events/database-time.js';
import { serviceAccountStream, type AccountId, type Description } from '../events/types.js';
import type { ProjectId, Uid } from '../identifiers.js';
import { findAccount, findAccountIn, findAccountKey, listAccountKeys, type AccountEntry } from '../projections/principals.js';
import type { ProjectDetails } from '../projections/project-details.js';
import type { Writing } from '../projections/store.js';
import { refuseDescription } from './descriptions.js';
import { isRefusal, type CommandContext, type Decision, type Executor } from './execute.js';
import { departureOf, loadLeavingAccount, type LeavingAccount } from './leaving-accounts.js';
import { loadOwnedProject } from './project.js';

/** What a machine logs in as. An owner of the project may make, and take away, its accounts and their keys. */
export interface CreateServiceAccount {
  readonly kind: 'CreateServiceAccount';
  readonly project: ProjectId;
  readonly account: Uid;
  readonly id: AccountId;
  readonly displayName: string;
}

export interface AccountMade {
  readonly account: Uid;
}

interface AccountState {
  readonly denied: Refusal | undefined;
  readonly project: ProjectDetails | undefined;
  /** The account that bears the id. */
  readonly found: AccountEntry | undefined;
}

const about = (displayName: string): Description => ({ displayName, description: '' });

export function decideCreateServiceAccount(state: AccountState, command: CreateServiceAccount): Decision<AccountMade> {
  const { account, id, displayName, project: projectId } = command;
  if (state.denied !== undefined) return state.denied;
  if (state.project === undefined) return refuse('PROJECT_UNKNOWN', { project: projectId });
  const wrong = refuseDescription(about(displayName));
  if (wrong !== undefined) return wrong;
  if (state.found !== undefined) return refuse('ACCOUNT_EXISTS', { account: `${projectId}/${id}` });
  const payload = { kind: 'ServiceAccountCreated', project: state.project.uid, projectId, id, displayName } as const;
  return { events: [{ stream: serviceAccountStream(account), payload }], outcome: { account } };
}

export function createServiceAccount(
  executor: Executor,
  context: CommandContext,
  command: CreateServiceAccount,
): Promise<AccountMade | Refusal> {
  return executor.execute(context, async (writing) =>
    decideCreateServiceAccount(await loadAccountState(writing, context, command), command),
  );
}

/**
 * Takes an account away with its keys and its roles: what they were shown for ends with the next request. In one transaction, unless it has more roles on repositories than
 * one takes: these go before. So it can be repeated after a crash, and leaves nothing behind when it is done.
 */
export interface DeleteServiceAccount {
  readonly kind: 'DeleteServiceAccount';
  readonly project: ProjectId;
  readonly id: AccountId;
}

interface DeletionState extends Omit<AccountState, 'found'> {
  /** The account that bears the id. */
  readonly leaving: LeavingAccount | undefined;
}

interface DeletionStep extends AccountMade {
  readonly done: boolean;
}

export function decideDeleteServiceAccount(state: DeletionState, command: DeleteServiceAccount): Decision<DeletionStep> {
  const { id, project: projectId } = command;
  if (state.denied !== undefined) return state.denied;
  if (state.project === undefined) return refuse('PROJECT_UNKNOWN', { project: projectId });
  if (state.leaving === undefined) return refuse('ACCOUNT_UNKNOWN', { account: `${projectId}/${id}` });
  const { events, isComplete } = departureOf(state.project, [state.leaving]);
  return { events, outcome: { account: state.leaving.uid, done: isComplete } };
}

/** `contextOf` makes a context with a command id of its own for each of the transactions. */
export async function deleteServiceAccount(
  executor: Executor,
  contextOf: () => CommandContext,
  command: DeleteServiceAccount,
): Promise<AccountMade | Refusal> {
  for (let begun: Uid | undefined; ;) {
    const context = contextOf();
    const step = await executor.execute<DeletionStep>(context, async (writing) => {
      // Somebody else may have taken it away meanwhile, and made another one under its id.
      if (begun !== undefined && (await findAccount(writing, begun)) === undefined) {
        return { events: [], outcome: { account: begun, done: true } };
      }
      const { denied, project, found } = await loadAccountState(writing, context, command);
      const leaving = found === undefined ? undefined : await loadLeavingAccount(writing, found);
      return decideDeleteServiceAccount({ denied, project, leaving }, command);
    });
    if (isRefusal(step)) return step;
    begun = step.account;
    if (step.done) return { account: begun };
  }
}

/** Notes the public half of a key; the private one was never here. Keys overlap, so that they can be rotated. */
export interface AddServiceAccountKey {
  readonly kind: 'AddServiceAccountKey';
  readonly project: ProjectId;
  readonly id: AccountId;
  readonly key: Uid;
  /** As in ServiceAccountKeyAdded. */
  readonly publicKey: string;
  /** Microseconds since 1970. */
  readonly expiresAt: number | undefined;
}

export const KEYS_MOST = 100;

interface KeyState extends AccountState {
  readonly keys: number;
  /** Database time in microseconds. */
  readonly now: number;
}

export interface KeyOutcome {
  readonly account: Uid;
  readonly key: Uid;
}

export function decideAddServiceAccountKey(state: KeyState, command: AddServiceAccountKey): Decision<KeyOutcome> {
  const { id, project, key, publicKey, expiresAt } = command;
  const name = `${project}/${id}`;
  if (state.denied !== undefined) return state.denied;
  if (state.project === undefined) return refuse('PROJECT_UNKNOWN', { project });
  if (state.found === undefined) return refuse('ACCOUNT_UNKNOWN', { account: name });
  if (expiresAt !== undefined && expiresAt <= state.now) {
    return refuse('KEY_EXPIRED_ALREADY', { expires: formatTime(expiresAt) });
  }
  if (state.keys >= KEYS_MOST) return refuse('KEYS_TOO_MANY', { account: name, most: KEYS_MOST });
  const account = state.found.uid;
  const payload = { kind: 'ServiceAccountKeyAdded', key, publicKey, expiresAt } as const;
  return { events: [{ stream: serviceAccountStream(account), payload }], outcome: { account, key } };
}

export function addServiceAccountKey(
  executor: Executor,
  context: CommandContext,
  command: AddServiceAccountKey,
): Promise<KeyOutcome | Refusal> {
  return executor.execute(context, async (writing) => {
    const state = await loadAccountState(writing, context, command);
    const [keys, now] = await Promise.all([
      state.found === undefined ? [] : listAccountKeys(writing, state.found.uid, KEYS_MOST),
      writing.tx.time(),
    ]);
    return decideAddServiceAccountKey({ ...state, keys: keys.length, now: Number(now) }, command);
  });
}

/** Ends a key, and every token that it bought. */
export interface RevokeServiceAccountKey {
  readonly kind: 'RevokeServiceAccountKey';
  readonly project: ProjectId;
  readonly id: AccountId;
  readonly key: Uid;
}

interface RevocationState extends AccountState {
  /** It is a key of this account, not revoked before. */
  readonly hasKey: boolean;
}

export function decideRevokeServiceAccountKey(state: RevocationState, command: RevokeServiceAccountKey): Decision<KeyOutcome> {
  const { id, project, key } = command;
  if (state.denied !== undefined) return state.denied;
  if (state.project === undefined) return refuse('PROJECT_UNKNOWN', { project });
  if (state.found === undefined) return refuse('ACCOUNT_UNKNOWN', { account: `${project}/${id}` });
  if (!state.hasKey) return refuse('KEY_UNKNOWN', { account: `${project}/${id}`, key });
  const account = state.found.uid;
  const payload = { kind: 'ServiceAccountKeyRevoked', key } as const;
  return { events: [{ stream: serviceAccountStream(account), payload }], outcome: { account, key } };
}

export function revokeServiceAccountKey(
  executor: Executor,
  context: CommandContext,
  command: RevokeServiceAccountKey,
): Promise<KeyOutcome | Refusal> {
  return executor.execute(context, async (writing) => {
    const state = await loadAccountState(writing, context, command);
    const key = state.found === undefined ? undefined : await findAccountKey(writing, command.key);
    return decideRevokeServiceAccountKey({ ...state, hasKey: key !== undefined && key.account === state.found?.uid }, command);
  });
}

async function loadAccountState(
  writing: Writing,
  context: CommandContext,
  { project: projectId, id }: { readonly project: ProjectId; readonly id: AccountId },
): Promise<AccountState> {
  const { denied, project } = await loadOwnedProject(writing, context, projectId);
  const found = project === undefined ? undefined : await findAccountIn(writing, project.uid, id);
  return { denied, project, found };
}
