import { createLog } from '../events/log.js';
import { formatPosition, type Position } from '../events/position.js';
import { timeOf } from '../events/sampled-times.js';
import { boundsOf, type Keyspace } from '../keyvalue/keyspace.js';
import { keyAfter } from '../keyvalue/apply-operations.js';
import { listBuilds, type Build } from '../projections/builds.js';
import type { DirectoryName } from '../projections/projection.js';
import { listServers, type ServerRecord } from '../projections/servers.js';
import type { Store } from '../projections/store.js';

interface Row {
  readonly name: string;
  readonly directory: DirectoryName;
  readonly mode: string;
  /** Undefined: this release knows it, and it is not live yet. */
  readonly version: number | undefined;
  /** The newest version that this release knows. */
  readonly known: number;
  readonly build: string | undefined;
  /** The last event that is in it. */
  readonly position: string | undefined;
  /** About how many events are not in it yet. */
  readonly lag: number | undefined;
  readonly keys: number;
  readonly bytes: number;
}

/** Prints what there is of indexes, builds and servers. Counting keys reads them all. Exit status. */
export async function printProjections(store: Store, asJson: boolean): Promise<number> {
  const parts = [await readDirectory(store, 'registry'), await readDirectory(store, 'platform')];
  const rows = parts.flatMap((part) => part.rows);
  const builds = parts.flatMap((part) => part.builds);
  const servers = parts[0]?.servers ?? [];
  const now = Number(await store.database.read((tx) => tx.time()));
  if (asJson) {
    const building = builds.map(({ checkpoint, ...build }) => ({
      ...build,
      checkpoint: checkpoint && formatPosition(checkpoint),
    }));
    process.stdout.write(`${JSON.stringify({ projections: rows, builds: building, servers }, undefined, 2)}\n`);
    return 0;
  }
  const header = ['INDEX', 'DIRECTORY', 'MODE', 'VERSION', 'LAG', 'KEYS', 'BYTES', 'POSITION', 'BUILD'];
  printTable([header, ...rows.map(cellsOf)]);
  for (const build of builds) process.stdout.write(`${describeBuild(build, now)}\n`);
  for (const { host, release } of servers) process.stdout.write(`server ${host}, release ${release}\n`);
  return 0;
}

function cellsOf({ name, directory, mode, version, known, build, position, lag, keys, bytes }: Row): readonly string[] {
  const newer = version === known || version === undefined ? '' : ` (this release has ${known})`;
  const shown = version === undefined ? 'not live' : `${version}${newer}`;
  return [name, directory, mode, shown, String(lag ?? '-'), String(keys), String(bytes), position ?? '-', build ?? '-'];
}

function printTable(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows)
    process.stdout.write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
}

function describeBuild({ build, purpose, state, projections, events, release, lease, begun }: Build, now: number): string {
  const what = projections.map(({ name, version }) => `${name} v${version}`).join(', ');
  const since = new Date(begun / 1_000).toISOString();
  const doing = state === 'dropped' ? 'given up, being cleared' : purpose === 'verify' ? 'made to be compared' : 'being built';
  const who = lease === undefined || lease.until <= now ? 'nobody is at it' : `by ${lease.owner.split(' ')[0] ?? ''}`;
  return `build ${build} of ${what}: ${doing}, ${events} events, begun ${since} by release ${release}, ${who}`;
}

async function readDirectory(store: Store, directory: DirectoryName) {
  const { live, keyspace, builds, servers, newest, total, records } = await store.database.read(async (tx) => {
    const found = await store.readDirectory(tx, directory);
    const log = createLog(found.keyspace);
    return {
      ...found,
      servers: await listServers(tx, store, directory),
      records: await listBuilds(tx, found.keyspace),
      newest: await log.newest(tx, found.live.incarnation),
      total: await log.count(tx),
    };
  });
  const rows: Row[] = [];
  for (const projection of store.projections.filter((one) => one.directory === directory)) {
    const { name, mode, version: known } = projection;
    const found = live.projections.find((entry) => entry.name === name);
    const isLive = found !== undefined && builds.has(name);
    const record = records.find(({ build }) => build === found?.build);
    const position = mode === 'inline' ? newest : record?.checkpoint;
    const size = isLive ? await measure(store, keyspace.projection(name, found.build)) : { keys: 0, bytes: 0 };
    rows.push({
      ...{ name, directory, mode, known, ...size },
      version: found?.version,
      build: found?.build,
      position: isLive && position !== undefined ? await readablePosition(store, keyspace, position) : undefined,
      lag: !isLive ? undefined : mode === 'inline' ? 0 : Math.max(0, total - (record?.events ?? 0)),
    });
  }
  return { rows, builds: records.filter(({ state }) => state !== 'live'), servers: servers satisfies readonly ServerRecord[] };
}

async function readablePosition({ database }: Store, keyspace: Keyspace, position: Position): Promise<string> {
  const time = await database.read((tx) => timeOf(tx, keyspace, position));
  return `${formatPosition(position)} (${new Date(time / 1_000).toISOString()})`;
}

async function measure(store: Store, prefix: Buffer): Promise<{ readonly keys: number; readonly bytes: number }> {
  const { begin, end } = boundsOf(prefix);
  let [keys, bytes] = [0, 0];
  for (let from = begin; ;) {
    const start = from;
    const page = await store.database.read((tx) => tx.getRange(start, end, { targetBytes: 1_000_000 }));
    const last = page.at(-1);
    if (last === undefined) return { keys, bytes };
    keys += page.length;
    bytes += page.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    from = keyAfter(last.key);
  }
}
