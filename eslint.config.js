// @ts-check
import { builtinModules } from 'node:module';
import js from '@eslint/js';
import boundaries from 'eslint-plugin-boundaries';
import tseslint from 'typescript-eslint';

// Who may import whom: one row a folder of src/. Every folder and the composition root may import the shared files.
const imports = {
  keyvalue: [],
  blobs: ['keyvalue'],
  events: ['keyvalue'],
  projections: ['events', 'keyvalue'],
  identity: ['projections', 'events', 'keyvalue'],
  commands: ['projections', 'events', 'blobs', 'keyvalue'],
  processes: ['identity', 'commands', 'projections', 'events', 'blobs', 'keyvalue'],
  http: ['identity', 'commands', 'projections', 'events', 'blobs', 'keyvalue'],
};
const shared = ['errors', 'config', 'digest', 'identifiers'];

/** @type {(category: string, importable: readonly string[]) => object} */
const mayImport = (category, importable) => ({
  from: { file: { categories: category } },
  allow: { to: { file: { categories: { anyOf: importable } } } },
});

const noDefaultExport = { selector: 'ExportDefaultDeclaration', message: 'export it by its name' };

const clock = 'what it gives has to follow from the events alone: take the time and ids from the event or the command';
const pure = {
  'no-restricted-globals': [
    'error',
    ...['Date', 'performance', 'crypto', 'process', 'setTimeout', 'setInterval', 'setImmediate'].map((name) => ({
      name,
      message: clock,
    })),
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Math', property: 'random', message: clock },
    ...['Date', 'performance', 'crypto', 'process'].map((property) => ({ object: 'globalThis', property, message: clock })),
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: [...builtinModules, 'uuid'].map((name) => ({ name, message: clock })),
      patterns: [{ group: ['node:*'], message: clock }],
    },
  ],
  'no-restricted-syntax': ['error', noDefaultExport, { selector: 'ImportExpression', message: clock }],
};

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'data/', 'coverage/', 'src/events/generated/'] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'no-throw-literal': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-restricted-syntax': ['error', noDefaultExport],
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'Buffer',
          'URL',
          'performance',
          'fetch',
          'AbortController',
          'AbortSignal',
          'TextEncoder',
          'TextDecoder',
        ]
          .concat(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'structuredClone'])
          .map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidOperator: true }],
      // What was caught is thrown again as it is.
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true, allowThrowingAny: false }],
      // `async` also makes what is thrown a rejection, and `void` says that a result is of no interest.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // A type parameter that is used once still names what its caller asks for.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // The generated code takes an enum's numbers, and the codec's tables are typed by their names.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { boundaries },
    settings: {
      'import/resolver': { typescript: { project: `${import.meta.dirname}/tsconfig.json` } },
      'boundaries/files': [
        ...Object.keys(imports).map((folder) => ({ category: folder, pattern: `src/${folder}/**` })),
        { category: 'shared', pattern: `src/{${shared.join(',')}}.ts` },
        { category: 'outside', pattern: '{test,bench,scripts}/**' },
        { category: 'main', pattern: [`src/!(${shared.join('|')}).ts`, 'src/cli/**'] },
      ],
    },
    rules: {
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          message: 'the table of imports in eslint.config.js does not let this file import {{ dependency.source }}',
          policies: [
            ...Object.entries(imports).map(([folder, others]) => mayImport(folder, [folder, 'shared', ...others])),
            mayImport('shared', ['shared']),
            mayImport('main', ['main', 'shared', ...Object.keys(imports)]),
          ],
        },
      ],
    },
  },
  { files: ['src/projections/**/*.ts', 'src/commands/**/*.ts'], rules: pure },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Generated strings are taken apart by code point on purpose.
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      // It takes a variable that a callback sets for one that nothing sets.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-base-to-string': 'off',
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'off',
    },
  },
  {
    files: ['*.config.{js,ts}'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
