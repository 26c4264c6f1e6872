import { afterEach, expect, test } from 'vitest';

import type { Uid } from '../../src/identifiers.js';
import { createLines, localTime } from '../../src/cli/history-lines.js';
import type { HistoryEntry } from '../../src/projections/history-entries.js';

const uid = (digit: string): Uid => `0190a000-0000-7000-8000-${digit.repeat(12)}` as Uid;

const entry: HistoryEntry = {
  position: '1-000660dedd52faa800000001',
  time: '2026-11-22T14:05:33.123456Z',
  occurredAt: '2026-11-22T14:05:33.120000Z',
  id: uid('1'),
  kind: 'TagMoved',
  text: 'moved tag latest of team/backend from sha256:aaaaaaaaaaaa to sha256:bbbbbbbbbbbb',
  stream: `repository/${uid('4')}` as HistoryEntry['stream'],
  repository: { uid: uid('4'), id: 'backend', project: { uid: uid('5'), id: 'team' }, current: true },
  actor: { kind: 'user', uid: uid('a'), authentication: 'password', name: 'admin@localhost', text: 'admin@localhost' },
  client: { address: '10.0.0.7', userAgent: 'docker/27.1 go/go1.21 os/linux' },
  requestId: uid('2'),
  commandId: uid('3'),
  correlationId: uid('2'),
  payload: {},
};

const systemEntry = Object.fromEntries(Object.entries(entry).filter(([name]) => name !== 'client')) as unknown as HistoryEntry;

const zone = process.env['TZ'];
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

test('a line says when, who, how, from where and what', () => {
  process.env['TZ'] = 'UTC';
  expect(createLines({ colors: false, borders: 'changes' })(entry)).toBe(
    '2026-11-22 14:05:33.123456Z  admin@localhost (password, 10.0.0.7, docker/27.1)  ' +
      'moved tag latest of team/backend from sha256:aaaaaaaaaaaa to sha256:bbbbbbbbbbbb\n',
  );
});

test('times are local, and say how far from UTC', () => {
  process.env['TZ'] = 'Asia/Kolkata';
  expect(localTime(entry.time)).toBe('2026-11-22 19:35:33.123456+05:30');
  process.env['TZ'] = 'America/St_Johns';
  expect(localTime(entry.time)).toBe('2026-11-22 10:35:33.123456-03:30');
});

test('what was erased says so, what has a cause names it, and nobody is somebody', () => {
  process.env['TZ'] = 'UTC';
  const { kind, uid: who, authentication } = entry.actor;
  const text = `user ${uid('a')} (name erased)`;
  const erased = {
    ...entry,
    actor: { kind, uid: who, authentication, erased: true, text } as HistoryEntry['actor'],
    client: { erased: true } as const,
  };
  const line = createLines({ colors: false, borders: 'none' });
  expect(line({ ...erased, causationId: uid('6') })).toBe(
    `2026-11-22 14:05:33.123456Z  ${text} (password, client erased)  ${entry.text}, caused by event ${uid('6')}\n`,
  );
  const system = { kind: 'system', authentication: 'none', text: 'the registry or its operator' } as const;
  expect(line({ ...systemEntry, actor: system, commandId: uid('9') })).toContain('Z  the registry or its operator  moved');
});

test('the events of one command belong together', () => {
  const line = createLines({ colors: false, borders: 'none' });
  expect(line(entry)).toContain('  moved tag');
  expect(line(entry)).toContain('  and moved tag');
  expect(line({ ...entry, commandId: uid('9') })).toContain('  moved tag');
});

test('a line says where another repository begins', () => {
  const { repository } = entry;
  if (repository === undefined) throw new Error('no repository');
  const earlier = { ...entry, commandId: uid('8'), repository: { ...repository, uid: uid('7'), current: false } };
  const borders = (entries: readonly HistoryEntry[], of: 'all' | 'changes') => {
    const line = createLines({ colors: false, borders: of });
    return entries
      .map(line)
      .join('')
      .split('\n')
      .filter((text) => text.startsWith('--'));
  };
  expect(borders([earlier, entry, entry], 'all')).toEqual([
    `-- an earlier repository team/backend (${uid('7')}), which was deleted`,
    `-- another repository team/backend (${uid('4')}), which has the name now`,
  ]);
  expect(borders([entry, earlier], 'all')).toEqual([
    `-- repository team/backend (${uid('4')})`,
    `-- an earlier repository team/backend (${uid('7')}), which was deleted`,
  ]);
  expect(borders([entry, earlier], 'changes')).toHaveLength(1);
});

test('colors are where they were asked for, and nothing of a client moves the cursor', () => {
  const client = { address: '10.0.0.7', userAgent: '\u009b2Jevil\u202e/1' };
  // eslint-disable-next-line no-control-regex -- it looks for them
  const escapes = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;
  expect(createLines({ colors: true, borders: 'none' })(entry)).toContain('\u001b[36m');
  expect(createLines({ colors: false, borders: 'none' })({ ...entry, client })).not.toMatch(escapes);
});
