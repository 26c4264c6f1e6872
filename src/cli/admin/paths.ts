import { Misused } from '../complaints.js';

export const api = '/api/v1';

/** As a part of a path. Where it is `..`, a URL means what is above: what was to delete a tag would delete the repository. */
export function part(text: string): string {
  if (text === '' || text === '.' || text === '..') throw new Misused(`${JSON.stringify(text)} names nothing`);
  return encodeURIComponent(text);
}

/** What is given of the parameters, with its question mark. */
export function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

/** Of `<project>/<id>`. */
export function splitName(text: string, form: string): readonly [project: string, id: string] {
  const [project = '', id = '', ...more] = text.split('/');
  if (project === '' || id === '' || more.length > 0) throw new Misused(`${JSON.stringify(text)} is not ${form}`);
  return [project, id];
}

export const organizationPath = (id: string): string => `${api}/organizations/${part(id)}`;
export const projectPath = (id: string): string => `${api}/projects/${part(id)}`;
export const userPath = (user: string): string => `${api}/users/${part(user)}`;

export function repositoryPath(text: string): string {
  const [project, id] = splitName(text, '<project>/<repository>');
  return `${projectPath(project)}/repositories/${part(id)}`;
}

export function accountPath(text: string): string {
  const [project, id] = splitName(text, '<project>/<account>');
  return `${projectPath(project)}/service-accounts/${part(id)}`;
}

/** Where an image is: its repository's path, and what it is called there; of the one under the repository's own name nothing. */
export interface ImagePlace {
  readonly repository: string;
  readonly image: string | undefined;
}

export const imageForm = '<project>/<repository>[/<image>]';

export function imagePlace(text: string): ImagePlace {
  const [project = '', repository = '', ...image] = text.split('/');
  if (project === '' || repository === '' || /[:@]/.test(text)) throw new Misused(`${JSON.stringify(text)} is not ${imageForm}`);
  return {
    repository: repositoryPath(`${project}/${repository}`),
    image: image.length === 0 ? undefined : image.join('/'),
  };
}

/** Of `<image>:<tag>`. */
export function tagPath(text: string): string {
  const colon = text.lastIndexOf(':');
  if (colon <= text.lastIndexOf('/') || text.includes('@'))
    throw new Misused(`${JSON.stringify(text)} is not ${imageForm}:<tag>`);
  const { repository, image } = imagePlace(text.slice(0, colon));
  return `${repository}/tags/${part(text.slice(colon + 1))}${queryOf({ image })}`;
}

/** Of `<image>@<digest>`. */
export function digestPath(text: string): string {
  const at = text.indexOf('@');
  if (at < 0) throw new Misused(`${JSON.stringify(text)} is not ${imageForm}@<digest>`);
  const { repository, image } = imagePlace(text.slice(0, at));
  return `${repository}/digests/${part(text.slice(at + 1))}${queryOf({ image })}`;
}

/** What roles are on, with what they are called there. */
export function rolesOn(text: string): { readonly path: string; readonly list: 'members' | 'permissions' } {
  const [kind = '', ...rest] = text.split('/');
  const [first = '', second] = rest;
  if (kind === 'organization' && rest.length === 1) return { path: `${organizationPath(first)}/members`, list: 'members' };
  if (kind === 'project' && rest.length === 1) return { path: `${projectPath(first)}/members`, list: 'members' };
  if (kind === 'repository' && rest.length === 2 && second !== undefined)
    return { path: `${repositoryPath(rest.join('/'))}/permissions`, list: 'permissions' };
  throw new Misused(`${JSON.stringify(text)} is not organization/<id>, project/<id> or repository/<project>/<id>`);
}
