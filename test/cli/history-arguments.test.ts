import { expect, test } from 'vitest';

import { eventKinds } from '../../src/events/words.js';
import { parseHistoryArguments, UsageError } from '../../src/cli/history-arguments.js';

const digest = `sha256:${'a1'.repeat(32)}`;

test.each([
  ['team', { project: 'team' }],
  ['team/backend', { project: 'team', repository: 'backend' }],
  ['team/backend/api', { project: 'team', repository: 'backend', image: 'api' }],
  ['team/backend/api/v2', { project: 'team', repository: 'backend', image: 'api/v2' }],
  ['team/backend:', { project: 'team', repository: 'backend', image: '' }],
  ['team/backend/api:', { project: 'team', repository: 'backend', image: 'api' }],
  ['team/backend:latest', { project: 'team', repository: 'backend', image: '', tag: 'latest' }],
  ['team/backend/api:v1', { project: 'team', repository: 'backend', image: 'api', tag: 'v1' }],
  [`team/backend@${digest}`, { project: 'team', repository: 'backend', digest }],
  [`team/backend/api@${digest}`, { project: 'team', repository: 'backend', image: 'api', digest }],
])('%s is whose history is asked', (what, scope) => {
  expect(parseHistoryArguments([what]).scope).toEqual(scope);
});

test('without options it is all, the oldest first, in lines', () => {
  expect(parseHistoryArguments(['team'])).toEqual({
    what: 'team',
    scope: { project: 'team' },
    since: undefined,
    until: undefined,
    kinds: undefined,
    actors: undefined,
    limit: undefined,
    newestFirst: false,
    follow: false,
    output: { form: 'lines' },
  });
});

test.each([
  [['--since', '2h'], { since: { ago: 7_200_000_000 } }],
  [['--since=90s'], { since: { ago: 90_000_000 } }],
  [['--until', '4w'], { until: { ago: 2_419_200_000_000 } }],
  [['--since', '2026-11-01T09:00:00Z'], { since: { time: 1_793_523_600_000_000 } }],
  [['--since', '2026-11-01 10:00:00.000001+01:00'], { since: { time: 1_793_523_600_000_001 } }],
  [['--since', `1-${'0'.repeat(24)}`], { since: { position: { incarnation: 1, stamp: Buffer.alloc(12) } } }],
  [['--kind', 'tagmoved,TagDeleted'], { kinds: ['TagMoved', 'TagDeleted'] }],
  [['--actor', 'alice@example.test,system'], { actors: ['alice@example.test', 'system'] }],
  [['-n', '5', '--newest'], { limit: 5, newestFirst: true }],
  [['-f', '--json'], { follow: true, output: { form: 'json' } }],
  [['--parquet', 'a b'], { output: { form: 'parquet', file: 'a b' } }],
])('%j is understood, before and behind', (options, expected) => {
  expect(parseHistoryArguments(['team', ...options])).toMatchObject(expected);
  expect(parseHistoryArguments([...options, 'team'])).toMatchObject(expected);
});

test.each([
  [[], /whose history\?/],
  [['team', 'other'], /"other" is one too many/],
  [['Team'], /"Team" names nothing: .*"Team"/],
  [['localhost:7111/team/backend'], /names nothing/],
  [[''], /names nothing/],
  [['team/'], /names nothing/],
  [['team:latest'], /a project has no tags/],
  [[`team@${digest}`], /a project has no digests/],
  [[`team/backend:latest@${digest}`], /a tag and a digest/],
  [['team/backend@sha256:1234567890ab'], /not a whole digest/],
  [['team/backend:a b'], /"a b" is no tag/],
  [['team', '--foo'], /"--foo" is no option of history; accepted are --json, --follow/],
  [['team', '-x'], /"-x" is no option/],
  [['team', '--json=yes'], /"--json=yes" is no option/],
  [['team', '--since'], /--since has no value/],
  [['team', '--since='], /--since has no value/],
  [['team', '--limit', '1', '-n', '2'], /--limit is given twice/],
  [['team', '--since', 'yesterday'], /--since: "yesterday" .* or so long ago like 90s, 30m, 2h, 7d or 4w$/],
  [['team', '--kind', 'Pushed'], new RegExp(`"Pushed" is no kind of event; accepted are ${eventKinds.join(', ')}`)],
  [['team', '--actor', 'a,'], /--actor has an empty name/],
  [['team', '--limit', '0'], /--limit "0" is no whole number from 1 up/],
  [['team', '--follow', '--newest'], /--follow and --newest exclude each other/],
  [['team', '--follow', '--until', '1h'], /--follow and --until exclude each other/],
  [['team', '--follow', '--parquet', 'f'], /--follow and --parquet exclude each other/],
  [['team', '--json', '--ndjson', 'f'], /one of --json, --ndjson and --parquet/],
] as const)('%j is refused in one line that says what is accepted', (args, message) => {
  const parse = () => parseHistoryArguments(args);
  expect(parse).toThrow(UsageError);
  expect(parse).toThrow(message);
  expect(parse).not.toThrow(/\n/);
});
