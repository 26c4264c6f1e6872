// Writes the golden files that are not there yet, from test/events/samples.ts. What is there is never written again: it is what stores hold.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const golden = join(root, 'test/golden');
// Inside the project, so that its packages are found.
const bundle = join(root, 'node_modules', `.golden-samples-${process.pid}.mjs`);

await build({
  absWorkingDir: root,
  entryPoints: ['test/events/samples.ts'],
  outfile: bundle,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  logLevel: 'warning',
});
try {
  const { goldenEvents, goldenKeys } = await import(pathToFileURL(bundle).href);
  for (const [path, sample] of goldenEvents()) writeNew(join(golden, `${path}.json`), sample);

  // Keys are in one file: new ones are added to it.
  const path = join(golden, 'keys.json');
  const known = JSON.parse(read(path) ?? '{}');
  const added = Object.entries(goldenKeys()).filter(([name]) => !(name in known));
  if (added.length > 0) writeFileSync(path, text({ ...known, ...Object.fromEntries(added) }));
  for (const [name] of added) console.log(`test/golden/keys.json: ${name}`);
} finally {
  rmSync(bundle);
}

function writeNew(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  try {
    writeFileSync(path, text(value), { flag: 'wx' });
    console.log(path.slice(root.length));
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  }
}

function text(value) {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
