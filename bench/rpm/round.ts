import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Installation, type Program } from './installation.ts'
import { measure, type Sample, type Surroundings } from './measured-command.ts'
import { createRepository, curlParallel, curlThenSha256, reposync, wgetFour } from './peers.ts'
import type { ServedRepository, ServedUpstream } from './served-upstream.ts'

/** Everything that is measured, in the order of the table. */
export const titles = {
  wgetFirst: 'wget x4, the same URLs',
  curlFirst: 'curl -Z, 16 at once, the same URLs',
  reposyncFirst: 'dnf reposync, first',
  syncFirst: 'repo sync, first',
  reposyncUnchanged: 'dnf reposync, unchanged',
  syncUnchanged: 'repo sync, unchanged',
  reposyncChanged: 'dnf reposync, 1 % changed',
  syncChanged: 'repo sync, 1 % changed',
  snapshotCreate: 'snapshot create',
  snapshotCopy: 'snapshot copy',
  snapshotDiff: 'snapshot diff, 1 % changed',
  snapshotCreateInProcess: 'snapshot create, in process',
  snapshotCopyInProcess: 'snapshot copy, in process',
  syncFilteredFirst: 'repo sync, filtered, packages in the pool',
  publishFirst: 'publish repo, filtered and signed, first',
  syncFilteredChanged: 'repo sync, filtered, 1 % changed',
  publishChanged: 'publish repo, filtered and signed, 1 % changed',
  publishSnapshot: 'publish snapshot, of what is published',
  collectGarbage: 'pool gc, nothing to remove',
  help: '--help',
  largeCurl: 'large files: curl -Z, then sha256sum',
  largeSync: 'large files: repo sync, first',
  largeCreaterepo: 'large files: createrepo_c',
} as const

export type Measure = keyof typeof titles

/** Of the measures, those that are runs of Chantal's program. */
export const chantalMeasures: readonly Measure[] = [
  'syncFirst',
  'syncUnchanged',
  'syncChanged',
  'snapshotCreate',
  'snapshotCopy',
  'snapshotDiff',
  'syncFilteredFirst',
  'publishFirst',
  'syncFilteredChanged',
  'publishChanged',
  'publishSnapshot',
  'collectGarbage',
  'help',
  'largeSync',
]

export interface Round {
  /** What was left out is not in it. */
  readonly samples: Readonly<Partial<Record<Measure, Sample>>>
  /** Requests of the unchanged sync, from the server's log. */
  readonly unchangedRequests: number
}

export interface RoundOptions {
  /** Position in the session: decides who begins. */
  readonly index: number
  /** Must not exist. Stays, because removing many files slows down the making of the next ones. */
  readonly folder: string
  readonly upstream: ServedUpstream
  readonly repository: ServedRepository
  readonly states: { readonly v1: string; readonly v2: string }
  /** A repository of few large files, and its folder. */
  readonly large: { readonly repository: ServedRepository; readonly folder: string } | null
  readonly program: Program
  readonly key: string | null
  readonly signingKey: string
  readonly hasReposync: boolean
  readonly hasCreaterepo: boolean
  readonly signal: AbortSignal
  readonly onSample: (measure: Measure, sample: Sample) => void
}

/** Measures everything once, from empty folders on. */
export async function runRound(options: RoundOptions): Promise<Round> {
  const { folder, upstream, repository, states, large, program, key, signingKey, onSample } = options
  mkdirSync(join(folder, 'home'), { recursive: true })
  const surroundings: Surroundings = { folder, signal: options.signal }
  const samples: Partial<Record<Measure, Sample>> = {}
  const record = (name: Measure, sample: Sample): void => {
    samples[name] = sample
    onSample(name, sample)
  }
  const run = async (name: Measure, command: readonly string[]): Promise<void> =>
    record(name, await measure(command, surroundings))

  const chantal = new Installation(join(folder, 'chantal'), {
    program,
    feed: repository.url,
    key,
    signingKey,
  })
  const dnf = reposync(repository, join(folder, 'reposync'), key)

  repository.show(states.v1)
  const firsts: (readonly [Measure, readonly string[]])[] = [
    ['wgetFirst', wgetFour(repository, join(folder, 'wget'))],
    ['syncFirst', chantal.command('repo', 'sync', 'mirrored')],
    ['curlFirst', curlParallel(repository, join(folder, 'curl'))],
  ]
  if (options.hasReposync) firsts.push(['reposyncFirst', dnf])
  for (const [name, command] of rotated(firsts, options.index)) await run(name, command)

  const before = await upstream.requestCount()
  await run('syncUnchanged', chantal.command('repo', 'sync', 'mirrored'))
  const unchangedRequests = (await upstream.requestCount()) - before
  if (options.hasReposync) await run('reposyncUnchanged', dnf)

  await run('snapshotCreate', chantal.command('snapshot', 'create', 'mirrored@before'))
  repository.show(states.v2)
  await run('syncChanged', chantal.command('repo', 'sync', 'mirrored'))
  if (options.hasReposync) await run('reposyncChanged', dnf)
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

  if (large !== null) {
    const other = new Installation(join(folder, 'chantal-large'), {
      program,
      feed: large.repository.url,
      key: null,
      signingKey,
    })
    const both: readonly (readonly [Measure, readonly string[]])[] = [
      ['largeCurl', curlThenSha256(large.repository, join(folder, 'curl-large'))],
      ['largeSync', other.command('repo', 'sync', 'mirrored')],
    ]
    for (const [name, command] of rotated(both, options.index)) await run(name, command)
    if (options.hasCreaterepo)
      await run('largeCreaterepo', createRepository(large.folder, join(folder, 'createrepo')))
  }
  return { samples, unchangedRequests }
}

/** Nobody is always the first, or always after the same other. */
function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}
