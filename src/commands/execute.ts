import { refuse, type Refusal } from '../errors.js';
import { decodeEvent } from '../events/codec.js';
import { createLog, type Log } from '../events/log.js';
import { aggregateOf, type Actor, type EventEnvelope, type EventPayload, type Stream } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { decodeJson, directoryNames, encodeJson, type DirectoryName } from '../projections/projection.js';
import type { Store, Writing } from '../projections/store.js';
import type { Standing } from '../projections/standing.js';
import type { Target, Verb } from '../projections/targets.js';
import { applyToEach, BuildView } from '../projections/views.js';

/** Who asks, and what that one may. */
export interface Judging {
  readonly actor: Actor;
  /** The actor's "no" to this verb with this role, narrowed by what the credentials allow. Undefined: allowed. */
  readonly judge: (verb: Verb, target: Pick<Target, 'name' | 'repository' | 'role'>) => Refusal | undefined;
  /** The same for what no `<name>` stands for, with the actor's role on it; `what`: for the message. */
  readonly judgeManaging: (role: Standing | undefined, what: string) => Refusal | undefined;
}

/** Who asks, and the ids and the time that a decision may not make up itself. Made once for a command, outside its retries. */
export interface CommandContext extends Judging {
  /** A second execution under the same id has the first one's outcome and changes nothing. */
  readonly commandId: Uid;
  readonly requestId: Uid;
  readonly correlationId: Uid;
  /** Microseconds since 1970, for people to read. */
  readonly occurredAt: number;
  readonly newId: () => Uid;
  /** Where the request came from; it lies beside the log, where it can be erased. Commands of the system's own have none. */
  readonly client?: Client | undefined;
  /**
   * Of what was asked for, where the id follows from a client's key: a second execution under the same id whose fingerprint is another is refused.
   */
  readonly fingerprint?: string | undefined;
  /**
   * What has to hold besides, in the command's own transaction, for a command that would be carried out: the refusal where it does not. A client's If-Match, for instance.
   */
  readonly expected?: ((writing: Writing) => Promise<Refusal | undefined>) | undefined;
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
  readonly fingerprint?: string | undefined;
  /** Database time in microseconds, for pruning. */
  readonly at: number;
}

/** Takes back what an attempt wrote whose command an earlier one has carried out, or whose expectation does not hold. */
class TakenBack extends Error {
  constructor(readonly outcome: unknown) {
    super('what the attempt wrote is taken back');
  }
}

function valueOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

export function createExecutor(store: Store): Executor {
  const logs = { registry: createLog(store.keyspaces.registry), platform: createLog(store.keyspaces.platform) };

  async function execute<R>(context: CommandContext, decide: (writing: Writing) => Promise<Decision<R>>): Promise<R | Refusal> {
    try {
      return await store.transact((writing) => attempt(writing, context, decide));
    } catch (error) {
      if (error instanceof TakenBack) return error.outcome as R | Refusal;
      throw error;
    }
  }

  async function attempt<R>(
    writing: Writing,
    context: CommandContext,
    decide: (writing: Writing) => Promise<Decision<R>>,
  ): Promise<R | Refusal> {
    const { tx, registry } = writing;
    const { commandId, fingerprint } = context;
    const { keyspace } = registry;
    const commandKey = fingerprint === undefined ? keyspace.command(commandId) : keyspace.idempotent(commandId);
    // At once, since each read is a way to the cluster and back. What was decided where all was done before is never committed, nor is its failure told.
    const [earlier, decided, time] = await Promise.allSettled([tx.get(commandKey), decide(writing), tx.time()]);
    const before = valueOf(earlier);
    // FoundationDB answers 1021 when it cannot know whether the commit happened; the second try sees what the first one did.
    if (before !== undefined) {
      const stored = decodeJson<StoredOutcome>(before);
      throw new TakenBack(stored.fingerprint === fingerprint ? stored.outcome : refuse('IDEMPOTENCY_KEY_REUSED'));
    }
    const decision = valueOf(decided);
    if (isRefusal(decision)) return decision;
    const unexpected = await context.expected?.(writing);
    if (unexpected !== undefined) throw new TakenBack(unexpected);
    const changes = decision.events.length > 0;
    // What a client may repeat is remembered where nothing had to be done, too: by the time of the repetition there may be something to do.
    if (!changes && fingerprint === undefined) return decision.outcome;
    const stored: StoredOutcome = { outcome: decision.outcome, at: Number(valueOf(time)), fingerprint };
    tx.set(commandKey, encodeJson(stored));
    if (!changes) return decision.outcome;
    await record(writing, logs, context, decision.events);
    if (context.client !== undefined) {
      const { address, userAgent } = context.client;
      tx.set(store.keyspaces.registry.request(context.requestId), encodeJson({ address, userAgent }));
    }
    return decision.outcome;
  }
  return { store, execute };
}

async function record(
  writing: Writing,
  logs: Readonly<Record<DirectoryName, Log>>,
  context: CommandContext,
  events: readonly NewEvent[],
): Promise<void> {
  for (const name of directoryNames) {
    const mine = events.filter((event) => directoryOf(event.stream) === name);
    if (mine.length === 0) continue;
    const directory = writing[name];
    const builds = Array.from(directory.builds.values())
      .filter(({ projection }) => projection.mode === 'inline')
      .map(({ projection, prefix }) => ({ projection, view: new BuildView(writing.tx, directory.keyspace, prefix) }));
    const { incarnation } = directory.live;
    const envelopes = mine.map((event) => envelop(context, event));
    for (const { bytes, index } of logs[name].append(writing.tx, directory.live, envelopes)) {
      // Projections see what a replay will see, never the handler's own object.
      await applyToEach(builds, decodeEvent(bytes), { incarnation, index });
    }
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
