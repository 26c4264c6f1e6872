import { join } from 'node:path';

import { algorithmOf, hexOf, parseDigest } from '../digest.js';
import { parseUid } from '../identifiers.js';
import type { BlobAddress } from './blob-store.js';
import { parseStagedName } from './staged-name.js';

/** Where a committed blob's file is. */
export interface Target {
  readonly address: BlobAddress;
  /** `blobs/<algorithm>/<first two hex>`: never removed. */
  readonly fan: string;
  /** `<fan>/<hex>`: removed with its last generation. */
  readonly directory: string;
  readonly path: string;
}

/** The paths of a blob store in a directory. What is no name of the store's is a TypeError: a path is never made of it. */
export interface LocalLayout {
  readonly root: string;
  readonly uploads: string;
  readonly blobs: string;
  readonly identity: string;
  readonly founded: string;
  staged(id: string): string;
  target(address: BlobAddress): Target;
  /** Where the bytes of a staged file are when they are committed. */
  targetOf(id: string, digest: BlobAddress['digest']): Target;
}

export function createLayout(root: string): LocalLayout {
  const uploads = join(root, 'uploads');
  const blobs = join(root, 'blobs');

  function target(address: BlobAddress): Target {
    const { digest, generation } = address;
    if (parseDigest(digest) === undefined) throw new TypeError(`${JSON.stringify(digest)} is no digest`);
    if (parseUid(generation) === undefined) throw new TypeError(`${JSON.stringify(generation)} is no generation`);
    const hex = hexOf(digest);
    const fan = `${blobs}/${algorithmOf(digest)}/${hex.slice(0, 2)}`;
    return { address, fan, directory: `${fan}/${hex}`, path: `${fan}/${hex}/${generation}` };
  }

  function nameOf(id: string) {
    const name = parseStagedName(id);
    if (name === undefined) throw new TypeError(`${JSON.stringify(id)} is no upload id`);
    return name;
  }

  return {
    root,
    uploads,
    blobs,
    identity: join(root, 'STORE'),
    founded: join(root, 'FOUNDED'),
    staged(id) {
      nameOf(id);
      return `${uploads}/${id}`;
    },
    target,
    targetOf: (id, digest) => target({ digest, generation: nameOf(id).file }),
  };
}
