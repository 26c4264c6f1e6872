// Transpiles src/ to dist/, file by file: `tsc --noEmit` checks the types, this only has to be fast enough for `npm start`.
import { cp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = (await readdir(join(root, 'src'), { recursive: true })).filter((file) => !file.endsWith('.d.ts'));

await rm(join(root, 'dist'), { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: files.filter((file) => file.endsWith('.ts')).map((file) => join('src', file)),
  outbase: 'src',
  outdir: 'dist',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
});
await Promise.all(
  files.filter((file) => file.endsWith('.js')).map((file) => cp(join(root, 'src', file), join(root, 'dist', file))),
);
