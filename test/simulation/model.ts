import type { Digest } from '../../src/digest.js';
import type { Position } from '../../src/events/position.js';
import type { EventPayload, RecordedEvent } from '../../src/events/types.js';
import type { Uid } from '../../src/identifiers.js';
import { taken } from '../commands/model.js';
import { blobAt, manifestAt, world } from './world.js';

/** From one version of the store to another, both included. */
export interface Versions {
  readonly from: bigint;
  readonly to: bigint;
}

/** What a request asks for, as the model knows it. */
export type Command =
  | { readonly kind: 'start upload'; readonly name: string }
  /** Bytes, a look, or its end without a blob. */
  | { readonly kind: 'go on with upload'; readonly name: string; readonly begun: Versions }
  | {
      readonly kind: 'finish upload';
      readonly name: string;
      readonly blob: number;
      /** Undefined: the request began the upload itself. */
      readonly upload: string | undefined;
      /** Versions between which it was begun, in the repository that bore the name then. Undefined: by this request. */
      readonly begun: Versions | undefined;
      /** It has ended well before, or was given up. */
      readonly over: boolean;
    }
  | { readonly kind: 'mount'; readonly name: string; readonly blob: number; readonly from: string | undefined }
  | { readonly kind: 'put manifest'; readonly name: string; readonly manifest: number; readonly tags: readonly string[] }
  | { readonly kind: 'delete tag'; readonly name: string; readonly tag: string }
  | { readonly kind: 'delete manifest'; readonly name: string; readonly manifest: number }
  | { readonly kind: 'delete blob'; readonly name: string; readonly blob: number }
  | { readonly kind: 'delete repository'; readonly name: string }
  | { readonly kind: 'create repository'; readonly name: string }
  | { readonly kind: 'get manifest'; readonly name: string; readonly tag: string }
  | { readonly kind: 'get manifest by digest'; readonly name: string; readonly manifest: number }
  | { readonly kind: 'get blob'; readonly name: string; readonly blob: number }
  /** Empties what is being deleted. */
  | { readonly kind: 'resume deletions' }
  /** Changes nothing that events tell of. */
  | { readonly kind: 'nothing' };

/** A fact that an event must tell; `undefined` values are left out of the comparison. */
type Told = Readonly<Record<string, unknown>> & { readonly kind: EventPayload['kind'] };

/** What a request's outcome is at one moment: its answer in a word, and what it changes. */
export interface Prediction {
  readonly outcome: string;
  readonly events: readonly Told[];
}

interface Repository {
  readonly uid: Uid;
  readonly path: string;
  readonly links: Set<Digest>;
  /** `<image>@<digest>`. */
  readonly manifests: Set<string>;
  /** `<image>:<tag>`. */
  readonly tags: Map<string, Digest>;
}

const said = (outcome: string): Prediction => ({ outcome, events: [] });

/** The events of one commit. */
export interface Commit {
  readonly version: bigint;
  readonly events: readonly RecordedEvent[];
}

/**
 * The registry as a few sets in memory. It says what each commit of the log must hold, given what was asked, and takes it in: so the log, and what clients
 * were told, is held to a second telling of the rules.
 */
export class Model {
  readonly repositories = new Map<string, Repository>();
  readonly leaving = new Map<Uid, Repository>();
  readonly generations = new Map<Digest, string>();
  readonly #generationsEver = new Set<string>();
  readonly #projects = new Set<string>();
  /** From when on a path was a repository, or none. */
  readonly #bearers = new Map<string, { readonly version: bigint; readonly uid: Uid | undefined }[]>();
  readonly #uids = new Set<string>();

  /** What happens to a request here. */
  predict(command: Command): Prediction {
    if (command.kind === 'nothing' || command.kind === 'resume deletions') return said('done');
    const { path, image } = taken(command.name);
    const repository = this.repositories.get(path);
    if (command.kind === 'create repository') {
      return repository === undefined ? { outcome: 'done', events: this.#creation(path) } : said('REPOSITORY_EXISTS');
    }
    if (repository === undefined) return said('REPOSITORY_UNKNOWN');
    const { links, manifests, tags } = repository;
    switch (command.kind) {
      case 'start upload':
        return said('started');
      case 'go on with upload':
        return said(this.#bore(path, repository.uid, command.begun) ? 'done' : 'UPLOAD_UNKNOWN');
      case 'finish upload': {
        if (command.begun !== undefined && !this.#bore(path, repository.uid, command.begun)) return said('UPLOAD_UNKNOWN');
        const { digest, size } = blobAt(command.blob);
        if (command.over) return said(links.has(digest) ? 'done' : 'UPLOAD_UNKNOWN');
        const events: Told[] = [];
        if (!this.generations.has(digest)) events.push({ kind: 'BlobStored', digest, size, generation: undefined });
        if (!links.has(digest)) events.push({ kind: 'BlobPushed', digest, size });
        return { outcome: 'done', events };
      }
      case 'mount': {
        const { digest, size } = blobAt(command.blob);
        const from = command.from === undefined ? undefined : this.repositories.get(taken(command.from).path);
        const sources = command.from === undefined ? [...this.repositories.values()] : from === undefined ? [] : [from];
        if (!sources.some((source) => source.links.has(digest))) return said('started');
        const events: Told[] = links.has(digest) ? [] : [{ kind: 'BlobMounted', digest, size, fromRepository: from?.uid }];
        return { outcome: 'mounted', events };
      }
      case 'put manifest': {
        const { digest, document, bytes, blobs, children } = manifestAt(command.manifest);
        const events: Told[] = [];
        if (!manifests.has(`${image}@${digest}`)) {
          const there =
            blobs.every((blob) => links.has(blobAt(blob).digest)) &&
            children.every((child) => manifests.has(`${image}@${manifestAt(child).digest}`));
          if (!there) return said('MANIFEST_BLOB_UNKNOWN');
          const { mediaType, artifactType, subject, config, layersSize } = document;
          const facts = { mediaType, artifactType, subject: subject?.digest, config: config?.digest, layersSize };
          events.push({ kind: 'ManifestPushed', image, digest, ...facts, size: bytes.length });
        }
        for (const tag of command.tags) {
          const previous = tags.get(`${image}:${tag}`);
          if (previous !== digest) events.push({ kind: 'TagMoved', image, tag, digest, previous });
        }
        return { outcome: 'done', events };
      }
      case 'delete tag': {
        const digest = tags.get(`${image}:${command.tag}`);
        if (digest === undefined) return said('MANIFEST_UNKNOWN');
        return { outcome: 'done', events: [{ kind: 'TagDeleted', image, tag: command.tag, digest }] };
      }
      case 'delete manifest': {
        const { digest } = manifestAt(command.manifest);
        if (!manifests.has(`${image}@${digest}`)) return said('MANIFEST_UNKNOWN');
        const held = world.manifests.some(
          (other) => other.children.includes(command.manifest) && manifests.has(`${image}@${other.digest}`),
        );
        if (held) return said('MANIFEST_IN_USE');
        const pointing = [...tags].filter(([key, to]) => key.startsWith(`${image}:`) && to === digest).map(([key]) => key);
        const events: Told[] = pointing.map((key) => ({ kind: 'TagDeleted', image, tag: key.slice(image.length + 1), digest }));
        return { outcome: 'done', events: [...events.sort(byTag), { kind: 'ManifestDeleted', image, digest }] };
      }
      case 'delete blob': {
        const { digest } = blobAt(command.blob);
        if (!links.has(digest)) return said('BLOB_UNKNOWN');
        const held = world.manifests.some(
          (manifest) =>
            manifest.blobs.includes(command.blob) && [...manifests].some((key) => key.endsWith(`@${manifest.digest}`)),
        );
        return held ? said('BLOB_IN_USE') : { outcome: 'done', events: [{ kind: 'BlobUnlinked', digest }] };
      }
      case 'delete repository':
        return { outcome: 'done', events: [{ kind: 'RepositoryDeletionBegun', ...idsOf(path) }] };
      case 'get manifest': {
        const digest = tags.get(`${image}:${command.tag}`);
        return said(digest ?? 'MANIFEST_UNKNOWN');
      }
      case 'get manifest by digest': {
        const { digest } = manifestAt(command.manifest);
        return said(manifests.has(`${image}@${digest}`) ? digest : 'MANIFEST_UNKNOWN');
      }
      case 'get blob':
        return said(links.has(blobAt(command.blob).digest) ? 'done' : 'BLOB_UNKNOWN');
    }
  }

  /** What the creation of a repository by a push holds. */
  predictCreation(name: string): Prediction {
    const { path } = taken(name);
    return this.repositories.has(path) ? said('found') : { outcome: 'created', events: this.#creation(path) };
  }

  /** Whether a repository had the path at some moment of these versions. */
  #bore(path: string, uid: Uid, { from, to }: Versions): boolean {
    const bearers = this.#bearers.get(path) ?? [];
    return bearers.some((bearer, index) => {
      const end = bearers[index + 1]?.version;
      return bearer.uid === uid && bearer.version <= to && (end === undefined || end > from);
    });
  }

  #bears(path: string, uid: Uid | undefined, { stamp }: Position): void {
    const bearers = this.#bearers.get(path) ?? [];
    bearers.push({ version: stamp.readBigUInt64BE(0), uid });
    this.#bearers.set(path, bearers);
  }

  #creation(path: string): readonly Told[] {
    const { projectId, id } = idsOf(path);
    const events: Told[] = this.#projects.has(projectId) ? [] : [{ kind: 'ProjectCreated', id: projectId }];
    return [...events, { kind: 'RepositoryCreated', projectId, id }];
  }

  /** What the next of the transactions holds that empty a repository. */
  predictEmptying(uid: Uid): Prediction {
    const repository = this.leaving.get(uid);
    if (repository === undefined) return said('done');
    const tags: Told[] = [...repository.tags].map(([key, digest]) => {
      const colon = key.lastIndexOf(':');
      return { kind: 'TagDeleted', image: key.slice(0, colon), tag: key.slice(colon + 1), digest };
    });
    if (tags.length > 0) return { outcome: 'done', events: tags };
    const manifests: Told[] = [...repository.manifests].map((key) => {
      const at = key.indexOf('@');
      return { kind: 'ManifestDeleted', image: key.slice(0, at), digest: key.slice(at + 1) };
    });
    if (manifests.length > 0) return { outcome: 'done', events: manifests };
    const links: Told[] = [...repository.links].map((digest) => ({ kind: 'BlobUnlinked', digest }));
    if (links.length > 0) return { outcome: 'done', events: links };
    return { outcome: 'done', events: [{ kind: 'RepositoryDeleted', ...idsOf(repository.path) }] };
  }

  /** Takes in what happened; a text where it cannot have happened. */
  take({ payload, stream, position }: RecordedEvent): string | undefined {
    const uid = stream.slice(stream.indexOf('/') + 1) as Uid;
    const here = [...this.repositories.values()].find((repository) => repository.uid === uid) ?? this.leaving.get(uid);
    switch (payload.kind) {
      case 'ProjectCreated':
        this.#projects.add(payload.id);
        return undefined;
      case 'RepositoryCreated': {
        if (this.#uids.has(uid)) return `the uid ${uid} is used again`;
        this.#uids.add(uid);
        const path = `${payload.projectId}/${payload.id}`;
        this.#bears(path, uid, position);
        this.repositories.set(path, { uid, path, links: new Set(), manifests: new Set(), tags: new Map() });
        return undefined;
      }
      case 'BlobStored':
        if (this.#generationsEver.has(payload.generation)) return `the generation ${payload.generation} is used again`;
        this.#generationsEver.add(payload.generation);
        this.generations.set(payload.digest, payload.generation);
        return undefined;
      case 'OrganizationCreated':
      case 'UserCreated':
      case 'RoleGranted':
        return undefined;
      default:
        break;
    }
    if (here === undefined) return `${payload.kind} in ${stream}, which is not there`;
    switch (payload.kind) {
      case 'RepositoryDeletionBegun':
        this.#bears(here.path, undefined, position);
        this.repositories.delete(here.path);
        this.leaving.set(uid, here);
        return undefined;
      case 'RepositoryDeleted':
        this.leaving.delete(uid);
        return undefined;
      case 'BlobPushed':
      case 'BlobMounted':
        here.links.add(payload.digest);
        return undefined;
      case 'BlobUnlinked':
        here.links.delete(payload.digest);
        return undefined;
      case 'ManifestPushed':
        here.manifests.add(`${payload.image}@${payload.digest}`);
        return undefined;
      case 'ManifestDeleted':
        here.manifests.delete(`${payload.image}@${payload.digest}`);
        return undefined;
      case 'TagMoved':
        here.tags.set(`${payload.image}:${payload.tag}`, payload.digest);
        return undefined;
      case 'TagDeleted':
        here.tags.delete(`${payload.image}:${payload.tag}`);
        return undefined;
      default:
        return `${(payload as EventPayload).kind} is unknown to the model`;
    }
  }

  /** A line for each fact that queries can tell, in order. */
  facts(): readonly string[] {
    const lines: string[] = [];
    for (const { path, uid, links, manifests, tags } of this.repositories.values()) {
      lines.push(`${path} is ${uid}`);
      for (const digest of links) lines.push(`${path} links ${digest}`);
      for (const key of manifests) {
        const [image = '', digest] = key.split('@');
        lines.push(`${path} ${image} has ${digest}`, `catalog: ${[path, image].filter(Boolean).join('/')}`);
        const subject = world.manifests.find((manifest) => manifest.digest === digest)?.subject;
        if (subject !== undefined) lines.push(`${path} ${image} ${digest} refers to ${manifestAt(subject).digest}`);
      }
      for (const [key, digest] of tags) lines.push(`${path} ${key.replace(':', ' ')} is ${digest}`);
    }
    return [...new Set(lines)].sort();
  }
}

function byTag(left: Told, right: Told): number {
  return String(left['tag']) < String(right['tag']) ? -1 : 1;
}

function idsOf(path: string): { readonly projectId: string; readonly id: string } {
  const [projectId = '', id = ''] = path.split('/');
  return { projectId, id };
}

/** Whether events tell what was predicted, in whatever order a deletion goes through its keys; else what differs. */
export function differs(events: readonly RecordedEvent[], told: readonly Told[]): string | undefined {
  const actual = events.map(({ payload }) => payload as unknown as Told);
  const open = [...told];
  for (const payload of actual) {
    const at = open.findIndex((expected) => matches(payload, expected));
    if (at < 0) return `there is ${JSON.stringify(payload)}; expected ${JSON.stringify(open)}`;
    open.splice(at, 1);
  }
  return open.length === 0 ? undefined : `${JSON.stringify(open)} is missing`;
}

function matches(actual: Told, expected: Told): boolean {
  // What the model cannot know stands as undefined; what it says is not there must not be.
  const free = expected.kind === 'BlobStored' || expected.kind === 'BlobMounted';
  return Object.entries(expected).every(([key, value]) => (free && value === undefined) || actual[key] === value);
}
