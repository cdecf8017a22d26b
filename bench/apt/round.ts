import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { curlParallel, wgetFour } from '../session/downloads.ts'
import { measure } from '../session/measured-command.ts'
import { type RoundOptions, rotated } from '../session/round.ts'
import type { ServedRepository } from '../session/served-upstream.ts'
import { Aptly, aptMirror, type BenchedSuite, debmirror, makeKeyring } from './peers.ts'

export const benchedSuite: BenchedSuite = {
  suites: ['bookworm'],
  components: ['main'],
  architectures: ['amd64'],
}

/** Measures everything once. */
export async function runAptRound(options: RoundOptions): Promise<void> {
  const { folder, upstream, repository, states, key, signingKey, surroundings, record } = options
  const run = async (name: string, command: readonly string[]): Promise<void> =>
    record(name, await measure(command, surroundings))
  const needsKeyring = options.wants('aptly') || options.wants('debmirror')
  const keyring = key !== null && needsKeyring ? makeKeyring(key, join(folder, 'keyring')) : null
  const chantal = options.install('chantal', repository)
  const aptlyFolder = join(folder, 'aptly')
  const aptly = options.wants('aptly') ? new Aptly(aptlyFolder, keyring, signingKey, benchedSuite) : null
  const peers: Peer[] = []
  const addPeer = (name: string, target: string, command: readonly string[]) =>
    peers.push({ name, target, command })
  if (aptly) addPeer('aptly', aptlyFolder, aptly.updateMirror())
  if (options.wants('apt-mirror')) {
    const target = join(folder, 'apt-mirror')
    addPeer('aptMirror', target, aptMirror(repository, target, benchedSuite))
  }
  if (options.wants('debmirror')) {
    const target = join(folder, 'debmirror')
    addPeer('debmirror', target, debmirror(repository, target, keyring, benchedSuite))
  }

  repository.show(states.v1)
  if (aptly) await measure(aptly.createMirror(repository, benchedSuite), surroundings)
  const firsts: readonly (readonly [string, readonly string[]])[] = [
    ['wgetFirst', wgetFour(repository, join(folder, 'wget'))],
    ['syncFirst', chantal.command('repo', 'sync', 'mirrored')],
    ['curlFirst', curlParallel(repository, join(folder, 'curl'))],
    ...peers.map(({ name, command }) => [`${name}First`, command] as const),
  ]
  for (const [name, command] of rotated(firsts, options.index)) await run(name, command)
  for (const peer of peers) requireEveryPackage(peer, repository)

  const before = await upstream.requestCount()
  await run('syncUnchanged', chantal.command('repo', 'sync', 'mirrored'))
  options.recordRequests((await upstream.requestCount()) - before)
  for (const { name, command } of peers) await run(`${name}Unchanged`, command)

  await run('snapshotCreate', chantal.command('snapshot', 'create', 'mirrored@before'))
  record('snapshotCreateInProcess', (await chantal.snapshotsInProcess()).create)
  if (aptly)
    await run(
      'aptlySnapshotCreate',
      aptly.command('snapshot', 'create', 'before', 'from', 'mirror', 'upstream'),
    )
  await run('syncFilteredFirst', chantal.command('repo', 'sync', 'filtered'))
  await run('publishFirst', chantal.command('publish', 'repo', 'filtered'))
  await measure(chantal.command('publish', 'repo', 'mirrored'), surroundings)
  if (aptly) await run('aptlyPublishFirst', aptly.publish('before', benchedSuite))

  repository.show(states.v2)
  await run('syncChanged', chantal.command('repo', 'sync', 'mirrored'))
  for (const { name, command } of peers) await run(`${name}Changed`, command)
  await run('syncFilteredChanged', chantal.command('repo', 'sync', 'filtered'))
  await run('publishChanged', chantal.command('publish', 'repo', 'filtered'))
  await run('publishMirror', chantal.command('publish', 'repo', 'mirrored'))
  await measure(chantal.command('snapshot', 'create', 'filtered@second'), surroundings)
  await run('publishSnapshot', chantal.command('publish', 'snapshot', 'filtered@second'))
  await run('snapshotDiff', chantal.command('snapshot', 'diff', 'mirrored@before', 'mirrored'))
  if (!aptly) return
  await measure(aptly.command('snapshot', 'create', 'after', 'from', 'mirror', 'upstream'), surroundings)
  await run('aptlySnapshotDiff', aptly.command('snapshot', 'diff', 'before', 'after'))
  await run('aptlyPublishChanged', aptly.switchTo('after', benchedSuite))
}

interface Peer {
  /** Its measures' names begin with it. */
  readonly name: string
  /** Holds what it fetched. */
  readonly target: string
  /** Brings it up to date. */
  readonly command: readonly string[]
}

/** A peer that passes over what it does not find is quick. @throws Error where it has fewer files than there are packages */
function requireEveryPackage({ name, target }: Peer, { files }: ServedRepository): void {
  const wanted = files.filter(({ path }) => path.endsWith('.deb')).length
  const entries = readdirSync(target, { recursive: true, withFileTypes: true })
  const fetched = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.deb')).length
  if (fetched < wanted) throw new Error(`${name} fetched ${fetched} packages of ${wanted}`)
}
