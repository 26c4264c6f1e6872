import type { HistoryEntry } from '../../projections/history-entries.js';
import { Misused } from '../complaints.js';
import type { Command } from './command.js';
import { api, part, queryOf } from './paths.js';

const PAGE_MOST = 1_000;

/** `<things> history <thing>`. */
export function historyCommand(name: string, word: string, does: string, pathOf: (text: string) => string): Command {
  return historyAt(`${name} history`, word, does, (text) => ({ path: pathOf(text) }));
}

interface HistoryPlace {
  readonly path: string;
  /** A uid. */
  readonly of?: string | undefined;
}

/** As `artifact-store history` shows it: the oldest first, and of many the newest. */
function historyAt(name: string, word: string, does: string, placeOf: (text: string) => HistoryPlace): Command {
  return {
    name,
    words: [word],
    flags: ['since', 'until', 'kind', 'actor', 'limit', 'newest'],
    does,
    async run(client, [text = ''], { since, until, kind, actor, limit, newest = false }) {
      const most = limit === undefined ? Infinity : countIn(limit);
      const { path, of } = placeOf(text);
      const query = queryOf({ of, since, until, kind, actor, order: 'newest', limit: String(Math.min(most, PAGE_MOST)) });
      const found = (await client.list(`${path}/history${query}`, 'entries', most)) as unknown as readonly HistoryEntry[];
      return { entries: newest ? found : found.toReversed() };
    },
  };
}

function countIn(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new Misused(`--limit ${JSON.stringify(text)} is no whole number from 1 up`);
}

/** What has no other place: of the platform whatever became of it, and of bytes whichever repositories have them. */
export const historyCommands: readonly Command[] = [
  historyAt(
    'history',
    '[<uid>]',
    'what happened to organizations, projects, people and service accounts, or to one that is gone',
    (uid) => ({ path: api, of: uid === '' ? undefined : uid }),
  ),
  historyCommand('content', '<digest>', 'what happened to bytes: who erased them', (digest) => `${api}/content/${part(digest)}`),
];
