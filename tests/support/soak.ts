import path from 'node:path'
import { verifyDatabase } from '../../src/app/database/verify-database.ts'
import { brokenInvariants } from '../crash/invariants.ts'
import { type Ended, type StepCounts, startProcess, startRepeating } from '../crash/process.ts'
import { startDemoUpstream, turnDemo } from './demo-upstream.ts'
import { openSite } from './site.ts'

export interface SoakReport {
  readonly processes: readonly { readonly work: string; readonly ended: Ended; readonly counts: StepCounts }[]
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
const works = (folder: string) => [
  'sync demo,publish demo',
  'sync other,snapshot other@%,publish other@% stable',
  'publish both,snapshot both@%,publish both@% stable',
  `upload tools ${uploads},publish tools,snapshot tools@%,remove tools demo-*,publish own`,
  `upload attic ${others},copy demo demo-server* attic,move attic demo-hello* tools,publish attic,remove attic *`,
  'collect,prune',
  `snapshot demo@%,verify,backup ${path.join(folder, 'backup')},vacuum`,
]

/**
 * Several processes at work on one catalog and one pool for so many seconds, while upstream changes: syncs, publications, uploads, copies,
 * snapshots of repositories and views, retention, garbage collection without grace, verification, backups. Then looks at everything.
 * @param database empty; `null`: SQLite
 */
export async function soak(database: URL | null, seconds: number): Promise<SoakReport> {
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
  const started = works(site.folder).map((work) => ({ work, ...startRepeating(site.folder, work, seconds) }))
  const processes = await Promise.all(
    started.map(async ({ work, ended, counted }) => ({ work, ended: await ended, counts: await counted })),
  )
  over.abort()
  await turning
  const { flaws, damaged } = await verifyDatabase(
    site.context,
    { deep: true, repair: false },
    new AbortController().signal,
  )
  const leases = await site.context.catalog.leases()
  return {
    processes,
    broken: [
      ...flaws.map(({ subject, message }) => `${subject} ${message}`),
      ...damaged.map(({ digest, state }) => `${digest} is ${state}`),
      ...leases.map(({ resource, purpose }) => `${resource} is still held: ${purpose}`),
      ...(await brokenInvariants(site)),
    ],
  }
}
