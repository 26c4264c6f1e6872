import type { RegistryClient } from './client.js';

/** Lets everybody pull from a repository that is there. `owner`: of it. */
export async function makePublic(owner: RegistryClient, project: string, repository: string): Promise<void> {
  const path = `/api/v1/projects/${project}/repositories/${repository}/permissions`;
  const body = JSON.stringify({ principal: 'allUsers', role: 'artifact_store_viewer' });
  (await owner.request('POST', path, { headers: { 'content-type': 'application/json' }, body })).expect(201);
}
