import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { digestOf, mediaTypes, type Content, type Descriptor, type Image, type ImageIndex } from './images.js';
import type { Server } from './server.js';

export * from './images.js';

const manifestTypes = [mediaTypes.ociManifest, mediaTypes.ociIndex, mediaTypes.dockerManifest, mediaTypes.dockerList].join(', ');

export interface ClientOptions {
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Certificates to trust besides the machine's, PEM. */
  readonly ca?: string | undefined;
  /** Default false: a connection for each request, so that a server's restart is never met by a stale one. */
  readonly keepAlive?: boolean;
  /** All requests go to this unix socket, whatever the address in their URL. */
  readonly socketPath?: string | undefined;
}

export type Auth =
  /** A token for `scopes`, or for what the path seems to need; kept for later requests. */
  'bearer' | 'basic' | 'none' | { readonly token: string };

export type Body = string | Uint8Array | AsyncIterable<Uint8Array>;

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes are sent with their length, an iterable chunked. */
  readonly body?: Body | undefined;
  /** Default: bearer below /v2/, basic elsewhere; none for a client without a user. */
  readonly auth?: Auth;
  readonly scopes?: readonly string[];
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export class Answer {
  constructor(
    readonly request: string,
    readonly status: number,
    readonly headers: IncomingHttpHeaders,
    readonly body: Buffer,
  ) {}

  header(name: string): string | undefined {
    const value = this.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  text(): string {
    return this.body.toString();
  }

  json(): unknown {
    return JSON.parse(this.text());
  }

  /** The codes of an error answer of the distribution specification. */
  codes(): readonly string[] {
    const value = this.json();
    if (typeof value !== 'object' || value === null || !('errors' in value) || !Array.isArray(value.errors)) return [];
    return value.errors.map((error: unknown) =>
      typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '',
    );
  }

  /** Itself, when its status is one of these; else an error that shows it. */
  expect(...statuses: readonly number[]): this {
    if (statuses.includes(this.status)) return this;
    throw new Error(
      `${this.request}\nwas answered ${this.status}, not ${statuses.join(' or ')}\n${JSON.stringify(this.headers, null, 1)}\n${this.text().slice(0, 2_000)}`,
    );
  }
}

export interface PushBlobOptions {
  /**
   * `monolithic`: POST, then PUT with the bytes. `single`: one POST with the digest and the bytes. `chunked`: POST, a PATCH with
   * Content-Range for each chunk, an empty PUT. `streamed`: POST, one PATCH without a length, an empty PUT, as docker does it.
   */
  readonly how?: 'monolithic' | 'single' | 'chunked' | 'streamed';
  readonly chunkBytes?: number;
  readonly digest?: string;
}

interface ImageDocument {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

interface IndexDocument {
  readonly manifests: readonly Descriptor[];
}

export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** A small client of the distribution protocol that shows its answers as they are; what it pulls it compares with the digest. */
export class RegistryClient {
  readonly url: string;
  readonly user: string | undefined;
  readonly #options: ClientOptions;
  readonly #agent: HttpAgent;
  readonly #tokens = new Map<string, { readonly token: string; readonly until: number }>();

  constructor(options: ClientOptions) {
    this.url = options.url;
    this.user = options.user;
    this.#options = options;
    const keepAlive = options.keepAlive ?? false;
    this.#agent = options.url.startsWith('https:')
      ? new HttpsAgent({ keepAlive, ...(options.ca === undefined ? {} : { ca: options.ca }) })
      : new HttpAgent({ keepAlive });
  }

  /** The same registry for somebody else; without arguments for nobody. */
  as(user?: string, password?: string): RegistryClient {
    return new RegistryClient({ ...this.#options, user, password });
  }

  /** Ends the connections that are kept alive. */
  close(): void {
    this.#agent.destroy();
  }

  async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const url = new URL(path, this.url);
    const authorization = await this.#authorization(url, options);
    return this.#send(method, url, {
      ...options,
      headers: { ...(authorization === undefined ? {} : { authorization }), ...options.headers },
    });
  }

  async #authorization(url: URL, options: RequestOptions): Promise<string | undefined> {
    const isProtocol = url.pathname === '/v2' || url.pathname.startsWith('/v2/');
    const auth = options.auth ?? (this.user === undefined ? 'none' : isProtocol ? 'bearer' : 'basic');
    if (auth === 'none') return undefined;
    if (auth === 'basic') return this.basic();
    const token = typeof auth === 'object' ? auth.token : await this.token(options.scopes ?? scopesFor(url));
    return `Bearer ${token}`;
  }

  /** The value of an Authorization header with the client's user and password. */
  basic(): string {
    return `Basic ${Buffer.from(`${this.user ?? ''}:${this.#options.password ?? ''}`).toString('base64')}`;
  }

  /** A token as container engines get it: from the realm of the challenge, by GET, with Basic credentials if there is a user. */
  async token(scopes: readonly string[]): Promise<string> {
    const key = scopes.join(' ');
    const known = this.#tokens.get(key);
    if (known !== undefined && known.until > Date.now()) return known.token;
    const answer = (await this.askForToken(scopes)).expect(200);
    const value = answer.json();
    if (typeof value !== 'object' || value === null || !('token' in value) || typeof value.token !== 'string') {
      throw new Error(`${answer.request}\ngave no token: ${answer.text()}`);
    }
    const seconds = 'expires_in' in value && typeof value.expires_in === 'number' ? value.expires_in : 60;
    this.#tokens.set(key, { token: value.token, until: Date.now() + (seconds * 1_000) / 2 });
    return value.token;
  }

  async askForToken(scopes: readonly string[]): Promise<Answer> {
    const { parameters } = parseChallenge(
      (await this.request('GET', '/v2/', { auth: 'none' })).expect(401).header('www-authenticate') ?? '',
    );
    const url = new URL(parameters['realm'] ?? '/token', this.url);
    if (parameters['service'] !== undefined) url.searchParams.set('service', parameters['service']);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    return this.#send('GET', url, { headers: this.user === undefined ? {} : { authorization: this.basic() } });
  }

  /** Drops the tokens that were kept, so that the next request asks anew. */
  forgetTokens(): void {
    this.#tokens.clear();
  }

  #send(method: string, url: URL, options: RequestOptions): Promise<Answer> {
    const { body, timeoutMs = 30_000 } = options;
    const { socketPath } = this.#options;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body instanceof Uint8Array ? body : undefined;
    const length: Record<string, string> =
      bytes !== undefined || (body === undefined && ['POST', 'PUT', 'PATCH'].includes(method))
        ? { 'content-length': String(bytes?.length ?? 0) }
        : {};
    const line = `${method} ${url.pathname}${url.search}`;
    return new Promise((resolve, reject) => {
      const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
        method,
        agent: this.#agent,
        ...(socketPath === undefined ? {} : { socketPath }),
        headers: { ...length, ...options.headers },
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      // The time counts from the last byte in either direction.
      request.setTimeout(timeoutMs, () => request.destroy(new Error(`${line}\nwas not answered within ${timeoutMs} ms`)));
      request.on('error', reject);
      request.on('response', (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => resolve(new Answer(line, response.statusCode ?? 0, response.headers, Buffer.concat(parts))));
      });
      if (bytes !== undefined) request.end(bytes);
      else if (body === undefined) request.end();
      else pipeline(body as AsyncIterable<Uint8Array>, request).catch(reject);
    });
  }

  /** Opens an upload and gives its address. */
  async startUpload(name: string, query = ''): Promise<URL> {
    return this.location((await this.request('POST', `/v2/${name}/blobs/uploads/${query}`)).expect(202));
  }

  location(answer: Answer): URL {
    const location = answer.header('location');
    if (location === undefined) throw new Error(`${answer.request}\nwas answered ${answer.status} without Location`);
    return new URL(location, this.url);
  }

  /** The PUT that ends an upload, with the last bytes or without. */
  finishUpload(upload: URL, digest: string, body?: Uint8Array): Promise<Answer> {
    const url = new URL(upload);
    url.searchParams.set('digest', digest);
    return this.request('PUT', url.href, { body, headers: { 'content-type': 'application/octet-stream' } });
  }

  async pushBlob(name: string, bytes: Uint8Array, options: PushBlobOptions = {}): Promise<string> {
    const { how = 'monolithic', digest = digestOf(bytes), chunkBytes = 1 << 20 } = options;
    const headers = { 'content-type': 'application/octet-stream' };
    if (how === 'single') {
      const path = `/v2/${name}/blobs/uploads/?digest=${encodeURIComponent(digest)}`;
      const answer = (await this.request('POST', path, { body: bytes, headers })).expect(201, 202);
      // A registry may answer the single POST as an ordinary one.
      if (answer.status === 202) (await this.finishUpload(this.location(answer), digest, bytes)).expect(201);
      return digest;
    }
    let upload = await this.startUpload(name);
    if (how === 'monolithic') {
      (await this.finishUpload(upload, digest, bytes)).expect(201);
      return digest;
    }
    const chunks = how === 'streamed' ? [oneByOne(bytes, chunkBytes)] : [...slices(bytes, chunkBytes)];
    let offset = 0;
    for (const body of chunks) {
      const range = body instanceof Uint8Array ? { 'content-range': `${offset}-${offset + body.length - 1}` } : {};
      const answer = (await this.request('PATCH', upload.href, { body, headers: { ...headers, ...range } })).expect(202);
      upload = this.location(answer);
      if (body instanceof Uint8Array) offset += body.length;
    }
    (await this.finishUpload(upload, digest)).expect(201);
    return digest;
  }

  /** 201 when it was mounted, 202 when an ordinary upload was opened. */
  mountBlob(name: string, digest: string, from?: string): Promise<Answer> {
    const source = from === undefined ? '' : `&from=${encodeURIComponent(from)}`;
    return this.request('POST', `/v2/${name}/blobs/uploads/?mount=${encodeURIComponent(digest)}${source}`);
  }

  putManifest(name: string, reference: string, bytes: Uint8Array | string, mediaType: string): Promise<Answer> {
    return this.request('PUT', `/v2/${name}/manifests/${reference}`, { body: bytes, headers: { 'content-type': mediaType } });
  }

  async pushManifest(name: string, reference: string, manifest: Content): Promise<string> {
    (await this.putManifest(name, reference, manifest.bytes, manifest.mediaType)).expect(201);
    return manifest.digest;
  }

  /** The blobs, each digest once, then the manifest. */
  async pushImage(name: string, reference: string, image: Image, options: PushBlobOptions = {}): Promise<string> {
    const blobs = new Map([image.config, ...image.layers].map((blob) => [blob.digest, blob.bytes]));
    for (const [digest, bytes] of blobs) await this.pushBlob(name, bytes, { ...options, digest });
    return this.pushManifest(name, reference, image.manifest);
  }

  async pushIndex(name: string, reference: string, index: ImageIndex): Promise<string> {
    for (const image of index.images) await this.pushImage(name, image.manifest.digest, image);
    return this.pushManifest(name, reference, index.manifest);
  }

  getManifest(name: string, reference: string, accept = manifestTypes): Promise<Answer> {
    return this.request('GET', `/v2/${name}/manifests/${reference}`, { headers: { accept } });
  }

  headManifest(name: string, reference: string, accept = manifestTypes): Promise<Answer> {
    return this.request('HEAD', `/v2/${name}/manifests/${reference}`, { headers: { accept } });
  }

  getBlob(name: string, digest: string, range?: string): Promise<Answer> {
    return this.request('GET', `/v2/${name}/blobs/${digest}`, { headers: range === undefined ? {} : { range } });
  }

  headBlob(name: string, digest: string): Promise<Answer> {
    return this.request('HEAD', `/v2/${name}/blobs/${digest}`);
  }

  async pullManifest(name: string, reference: string): Promise<Content> {
    const answer = (await this.getManifest(name, reference)).expect(200);
    const digest = answer.header('docker-content-digest') ?? digestOf(answer.body);
    verify(answer, digest);
    if (reference.includes(':')) verify(answer, reference);
    return { mediaType: answer.header('content-type') ?? '', digest, bytes: answer.body };
  }

  async pullBlob(name: string, digest: string): Promise<Buffer> {
    const answer = (await this.getBlob(name, digest)).expect(200);
    verify(answer, digest);
    return answer.body;
  }

  /** A manifest with its config and layers; layers that only urls lead to are not asked for. */
  async pullImage(name: string, reference: string): Promise<Image> {
    const manifest = await this.pullManifest(name, reference);
    const named = JSON.parse(manifest.bytes.toString()) as Partial<ImageDocument>;
    const pull = async ({ mediaType, digest }: Pick<Content, 'mediaType' | 'digest'>): Promise<Content> => ({
      mediaType,
      digest,
      bytes: await this.pullBlob(name, digest),
    });
    if (named.config === undefined) throw new Error(`${name}:${reference} is no image: ${manifest.mediaType}`);
    const layers: Content[] = [];
    for (const layer of named.layers ?? []) layers.push(await pull(layer));
    return { manifest, config: await pull(named.config), layers };
  }

  async pullIndex(name: string, reference: string): Promise<ImageIndex> {
    const manifest = await this.pullManifest(name, reference);
    const named = JSON.parse(manifest.bytes.toString()) as Partial<IndexDocument>;
    const images: Image[] = [];
    for (const { digest } of named.manifests ?? []) images.push(await this.pullImage(name, digest));
    return { manifest, images };
  }

  deleteManifest(name: string, reference: string): Promise<Answer> {
    return this.request('DELETE', `/v2/${name}/manifests/${reference}`);
  }

  deleteBlob(name: string, digest: string): Promise<Answer> {
    return this.request('DELETE', `/v2/${name}/blobs/${digest}`);
  }

  /** All tags, page after page. */
  async tags(name: string, pageSize?: number): Promise<readonly string[]> {
    return this.#pages(`/v2/${name}/tags/list${pageSize === undefined ? '' : `?n=${pageSize}`}`, 'tags');
  }

  /** All names, page after page. */
  async catalog(pageSize?: number): Promise<readonly string[]> {
    return this.#pages(`/v2/_catalog${pageSize === undefined ? '' : `?n=${pageSize}`}`, 'repositories');
  }

  async #pages(first: string, key: 'tags' | 'repositories'): Promise<readonly string[]> {
    const all: string[] = [];
    for (let path: string | undefined = first; path !== undefined;) {
      const answer: Answer = (await this.request('GET', path)).expect(200);
      const page = answer.json() as Partial<Record<string, readonly string[]>>;
      all.push(...(page[key] ?? []));
      path = /<([^>]*)>\s*;\s*rel="?next"?/.exec(answer.header('link') ?? '')?.[1];
    }
    return all;
  }

  /** The descriptors of all manifests whose subject is `digest`, page after page. */
  async referrers(name: string, digest: string, artifactType?: string): Promise<readonly Descriptor[]> {
    const all: Descriptor[] = [];
    const filter = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
    for (let path: string | undefined = `/v2/${name}/referrers/${digest}${filter}`; path !== undefined;) {
      const answer: Answer = (await this.request('GET', path)).expect(200);
      all.push(...((answer.json() as IndexDocument).manifests ?? []));
      path = /<([^>]*)>\s*;\s*rel="?next"?/.exec(answer.header('link') ?? '')?.[1];
    }
    return all;
  }
}

export function clientOf(server: Pick<Server, 'url' | 'user' | 'password' | 'ca' | 'socketPath'>): RegistryClient {
  const { url, user, password, ca, socketPath } = server;
  return new RegistryClient({ url, user, password, ca, socketPath });
}

/** Reads a WWW-Authenticate header with one challenge, whose parameters are quoted. */
export function parseChallenge(header: string): Challenge {
  const scheme = /^\S*/.exec(header)?.[0] ?? '';
  const parameters = Object.fromEntries(
    [...header.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
  return { scheme, parameters };
}

function scopesFor(url: URL): readonly string[] {
  const name = /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(url.pathname)?.[1];
  if (name === undefined) return url.pathname === '/v2/_catalog' ? ['registry:catalog:*'] : [];
  const from = url.searchParams.get('from');
  return [`repository:${name}:pull,push,delete`, ...(from === null ? [] : [`repository:${from}:pull`])];
}

function verify(answer: Answer, digest: string): void {
  const actual = digestOf(answer.body, digest.startsWith('sha512:') ? 'sha512' : 'sha256');
  if (actual === digest) return;
  throw new Error(`${answer.request}\ngave ${answer.body.length} bytes with digest ${actual} for ${digest}`);
}

function* slices(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function* oneByOne(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  yield* slices(bytes, size);
}
