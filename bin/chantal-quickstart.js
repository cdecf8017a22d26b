#!/usr/bin/env node
// The main job in one go, without internet: mirror a small signed repository, freeze it, see it change, publish both states.
// Every step is the ordinary command line; what is left behind can be played with.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 12)) {
  console.error(`error: Chantal needs Node.js 24.12 or later; this is ${process.versions.node}`)
  process.exit(2)
}

const home = path.resolve(import.meta.dirname, '..')
const demo = path.join(home, 'assets/demo')
const folder = path.resolve('quickstart')
const config = path.join(folder, 'config.yaml')
const mark = '# Made by the quick start of Chantal.'

if (existsSync(folder) && !(existsSync(config) && readFileSync(config, 'utf8').startsWith(mark))) {
  console.error(
    `error: ${folder} exists, and the quick start did not make it\nhint: Run it in another folder.`,
  )
  process.exit(4)
}
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { mode: 0o755 })
chmodSync(folder, 0o755)
showUpstream('v1')
cpSync(path.join(demo, 'RPM-GPG-KEY-demo'), path.join(folder, 'RPM-GPG-KEY-demo'))
writeFileSync(
  config,
  `${mark}
storage:
  base_path: data
repositories:
  - id: demo
    name: Demonstration repository
    type: rpm
    feed: ${pathToFileURL(path.join(folder, 'upstream'))}/
    verify:
      keys: [RPM-GPG-KEY-demo]
`,
)

say('A repository appears upstream: signed metadata, signed packages. Mirror it:')
chantal('repo', 'sync', 'demo')
say('Freeze what it holds today, and publish that:')
chantal('snapshot', 'create', 'demo@before', '--description', 'before the update')
chantal('publish', 'snapshot', 'demo@before')
say('Upstream moves on: one package is updated, one appears, one goes. What would change, and then the sync:')
showUpstream('v2')
chantal('repo', 'check-updates', 'demo')
chantal('repo', 'sync', 'demo')
say('What changed since the snapshot:')
chantal('snapshot', 'diff', 'demo@before')
say('Publish the latest state beside the frozen one:')
chantal('publish', 'repo', 'demo')
chantal('publish', 'list')

const published = path.join(folder, 'data/published')
const shown = path.relative(process.cwd(), config)
console.log(`
Done. Two trees are published below ${published}:

    repositories/demo/latest              what upstream holds now
    repositories/demo/snapshots/before    what it held before, for as long as you keep it

Any web server that follows symbolic links can serve that folder. A client's /etc/yum.repos.d/demo.repo is then

    [demo]
    name=Demonstration repository
    baseurl=http://mirror.example.com/repositories/demo/snapshots/before/
    gpgcheck=1
    repo_gpgcheck=1
    gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-demo

Next: every command works with ${shown}, for example

    npx chantal --config ${shown} content show demo-server
    npx chantal --config ${shown} pool stats

For a repository of your own, write a config.yaml and sync it:

    storage: { base_path: /var/lib/chantal }
    repositories:
      - id: epel9
        type: rpm
        feed: https://mirror.example.org/epel/9/Everything/x86_64/     # your distribution's address
        verify: { keys: [/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-9] }

    npx chantal --config config.yaml repo sync epel9
    npx chantal help start
`)

/** Copies rather than links: the demonstration's times are those of the change. */
function showUpstream(state) {
  const upstream = path.join(folder, 'upstream')
  rmSync(upstream, { recursive: true, force: true })
  cpSync(path.join(demo, state), upstream, { recursive: true })
}

function say(text) {
  console.log(`\n${text}`)
}

/** Runs a command as a user would type it, and shows both. */
function chantal(...args) {
  const words = args.map((word) => (/\s/.test(word) ? `"${word}"` : word))
  console.log(`\n$ chantal ${words.join(' ')}`)
  const program = path.join(home, 'bin/chantal.js')
  try {
    execFileSync(process.execPath, [program, '--config', config, '--quiet', ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
  } catch (error) {
    console.error(`error: that should have worked (exit status ${error.status})`)
    process.exit(error.status ?? 1)
  }
}
