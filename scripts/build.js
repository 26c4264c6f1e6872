// Transpiles src/ to dist/, file by file: `tsc --noEmit` checks the types, this only has to be fast enough for `npm start`.
import { createHash } from 'node:crypto';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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

// What a half-made build of an index may be gone on with: the same code (src/release.ts).
const hash = createHash('sha256');
for (const file of files.filter((name) => /\.[jt]s$/.test(name)).sort()) {
  hash.update(`${file}\0`).update(await readFile(join(root, 'src', file)));
}
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
await writeFile(join(root, 'dist/release.json'), `${JSON.stringify({ version, sources: hash.digest('hex') })}\n`);
