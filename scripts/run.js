// run.js PROGRAM ARGUMENT...   - runs a program of this repository after making sure that node_modules is what the lock file says.
//
// Any Node from 18 on can run this file: a fresh clone has no other. `node`, among the programs, is the one of node_modules.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const programs = join(root, 'node_modules', '.bin')
const environment = { ...process.env, PATH: programs + delimiter + process.env.PATH }

if (!isInstalled()) {
  process.stderr.write('Installing the packages of package-lock.json (npm ci) ...\n')
  const { status } = spawnSync('npm', ['ci'], { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) process.exit(status === null ? 1 : status)
}
if (!existsSync(join(programs, 'node'))) {
  process.stderr.write(
    'error: node_modules/.bin/node is missing: the package "node" was installed without its install script\n' +
      'hint: npm rebuild node\n',
  )
  process.exit(1)
}

const [program, ...rest] = process.argv.slice(2)
const child = spawn(program, rest, { stdio: 'inherit', env: environment })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  process.stderr.write(`error: cannot run ${program}: ${error.message}\n`)
  process.exit(1)
})
child.on('exit', (status, signal) => {
  process.exit(status === null ? (signal === 'SIGINT' ? 130 : 1) : status)
})

/** Compares with the list that npm leaves in node_modules as its last step, so an installation that was cut off does not count. */
function isInstalled() {
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'))
  if (installed === null) return false
  return Object.entries(packagesOf(join(root, 'package-lock.json')) ?? {}).every(([path, wanted]) => {
    const found = installed[path]
    // What is optional is left out where it is made for another system.
    if (found === undefined) return path === '' || wanted.optional === true
    return found.version === wanted.version && found.integrity === wanted.integrity
  })
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return null
  }
}
