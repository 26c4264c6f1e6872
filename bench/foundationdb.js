import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { build } from './build.js';
import { ownDirectory } from './cleanup.js';
import { Connection } from './client/connection.js';
import { pushBlob, putManifest } from './client/registry-client.js';
import { authorize, pullFrom, pushTo } from './client/token.js';
import { MANIFEST_TYPE, newImage, sharedBase } from './content/image.js';
import { pushImage } from './rows/push-image.js';
import { startRegistry } from './registry.js';
import { format } from './table.js';
import { ours } from './targets/ours.js';

const usage = `Measures appends, small pushes and manifest GETs on a database, and counts the conflicts of pushes that share a base layer.

node bench/foundationdb.js --database fdb:<cluster file> [options]
  --database D,..      fdb:<cluster file>, or lmdb for the embedded store (default lmdb)
  --seconds N          of each measurement (default 5)
  --no-build           take dist/ as it is
  --directory DIR      where blobs and embedded stores lie (default ${tmpdir()})
  --help`;

const { values: options } = parseArgs({
  options: {
    database: { type: 'string', default: 'lmdb' },
    seconds: { type: 'string', default: '5' },
    'no-build': { type: 'boolean', default: false },
    directory: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(usage);
  process.exit(0);
}
if (!options['no-build']) build();
if (!existsSync(new URL('../dist/main.js', import.meta.url))) throw new Error(ours.missing);

const milliseconds = Number(options.seconds) * 1_000;
const { createKeyspace, directoryPrefix } = await import('../dist/keyvalue/keyspace.js');
const { createLog } = await import('../dist/events/log.js');
const { EVENT_GENERATION } = await import('../dist/events/codec.js');
const { repositoryStream } = await import('../dist/events/types.js');

console.log('| database | what | at once | a second | p50 ms | p99 ms | |\n| -- | -- | --: | --: | --: | --: | -- |');
for (const setting of options.database.split(',')) {
  await measureAppends(setting);
  await measureServer(setting);
}
process.exit(0);

/** By the functions, in this process: one event a transaction. @param {string} setting */
async function measureAppends(setting) {
  const { database, prefix, drop } = await open(setting);
  try {
    const keyspace = createKeyspace(prefix);
    const log = createLog(keyspace);
    const writing = { incarnation: 1, events: EVENT_GENERATION };
    for (const atOnce of [1, 16, 64]) {
      let attempts = 0;
      const measured = await repeat(atOnce, async () => {
        const stream = repositoryStream(/** @type {never} */ (newUid()));
        await database.transact(async (tx) => {
          attempts += 1;
          log.append(tx, writing, [envelopeOf(stream)]);
        });
      });
      row(setting, 'append of one event', atOnce, measured, `${attempts - measured.latencies.length} conflicts`);
    }
  } finally {
    await drop();
  }
}

/** Over HTTP, by a server of its own. @param {string} setting */
async function measureServer(setting) {
  const directory = ownDirectory(options.directory);
  const name = `bench-${randomUUID()}`;
  const kind = {
    ...ours,
    configure(/** @type {string} */ folder, /** @type {number} */ port) {
      const { args, env } = ours.configure(folder, port);
      if (setting === 'lmdb') return { args, env };
      const library = process.env['LD_LIBRARY_PATH'];
      const directories = { ARTIFACT_STORE_DIRECTORY: `${name}/registry`, ARTS_METADATA_DIRECTORY: `${name}/platform` };
      return { args, env: { ...env, ...directories, ARTS_DATABASE: setting, ...(library && { LD_LIBRARY_PATH: library }) } };
    },
  };
  const found = ours.find();
  if (found === undefined) throw new Error(ours.missing);
  const registry = await startRegistry(kind, found, directory);
  try {
    // It answers before its first user is there.
    while (!(await fetch(`http://127.0.0.1:${registry.port}/readyz`)).ok) await sleep(100);
    for (const atOnce of [1, 8]) {
      const names = Array.from({ length: atOnce }, (_, index) => `bench/image-${atOnce}-${index}`);
      await over(registry, names.map(pushTo), atOnce, async (connections) => {
        const measured = await repeat(atOnce, (index, turn) =>
          pushImage(at(connections, index), at(names, index), `build-${turn}`, newImage()),
        );
        row(setting, 'small image push, a repository each', atOnce, measured);
      });
    }
    await measureSharedPushes(setting, registry);
    await measureGets(setting, registry);
  } finally {
    await registry.stop();
    await dropServed(setting, name);
  }
}

/** @param {string} setting @param {import('./registry.js').Registry} registry */
async function measureSharedPushes(setting, registry) {
  const [name, atOnce] = ['bench/shared', 50];
  await over(registry, [pushTo(name)], atOnce, async (connections) => {
    const base = sharedBase();
    await pushBlob(at(connections, 0), name, base);
    const measured = await repeat(atOnce, (index, turn) =>
      pushImage(at(connections, index), name, `build-${index}-${turn}`, newImage([base])),
    );
    row(setting, 'small image push, one repository and base layer', atOnce, measured);
  });
}

/** @param {string} setting @param {import('./registry.js').Registry} registry */
async function measureGets(setting, registry) {
  const [name, atOnce] = ['bench/reads', 32];
  await over(registry, [pushTo(name)], 1, (connections) => pushImage(at(connections, 0), name, 'latest', newImage()));
  const get = (/** @type {readonly Connection[]} */ connections) =>
    repeat(connections.length, (index) =>
      at(connections, index).request('GET', `/v2/${name}/manifests/latest`, { headers: `Accept: ${MANIFEST_TYPE}\r\n` }),
    );
  for (const count of [1, atOnce]) {
    await over(registry, [pullFrom(name)], count, async (connections) => {
      row(setting, 'manifest GET by tag', count, await get(connections));
    });
  }
  await over(registry, [pushTo(name)], atOnce + 1, async ([writer, ...connections]) => {
    if (writer === undefined) return;
    let isOver = false;
    const image = newImage();
    const pushing = (async () => {
      for (const blob of image.blobs) await pushBlob(writer, name, blob);
      for (let turn = 0; !isOver; turn += 1) await putManifest(writer, name, `moving-${turn}`, image.manifest);
    })();
    row(setting, 'manifest GET by tag, while another is pushed', atOnce, await get(connections));
    isOver = true;
    await pushing;
  });
}

/**
 * Each of so many goes on as long as a measurement takes; what each turn took, in milliseconds, and all together.
 * @param {number} atOnce @param {(index: number, turn: number) => Promise<unknown>} work
 */
async function repeat(atOnce, work) {
  /** @type {number[]} */
  const latencies = [];
  const started = performance.now();
  const end = started + milliseconds;
  await Promise.all(
    Array.from({ length: atOnce }, async (_, index) => {
      for (let turn = 0; performance.now() < end; turn += 1) {
        const begun = performance.now();
        await work(index, turn);
        latencies.push(performance.now() - begun);
      }
    }),
  );
  return { latencies, seconds: (performance.now() - started) / 1_000 };
}

/**
 * @param {string} setting @param {string} what @param {number} atOnce @param {Awaited<ReturnType<typeof repeat>>} measured
 * @param {string} [remark]
 */
function row(setting, what, atOnce, { latencies, seconds }, remark = '') {
  const sorted = [...latencies].sort((left, right) => left - right);
  const quantile = (/** @type {number} */ share) => (sorted[Math.floor(sorted.length * share)] ?? NaN).toFixed(1);
  const rate = format(latencies.length / seconds);
  console.log(`| ${setting.split(':')[0]} | ${what} | ${atOnce} | ${rate} | ${quantile(0.5)} | ${quantile(0.99)} | ${remark} |`);
}

/**
 * @param {import('./registry.js').Registry} registry @param {readonly string[]} scopes @param {number} count
 * @param {(connections: readonly Connection[]) => Promise<void>} work
 */
async function over(registry, scopes, count, work) {
  const authorization = await authorize(registry, scopes);
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(registry.port, authorization)));
  try {
    await work(connections);
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** @template T @param {readonly T[]} all @param {number} index @returns {T} */
function at(all, index) {
  const one = all[index];
  if (one === undefined) throw new RangeError(`there is no ${index}`);
  return one;
}

/** @param {import('../src/events/types.ts').Stream} stream @returns {import('../src/events/types.ts').EventEnvelope} */
function envelopeOf(stream) {
  const id = /** @type {never} */ (newUid());
  return {
    ...{ id, stream, occurredAt: Date.now() * 1_000, requestId: id, commandId: id, correlationId: id },
    actor: { kind: 'system', authentication: 'none' },
    payload: { kind: 'BlobPushed', digest: /** @type {never} */ (`sha256:${'0'.repeat(64)}`), size: 1 },
  };
}

function newUid() {
  return randomUUID().replace(/^(.{14})./, '$17');
}

/** A fresh place that is gone afterwards. @param {string} setting */
async function open(setting) {
  if (setting === 'lmdb') {
    const { openLmdb } = await import('../dist/keyvalue/lmdb.js');
    const embedded = await openLmdb(join(ownDirectory(options.directory), 'db'), { create: true });
    return { database: embedded, prefix: directoryPrefix('registry'), drop: () => embedded.close() };
  }
  const cluster = await openCluster(setting);
  const path = [`bench-${randomUUID()}`];
  const prefix = (await cluster.openDirectory(path, { create: true })) ?? Buffer.alloc(0);
  const drop = async () => {
    await cluster.removeDirectory(path);
    await cluster.close();
  };
  return { database: cluster, prefix, drop };
}

/** @param {string} setting */
async function openCluster(setting) {
  const { openFoundationDb } = await import('../dist/keyvalue/foundationdb.js');
  return openFoundationDb({ clusterFile: setting.replace(/^fdb:/, '') });
}

/** What a server left behind. @param {string} setting @param {string} name */
async function dropServed(setting, name) {
  if (setting === 'lmdb') return;
  const cluster = await openCluster(setting);
  await cluster.removeDirectory([name]);
  await cluster.close();
}
