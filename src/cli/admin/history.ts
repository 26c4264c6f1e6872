import type { HistoryEntry } from '../../projections/history-entries.js';
import { Misused } from '../complaints.js';
import type { Command } from './command.js';
import { queryOf } from './paths.js';

const PAGE_MOST = 1_000;

/** `<things> history <thing>`, as `artifact-store history` shows it: the oldest first, and of many the newest. */
export function historyCommand(name: string, word: string, does: string, pathOf: (text: string) => string): Command {
  return {
    name: `${name} history`,
    words: [word],
    flags: ['since', 'until', 'kind', 'actor', 'limit', 'newest'],
    does,
    async run(client, [text = ''], { since, until, kind, actor, limit, newest = false }) {
      const most = limit === undefined ? Infinity : countIn(limit);
      const query = queryOf({ since, until, kind, actor, order: 'newest', limit: String(Math.min(most, PAGE_MOST)) });
      const found = (await client.list(`${pathOf(text)}/history${query}`, 'entries', most)) as unknown as readonly HistoryEntry[];
      return { entries: newest ? found : found.toReversed() };
    },
  };
}

function countIn(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new Misused(`--limit ${JSON.stringify(text)} is no whole number from 1 up`);
}
