import { beforeAll, describe, expect, test } from 'vitest';

import { decodeEvent, EventDecodeError } from '../../src/events/codec.js';
import type { EventPayload, RecordedEvent } from '../../src/events/types.js';
import { clientOf, randomImage } from '../support/client.js';
import { makeRelease, type Release } from '../support/next-release.js';
import { waitFor } from '../support/processes.js';
import { startServer, storeSettings } from '../support/server.js';
import { openFolder } from '../upgrade/registry-folder.js';
import { asJson, goldenEvents, messageOf, type GoldenEvent } from './golden.js';

// docs/schema-changes.md, "Adding a field to an event" and "Replacing an event": the worked examples, on the bytes of every release.

type Codec = Awaited<ReturnType<typeof loadCodec>>;

function loadCodec(release: Release) {
  return release.load('events/codec');
}

const find = (name: string, generation: number): GoldenEvent => {
  const found = goldenEvents.find((golden) => golden.name === name && golden.generation === generation);
  if (found === undefined) throw new Error(`there is no golden ${name} of generation ${generation}`);
  return found;
};

// Protobuf's static code has one table of messages in a process, that of the release that was loaded last: one after another, then.
describe.each([
  {
    overlay: 'mirrored-repositories',
    /** The messages whose payload has another shape in the next release, and that shape. */
    changed: ['repositoryCreated', 'repositoryCreatedV2'],
    shape: (payload: object): object => ({ ...payload, mirrored: false }),
    /** Written for payloads that the older message says, while an older release's server may read them. */
    older: 'repositoryCreatedV2',
    newer: (payload: object): object => ({ ...payload, mirrored: true }),
  },
  {
    overlay: 'principal-registered',
    changed: ['userCreated'],
    shape: (payload: object): object => ({ ...payload, kind: 'PrincipalRegistered', nature: 'person' }),
    older: 'userCreated',
    newer: (payload: object): object => ({ ...payload, nature: 'robot' }),
  },
])('$overlay', ({ overlay, changed, shape, older, newer }) => {
  let codec: Codec;
  beforeAll(async () => {
    codec = await loadCodec(await makeRelease({ version: '0.5.0', overlay }));
  }, 120_000);

  test.each(goldenEvents.map((golden) => [`generation ${golden.generation}`, golden.name, golden] as const))(
    'bytes of %s, %s, are read in the new shape',
    (_generation, _name, golden) => {
      const { payload } = golden.event;
      const expected = changed.includes(messageOf(golden)) ? { ...golden.event, payload: shape(payload) } : golden.event;
      expect(asJson(codec.decodeEvent(golden.bytes))).toEqual(expected);
    },
  );

  test('while an older server runs, what the older message says is written in it, byte for byte as before', () => {
    for (const generation of [1, 2]) {
      const { bytes, event } = find(older, generation);
      const written = codec.encodeEvent(codec.decodeEvent(bytes), generation);
      expect(written.toString('hex')).toBe(bytes.toString('hex'));
      expect(asJson(decodeEvent(written))).toEqual(event);
    }
  });

  test('while an older server runs, what only the new message says is not written', () => {
    const envelope = codec.decodeEvent(find(older, 2).bytes);
    const payload = newer(envelope.payload) as EventPayload;
    expect(() => codec.encodeEvent({ ...envelope, payload }, 3)).toThrow(codec.EventTooNewError);
  });

  test('when every server reads it, the new message is written; a release that does not know it refuses it', () => {
    expect(codec.EVENT_GENERATION).toBe(4);
    const envelope = codec.decodeEvent(find(older, 2).bytes);
    for (const payload of [envelope.payload, newer(envelope.payload) as EventPayload]) {
      const bytes = codec.encodeEvent({ ...envelope, payload }, 4);
      expect(codec.decodeEvent(bytes)).toEqual({ ...envelope, payload });
      expect(() => decodeEvent(bytes)).toThrow(EventDecodeError);
    }
  });

  test('all other events are written as before', () => {
    for (const { bytes, ...golden } of goldenEvents.filter((one) => one.generation === 2 && !changed.includes(messageOf(one)))) {
      expect(codec.encodeEvent(codec.decodeEvent(bytes), 4).toString('hex'), golden.name).toBe(bytes.toString('hex'));
    }
  });
});

test('the generation is raised when the last older server is gone, and not before', { timeout: 240_000 }, async () => {
  const old = await makeRelease({ version: '0.4.0' });
  const next = await makeRelease({ version: '0.5.0', overlay: 'mirrored-repositories' });
  const before = await startServer({ program: old.main });
  const after = await startServer({ program: next.main, directory: before.directory });
  try {
    await clientOf(after).pushImage('shop/web', 'latest', randomImage());
    expect(await generationOf(next, before.directory)).toBe(3);
    // The new server's events are read by the old release's own code.
    const told = await old.command(['history', 'shop/web'], storeSettings(before.directory));
    expect(told.output).toContain('created repository shop/web by the first push to it');

    await before.stop();
    const raised = async () => ((await generationOf(next, before.directory)) === 4 ? true : undefined);
    await waitFor(raised, 60_000, () => `the generation is not raised\n${after.log()}`);
    await clientOf(after).pushImage('shop/api', 'latest', randomImage());
    const all = await readLog(next, before.directory);
    expect(all.filter(({ payload }) => payload.kind === 'RepositoryCreated')).toHaveLength(2);

    const late = await old.command(['serve'], { ...storeSettings(before.directory), ARTIFACT_STORE_ADDRESS: before.host });
    expect(late.code).toBe(1);
    expect(late.stderr).toMatch(/^artifact-store: the log may have events of generation 4, this release reads 3; .*\n$/);
  } finally {
    await after.stop();
    await before.remove();
  }
});

async function generationOf(release: Release, directory: string): Promise<number> {
  const registry = await openFolder(release, directory);
  try {
    return await registry.store.read(({ registry: { live } }) => Promise.resolve(live.events));
  } finally {
    await registry.close();
  }
}

async function readLog(release: Release, directory: string): Promise<readonly RecordedEvent[]> {
  const { createLog } = await release.load('events/log');
  const registry = await openFolder(release, directory);
  try {
    const { store } = registry;
    const log = createLog(store.keyspaces.registry);
    return (await store.database.read((tx) => log.readFrom(tx, 1, undefined, { limit: 1_000 }))).events;
  } finally {
    await registry.close();
  }
}
