import { Readable } from 'node:stream';

import { isRefusal, type CommandContext, type Executor } from '../../src/commands/execute.js';
import { createRepository, deleteRepository, resumeDeletions } from '../../src/commands/repository.js';
import { deleteTag } from '../../src/commands/tag.js';
import { digestOf } from '../../src/digest.js';
import type { Refusal } from '../../src/errors.js';
import { getBlob, removeBlob } from '../../src/http/blobs.js';
import type { Exchange } from '../../src/http/exchange.js';
import { deleteReference, getManifest, putManifest } from '../../src/http/manifests.js';
import { cancelUpload, getUpload, patchUpload, postUpload, putUpload } from '../../src/http/uploads.js';
import type { Uid } from '../../src/identifiers.js';
import type { BuildOptions } from '../../src/processes/build-run.js';
import { pruneCommands } from '../../src/processes/command-pruning.js';
import { pruneRequests } from '../../src/processes/request-pruning.js';
import { rebuild } from '../../src/processes/rebuild.js';
import { expireUploads } from '../../src/processes/upload-expiry.js';
import { verify } from '../../src/processes/verify.js';
import { nameOf, tagOf } from '../commands/fixture.js';
import type { Asked, Violation } from './asked.js';
import { expiry, type Cluster, type Server } from './cluster.js';
import type { Command } from './model.js';
import { answerOf, send, type Answer, type HttpRequest } from './requests.js';
import { SERVERS, type Action, type Step, type UploadEnd, type UploadWay } from './steps.js';
import { blobAt, closureOf, manifestAt, world } from './world.js';

/** What all actors share: what was asked so far, and what was seen to be wrong at once. */
export interface Journal {
  readonly asked: Asked[];
  readonly violations: Violation[];
  /** What the actor of each step was told, in words. */
  readonly told: Map<number, string[]>;
  /** How often what takes several requests came to its end. */
  readonly ended: Map<string, number>;
  /** Stores of some moments, to be compared with their logs when the run has ended. */
  readonly frozen: { readonly step: number; readonly pairs: ReturnType<Cluster['frozen']> }[];
}

/** An upload as its client knows it. */
interface Upload {
  readonly id: string;
  readonly name: string;
  readonly blob: number;
  /** Versions between which it was begun. */
  readonly from: bigint;
  readonly to: bigint;
  readonly begunAt: number;
  readonly powerCuts: number;
  /** A request of it went wrong, or two went on at once: it may be anywhere. */
  doubtful: boolean;
  over: boolean;
}

interface Question {
  readonly command: Command;
  readonly request: Omit<HttpRequest, 'id'>;
  readonly route: (exchange: Exchange) => Promise<unknown>;
  /** The answer in the model's words. */
  readonly outcome?: (answer: Extract<Answer, { kind: 'answered' }>) => string;
  readonly upload?: Upload | undefined;
  /** Refusals that the model does not know of. */
  readonly allowed?: readonly string[];
}

const TRIES = 5;
const BUILDING_MS = 200_000;

/** One step's client. It talks to a server, and to another one where that died. */
export class Client {
  readonly #words: string[];
  #slot: number;

  constructor(
    readonly cluster: Cluster,
    readonly journal: Journal,
    readonly step: Pick<Step, 'id' | 'process'>,
  ) {
    this.#slot = step.process;
    this.#words = journal.told.get(step.id) ?? [];
    journal.told.set(step.id, this.#words);
  }

  async perform(action: Action): Promise<void> {
    switch (action.kind) {
      case 'push image':
        await this.pushImage(action.name, action.manifest, action.tags);
        return;
      case 'upload':
        await this.#upload(action.name, action.blob, action.way, action.end);
        return;
      case 'mount':
        await this.#mount(action.name, action.blob, action.from);
        return;
      case 'put manifest':
        await this.#patiently(() => this.#putManifest(action.name, action.manifest, action.tags));
        return;
      case 'delete tag':
        await (action.twice ? this.#deleteTagTwice(action.name, action.tag) : this.#deleteTag(action.name, action.tag));
        return;
      case 'delete manifest': {
        const { name, manifest } = action;
        await this.#delete({ kind: 'delete manifest', name, manifest }, (exchange) =>
          deleteReference(exchange, nameOf(name), manifestAt(manifest).digest),
        );
        return;
      }
      case 'delete blob': {
        const { name, blob } = action;
        await this.#delete({ kind: 'delete blob', name, blob }, (exchange) =>
          removeBlob(exchange, nameOf(name), blobAt(blob).digest),
        );
        return;
      }
      case 'delete repository':
        await this.#deleteRepository(action.name);
        return;
      case 'create repository':
        await this.#createRepository(action.name, action.twice);
        return;
      case 'pull':
        await this.pull(action.name, action.tag);
        return;
      case 'pull by digest':
        await this.#pullManifest(action.name, action.manifest);
        return;
      case 'get blob':
        await this.#patiently(() => this.#getBlob(action.name, action.blob, 'GET'));
        return;
      case 'expire uploads':
        await this.#chore((server) => expireUploads(server.executor, server.blobs, expiry));
        return;
      case 'resume deletions':
        await this.#chore((server, id) => resumeDeletions(server.executor, () => server.context(id)), 'resume deletions');
        return;
      case 'prune':
        await this.#chore(async ({ store }) => {
          await pruneCommands(store);
          await pruneRequests(store);
        });
        return;
      case 'race':
        await this.#race(action);
        return;
      case 'rebuild':
        await this.rebuild(action.projections, action.force);
        return;
      case 'new release':
        await this.#replaceServer(action.force);
        return;
      case 'verify':
        await this.#verify(action.projections);
        return;
      case 'look at the indexes':
        this.journal.frozen.push({ step: this.step.id, pairs: this.cluster.frozen() });
        return;
    }
  }

  // ---- Pushing

  /** As docker does: what is there is not sent, what the registry can mount is mounted, the rest is uploaded, manifests come last. Whether it ended well. */
  async pushImage(name: string, manifest: number, tags: readonly string[]): Promise<boolean> {
    const needed = closureOf(manifest);
    // A blob may be deleted between its push and the manifest's: then all of it begins anew.
    for (let round = 0; round < 3; round += 1) {
      for (const blob of needed.blobs) {
        const there = await this.#patiently(() => this.#getBlob(name, blob, 'HEAD'));
        if (there !== 'done') await this.#upload(name, blob, blob % 2 === 0 ? 'whole in the PUT' : 'in two chunks', 'put');
      }
      let outcome: string | undefined = 'done';
      for (const one of needed.manifests) {
        if (outcome === 'done') outcome = await this.#patiently(() => this.#putManifest(name, one, one === manifest ? tags : []));
      }
      if (outcome === 'done') return this.#ended('a push') === 'done';
    }
    return false;
  }

  async #upload(name: string, blob: number, way: UploadWay, end: UploadEnd): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      const outcome = await this.#uploadOnce(name, blob, way, end);
      // Forgotten meanwhile, or its server died: a client begins anew.
      if (outcome !== 'UPLOAD_UNKNOWN' && outcome !== undefined) return;
      if (end !== 'put') return;
    }
  }

  async #uploadOnce(name: string, blob: number, way: UploadWay, end: UploadEnd): Promise<string | undefined> {
    const { bytes, digest } = blobAt(blob);
    if (way === 'whole in the POST') {
      return this.#patiently(() =>
        this.#ask({
          command: { kind: 'finish upload', name, blob, upload: undefined, begun: undefined, over: false },
          request: { method: 'POST', query: { digest }, headers: { 'content-length': String(bytes.length) }, body: whole(bytes) },
          route: (exchange) => postUpload(exchange, nameOf(name)),
          outcome: ({ status }) => (status === 201 ? 'done' : 'started'),
          // The upload is the request's own: where it is lost, that is by the fault that the request met.
          allowed: ['UPLOAD_UNKNOWN'],
        }),
      );
    }
    const upload = await this.#patiently(() => this.#begin(name, blob));
    if (upload === undefined || typeof upload === 'string') return upload;
    const half = bytes.length >> 1;
    let last = bytes;
    if (way === 'in two chunks') {
      const first = await this.#patiently(() => this.#patch(upload, 0, whole(bytes.subarray(0, half)), half));
      if (first !== 'done') return first;
      // The answer to the first was lost, as far as its client knows: what it sends again is not taken twice.
      if (end === 'put twice') await this.#patch(upload, 0, whole(bytes.subarray(0, half)), half, 'UPLOAD_WRONG_OFFSET');
      last = bytes.subarray(half);
    } else if (way === 'broken off and resumed' || end === 'taken over') {
      const cut = end === 'taken over' ? stalled(bytes.subarray(0, half)) : this.#brokenOff(bytes.subarray(0, half));
      upload.doubtful = true;
      const running = this.#patch(upload, undefined, cut, undefined);
      if (end !== 'taken over') await running;
      else await this.cluster.clock.sleep(20);
      // At the same server, or at another one, which the first hears of only from the session.
      const elsewhere = end === 'taken over' && blob % 2 === 1;
      if (elsewhere) this.#slot = (this.#slot + 1) % SERVERS;
      const status = await this.#status(upload);
      if (status === undefined || typeof status === 'string') {
        cut.destroy();
        await running;
        return status;
      }
      last = bytes.subarray(status);
      if (end === 'taken over') {
        const outcome = await this.#put(upload, last, true);
        if (elsewhere) cut.push(Buffer.from('late'));
        if (elsewhere) cut.push(null);
        else cut.destroy();
        const late = await running;
        if (outcome === 'done' && late === 'done')
          this.#violated('one writer', `${upload.id}: bytes that came late to the server before were acknowledged`);
        return outcome;
      }
    }
    switch (end) {
      case 'abandoned':
        return 'done';
      case 'cancelled': {
        upload.over = true;
        await this.#ask({
          command: goingOn(upload),
          request: { method: 'DELETE' },
          route: (exchange) => cancelUpload(exchange, nameOf(name), upload.id),
          upload,
        });
        return 'done';
      }
      case 'put with a wrong digest': {
        upload.doubtful = true;
        const wrong = digestOf(Buffer.from('other bytes'), 'sha256');
        await this.#ask({
          command: goingOn(upload),
          request: {
            method: 'PUT',
            query: { digest: wrong },
            headers: { 'content-length': String(last.length) },
            body: whole(last),
          },
          route: (exchange) => putUpload(exchange, nameOf(name), upload.id),
          outcome: () => 'a wrong digest was taken',
          upload,
          allowed: ['DIGEST_MISMATCH'],
        });
        return 'done';
      }
      case 'put at once by two': {
        upload.doubtful = true;
        const both = await Promise.all([this.#put(upload, last, false), this.#put(upload, last, true)]);
        return both.find((outcome) => outcome === 'done') ?? both[1];
      }
      case 'put twice': {
        const outcome = await this.#patiently(() => this.#put(upload, last, true));
        if (outcome !== 'done') return outcome;
        upload.over = true;
        return this.#patiently(() => this.#put(upload, last, true));
      }
      default:
        return this.#patiently(() => this.#put(upload, last, way !== 'streamed in the PUT'));
    }
  }

  /** The upload, or why there is none. */
  async #begin(name: string, blob: number): Promise<Upload | string | undefined> {
    let id: string | undefined;
    const from = this.cluster.version;
    const { powerCuts } = this.cluster;
    const begunAt = this.cluster.clock.now();
    const outcome = await this.#ask({
      command: { kind: 'start upload', name },
      request: { method: 'POST' },
      route: (exchange) => postUpload(exchange, nameOf(name)),
      outcome: ({ headers }) => {
        id = headers.get('docker-upload-uuid');
        return 'started';
      },
    });
    if (id === undefined) return outcome;
    return { id, name, blob, from, to: this.cluster.version, begunAt, powerCuts, doubtful: false, over: false };
  }

  #patch(
    upload: Upload,
    offset: number | undefined,
    body: Readable,
    length: number | undefined,
    ...allowed: readonly string[]
  ): Promise<string | undefined> {
    const range: Record<string, string> =
      offset === undefined || length === undefined ? {} : { 'content-range': `${offset}-${offset + length - 1}` };
    return this.#ask({
      command: goingOn(upload),
      request: { method: 'PATCH', headers: { ...range, ...lengthOf(length) }, body },
      route: (exchange) => patchUpload(exchange, nameOf(upload.name), upload.id),
      upload,
      allowed,
    });
  }

  /** Bytes received, or why that cannot be said. */
  async #status(upload: Upload): Promise<number | string | undefined> {
    let size: number | undefined;
    const outcome = await this.#patiently(() =>
      this.#ask({
        command: goingOn(upload),
        request: { method: 'GET' },
        route: (exchange) => getUpload(exchange, nameOf(upload.name), upload.id),
        outcome: ({ headers }) => {
          const last = Number(headers.get('range')?.split('-')[1] ?? 0);
          size = last === 0 ? 0 : last + 1;
          return 'done';
        },
        upload,
      }),
    );
    return size ?? outcome;
  }

  #put(upload: Upload, bytes: Buffer, announced: boolean): Promise<string | undefined> {
    const { digest } = blobAt(upload.blob);
    const { id, name, blob, over, from, to } = upload;
    return this.#ask({
      command: { kind: 'finish upload', name, blob, upload: id, begun: { from, to }, over },
      request: {
        method: 'PUT',
        query: { digest },
        headers: lengthOf(announced ? bytes.length : undefined),
        body: whole(bytes),
      },
      route: (exchange) => putUpload(exchange, nameOf(upload.name), upload.id),
      upload,
    });
  }

  #brokenOff(bytes: Buffer): Readable {
    const body = stalled(bytes);
    this.cluster.clock.after(8, () => body.destroy(new Error('connection lost')));
    return body;
  }

  async #mount(name: string, blob: number, from: string | undefined): Promise<void> {
    await this.#patiently(() =>
      this.#ask({
        command: { kind: 'mount', name, blob, from },
        request: { method: 'POST', query: { mount: blobAt(blob).digest, ...(from === undefined ? {} : { from }) } },
        route: (exchange) => postUpload(exchange, nameOf(name)),
        outcome: ({ status }) => (status === 201 ? 'mounted' : 'started'),
      }),
    );
  }

  #putManifest(name: string, manifest: number, tags: readonly string[]): Promise<string | undefined> {
    const { digest, bytes, document } = manifestAt(manifest);
    const [only] = tags;
    const byTag = tags.length === 1 && only !== undefined;
    return this.#ask({
      command: { kind: 'put manifest', name, manifest, tags },
      request: {
        method: 'PUT',
        query: byTag ? {} : { tag: tags },
        headers: { 'content-type': document.mediaType, 'content-length': String(bytes.length) },
        body: whole(bytes),
      },
      route: (exchange) => putManifest(exchange, nameOf(name), byTag ? only : digest),
    });
  }

  // ---- Pulling

  /** By a tag: its manifest, what that lists, and every blob. Whether there was something, whole. */
  async pull(name: string, tag: string): Promise<boolean> {
    const outcome = await this.#patiently(() => this.#getManifest({ kind: 'get manifest', name, tag }, tag, (digest) => digest));
    const manifest = world.manifests.findIndex(({ digest }) => digest === outcome);
    const wholly = manifest >= 0 && (await this.#pullParts(name, manifest));
    if (wholly) this.#ended('a pull');
    return wholly;
  }

  async #pullManifest(name: string, manifest: number): Promise<boolean> {
    const { digest } = manifestAt(manifest);
    const command = { kind: 'get manifest by digest', name, manifest } as const;
    const outcome = await this.#patiently(() => this.#getManifest(command, digest, (found) => found));
    return outcome === digest && (await this.#pullParts(name, manifest));
  }

  async #pullParts(name: string, manifest: number): Promise<boolean> {
    const { blobs, children } = manifestAt(manifest);
    let wholly = true;
    for (const blob of blobs) wholly = (await this.#patiently(() => this.#getBlob(name, blob, 'GET'))) === 'done' && wholly;
    for (const child of children) wholly = (await this.#pullManifest(name, child)) && wholly;
    return wholly;
  }

  #getManifest(
    command: Command & { readonly name: string },
    reference: string,
    of: (digest: string) => string,
  ): Promise<string | undefined> {
    return this.#ask({
      command,
      request: { method: 'GET' },
      route: (exchange) => getManifest(exchange, nameOf(command.name), reference),
      outcome: ({ headers, body }) => {
        const digest = headers.get('docker-content-digest') ?? 'no digest';
        const actual = digestOf(body, 'sha256');
        if (actual !== digest) this.#violated('pulls whole', `${command.name}: the bytes of manifest ${digest} are ${actual}`);
        return of(digest);
      },
    });
  }

  #getBlob(name: string, blob: number, method: 'GET' | 'HEAD'): Promise<string | undefined> {
    const { digest } = blobAt(blob);
    return this.#ask({
      command: { kind: 'get blob', name, blob },
      request: { method },
      route: (exchange) => getBlob(exchange, nameOf(name), digest),
      outcome: ({ body }) => {
        const actual = method === 'HEAD' ? digest : digestOf(body, 'sha256');
        if (actual !== digest) this.#violated('pulls whole', `${name}: the bytes of blob ${blob}, ${digest}, are ${actual}`);
        return 'done';
      },
    });
  }

  // ---- Deleting and creating

  async #deleteTag(name: string, tag: string): Promise<void> {
    await this.#delete({ kind: 'delete tag', name, tag }, (exchange) => deleteReference(exchange, nameOf(name), tag));
  }

  async #delete(command: Command, route: (exchange: Exchange) => Promise<unknown>): Promise<void> {
    await this.#patiently(() => this.#ask({ command, request: { method: 'DELETE' }, route }));
  }

  async #deleteTagTwice(name: string, tag: string): Promise<void> {
    await this.#twice({ kind: 'delete tag', name, tag }, async (executor, context) => {
      const outcome: Refusal | undefined = await deleteTag(executor, context, {
        kind: 'DeleteTag',
        name: nameOf(name),
        tag: tagOf(tag),
      });
      return outcome?.refused ?? 'done';
    });
  }

  async #createRepository(name: string, twice: boolean): Promise<void> {
    const create = async (executor: Executor, context: CommandContext): Promise<string> => {
      const { newId } = context;
      const ids = { newRepository: newId(), newProject: newId() };
      const command = { kind: 'CreateRepository', name: nameOf(name), origin: 'command', scanning: true, ...ids } as const;
      const made = await createRepository(executor, context, command);
      return isRefusal(made) ? made.refused : 'done';
    };
    const command = { kind: 'create repository', name } as const;
    if (twice) await this.#twice(command, create);
    else await this.#patiently(() => this.#run(command, (server, id) => create(server.executor, server.context(id))));
  }

  async #deleteRepository(name: string): Promise<void> {
    await this.#patiently(() =>
      this.#run({ kind: 'delete repository', name }, async (server, id) => {
        const command = { kind: 'DeleteRepository', name: nameOf(name) } as const;
        const done = await deleteRepository(server.executor, () => server.context(id), command);
        return isRefusal(done) ? done.refused : 'done';
      }),
    );
  }

  /** One command, with one id, by two processes at once. */
  async #twice(command: Command, work: (executor: Executor, context: CommandContext) => Promise<string>): Promise<void> {
    const first = this.cluster.server(this.#slot);
    const second = this.cluster.server((this.#slot + 1) % SERVERS);
    const id = first.services.newId();
    const context = first.context(id);
    await Promise.all([first, second].map((server) => this.#observe(server, id, command, () => work(server.executor, context))));
  }

  // ---- Racing

  async #race({ race, name, other, tag, blob, offset }: Extract<Action, { kind: 'race' }>): Promise<void> {
    const { clock } = this.cluster;
    const late = async (ms: number, work: () => Promise<unknown>): Promise<void> => {
      if (ms > 0) await clock.sleep(ms);
      await work();
    };
    const rival = new Client(this.cluster, this.journal, { id: this.step.id, process: (this.#slot + 1) % SERVERS });
    const both = (mine: () => Promise<unknown>, its: () => Promise<unknown>): Promise<unknown> =>
      Promise.all([late(offset, mine), late(-offset, its)]);
    const remove = (client: Client, manifest: number): Promise<void> =>
      client.perform({ kind: 'delete manifest', name, manifest });
    const unlink = (client: Client, from: string, its: number): Promise<void> =>
      client.perform({ kind: 'delete blob', name: from, blob: its });
    switch (race) {
      case 'an index, and the deletion of what it lists':
        await this.pushImage(name, 0, []);
        await remove(this, 4);
        await remove(this, 2);
        await this.pushImage(name, 1, []);
        await both(
          () => this.#putManifest(name, 2, []),
          () => remove(rival, 0),
        );
        return;
      case 'an image, and the deletion of its layer':
        await remove(this, 2);
        await remove(this, 1);
        for (const needed of closureOf(1).blobs) await this.#upload(name, needed, 'whole in the PUT', 'put');
        await both(
          () => this.#putManifest(name, 1, [tag]),
          () => unlink(rival, name, 2),
        );
        return;
      case 'a mount, and the deletion of its source':
        await this.#upload(other, blob, 'whole in the PUT', 'put');
        await unlink(this, name === other ? 'shop/api' : name, blob);
        await both(
          () => this.#mount(name, blob, other),
          () => unlink(rival, other, blob),
        );
        return;
      case 'one tag for two images':
        await this.pushImage(name, 0, []);
        await this.pushImage(name, 5, []);
        await both(
          () => this.#putManifest(name, 0, [tag]),
          () => rival.#putManifest(name, 5, [tag]),
        );
        return;
      case 'a tag, and its deletion':
        await this.pushImage(name, 0, [tag]);
        await this.pushImage(name, 5, []);
        await both(
          () => this.#putManifest(name, 5, [tag]),
          () => rival.#deleteTag(name, tag),
        );
        return;
      case 'two uploads of new bytes':
        await both(
          () => this.#upload(name, blob, 'whole in the PUT', 'put'),
          () => rival.#upload(other, blob, 'streamed in the PUT', 'put'),
        );
        return;
      case 'a push, and the deletion of its repository':
        await this.pushImage(name, 0, []);
        await both(
          () => this.#putManifest(name, 0, [tag]),
          () => rival.#deleteRepository(name),
        );
        return;
      case 'two creations of a repository':
        await this.#deleteRepository(name);
        await both(
          () => this.#createRepository(name, false),
          () => rival.#mount(name, blob, undefined),
        );
        return;
    }
  }

  // ---- Building

  /** Builds projections of the registry anew and switches to that; gives up after some minutes, since others may hold it up for ever by being killed. */
  async rebuild(names: readonly string[], force: boolean): Promise<string | undefined> {
    return this.#run({ kind: 'nothing' }, async (server) => {
      const projections = server.store.projections.filter(({ name }) => names.includes(name));
      const order = { directory: 'registry', projections, purpose: 'switch', force } as const;
      await this.#limited(server, (options) => rebuild(server.store, { ...options, order }));
      return this.#ended(this.cluster.busy ? 'a rebuild among others' : 'a rebuild when all was quiet');
    });
  }

  /** The new one builds by itself what it has in a newer version, and waits for the old ones, unless it is forced. */
  async #replaceServer(force: boolean): Promise<void> {
    const server = this.cluster.replaceOne();
    if (server === undefined || !force) return;
    this.#slot = server.slot;
    await this.rebuild(['tags'], true);
  }

  async #verify(names: readonly string[]): Promise<void> {
    await this.#run({ kind: 'nothing' }, async (server) => {
      await this.#limited(server, (options) =>
        verify(server.store, {
          ...options,
          directory: 'registry',
          names,
          shown: 3,
          onDifference: ({ projection, key, live, folded }) => {
            const text = `${projection} ${key.toString('hex')} is ${live?.toString('hex')}, folded ${folded?.toString('hex')}`;
            this.#violated('verify finds nothing', text);
          },
        }),
      );
      return this.#ended('a verification');
    });
  }

  async #limited<T>(server: Server, work: (options: Omit<BuildOptions, 'order'>) => Promise<T>): Promise<T> {
    const stop = new AbortController();
    const { clock } = this.cluster;
    const callOff = clock.after(BUILDING_MS, () => stop.abort());
    try {
      return await work({
        builder: server.builder(),
        newId: server.services.newId,
        limit: 150,
        progress: () => undefined,
        signal: stop.signal,
        clock,
      });
    } finally {
      callOff();
    }
  }

  // ---- Asking

  /** Work of a server's own. */
  async #chore(
    work: (server: Server, id: Uid) => Promise<unknown>,
    kind: 'nothing' | 'resume deletions' = 'nothing',
  ): Promise<void> {
    await this.#run({ kind }, async (server, id) => {
      await work(server, id);
      return 'done';
    });
  }

  #run(command: Command, work: (server: Server, id: Uid) => Promise<string>): Promise<string | undefined> {
    const server = this.cluster.server(this.#slot);
    const id = server.services.newId();
    return this.#observe(server, id, command, () => work(server, id));
  }

  async #observe(server: Server, id: Uid, command: Command, work: () => Promise<string>): Promise<string | undefined> {
    let outcome: string | undefined;
    const from = this.cluster.version;
    const answer = await answerOf(server, async () => {
      outcome = await work();
      return { kind: 'answered', status: 200, headers: new Map(), body: Buffer.alloc(0) };
    });
    if (answer.kind !== 'answered') outcome = undefined;
    this.#note({ id, command, from, answer, outcome, excused: false });
    return outcome;
  }

  async #ask({ command, request, route, outcome, upload, allowed = [] }: Question): Promise<string | undefined> {
    const server = this.cluster.server(this.#slot);
    const id = server.services.newId();
    const from = this.cluster.version;
    const answer = await send(server, { id, ...request }, route);
    let told: string | undefined;
    if (answer.kind === 'answered') told = outcome === undefined ? 'done' : outcome(answer);
    else if (answer.kind === 'refused') told = answer.code;
    const refused = answer.kind === 'refused';
    const excused = refused && (allowed.includes(answer.code) || (upload !== undefined && this.#lost(upload)));
    const expected = refused && allowed.includes(answer.code);
    if (upload !== undefined && answer.kind !== 'answered' && !expected) upload.doubtful = true;
    this.#note({ id, command, from, answer, outcome: told, excused });
    return told;
  }

  /** Whether a server may not know, or not know right, what an upload has received. */
  #lost(upload: Upload): boolean {
    const idleMs = this.cluster.clock.now() - upload.begunAt;
    return upload.doubtful || upload.powerCuts !== this.cluster.powerCuts || idleMs > expiry.idleSeconds * 1_000;
  }

  #note(asked: Omit<Asked, 'step' | 'to'>): void {
    this.journal.asked.push({ ...asked, step: this.step.id, to: this.cluster.version });
    const { answer, command, outcome } = asked;
    this.#words.push(`${command.kind} -> ${answer.kind === 'failed' ? answer.why : (outcome ?? answer.kind)}`);
    if (answer.kind === 'broken') this.#violated('no fault but the ordered ones', `${command.kind}: ${textOf(answer.error)}`);
  }

  #ended(what: string): 'done' {
    this.journal.ended.set(what, (this.journal.ended.get(what) ?? 0) + 1);
    return 'done';
  }

  #violated(invariant: string, text: string): void {
    this.journal.violations.push({ invariant, text, step: this.step.id });
  }

  /** Asks again, another server in the end, where a request died or failed. */
  async #patiently<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
    for (let tries = 1; ; tries += 1) {
      const outcome = await ask();
      if (outcome !== undefined || tries === TRIES) return outcome;
      this.#slot = (this.#slot + 1) % SERVERS;
      await this.cluster.clock.sleep(20 * tries);
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function goingOn({ name, from, to }: Upload): Command {
  return { kind: 'go on with upload', name, begun: { from, to } };
}

/** A body that is all there. */
function whole(bytes: Buffer): Readable {
  const body = stalled(bytes);
  body.push(null);
  return body;
}

/** A body whose end does not come. */
function stalled(bytes: Buffer): Readable {
  const body = new Readable({ read: () => undefined });
  body.on('error', () => undefined);
  body.push(bytes);
  return body;
}

function lengthOf(length: number | undefined): Record<string, string> {
  return length === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(length) };
}
