import { oneLine } from '../events/words.js';
import type { EntryRepository, HistoryEntry } from '../projections/history-entries.js';

type Style = 'time' | 'who' | 'border';
const codes: Readonly<Record<Style, string>> = { time: '2', who: '36', border: '33' };

export interface LineOptions {
  readonly colors: boolean;
  /** Several repositories come one after the other under one name: a line says where each begins. `changes`: not the first. */
  readonly borders: 'all' | 'changes' | 'none';
}

/** Entries as lines for people, one after the other: what belongs together shows. */
export function createLines({ colors, borders }: LineOptions): (entry: HistoryEntry) => string {
  const styled = (style: Style, text: string): string => (colors ? `\u001b[${codes[style]}m${text}\u001b[0m` : text);
  let last: HistoryEntry | undefined;
  return (entry) => {
    const { repository } = entry;
    const changed = repository !== undefined && repository.uid !== last?.repository?.uid;
    const another = changed && (borders === 'all' || (borders === 'changes' && last !== undefined));
    const border = another ? `${styled('border', borderInWords(repository, last === undefined))}\n` : '';
    // Events of one command are one change to whoever made it.
    const and = last?.commandId === entry.commandId && !another ? 'and ' : '';
    last = entry;
    const cause = entry.causationId === undefined ? '' : `, caused by event ${entry.causationId}`;
    return `${border}${styled('time', localTime(entry.time))}  ${styled('who', whoInWords(entry))}  ${and}${entry.text}${cause}\n`;
  };
}

function borderInWords({ uid, id, project, current }: EntryRepository, isFirst: boolean): string {
  const name = project.id === undefined ? id : `${project.id}/${id}`;
  if (isFirst && current) return `-- repository ${name} (${uid})`;
  return current
    ? `-- another repository ${name} (${uid}), which has the name now`
    : `-- an earlier repository ${name} (${uid}), which was deleted`;
}

const ways = { none: undefined, password: 'password', token: 'token', key: 'key' } as const;

function whoInWords({ actor, client }: HistoryEntry): string {
  const facts: (string | undefined)[] = [ways[actor.authentication]];
  if (client !== undefined && 'erased' in client) facts.push('client erased');
  // A user agent's first product says which client it was.
  else if (client !== undefined) facts.push(client.address, client.userAgent.split(' ', 1)[0]);
  const told = facts.filter((fact) => fact !== undefined && fact !== '').map((fact) => oneLine(fact ?? ''));
  return told.length === 0 ? actor.text : `${actor.text} (${told.join(', ')})`;
}

/** In the time zone of whoever reads, with all microseconds; `--since` takes it as it is. */
export function localTime(time: string): string {
  const date = new Date(`${time.slice(0, 23)}Z`);
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString();
  const digits = (value: number): string => String(value).padStart(2, '0');
  const zone =
    offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${digits(Math.floor(Math.abs(offset) / 60))}:${digits(Math.abs(offset) % 60)}`;
  return `${local.slice(0, 10)} ${local.slice(11, 23)}${time.slice(23, 26)}${zone}`;
}
