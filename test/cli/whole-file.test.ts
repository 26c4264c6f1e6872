import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { FileError, writeWholeFile } from '../../src/cli/whole-file.js';
import { temporaryFolder } from '../support/processes.js';

async function* chunks(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

async function* failing(): AsyncGenerator<Buffer> {
  yield Buffer.from('half');
  throw new Error('the source broke');
}

test('a file is there when it is whole, in place of what was there', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'out'), 'before');
  await writeWholeFile(join(folder, 'out'), chunks('one ', 'two'));
  expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('one two');
  expect(readdirSync(folder)).toEqual(['out']);
});

test('of what broke off nothing stays, and what was there before does', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'out'), 'before');
  await expect(writeWholeFile(join(folder, 'out'), failing())).rejects.toThrow('the source broke');
  await expect(writeWholeFile(join(folder, 'new'), failing())).rejects.toThrow('the source broke');
  expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('before');
  expect(readdirSync(folder)).toEqual(['out']);
});

test('what cannot be written is named, before anything is read', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'sub'));
  await expect(writeWholeFile(join(folder, 'sub'), failing())).rejects.toThrow(FileError);
  await expect(writeWholeFile(join(folder, 'none', 'out'), failing())).rejects.toThrow(/none\/out cannot be written: ENOENT/);
});
