import { parseDigest, type Digest } from '../digest.js';
import { isManifestMediaType, isNonDistributable } from './manifest-document.js';

/** What a stored manifest keeps from being deleted. */
export interface Held {
  readonly kind: 'blob' | 'manifest';
  readonly digest: Digest;
}

/**
 * What a manifest of the log holds: config, layers and entries, each once; not its subject, nor layers that may not be distributed. For every manifest that a
 * push accepts this is what `descriptorsToFind` names (a test holds the two together), but nothing is refused here: a log outlives the rules of
 * pushing. test/golden/held/ keeps it as it is, for a change needs a new version of the projection that uses it. Throws on bytes that are no JSON object.
 */
export function heldBy(bytes: Buffer): readonly Held[] {
  const root: unknown = JSON.parse(bytes.toString());
  if (!isRecord(root)) throw new Error('a stored manifest is no JSON object');
  const held = new Map<string, Held>();
  const add = (descriptor: unknown, isEntry: boolean): void => {
    if (!isRecord(descriptor) || typeof descriptor['digest'] !== 'string') return;
    const mediaType = typeof descriptor['mediaType'] === 'string' ? descriptor['mediaType'] : '';
    const digest = parseDigest(descriptor['digest']);
    if (digest === undefined || isNonDistributable(mediaType)) return;
    const kind = isEntry && isManifestMediaType(mediaType) ? 'manifest' : 'blob';
    held.set(`${kind} ${digest}`, { kind, digest });
  };
  add(root['config'], false);
  for (const layer of listOf(root['layers'])) add(layer, false);
  for (const entry of listOf(root['manifests'])) add(entry, true);
  return [...held.values()];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}
