import type { Refusal } from '../errors.js';
import { decodeEvent } from '../events/codec.js';
import { createLog, type Log } from '../events/log.js';
import { aggregateOf, type Actor, type EventEnvelope, type EventPayload, type Role, type Stream } from '../events/types.js';
import type { RepositoryName, Uid } from '../identifiers.js';
import { applyEvent, decodeJson, encodeJson, type DirectoryName } from '../projections/projection.js';
import type { LiveDirectory, Store, Writing } from '../projections/store.js';
import type { Verb } from '../projections/targets.js';
import { BuildView } from '../projections/views.js';

/** Who asks, and the ids and the time that a decision may not make up itself. Made once for a command, outside its retries. */
export interface CommandContext {
  /** A second execution under the same id has the first one's outcome and changes nothing. */
  readonly commandId: Uid;
  readonly requestId: Uid;
  readonly correlationId: Uid;
  readonly actor: Actor;
  /** Microseconds since 1970, for people to read. */
  readonly occurredAt: number;
  readonly newId: () => Uid;
  /** Where the request came from; it lies beside the log, where it can be erased. Commands of the system's own have none. */
  readonly client?: Client | undefined;
  /** The actor's "no" to this verb with this role, narrowed by what the credentials allow. Undefined: allowed. */
  readonly judge: (verb: Verb, name: RepositoryName, role: Role | undefined) => Refusal | undefined;
}

export interface Client {
  readonly address: string;
  readonly userAgent: string;
  /** What stands for the two in events, for ever; 64 hex digits. */
  readonly hash: string;
}

export interface NewEvent {
  readonly stream: Stream;
  readonly payload: EventPayload;
}

/** What a decide function makes of state and command: events (none when there is nothing to do) with the answer, or a refusal. */
export type Decision<R> = { readonly events: readonly NewEvent[]; readonly outcome: R } | Refusal;

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'refused' in value;
}

/** The loop that every command shares: load, decide, append, project, in one transaction; again on conflict; once for each command id. */
export interface Executor {
  readonly store: Store;
  execute<R>(context: CommandContext, decide: (writing: Writing) => Promise<Decision<R>>): Promise<R | Refusal>;
}

interface StoredOutcome {
  readonly outcome: unknown;
  /** Database time in microseconds, for pruning. */
  readonly at: number;
}

export function createExecutor(store: Store): Executor {
  const logs = { registry: createLog(store.keyspaces.registry), platform: createLog(store.keyspaces.platform) };

  async function execute<R>(context: CommandContext, decide: (writing: Writing) => Promise<Decision<R>>): Promise<R | Refusal> {
    return store.transact(async (writing) => {
      const { tx } = writing;
      const commandKey = store.keyspaces.registry.command(context.commandId);
      // FoundationDB answers 1021 when it cannot know whether the commit happened; the second try sees what the first one did.
      const before = await tx.get(commandKey);
      if (before !== undefined) return decodeJson<StoredOutcome>(before).outcome as R;
      const decision = await decide(writing);
      if (isRefusal(decision) || decision.events.length === 0) return isRefusal(decision) ? decision : decision.outcome;
      await record(writing, logs, context, decision.events);
      tx.set(commandKey, encodeJson({ outcome: decision.outcome, at: Number(await tx.time()) } satisfies StoredOutcome));
      if (context.client !== undefined) {
        const { address, userAgent } = context.client;
        tx.set(store.keyspaces.registry.request(context.requestId), encodeJson({ address, userAgent }));
      }
      return decision.outcome;
    });
  }
  return { store, execute };
}

async function record(
  writing: Writing,
  logs: Readonly<Record<DirectoryName, Log>>,
  context: CommandContext,
  events: readonly NewEvent[],
): Promise<void> {
  for (const name of ['registry', 'platform'] as const) {
    const mine = events.filter((event) => directoryOf(event.stream) === name);
    if (mine.length === 0) continue;
    const directory = writing[name];
    const envelopes = mine.map((event) => envelop(context, event));
    for (const { bytes, index } of logs[name].append(writing.tx, directory.live, envelopes)) {
      // Projections see what a replay will see, never the handler's own object.
      await project(writing, directory, decodeEvent(bytes), index);
    }
  }
}

async function project(writing: Writing, directory: LiveDirectory, event: EventEnvelope, index: number): Promise<void> {
  for (const { projection, prefix } of directory.builds.values()) {
    if (projection.mode === 'async') continue;
    const position = { incarnation: directory.live.incarnation, index };
    await applyEvent(projection, event, new BuildView(writing.tx, directory.keyspace, prefix).at(position));
  }
}

function envelop(context: CommandContext, { stream, payload }: NewEvent): EventEnvelope {
  const { commandId, requestId, correlationId, actor, occurredAt } = context;
  const clientHash = context.client?.hash;
  return { id: context.newId(), stream, occurredAt, actor, requestId, commandId, correlationId, clientHash, payload };
}

function directoryOf(stream: Stream): DirectoryName {
  const aggregate = aggregateOf(stream);
  return aggregate === 'repository' || aggregate === 'blob' ? 'registry' : 'platform';
}
