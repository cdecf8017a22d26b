import { join } from 'node:path'
import { curlParallel, curlThenSha256, wgetFour } from '../session/downloads.ts'
import { measure } from '../session/measured-command.ts'
import { type RoundOptions, rotated } from '../session/round.ts'
import { createRepository, reposync } from './peers.ts'

/** Measures everything once. */
export async function runRpmRound(options: RoundOptions): Promise<void> {
  const { folder, upstream, repository, states, large, program, key, surroundings, record } = options
  const run = async (name: string, command: readonly string[]): Promise<void> =>
    record(name, await measure(command, surroundings))
  const hasReposync = options.wants('reposync')
  const chantal = options.install('chantal', repository)
  const dnf = reposync(repository, join(folder, 'reposync'), key)

  repository.show(states.v1)
  const firsts: (readonly [string, readonly string[]])[] = [
    ['wgetFirst', wgetFour(repository, join(folder, 'wget'))],
    ['syncFirst', chantal.command('repo', 'sync', 'mirrored')],
    ['curlFirst', curlParallel(repository, join(folder, 'curl'))],
  ]
  if (hasReposync) firsts.push(['reposyncFirst', dnf])
  for (const [name, command] of rotated(firsts, options.index)) await run(name, command)

  const before = await upstream.requestCount()
  await run('syncUnchanged', chantal.command('repo', 'sync', 'mirrored'))
  options.recordRequests((await upstream.requestCount()) - before)
  if (hasReposync) await run('reposyncUnchanged', dnf)

  await run('snapshotCreate', chantal.command('snapshot', 'create', 'mirrored@before'))
  repository.show(states.v2)
  await run('syncChanged', chantal.command('repo', 'sync', 'mirrored'))
  if (hasReposync) await run('reposyncChanged', dnf)
  await run('snapshotDiff', chantal.command('snapshot', 'diff', 'mirrored@before', 'mirrored'))
  await run('snapshotCopy', chantal.command('snapshot', 'copy', 'mirrored@before', 'mirrored@copy'))
  const { create, copy } = await chantal.snapshotsInProcess()
  record('snapshotCreateInProcess', create)
  record('snapshotCopyInProcess', copy)

  repository.show(states.v1)
  await run('syncFilteredFirst', chantal.command('repo', 'sync', 'filtered'))
  await run('publishFirst', chantal.command('publish', 'repo', 'filtered'))
  repository.show(states.v2)
  await run('syncFilteredChanged', chantal.command('repo', 'sync', 'filtered'))
  await run('publishChanged', chantal.command('publish', 'repo', 'filtered'))
  await measure(chantal.command('snapshot', 'create', 'filtered@second'), surroundings)
  await run('publishSnapshot', chantal.command('publish', 'snapshot', 'filtered@second'))

  await run('collectGarbage', chantal.command('pool', 'gc'))
  await run('help', [program.file, '--help'])

  if (large === null) return
  const other = options.install('chantal-large', large.repository)
  const both: readonly (readonly [string, readonly string[]])[] = [
    ['largeCurl', curlThenSha256(large.repository, join(folder, 'curl-large'))],
    ['largeSync', other.command('repo', 'sync', 'mirrored')],
  ]
  for (const [name, command] of rotated(both, options.index)) await run(name, command)
  if (options.has('createrepo_c'))
    await run('largeCreaterepo', createRepository(large.folder, join(folder, 'createrepo')))
}
