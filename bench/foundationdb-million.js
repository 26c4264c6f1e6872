import { randomUUID } from 'node:crypto';
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { build } from './build.js';
import { ownDirectory } from './cleanup.js';
import { tmpdir } from 'node:os';
import { format } from './table.js';

const usage = `One repository with a million tags and 100 000 manifests on a cluster: made, listed, rebuilt under pushes, and deleted, with the largest transaction of each.

node bench/foundationdb-million.js --database fdb:<cluster file> [options]
  --database D         fdb:<cluster file>, or lmdb: for the embedded store
  --tags N             default 1000000
  --manifests N        default 100000
  --no-build           take dist/ as it is
  --help`;

const { values: options } = parseArgs({
  options: {
    database: { type: 'string', default: 'fdb:/etc/foundationdb/fdb.cluster' },
    tags: { type: 'string', default: '1000000' },
    manifests: { type: 'string', default: '100000' },
    'no-build': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(usage);
  process.exit(0);
}
if (!options['no-build']) build();

const { createKeyspace } = await import('../dist/keyvalue/keyspace.js');
const { createStore } = await import('../dist/projections/store.js');
const { registered } = await import('../dist/projections/registered.js');
const { foundStore } = await import('../dist/commands/found-store.js');
const { createExecutor } = await import('../dist/commands/execute.js');
const { createRepository, deleteRepository } = await import('../dist/commands/repository.js');
const { createFirstOwner } = await import('../dist/commands/first-owner.js');
const { writeContent } = await import('../dist/events/content.js');
const { repositoryStream } = await import('../dist/events/types.js');
const { parseName } = await import('../dist/identifiers.js');
const { listTags } = await import('../dist/projections/tags.js');
const { listTagsAt } = await import('../dist/projections/past.js');
const { newestPlace } = await import('../dist/projections/history-walk.js');
const { rebuild } = await import('../dist/processes/rebuild.js');
const { KeyValueError } = await import('../dist/keyvalue/database.js');

const tags = Number(options.tags);
const manifests = Number(options.manifests);
const { database, prefixes, drop } = await open(options.database);

/** What the transactions of one step came to. */
const seen = { transactions: 0, longestMs: 0, largest: 0, tooOld: 0, conflicts: 0, others: 0 };
const store = createStore(watched(database), prefixes, registered);
const executor = createExecutor(store);
const newId = /** @type {() => never} */ (() => randomUUID().replace(/^(.{14})./, '$17'));
const owner = newId();
const actor = /** @type {const} */ ({ kind: 'user', uid: owner, authentication: 'password' });

try {
  await foundStore({
    database: store.database,
    keyspaces: store.keyspaces,
    blobs: /** @type {never} */ (noBlobs()),
    projections: registered,
    identity: newId(),
    salt: Buffer.alloc(32, 7),
  });
  await createFirstOwner(executor, context(), {
    kind: 'CreateFirstOwner',
    user: owner,
    organization: newId(),
    organizationId: /** @type {never} */ ('default'),
    loginName: 'bench',
    nameHash: '0'.repeat(64),
    passwordHash: 'none',
  });
  await run();
} finally {
  await drop();
}

async function run() {
  const name = /** @type {import('../src/identifiers.ts').RepositoryName} */ (parseName('bench/million'));
  const made = await createRepository(executor, context(), {
    kind: 'CreateRepository',
    name,
    origin: 'push',
    scanning: false,
    newRepository: newId(),
    newProject: newId(),
  });
  if (!('repository' in made)) throw new Error('refused');
  const { repository } = made;
  const stream = repositoryStream(repository);
  const image = /** @type {never} */ ('');
  const digests = Array.from({ length: manifests }, (_, index) => contentOf(index));

  await step(`push ${format(manifests)} manifests, 100 a transaction`, async () => {
    await pieces(manifests, 100, async (first, length) => {
      await executor.execute(context(), async ({ tx, registry }) => {
        const some = digests.slice(first, first + length);
        for (const { digest, bytes } of some) await writeContent(tx, registry.keyspace, digest, bytes);
        const facts = { mediaType: 'application/vnd.oci.image.manifest.v1+json', layersSize: 0 };
        const events = some.map(({ digest, bytes }) => ({
          stream,
          payload: { kind: 'ManifestPushed', image, digest, size: bytes.length, ...facts },
        }));
        return /** @type {never} */ ({ events, outcome: true });
      });
    });
  });
  const tagAt = (/** @type {number} */ index) => `build-${String(index).padStart(8, '0')}`;
  await step(`point ${format(tags)} tags at them, 250 a transaction`, async () => {
    await pieces(tags, 250, (first, length) =>
      executor.execute(context(), async () => {
        const events = Array.from({ length }, (_, at) => ({
          stream,
          payload: {
            kind: 'TagMoved',
            image,
            tag: tagAt(first + at),
            digest: digests[(first + at) % manifests]?.digest,
            previous: undefined,
          },
        }));
        return /** @type {never} */ ({ events, outcome: true });
      }),
    );
  });
  await step('list them in pages of 100 000, each at one version', async () => {
    let count = 0;
    for (let after = ''; ;) {
      const from = after;
      const page = await store.read((reading) => listTags(reading, repository, image, { after: from, limit: 100_000 }));
      count += page.length;
      if (page.length < 100_000) break;
      after = page.at(-1) ?? '';
    }
    if (count !== tags) throw new Error(`${count} tags were listed`);
  });
  await step('1 000 of them as they were, by pages of 100', async () => {
    let next;
    for (let pages = 0; pages < 10; pages += 1) {
      const after = next;
      ({ next } = await store.read(async (reading) => {
        const at = (await newestPlace(reading, 'registry'))?.position;
        if (at === undefined) throw new Error('no event');
        return listTagsAt(reading, repository, image, at, { after, limit: 100 });
      }));
    }
  });
  await step('rebuild all indexes of the registry while one tag after another is pushed', async () => {
    let [isOver, pushed, waitedMs] = [false, 0, 0];
    const pushing = (async () => {
      for (; !isOver; pushed += 1) {
        const payload = { kind: 'TagMoved', image, tag: `late-${pushed}`, digest: digests[0]?.digest, previous: undefined };
        const begun = performance.now();
        await executor.execute(context(), async () => /** @type {never} */ ({ events: [{ stream, payload }], outcome: true }));
        waitedMs = Math.max(waitedMs, performance.now() - begun);
      }
    })();
    const newest = registered.filter(({ directory }) => directory === 'registry');
    const built = await rebuild(store, {
      builder: { owner: 'bench', release: 'bench' },
      newId,
      limit: 24_000,
      order: { directory: 'registry', projections: newest, purpose: 'switch' },
      progress: () => undefined,
      signal: new AbortController().signal,
    });
    isOver = true;
    await pushing;
    console.log(
      `  ${format(built.events)} events; ${format(pushed)} pushes meanwhile, the longest of ${Math.round(waitedMs)} ms`,
    );
  });
  await step('delete the repository', async () => {
    await deleteRepository(executor, context, { kind: 'DeleteRepository', name });
    const left = await store.read((reading) => listTags(reading, repository, image, { limit: 1 }));
    if (left.length > 0) throw new Error('tags are left');
  });
}

/** @param {string} what @param {() => Promise<void>} work */
async function step(what, work) {
  Object.assign(seen, { transactions: 0, longestMs: 0, largest: 0, tooOld: 0, conflicts: 0, others: 0 });
  const begun = performance.now();
  await work();
  const seconds = (performance.now() - begun) / 1_000;
  const { transactions, longestMs, largest, tooOld, conflicts, others } = seen;
  console.log(
    `${what}: ${seconds.toFixed(1)} s, ${format(transactions)} transactions, the longest of ${Math.round(longestMs)} ms, the largest of about ${format(largest / 1_000)} kB; ` +
      `${tooOld} too old, ${conflicts} conflicts, ${others} other failures`,
  );
}

/** Three at once. @param {number} all @param {number} length @param {(first: number, length: number) => Promise<unknown>} work */
async function pieces(all, length, work) {
  let next = 0;
  const worker = async () => {
    for (let first = next; first < all; first = next) {
      next += length;
      await work(first, Math.min(length, all - first));
    }
  };
  await Promise.all(Array.from({ length: 3 }, worker));
}

/** @param {number} index */
function contentOf(index) {
  const config = createHash('sha256').update(`config ${index}`).digest('hex');
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: `sha256:${config}`, size: 500 },
      layers: [],
    }),
  );
  return { bytes, digest: /** @type {never} */ (`sha256:${createHash('sha256').update(bytes).digest('hex')}`) };
}

function context() {
  const id = newId();
  return /** @type {never} */ ({
    ...{ commandId: newId(), requestId: id, correlationId: id, actor, newId, occurredAt: Date.now() * 1_000 },
    judge: () => undefined,
  });
}

function noBlobs() {
  /** @type {string | undefined} */
  let identity;
  return {
    readIdentity: async () => identity,
    isEmpty: async () => true,
    writeIdentity: async (/** @type {string} */ text) => void (identity = text),
    markFounded: async () => undefined,
  };
}

/** Counts what transactions write, and what they end in. @param {import('../src/keyvalue/database.ts').Database} database @returns {import('../src/keyvalue/database.ts').Database} */
function watched(database) {
  const failed = (/** @type {unknown} */ error) => {
    if (error instanceof KeyValueError) {
      if (error.code === 'transaction_too_old') seen.tooOld += 1;
      else if (error.code === 'not_committed') seen.conflicts += 1;
      else seen.others += 1;
    }
    throw error;
  };
  /** @param {number} begun @param {number} bytes */
  const ended = (begun, bytes) => {
    seen.transactions += 1;
    seen.longestMs = Math.max(seen.longestMs, performance.now() - begun);
    seen.largest = Math.max(seen.largest, bytes);
  };
  return {
    quietVersions: database.quietVersions,
    close: () => database.close(),
    async read(body) {
      let begun = 0;
      const found = await database.read((tx) => ((begun = performance.now()), body(tx).catch(failed)));
      ended(begun, 0);
      return found;
    },
    async transact(body, more) {
      let [begun, bytes, attempts] = [0, 0, 0];
      const found = await database.transact((tx) => {
        attempts += 1;
        // What the commit refuses does not come to the body: the next attempt tells.
        if (attempts > 1) seen.conflicts += 1;
        begun = performance.now();
        bytes = 0;
        return body(weighed(tx, (more) => (bytes += more))).catch(failed);
      }, more);
      ended(begun, bytes);
      return found;
    },
  };
}

/** @template {object} Tx @param {Tx} tx @param {(bytes: number) => void} add @returns {Tx} */
function weighed(tx, add) {
  const sizes = /** @type {Record<string, (...args: never[]) => number>} */ ({
    set: (/** @type {Buffer} */ key, /** @type {Buffer} */ value) => 3 * key.length + value.length + 88,
    clear: (/** @type {Buffer} */ key) => 4 * key.length + 88,
    add: (/** @type {Buffer} */ key) => 3 * key.length + 96,
    setVersionstampedKey: (/** @type {Buffer} */ key, /** @type {number} */ _, /** @type {Buffer} */ value) =>
      key.length + value.length + 60,
    setVersionstampedValue: (/** @type {Buffer} */ key, /** @type {Buffer} */ value) => 3 * key.length + value.length + 92,
  });
  return new Proxy(tx, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const size = sizes[String(name)];
      if (size === undefined) return value.bind(target);
      return (/** @type {never[]} */ ...args) => {
        add(size(...args));
        return value.apply(target, args);
      };
    },
  });
}

/** A fresh place that is gone afterwards. @param {string} setting */
async function open(setting) {
  if (setting.startsWith('lmdb:')) {
    const { openLmdb } = await import('../dist/keyvalue/lmdb.js');
    const { directoryPrefix } = await import('../dist/keyvalue/keyspace.js');
    const embedded = await openLmdb(ownDirectory(tmpdir()), { create: true });
    const prefixes = { registry: directoryPrefix('registry'), platform: directoryPrefix('platform') };
    return { database: embedded, prefixes, drop: () => embedded.close() };
  }
  const { openFoundationDb } = await import('../dist/keyvalue/foundationdb.js');
  const cluster = await openFoundationDb({ clusterFile: setting.replace(/^fdb:/, '') });
  const path = [`bench-${randomUUID()}`];
  const prefixes = {
    registry: (await cluster.openDirectory([...path, 'registry'], { create: true })) ?? Buffer.alloc(0),
    platform: (await cluster.openDirectory([...path, 'platform'], { create: true })) ?? Buffer.alloc(0),
  };
  cluster.keepTimeBy(createKeyspace(prefixes.registry).times);
  const drop = async () => {
    await cluster.removeDirectory(path);
    await cluster.close();
  };
  return { database: cluster, prefixes, drop };
}
