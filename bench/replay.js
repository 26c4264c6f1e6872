import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { build } from './build.js';
import { ownDirectory } from './cleanup.js';
import { selfTimes } from './profile-summary.js';
import { makeLog } from './replay-log.js';
import { format } from './table.js';

const usage = `Measures how fast projections are built from a long log on the embedded store.

node bench/replay.js [options]
  --events N           length of the log (default 1000000)
  --projections a,b    those of the registry's that are built in one pass, or all (default tags,manifests)
  --cores N            the whole process, its commit thread included, has only so many (taskset)
  --limit N            events of a batch (default what a rebuild takes)
  --store DIR          keeps the log there, or takes the one that is there
  --profile            with where the time went, thread by thread
  --no-build           take dist/ as it is
  --directory DIR      where the store that is built in lies (default ${tmpdir()})
  --help`;

const options = parse();
if (options.help) {
  console.log(usage);
  process.exit(0);
}
if (!options['no-build']) build();
pin();

const { openLmdb } = await import('../dist/keyvalue/lmdb.js');
const { directoryPrefix } = await import('../dist/keyvalue/keyspace.js');
const { createStore } = await import('../dist/projections/store.js');
const { createLog, FIRST_INCARNATION } = await import('../dist/events/log.js');
const { EVENT_GENERATION } = await import('../dist/events/codec.js');
const { encodeLive } = await import('../dist/projections/live.js');
const { registered } = await import('../dist/projections/registered.js');
const { advanceBuild } = await import('../dist/projections/advance-build.js');
const { claimBuild } = await import('../dist/projections/builds.js');
const { writeContent } = await import('../dist/events/content.js');

const events = whole('events') ?? 1_000_000;
const wanted = chosen();
const limit = whole('limit');

const directory = ownDirectory(options.directory);
const source = options.store ?? join(directory, 'log');
if (!existsSync(join(source, 'store.mdb'))) await write(source);
const folder = join(directory, 'store');
// The log that is kept stays as it is. The file alone: a lock is its processes'.
await cp(join(source, 'store.mdb'), join(folder, 'store.mdb'));
execFileSync('sync');
await measure();

/** Appends the log as servers would, in large transactions. @param {string} target */
async function write(target) {
  const began = performance.now();
  const database = await openLmdb(target, { create: true });
  const store = openStore(database);
  const { registry } = store.keyspaces;
  const log = createLog(registry);
  const writing = { incarnation: FIRST_INCARNATION, events: EVENT_GENERATION };
  await database.transact(async (tx) => {
    tx.set(registry.metaLive, encodeLive({ incarnation: FIRST_INCARNATION, events: EVENT_GENERATION, projections: [] }));
  });
  /** @type {import('./replay-log.js').LoggedEvent[]} */
  let some = [];
  const append = () => {
    const appended = some;
    some = [];
    return database.transact(async (tx) => {
      for (const { envelope, content } of appended) {
        if (content !== undefined && envelope.payload.kind === 'ManifestPushed') {
          await writeContent(tx, registry, envelope.payload.digest, content);
        }
      }
      log.append(
        tx,
        writing,
        appended.map(({ envelope }) => envelope),
      );
    });
  };
  for (const event of makeLog(events)) {
    some.push(event);
    if (some.length === 2_000) await append();
  }
  await append();
  await database.close();
  console.log(`a log of ${format(events)} events was made in ${format((performance.now() - began) / 1000)} s`);
}

/** @param {import('../src/keyvalue/database.ts').Database} database */
function openStore(database) {
  return createStore(database, { registry: directoryPrefix('registry'), platform: directoryPrefix('platform') }, registered);
}

async function measure() {
  const database = await openLmdb(folder, { create: false });
  const store = openStore(database);
  const builder = { owner: 'bench', release: 'bench' };
  const order = { directory: /** @type {const} */ ('registry'), projections: wanted, purpose: /** @type {const} */ ('switch') };
  const claim = await claimBuild(store, builder, order, /** @type {never} */ (randomUUID()));
  if (!('claimed' in claim)) throw new Error('somebody else builds in this store');
  let record = claim.claimed;
  console.log(`\n${wanted.map(({ name }) => name).join(', ')}; Node ${process.version}, ${cores()} of the machine's cores`);
  console.log(
    '\n| s | events | events/s | own memory MB | with mapped pages MB | heap MB |\n| --: | --: | --: | --: | --: | --: |',
  );
  const before = {
    batches: database.commitBatches,
    written: bytesWritten(),
    cpu: process.cpuUsage(),
    threads: threadTimes(),
    size: sizeOf(folder),
  };
  const began = performance.now();
  let last = { at: began, events: record.events };
  const peak = { own: 0, resident: 0 };
  const sample = () => {
    const now = performance.now();
    const { own, resident } = memory();
    peak.own = Math.max(peak.own, own);
    peak.resident = Math.max(peak.resident, resident);
    const rate = ((record.events - last.events) / (now - last.at)) * 1000;
    last = { at: now, events: record.events };
    const heap = process.memoryUsage().heapUsed / 1e6;
    const cells = [(now - began) / 1000, record.events, rate, own, resident, heap].map((figure) => format(figure));
    console.log(`| ${cells.join(' | ')} |`);
  };
  for (;;) {
    const step = await advanceBuild(store, builder, 'registry', record.build, { limit });
    record = step.build;
    if (performance.now() - last.at >= 1000) sample();
    if (step.tailReached) break;
  }
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before.cpu);
  const threads = [...threadTimes()].map(([id, time]) => ({ id, time: time - (before.threads.get(id) ?? 0) }));
  const [main, other] = [true, false].map((isMain) => threads.filter(({ id }) => (id === process.pid) === isMain));
  const sum = (/** @type {typeof threads | undefined} */ some) => (some ?? []).reduce((total, { time }) => total + time, 0);
  sample();
  console.log(`
${format(record.events / seconds)} events/s: ${format(record.events)} events in ${format(seconds)} s
CPU: ${format(user / 1e6)} s user, ${format(system / 1e6)} s system; ${format((user + system) / record.events)} µs for each event
by thread: ${format((1e6 * sum(main)) / record.events)} µs main, ${format((1e6 * sum(other)) / record.events)} µs commit worker, V8's and others
commits: ${database.commitBatches - before.batches}; written to the disk: ${format((bytesWritten() - before.written) / 1e6)} MB; the file grew by ${format(
    (sizeOf(folder) - before.size) / 1e6,
  )} MB
peak memory: ${format(peak.own)} MB of its own, ${format(peak.resident)} MB with the mapped pages of the file`);
  await database.close();
}

/** In MB: what the process has for itself, and with the pages of the store's file that the kernel lets it see and may take back. */
function memory() {
  const status = readFileSync('/proc/self/status', 'utf8');
  const of = (/** @type {string} */ name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1000;
  return { own: of('RssAnon'), resident: of('VmRSS') };
}

/** CPU seconds of each thread so far. @returns {Map<number, number>} */
function threadTimes() {
  const ids = readdirSync('/proc/self/task');
  return new Map(ids.map((id) => [Number(id), ticks(readFileSync(`/proc/self/task/${id}/stat`, 'utf8')) / 100]));
}

/** User and system time of a line of `stat`, in hundredths of a second; the name before them may have spaces. @param {string} stat */
function ticks(stat) {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** By everybody, to the disk that the store lies on: what the kernel says of one process counts whole folios, of which a page may have changed. */
function bytesWritten() {
  const { dev } = statSync(folder);
  const file = `/sys/dev/block/${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}/stat`;
  return existsSync(file) ? 512 * Number(readFileSync(file, 'utf8').trim().split(/\s+/)[6]) : NaN;
}

/** @param {string} of */
function sizeOf(of) {
  return statSync(join(of, 'store.mdb')).size;
}

function cores() {
  const allowed = /^Cpus_allowed_list:\s+(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return `cores ${allowed ?? '?'}`;
}

/** Starts this again on the chosen cores, and under the profiler where that was asked for. */
function pin() {
  const count = whole('cores');
  if (process.env['REPLAY_PINNED'] !== undefined || (count === undefined && !options.profile)) return;
  const profiles = ownDirectory(tmpdir());
  const prefix = count === undefined ? [] : ['taskset', '-c', `0-${count - 1}`];
  const flags = options.profile ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : [];
  const [program = process.execPath, ...args] = [...prefix, process.execPath, ...flags, fileURLToPath(import.meta.url)];
  const env = { ...process.env, REPLAY_PINNED: '1' };
  const { status } = spawnSync(program, [...args, ...process.argv.slice(2), '--no-build'], { stdio: 'inherit', env });
  for (const file of readdirSync(profiles).sort()) {
    const { total, functions } = selfTimes(JSON.parse(readFileSync(join(profiles, file), 'utf8')), 0, Infinity);
    console.log(`\nthread ${file.split('.')[4]}: ${format(total / 1000)} ms`);
    for (const [name, time] of functions.slice(0, 40)) {
      console.log(`${((100 * time) / total).toFixed(1).padStart(5)} %  ${format(time / 1000).padStart(7)} ms  ${name}`);
    }
  }
  process.exit(status ?? 1);
}

function chosen() {
  const mine = registered.filter((projection) => projection.directory === 'registry');
  if (options.projections === 'all') return mine;
  const names = options.projections.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !mine.some((projection) => projection.name === name));
  if (unknown !== undefined)
    wrong(`there is no projection "${unknown}" of the registry; there are ${mine.map(({ name }) => name).join(', ')}`);
  return mine.filter(({ name }) => names.includes(name));
}

function parse() {
  try {
    return parseArgs({
      options: {
        events: { type: 'string' },
        projections: { type: 'string', default: 'tags,manifests' },
        cores: { type: 'string' },
        limit: { type: 'string' },
        store: { type: 'string' },
        profile: { type: 'boolean', default: false },
        'no-build': { type: 'boolean', default: false },
        directory: { type: 'string', default: tmpdir() },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return wrong(/** @type {Error} */ (error).message.split('. ')[0] ?? '');
  }
}

/** @param {'events' | 'cores' | 'limit'} name */
function whole(name) {
  const value = options[name];
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(value)) wrong(`--${name}: "${value}" is not a whole number from 1 up`);
  return Number(value);
}

/** @param {string} message @returns {never} */
function wrong(message) {
  console.error(`${message}\n\n${usage}`);
  process.exit(2);
}
