import { organizationStream, userStream, type OrganizationId } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { anyUser } from '../projections/users.js';
import type { CommandContext, Decision, Executor } from './execute.js';
import { isRefusal } from './execute.js';

/** Makes the first organization and its owner, in a registry that knows nobody yet. */
export interface CreateFirstOwner {
  readonly kind: 'CreateFirstOwner';
  readonly user: Uid;
  readonly organization: Uid;
  readonly organizationId: OrganizationId;
  /** Login name as it was given; it lies beside the log, where it can be erased. */
  readonly loginName: string;
  /** As in UserCreated. */
  readonly nameHash: string;
  /** In PHC format. */
  readonly passwordHash: string;
}

export interface FirstOwnerOutcome {
  /** False where there was somebody before. */
  readonly created: boolean;
}

function decideCreateFirstOwner(state: { readonly anybody: boolean }, command: CreateFirstOwner): Decision<FirstOwnerOutcome> {
  if (state.anybody) return { events: [], outcome: { created: false } };
  const { user, organization, organizationId, nameHash } = command;
  return {
    events: [
      { stream: organizationStream(organization), payload: { kind: 'OrganizationCreated', id: organizationId } },
      { stream: userStream(user), payload: { kind: 'UserCreated', nameHash } },
      {
        stream: organizationStream(organization),
        payload: { kind: 'RoleGranted', principal: { kind: 'user', uid: user }, role: 'owner' },
      },
    ],
    outcome: { created: true },
  };
}

export async function createFirstOwner(
  executor: Executor,
  context: CommandContext,
  command: CreateFirstOwner,
): Promise<FirstOwnerOutcome> {
  const outcome = await executor.execute(context, async (writing) => {
    const decision = decideCreateFirstOwner({ anybody: await anyUser(writing) }, command);
    if (!isRefusal(decision) && decision.outcome.created) {
      const { keyspace } = writing.platform;
      writing.tx.set(keyspace.personal(command.user, 'login-name'), Buffer.from(command.loginName));
      writing.tx.set(keyspace.personal(command.user, 'password'), Buffer.from(command.passwordHash));
    }
    return decision;
  });
  if (isRefusal(outcome)) throw new Error(`the first owner was refused: ${outcome.refused}`);
  return outcome;
}
