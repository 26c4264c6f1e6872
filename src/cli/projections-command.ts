import { hostname } from 'node:os';
import { parseArgs } from 'node:util';

import type { Config } from '../config.js';
import { EventDecodeError } from '../events/codec.js';
import { newId, openRegistry } from '../open-registry.js';
import { printProjections } from './projections-list.js';
import { BuildStoppedError, type Progress } from '../processes/build-run.js';
import { rebuild } from '../processes/rebuild.js';
import { verify, VerifyDisturbedError, type Verified } from '../processes/verify.js';
import { verifyTruth } from '../processes/verify-truth.js';
import { BuildLostError, type Builder, type Order } from '../projections/builds.js';
import type { Difference } from '../projections/compare.js';
import { directoryNames, type DirectoryName, type Projection } from '../projections/projection.js';
import { readableKey, readableValue } from '../projections/readable.js';
import { registered } from '../projections/registered.js';
import { ReplayError } from '../projections/replay.js';
import type { Store } from '../projections/store.js';
import { misused, told } from './complaints.js';
import { ProgressLine } from './progress-line.js';
import { readRelease } from '../release.js';

const usage = `usage: artifact-store projections list [--json]
       artifact-store projections rebuild <name>... [--rate <events a second>] [--force]
       artifact-store projections verify <name>... [--rate <events a second>]
       artifact-store projections verify --all [--rate <events a second>]

  list      every index: its live version and build, how far it has come, its keys and bytes; builds under way; the servers that run
  rebuild   makes indexes anew from the log, beside the live ones, while servers go on, and switches to them; a rebuild that was stopped goes on
            --rate    no more events a second, for what is in the log when it begins
            --force   switches although servers are running that do not know the new version: they answer 503 from then on
  verify    folds the log aside and compares it with the live indexes byte for byte; changes nothing; exit status 1 when they differ
            --all     every index, and the log itself: its streams, and the digests of the manifests beside it
`;

/** A process's own batches: nobody else waits for its thread. */
const LIMIT = 24_000;
const DIFFERENCES_SHOWN = 10;

interface Asked {
  readonly names: readonly string[];
  readonly rate: number | undefined;
  readonly force: boolean;
  /** The log itself, too. */
  readonly all: boolean;
}

/** `artifact-store projections list|rebuild|verify`: straight on the store, while servers run. Exit status. */
export async function manageProjections(config: Config, args: readonly string[]): Promise<number> {
  const [verb, ...rest] = args;
  if (args.includes('--help') || verb === '-h') {
    process.stdout.write(usage);
    return 0;
  }
  if (verb !== 'list' && verb !== 'rebuild' && verb !== 'verify') {
    return misused(verb === undefined ? 'list, rebuild or verify is missing' : `${verb} is not list, rebuild or verify`, usage);
  }
  let flags;
  try {
    const options = {
      all: { type: 'boolean' },
      force: { type: 'boolean' },
      json: { type: 'boolean' },
      rate: { type: 'string' },
    } as const;
    flags = parseArgs({ args: [...rest], allowPositionals: true, options });
  } catch (error) {
    return misused(error instanceof Error ? error.message : String(error), usage);
  }
  const { values, positionals } = flags;
  const problem = problemOf(verb, values, positionals);
  if (problem !== undefined) return misused(problem, usage);
  const names = values.all === true ? registered.map(({ name }) => name) : positionals;
  const rate = values.rate === undefined ? undefined : Number(values.rate);
  const asked: Asked = { names, rate, force: values.force === true, all: values.all === true };
  const registry = await openRegistry(config, false);
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  try {
    if (verb === 'list') return await printProjections(registry.store, values.json === true);
    return verb === 'rebuild'
      ? await rebuildAll(registry.store, asked, abort.signal)
      : await verifyAll(registry.store, asked, abort.signal);
  } catch (error) {
    if (error instanceof BuildStoppedError)
      return told(verb === 'rebuild' ? 'stopped; the same command goes on where it stopped' : 'stopped', 130);
    if (error instanceof EventDecodeError || error instanceof ReplayError) return told(`the log is damaged: ${error.message}`, 1);
    if (error instanceof BuildLostError || error instanceof VerifyDisturbedError) return told(error.message, 1);
    throw error;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, stop);
    await registry.close();
  }
}

interface Flags {
  readonly all?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly rate?: string | undefined;
}

/** What is wrong with the arguments of a verb. */
function problemOf(
  verb: 'list' | 'rebuild' | 'verify',
  { all, force, json, rate }: Flags,
  names: readonly string[],
): string | undefined {
  if (json === true && verb !== 'list') return '--json is for list';
  if (force === true && verb !== 'rebuild') return '--force is for rebuild';
  if (all === true && verb !== 'verify') return '--all is for verify; rebuild takes the names of indexes';
  if (rate !== undefined && verb === 'list') return '--rate is for rebuild and verify';
  if (rate !== undefined && !/^[1-9][0-9]{0,8}$/.test(rate)) {
    return `--rate ${JSON.stringify(rate)} is not a number of events a second, 1 and more`;
  }
  if (verb === 'list') return names.length === 0 ? undefined : `list takes no names, not ${names.join(' ')}`;
  if (all === true) return names.length === 0 ? undefined : 'either names or --all';
  const known = registered.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) return `${unknown} is not an index; there are ${known.join(', ')}`;
  return names.length === 0 ? `the name of an index is missing; there are ${known.join(', ')}` : undefined;
}

function thisBuilder(): Builder {
  return { owner: `${hostname()}:${process.pid} ${newId()}`, release: readRelease() };
}

/** The inline ones of a directory in one pass, each async one by itself. */
function ordersOf(names: readonly string[], force: boolean): readonly Order[] {
  const asked = registered.filter(({ name }) => names.includes(name));
  const orders: Order[] = [];
  for (const directory of directoryNames) {
    const mine = asked.filter((projection) => projection.directory === directory);
    const inline = mine.filter(({ mode }) => mode === 'inline');
    const groups = [inline, ...mine.filter(({ mode }) => mode === 'async').map((one) => [one])];
    for (const projections of groups)
      if (projections.length > 0) orders.push({ directory, projections, purpose: 'switch', force });
  }
  return orders;
}

async function rebuildAll(store: Store, { names, rate, force }: Asked, signal: AbortSignal): Promise<number> {
  const builder = thisBuilder();
  for (const order of ordersOf(names, force)) {
    const line = new ProgressLine(`rebuilding ${titleOf(order.projections)}`);
    const begun = performance.now();
    const told: Progress[] = [];
    const progress = (state: Progress): void => {
      told[0] = state;
      line.show(state);
    };
    try {
      const build = await rebuild(store, { builder, order, newId, limit: LIMIT, rate, signal, progress });
      line.end();
      const last = told[0];
      if (last?.phase === 'waiting for another builder') {
        process.stdout.write(
          `${titleOf(order.projections)}: another process has built it meanwhile; live as build ${build.build}\n`,
        );
        continue;
      }
      const seconds = (performance.now() - begun) / 1_000;
      const resumedAt = last?.resumedAt ?? 0;
      const here = build.events - resumedAt;
      const since = resumedAt > 0 ? ` (${resumedAt} of them by an earlier process)` : '';
      process.stdout.write(
        `${titleOf(order.projections)}: ${build.events} events${since} in ${seconds.toFixed(1)} s, ${Math.round(here / seconds)} a second; live as build ${build.build}\n`,
      );
    } finally {
      line.end();
    }
  }
  return 0;
}

async function verifyAll(store: Store, { names, rate, all }: Asked, signal: AbortSignal): Promise<number> {
  const builder = thisBuilder();
  let differences = all ? await verifyLogs(store, signal) : 0;
  for (const directory of directoryNames) {
    const mine = await liveNames(store, directory, names);
    for (const group of mine) {
      const line = new ProgressLine(`verifying ${group.join(', ')}`);
      const onDifference = (difference: Difference): void => {
        line.end();
        process.stdout.write(readableDifference(difference));
      };
      const options = { directory, names: group, builder, newId, limit: LIMIT, rate, signal, onDifference };
      try {
        const verified = await verify(store, { ...options, shown: DIFFERENCES_SHOWN, progress: (state) => line.show(state) });
        line.end();
        for (const one of verified) process.stdout.write(readableVerified(one));
        differences += verified.reduce((sum, one) => sum + one.differences, 0);
      } finally {
        line.end();
      }
    }
  }
  return differences === 0 ? 0 : 1;
}

/** How much of what the indexes are made from is damaged. */
async function verifyLogs(store: Store, signal: AbortSignal): Promise<number> {
  let found = 0;
  for (const directory of directoryNames) {
    const onDamage = (what: string): void => void process.stdout.write(`${directory}: ${what}\n`);
    const { events, unchecked, contents, damages } = await verifyTruth(store, directory, { signal, onDamage });
    found += damages;
    if (signal.aborted) throw new BuildStoppedError('stopped');
    const old = unchecked === 0 ? '' : ` (${unchecked} of release 0.1.0, without a checksum)`;
    process.stdout.write(
      `log of ${directory}: ${events} events${old} and ${contents} manifests and configs read, ${damages} damaged\n`,
    );
  }
  return found;
}

async function liveNames(
  store: Store,
  directory: DirectoryName,
  names: readonly string[],
): Promise<readonly (readonly string[])[]> {
  const { builds } = await store.database.read((tx) => store.readDirectory(tx, directory));
  const missing = names.filter(
    (name) => registered.some((one) => one.name === name && one.directory === directory) && !builds.has(name),
  );
  for (const name of missing)
    process.stdout.write(`${name}: is not live yet, a server of this release builds it; there is nothing to verify\n`);
  const live = [...builds.values()].map(({ projection }) => projection).filter(({ name }) => names.includes(name));
  const inline = live.filter(({ mode }) => mode === 'inline').map(({ name }) => name);
  return [...(inline.length > 0 ? [inline] : []), ...live.filter(({ mode }) => mode === 'async').map(({ name }) => [name])];
}

function titleOf(projections: readonly Projection[]): string {
  return projections.map(({ name, version }) => `${name} v${version}`).join(', ');
}

function readableVerified({ name, version, keys, bytes, differences }: Verified): string {
  const outcome =
    differences === 0 ? 'equals the folded log' : `${differences} ${differences === 1 ? 'key differs' : 'keys differ'}`;
  return `${name} v${version}: ${outcome}; ${keys} keys, ${bytes} bytes\n`;
}

function readableDifference({ projection, version, key, live, folded }: Difference): string {
  const say = (value: Buffer | undefined): string => (value === undefined ? 'is not there' : readableValue(value));
  return `${projection} v${version}: ${readableKey(key)}\n  the index: ${say(live)}\n  the log:   ${say(folded)}\n`;
}
