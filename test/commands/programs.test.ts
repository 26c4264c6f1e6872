import { randomInt } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { deleteBlob, mountBlob, pushBlob } from '../../src/commands/blob.js';
import { isRefusal, type CommandContext, type Executor } from '../../src/commands/execute.js';
import { deleteManifest, pushManifest } from '../../src/commands/manifest.js';
import { createRepository, deleteRepository, resumeDeletions } from '../../src/commands/repository.js';
import { deleteTag } from '../../src/commands/tag.js';
import { startUpload } from '../../src/commands/upload.js';
import type { Refusal } from '../../src/errors.js';
import type { ImagePath, Uid } from '../../src/identifiers.js';
import { CrashedError } from '../../src/keyvalue/simulated.js';
import { listManifestsOfRepository } from '../../src/projections/manifests.js';
import { listLinks } from '../../src/projections/references.js';
import { listReferrers } from '../../src/projections/referrers.js';
import { listLeavingRepositories } from '../../src/projections/repositories.js';
import type { Store } from '../../src/projections/store.js';
import { listTagsOfRepository } from '../../src/projections/tags.js';
import { newClock, newStore } from '../support/database.js';
import { compareWithFold } from '../support/fold.js';
import {
  blobOf,
  events,
  found,
  imageOf,
  indexOf,
  nameOf,
  simulate,
  subjectOf,
  tagOf,
  uidOf,
  type Simulation,
  type Workplace,
} from './fixture.js';
import { Model, taken, type Outcome, type Step, type World } from './model.js';

const names = ['shop/web', 'shop/web/deep', 'shop/api'] as const;
const tags = ['a', 'b'] as const;

function makeWorld(): World {
  const blobs = ['zero', 'one', 'two', 'three'].map(blobOf);
  const blob = (index: number) => blobs[index] ?? blobOf('none');
  const plain = { children: [], subject: undefined };
  const first = imageOf(blob(0), [blob(1)]);
  const second = imageOf(blob(0), [blob(2)]);
  return {
    blobs,
    manifests: [
      { ...first, ...plain, blobs: [0, 1] },
      { ...second, ...plain, blobs: [0, 2] },
      { ...indexOf([first, second]), blobs: [], children: [0, 1], subject: undefined },
      { ...imageOf(blob(3), [], subjectOf(first)), blobs: [3], children: [], subject: 0 },
      { ...indexOf([first], subjectOf(second)), blobs: [], children: [0], subject: 1 },
    ],
  };
}

const world = makeWorld();
const name = fc.constantFrom(...names);
const blob = fc.nat(world.blobs.length - 1);
const manifest = fc.nat(world.manifests.length - 1);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('create' as const), name }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('push blob' as const), name, blob }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('mount' as const), name, blob, from: fc.option(name, { nil: undefined }) }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant('push manifest' as const), name, manifest, tags: fc.subarray([...tags]) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete tag' as const), name, tag: fc.constantFrom(...tags) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete manifest' as const), name, manifest }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete blob' as const), name, blob }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete repository' as const), name }) },
);

/** One step as it went. `context`: of the command whose commit, if it has one, says when the step happened. */
interface Done {
  readonly step: Step;
  readonly context: CommandContext;
  /** Read version of the last attempt: when a step without an event happened. */
  readonly readAt: bigint;
  /** Undefined: the process died first. */
  readonly outcome: Outcome | undefined;
}

/** An executor that remembers the read version of the last run of a body. */
function observed(at: Workplace): { readonly executor: Executor; readonly lastRead: () => bigint } {
  let last = 0n;
  const store: Store = {
    ...at.store,
    transact: (body, options) =>
      at.store.transact(async (writing) => {
        const result = await body(writing);
        last = await writing.tx.readVersion();
        return result;
      }, options),
  };
  const executor: Executor = {
    store,
    execute: (context, decide) =>
      at.executor.execute(context, async (writing) => {
        last = await writing.tx.readVersion();
        return decide(writing);
      }),
  };
  return { executor, lastRead: () => last };
}

const said = <T>(outcome: T | Refusal, text: (outcome: T) => Outcome): Outcome =>
  isRefusal(outcome) ? outcome.refused : text(outcome);

/** A step's outcome, in the model's words. */
async function perform(at: Workplace, executor: Executor, context: CommandContext, done: Step): Promise<Outcome> {
  const target = nameOf(done.name);
  // A deletion in several transactions happens in its first; each of the others has an id of its own.
  let first = true;
  const contextOf = (): CommandContext => {
    const mine = first ? context : at.context();
    first = false;
    return mine;
  };
  switch (done.kind) {
    case 'create': {
      const newRepository = at.newId();
      const ids = { newRepository, newProject: at.newId() };
      const command = { kind: 'CreateRepository', name: target, origin: 'push', scanning: true, ...ids } as const;
      return said(await createRepository(executor, context, command), ({ created }) => (created ? 'created' : 'found'));
    }
    case 'push blob': {
      const { digest, size } = world.blobs[done.blob] ?? blobOf('none');
      const upload = at.newId();
      const writer = { server: upload, file: upload };
      const start = { kind: 'StartUpload', name: target, upload, algorithm: 'sha256', writer } as const;
      const refusal = await startUpload(executor, context, start);
      if (refusal !== undefined) return refusal.refused;
      const bytes = { digest, size, committed: true, lost: undefined };
      const command = { kind: 'PushBlob', name: target, upload, file: upload, ...bytes } as const;
      return said(await pushBlob(executor, context, command), () => 'linked');
    }
    case 'mount': {
      const { digest } = world.blobs[done.blob] ?? blobOf('none');
      const from = done.from === undefined ? undefined : nameOf(done.from);
      const command = { kind: 'MountBlob', name: target, digest, from } as const;
      return said(await mountBlob(executor, context, command), ({ mounted }) => (mounted ? 'mounted' : 'not mounted'));
    }
    case 'push manifest': {
      const pushed = world.manifests[done.manifest] ?? imageOf(blobOf('none'), []);
      const { digest, bytes, document } = pushed;
      const command = { kind: 'PushManifest', name: target, digest, bytes, document, config: undefined, sparse: false } as const;
      const outcome = await pushManifest(executor, context, { ...command, tags: done.tags.map(tagOf) });
      return said(outcome, ({ created }) => (created ? 'new' : 'known'));
    }
    case 'delete tag':
      return said(await deleteTag(executor, context, { kind: 'DeleteTag', name: target, tag: tagOf(done.tag) }), () => 'deleted');
    case 'delete manifest': {
      const { digest } = world.manifests[done.manifest] ?? imageOf(blobOf('none'), []);
      return said(await deleteManifest(executor, contextOf, { kind: 'DeleteManifest', name: target, digest }), () => 'deleted');
    }
    case 'delete blob': {
      const { digest } = world.blobs[done.blob] ?? blobOf('none');
      return said(await deleteBlob(executor, context, { kind: 'DeleteBlob', name: target, digest }), () => 'deleted');
    }
    case 'delete repository':
      return said(await deleteRepository(executor, contextOf, { kind: 'DeleteRepository', name: target }), () => 'deleted');
  }
}

/** Does its steps one after another, until they or its process end. */
async function act(at: Workplace, steps: readonly Step[]): Promise<readonly Done[]> {
  const { executor, lastRead } = observed(at);
  const all: Done[] = [];
  for (const one of steps) {
    const context = at.context();
    try {
      const outcome = await perform(at, executor, context, one);
      all.push({ step: one, context, readAt: lastRead(), outcome });
    } catch (error) {
      if (!(error instanceof CrashedError)) throw error;
      all.push({ step: one, context, readAt: 0n, outcome: undefined });
      return all;
    }
  }
  return all;
}

/** The steps in the one order that the log and the read versions give them, against the model. */
async function expectModel(at: Workplace, done: readonly Done[]): Promise<void> {
  const commits = new Map<Uid, bigint>();
  for (const { commandId, position } of await events(at)) commits.set(commandId, position.stamp.readBigUInt64BE(0));
  const ordered = done
    // A step whose process died counts where the log has it.
    .filter(({ outcome, context }) => outcome !== undefined || commits.has(context.commandId))
    .map((one) => {
      const commit = commits.get(one.context.commandId);
      return { ...one, version: commit ?? one.readAt, rank: commit === undefined ? 1 : 0 };
    })
    .sort((left, right) => (left.version === right.version ? left.rank - right.rank : left.version < right.version ? -1 : 1));
  const model = new Model(world);
  for (const { step: one, outcome, version } of ordered) {
    // The repository went and another came between an upload's beginning and its end, which for the model are one step.
    if (one.kind === 'push blob' && outcome === 'UPLOAD_UNKNOWN') continue;
    const expected = model.run(one);
    if (outcome === undefined) continue;
    expect({ step: one, version, outcome }).toEqual({ step: one, version, outcome: expected });
  }
  expect(await factsOf(at)).toEqual(model.facts());
}

async function factsOf(at: Workplace): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const path of new Set(names.map((one) => taken(one).path))) {
    const uid = await uidOf(at, path);
    if (uid === undefined) continue;
    lines.push(`${path} is there`);
    await at.store.read(async (reading) => {
      for (const digest of await listLinks(reading, uid, 100)) lines.push(`${path} links ${digest}`);
      for (const { image, digest } of await listManifestsOfRepository(reading, uid, 100))
        lines.push(`${path} ${image} has ${digest}`);
      for (const { image, tag, digest } of await listTagsOfRepository(reading, uid, 100))
        lines.push(`${path} ${image} ${tag} is ${digest}`);
      for (const image of ['', 'deep'] as ImagePath[]) {
        for (const { digest: subject } of world.manifests) {
          for (const { digest } of await listReferrers(reading, uid, image, subject, { limit: 100 }))
            lines.push(`${path} ${image} ${digest} refers to ${subject}`);
        }
      }
    });
  }
  return lines.sort();
}

const faults = { notCommitted: 0.04, transactionTooOld: 0.01, unknownApplied: 0.05, unknownLost: 0.04 };

/** What is there before the actors begin. */
const beginning: readonly Step[] = [
  { kind: 'create', name: 'shop/web' },
  { kind: 'create', name: 'shop/api' },
  ...[0, 1, 2].map((index): Step => ({ kind: 'push blob', name: 'shop/web', blob: index })),
  { kind: 'push manifest', name: 'shop/web', manifest: 0, tags: ['a'] },
  { kind: 'push manifest', name: 'shop/web', manifest: 1, tags: [] },
  { kind: 'push manifest', name: 'shop/web', manifest: 2, tags: ['b'] },
];

const met = new Map<Outcome, number>();

async function play(programs: readonly (readonly Step[])[], seed: number, crashAt: number | undefined): Promise<void> {
  const at: Simulation = await simulate({ seed, faults });
  const before = await act(at, beginning);
  let left = crashAt ?? Infinity;
  at.simulated.crash = (_, who) => {
    if (who === 'actor 0' && left-- <= 0) throw new CrashedError('killed');
  };
  const done = await Promise.all(programs.map((steps, index) => act(at.another(`actor ${index}`), steps)));
  at.simulated.crash = undefined;
  at.simulated.faults = { ...at.simulated.faults, notCommitted: 0, transactionTooOld: 0, unknownApplied: 0, unknownLost: 0 };
  await resumeDeletions(at.executor, () => at.context());
  expect(await at.store.read((reading) => listLeavingRepositories(reading, 1))).toEqual([]);
  await expectModel(at, [...before, ...done.flat()]);
  for (const { outcome = 'died' } of done.flat()) met.set(outcome, (met.get(outcome) ?? 0) + 1);
  expect(await compareWithFold(at.store)).toEqual([]);
}

const fcSeed = Number(process.env['ARTS_TEST_SEED'] ?? randomInt(2 ** 31));
const numRuns = Number(process.env['ARTS_TEST_PROGRAMS'] ?? 40);

test(`programs of several actors, with faults and a crash, do what a plain model does, and leave the folded log (ARTS_TEST_SEED=${fcSeed})`, async () => {
  const programs = fc.array(fc.array(step, { minLength: 5, maxLength: 25 }), { minLength: 2, maxLength: 4 });
  await fc.assert(fc.asyncProperty(programs, fc.nat(), fc.option(fc.nat(600), { nil: undefined }), play), {
    seed: fcSeed,
    numRuns,
  });
  process.stderr.write(`programs: seed ${fcSeed}, ${numRuns} runs, outcomes ${JSON.stringify(Object.fromEntries(met))}\n`);
}, 600_000);

test('the model alone and the commands alone, one after another, agree', async () => {
  const inUse: Step = { kind: 'delete manifest', name: 'shop/web', manifest: 0 };
  const steps = [...beginning, inUse, ...fc.sample(step, { seed: 7, numRuns: 1_000 })];
  const at = await found(newStore({ seed: 1, clock: newClock() }).connect());
  const model = new Model(world);
  const outcomes = new Set<Outcome>();
  for (const one of steps) {
    const outcome = await perform(at, at.executor, at.context(), one);
    outcomes.add(outcome);
    expect({ one, outcome }).toEqual({ one, outcome: model.run(one) });
  }
  expect(await factsOf(at)).toEqual(model.facts());
  // Every rule was met.
  expect([...outcomes].sort()).toEqual([
    'BLOB_IN_USE',
    'BLOB_UNKNOWN',
    'MANIFEST_BLOB_UNKNOWN',
    'MANIFEST_IN_USE',
    'MANIFEST_UNKNOWN',
    'REPOSITORY_UNKNOWN',
    'created',
    'deleted',
    'found',
    'known',
    'linked',
    'mounted',
    'new',
    'not mounted',
  ]);
});
