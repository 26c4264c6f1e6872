import { pushImage } from '../../commands/fixture.js';
import type { Method } from '../api-fixture.js';
import { base, type Management } from './fixture.js';

/** A registry with one of everything, and of each operation of the description a request that is right there. */

export type Fields = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema: Fields;
}

export interface Operation {
  readonly id: string;
  readonly method: Method;
  /** With what its parameters name in place of them, once `fill` made it. */
  readonly path: string;
  readonly template: string;
  readonly parameters: readonly Parameter[];
  readonly body: Fields | undefined;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
}

/** What the parameters of a path name; a digest and a key are known when they are made. */
export const named: Record<string, string> = {
  organization: 'default',
  project: 'team',
  repository: 'backend',
  account: 'ci',
  user: 'ann@example.org',
  principal: 'ann@example.org',
  tag: 'latest',
  reference: 'latest',
};

export const bodies: Record<string, Fields> = {
  changeMyPassword: { current: 'none of mine', password: 'correct horse' },
  createUser: { email: 'bob@example.org', password: 'correct horse' },
  changeUser: { disabled: false },
  resetPassword: {},
  createOrganization: { displayName: 'New', description: 'Made', owner: 'ann@example.org' },
  describeOrganization: { displayName: 'ACME', description: 'Known' },
  createProject: { organization: 'default', displayName: 'New', description: 'Made' },
  describeProject: { displayName: 'Team', description: 'Known' },
  addOrganizationMember: { principal: 'ann@example.org', role: 'artifact_store_editor' },
  addProjectMember: { principal: 'ann@example.org', role: 'artifact_store_editor' },
  addRepositoryPermission: { principal: 'ann@example.org', role: 'artifact_store_editor' },
  setOrganizationMember: { role: 'artifact_store_editor' },
  setProjectMember: { role: 'artifact_store_editor' },
  setRepositoryPermission: { role: 'artifact_store_editor' },
  createServiceAccount: { displayName: 'New' },
  createKey: { expires: null },
  createRepository: { displayName: 'New', description: 'Made', immutableTagExemptions: ['latest'] },
  changeRepository: { displayName: 'Backend', description: 'Known', immutableTagExemptions: ['latest'] },
};

export async function operationsOf(api: Management): Promise<readonly Operation[]> {
  const answer = await api.app.inject({ url: `${base}/openapi.json`, headers: { host: 'registry.test' } });
  const paths = answer.json<Fields>()['paths'] as Readonly<Record<string, Readonly<Record<string, Fields>>>>;
  return Object.entries(paths).flatMap(([template, item]) =>
    Object.entries(item).map(([method, one]) => ({
      id: String(one['operationId']),
      method: method.toUpperCase() as Method,
      template,
      get path() {
        return template.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(named[name] ?? ''));
      },
      parameters: one['parameters'] as readonly Parameter[],
      body: bodyOf(one),
      security: one['security'] as Operation['security'],
    })),
  );
}

function bodyOf(operation: Fields): Fields | undefined {
  const content = (operation['requestBody'] as { readonly content?: Fields } | undefined)?.content;
  return (content?.['application/json'] as { readonly schema: Fields } | undefined)?.schema;
}

/** Makes what the requests name. */
export async function fill(api: Management): Promise<void> {
  // The first owner of the fixture has none.
  await api.done('POST', `/users/${api.owner.uid}/password`, {});
  await api.user('ann@example.org');
  await api.done('POST', '/projects', { id: 'team' });
  await api.done('POST', '/projects/team/repositories', { id: 'backend' });
  await api.done('POST', '/projects/team/service-accounts', { id: 'ci' });
  const key = await api.done('POST', '/projects/team/service-accounts/ci/keys', {});
  const image = await pushImage(api.at, 'team/backend', 'one', ['latest']);
  const role = { principal: 'ann@example.org', role: 'artifact_store_viewer' };
  for (const on of [
    '/organizations/default/members',
    '/projects/team/members',
    '/projects/team/repositories/backend/permissions',
  ]) {
    await api.done('POST', on, role);
  }
  named['key'] = String(key.body['key_id']);
  named['digest'] = image.digest;
  bodies['setTag'] = { digest: image.digest };
}
