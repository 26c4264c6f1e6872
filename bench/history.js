import { createHash, randomInt, randomUUID } from 'node:crypto';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.js';
import { ownDirectory } from './cleanup.js';
import { startRegistry } from './registry.js';
import { format } from './table.js';
import { ours } from './targets/ours.js';

/** @typedef {import('../src/events/position.ts').Position} Position */
/** @typedef {import('../src/events/types.ts').EventPayload} EventPayload */
/** @typedef {import('../src/events/types.ts').Actor} Actor */
/** @typedef {import('../src/identifiers.ts').ImagePath} ImagePath */
/** @typedef {import('../src/identifiers.ts').Tag} Tag */
/** @typedef {import('../src/identifiers.ts').Uid} Uid */
/** @typedef {import('../src/digest.ts').Digest} Digest */
/** @typedef {{ name: string, ask: () => Promise<number>, path?: () => string }} Question `ask` gives how many things the answer has */

const usage = `Measures how long history and the past take to answer in one large repository on the embedded store: one client, one question after another.

node bench/history.js [options]
  --events N        events of the repository (default 1000000)
  --asked N         how often each question is asked (default 500)
  --no-http         only by the functions, not by a server
  --no-build        take dist/ as it is
  --directory DIR   where the store lies (default ${tmpdir()})
  --help`;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    asked: { type: 'string', default: '500' },
    'no-http': { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
    directory: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const [events, asked] = [Number(values.events), Number(values.asked)];
if (!(events >= 1_000) || !(asked >= 10)) {
  console.error('--events is at least 1000, --asked at least 10');
  process.exit(2);
}
if (!values['no-build']) build();

const { openLmdb } = await import('../dist/keyvalue/lmdb.js');
const { directoryPrefix } = await import('../dist/keyvalue/keyspace.js');
const { createLog } = await import('../dist/events/log.js');
const { formatTime, positionOf } = await import('../dist/events/database-time.js');
const { formatPosition, positionInCommit, timeOf } = await import('../dist/events/position.js');
const { repositoryStream } = await import('../dist/events/types.js');
const { parseName } = await import('../dist/identifiers.js');
const { applyEvent } = await import('../dist/projections/projection.js');
const { registered } = await import('../dist/projections/registered.js');
const { findTarget } = await import('../dist/projections/targets.js');
const { readHistory } = await import('../dist/projections/history-pages.js');
const { findTagAt, listManifestsAt, listTagsAt } = await import('../dist/projections/past.js');
const { createStore } = await import('../dist/projections/store.js');
const { BuildView } = await import('../dist/projections/views.js');

const NAME = 'shop/web';
const IMAGES = /** @type {readonly ImagePath[]} */ (/** @type {unknown} */ (['', 'worker']));
const PAGE = 100;
/** What is asked about by the functions that a pull needs; the others would make the store larger and tell nothing. */
const FOLDED = ['tags', 'manifests', 'history'];
/** @type {readonly Actor[]} */
const ACTORS = Array.from({ length: 20 }, () => ({ kind: 'user', uid: uid(), authentication: 'token' }));
/** @type {Actor} */
const RARE = { kind: 'service-account', uid: uid(), authentication: 'key' };
const EVENTS_A_COMMIT = 1_000;

const folder = ownDirectory(values.directory);
const found = ours.find();
if (found === undefined) throw new Error(ours.missing);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const authorization = `Basic ${Buffer.from(ours.credentials ?? '').toString('base64')}`;

// A server sets the store up, with its first owner and a repository.
const founder = await startRegistry(ours, found, folder);
await request(founder.port, 'POST', `/v2/${NAME}/blobs/uploads/`, 202);
await founder.stop();

const database = await openLmdb(join(folder, 'ours', 'db'), { create: false });
const store = createStore(database, { registry: directoryPrefix('registry'), platform: directoryPrefix('topaz') }, registered);
const name = parseName(NAME);
if ('problem' in name) throw new Error(name.reason);
const repository = await store.read(
  async (reading) => (await findTarget(reading, { kind: 'system', authentication: 'none' }, name)).repository,
);
if (repository === undefined) throw new Error('the repository was not created');
const positions = await fill(repository);

const questions = questionsOf(repository);
console.log(`\n${format(events)} events in one repository; each question ${asked} times; milliseconds`);
console.log('\n| by the functions | things | p50 | p99 | most | CPU p99 |\n| :-- | --: | --: | --: | --: | --: |');
for (const { name: title, ask } of questions) await measure(title, ask);
await database.close();

if (!values['no-http']) {
  const server = await startRegistry(ours, found, folder);
  console.log('\n| over HTTP | bytes | p50 | p99 | most |\n| :-- | --: | --: | --: | --: |');
  for (const { name: title, path } of questions) {
    if (path !== undefined) await measure(title, async () => (await get(server.port, path())).length, true);
  }
  await server.stop();
}
process.exit(0);

/** @param {readonly number[]} figures @param {number} share */
function at(figures, share) {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** The time of this process's processors is told, too, which a busy machine changes less. @param {string} title @param {() => Promise<number>} ask */
async function measure(title, ask, byServer = false) {
  for (let warm = 0; warm < 20; warm += 1) await ask();
  /** @type {number[]} */
  const times = [];
  /** @type {number[]} */
  const work = [];
  let things = 0;
  for (let time = 0; time < asked; time += 1) {
    const [began, before] = [performance.now(), process.cpuUsage()];
    things += await ask();
    times.push(performance.now() - began);
    const { user, system } = process.cpuUsage(before);
    work.push((user + system) / 1_000);
  }
  const cells = [title, format(things / asked), ...[0.5, 0.99, 1].map((share) => format(at(times, share)))];
  console.log(`| ${[...cells, ...(byServer ? [] : [format(at(work, 0.99))])].join(' | ')} |`);
}

/**
 * What a team's builds leave: two blobs, a manifest, a tag of the build's own, and `latest` moved to it. A role is granted and a tag deleted at one
 * hundredth of the way from either end, by an actor who does nothing else. Gives the positions of the commits.
 * @param {Uid} uidOfRepository
 */
async function fill(uidOfRepository) {
  const began = performance.now();
  const { registry: keyspace } = store.keyspaces;
  const log = createLog(keyspace);
  const stream = repositoryStream(uidOfRepository);
  /** @type {Position[]} */
  const committed = [];
  let build = 0;
  /** @type {Map<ImagePath, Digest>} */
  const latest = new Map();
  for (let made = 0; made < events; made += EVENTS_A_COMMIT) {
    const actor = ACTORS[(made / EVENTS_A_COMMIT) % ACTORS.length] ?? RARE;
    /** @type {{ actor: Actor, payload: EventPayload }[]} */
    const batch = [];
    for (; batch.length < EVENTS_A_COMMIT; build += 1)
      batch.push(...pushBuild(build, latest).map((payload) => ({ actor, payload })));
    const rareAt = [0.01, 0.99].some((share) => Math.floor((events * share) / EVENTS_A_COMMIT) === made / EVENTS_A_COMMIT);
    if (rareAt) batch.splice(500, 2, ...rareEvents().map((payload) => ({ actor: RARE, payload })));
    /** @type {Promise<Buffer> | undefined} */
    let versionstamp;
    await store.transact(async ({ tx, registry }) => {
      versionstamp = tx.versionstamp();
      const envelopes = batch.map(({ actor: by, payload }) => ({
        ...{ id: uid(), stream, occurredAt: Date.now() * 1_000, actor: by, payload },
        ...{ requestId: uid(), commandId: uid(), correlationId: uid() },
      }));
      const folded = FOLDED.flatMap((one) => registry.builds.get(one) ?? []).map(({ projection, prefix }) => {
        return { projection, view: new BuildView(tx, keyspace, prefix) };
      });
      for (const { envelope, index } of log.append(tx, registry.live, envelopes)) {
        const position = { incarnation: registry.live.incarnation, index };
        for (const { projection, view } of folded) await applyEvent(projection, envelope, view.at(position));
      }
    });
    if (versionstamp !== undefined) committed.push(positionInCommit(1, await versionstamp, 0));
  }
  console.log(`${format(events)} events were appended in ${format((performance.now() - began) / 1_000)} s`);
  return committed;
}

/** @param {number} number @param {Map<ImagePath, Digest>} latest @returns {EventPayload[]} */
function pushBuild(number, latest) {
  const image = /** @type {ImagePath} */ (IMAGES[number % 5 === 4 ? 1 : 0]);
  const digest = sha256(`manifest ${number}`);
  const previous = latest.get(image);
  latest.set(image, digest);
  const config = sha256(`config ${number}`);
  const facts = { artifactType: undefined, subject: undefined, config, layersSize: 10_000 };
  return [
    { kind: 'BlobPushed', digest: sha256(`layer ${number}`), size: 10_000 },
    { kind: 'BlobPushed', digest: config, size: 500 },
    { kind: 'ManifestPushed', image, digest, mediaType: 'application/vnd.oci.image.manifest.v1+json', size: 600, ...facts },
    { kind: 'TagMoved', image, tag: /** @type {Tag} */ (`build-${number}`), digest, previous: undefined },
    { kind: 'TagMoved', image, tag: /** @type {Tag} */ ('latest'), digest, previous },
  ];
}

/** @returns {EventPayload[]} */
function rareEvents() {
  const tag = /** @type {Tag} */ ('gone');
  return [
    { kind: 'RoleGranted', principal: { kind: 'all-users' }, role: 'viewer' },
    { kind: 'TagDeleted', image: /** @type {ImagePath} */ (''), tag, digest: sha256('manifest 0') },
  ];
}

/** @param {Uid} of @returns {Question[]} */
function questionsOf(of) {
  const [image] = IMAGES;
  if (image === undefined) throw new Error('no image');
  const api = '/api/v1/projects/shop/repositories/web';
  const whole = /** @type {const} */ ({ kind: 'repository', repository: of });
  const ofImage = /** @type {const} */ ({ kind: 'image', repository: of, image });
  const ofTag = /** @type {const} */ ({ kind: 'tag', repository: of, image, tag: /** @type {Tag} */ ('latest') });
  /**
   * @param {string} title @param {import('../src/projections/history-pages.ts').HistoryOf} scope @param {string} query
   * @param {Partial<import('../src/projections/history-pages.ts').HistoryPageOptions>} [filter]
   * @returns {Question[]}
   */
  const ends = (title, scope, query, filter = {}) =>
    [true, false].map((newestFirst) => ({
      name: `${title}, ${newestFirst ? 'newest' : 'oldest'} first`,
      ask: () =>
        store.read(async (reading) => {
          const page = await readHistory(reading, [scope], { newestFirst, limit: PAGE, ...filter });
          return page.events.length;
        }),
      path: () => `${api}/history?limit=${PAGE}&order=${newestFirst ? 'newest' : 'oldest'}${query}`,
    }));
  const middle = () => positions[randomInt(positions.length)];
  const common = ACTORS[0]?.uid ?? '';
  return [
    ...ends(`history of the repository, ${PAGE} events`, whole, ''),
    {
      name: `history from anywhere in the middle, ${PAGE} events`,
      ask: () =>
        store.read(async (reading) => {
          const page = await readHistory(reading, [whole], { newestFirst: false, limit: PAGE, after: middle() });
          return page.events.length;
        }),
    },
    ...ends('history of an image', ofImage, '&image='),
    ...ends('history of a tag moved in each build', ofTag, '&image=&tag=latest'),
    ...ends('of a kind that is rare', whole, '&kind=TagDeleted', { kinds: ['TagDeleted'] }),
    ...ends('of a kind that is common', whole, '&kind=TagMoved', { kinds: ['TagMoved'] }),
    ...ends('by an actor who did little', whole, `&actor=${RARE.uid ?? ''}`, { actors: [RARE.uid ?? ''] }),
    ...ends('by an actor who did much', whole, `&actor=${common}`, { actors: [common] }),
    ...ends('of an image, by an actor who did little', ofImage, `&image=&actor=${RARE.uid ?? ''}`, { actors: [RARE.uid ?? ''] }),
    ...ends('of an image, of a kind, by an actor who did much', ofImage, `&image=&kind=TagMoved&actor=${common}`, {
      kinds: ['TagMoved'],
      actors: [common],
    }),
    ...ends('of an image, of a kind that is elsewhere alone', ofImage, '&image=&kind=RoleGranted', { kinds: ['RoleGranted'] }),
    ...[0.01, 0.5, 0.99].flatMap((share) => past(of, image, api, share)),
  ];
}

/** @param {Uid} of @param {ImagePath} image @param {string} api @param {number} share @returns {Question[]} */
function past(of, image, api, share) {
  const when = `at ${share * 100} % of the way`;
  const near = () => {
    const position = positions[Math.min(positions.length - 1, Math.floor(positions.length * share) + randomInt(5))];
    if (position === undefined) throw new Error('nothing was appended');
    return position;
  };
  /** @param {(reading: import('../src/projections/store.ts').Reading, at: Position) => Promise<number>} body */
  const asking = (body) => () =>
    store.read(async (reading) => {
      const { tx, registry } = reading;
      const at = await positionOf(tx, registry.keyspace, registry.live.incarnation, { time: timeOf(near()) });
      if ('reason' in at) throw new Error(at.reason);
      return body(reading, at);
    });
  const latest = /** @type {Tag} */ ('latest');
  const time = () => formatTime(timeOf(near())).replaceAll(':', '-');
  return [
    {
      name: `a tag ${when}`,
      ask: asking(async (reading, at) => ((await findTagAt(reading, of, image, latest, at)) === undefined ? 0 : 1)),
      path: () => `/v2/${NAME}/manifests/latest.at.${time()}`,
    },
    {
      name: `${PAGE} tags ${when}`,
      ask: asking(async (reading, at) => (await listTagsAt(reading, of, image, at, { limit: PAGE })).tags.length),
      path: () => `${api}/tags?limit=${PAGE}&at=${formatPosition(near())}`,
    },
    {
      name: `${PAGE} manifests ${when}`,
      ask: asking(async (reading, at) => (await listManifestsAt(reading, of, image, at, { limit: PAGE })).manifests.length),
      path: () => `${api}/manifests?image=&limit=${PAGE}&at=${formatPosition(near())}`,
    },
  ];
}

/** Of a manifest only the head, which is what a pull begins with: the store has no manifests' bytes. @param {number} port @param {string} path */
function get(port, path) {
  return request(port, path.startsWith('/v2/') ? 'HEAD' : 'GET', path, 200);
}

/** The body of an answer. @param {number} port @param {string} method @param {string} path @param {number} status @returns {Promise<Buffer>} */
function request(port, method, path, status) {
  return new Promise((resolve, reject) => {
    const headers = { authorization, ...(method === 'POST' ? { 'content-length': 0 } : {}) };
    const sent = http.request({ host: '127.0.0.1', port, method, path, headers, agent }, (answer) => {
      /** @type {Buffer[]} */
      const chunks = [];
      answer.on('data', (/** @type {Buffer} */ chunk) => chunks.push(chunk));
      answer.on('end', () => {
        const body = Buffer.concat(chunks);
        if (answer.statusCode === status) resolve(body);
        else reject(new Error(`${method} ${path}: ${answer.statusCode ?? 0} ${body.toString().slice(0, 500)}`));
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** @returns {Uid} */
function uid() {
  return /** @type {Uid} */ (randomUUID().replace(/^(.{14})./, '$17'));
}

/** @param {string} text @returns {Digest} */
function sha256(text) {
  return /** @type {Digest} */ (`sha256:${createHash('sha256').update(text).digest('hex')}`);
}
