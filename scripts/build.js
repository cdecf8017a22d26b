// build.js   - bundles src/main.ts, what starts it, and the thread that downloads, into dist/.
//
// The program is one script: Node takes a millisecond or two for every file of a program in modules, and keeps less of what V8 compiled of them
// (src/program-cache.ts). What no command has asked for yet is not run, and not compiled.
//
// Bundled is what is slow to find and load file by file, and lends itself to it; the rest stays in node_modules: what is native,
// what is large and rarely used, and openpgp, whose licence (LGPL) asks that users can replace it. Of undici the part for direct requests
// is bundled: every sync needs it, and it is thirty files.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, transformSync } from 'esbuild'

const bundled = ['commander', 'js-yaml', 'kysely', 'saxes', 'xmlchars', 'zod']

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const external = Object.keys(dependencies).filter((name) => !bundled.includes(name))

const shared = {
  absWorkingDir: root,
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node24.12',
  // A script that is not Node's own has no way to import; packages for modules alone can be required too.
  supported: { 'dynamic-import': false },
  plugins: [
    { name: 'commands in process', setup: bundleNoPrograms },
    { name: 'builtins', setup: takeBuiltinsDirectly },
    { name: 'direct requests', setup: bundleDirectRequests },
  ],
  // Not minified: it starts no sooner, and stack traces are read in reports of bugs.
  external: external.flatMap((name) => [name, `${name}/*`]),
  // LICENSES.txt has them whole.
  legalComments: 'none',
  define: { 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' },
  metafile: true,
  logLevel: 'warning',
}

rmSync(join(root, 'dist'), { recursive: true, force: true })
const program = await build({
  ...shared,
  entryPoints: { program: 'src/main.ts' },
  // What V8 compiled of it is found again by this name.
  entryNames: '[name]-[hash]',
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
  footer: { js: '})' },
})
const [programFile] = Object.keys(program.metafile.outputs).map((output) => basename(output))
writeAscii(join(root, 'dist', programFile))
const others = await build({
  ...shared,
  entryPoints: { start: 'src/start.ts', 'download-thread': 'src/download-thread.ts' },
  define: { ...shared.define, PROGRAM_FILE: JSON.stringify(programFile) },
})
const inputs = [program, others].flatMap(({ metafile }) => Object.keys(metafile.inputs))
writeFileSync(join(root, 'dist', 'LICENSES.txt'), licences(inputs))
// What does not start is not built; and whoever built it finds help compiled.
execFileSync(process.execPath, [join(root, 'bin', 'chantal.js'), '--help'], {
  stdio: ['ignore', 'ignore', 'inherit'],
})

/** A script of other characters takes longer to read. Code has them escaped; what is left is in comments. */
function writeAscii(file) {
  const code = readFileSync(file, 'utf8')
  const isAscii = (text) => !/[^\0-\x7f]/.test(text)
  if (!isAscii(transformSync(code, { minifyWhitespace: true }).code)) throw new Error(`${file} is not ASCII`)
  writeFileSync(file, code.replace(/[^\0-\x7f]/g, '?'))
}

/**
 * Takes what is imported of a module of Node's own from the module itself. Node's way for `import` reads every name that the module has, and
 * some load what nobody asked for: of `node:crypto` WebCrypto, a tenth of a short command.
 */
function takeBuiltinsDirectly(build) {
  build.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
    kind === 'import-statement' ? { path, namespace: 'builtin' } : undefined,
  )
  build.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
    contents: [
      `const builtin = process.getBuiltinModule('${path}')`,
      'const member = (name) => builtin[name]',
      'export default builtin',
      // Pure, so that only what is used stays.
      ...Object.getOwnPropertyNames(process.getBuiltinModule(path))
        .filter((name) => /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) && name !== 'default')
        .map((name) => `export const ${name} = /* @__PURE__ */ member('${name}')`),
    ].join('\n'),
  }))
}

/** Commander can have a command be a program of its own. None is, and what would start it is loaded by no command then. */
function bundleNoPrograms(build) {
  build.onResolve({ filter: /^node:child_process$/ }, ({ path, importer }) =>
    importer.includes('/node_modules/commander/') ? { path, namespace: 'unused' } : undefined,
  )
  build.onLoad({ filter: /./, namespace: 'unused' }, () => ({ contents: 'export default {}' }))
}

/** HTTP/2 is never asked for; undici takes it for absent where its module is, which spares every sync the loading. */
function bundleDirectRequests(build) {
  const { resolve } = createRequire(import.meta.url)
  build.onResolve({ filter: /^undici\/lib\// }, ({ path }) => ({ path: resolve(path) }))
  build.onResolve({ filter: /^node:http2$/ }, ({ path }) => ({ path, namespace: 'absent' }))
  build.onLoad({ filter: /./, namespace: 'absent' }, ({ path }) => ({
    contents: `throw new Error('${path} is not used here')`,
  }))
}

/** The licences of what is bundled ask to go with it. */
function licences(inputs) {
  const names = new Set(
    inputs.flatMap((file) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []),
  )
  return [...names]
    .sort()
    .map((name) => {
      const folder = join(root, 'node_modules', name)
      const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      const file = readdirSync(folder).find((entry) => /^licen[sc]e/i.test(entry))
      const text = file === undefined ? '' : `\n\n${readFileSync(join(folder, file), 'utf8').trim()}`
      return `${name} ${version}: ${license}${text}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}
