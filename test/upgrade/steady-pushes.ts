import { setTimeout as sleep } from 'node:timers/promises';

import { clientOf, imageOf, randomBytesOf, type RegistryClient } from '../support/client.js';
import type { Server } from '../support/server.js';
import { gzipLayer, tar } from '../support/tar.js';

export interface Push {
  /** Milliseconds of `performance.now()`. */
  readonly begun: number;
  readonly took: number;
}

export interface SteadyOptions {
  readonly clients: number;
  /** From one push's beginning to the next one's. */
  readonly everyMs: number;
  readonly repositories: readonly string[];
}

const TAGS_OF_A_CLIENT = 5;

/**
 * Clients that push an image each (two blobs, a manifest, a tag) again and again, at a steady pace, to all servers in turn: the blobs to one, the manifest to the
 * next, as behind a load balancer. A connection that breaks, or that nobody takes, makes a client begin anew elsewhere, as container engines do; an answer that
 * refuses is a failed push.
 */
export class SteadyPushes {
  readonly pushes: Push[] = [];
  readonly failed: string[] = [];
  /** By `<name>:<tag>`, the digest that was acknowledged last. */
  readonly acknowledged = new Map<string, string>();
  /** Pushes that were begun anew because a server was gone. */
  broken = 0;
  readonly #options: SteadyOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #clients = new Map<Server, readonly RegistryClient[]>();
  #servers: readonly Server[];
  #stopping = false;
  readonly #loops: readonly Promise<void>[];

  constructor(servers: readonly Server[], options: SteadyOptions) {
    this.#servers = servers;
    this.#options = options;
    this.#loops = Array.from({ length: options.clients }, (_, number) => this.#work(number));
  }

  /** Sends requests to these from now on; done when nobody waits for another any more. */
  async balance(servers: readonly Server[]): Promise<void> {
    this.#servers = servers;
    await Promise.all(this.#running);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#loops);
  }

  /** The slowest push of those under way at some time in between. */
  slowest(from: number, to: number): number {
    const under = this.pushes.filter(({ begun, took }) => begun < to && begun + took > from);
    return Math.round(Math.max(0, ...under.map(({ took }) => took)));
  }

  async #work(number: number): Promise<void> {
    const { everyMs, clients } = this.#options;
    await sleep((everyMs * number) / clients);
    for (let n = 0; !this.#stopping; n += 1) {
      const begun = performance.now();
      const push = this.#push(number, n);
      this.#running.add(push);
      await push;
      this.#running.delete(push);
      await sleep(Math.max(0, begun + everyMs - performance.now()));
    }
  }

  async #push(number: number, n: number): Promise<void> {
    const { repositories } = this.#options;
    const name = repositories[number % repositories.length] ?? 'shop/web';
    const tag = `client-${number}-${n % TAGS_OF_A_CLIENT}`;
    const image = imageOf([gzipLayer(tar([{ path: 'file', bytes: randomBytesOf(`${number}/${n}`, 2_000) }]))]);
    const begun = performance.now();
    for (let tries = 0; tries < 20; tries += 1) {
      const [first, second] = [this.#client(number, number + n + tries), this.#client(number, number + n + tries + 1)];
      try {
        for (const { bytes, digest } of [image.config, ...image.layers]) await first.pushBlob(name, bytes, { digest });
        await second.pushManifest(name, tag, image.manifest);
        this.acknowledged.set(`${name}:${tag}`, image.manifest.digest);
        this.pushes.push({ begun, took: performance.now() - begun });
        return;
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        if (!/ECONNREFUSED|ECONNRESET|socket hang up/.test(text)) {
          this.failed.push(`${name}:${tag} after ${Math.round(performance.now() - begun)} ms: ${text}`);
          return;
        }
        this.broken += 1;
        await sleep(20);
      }
    }
    this.failed.push(`${name}:${tag}: no server was there`);
  }

  #client(number: number, turn: number): RegistryClient {
    const server = this.#servers[turn % this.#servers.length];
    if (server === undefined) throw new Error('there is no server to push to');
    const clients = this.#clients.get(server) ?? Array.from({ length: this.#options.clients }, () => clientOf(server));
    this.#clients.set(server, clients);
    return clients[number] ?? clientOf(server);
  }
}
