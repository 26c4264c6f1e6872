import type { Digest } from '../digest.js';
import { refuse, type Refusal } from '../errors.js';
import { repositoryStream, type RepositorySettings } from '../events/types.js';
import type { RepositoryName, Tag } from '../identifiers.js';
import { defaultSettings, findSettings } from '../projections/repository-details.js';
import { findTag } from '../projections/tags.js';
import { findTarget, type Target } from '../projections/targets.js';
import type { CommandContext, Decision, Executor } from './execute.js';
import { refuseImmutable } from './immutable-tags.js';

/** Takes a tag away; its manifest stays. OCI distribution 1.1, end-9 with a tag. */
export interface DeleteTag {
  readonly kind: 'DeleteTag';
  readonly name: RepositoryName;
  readonly tag: Tag;
}

interface DeleteTagState extends Target {
  readonly denied: Refusal | undefined;
  readonly current: Digest | undefined;
  readonly settings: RepositorySettings;
}

export function decideDeleteTag(state: DeleteTagState, { name, tag }: DeleteTag): Decision<undefined> {
  if (state.denied !== undefined) return state.denied;
  if (state.repository === undefined) return refuse('REPOSITORY_UNKNOWN', { name: name.name });
  if (state.current === undefined) return refuse('MANIFEST_UNKNOWN', { name: name.name, reference: tag });
  const immutable = refuseImmutable(state.settings, name, [tag]);
  if (immutable !== undefined) return immutable;
  const stream = repositoryStream(state.repository);
  return {
    events: [{ stream, payload: { kind: 'TagDeleted', image: name.image, tag, digest: state.current } }],
    outcome: undefined,
  };
}

export function deleteTag(executor: Executor, context: CommandContext, command: DeleteTag): Promise<undefined | Refusal> {
  return executor.execute(context, async (writing) => {
    const { name, tag } = command;
    const target = await findTarget(writing, context.actor, name);
    const denied = context.judge('delete', target);
    const { repository } = target;
    // Nothing is read whose time would tell who may not what is there.
    if (repository === undefined || denied !== undefined) {
      return decideDeleteTag({ ...target, current: undefined, denied, settings: defaultSettings }, command);
    }
    const [current, settings] = await Promise.all([
      findTag(writing, repository, name.image, tag),
      findSettings(writing, repository),
    ]);
    return decideDeleteTag({ ...target, current, denied, settings }, command);
  });
}
