// Makes src/events/generated/ from events.proto. With --check it only says whether what is committed is what would be made.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const schema = join(root, 'src/events/events.proto');
const target = join(root, 'src/events/generated');
const cli = join(root, 'node_modules/protobufjs-cli/bin/pbjs');
const header = '// Generated from events.proto by scripts/generate-events.js (npm run generate): do not edit.\n';

const folder = mkdtempSync(join(tmpdir(), 'events-'));
try {
  // The declarations are made from the comments of the code, which then needs none.
  pbjs('declared.js', '--dts');
  pbjs('events.js', '--no-comments');
  const made = new Map([
    [
      'events.js',
      header + onceAndInOrder(checksumNowhereElse(withoutOneofAccessors(readFileSync(join(folder, 'events.js'), 'utf8')))),
    ],
    ['events.d.ts', header + readFileSync(join(folder, 'declared.d.ts'), 'utf8')],
  ]);
  if (process.argv.includes('--check')) check(made);
  else for (const [name, text] of made) writeFileSync(join(target, name), text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pbjs(out, ...options) {
  const unused = ['--no-create', '--no-convert', '--no-delimited', '--no-typeurl', '--no-service'];
  const args = ['-t', 'static-module', '-w', 'esm', '--dependency', 'protobufjs/minimal.js', ...unused, ...options];
  const run = spawnSync(process.execPath, [cli, ...args, '-o', join(folder, out), schema], { encoding: 'utf8' });
  if (run.status !== 0) {
    process.stderr.write(run.stderr);
    throw new Error('pbjs could not read src/events/events.proto');
  }
}

/**
 * The accessor of a oneof goes through the names of all its messages at every decode and deletes them, so it gets slower with every event kind. Without it
 * `payload` is a plain property that decode sets to the name of the last one that it read.
 */
function withoutOneofAccessors(code) {
  const accessor = /^ +let \$oneOfFields;\n\n +\$Object\.defineProperty\(Event\.prototype, "payload", \{\n.*\n.*\n +\}\);\n\n/m;
  if (!accessor.test(code)) throw new Error('pbjs writes the accessor of a oneof in another way than this script knows');
  return code.replace(accessor, '');
}

/** The checksum is the first field, and taken off before decode (checksum.ts): in its number's place nobody has written one. */
function checksumNowhereElse(code) {
  const field =
    /^( +)if \(value = reader\.fixed32\(\)\)\n +message\.checksum = value;\n +else\n +delete message\.checksum;\n +continue;\n/m;
  if (!field.test(code)) throw new Error('pbjs reads a fixed32 in another way than this script knows');
  return code.replace(field, '$1throw $Error("a checksum is not the first field");\n');
}

/**
 * Protobuf merges what stands in the bytes twice: two events in one value would be read as one. An encoder writes the fields of a message once each, in the
 * order of their numbers, and one payload; decode refuses all else. (To encode again and compare takes four times as long as to decode.)
 */
function onceAndInOrder(code) {
  const begin = / +while \(reader\.pos < end\) \{\n/g;
  const tag = / +let tag = reader\.tag\(\);\n/g;
  const payload = / +message\.payload = "\w+";\n/g;
  const messages = code.match(/\.decode = function /g).length;
  if (/^ *(?:repeated|map<)/m.test(readFileSync(schema, 'utf8'))) throw new Error('a field that may be there several times');
  if ([begin, tag].some((line) => code.match(line)?.length !== messages) || !payload.test(code)) {
    throw new Error('pbjs writes decode in another way than this script knows');
  }
  return code
    .replace(begin, (line) => `                let last = 0;\n${line}`)
    .replace(
      tag,
      (line) =>
        `${line}${refuse('tag >>> 3 <= last', 'a field is there twice, or behind a later one')}\n                    last = tag >>> 3;\n`,
    )
    .replace(payload, (line) => `${refuse('message.payload !== $undefined', 'there are two payloads')}\n${line}`);
}

function refuse(condition, message) {
  return `                    if (${condition})\n                        throw $Error("${message}");`;
}

function check(made) {
  for (const [name, text] of made) {
    const path = join(target, name);
    let committed;
    try {
      committed = readFileSync(path, 'utf8');
    } catch {
      committed = undefined;
    }
    if (committed === text) continue;
    console.error(`${relative(root, path)} is not what events.proto gives; run: npm run generate`);
    process.exitCode = 1;
    return;
  }
}
