import { setTimeout as sleep } from 'node:timers/promises';

import { digestOf, imageOf, randomBytesOf, type Image, type PushBlobOptions, type RegistryClient } from '../support/client.js';
import { gzipLayer, tar, type Layer } from '../support/tar.js';

/** mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a tag may point at, as far as its pusher was told: one digest after an answer, more when an answer was lost. Undefined: nothing. */
export type Belief = ReadonlySet<string | undefined>;

export interface Pusher {
  /** By `<name>:<tag>`; nobody else touches these. */
  readonly beliefs: Map<string, Belief>;
  /** Answers that no kill explains. */
  readonly surprises: string[];
  readonly counts: Record<'pushed' | 'deleted' | 'mounted' | 'lost' | 'resumed' | 'unavailable', number>;
}

export const repositories = ['shop/web', 'shop/api', 'shop/web/deep'] as const;

const sizes = [300, 3_000, 30_000, 90_000, 400_000];
const hows: readonly PushBlobOptions['how'][] = ['monolithic', 'single', 'chunked', 'streamed'];

function layerOf(seed: string, size: number): Layer {
  return gzipLayer(tar([{ path: 'file', bytes: randomBytesOf(seed, size) }]));
}

/** The request got no answer, or not all of it: whether it was done nobody knows. */
class NoAnswer extends Error {}

/**
 * Pushes, moves tags, mounts and deletes until `stopping`, whatever happens to the server meanwhile. `mayBeUnavailable`: a 503 is no surprise, and
 * asked again after a moment.
 */
export async function work(
  client: RegistryClient,
  options: {
    readonly seed: number;
    readonly number: number;
    readonly stopping: AbortSignal;
    readonly mayBeUnavailable?: boolean;
  },
): Promise<Pusher> {
  const { seed, number, stopping, mayBeUnavailable = false } = options;
  const random = seeded(seed * 31 + number);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const counts = { pushed: 0, deleted: 0, mounted: 0, lost: 0, resumed: 0, unavailable: 0 };
  const me: Pusher = { beliefs: new Map(), surprises: [], counts };
  const base = Array.from({ length: 6 }, (_, index) => layerOf(`${seed}/base ${index}`, sizes[index % sizes.length] ?? 100));
  const mine: { readonly name: string; readonly image: Image }[] = [];

  /** An answer, or NoAnswer. */
  async function ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      if (mayBeUnavailable && error instanceof Error && error.message.includes('was answered 503')) {
        counts.unavailable += 1;
        await sleep(500);
        throw new NoAnswer(error.message);
      }
      if (error instanceof Error && /was answered|gave no token/.test(error.message)) {
        me.surprises.push(error.message);
        throw new NoAnswer(error.message);
      }
      counts.lost += 1;
      throw new NoAnswer(String(error));
    }
  }

  /** Again and again until it is answered: as a client does whose connection broke. */
  async function insist<T>(request: () => Promise<T>): Promise<T | undefined> {
    for (let tries = 0; tries < 40 && !stopping.aborted; tries += 1) {
      try {
        return await ask(request);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        await sleep(50 + random() * 100);
      }
    }
    return undefined;
  }

  const believe = (key: string, belief: Iterable<string | undefined>) => me.beliefs.set(key, new Set(belief));
  const believed = (key: string): Belief => me.beliefs.get(key) ?? new Set([undefined]);

  async function pushBlob(name: string, bytes: Buffer): Promise<void> {
    const digest = digestOf(bytes);
    const chance = random();
    if (chance < 0.25) {
      const from = chance < 0.15 ? pick(repositories) : undefined;
      const answer = (await client.mountBlob(name, digest, from)).expect(201, 202);
      if (answer.status === 201) {
        counts.mounted += 1;
        return;
      }
      (await client.finishUpload(client.location(answer), digest, bytes)).expect(201);
      return;
    }
    // A tenth goes on with its own upload after the connection broke.
    if (chance < 0.35) return resumingPush(name, bytes, digest);
    await client.pushBlob(name, bytes, { how: pick(hows) ?? 'monolithic', chunkBytes: 20_000, digest });
  }

  async function resumingPush(name: string, bytes: Buffer, digest: string): Promise<void> {
    const upload = await client.startUpload(name);
    const half = bytes.subarray(0, bytes.length >> 1);
    try {
      (await client.request('PATCH', upload.href, { body: half })).expect(202);
    } catch (error) {
      if (error instanceof Error && error.message.includes('was answered')) throw error;
      counts.lost += 1;
      const status = await insist(() => client.request('GET', upload.href));
      if (status === undefined) return;
      // A power cut or a sweep may have taken it; a kill may not.
      const range = /^0-(\d+)$/.exec(status.expect(204).header('range') ?? '');
      const end = Number(range?.[1] ?? 0);
      counts.resumed += 1;
      const rest = bytes.subarray(end === 0 ? 0 : end + 1);
      const first = end === 0 ? 0 : end + 1;
      const headers = { 'content-range': `${first}-${bytes.length - 1}` };
      // Whether one byte or none has come the status does not say.
      (await client.request('PATCH', upload.href, { body: rest, headers })).expect(202, 416);
      const sent = /^0-(\d+)$/.exec((await client.request('GET', upload.href)).expect(204).header('range') ?? '')?.[1];
      if (Number(sent) !== bytes.length - 1) return void (await client.pushBlob(name, bytes, { digest }));
      (await client.finishUpload(upload, digest)).expect(201);
      return;
    }
    (await client.finishUpload(upload, digest, bytes.subarray(half.length))).expect(201);
  }

  async function pushImage(name: string, tag: string, image: Image): Promise<void> {
    const key = `${name}:${tag}`;
    const { digest } = image.manifest;
    const done = await insist(async () => {
      for (const { bytes } of [image.config, ...image.layers]) await pushBlob(name, bytes);
      believe(key, [...believed(key), digest]);
      return client.pushManifest(name, tag, image.manifest);
    });
    if (done === undefined) return;
    believe(key, [digest]);
    counts.pushed += 1;
  }

  async function removeImage(name: string, digest: string): Promise<void> {
    const tags = [...me.beliefs].filter(([key, belief]) => key.startsWith(`${name}:`) && belief.has(digest));
    for (const [key, belief] of tags) believe(key, [...belief, undefined]);
    // 404: an earlier try was done, and its answer lost.
    const answer = await insist(async () => (await client.deleteManifest(name, digest)).expect(202, 404));
    if (answer === undefined) return;
    for (const [key] of tags)
      believe(
        key,
        [...believed(key)].filter((one) => one !== digest),
      );
    counts.deleted += 1;
  }

  for (let n = 0; !stopping.aborted; n += 1) {
    const chance = random();
    const old = pick(mine);
    if (chance < 0.12 && old !== undefined) {
      await removeImage(old.name, old.image.manifest.digest);
      mine.splice(mine.indexOf(old), 1);
      const [layer] = old.image.layers;
      // Its own layer, which no other image has, unless a push of it is not known to have failed.
      if (layer !== undefined && random() < 0.5) {
        await insist(async () => (await client.deleteBlob(old.name, layer.digest)).expect(202, 404));
      }
      continue;
    }
    if (chance < 0.3 && old !== undefined) {
      await pushImage(old.name, `moving-${number}`, old.image);
      continue;
    }
    const layers = [layerOf(`${seed}/${number}/${n}`, pick(sizes)), pick(base), pick(base)];
    const image = imageOf(layers, { annotations: { by: `${number}`, n: `${n}` } });
    const name = pick(repositories);
    mine.push({ name, image });
    await pushImage(name, `t-${number}-${n}`, image);
    if (random() < 0.3) await pushImage(name, `moving-${number}`, image);
  }
  return me;
}

/** What does not hold of the beliefs: a line for each tag that pulls neither whole nor is absent where that is believed. */
export async function check(client: RegistryClient, pushers: readonly Pusher[]): Promise<readonly string[]> {
  const wrong: string[] = [];
  const whole = new Map<string, Promise<unknown>>();
  const pullOnce = (name: string, digest: string): Promise<unknown> => {
    const key = `${name}@${digest}`;
    const known = whole.get(key) ?? client.pullBlob(name, digest);
    whole.set(key, known);
    return known;
  };
  for (const [key, belief] of pushers.flatMap(({ beliefs }) => [...beliefs])) {
    const [name = '', tag = ''] = key.split(':');
    const shown = [...belief].map(String).join(' or ');
    try {
      const answer = (await client.getManifest(name, tag)).expect(200, 404);
      const found = answer.status === 404 ? undefined : digestOf(answer.body);
      if (!belief.has(found)) wrong.push(`${key} is ${String(found)}, and should be ${shown}`);
      if (found === undefined) continue;
      if (answer.header('docker-content-digest') !== found) wrong.push(`${key} is served with another digest than its own`);
      const { config, layers } = JSON.parse(answer.text()) as Record<'config', { digest: string }> & {
        layers: readonly { digest: string }[];
      };
      for (const { digest } of [config, ...layers]) await pullOnce(name, digest);
    } catch (error) {
      wrong.push(`${key}, which should be ${shown}: ${String(error)}`);
    }
  }
  return wrong;
}
