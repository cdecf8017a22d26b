import path from 'node:path'
import { verifyDatabase } from '../../src/app/database/verify-database.ts'
import { brokenInvariants } from '../crash/invariants.ts'
import { type Ended, type StepCounts, startProcess, startRepeating } from '../crash/process.ts'
import { startDemoUpstream, turnDemo } from './demo-upstream.ts'
import { openSite } from './site.ts'

export interface SoakTerms {
  readonly seconds: number
  /** Kills each process every second or two, at whatever it is doing, and starts it again. */
  readonly kills: boolean
}

export interface SoakReport {
  /** `ended` and `counts` are of the last start of each. */
  readonly processes: readonly {
    readonly work: string
    readonly ended: Ended
    readonly counts: StepCounts
    readonly kills: number
  }[]
  /** What is not as it should be once all have ended; nothing may be. */
  readonly broken: readonly string[]
}

const root = path.join(import.meta.dirname, '..', '..')
const uploads = path.join(root, 'assets', 'demo', 'v2', 'Packages')
const others = path.join(root, 'tests', 'fixtures', 'rpm', 'flat')

/**
 * What each process does again and again. Only one makes snapshots of an owner: retention never takes one that its maker is about
 * to publish. Only one fills and empties a repository, so that there always is what it removes.
 */
const works = (folder: string, { kills }: SoakTerms) => [
  'sync demo,publish demo',
  'sync other,snapshot other@%,publish other@% stable',
  'publish both,snapshot both@%,publish both@% stable',
  `upload tools ${uploads},publish tools,snapshot tools@%,remove tools demo-*,publish own`,
  `upload attic ${others},copy demo demo-server* attic,move attic demo-hello* tools,publish attic,remove attic *`,
  'collect,prune',
  // What a killed publication has left is a flaw until somebody publishes there again or collects garbage.
  `snapshot demo@%,${kills ? '' : 'verify,'}backup ${path.join(folder, 'backup')},vacuum`,
]

/**
 * Several processes at work on one catalog and one pool for so many seconds, while upstream changes: syncs, publications, uploads, copies,
 * snapshots of repositories and views, retention, garbage collection without grace, verification, backups. Then looks at everything.
 * @param database empty; `null`: SQLite
 */
export async function soak(database: URL | null, terms: SoakTerms): Promise<SoakReport> {
  await using upstream = await startDemoUpstream()
  const retention = { keep_last: 2 }
  const feed = upstream.url
  await using site = await openSite({
    repositories: [
      { id: 'demo', type: 'rpm', feed, retention },
      { id: 'other', type: 'rpm', feed, mode: 'filtered', retention },
      { id: 'tools', type: 'rpm', mode: 'hosted', retention },
      { id: 'attic', type: 'rpm', mode: 'hosted' },
    ],
    sections: {
      publish: { keep_generations: 1, grace: '0s' },
      views: [
        { name: 'both', repos: ['demo', 'other'], retention },
        { name: 'own', repos: ['tools', 'attic'] },
      ],
    },
    ...(database && { database }),
  })
  for (const id of ['demo', 'other']) await site.sync(id)
  await startProcess(site.folder, `upload tools ${uploads},upload attic ${others}`).ended
  const over = new AbortController()
  const turning = turnDemo(upstream, over.signal)
  const processes = await Promise.all(
    works(site.folder, terms).map((work, index) => keepWorking(site.folder, work, index, terms)),
  )
  over.abort()
  await turning
  // Nobody mends anything by hand: whoever comes next does.
  const mended = terms.kills ? await startProcess(site.folder, 'collect').ended : null
  const { flaws, damaged } = await verifyDatabase(
    site.context,
    { deep: true, repair: false },
    new AbortController().signal,
  )
  const leases = (await site.context.catalog.leases()).filter(({ health }) => health !== 'dead')
  return {
    processes,
    broken: [
      ...(mended && mended.status !== 0 ? [`garbage collection: ${mended.stderr}`] : []),
      ...flaws.map(({ subject, message }) => `${subject} ${message}`),
      ...damaged.map(({ digest, state }) => `${digest} is ${state}`),
      ...leases.map(({ resource, purpose }) => `${resource} is still held: ${purpose}`),
      ...(await brokenInvariants(site)),
    ],
  }
}

/** Until its time is over, however often it is killed. @param index another one has other moments */
async function keepWorking(folder: string, work: string, index: number, { seconds, kills }: SoakTerms) {
  const end = performance.now() + 1000 * seconds
  for (let killed = 0; ; killed++) {
    const left = Math.max(0, end - performance.now()) / 1000
    // Rounds of one start never have the numbers of another's: snapshots are named after them.
    const process = startRepeating(folder, work, { seconds: left, from: 1 + killed * 100_000 })
    const livesMs = 600 + 130 * ((7 * index + 5 * killed) % 11)
    const timer = kills && left > 3 ? setTimeout(() => process.kill(), livesMs) : undefined
    const ended = await process.ended
    clearTimeout(timer)
    if (ended.signal !== 'SIGKILL') return { work, ended, counts: await process.counted, kills: killed }
  }
}
