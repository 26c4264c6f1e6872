/** A command line that is not understood; `message` says what is accepted. */
export class Misused extends Error {
  override readonly name = 'Misused';
}

/** What the server, or the way to it, said no with: a line for people. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
}

/** Tells a fault of the command's in a line, and gives `status`, for the command to end with. */
export function told(message: string, status: number): number {
  process.stderr.write(`artifact-store: ${message}\n`);
  return status;
}

/** Tells what of the arguments was not understood, and what is; gives the exit status of misuse. */
export function misused(problem: string, usage: string): number {
  process.stderr.write(`artifact-store: ${problem}\n\n${usage}`);
  return 2;
}
