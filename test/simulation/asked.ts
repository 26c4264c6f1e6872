import type { Position } from '../../src/events/position.js';
import type { RecordedEvent } from '../../src/events/types.js';
import type { Uid } from '../../src/identifiers.js';
import { differs, Model, type Command, type Commit } from './model.js';
import type { Answer } from './requests.js';

/** A request as it went. Versions are the store's newest at its beginning and its end: what it did and what it saw lies between. */
export interface Asked {
  readonly id: Uid;
  readonly step: number;
  readonly command: Command;
  readonly from: bigint;
  readonly to: bigint;
  readonly answer: Answer;
  /** The answer in the model's words; undefined where nothing was told. */
  readonly outcome: string | undefined;
  /** The outcome has a reason that the model does not know: a lost upload, two requests at once. */
  readonly excused: boolean;
}

export interface Violation {
  readonly invariant: string;
  readonly text: string;
  readonly step: number | undefined;
}

/** The commits of a log, in order. */
export function commitsOf(events: readonly RecordedEvent[]): readonly Commit[] {
  const commits: { version: bigint; stamp: string; events: RecordedEvent[] }[] = [];
  for (const event of events) {
    const stamp = event.position.stamp.toString('hex', 0, 10);
    const last = commits.at(-1);
    if (last?.stamp === stamp) last.events.push(event);
    else commits.push({ version: event.position.stamp.readBigUInt64BE(0), stamp, events: [event] });
  }
  return commits;
}

interface Open {
  readonly asked: Asked;
  readonly seen: Set<string>;
}

/**
 * Holds everything that clients asked, and were told, against the log. Each commit must be what the model makes of its request there; a request that changed
 * something must have done it between its beginning and its end; every other answer must have been right at some moment in between.
 */
export function checkAnswers(
  commits: readonly Commit[],
  asked: readonly Asked[],
  at: (position: Position, model: Model) => void = () => undefined,
): { readonly model: Model; readonly violations: readonly Violation[] } {
  const model = new Model();
  const violations: Violation[] = [];
  const violated = (invariant: string, text: string, step?: number): void => void violations.push({ invariant, text, step });
  const byId = new Map<Uid, Asked[]>();
  for (const one of asked) byId.set(one.id, [...(byId.get(one.id) ?? []), one]);
  const waiting = [...asked].sort((left, right) => (left.from < right.from ? -1 : left.from > right.from ? 1 : 0));
  let open: Open[] = [];
  let next = 0;
  const commandIds = new Set<Uid>();
  const changed = new Set<Asked>();

  // A moment is the time between two commits.
  const moment = (begin: bigint, end: bigint): void => {
    for (; next < waiting.length; next += 1) {
      const one = waiting[next];
      if (one === undefined || one.from >= end) break;
      if (one.outcome !== undefined && !one.excused) open.push({ asked: one, seen: new Set() });
    }
    open = open.filter(({ asked: one, seen }) => {
      if (changed.has(one)) return false;
      if (one.to < begin) {
        violated(
          'linearisable',
          `${show(one.command)} was told ${one.outcome}; it would have been ${[...seen].join(' or ')}`,
          one.step,
        );
        return false;
      }
      const { outcome, events } = model.predict(one.command);
      if (events.length === 0 && outcome === one.outcome) return false;
      seen.add(events.length === 0 ? outcome : `${outcome} with ${events.map(({ kind }) => kind).join(', ')}`);
      return true;
    });
  };

  let begin = 0n;
  for (const { version, events } of commits) {
    moment(begin, version);
    begin = version;
    const [first] = events;
    if (first === undefined) continue;
    const askers = byId.get(first.requestId);
    const step = askers?.[0]?.step;
    if (events.some((event) => event.commandId !== first.commandId)) violated('once', 'two commands in one commit', step);
    if (commandIds.has(first.commandId))
      violated('once', `command ${first.commandId} committed ${first.payload.kind} once more`, step);
    commandIds.add(first.commandId);
    const command = askers?.[0]?.command;
    if (command !== undefined) {
      const leaving = model.leaving.has(first.stream.slice(first.stream.indexOf('/') + 1) as Uid);
      const byPush = first.payload.kind === 'ProjectCreated' || first.payload.kind === 'RepositoryCreated';
      const prediction = leaving
        ? model.predictEmptying(first.stream.slice(first.stream.indexOf('/') + 1) as Uid)
        : byPush && command.kind !== 'create repository' && 'name' in command
          ? model.predictCreation(command.name)
          : model.predict(command);
      const wrong = differs(events, prediction.events);
      if (wrong !== undefined) violated('the model', `${show(command)} committed at ${version}: ${wrong}`, step);
      const main = !leaving && (!byPush || command.kind === 'create repository');
      for (const one of askers ?? []) {
        if (version <= one.from) violated('real time', `an event of ${show(command)} is older than it`, step);
        if (one.answer.kind === 'died' && version > one.to && askers?.length === 1)
          violated('real time', `a process that had died committed ${first.payload.kind}`, step);
        if (one.outcome === undefined || !main) continue;
        if (one.outcome === prediction.outcome) {
          if (version > one.to && askers?.length === 1)
            violated('acknowledged', `${show(command)} was told ${one.outcome} before it was committed`, step);
          changed.add(one);
        } else if (askers?.length === 1) {
          violated('told truly', `${show(command)} was told ${one.outcome}, and committed ${first.payload.kind}`, step);
        }
      }
    } else if (begin > 0n && !founding.has(first.payload.kind)) {
      violated('the model', `nobody asked for ${first.payload.kind}`, step);
    }
    for (const event of events) {
      const wrong = model.take(event);
      if (wrong !== undefined) violated('the model', wrong, step);
    }
    at(events.at(-1)?.position ?? first.position, model);
  }
  const end = 1n << 64n;
  moment(begin, end);
  for (const { asked: one, seen } of open) {
    violated(
      'linearisable',
      `${show(one.command)} was told ${one.outcome}; it would have been ${[...seen].join(' or ')}`,
      one.step,
    );
  }
  return { model, violations };
}

const founding = new Set(['OrganizationCreated', 'UserCreated', 'RoleGranted']);

function show(command: Command): string {
  return JSON.stringify(command, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
