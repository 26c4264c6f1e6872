import { isRefusal } from '../commands/execute.js';
import { createRepository } from '../commands/repository.js';
import { refuse, RefusalError } from '../errors.js';
import type { RepositoryName } from '../identifiers.js';
import { findTarget } from '../projections/targets.js';
import { commandContext, deny, type Exchange } from './exchange.js';

/** Makes sure that the caller may push to the repository and that it is there: who may create it does so by pushing, if that is switched on. */
export async function ensureRepository(exchange: Exchange, name: RepositoryName): Promise<void> {
  const { services, caller } = exchange;
  const { executor, config, newId } = services;
  const target = await executor.store.read((reading) => findTarget(reading, caller.actor, name));
  const denied = deny(caller, 'push', target);
  if (denied !== undefined) throw new RefusalError(denied);
  if (target.repository !== undefined) return;
  if (target.role !== 'owner')
    throw new RefusalError(refuse('REPOSITORY_NEEDS_OWNER', { name: name.name, project: name.project }));
  const path = `${name.project}/${name.repository}`;
  if (!config.createOnPush) throw new RefusalError(refuse('REPOSITORY_NOT_CREATED', { name: path }));
  const made = await services.inTurn(`create ${path}`, () =>
    createRepository(executor, commandContext(exchange), {
      kind: 'CreateRepository',
      name,
      origin: 'push',
      scanning: config.scanOnPush,
      newRepository: newId(),
      newProject: newId(),
    }),
  );
  if (isRefusal(made)) throw new RefusalError(made);
}
