import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

import { parseUid } from '../../../src/identifiers.js';
import { openApi, type Api, type ApiAnswer, type As, type Method, type Sent } from '../api-fixture.js';

export const base = '/api/v1';

/** The management API; each answer is held against the description that the server gives of itself. */
export interface Management extends Api {
  /** Somebody who can log in, by e-mail. */
  user(email: string): Promise<As>;
  /** Sends what makes or changes something, which has to go well. */
  done(method: Method, path: string, body?: unknown, sent?: Omit<Sent, 'body'>): Promise<ApiAnswer>;
}

export async function openManagement(): Promise<Management> {
  const api = await openApi();
  const { body } = await api.send('GET', `${base}/openapi.json`);
  const described = new Described(body);
  const send: Api['send'] = async (method, path, sent) => {
    const answer = await api.send(method, path.startsWith(base) ? path : `${base}${path}`, sent);
    described.check(method, path, answer);
    return answer;
  };
  const done: Management['done'] = async (method, path, given, sent) => {
    const answer = await send(method, path, { ...sent, body: given });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer;
  };
  return {
    ...api,
    send,
    done,
    get: (path, as = api.owner, method = 'GET') => send(method, path, { as }),
    async user(email) {
      const made = await done('POST', '/users', { email, password: `password of ${email}` });
      const uid = parseUid(String(made.body['uid']));
      if (uid === undefined) throw new Error('a user without a uid');
      return { uid };
    },
  };
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});

// What tells a client something; others are of every answer, or the connection's.
const telling = [
  ...['Allow', 'Artifact-Store-Position', 'Content-Disposition', 'ETag', 'Link', 'Location', 'Retry-After'],
  'WWW-Authenticate',
];

/** What is sent is described, and what is described as required is sent. */
function checkHeaders(what: string, described: Fields, sent: Fields): void {
  for (const name of telling) {
    const header = described[name];
    const isSent = sent[name.toLowerCase()] !== undefined;
    if (isSent && header === undefined) throw new Error(`${what} has ${name}, which is not described`);
    if (!isSent && fieldsOf(header)['required'] === true) throw new Error(`${what} has no ${name}, which is described`);
  }
}

/** An OpenAPI document, as its reader takes it. */
class Described {
  readonly #ajv = new Ajv2020({ allErrors: true, strict: false });
  readonly #operations: readonly { readonly method: string; readonly pattern: RegExp; readonly responses: Fields }[];
  readonly #validators = new Map<object, ValidateFunction>();

  constructor(document: Fields) {
    formats.default(this.#ajv);
    const { components } = document;
    this.#ajv.addSchema({ $id: 'https://registry.test/openapi.json', components });
    this.#operations = Object.entries(fieldsOf(document['paths'])).flatMap(([path, item]) =>
      Object.entries(fieldsOf(item)).map(([method, operation]) => ({
        method: method.toUpperCase(),
        pattern: new RegExp(`^${base}${path.replace(/\{\w+\}/g, '[^/]+')}$`),
        responses: fieldsOf(fieldsOf(operation)['responses']),
      })),
    );
  }

  check(method: Method, path: string, { status, headers, body, bytes }: ApiAnswer): void {
    const target = `${path.startsWith(base) ? '' : base}${path.split('?')[0] ?? ''}`;
    const asked = method === 'HEAD' ? 'GET' : method;
    const found = this.#operations.find((one) => one.method === asked && one.pattern.test(target));
    const what = `${method} ${path} -> ${status}`;
    if (found === undefined) {
      if (![400, 401, 404, 405].includes(status)) throw new Error(`${what}, which is not described`);
      return;
    }
    const response = found.responses[String(status)];
    if (response === undefined) throw new Error(`${what}, a status that is not described: ${JSON.stringify(body)}`);
    checkHeaders(what, fieldsOf(fieldsOf(response)['headers']), headers);
    const content = fieldsOf(fieldsOf(response)['content']);
    const type = headers['content-type'];
    if (type === undefined || method === 'HEAD') return;
    const schema = fieldsOf(content[String(type)])['schema'];
    if (content[String(type)] === undefined) throw new Error(`${what} is ${String(type)}, which is not described`);
    if (schema === undefined) return;
    const validate = this.#validatorOf(fieldsOf(schema));
    const lines = bytes.toString().split('\n').slice(0, -1);
    const value = type === 'application/x-ndjson' ? lines.map((line) => JSON.parse(line) as unknown) : body;
    if (!validate(value))
      throw new Error(`${what} is not as described: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(body)}`);
  }

  #validatorOf(schema: object): ValidateFunction {
    const text = JSON.stringify(schema).replaceAll('"#/components/', '"https://registry.test/openapi.json#/components/');
    const known = this.#validators.get(schema) ?? this.#ajv.compile(JSON.parse(text) as object);
    this.#validators.set(schema, known);
    return known;
  }
}
