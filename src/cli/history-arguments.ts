import { digestForm, parseDigest } from '../digest.js';
import { momentForm, parseMoment, type Moment } from '../events/database-time.js';
import type { EventKind } from '../events/types.js';
import { eventKinds, oneLine } from '../events/words.js';
import { parseName, parseTag, tagForm, type ImagePath } from '../identifiers.js';
import type { HistoryScope } from '../projections/history-scope.js';

export const historyUsage = `usage: artifact-store history <what> [options]

  <project>                             what happened to the project, and which repositories came and went
  <project>/<repository>                a repository, with all that ever bore its name
  <project>/<repository>/<image>        an image; <project>/<repository>: is the one under the repository's own name
  <image's name>:<tag>                  a tag
  <image's name>@<digest>               a manifest of an image; of a repository's name, a manifest or blob anywhere in it

  --since, --until <moment>             a time (2026-11-01T09:00:00Z), a position, or so long ago (90s, 30m, 2h, 7d, 4w)
  --kind <kind>[,<kind>]                only these kinds of events; one that is none lists them
  --actor <who>[,<who>]                 only these: login names, uids, system, anonymous
  -n, --limit <number>                  only the newest so many
  --newest                              the newest first; else the oldest first, as in a log file
  -f, --follow                          goes on with what happens, until Ctrl-C
  --json                                an entry a line (docs/api.md, "Entries")
  --ndjson <file>, --parquet <file>     into a file, which is there when it is whole`;

/** Moments of the past as people say them; durations count back from now, by the database's clock. */
export type Said = Moment | { readonly ago: number };

export interface HistoryArguments {
  /** As it was written. */
  readonly what: string;
  readonly scope: HistoryScope;
  readonly since: Said | undefined;
  readonly until: Said | undefined;
  readonly kinds: readonly EventKind[] | undefined;
  /** As they were written. */
  readonly actors: readonly string[] | undefined;
  readonly limit: number | undefined;
  readonly newestFirst: boolean;
  readonly follow: boolean;
  readonly output: { readonly form: 'lines' | 'json' } | { readonly form: 'ndjson' | 'parquet'; readonly file: string };
}

/** A command line that is not understood: one line that says what is accepted. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const valued = ['since', 'until', 'kind', 'actor', 'limit', 'parquet', 'ndjson'] as const;
const flags = ['json', 'follow', 'newest'] as const;
const short: Readonly<Record<string, string>> = { '-f': '--follow', '-n': '--limit' };

type Valued = (typeof valued)[number];
type Flag = (typeof flags)[number];

/** Throws UsageError. */
export function parseHistoryArguments(args: readonly string[]): HistoryArguments {
  const { words, values, given } = taken(args);
  const [what, ...more] = words;
  if (what === undefined)
    throw new UsageError('whose history? accepted is <project>, <project>/<repository>, an image, tag or digest of it');
  if (more.length > 0) throw new UsageError(`${shown(more[0] ?? '')} is one too many; the history of one thing is shown`);
  const follow = given.has('follow');
  const newestFirst = given.has('newest');
  const output = outputOf(values, given);
  if (follow && newestFirst) throw new UsageError('--follow and --newest exclude each other: what comes is shown below what was');
  if (follow && values.has('until')) throw new UsageError('--follow and --until exclude each other');
  if (follow && 'file' in output)
    throw new UsageError(`--follow and --${output.form} exclude each other: the file would never be whole`);
  return {
    what,
    scope: parseScope(what),
    since: momentOf(values, 'since'),
    until: momentOf(values, 'until'),
    kinds: values.get('kind')?.split(',').map(kindOf),
    actors: values.get('actor')?.split(',').map(actorOf),
    limit: limitOf(values.get('limit')),
    newestFirst,
    follow,
    output,
  };
}

function taken(args: readonly string[]) {
  const words: string[] = [];
  const values = new Map<Valued, string>();
  const given = new Set<Flag>();
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [, name = '', inline] = /^--([^=]*)(?:=(.*))?$/s.exec(short[arg] ?? arg) ?? [];
    const flag = flags.find((one) => one === name);
    const option = valued.find((one) => one === name);
    if (!arg.startsWith('-') || arg === '-') words.push(arg);
    else if (flag !== undefined && inline === undefined) given.add(flag);
    else if (option !== undefined) {
      const value = inline ?? rest.shift();
      if (value === undefined || value === '') throw new UsageError(`--${option} has no value`);
      if (values.has(option)) throw new UsageError(`--${option} is given twice`);
      values.set(option, value);
    } else {
      throw new UsageError(
        `${shown(arg)} is no option of history; accepted are ${[...flags, ...valued].map((one) => `--${one}`).join(', ')}`,
      );
    }
  }
  return { words, values, given };
}

function outputOf(values: ReadonlyMap<Valued, string>, given: ReadonlySet<Flag>): HistoryArguments['output'] {
  const files = (['ndjson', 'parquet'] as const).flatMap((form) => {
    const file = values.get(form);
    return file === undefined ? [] : [{ form, file }];
  });
  if (files.length + (given.has('json') ? 1 : 0) > 1)
    throw new UsageError('one of --json, --ndjson and --parquet is accepted, not several');
  return files[0] ?? { form: given.has('json') ? 'json' : 'lines' };
}

function parseScope(what: string): HistoryScope {
  const at = what.indexOf('@');
  if (at >= 0) {
    const name = what.slice(0, at);
    const digest = digestOf(what, name, what.slice(at + 1));
    return { ...scopeOf(what, name), digest };
  }
  const colon = what.lastIndexOf(':');
  if (colon <= what.lastIndexOf('/')) return scopeOf(what, what);
  const name = scopeOf(what, what.slice(0, colon));
  if (name.repository === undefined) {
    throw new UsageError(`${shown(what)}: a project has no tags; accepted is <project>/<repository>[/<image>]:<tag>`);
  }
  // As in a pull: without an image's path it is the image under the repository's own name.
  const image = { ...name, image: name.image ?? ('' as ImagePath) };
  const text = what.slice(colon + 1);
  if (text === '') return image;
  const tag = parseTag(text);
  if (tag === undefined) throw new UsageError(`${shown(text)} is no tag; accepted is ${tagForm}`);
  return { ...image, tag };
}

function scopeOf(what: string, text: string): HistoryScope {
  const ofProject = text !== '' && !text.includes('/');
  const name = parseName(ofProject ? `${text}/any` : text);
  if ('problem' in name) {
    throw new UsageError(
      `${shown(what)} names nothing: ${name.reason}; accepted is <project>, or <project>/<repository>[/<image>][:<tag> or @<digest>]`,
    );
  }
  if (ofProject) return { project: name.project };
  return { project: name.project, repository: name.repository, ...(name.image === '' ? {} : { image: name.image }) };
}

function digestOf(what: string, name: string, text: string) {
  if (!name.includes('/'))
    throw new UsageError(`${shown(what)}: a project has no digests; accepted is <project>/<repository>[/<image>]@<digest>`);
  if (name.lastIndexOf(':') > name.lastIndexOf('/'))
    throw new UsageError(`${shown(what)} has a tag and a digest; the history of one of them is shown`);
  const digest = parseDigest(text);
  if (digest !== undefined) return digest;
  throw new UsageError(`${shown(text)} is not a whole digest; accepted is ${digestForm} (--json shows them whole)`);
}

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

function momentOf(values: ReadonlyMap<Valued, string>, option: 'since' | 'until'): Said | undefined {
  const text = values.get(option);
  if (text === undefined) return undefined;
  const [, count, unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  if (count !== undefined) return { ago: Number(count) * (seconds[unit] ?? 0) * 1_000_000 };
  // As the lines show it.
  const moment = parseMoment(text.replace(/^(\d{4}-\d\d-\d\d) /, '$1T'));
  if (!('reason' in moment)) return moment;
  throw new UsageError(
    `--${option}: ${oneLine(moment.reason.replace(momentForm, `${momentForm}, or so long ago like 90s, 30m, 2h, 7d or 4w`), 1_000)}`,
  );
}

function kindOf(text: string): EventKind {
  const kind = eventKinds.find((one) => one.toLowerCase() === text.toLowerCase());
  if (kind !== undefined) return kind;
  throw new UsageError(`${shown(text)} is no kind of event; accepted are ${eventKinds.join(', ')}`);
}

function actorOf(text: string): string {
  if (text === '') throw new UsageError('--actor has an empty name; accepted are login names, uids, system and anonymous');
  return text;
}

function limitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new UsageError(`--limit ${shown(text)} is no whole number from 1 up`);
}

function shown(text: string): string {
  return JSON.stringify(oneLine(text));
}
