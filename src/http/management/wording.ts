import type { ErrorObject } from 'ajv';

import { RefusalError, type Refusal } from '../../errors.js';
import { quoted } from './parameters.js';

/** What is wrong with a request, in words of this API: what a validator says names its own keywords. */

export interface FieldProblem {
  /** RFC 6901. */
  readonly pointer: string;
  readonly detail: string;
}

/** What a command found wrong with a field of the body. */
export function wrongField(
  error: unknown,
  body: unknown,
): { readonly refusal: Refusal; readonly field: FieldProblem } | undefined {
  if (!(error instanceof RefusalError) || error.refusal.refused !== 'FIELD_INVALID') return undefined;
  const { field = '', reason = '' } = error.refusal.details;
  const known = (body as { readonly properties?: object } | undefined)?.properties ?? {};
  if (!Object.hasOwn(known, field)) return undefined;
  return { refusal: error.refusal, field: { pointer: `/${field}`, detail: String(reason) } };
}

const typeNames: Readonly<Record<string, string>> = {
  object: 'a JSON object',
  array: 'an array',
  string: 'a text',
  boolean: 'true or false',
  integer: 'a whole number',
};

function fieldError(error: ErrorObject): FieldProblem {
  const { instancePath, keyword, params, message = 'is not accepted', parentSchema } = error;
  const extra: unknown = params['additionalProperty'];
  if (keyword === 'additionalProperties' && typeof extra === 'string') {
    const known = Object.keys((parentSchema?.['properties'] as object | undefined) ?? {});
    const accepted = known.length === 0 ? 'none is accepted' : `accepted are ${known.join(', ')}`;
    return { pointer: `${instancePath}/${escaped(extra)}`, detail: `is not known here; ${accepted}` };
  }
  const missing: unknown = params['missingProperty'];
  if (keyword === 'required' && typeof missing === 'string')
    return { pointer: `${instancePath}/${escaped(missing)}`, detail: 'is missing' };
  const values: unknown = params['allowedValues'];
  if (keyword === 'enum' && Array.isArray(values)) return { pointer: instancePath, detail: `is not one of ${values.join(', ')}` };
  const type: unknown = params['type'];
  if (keyword === 'type' && typeof type === 'string')
    return { pointer: instancePath, detail: `is not ${typeNames[type] ?? type}` };
  return { pointer: instancePath, detail: message.replace('NOT', 'not') };
}

const escaped = (name: string): string => name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1');

/** What is wrong with a body: each field, and the first in a sentence. */
export function bodyProblems(errors: readonly ErrorObject[]): {
  readonly reason: string;
  readonly fields: readonly FieldProblem[];
} {
  // Of a choice of types, what was wrong with the one that was meant.
  const fields = errors
    .filter(({ keyword, params: { type } }) => keyword !== 'anyOf' && !(keyword === 'type' && type === 'null'))
    .map(fieldError);
  const [first] = fields;
  if (first === undefined) return { reason: 'the body is not understood', fields };
  const name = first.pointer.slice(1);
  return { reason: name === '' ? `the body ${first.detail}` : `the field ${JSON.stringify(name)} ${first.detail}`, fields };
}

/** What is wrong with a part of the URL, the first of it. */
export function parameterProblem(errors: readonly ErrorObject[]): string {
  const [error] = errors;
  if (error === undefined) return 'the request is not understood';
  const { data, parentSchema = {} } = error;
  const { pointer, detail } = fieldError(error);
  const name = pointer.slice(1);
  const accepted = ['type', 'enum', 'minimum', 'maximum'].includes(error.keyword) ? acceptedBy(parentSchema) : undefined;
  return accepted === undefined
    ? `the parameter ${JSON.stringify(name)} ${detail}`
    : `${name}=${quoted(String(data))} is not accepted; it is ${accepted}`;
}

function acceptedBy({ type, enum: values, minimum, maximum }: Readonly<Record<string, unknown>>): string | undefined {
  if (Array.isArray(values)) return [values.slice(0, -1).join(', '), values.at(-1)].join(' or ');
  if (type === 'boolean') return 'true or false';
  return type === 'integer' ? `a whole number from ${String(minimum)} to ${String(maximum)}` : undefined;
}
