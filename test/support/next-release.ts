import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { mustRun, run, temporaryFolder, type RunResult } from './processes.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A release of its own beside the one in dist/: made of the sources as they are now, with or without a change. */
export interface Release {
  /** Its package: src/, dist/, package.json. */
  readonly folder: string;
  readonly version: string;
  /** What node runs. */
  readonly main: string;
  /** A built module of it, `projections/tags`, as the module in src/ or in the overlay declares it. */
  load<T>(module: string): Promise<T>;
  /** The command line on a store, with the settings of a server. */
  command(args: readonly string[], env: NodeJS.ProcessEnv): Promise<RunResult>;
  /** The whole release through the type check: what it has to say, empty as a rule. */
  typeCheck(): Promise<string>;
}

export interface ReleaseOptions {
  readonly version: string;
  /** A folder below test/schema-changes/ whose files in src/ are new or in the place of others, and whose `*.diff` change some. */
  readonly overlay?: string;
}

/**
 * Copies the package without what it depends on, lays the change over it, makes the code of events.proto where that was changed, and builds it with its own
 * scripts/build.js. A diff that does not fit the sources any more is an error that says which. The folder is removed when the test's process ends.
 */
export async function makeRelease({ version, overlay }: ReleaseOptions): Promise<Release> {
  const folder = temporaryFolder(`release-${version}`);
  for (const part of ['src', 'scripts', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
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
    load: async <T>(module: string) => (await import(pathToFileURL(join(folder, `dist/${module}.js`)).href)) as T,
    command: (args, env) => run(process.execPath, [main, ...args], { env: { ...process.env, ...env }, timeoutMs: 240_000 }),
    async typeCheck() {
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      const options = ['--project', folder, '--noEmit', '--preserveSymlinks', '--pretty', 'false'];
      return (await run(process.execPath, [tsc, ...options], { cwd: folder, timeoutMs: 240_000 })).output;
    },
  };
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
