// Bundles the simulation (test/simulation/main.ts) with what it tests, and runs it: npm run simulate -- --help
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
// Inside the project, so that its packages are found.
const cache = join(root, 'node_modules/.cache');
const bundle = join(cache, `simulate-${process.pid}.mjs`);

mkdirSync(cache, { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: ['test/simulation/main.ts'],
  outfile: bundle,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  logLevel: 'warning',
  sourcemap: 'inline',
});
const child = spawn(process.execPath, ['--enable-source-maps', bundle, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('close', (code) => {
  rmSync(bundle, { force: true });
  process.exitCode = code ?? 1;
});
