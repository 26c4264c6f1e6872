import { describe, expect, test } from 'vitest';

import type { ImagePath, Tag } from '../../src/identifiers.js';
import { writeContent } from '../../src/events/content.js';
import type { EventEnvelope } from '../../src/events/types.js';
import type { Database, KeyValue } from '../../src/keyvalue/database.js';
import { boundsOf } from '../../src/keyvalue/keyspace.js';
import type { Projection } from '../../src/projections/projection.js';
import { references } from '../../src/projections/references.js';
import { foldLog } from '../../src/projections/replay.js';
import { newStore } from '../support/database.js';
import { applyAll } from '../support/fold.js';
import { tags } from '../../src/projections/tags.js';
import { commit, log, readAll, streamAt } from '../events/log-fixture.js';
import { envelopeOf, sha256 } from '../events/samples.js';

const { keyspace } = log;
const none = '' as ImagePath;

const connect = (): Database => newStore({ seed: 1 }).connect();

function targetsOf(projections: readonly Projection[], build: string): Map<Projection, Buffer> {
  return new Map(projections.map((projection) => [projection, keyspace.projection(projection.name, build)]));
}

async function pairsOf(database: Database, projection: Projection, build: string): Promise<readonly string[]> {
  const prefix = keyspace.projection(projection.name, build);
  const { begin, end } = boundsOf(prefix);
  const pairs: readonly KeyValue[] = await database.read((tx) => tx.getRange(begin, end));
  return pairs.map(({ key, value }) => `${key.toString('hex', prefix.length)}=${value.toString('hex')}`);
}

/** Transaction by transaction, as a builder does; how many events each of them took. */
async function fold(database: Database, projections: readonly Projection[], limit: number): Promise<readonly number[]> {
  const taken: number[] = [];
  let checkpoint: Awaited<ReturnType<typeof foldLog>>['checkpoint'];
  for (;;) {
    const after = checkpoint;
    const folded = await database.transact((tx) => foldLog(tx, keyspace, targetsOf(projections, 'folded'), 1, after, { limit }));
    taken.push(folded.events);
    checkpoint = folded.checkpoint;
    if (folded.tailReached) return taken;
  }
}

describe('folding the log', () => {
  // Many on one stream: its partition is asked again and again, while the others have what they need.
  const moves = Array.from({ length: 700 }, (_, index) =>
    envelopeOf(streamAt(index % 3 === 0 ? index : 0), {
      kind: 'TagMoved',
      image: none,
      tag: `tag-${index % 90}` as Tag,
      digest: sha256((index % 16).toString(16)),
      previous: index < 90 ? undefined : sha256(((index - 90) % 16).toString(16)),
    }),
  );

  test.each([1, 7, 300, 10_000])('by %i events at once gives what applying them one after the other gives', async (limit) => {
    const database = connect();
    for (let at = 0; at < moves.length; at += 50) await commit(database, moves.slice(at, at + 50));
    const events = await readAll(database, { limit: 100 });
    await database.transact((tx) => applyAll(tx, keyspace, targetsOf([tags], 'applied'), events));

    const taken = await fold(database, [tags], limit);

    expect(taken.reduce((sum, count) => sum + count)).toBe(moves.length);
    expect(Math.max(...taken)).toBe(Math.min(limit, moves.length));
    const applied = await pairsOf(database, tags, 'applied');
    expect(applied.length).toBeGreaterThan(100);
    expect(await pairsOf(database, tags, 'folded')).toEqual(applied);
  });

  test('a transaction ends before it has read more of the log’s content than it has time for', async () => {
    const database = connect();
    const content = Buffer.from(JSON.stringify({ padding: 'x'.repeat(800_000) }));
    const digest = sha256('c');
    await database.transact((tx) => writeContent(tx, keyspace, digest, content));
    const pushed: EventEnvelope[] = Array.from({ length: 8 }, () =>
      envelopeOf(streamAt(1), {
        kind: 'ManifestPushed',
        image: none,
        digest,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        size: content.length,
        artifactType: undefined,
        subject: undefined,
        config: undefined,
        layersSize: 0,
      }),
    );
    await commit(database, pushed);

    expect(await fold(database, [references], 1_000)).toEqual([3, 3, 2]);
  });
});
