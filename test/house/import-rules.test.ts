import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** DESIGN, section 2: who may import whom. */
const table: Readonly<Record<string, readonly string[]>> = {
  http: ['identity', 'commands', 'projections', 'events', 'blobs', 'keyvalue'],
  processes: ['identity', 'commands', 'projections', 'events', 'blobs', 'keyvalue'],
  commands: ['projections', 'events', 'blobs', 'keyvalue'],
  identity: ['projections', 'events', 'keyvalue'],
  projections: ['events', 'keyvalue'],
  events: ['keyvalue'],
  blobs: ['keyvalue'],
  keyvalue: [],
};
const folders = Object.keys(table);
/** The commands of the command line: a part of the composition root. */
const cli = 'cli';
const shared = ['errors', 'config', 'digest', 'identifiers'];

// The rules under test need no types; without them a file takes milliseconds.
const eslint = new ESLint({ cwd: root, overrideConfig: [tseslint.configs.disableTypeChecked] });

/** The rules that the lines break, line by line. */
async function broken(file: string, lines: readonly string[]): Promise<readonly (readonly string[])[]> {
  const [result] = await eslint.lintText(lines.join('\n'), { filePath: `${root}/${file}` });
  return lines.map((_, index) =>
    (result?.messages ?? [])
      .filter(({ line, ruleId }) => line === index + 1 && ruleId !== '@typescript-eslint/no-unused-vars')
      .map(({ ruleId }) => ruleId ?? 'unreadable'),
  );
}

function fileOf(folder: string): string {
  const name = readdirSync(`${root}/src/${folder}`).find((file) => file.endsWith('.ts'));
  if (name === undefined) throw new Error(`src/${folder} has no file`);
  return name;
}

/** Which of the targets a file may not import, whether it takes a value or a type or waits for it. */
async function forbidden(from: string, targets: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const names = Object.keys(targets);
  const forms = [
    (path: string) => `import { it } from '${path}';`,
    (path: string) => `import type { it } from '${path}';`,
    (path: string) => `export * from '${path}';`,
    (path: string) => `await import('${path}');`,
  ];
  const found = await Promise.all(
    forms.map(async (form) => {
      const lines = await broken(
        from,
        names.map((name) => form(targets[name] ?? '')),
      );
      return names.filter((_, index) => lines[index]?.includes('boundaries/dependencies'));
    }),
  );
  const [first] = found;
  for (const other of found) expect(other).toEqual(first);
  return first ?? [];
}

describe('the linter holds the table of imports', () => {
  test('every folder of src/ is in it', () => {
    const present = readdirSync(`${root}/src`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(present.map(({ name }) => name).sort()).toEqual([...folders, cli].sort());
  });

  const everything = {
    ...Object.fromEntries(folders.map((folder) => [folder, `../${folder}/${fileOf(folder).replace(/\.ts$/, '.js')}`])),
    ...Object.fromEntries(shared.map((name) => [name, `../${name}.js`])),
    cli: `../cli/${fileOf(cli).replace(/\.ts$/, '.js')}`,
    serve: '../serve.js',
    main: '../main.js',
    test: '../../test/support/server.js',
  };

  test.each(folders)('src/%s', async (folder) => {
    const allowed = [folder, ...(table[folder] ?? []), ...shared];
    const expected = Object.keys(everything).filter((target) => !allowed.includes(target));
    expect(await forbidden(`src/${folder}/${fileOf(folder)}`, everything)).toEqual(expected);
  });

  const fromRoot = Object.fromEntries(
    Object.entries(everything).map(([name, path]) => [name, path.replace(/^\.\.\/(?:\.\.\/)?/, name === 'test' ? '../' : './')]),
  );

  test('the shared files import only each other', async () => {
    const expected = Object.keys(fromRoot).filter((target) => !shared.includes(target));
    for (const name of shared) expect(await forbidden(`src/${name}.ts`, fromRoot)).toEqual(expected);
  });

  test('the composition root imports everything of src/', async () => {
    for (const name of ['main', 'serve', 'open-registry']) expect(await forbidden(`src/${name}.ts`, fromRoot)).toEqual(['test']);
    expect(await forbidden(`src/${cli}/${fileOf(cli)}`, everything)).toEqual(['test']);
  });
});

describe('the linter keeps clocks and chance out of', () => {
  const impure = [
    'export const a = Date.now();',
    'export const b = new Date();',
    'export const c = globalThis.Date.now();',
    'export const d = performance.now();',
    'export const e = Math.random();',
    'export const f = process.hrtime();',
    'export const g = crypto.randomUUID();',
    "import { randomBytes } from 'node:crypto';",
    "import type { Stats } from 'node:fs';",
    "import { readFileSync } from 'fs';",
    "import { v7 } from 'uuid';",
    "await import('node:fs');",
  ];

  const pure = [
    'export const h = Buffer.alloc(Math.max(1, 2));',
    "import type { Digest } from '../digest.js';",
    "import { it } from '../events/log.js';",
  ];

  test.each(['projections', 'commands'])('src/%s', async (folder) => {
    const lines = await broken(`src/${folder}/${fileOf(folder)}`, [...impure, ...pure]);
    expect(lines.map((rules) => rules.length > 0)).toEqual([...impure.map(() => true), ...pure.map(() => false)]);
  });
});

test('the linter refuses any, the non-null assertion and default exports', async () => {
  const rules = await broken('src/events/log.ts', [
    'export const a = (b: any) => b;',
    'export const c = (d?: 1) => d!;',
    'export default 1;',
  ]);
  expect(rules).toEqual([
    ['@typescript-eslint/no-explicit-any'],
    ['@typescript-eslint/no-non-null-assertion'],
    ['no-restricted-syntax'],
  ]);
});
