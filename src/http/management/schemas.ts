import { Type, type TObject, type TProperties, type TSchema } from 'typebox';

import { DESCRIPTION_MOST, DISPLAY_NAME_MOST } from '../../commands/descriptions.js';
import { EXEMPTION_LENGTH_MOST, EXEMPTIONS_MOST, exemptionForm } from '../../commands/immutable-tags.js';
import { NAME_MAX_LENGTH } from '../../identifiers.js';
import { DEFAULT_EXEMPTIONS } from '../../projections/repository-details.js';

/** The schemas that requests are held against, and that the description is made of. What is not named in one is refused. */

export function object<P extends TProperties>(properties: P, options: object = {}): TObject<P> {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

const text = (description: string, example: string, options: object = {}) =>
  Type.String({ description, examples: [example], ...options });

export const roleNames = ['artifact_store_viewer', 'artifact_store_editor', 'artifact_store_owner'] as const;

export const roleSchema = Type.Enum([...roleNames], { description: 'Artifact Store Viewer, Editor or Owner.' });

// The grammar itself is the commands' to judge, with a reason for people; here is what keeps nonsense short.
const idText = (what: string, example: string) =>
  text(`Id of ${what}: lower-case letters and digits, separated by one of . _ __ or hyphens.`, example, {
    minLength: 1,
    maxLength: NAME_MAX_LENGTH,
  });

export const organizationParams = object({ organization: idText('an organization', 'default') });
export const projectParams = object({ project: idText('a project', 'team') });
export const repositoryParams = object({ project: idText('a project', 'team'), repository: idText('a repository', 'backend') });
export const accountParams = object({ project: idText('a project', 'team'), account: idText('a service account', 'ci') });

export const contentParams = object({
  digest: Type.String({ minLength: 1, maxLength: 200, examples: [`sha256:${'0'.repeat(64)}`] }),
});

export const principalText = text(
  'An e-mail, a service account as `<project>/<account>`, `allUsers` or `allAuthenticatedUsers`. In a path with its slash and @ as %2F and %40.',
  'ann@example.org',
  { minLength: 1, maxLength: 320 },
);
export const userText = text('A user, by e-mail in any case or by uid.', 'ann@example.org', { minLength: 1, maxLength: 320 });

export const displayName = text('What people call it.', 'Backend', { maxLength: 4 * DISPLAY_NAME_MOST });
export const description = text('What it is for.', 'All services', { maxLength: 4 * DESCRIPTION_MOST });
export const scanning = Type.Boolean({ description: 'Whether its images are scanned for vulnerabilities.' });
export const immutableTags = Type.Boolean({
  description: 'Whether tags that are there are neither moved nor deleted, nor what they point at.',
});
export const immutableTagExemptions = Type.Array(Type.String({ minLength: 1, maxLength: EXEMPTION_LENGTH_MOST }), {
  description: `Tags that are moved and deleted all the same. Each is ${exemptionForm}. By default ${DEFAULT_EXEMPTIONS.join(' and ')}, the tags of signatures.`,
  maxItems: EXEMPTIONS_MOST,
  examples: [['latest', 'nightly-*']],
});

export const uid = text(
  'UUIDv7; names it for ever, while an id is free again after a deletion.',
  '01a203ce-267d-73a2-81de-1cb1e4b2342b',
  {
    format: 'uuid',
  },
);
export const time = text('By the database’s clock.', '2026-11-01T09:00:00.000123Z', { format: 'date-time' });

export const described = { displayName, description };

export const organization = object({ uid, id: Type.String(), ...described, created: time });
export const project = object({ uid, id: Type.String(), organization: Type.String(), ...described, created: time });
export const repository = object({
  uid,
  id: Type.String(),
  project: Type.String(),
  ...described,
  scanning,
  immutableTags,
  immutableTagExemptions,
  created: time,
});
export const member = object({
  principal: Type.String({ description: 'As it is written in requests; of a user who is forgotten, the uid.' }),
  kind: Type.Enum(['user', 'serviceAccount', 'allUsers', 'allAuthenticatedUsers', 'deleted']),
  uid: Type.Optional(uid),
  role: roleSchema,
  inherited: Type.Boolean({ description: 'Whether it was granted above, and can only be taken away there.' }),
  on: Type.String({ description: 'What it was granted on: `organization/<id>`, `project/<id>` or `repository/<project>/<id>`.' }),
});
export const user = object({ uid, email: Type.String(), disabled: Type.Boolean(), created: time });
export const account = object({
  uid,
  id: Type.String(),
  project: Type.String(),
  identifier: Type.String(),
  displayName,
  created: time,
});
export const key = object({
  id: uid,
  publicKey: Type.String({ description: 'Ed25519, 64 hexadecimal digits.' }),
  created: time,
  expires: Type.Union([time, Type.Null()], { description: 'null: never.' }),
});

export const next = Type.Optional(
  Type.String({ description: 'Path of the next page, in a Link header, too. None: this is the last.' }),
);

/** A page of a list. */
export function page(items: string, item: TSchema): TObject {
  return object({
    [items]: Type.Array(item),
    next,
  });
}

export const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100, description: 'Items of a page.' }));
export const after = Type.Optional(
  Type.String({ minLength: 1, maxLength: 1_000, description: 'Where to go on, as `next` has it.' }),
);
export const q = Type.Optional(
  Type.String({ maxLength: 200, description: 'Only what has this in its id or display name, in any case.' }),
);

export const sort = Type.Optional(
  Type.Enum(['name', '-name', 'created', '-created'], {
    default: 'name',
    description: 'By name or by the time of creation; with a hyphen the other way round.',
  }),
);

export const listQuery = object({ limit, after, q, sort });

export const problem = Type.Object(
  {
    type: Type.Literal('about:blank'),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What was wrong, and what is accepted.' }),
    code: Type.String({ description: 'First column of docs/errors.md.' }),
    errors: Type.Optional(
      Type.Array(object({ pointer: Type.String({ description: 'RFC 6901, of the field in the body.' }), detail: Type.String() })),
    ),
  },
  { description: 'RFC 9457.' },
);
