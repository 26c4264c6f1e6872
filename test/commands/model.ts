import type { Digest } from '../../src/digest.js';
import type { TestManifest } from './fixture.js';

/** What may be asked of the registry, by names from a small world, so that actors meet. */
export type Step =
  | { readonly kind: 'create'; readonly name: string }
  | { readonly kind: 'push blob'; readonly name: string; readonly blob: number }
  | { readonly kind: 'mount'; readonly name: string; readonly blob: number; readonly from: string | undefined }
  | { readonly kind: 'push manifest'; readonly name: string; readonly manifest: number; readonly tags: readonly string[] }
  | { readonly kind: 'delete tag'; readonly name: string; readonly tag: string }
  | { readonly kind: 'delete manifest'; readonly name: string; readonly manifest: number }
  | { readonly kind: 'delete blob'; readonly name: string; readonly blob: number }
  | { readonly kind: 'delete repository'; readonly name: string };

export interface World {
  readonly blobs: readonly { readonly digest: Digest; readonly size: number }[];
  /** With what each of them needs. */
  readonly manifests: readonly (TestManifest & {
    readonly blobs: readonly number[];
    readonly children: readonly number[];
    readonly subject: number | undefined;
  })[];
}

interface Repository {
  readonly links: Set<number>;
  /** `<image>@<manifest>` and `<image>:<tag>`. */
  readonly manifests: Set<string>;
  readonly tags: Map<string, number>;
}

/** What the outcome of a step is, as far as a client could tell. */
export type Outcome = string;

/** The registry as a few sets in memory, one step after another. */
export class Model {
  readonly repositories = new Map<string, Repository>();

  constructor(readonly world: World) {}

  run(step: Step): Outcome {
    const { path, image } = taken(step.name);
    const repository = this.repositories.get(path);
    if (step.kind === 'create') {
      if (repository !== undefined) return 'found';
      this.repositories.set(path, { links: new Set(), manifests: new Set(), tags: new Map() });
      return 'created';
    }
    if (repository === undefined) return 'REPOSITORY_UNKNOWN';
    const { links, manifests, tags } = repository;
    switch (step.kind) {
      case 'push blob':
        links.add(step.blob);
        return 'linked';
      case 'mount': {
        const sources =
          step.from === undefined ? [...this.repositories.values()] : [this.repositories.get(taken(step.from).path)];
        if (!sources.some((source) => source?.links.has(step.blob) === true)) return 'not mounted';
        links.add(step.blob);
        return 'mounted';
      }
      case 'push manifest': {
        const key = `${image}@${step.manifest}`;
        const created = !manifests.has(key);
        const needs = this.world.manifests[step.manifest];
        if (created && needs?.blobs.some((blob) => !links.has(blob)) === true) return 'MANIFEST_BLOB_UNKNOWN';
        if (created && needs?.children.some((child) => !manifests.has(`${image}@${child}`)) === true)
          return 'MANIFEST_BLOB_UNKNOWN';
        manifests.add(key);
        for (const tag of step.tags) tags.set(`${image}:${tag}`, step.manifest);
        return created ? 'new' : 'known';
      }
      case 'delete tag':
        return tags.delete(`${image}:${step.tag}`) ? 'deleted' : 'MANIFEST_UNKNOWN';
      case 'delete manifest': {
        const key = `${image}@${step.manifest}`;
        if (!manifests.has(key)) return 'MANIFEST_UNKNOWN';
        const holds = (index: number): boolean => this.world.manifests[index]?.children.includes(step.manifest) === true;
        if (this.world.manifests.some((_, index) => holds(index) && manifests.has(`${image}@${index}`))) return 'MANIFEST_IN_USE';
        manifests.delete(key);
        for (const [tag, points] of tags) if (points === step.manifest && tag.startsWith(`${image}:`)) tags.delete(tag);
        return 'deleted';
      }
      case 'delete blob': {
        if (!links.has(step.blob)) return 'BLOB_UNKNOWN';
        const holders = [...manifests].filter((key) =>
          this.world.manifests[Number(key.split('@')[1])]?.blobs.includes(step.blob),
        );
        if (holders.length > 0) return 'BLOB_IN_USE';
        links.delete(step.blob);
        return 'deleted';
      }
      case 'delete repository':
        this.repositories.delete(path);
        return 'deleted';
    }
  }

  /** A line for each fact, in order. */
  facts(): readonly string[] {
    const lines: string[] = [];
    for (const [path, { links, manifests, tags }] of this.repositories) {
      lines.push(`${path} is there`);
      for (const blob of links) lines.push(`${path} links ${this.world.blobs[blob]?.digest}`);
      for (const key of manifests) {
        const [image = '', number] = key.split('@');
        const manifest = this.world.manifests[Number(number)];
        lines.push(`${path} ${image} has ${manifest?.digest}`);
        const subject = manifest?.subject === undefined ? undefined : this.world.manifests[manifest.subject];
        if (subject !== undefined) lines.push(`${path} ${image} ${manifest?.digest} refers to ${subject.digest}`);
      }
      for (const [key, manifest] of tags) {
        const [image, tag] = key.split(':');
        lines.push(`${path} ${image} ${tag} is ${this.world.manifests[manifest]?.digest}`);
      }
    }
    return lines.sort();
  }
}

export function taken(name: string): { readonly path: string; readonly image: string } {
  const [project, repository, ...image] = name.split('/');
  return { path: `${project}/${repository}`, image: image.join('/') };
}
