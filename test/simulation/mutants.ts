import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The code broken on purpose: a text of src/, which must be there exactly once, and what takes its place. */
export interface Mutant {
  readonly name: string;
  /** The file, or the folder in one of whose files it is. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export const mutants: readonly Mutant[] = [
  {
    name: 'PushManifest reads the tag without a conflict',
    file: 'src/commands/manifest.ts',
    find: 'digest: await findTag(writing, repository, name.image, tag)',
    replace: 'digest: await findTag({ ...writing, tx: writing.tx.snapshot }, repository, name.image, tag)',
  },
  {
    name: 'DeleteTag reads the tag without a conflict',
    file: 'src/commands/tag.ts',
    find: 'findTag(writing, repository, name.image, tag)',
    replace: 'findTag({ ...writing, tx: writing.tx.snapshot }, repository, name.image, tag)',
  },
  {
    name: 'DeleteManifest reads the indexes that hold it without a conflict',
    file: 'src/commands/manifest.ts',
    find: 'listManifestHolders(writing, repository',
    replace: 'listManifestHolders({ ...writing, tx: writing.tx.snapshot }, repository',
  },
  {
    name: 'DeleteBlob reads the manifests that hold it without a conflict',
    file: 'src/commands/blob.ts',
    find: 'await listBlobHolders(writing, repository',
    replace: 'await listBlobHolders({ ...writing, tx: writing.tx.snapshot }, repository',
  },
  {
    name: 'MountBlob reads the link of its source without a conflict',
    file: 'src/commands/blob.ts',
    find: 'const size = await findLink(writing, repository, digest);',
    replace: 'const size = await findLink({ ...writing, tx: writing.tx.snapshot }, repository, digest);',
  },
  {
    name: 'PushBlob reads the live generation without a conflict',
    file: 'src/commands/blob.ts',
    find: 'command.upload),\n    findBlob(writing, command.digest),',
    replace: 'command.upload),\n    findBlob({ ...writing, tx: writing.tx.snapshot }, command.digest),',
  },
  {
    name: 'CreateRepository looks for the repository without a conflict',
    file: 'src/commands/repository.ts',
    find: 'const target = await findTarget(writing, context.actor, command.name);\n    const organization',
    replace:
      'const target = await findTarget({ ...writing, tx: writing.tx.snapshot }, context.actor, command.name);\n    const organization',
  },
  {
    name: 'the command id is not written',
    file: 'src/commands/execute.ts',
    find: 'tx.set(commandKey, encodeJson(stored));',
    replace: 'void stored;',
  },
  {
    name: 'the command id is not read',
    file: 'src/commands/execute.ts',
    find: 'if (before !== undefined) {',
    replace: 'if (before !== undefined && context.commandId === undefined) {',
  },
  {
    name: 'every attempt has a command id of its own',
    file: 'src/commands/execute.ts',
    find: 'keyspace.command(commandId)',
    replace: 'keyspace.command(context.newId())',
  },
  {
    name: 'an event is appended twice',
    file: 'src/commands/execute.ts',
    find: 'const envelopes = mine.map((event) => envelop(context, event));',
    replace: 'const envelopes = mine.concat(mine.slice(-1)).map((event) => envelop(context, event));',
  },
  {
    name: 'a projection misses an event',
    file: 'src/commands/execute.ts',
    find: 'await applyToEach(builds, decodeEvent(bytes), { incarnation, index });',
    replace:
      "const event = decodeEvent(bytes);\n      const some = builds.filter(({ projection }) => projection.name !== 'referrers' || event.payload.kind !== 'ManifestDeleted');\n      await applyToEach(some, event, { incarnation, index });",
  },
  {
    name: 'a projection forgets one of its keys, in a replay, too',
    file: 'src/projections/tags.ts',
    find: "view.clear(['digest', repository, image, digestToBytes(digest), tag]);",
    replace: '',
  },
  {
    name: 'a transaction resolves before its commit',
    file: 'src/keyvalue/simulated.ts',
    find: 'if (commits) await this.#commit(tx);',
    replace: 'if (commits) void this.#commit(tx).catch(() => undefined);',
  },
  {
    name: 'a commit whose outcome is unknown is not repeated',
    file: 'src/keyvalue/database.ts',
    find: " || this.code === 'commit_unknown_result'",
    replace: '',
  },
  {
    name: 'the event of a blob does not wait for the sync of its bytes',
    file: 'src/http/finishing-upload.ts',
    find: 'await (held === undefined ? blobs.commit(staged, digest) : blobs.put(staged, held, digest));',
    replace: 'void (held === undefined ? blobs.commit(staged, digest) : blobs.put(staged, held, digest)).catch(() => undefined);',
  },
  {
    name: 'the digest of an upload is not compared',
    file: 'src/http/finishing-upload.ts',
    find: 'if (actual !== digest) {',
    replace: 'if (actual === undefined) {',
  },
  {
    name: 'PushBlob does not read the session',
    file: 'src/commands/blob.ts',
    find: 'readSession(writing.tx, writing.registry.keyspace, command.upload),\n    findBlob',
    replace:
      'findTarget(writing, context.actor, command.name).then(({ repository }) => ({ repository, name: command.name.name, startedAt: 0, activeAt: 0, writer: { file: command.file } })),\n    findBlob',
  },
  {
    name: 'an upload goes on in a repository that was created anew',
    file: 'src/commands/blob.ts',
    find: 'session.repository !== repository || ',
    replace: '',
  },
  {
    name: 'an expired upload takes the live generation with it',
    file: 'src/commands/upload-bytes.ts',
    find: 'if (live?.generation !== generation) await blobs.remove',
    replace: 'await blobs.remove',
  },
  {
    name: 'a server acknowledges what it received of an upload that another has taken over',
    file: 'src/http/uploads.ts',
    find: 'await requireWriter(exchange, mine);',
    replace: 'void requireWriter;',
  },
  {
    name: 'a deletion forgets the links',
    file: 'src/commands/repository.ts',
    find: '...remains.links.map(',
    replace: '...remains.links.slice(1).map(',
  },
  {
    name: 'a deletion leaves the counters of pulls behind',
    file: 'src/commands/deleted-pulls.ts',
    find: 'clearPulls(tx, registry.keyspace, {',
    replace: 'void clearPulls; void ({',
  },
  {
    name: 'pulls are counted of a manifest that was deleted meanwhile',
    file: 'src/processes/pull-counting.ts',
    find: 'if (found[index] !== undefined) addPulls',
    replace: 'addPulls',
  },
  {
    name: 'pulls whose commit is repeated are counted twice',
    file: 'src/processes/pull-counting.ts',
    find: 'if (done !== undefined) return;',
    replace: '',
  },
  {
    name: 'a repository created anew has the uid of the old one',
    file: 'src/commands/repository.ts',
    find: 'stream: repositoryStream(newRepository),\n    payload: {',
    replace:
      "stream: repositoryStream('01900000-0000-7000-8000-' + Array.from(name.repository, (c) => c.charCodeAt(0).toString(16)).join('').padEnd(12, '0').slice(0, 12)),\n    payload: {",
  },
  {
    name: 'a repository is found while it is being deleted',
    file: 'src/projections/repositories.ts',
    find: "view.clear(['id', uuidItem(project), id]);",
    replace: '',
  },
  {
    name: 'what was read is remembered beyond the next commit',
    file: 'src/projections/read-cache.ts',
    find: 'if (!isSame(state, this.#state)) {',
    replace: 'if (this.#found.size === 0) {',
  },
  {
    name: 'an append bumps no counter',
    file: 'src/events/log.ts',
    find: 'tx.add(keyspace.wake(partition), count);',
    replace: 'void count;',
  },
  {
    name: 'who writes meta/live does not say so',
    file: 'src/projections/live.ts',
    find: 'tx.touchMetadata();',
    replace: '',
  },
  {
    name: 'a command that remembers meta/live does not conflict with a fence',
    file: 'src/projections/store.ts',
    find: 'writing?.addReadConflictRange(keyspace.metaLive, keyAfter(keyspace.metaLive));',
    replace: 'void keyAfter;',
  },
  {
    name: 'a subscription does not keep its position',
    file: 'src/events/subscribe.ts',
    find: 'tap((batch) => (position = batch.next)),',
    replace: 'tap((batch) => (position = batch.events.at(-2)?.position ?? batch.next)),',
  },
  {
    name: 'a build folds what it has already once more',
    file: 'src/projections/advance-build.ts',
    find: 'const known = { events: found.events + folded.events, checkpoint: folded.checkpoint };',
    replace: 'const known = { events: found.events + folded.events, checkpoint: found.checkpoint ?? folded.checkpoint };',
  },
  {
    name: 'the switch leaves out what came last',
    file: 'src/projections/switch-build.ts',
    find: 'const tail = await foldLog(tx, keyspace, targets, live.incarnation, found.checkpoint, limits);',
    replace: 'const tail = { events: 0, checkpoint: found.checkpoint, tailReached: true }; void foldLog; void limits;',
  },
  {
    name: 'commands go on under a fence',
    file: 'src/projections/store.ts',
    find: 'if (fence === undefined) return;',
    replace: "if (fence === undefined || fence.build !== '') return;",
  },
  {
    name: 'the switch does not ask for its fence',
    file: 'src/projections/switch-build.ts',
    find: "if (live.fence?.build !== build || live.fence.deadline <= now) return 'fence lost';",
    replace: '',
  },
  {
    name: 'a release goes on without a version that it does not know',
    file: 'src/projections/store.ts',
    find: "} else if (entry.mode === 'inline') {",
    replace: '} else if (entry.version < 0) {',
  },
  {
    name: 'history does not tell of a digest that a tag left',
    file: 'src/projections/history.ts',
    find: 'if (previous !== undefined) view.setAtPosition(historyKeys.digest(repository, previous), nothing);',
    replace: '',
  },
];

/** The file that a mutant is in, and its text then. Throws where the text to be replaced is not there exactly once: the mutant has to follow the code. */
export function mutated({ name, file, find, replace }: Mutant, root: string): { readonly path: string; readonly text: string } {
  const found = filesOf(join(root, file)).flatMap((path) => {
    const parts = readFileSync(path, 'utf8').split(find);
    return parts.length === 1 ? [] : [{ path, text: parts.join(replace), times: parts.length - 1 }];
  });
  const [first] = found;
  const times = found.reduce((sum, one) => sum + one.times, 0);
  if (first !== undefined && times === 1) return first;
  throw new Error(`mutant "${name}": its text is ${times} times in ${file}; it has to be there once`);
}

function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(path, name));
}
