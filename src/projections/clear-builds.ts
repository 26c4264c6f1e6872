import { keyAfter } from '../keyvalue/apply-operations.js';
import type { Transaction } from '../keyvalue/database.js';
import { boundsOf, type Keyspace } from '../keyvalue/keyspace.js';
import { findBuild, listBuilds, writeBuild, type Build } from './builds.js';
import type { Live } from './live.js';
import type { DirectoryName } from './projection.js';
import type { Store } from './store.js';

const CLEARED_KEYS = 1_000;
const CLEARED_BYTES = 1_000_000;

/** A half-made build that nobody went on with for so long, in microseconds, will not be. */
const KEPT_MICROS = 24 * 3_600_000_000;

/**
 * One bounded transaction of clearing what no reader needs: keys of dropped builds and of those that a switch replaced, then their records. Of builds that were
 * left half made, those made to verify go at once, the others after a day. False when there was nothing to do.
 */
export async function clearSuperfluous(store: Store, directory: DirectoryName): Promise<boolean> {
  return store.database.transact(async (tx) => {
    const { live, keyspace } = await store.readDirectory(tx, directory);
    const now = Number(await tx.time());
    // By snapshot: a builder at work writes its record all the time.
    for (const seen of await listBuilds(tx.snapshot, keyspace)) {
      if (!isSuperfluous(seen, live, now)) continue;
      const build = await findBuild(tx, keyspace, seen.build);
      if (build === undefined || !isSuperfluous(build, live, now)) continue;
      if (build.state !== 'live') {
        const cleared = await clearSome(
          tx,
          keyspace,
          build.projections.map(({ name }) => ({ name, build: build.build })),
        );
        if (cleared) writeBuild(tx, keyspace, { ...build, state: 'dropped', lease: undefined });
        else tx.clear(keyspace.build(build.build));
        return true;
      }
      const [first, ...rest] = build.replaced;
      if (first === undefined) tx.clear(keyspace.build(build.build));
      else if (!(await clearSome(tx, keyspace, [first]))) writeBuild(tx, keyspace, { ...build, replaced: rest });
      return true;
    }
    return false;
  });
}

function isSuperfluous({ build, state, purpose, lease, begun, replaced }: Build, live: Live, now: number): boolean {
  switch (state) {
    case 'dropped':
      return true;
    case 'building':
      return (lease?.until ?? begun) < now - (purpose === 'verify' ? 0 : KEPT_MICROS);
    case 'live':
      return replaced.length > 0 || !live.projections.some((entry) => entry.build === build);
  }
}

/** Whether there was something to clear. */
async function clearSome(
  tx: Transaction,
  keyspace: Keyspace,
  builds: readonly { readonly name: string; readonly build: string }[],
): Promise<boolean> {
  for (const { name, build } of builds) {
    const { begin, end } = boundsOf(keyspace.projection(name, build));
    // Nobody writes there any more.
    const some = await tx.snapshot.getRange(begin, end, { limit: CLEARED_KEYS, targetBytes: CLEARED_BYTES });
    const last = some.at(-1);
    if (last === undefined) continue;
    tx.clearRange(begin, keyAfter(last.key));
    return true;
  }
  return false;
}
