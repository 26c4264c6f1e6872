/** What a path under /v2/ asks for. OCI distribution 1.1, "Endpoints". */
export type RegistryPath =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly name: string }
  | { readonly kind: 'manifest'; readonly name: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly name: string; readonly digest: string }
  | { readonly kind: 'uploads'; readonly name: string }
  | { readonly kind: 'upload'; readonly name: string; readonly upload: string }
  | { readonly kind: 'referrers'; readonly name: string; readonly digest: string };

// A name has slashes of its own, so paths are read from their ends. Its characters need no escapes: one that has them is no name.
const tags = /^(.+)\/tags\/list$/;
const uploads = /^(.+)\/blobs\/uploads\/?$/;
const upload = /^(.+)\/blobs\/uploads\/([^/]+)$/;
const other = /^(.+)\/(manifests|blobs|referrers)\/([^/]+)$/;

/** `path`: behind `/v2`, without the query. Undefined when nothing is served there. */
export function parseRegistryPath(path: string): RegistryPath | undefined {
  if (path === '' || path === '/') return { kind: 'base' };
  if (path === '/_catalog') return { kind: 'catalog' };
  const rest = path.slice(1);
  const [, tagged] = tags.exec(rest) ?? [];
  if (tagged !== undefined) return { kind: 'tags', name: tagged };
  const [, begun] = uploads.exec(rest) ?? [];
  if (begun !== undefined) return { kind: 'uploads', name: begun };
  const [, uploading, id] = upload.exec(rest) ?? [];
  if (uploading !== undefined && id !== undefined) return { kind: 'upload', name: uploading, upload: id };
  const [, name, kind, last] = other.exec(rest) ?? [];
  if (name === undefined || last === undefined) return undefined;
  const decoded = decode(last);
  if (kind === 'manifests') return { kind: 'manifest', name, reference: decoded };
  return kind === 'blobs' ? { kind: 'blob', name, digest: decoded } : { kind: 'referrers', name, digest: decoded };
}

// Some clients write a digest's colon as %3A. What can't be decoded is no reference and is refused as it stands.
function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
