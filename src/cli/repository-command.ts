import { isRefusal } from '../commands/execute.js';
import { createRepository, deleteRepository } from '../commands/repository.js';
import type { Config } from '../config.js';
import { messageOf } from '../errors.js';
import { parseName } from '../identifiers.js';
import { newId, openRegistry, systemContext } from '../open-registry.js';

/** `artifact-store repository create|delete <project>/<repository>`: straight on the store, while servers run. Exit status. */
export async function manageRepository(config: Config, args: readonly string[]): Promise<number> {
  const [verb, text = '', ...more] = args;
  if ((verb !== 'create' && verb !== 'delete') || text === '' || more.length > 0) {
    process.stderr.write('usage: artifact-store repository create|delete <project>/<repository>\n');
    return 2;
  }
  const name = parseName(text);
  if ('problem' in name || name.image !== '') {
    const reason = 'problem' in name ? name.reason : 'a repository has two parts, <project>/<repository>';
    process.stderr.write(`artifact-store: ${text} is not a repository's name: ${reason}\n`);
    return 2;
  }
  const registry = await openRegistry(config, false);
  try {
    const { executor } = registry;
    const done =
      verb === 'delete'
        ? await deleteRepository(executor, systemContext, { kind: 'DeleteRepository', name })
        : await createRepository(executor, systemContext(), {
            kind: 'CreateRepository',
            name,
            origin: 'command',
            scanning: config.scanOnPush,
            newRepository: newId(),
            newProject: newId(),
          });
    if (isRefusal(done)) {
      // The first start makes the one organization that there is today.
      const where = done.refused === 'PROJECT_UNKNOWN' ? ', nor is there exactly one organization to create it in' : '';
      process.stderr.write(`artifact-store: ${messageOf(done)}${where}\n`);
      return 1;
    }
    process.stdout.write(`${verb}d ${text} (${done.repository})\n`);
    return 0;
  } finally {
    await registry.close();
  }
}
