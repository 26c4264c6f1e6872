import { digestOf, type Digest } from '../../src/digest.js';
import type { ImagePath } from '../../src/identifiers.js';
import { kindBounds } from '../../src/keyvalue/keyspace.js';
import { readPulls, type PulledManifest } from '../../src/keyvalue/pull-counters.js';
import { findBlob } from '../../src/projections/blobs.js';
import { listCatalog } from '../../src/projections/images.js';
import { findManifest, listManifestsOfRepository } from '../../src/projections/manifests.js';
import { listLinks } from '../../src/projections/references.js';
import { listReferrers } from '../../src/projections/referrers.js';
import { listLeavingRepositories } from '../../src/projections/repositories.js';
import { listTagsOfRepository } from '../../src/projections/tags.js';
import type { Violation } from './asked.js';
import type { Server } from './cluster.js';
import type { Model } from './model.js';
import { allBlobs, world } from './world.js';

const ALL = 10_000;

/** What has to be so when the faults have ended and everything was given its time. */
export async function checkEnd(server: Server, model: Model): Promise<readonly Violation[]> {
  const violations: Violation[] = [];
  const violated = (invariant: string, text: string): void => void violations.push({ invariant, text, step: undefined });
  const { store, cluster } = server;

  const facts = await factsOf(server, model);
  const expected = model.facts();
  for (const line of expected.filter((one) => !facts.includes(one)))
    violated('nothing acknowledged is lost', `queries do not tell: ${line}`);
  for (const line of facts.filter((one) => !expected.includes(one)))
    violated('nothing acknowledged is lost', `queries tell, and nothing happened: ${line}`);

  const leaving = await store.read((reading) => listLeavingRepositories(reading, ALL));
  if (leaving.length + model.leaving.size > 0)
    violated('progress', `repositories are still being deleted: ${leaving.join(', ')}`);

  const live = new Map<Digest, string>();
  await store.read(async (reading) => {
    for (const { digest } of allBlobs) {
      const blob = await findBlob(reading, digest);
      if (blob !== undefined) live.set(digest, blob.generation);
    }
  });
  for (const [digest, generation] of live) {
    const bytes = cluster.disk.bytes({ digest, generation });
    if (bytes === undefined || digestOf(bytes, 'sha256') !== digest)
      violated('pulls whole', `the bytes of ${digest}, generation ${generation}, are ${bytes === undefined ? 'gone' : 'others'}`);
    if (model.generations.get(digest) !== generation) violated('the model', `${digest} has generation ${generation}`);
  }
  if (cluster.disk.staged.size > 0) violated('progress', `${cluster.disk.staged.size} staged uploads are never dropped`);
  for (const { address } of cluster.disk.committed.values()) {
    if (live.get(address.digest) === address.generation) continue;
    const bytes = cluster.disk.bytes(address);
    // A power cut in the middle of a commit may keep the name and cut the bytes: the expiry, which finds a name by its bytes' digest, can't find this one.
    if (bytes !== undefined && digestOf(bytes, 'sha256') !== address.digest) continue;
    violated('nothing is left behind', `${address.digest}, generation ${address.generation}, is on the disk and nobody's`);
  }
  for (const text of await wrongCounters(server)) violated('pulls are counted at most once, of what is there', text);
  return violations;
}

/** What is wrong with the counters of pulls. A crash may lose some; the manifests of those that are there are there, too. */
async function wrongCounters({ store, cluster }: Server): Promise<readonly string[]> {
  const { keyspace } = await store.read(({ registry }) => Promise.resolve(registry));
  const pulls = new Map<string, { readonly manifest: PulledManifest; readonly most: number }>();
  for (const manifest of cluster.pulled) {
    const text = Object.values(manifest).join(' ');
    pulls.set(text, { manifest, most: (pulls.get(text)?.most ?? 0) + 1 });
  }
  return store.read(async (reading) => {
    const wrong: string[] = [];
    let counters = 0;
    for (const [text, { manifest, most }] of pulls) {
      const { begin, end } = keyspace.counters(manifest.repository, manifest.image, manifest.digest);
      const here = (await reading.tx.getRange(begin, end)).length;
      counters += here;
      const { pulls: counted } = await readPulls(reading.tx, keyspace, manifest);
      const isThere = (await findManifest(reading, manifest.repository, manifest.image, manifest.digest)) !== undefined;
      if (here > 0 && !isThere) wrong.push(`${text} was deleted, and has counters`);
      if (counted > most) wrong.push(`${text} was pulled ${most} times, and ${counted} are counted`);
    }
    const { begin, end } = kindBounds(keyspace, 'counter');
    const all = (await reading.tx.getRange(begin, end)).length;
    if (all !== counters) wrong.push(`${all - counters} counters are of what nobody pulled`);
    return wrong;
  });
}

/** A line for each fact that queries tell, in order. */
async function factsOf({ store }: Server, model: Model): Promise<readonly string[]> {
  const lines: string[] = [];
  await store.read(async (reading) => {
    for (const { name } of await listCatalog(reading, undefined, ALL)) lines.push(`catalog: ${name}`);
    for (const { path, uid } of model.repositories.values()) {
      lines.push(`${path} is ${uid}`);
      for (const digest of await listLinks(reading, uid, ALL)) lines.push(`${path} links ${digest}`);
      for (const { image, digest } of await listManifestsOfRepository(reading, uid, ALL))
        lines.push(`${path} ${image} has ${digest}`);
      for (const { image, tag, digest } of await listTagsOfRepository(reading, uid, ALL))
        lines.push(`${path} ${image} ${tag} is ${digest}`);
      for (const image of ['', 'deep'] as ImagePath[]) {
        for (const { digest: subject } of world.manifests) {
          for (const { digest } of await listReferrers(reading, uid, image, subject, { limit: ALL }))
            lines.push(`${path} ${image} ${digest} refers to ${subject}`);
        }
      }
    }
  });
  return [...new Set(lines)].sort();
}
