import { BlobStoreError, type StagedUpload } from '../blobs/blob-store.js';
import { stagedName } from '../blobs/staged-name.js';
import { dropStagedFile, dropUploadBytes } from '../commands/upload-bytes.js';
import { endCopy, forgetUpload, refuseUnlessWriter, renewUpload, takeUploadOver, type TakenOver } from '../commands/upload.js';
import type { DigestAlgorithm } from '../digest.js';
import { refuse, reject, RefusalError } from '../errors.js';
import type { RepositoryName, Uid } from '../identifiers.js';
import type { Exchange } from './exchange.js';
import type { UploadClaim } from './running-uploads.js';
import { uploadAt, uploadPath, type OpenUpload } from './upload-session.js';

/** An upload whose bytes this request takes in, alone of all requests at this server, and this server alone of all. */
export interface Receiving {
  readonly name: RepositoryName;
  readonly upload: Uid;
  readonly algorithm: DigestAlgorithm;
  /** The own id of the staged file. */
  readonly file: Uid;
  /** The staged file's name. */
  readonly staged: string;
  /** The bytes are a whole blob: another server, or an earlier life of this one, got as far as their commit, but not to the event. */
  readonly whole: boolean;
  /** Aborted when a newer request, here or elsewhere, went on with the upload, or gave it up. */
  readonly signal: AbortSignal;
}

/** Holds an upload against the other requests at this server while `work` goes on: an older one has ended. */
export async function claiming<T>({ services }: Exchange, upload: Uid, work: (claim: UploadClaim) => Promise<T>): Promise<T> {
  const claim = await services.runningUploads.claim(upload);
  try {
    return await work(claim);
  } finally {
    claim.release();
  }
}

/**
 * Takes in an upload's bytes. Where another server, or an earlier life of this one, was its writer, it is taken over first. Undefined: it was finished meanwhile,
 * as `reopen` takes it; what else has become of it is refused. The only way to receive, with `receivingNew`, so that no route forgets to claim an upload or to
 * renew it.
 */
export async function receiving<T>(
  exchange: Exchange,
  name: RepositoryName,
  opened: OpenUpload,
  reopen: () => Promise<OpenUpload>,
  work: (receiving: Receiving) => Promise<T>,
): Promise<T | undefined> {
  const { upload } = opened;
  return claiming(exchange, upload, async (claim) => {
    const { session } = claim.tookOver ? await reopen() : opened;
    if (session.finished !== undefined) return undefined;
    try {
      return await receivingAs(exchange, name, { upload, session }, claim, work);
    } catch (error) {
      if (!(error instanceof RefusalError) || !lostCodes.includes(error.refusal.refused)) throw error;
      // Who has it now may have finished it with what this very request brings.
      if ((await reopen()).session.finished !== undefined) return undefined;
      if (error.refusal.refused === 'UPLOAD_TAKEN_OVER') void exchange.reply.header('location', uploadPath(name, upload));
      throw error;
    }
  });
}

/** How a request is refused whose upload became another one's on its way, or nobody's. */
const lostCodes: readonly string[] = ['UPLOAD_TAKEN_OVER', 'UPLOAD_UNKNOWN'];

async function receivingAs<T>(
  exchange: Exchange,
  name: RepositoryName,
  { upload, session: { writer, algorithm } }: OpenUpload,
  claim: UploadClaim,
  work: (receiving: Receiving) => Promise<T>,
): Promise<T> {
  const { executor, runningUploads, newId } = exchange.services;
  const { server } = runningUploads;
  if (writer?.server === server && writer.copying === undefined) {
    return renewing(exchange, received(name, upload, algorithm, writer.file, claim), claim, work);
  }
  const file = newId();
  const taken = await takeUploadOver(executor, upload, { server, file });
  if (taken === undefined) return reject('UPLOAD_TAKEN_OVER');
  return renewing(exchange, received(name, upload, algorithm, file, claim), claim, async (mine) => {
    const { committed } = await copy(exchange, mine, taken, claim.lost);
    return work({ ...mine, whole: committed === true });
  });
}

/** Takes in the bytes of an upload that this request began. */
export async function receivingNew<T>(
  exchange: Exchange,
  name: RepositoryName,
  begun: { readonly upload: Uid; readonly algorithm: DigestAlgorithm; readonly file: Uid },
  work: (receiving: Receiving) => Promise<T>,
): Promise<T> {
  const { upload, algorithm, file } = begun;
  return claiming(exchange, upload, (claim) => renewing(exchange, received(name, upload, algorithm, file, claim), claim, work));
}

function received(name: RepositoryName, upload: Uid, algorithm: DigestAlgorithm, file: Uid, { signal }: UploadClaim): Receiving {
  return { name, upload, algorithm, file, staged: stagedName(upload, file), whole: false, signal };
}

/** The upload does not expire, since its session is renewed every minute, or as often as a short idle time needs. */
async function renewing<T>(
  { services }: Exchange,
  mine: Receiving,
  claim: UploadClaim,
  work: (receiving: Receiving) => Promise<T>,
): Promise<T> {
  const { executor, config } = services;
  const everyMs = Math.min(60_000, (config.uploadIdleSeconds * 1_000) / 3);
  const renew = async (): Promise<void> => {
    // A client that sends for hours hears in a minute that another server has its upload, or nobody.
    if (!(await renewUpload(executor, mine.upload, mine.file))) claim.lose();
  };
  const renewal = setInterval(() => void renew().catch(() => undefined), everyMs);
  try {
    return await work(mine);
  } finally {
    clearInterval(renewal);
  }
}

/**
 * Copies what the writer before has received to this one's own file. A newer request here waits for it, and has it: one that ended the copy would begin the same
 * again, for ever where clients wait less long than a copy takes.
 */
async function copy(exchange: Exchange, mine: Receiving, { from, useless }: TakenOver, lost: AbortSignal): Promise<StagedUpload> {
  const { services, request } = exchange;
  const { executor, blobs, config } = services;
  const { upload, file, staged, algorithm } = mine;
  // Many gigabytes take longer to copy than an idle connection is kept.
  request.raw.socket.setTimeout(0);
  try {
    const copied = await blobs.copy(from, staged, { algorithm, signal: lost });
    if (!(await endCopy(executor, upload, file))) {
      await blobs.release(staged);
      return await notMine(exchange, mine);
    }
    // Whatever fails here: the expiry finds them, since no session names them any more.
    for (const name of useless) await dropStagedFile(executor, blobs, name).catch(() => undefined);
    return copied;
  } catch (error) {
    if (!(error instanceof BlobStoreError)) throw error;
    // Copied by yet another server, and dropped.
    if (error.code === 'upload_unknown') return await notMine(exchange, mine, 'UPLOAD_UNKNOWN');
    if (error.code === 'source_failed' && lost.aborted) return await notMine(exchange, mine);
    // The upload is where it was, and the next request tries again.
    if (error.code === 'storage_full') return reject('STORAGE_FULL');
    throw error;
  } finally {
    request.raw.socket.setTimeout(config.idleSeconds * 1_000);
  }
}

/** Refuses by what became of the upload; by `otherwise` where it is this server's still. */
export async function notMine(
  exchange: Exchange,
  { name, upload, file }: Receiving,
  otherwise: 'UPLOAD_TAKEN_OVER' | 'UPLOAD_UNKNOWN' = 'UPLOAD_TAKEN_OVER',
): Promise<never> {
  const refusal = await refuseUnlessWriter(exchange.services.executor, name, upload, file);
  throw new RefusalError(refusal ?? refuse(otherwise, { name: name.name, upload }));
}

/**
 * Before anything is acknowledged: refuses where the upload is another server's by now, or gone. What came before was closed in the file, so that the server
 * which takes it over after this finds it there.
 */
export async function requireWriter(exchange: Exchange, { name, upload, file }: Receiving): Promise<void> {
  const refusal = await refuseUnlessWriter(exchange.services.executor, name, upload, file);
  if (refusal !== undefined) throw new RefusalError(refusal);
}

/** Forgets an upload in a committed transaction before its bytes are touched. False: it is another server's by now, and stays. */
export async function drop(
  { services }: Exchange,
  { upload, file, staged }: Pick<Receiving, 'upload' | 'file' | 'staged'>,
): Promise<boolean> {
  const { executor, blobs } = services;
  const forgotten = await forgetUpload(
    executor,
    upload,
    [staged],
    ({ finished, writer }) => finished === undefined && writer?.file === file,
  );
  if (forgotten !== undefined) await dropUploadBytes(executor, blobs, forgotten);
  return forgotten !== undefined;
}

/** Appends the request's body. The size reached, in bytes. */
export async function append(exchange: Exchange, mine: Receiving, offset: number): Promise<number> {
  const { request, services } = exchange;
  const { name, upload, algorithm, signal } = mine;
  try {
    const { size } = await services.blobs.append(mine.staged, request.raw, { offset, algorithm, signal });
    request.told.received = size - offset;
    return size;
  } catch (error) {
    if (!(error instanceof BlobStoreError)) throw error;
    // Only a stream that broke off leaves bytes behind.
    const received = error.code === 'source_failed' ? (error.staged ?? offset) - offset : 0;
    request.told.received = received;
    if (signal.aborted) return notMine(exchange, mine);
    switch (error.code) {
      case 'upload_unknown':
        return notMine(exchange, mine, 'UPLOAD_UNKNOWN');
      case 'wrong_offset':
        uploadAt(exchange, name, upload, error.staged ?? 0);
        return reject('UPLOAD_WRONG_OFFSET', { offset, expected: error.staged ?? 0 });
      case 'source_failed':
        // What arrived stays: the client asks for the upload's status and goes on.
        return reject('BODY_TRUNCATED', { received });
      case 'storage_full':
        await drop(exchange, mine);
        return reject('STORAGE_FULL');
      default:
        throw error;
    }
  }
}
