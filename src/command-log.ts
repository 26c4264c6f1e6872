import type { Logger } from 'pino';

import { isRefusal, type Executor } from './commands/execute.js';

/** The executor, and a line at debug level for each command that it ran. */
export function withCommandLog(executor: Executor, logger: Logger): Executor {
  if (!logger.isLevelEnabled('debug')) return executor;
  return {
    store: executor.store,
    async execute(context, decide) {
      let attempts = 0;
      const outcome = await executor.execute(context, (writing) => {
        attempts += 1;
        return decide(writing);
      });
      const { requestId, commandId, actor } = context;
      const refused = isRefusal(outcome) ? outcome.refused : undefined;
      logger.debug({ request: requestId, command: commandId, actor: actor.kind, attempts, refused }, 'a command ran');
      return outcome;
    },
  };
}
