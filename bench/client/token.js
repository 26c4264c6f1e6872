/** @typedef {import('../registry.js').Registry} Registry */

/**
 * The Authorization header's value for a scope, by the challenge of /v2/: a Bearer token where the registry asks for one, empty where
 * it asks for nothing.
 * @param {Registry} registry
 * @param {readonly string[]} scopes
 */
export async function authorize(registry, scopes) {
  const base = `http://127.0.0.1:${registry.port}`;
  const answer = await fetch(`${base}/v2/`);
  await answer.arrayBuffer();
  if (answer.status === 200) return '';
  const challenge = answer.headers.get('www-authenticate') ?? '';
  const realm = /realm="([^"]*)"/.exec(challenge)?.[1];
  if (!/^bearer /i.test(challenge) || realm === undefined)
    throw new Error(`GET /v2/: ${answer.status}, challenge "${challenge}"`);
  const url = new URL(realm, base);
  const service = /service="([^"]*)"/.exec(challenge)?.[1];
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const granted = await fetch(url, {
    headers: { authorization: `Basic ${Buffer.from(registry.kind.credentials ?? ':').toString('base64')}` },
  });
  const text = await granted.text();
  if (granted.status !== 200) throw new Error(`GET ${url.pathname}: ${granted.status} ${text.slice(0, 300)}`);
  const { token, access_token: accessToken } = JSON.parse(text);
  return `Bearer ${token ?? accessToken}`;
}

/** @param {string} name */
export const pushTo = (name) => `repository:${name}:pull,push`;
/** @param {string} name */
export const pullFrom = (name) => `repository:${name}:pull`;
export const listCatalog = 'registry:catalog:*';
