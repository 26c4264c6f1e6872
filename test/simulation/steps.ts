import { registered } from '../../src/projections/registered.js';
import { below, pick, randomFrom, some, weighted, type Random } from './random.js';
import { BLOBS, world } from './world.js';

/** How an upload's bytes come. */
const ways = ['whole in the POST', 'whole in the PUT', 'streamed in the PUT', 'in two chunks', 'broken off and resumed'] as const;
/** How an upload ends. */
const ends = [
  'put',
  'put twice',
  'put at once by two',
  'taken over',
  'cancelled',
  'abandoned',
  'put with a wrong digest',
] as const;

export type UploadWay = (typeof ways)[number];
export type UploadEnd = (typeof ends)[number];

/** What an actor does, by names and numbers of the world. */
export type Action =
  | { readonly kind: 'push image'; readonly name: string; readonly manifest: number; readonly tags: readonly string[] }
  | {
      readonly kind: 'upload';
      readonly name: string;
      readonly blob: number;
      readonly way: UploadWay;
      readonly end: UploadEnd;
    }
  | { readonly kind: 'mount'; readonly name: string; readonly blob: number; readonly from: string | undefined }
  | { readonly kind: 'put manifest'; readonly name: string; readonly manifest: number; readonly tags: readonly string[] }
  | { readonly kind: 'delete tag'; readonly name: string; readonly tag: string; readonly twice: boolean }
  | { readonly kind: 'delete manifest'; readonly name: string; readonly manifest: number }
  | { readonly kind: 'delete blob'; readonly name: string; readonly blob: number }
  | { readonly kind: 'delete repository'; readonly name: string }
  | { readonly kind: 'create repository'; readonly name: string; readonly twice: boolean }
  | { readonly kind: 'pull'; readonly name: string; readonly tag: string }
  | { readonly kind: 'pull by digest'; readonly name: string; readonly manifest: number }
  | { readonly kind: 'get blob'; readonly name: string; readonly blob: number }
  | { readonly kind: 'expire uploads' }
  | { readonly kind: 'resume deletions' }
  | { readonly kind: 'prune' }
  | { readonly kind: 'look at the indexes' }
  | {
      readonly kind: 'race';
      readonly race: Race;
      readonly name: string;
      readonly other: string;
      readonly tag: string;
      readonly blob: number;
      readonly offset: number;
    }
  /** Builds projections anew from the log, and switches to that. */
  | { readonly kind: 'rebuild'; readonly projections: readonly string[]; readonly force: boolean }
  /** Replaces the first server of the old release by the new one, which has a projection in a new version and builds that by itself. */
  | { readonly kind: 'new release'; readonly force: boolean }
  /** Compares projections with what the log says, while the others go on. */
  | { readonly kind: 'verify'; readonly projections: readonly string[] };

/** Two that want what cannot both be, at once, after what it takes has been made sure of. */
const races = [
  'an index, and the deletion of what it lists',
  'an image, and the deletion of its layer',
  'a mount, and the deletion of its source',
  'one tag for two images',
  'a tag, and its deletion',
  'two uploads of new bytes',
  'a push, and the deletion of its repository',
  'two creations of a repository',
] as const;

export type Race = (typeof races)[number];

/** What goes wrong from the beginning of a step on, in one process; `n` counts the occasions until it strikes. */
export type Fault =
  | { readonly kind: 'notCommitted' | 'transactionTooOld' | 'unknownApplied' | 'unknownLost'; readonly process: number }
  | { readonly kind: 'watchLate' | 'watchLost'; readonly process: number }
  | { readonly kind: 'crash'; readonly process: number; readonly n: number }
  /** `commit`: only where a blob is made durable. */
  | { readonly kind: 'blob error'; readonly process: number; readonly n: number; readonly commit: boolean }
  /** `atSync`: counted from the next sync of a blob on. */
  | { readonly kind: 'power cut'; readonly n: number; readonly atSync: boolean }
  | { readonly kind: 'clock'; readonly ms: number }
  /** The builder that holds commands back next stands still for so many turns at its await `n` from there, in which the clock moves on by `ms`. */
  | { readonly kind: 'stall at a fence'; readonly n: number; readonly turns: number; readonly ms: number }
  | { readonly kind: 'wall clock'; readonly process: number; readonly ms: number };

export type FaultKind = Fault['kind'];

/** One step: data, so that a run can be repeated without some of them. */
export interface Step {
  readonly id: number;
  /** The server that is asked. */
  readonly process: number;
  /** Milliseconds from the beginning of the step before it, or more where all actors are busy. */
  readonly wait: number;
  readonly action: Action;
  readonly faults: readonly Fault[];
}

const inlineNames = registered
  .filter(({ directory, mode }) => directory === 'registry' && mode === 'inline')
  .map(({ name }) => name);

export const ACTORS = 8;
export const SERVERS = 3;
/** The process that follows the log, behind the servers. */
export const FOLLOWER = SERVERS;

const HOUR = 3_600_000;

/** The steps of a seed: the first ones are the same whatever their number. */
export function stepsFrom(seed: number, count: number): readonly Step[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, (_, id) => {
    const process = below(random, SERVERS);
    const wait = random() < 0.05 ? below(random, 200) : random() * 4;
    return { id, process, wait, action: actionFrom(random), faults: faultsFrom(random, process) };
  });
}

function actionFrom(random: Random): Action {
  const name = pick(random, world.names);
  const blob = below(random, random() < 0.2 ? BLOBS : world.blobs.length);
  const manifest = below(random, world.manifests.length);
  const tag = pick(random, world.tags);
  const make = weighted<() => Action>(random, [
    [6, () => ({ kind: 'push image', name, manifest, tags: some(random, world.tags, 0.5) })],
    [14, () => ({ kind: 'upload', name, blob, way: pick(random, ways), end: random() < 0.4 ? 'put' : pick(random, ends) })],
    [6, () => ({ kind: 'mount', name, blob, from: random() < 0.5 ? pick(random, world.names) : undefined })],
    [12, () => ({ kind: 'put manifest', name, manifest, tags: some(random, world.tags, 0.5) })],
    [6, () => ({ kind: 'delete tag', name, tag, twice: random() < 0.4 })],
    [5, () => ({ kind: 'delete manifest', name, manifest })],
    [6, () => ({ kind: 'delete blob', name, blob })],
    [3, () => ({ kind: 'delete repository', name })],
    [3, () => ({ kind: 'create repository', name, twice: random() < 0.4 })],
    [18, () => ({ kind: 'pull', name, tag })],
    [6, () => ({ kind: 'pull by digest', name, manifest })],
    [4, () => ({ kind: 'get blob', name, blob })],
    [2, () => ({ kind: 'expire uploads' })],
    [2, () => ({ kind: 'resume deletions' })],
    [1, () => ({ kind: 'prune' })],
    [0.1, () => ({ kind: 'look at the indexes' })],
    [0.3, () => ({ kind: 'rebuild', projections: projectionsFrom(random), force: random() < 0.3 })],
    [0.5, () => ({ kind: 'new release', force: random() < 0.3 })],
    [0.3, () => ({ kind: 'verify', projections: projectionsFrom(random) })],
    [
      3,
      () => {
        const other = pick(random, world.names);
        const lone = world.blobs.length + below(random, BLOBS - world.blobs.length);
        return { kind: 'race', race: pick(random, races), name, other, tag, blob: lone, offset: random() * 3 - 1.5 };
      },
    ],
  ]);
  return make();
}

function projectionsFrom(random: Random): readonly string[] {
  const chosen = some(random, inlineNames, 0.2);
  return chosen.length > 0 ? chosen : [pick(random, inlineNames)];
}

function faultsFrom(random: Random, process: number): readonly Fault[] {
  const faults: Fault[] = [];
  const maybe = (chance: number, make: () => Fault): void => {
    if (random() < chance) faults.push(make());
  };
  const any = (): number => (random() < 0.7 ? process : below(random, SERVERS));
  maybe(0.1, () => ({ kind: 'notCommitted', process }));
  maybe(0.05, () => ({ kind: 'transactionTooOld', process }));
  maybe(0.08, () => ({ kind: 'unknownApplied', process }));
  maybe(0.06, () => ({ kind: 'unknownLost', process }));
  maybe(0.02, () => ({ kind: 'watchLate', process: pick(random, [1, FOLLOWER]) }));
  maybe(0.02, () => ({ kind: 'watchLost', process: pick(random, [1, FOLLOWER]) }));
  maybe(0.03, () => ({ kind: 'crash', process: any(), n: below(random, 60) }));
  maybe(0.003, () => ({ kind: 'crash', process: FOLLOWER, n: below(random, 60) }));
  maybe(0.03, () => ({ kind: 'blob error', process: any(), n: below(random, 6), commit: false }));
  maybe(0.01, () => ({ kind: 'blob error', process: any(), n: below(random, 3), commit: true }));
  maybe(0.004, () => ({ kind: 'power cut', n: below(random, 100), atSync: false }));
  maybe(0.006, () => ({ kind: 'power cut', n: below(random, 40), atSync: true }));
  maybe(0.04, () => ({ kind: 'clock', ms: pick(random, [300, 6_000, 40_000, HOUR * 1.2, HOUR * 30, HOUR * 24 * 5]) }));
  maybe(0.01, () => {
    const ms = random() < 0.5 ? 0 : 2_500;
    return { kind: 'stall at a fence', n: below(random, 40), turns: 50 + below(random, 300), ms };
  });
  maybe(0.02, () => ({ kind: 'wall clock', process: any(), ms: below(random, HOUR) - HOUR / 2 }));
  return faults;
}

export function wordsOf({ id, process, action, faults }: Step): string {
  const after = faults.length === 0 ? '' : `   [${faults.map(faultInWords).join('; ')}]`;
  return `${id}: at server ${process} somebody ${actionInWords(action)}${after}`;
}

function actionInWords(action: Action): string {
  switch (action.kind) {
    case 'push image':
      return `pushes image ${action.manifest} to ${action.name} ${tagged(action.tags)}`;
    case 'upload':
      return `uploads blob ${action.blob} to ${action.name} (${action.way}, ${action.end})`;
    case 'mount':
      return `mounts blob ${action.blob} in ${action.name} from ${action.from ?? 'anywhere'}`;
    case 'put manifest':
      return `puts manifest ${action.manifest} to ${action.name} ${tagged(action.tags)}`;
    case 'delete tag':
      return `deletes ${action.name}:${action.tag}${action.twice ? ', by two with one command id' : ''}`;
    case 'delete manifest':
      return `deletes manifest ${action.manifest} of ${action.name}`;
    case 'delete blob':
      return `deletes blob ${action.blob} of ${action.name}`;
    case 'delete repository':
      return `deletes the repository of ${action.name}`;
    case 'create repository':
      return `creates the repository of ${action.name}${action.twice ? ', by two with one command id' : ''}`;
    case 'pull':
      return `pulls ${action.name}:${action.tag}`;
    case 'pull by digest':
      return `pulls manifest ${action.manifest} of ${action.name}`;
    case 'race':
      return `makes two race: ${action.race}, in ${action.name}${action.race.includes('mount') ? ` from ${action.other}` : ''}, at once (${action.offset.toFixed(2)} ms)`;
    case 'rebuild':
      return `builds ${action.projections.join(', ')} anew${action.force ? ', and waits for nobody' : ''}`;
    case 'new release':
      return `replaces a server by one of the new release${action.force ? ', which switches at once' : ''}`;
    case 'verify':
      return `verifies ${action.projections.join(', ')}`;
    case 'get blob':
      return `pulls blob ${action.blob} of ${action.name}`;
    case 'expire uploads':
      return 'expires uploads';
    case 'resume deletions':
      return 'resumes deletions';
    case 'prune':
      return 'prunes commands and requests';
    case 'look at the indexes':
      return 'looks at the indexes';
  }
}

function tagged(tags: readonly string[]): string {
  return tags.length === 0 ? 'without a tag' : `as ${tags.join(', ')}`;
}

function faultInWords(fault: Fault): string {
  const where = 'process' in fault ? (fault.process === FOLLOWER ? 'the follower' : `server ${fault.process}`) : '';
  switch (fault.kind) {
    case 'crash':
      return `${where} dies at its await ${fault.n} from here`;
    case 'blob error':
      return `the disk fails ${where} at its call ${fault.n} from here${fault.commit ? ', of those that make a blob durable' : ''}`;
    case 'power cut':
      return `power cut at await ${fault.n} from ${fault.atSync ? 'the next sync of a blob' : 'here'}`;
    case 'clock':
      return `the clock jumps by ${fault.ms / 1_000} s`;
    case 'stall at a fence':
      return `the next builder that raises a fence stands still for ${fault.turns} turns and ${fault.ms} ms at its await ${fault.n}`;
    case 'wall clock':
      return `the wall clock of ${where} is wrong by ${fault.ms / 1_000} s`;
    case 'notCommitted':
      return `the next commit of ${where} conflicts`;
    case 'transactionTooOld':
      return `the next read or commit of ${where} is too old`;
    case 'unknownApplied':
      return `the next commit of ${where} happens, and it is not told so`;
    case 'unknownLost':
      return `the next commit of ${where} is lost, and it is not told so`;
    case 'watchLate':
      return `the next watch of ${where} is late`;
    case 'watchLost':
      return `the next watch of ${where} is lost`;
  }
}
