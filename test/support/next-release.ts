import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import type * as config from '../../src/config.js';
import type * as checksum from '../../src/events/checksum.js';
import type * as codec from '../../src/events/codec.js';
import type * as log from '../../src/events/log.js';
import type * as keyspace from '../../src/keyvalue/keyspace.js';
import type * as lmdb from '../../src/keyvalue/lmdb.js';
import type * as tuple from '../../src/keyvalue/tuple.js';
import type * as openRegistry from '../../src/open-registry.js';
import type * as builds from '../../src/projections/builds.js';
import type * as projects from '../../src/projections/projects.js';
import type * as registered from '../../src/projections/registered.js';
import type * as repositories from '../../src/projections/repositories.js';
import type * as activity from '../schema-changes/activity/src/projections/activity.js';
import type * as tags from '../schema-changes/tags-v2/src/projections/tags.js';
import { mustRun, run, temporaryFolder, type RunResult } from './processes.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What tests load of a release: as src/ declares it, or the overlay that the release was made with. */
interface Modules {
  readonly config: typeof config;
  readonly 'open-registry': typeof openRegistry;
  readonly 'events/checksum': typeof checksum;
  readonly 'events/codec': typeof codec;
  readonly 'events/log': typeof log;
  readonly 'keyvalue/keyspace': typeof keyspace;
  readonly 'keyvalue/lmdb': typeof lmdb;
  readonly 'keyvalue/tuple': typeof tuple;
  readonly 'projections/activity': typeof activity;
  readonly 'projections/builds': typeof builds;
  readonly 'projections/projects': typeof projects;
  readonly 'projections/registered': typeof registered;
  readonly 'projections/repositories': typeof repositories;
  readonly 'projections/tags': typeof tags;
}

/** A release of its own beside the one in dist/: made of the sources as they are now, with or without a change, or of an earlier commit's. */
export interface Release {
  /** Its package: src/, dist/, package.json. */
  readonly folder: string;
  readonly version: string;
  /** What node runs. */
  readonly main: string;
  /** A built module of it. */
  load<M extends keyof Modules>(module: M): Promise<Modules[M]>;
  /** The command line on a store, with the settings of a server. */
  command(args: readonly string[], env: NodeJS.ProcessEnv): Promise<RunResult>;
  /** The whole release through the type check: what it has to say, empty as a rule. */
  typeCheck(): Promise<string>;
}

export interface ReleaseOptions {
  readonly version: string;
  /** A folder below test/schema-changes/ whose files in src/ are new or in the place of others, and whose `*.diff` change some. */
  readonly overlay?: string;
  /** Whose sources it is made of. */
  readonly commit?: string;
}

/** Whether a release can be made of the commit: not in a copy without the whole history. */
export async function hasCommit(commit: string): Promise<boolean> {
  return (await run('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: root })).code === 0;
}

/**
 * Copies the package without what it depends on, lays the change over it, makes the code of events.proto where that was changed, and builds it with its own
 * scripts/build.js. A diff that does not fit the sources any more is an error that says which. The folder is removed when the test's process ends.
 */
export async function makeRelease({ version, overlay, commit }: ReleaseOptions): Promise<Release> {
  const folder = temporaryFolder(`release-${version}`);
  const parts = ['src', 'scripts', 'package.json', 'tsconfig.json'];
  if (commit === undefined) for (const part of parts) cpSync(join(root, part), join(folder, part), { recursive: true });
  else await unpack(commit, parts, folder);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as object;
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, version }));
  if (overlay !== undefined) await lay(overlayFolder(overlay), folder);
  await mustRun(process.execPath, [join(folder, 'scripts/build.js')], { cwd: folder });
  const main = join(folder, 'dist/main.js');
  return {
    folder,
    version,
    main,
    load: async <M extends keyof Modules>(module: M) =>
      (await import(pathToFileURL(join(folder, `dist/${module}.js`)).href)) as Modules[M],
    command: (args, env) => run(process.execPath, [main, ...args], { env: { ...process.env, ...env }, timeoutMs: 240_000 }),
    async typeCheck() {
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      const options = ['--project', folder, '--noEmit', '--preserveSymlinks', '--pretty', 'false'];
      return (await run(process.execPath, [tsc, ...options], { cwd: folder, timeoutMs: 240_000 })).output;
    },
  };
}

async function unpack(commit: string, parts: readonly string[], folder: string): Promise<void> {
  const archive = join(folder, 'sources.tar');
  await mustRun('git', ['archive', '--output', archive, commit, ...parts], { cwd: root });
  await mustRun('tar', ['-xf', archive, '-C', folder]);
}

export function overlayFolder(overlay: string): string {
  return fileURLToPath(new URL(`../schema-changes/${overlay}`, import.meta.url));
}

async function lay(overlay: string, folder: string): Promise<void> {
  if (existsSync(join(overlay, 'src'))) cpSync(join(overlay, 'src'), join(folder, 'src'), { recursive: true });
  const schema = (): string => readFileSync(join(folder, 'src/events/events.proto'), 'utf8');
  const before = schema();
  for (const name of readdirSync(overlay).filter((file) => file.endsWith('.diff'))) {
    const empty = join(folder, 'no-repository');
    mkdirSync(empty, { recursive: true });
    // Not as a part of a repository that the temporary folder might lie in.
    const env = { ...process.env, GIT_DIR: empty, GIT_CEILING_DIRECTORIES: folder };
    await mustRun('git', ['apply', '--whitespace=nowarn', join(overlay, name)], { cwd: folder, env });
  }
  if (schema() !== before) await mustRun(process.execPath, [join(folder, 'scripts/generate-events.js')], { cwd: folder });
}
