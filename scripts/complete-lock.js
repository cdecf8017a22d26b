// complete-lock.js   - enters into package-lock.json the optional packages that npm left out.
//
// Native packages bring one optional package for each platform. Where a registry (a mirror, say) lacks those of other platforms, npm
// writes a lock file without them, and then `npm ci` refuses it as incomplete. They are entered with the version that their parent asks
// for; `npm ci` skips them where they do not fit the platform.
//
// What npm skips as well, without a word, is an optional package whose `engines` do not fit the Node that runs npm. That is an old one
// on many machines, while the program runs on the Node of node_modules. So optional packages lose their `engines` here.
//
// Run it after `npm install`.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), 'package-lock.json')
const lock = JSON.parse(readFileSync(file, 'utf8'))
const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]
const processors = [
  'arm64',
  'arm',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
]

for (const [path, parent] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (isFound(path, name)) continue
    const words = name.split(/[-/]/)
    lock.packages[`node_modules/${name}`] = {
      version,
      ...among('cpu', processors, words),
      ...(parent.dev ? { dev: true } : {}),
      ...(words.some((word) => word.startsWith('musl')) ? { libc: ['musl'] } : {}),
      optional: true,
      ...among('os', systems, words),
    }
    console.log(`${name} ${version}`)
  }
}
for (const entry of Object.values(lock.packages)) if (entry.optional) delete entry.engines
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)

function among(key, known, words) {
  const named = known.filter((word) => words.includes(word))
  return named.length === 0 ? {} : { [key]: named }
}

/** Whether a package of that name is in reach of `path`: below it, or beside it or one of its parents. */
function isFound(path, name) {
  for (let folder = path; ; folder = folder.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in lock.packages) return true
    if (folder === '') return false
  }
}
