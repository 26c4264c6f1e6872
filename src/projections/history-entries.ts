import type { Digest } from '../digest.js';
import { formatTime } from '../events/database-time.js';
import { createLog } from '../events/log.js';
import { formatPosition } from '../events/position.js';
import { timesOf } from '../events/sampled-times.js';
import {
  aggregateOf,
  organizationStream,
  projectStream,
  repositoryStream,
  serviceAccountStream,
  subjectOf,
  type Authentication,
  type ActorKind,
  type EventKind,
  type EventPayload,
  type PayloadOf,
  type RecordedEvent,
  type Stream,
} from '../events/types.js';
import { actorInWords, eventInWords, type Names } from '../events/words.js';
import { parseUid, type Uid } from '../identifiers.js';
import { isErased } from './blobs.js';
import { decodeJson } from './projection.js';
import { findRepositoryUid } from './repositories.js';
import type { LiveDirectory, Reading } from './store.js';

/** What the reader of history may know besides what happened. */
export interface Sight {
  /** Names of people, their clients' addresses and user agents. */
  readonly people: boolean;
  /** The project whose repositories may be named; undefined: those of all. */
  readonly project: Uid | undefined;
}

/**
 * An event as people and programs are shown it: docs/api.md, "Entries". A property that is not known, or not shown to this reader, is left out; what was
 * there and was erased says so.
 */
export interface HistoryEntry {
  readonly position: string;
  /** Database time of the commit, RFC 3339 with microseconds. */
  readonly time: string;
  /** By the clock of the server that took the request: shown, never decided on. */
  readonly occurredAt: string;
  readonly id: Uid;
  readonly kind: EventKind;
  /** What happened, in words. */
  readonly text: string;
  readonly stream: Stream;
  readonly repository?: EntryRepository;
  readonly actor: EntryActor;
  /** Where the request came from; commands of the registry's own have none. */
  readonly client?: { readonly address: string; readonly userAgent: string } | Erased;
  /** The bytes of the digest that the event is about were erased. */
  readonly content?: Erased;
  readonly requestId: Uid;
  readonly commandId: Uid;
  readonly correlationId: Uid;
  readonly causationId?: Uid;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface Erased {
  readonly erased: true;
}

export interface EntryRepository {
  readonly uid: Uid;
  readonly id: string;
  /** Its uid and, where it is known, its id. */
  readonly project: { readonly uid: Uid; readonly id?: string };
  /** Whether it bears its id now: one that was deleted does not, whoever was created under the id after. */
  readonly current: boolean;
}

export interface EntryActor {
  readonly kind: ActorKind;
  readonly uid?: Uid;
  readonly authentication: Authentication;
  /** The service account's key that was used. */
  readonly key?: Uid;
  /** A user's login name. */
  readonly name?: string;
  /** The login name was erased. */
  readonly erased?: true;
  /** Who it was, in words. */
  readonly text: string;
}

/**
 * Of events read in this transaction. Costs a read for each request, person, repository and project among them, one more for each of the last two, and what
 * `timesOf` costs.
 */
export async function resolveEntries(
  reading: Reading,
  events: readonly RecordedEvent[],
  sight: Sight,
): Promise<readonly HistoryEntry[]> {
  const known = new Known(reading, sight);
  for (const event of events) known.learn(event);
  const [timeOf] = await Promise.all([timesOfEvents(reading, events), known.learned()]);
  return events.map((event) => entryOf(event, timeOf(event), known));
}

/** Each directory has samples of its own. */
async function timesOfEvents(
  { tx, registry, platform }: Reading,
  events: readonly RecordedEvent[],
): Promise<(event: RecordedEvent) => number> {
  const inRegistry = ({ stream }: RecordedEvent): boolean => ['repository', 'blob'].includes(aggregateOf(stream));
  const positionsOf = (side: boolean) => events.filter((event) => inRegistry(event) === side).map(({ position }) => position);
  const [ofRegistry, ofPlatform] = await Promise.all([
    timesOf(tx, registry.keyspace, positionsOf(true)),
    timesOf(tx, platform.keyspace, positionsOf(false)),
  ]);
  return (event) => (inRegistry(event) ? ofRegistry : ofPlatform)(event.position);
}

function entryOf(event: RecordedEvent, time: number, known: Known): HistoryEntry {
  const { position, id, stream, occurredAt, actor, requestId, commandId, correlationId, causationId, payload } = event;
  const { names } = known;
  const repository = known.repositoryOf(stream);
  const client = known.clientOf(event);
  const person = actor.kind === 'user' && actor.uid !== undefined ? names.person(actor.uid) : undefined;
  return {
    position: formatPosition(position),
    time: formatTime(time),
    occurredAt: formatTime(occurredAt),
    id,
    kind: payload.kind,
    text: eventInWords(event, names),
    stream,
    ...(repository === undefined ? {} : { repository }),
    actor: {
      kind: actor.kind,
      ...(actor.uid === undefined ? {} : { uid: actor.uid }),
      authentication: actor.authentication,
      ...(actor.key === undefined ? {} : { key: actor.key }),
      ...(person === undefined ? {} : person === 'erased' ? { erased: true } : { name: person.name }),
      text: actorInWords(event, names),
    },
    ...(client === undefined ? {} : { client }),
    ...('digest' in payload && names.isErased(payload.digest) ? { content: { erased: true } } : {}),
    requestId,
    commandId,
    correlationId,
    ...(causationId === undefined ? {} : { causationId }),
    payload: payloadFields(payload, names),
  };
}

type Fields = { readonly [K in EventKind]?: (payload: PayloadOf<K>, names: Names) => Readonly<Record<string, unknown>> };

/** Kinds whose fields are shown otherwise than the log has them. */
const fields: Fields = {
  TagMoved: ({ image, tag, digest, previous }) => ({ image, tag, from: previous, to: digest }),
  TagDeleted: ({ image, tag, digest }) => ({ image, tag, from: digest }),
  BlobMounted: ({ digest, size, fromRepository }, names) => {
    const name = names.repository(fromRepository);
    return { digest, size, from: name === undefined ? undefined : { uid: fromRepository, name } };
  },
  // The hash of a name is for the registry alone.
  UserCreated: () => ({}),
  UserForgotten: () => ({}),
  ServiceAccountKeyAdded: ({ key, publicKey, expiresAt }) => ({
    key,
    publicKey,
    expires: expiresAt === undefined ? undefined : formatTime(expiresAt),
  }),
};

function payloadFields(payload: EventPayload, names: Names): Readonly<Record<string, unknown>> {
  const { kind, ...rest } = payload;
  const shown = fields[kind] as ((payload: EventPayload, names: Names) => Readonly<Record<string, unknown>>) | undefined;
  const entries = Object.entries(shown === undefined ? rest : shown(payload, names));
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

type Person = ReturnType<Names['person']>;

/** What lies beside the events of one page, each read once. */
class Known {
  readonly #reading: Reading;
  readonly #sight: Sight;
  readonly #repositories = new Map<Uid, EntryRepository | undefined>();
  readonly #projects = new Map<Uid, string | undefined>();
  readonly #organizations = new Map<Uid, string | undefined>();
  readonly #accounts = new Map<Uid, string | undefined>();
  readonly #erased = new Set<Digest>();
  readonly #people = new Map<Uid, Person>();
  readonly #clients = new Map<Uid, { readonly address: string; readonly userAgent: string } | undefined>();
  readonly #asked = new Map<string, Promise<void>>();

  readonly names: Names = {
    repository: (uid) => {
      const found = this.#repositories.get(uid);
      const { project } = this.#sight;
      if (found?.project.id === undefined || (project !== undefined && found.project.uid !== project)) return undefined;
      return `${found.project.id}/${found.id}`;
    },
    project: (uid) => this.#projects.get(uid),
    organization: (uid) => this.#organizations.get(uid),
    account: (uid) => this.#accounts.get(uid),
    isErased: (digest) => this.#erased.has(digest),
    person: (uid) => this.#people.get(uid),
  };

  constructor(reading: Reading, sight: Sight) {
    this.#reading = reading;
    this.#sight = sight;
  }

  learn({ stream, payload, actor, requestId, clientHash }: RecordedEvent): void {
    const uid = parseUid(subjectOf(stream));
    const aggregate = aggregateOf(stream);
    if (uid !== undefined && aggregate === 'repository') this.#learnRepository(uid);
    if (uid !== undefined && aggregate === 'project') void this.#learnProject(uid);
    if (uid !== undefined && aggregate === 'organization') this.#learnOrganization(uid);
    if (uid !== undefined && (aggregate === 'user' || aggregate === 'service-account')) this.#learnHolder(aggregate, uid);
    if ('digest' in payload) this.#learnErasure(payload.digest);
    if (payload.kind === 'BlobMounted') this.#learnRepository(payload.fromRepository);
    if (payload.kind === 'ProjectCreated') this.#learnOrganization(payload.organization);
    if ('principal' in payload && 'uid' in payload.principal) this.#learnHolder(payload.principal.kind, payload.principal.uid);
    if (actor.uid !== undefined) this.#learnHolder(actor.kind, actor.uid);
    if (clientHash !== undefined) this.#learnClient(requestId);
  }

  /** Resolves when all is read that was to be learned. */
  async learned(): Promise<void> {
    await Promise.all(this.#asked.values());
  }

  repositoryOf(stream: Stream): EntryRepository | undefined {
    const uid = parseUid(stream.slice(stream.indexOf('/') + 1));
    return uid === undefined ? undefined : this.#repositories.get(uid);
  }

  clientOf({ clientHash, requestId }: RecordedEvent): HistoryEntry['client'] {
    if (clientHash === undefined || !this.#sight.people) return undefined;
    return this.#clients.get(requestId) ?? { erased: true };
  }

  /** By its first event, which outlives it. */
  #learnRepository(uid: Uid): void {
    void this.#once(`repository ${uid}`, async () => {
      const first = await firstPayload(this.#reading, this.#reading.registry, repositoryStream(uid));
      if (first?.kind !== 'RepositoryCreated') return;
      const { project, id } = first;
      await this.#learnProject(project);
      const projectId = first.projectId ?? this.#projects.get(project);
      const current = (await findRepositoryUid(this.#reading, project, id)) === uid;
      const of = { uid: project, ...(projectId === undefined ? {} : { id: projectId }) };
      this.#repositories.set(uid, { uid, id, project: of, current });
    });
  }

  #learnProject(uid: Uid): Promise<void> {
    return this.#once(`project ${uid}`, async () => {
      const first = await firstPayload(this.#reading, this.#reading.platform, projectStream(uid));
      if (first?.kind === 'ProjectCreated') this.#projects.set(uid, first.id);
    });
  }

  #learnOrganization(uid: Uid): void {
    void this.#once(`organization ${uid}`, async () => {
      const first = await firstPayload(this.#reading, this.#reading.platform, organizationStream(uid));
      if (first?.kind === 'OrganizationCreated') this.#organizations.set(uid, first.id);
    });
  }

  #learnHolder(kind: ActorKind, uid: Uid): void {
    if (kind === 'user') this.#learnPerson(uid);
    if (kind === 'service-account') this.#learnAccount(uid);
  }

  #learnErasure(digest: Digest): void {
    void this.#once(`erased ${digest}`, async () => {
      if (await isErased(this.#reading, digest)) this.#erased.add(digest);
    });
  }

  #learnAccount(uid: Uid): void {
    void this.#once(`service account ${uid}`, async () => {
      const first = await firstPayload(this.#reading, this.#reading.platform, serviceAccountStream(uid));
      if (first?.kind === 'ServiceAccountCreated') this.#accounts.set(uid, `${first.projectId}/${first.id}`);
    });
  }

  #learnPerson(uid: Uid): void {
    if (!this.#sight.people) return;
    void this.#once(`person ${uid}`, async () => {
      const { tx, platform } = this.#reading;
      const name = await tx.get(platform.keyspace.personal(uid, 'login-name'));
      this.#people.set(uid, name === undefined ? 'erased' : { name: name.toString() });
    });
  }

  #learnClient(request: Uid): void {
    if (!this.#sight.people) return;
    void this.#once(`request ${request}`, async () => {
      const { tx, registry } = this.#reading;
      const bytes = await tx.get(registry.keyspace.request(request));
      if (bytes === undefined) return;
      const { address, userAgent } = decodeJson<{ readonly address: string; readonly userAgent: string }>(bytes);
      this.#clients.set(request, { address, userAgent });
    });
  }

  #once(key: string, read: () => Promise<void>): Promise<void> {
    const before = this.#asked.get(key);
    if (before !== undefined) return before;
    const reading = read();
    this.#asked.set(key, reading);
    return reading;
  }
}

async function firstPayload({ tx }: Reading, { keyspace }: LiveDirectory, stream: Stream): Promise<EventPayload | undefined> {
  const [first] = await createLog(keyspace).readStream(tx, stream, { limit: 1 });
  return first?.payload;
}
