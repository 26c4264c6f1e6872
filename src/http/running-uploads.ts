import type { Uid } from '../identifiers.js';

interface Claim {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** One request's hold on an upload. */
export interface UploadClaim {
  /** Aborted when a newer request took the upload over, here or elsewhere. */
  readonly signal: AbortSignal;
  /** Aborted only when another server has it. */
  readonly lost: AbortSignal;
  /** It waited for an older request's end: what was read of the upload before is no longer so. */
  readonly tookOver: boolean;
  /** Aborts both: another server has taken the upload over. */
  lose(): void;
  release(): void;
}

/**
 * The requests that are writing to uploads in this process. A newer request takes an upload over from an older one, whose client has most likely given up
 * on it: so no vanished client holds an upload. Between servers it is the session that says whose an upload is.
 */
export class RunningUploads {
  readonly #claims = new Map<string, Claim>();

  /** `server`: the id of this life of the process, which the sessions of its uploads name. */
  constructor(readonly server: Uid) {}

  async claim(upload: string): Promise<UploadClaim> {
    const tookOver = this.#claims.has(upload);
    for (let before = this.#claims.get(upload); before !== undefined; before = this.#claims.get(upload)) {
      before.abort.abort();
      await before.ended;
    }
    const [abort, lost] = [new AbortController(), new AbortController()];
    let end = (): void => undefined;
    const mine: Claim = { abort, ended: new Promise((resolve) => (end = resolve)) };
    this.#claims.set(upload, mine);
    return {
      signal: abort.signal,
      lost: lost.signal,
      tookOver,
      lose: () => {
        lost.abort();
        abort.abort();
      },
      release: () => {
        if (this.#claims.get(upload) === mine) this.#claims.delete(upload);
        end();
      },
    };
  }
}
