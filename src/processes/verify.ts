import type { Uid } from '../identifiers.js';

import { dropBuild } from '../projections/builds.js';
import { compareRange, type Difference } from '../projections/compare.js';
import type { DirectoryName } from '../projections/projection.js';
import type { LiveBuild, Store } from '../projections/store.js';
import { BuildRun, type BuildOptions } from './build-run.js';
import { clearAll } from './rebuild.js';

export interface VerifyOptions extends Omit<BuildOptions, 'order' | 'newId'> {
  readonly directory: DirectoryName;
  /** Live projections of the directory. */
  readonly names: readonly string[];
  readonly newId: () => Uid;
  /** Told as they are found, of each projection at most `shown`. */
  readonly onDifference: (difference: Difference) => void;
  readonly shown: number;
}

export interface Verified {
  readonly name: string;
  readonly version: number;
  readonly build: string;
  /** Of the live build: keys and their bytes, values included. */
  readonly keys: number;
  readonly bytes: number;
  readonly differences: number;
}

/** What is verified was switched to another build in the middle. */
export class VerifyDisturbedError extends Error {
  override readonly name = 'VerifyDisturbedError';
}

/**
 * Folds the log into builds aside and compares them with the live ones, key by key and byte for byte, range by range, each at one version, while everybody goes on
 * writing. Nothing is changed; what was made aside is cleared. Throws as `rebuild` does, and VerifyDisturbedError.
 */
export async function verify(store: Store, options: VerifyOptions): Promise<readonly Verified[]> {
  const { directory, names } = options;
  const live = await store.database.read((tx) => store.readDirectory(tx, directory));
  const targets = names.map((name) => live.builds.get(name)).filter((build) => build !== undefined);
  const order = { directory, projections: targets.map(({ projection }) => projection), purpose: 'verify' } as const;
  const run = await BuildRun.begin(store, { ...options, order });
  if ('finished' in run) throw new VerifyDisturbedError('a build to compare with was switched to');
  try {
    await reachTail(run);
    const verified: Verified[] = [];
    for (const target of targets) verified.push(await verifyOne(run, options, target));
    return verified;
  } finally {
    await dropBuild(store, options.builder, directory, run.build.build);
    await clearAll(store, directory, options.signal, () => run.report('clearing'));
  }
}

/** Whoever follows the log for an async projection takes over from one that was killed after 10 s. */
const FOLLOWER_MS = 30_000;
const FOLLOWER_POLL_MS = 500;

async function reachTail(run: BuildRun): Promise<void> {
  while (!(await run.catchUp()));
}

async function verifyOne(run: BuildRun, options: VerifyOptions, { projection, build }: LiveBuild): Promise<Verified> {
  const { store } = run;
  let [keys, bytes, differences] = [0, 0, 0];
  let followedAt = run.clock.now();
  for (let from: Buffer | undefined = Buffer.alloc(0); from !== undefined;) {
    run.checkStopped();
    const compared = await compareRange(store, options.builder, options.directory, run.build.build, projection, build, from);
    if (compared === 'switched meanwhile') {
      throw new VerifyDisturbedError(`${projection.name} was switched to another build meanwhile; verify it again`);
    }
    if (compared === 'tail too long') {
      await reachTail(run);
      continue;
    }
    if (compared === 'follower behind') {
      if (run.clock.now() - followedAt > FOLLOWER_MS) {
        throw new VerifyDisturbedError(
          `${projection.name} is behind the log, and nobody goes on with it; start a server, and verify it then`,
        );
      }
      await run.renew();
      await run.clock.sleep(FOLLOWER_POLL_MS);
      continue;
    }
    followedAt = run.clock.now();
    keys += compared.keys;
    bytes += compared.bytes;
    for (const difference of compared.differences) {
      differences += 1;
      if (differences <= options.shown) options.onDifference(difference);
    }
    from = compared.next;
    await run.renew();
    run.report('comparing');
  }
  return { name: projection.name, version: projection.version, build, keys, bytes, differences };
}
