import { readFileSync } from 'node:fs';

/**
 * This release, told apart from every other: its version and a hash of its sources, `0.2.0+1a2b3c4d`. Written by the build (scripts/build.js); sources that run by
 * themselves, as in tests, are the release `source`.
 */
export function readRelease(): string {
  try {
    const text = readFileSync(new URL('release.json', import.meta.url), 'utf8');
    const { version, sources } = JSON.parse(text) as { readonly version: string; readonly sources: string };
    return `${version}+${sources.slice(0, 8)}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'source';
    throw error;
  }
}
