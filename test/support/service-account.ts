import type { RegistryClient } from './client.js';

/** A key file as the registry gave it out. */
export interface GivenKey {
  readonly project: string;
  readonly account: string;
  readonly key_id: string;
  readonly private_key: string;
  /** The whole file. */
  readonly text: string;
}

const json = { 'content-type': 'application/json' };

/** Makes a service account with a role on its project, and a key of it. `owner`: of the project. */
export async function makeServiceAccount(
  owner: RegistryClient,
  project: string,
  id: string,
  role = 'artifact_store_editor',
): Promise<GivenKey> {
  const post = async (path: string, body: object) =>
    (await owner.request('POST', `/api/v1/projects/${project}/${path}`, { headers: json, body: JSON.stringify(body) })).expect(
      201,
    );
  await post('service-accounts', { id });
  await post('members', { principal: `${project}/${id}`, role });
  return readKey(await post(`service-accounts/${id}/keys`, {}));
}

export async function makeKey(owner: RegistryClient, { project, account }: GivenKey, body: object = {}): Promise<GivenKey> {
  const path = `/api/v1/projects/${project}/service-accounts/${account}/keys`;
  return readKey((await owner.request('POST', path, { headers: json, body: JSON.stringify(body) })).expect(201));
}

export async function revokeKey(owner: RegistryClient, { project, account, key_id: key }: GivenKey): Promise<void> {
  (await owner.request('DELETE', `/api/v1/projects/${project}/service-accounts/${account}/keys/${key}`)).expect(204);
}

function readKey(answer: { text(): string; json(): unknown }): GivenKey {
  return { ...(answer.json() as Omit<GivenKey, 'text'>), text: answer.text() };
}
