import type { AppContext } from '../../src/app/context.ts'
import { databaseStatistics } from '../../src/app/database/database-statistics.ts'
import { verifyDatabase } from '../../src/app/database/verify-database.ts'
import { collectGarbage } from '../../src/app/pool/collect-garbage.ts'
import { pruneRevisions } from '../../src/app/pool/prune-revisions.ts'
import { listRepositories } from '../../src/app/repository/list-repositories.ts'
import { listSnapshots } from '../../src/app/snapshot/list-snapshots.ts'
import { loadConfiguration } from '../../src/config/load.ts'
import type { RepositoryId } from '../../src/core/model.ts'
import { ecosystems } from '../../src/ecosystems/registry.ts'
import { openContext } from '../../src/open-context.ts'
import { repositoryId } from './make-catalog.ts'

export interface Figures {
  readonly wallS: number
  readonly cpuS: number
  readonly peakRssMiB: number
  readonly outcome: string
}

const signal = new AbortController().signal
const input = { graceMs: 0, dryRun: true }

/** In this order: the last ones change the catalog. */
const works: Readonly<Record<string, (context: AppContext) => Promise<string>>> = {
  'open alone': async () => '',
  'repo list': async (context) => {
    const rows = await listRepositories(context, { type: null, pattern: null }, signal)
    return `${rows.length} repositories`
  },
  'snapshot list': async (context) => {
    const rows = await listSnapshots(context, { ids: [] }, signal)
    return `${rows.length} snapshots`
  },
  'snapshot diff': (context) => countChanges(context, 0, 0),
  'snapshot diff of two repositories': (context) => countChanges(context, 0, 1),
  'db stats': async (context) => {
    const { dedupeRatio } = await databaseStatistics(context, {}, signal)
    return `every byte is used ${dedupeRatio?.toFixed(1)} times`
  },
  'db verify': async (context) => {
    const verified = await verifyDatabase(context, { deep: false, repair: false }, signal)
    return `${verified.packages} packages, ${verified.blobs} blobs: ${verified.flaws.length + verified.damaged.length} flaws`
  },
  'pool gc --dry-run, nothing to do': async (context) =>
    outcomeOf(await collectGarbage(context, input, signal)),
  'snapshot delete, half of them': async (context) => {
    const all = await context.catalog.read((reader) => reader.snapshots())
    const leaving = all.filter(({ revision }) => revision.number <= 25)
    for (let start = 0; start < leaving.length; start += 500)
      await context.catalog.write(async (writer) => {
        for (const { repository, name } of leaving.slice(start, start + 500))
          await writer.deleteSnapshot(repository, name)
      })
    return `${leaving.length} snapshots`
  },
  'pool gc --dry-run': async (context) => outcomeOf(await collectGarbage(context, input, signal)),
  prune: async (context) => `${await pruneRevisions(context.catalog, new Date(), signal)} revisions`,
  'pool gc': async (context) => outcomeOf(await collectGarbage(context, { ...input, dryRun: false }, signal)),
  'db verify, after it': async (context) => {
    const verified = await verifyDatabase(context, { deep: false, repair: false }, signal)
    return `${verified.packages} packages, ${verified.blobs} blobs: ${verified.flaws.length + verified.damaged.length} flaws`
  },
  'db vacuum': async ({ catalog }) => {
    const before = await catalog.size()
    await catalog.vacuum()
    return `${mebibytes(before)} to ${mebibytes(await catalog.size())}`
  },
}

export const measures = Object.keys(works)

async function countChanges({ catalog }: AppContext, before: number, after: number): Promise<string> {
  return catalog.read(async (reader) => {
    const from = await reader.snapshot(repositoryId(before) as RepositoryId, 'day-1')
    const to = await reader.snapshot(repositoryId(after) as RepositoryId, 'day-50')
    if (!from || !to) throw new Error('no such snapshots')
    let changes = 0
    for await (const _ of reader.diff(from.revision, to.revision)) changes += 1
    return `${changes} changes`
  })
}

function outcomeOf({
  removed,
  kept,
  prunedRevisions,
}: {
  readonly removed: number
  readonly kept: number
  readonly prunedRevisions: number
}): string {
  return `${removed} blobs removed, ${kept} kept, ${prunedRevisions} revisions pruned`
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(0)} MiB`
}

const [, program, name, folder] = process.argv
if (program === import.meta.filename && name !== undefined && folder !== undefined) {
  const { settings } = await loadConfiguration({
    file: 'config.yaml',
    environment: {},
    home: null,
    workingFolder: folder,
    ecosystems,
    now: new Date(),
  })
  await using context = await openContext(settings, {
    reporter: { report: () => {} },
    now: () => new Date(),
    version: 'bench',
  })
  const started = performance.now()
  const outcome = (await works[name]?.(context)) ?? ''
  const { user, system } = process.cpuUsage()
  const figures: Figures = {
    wallS: (performance.now() - started) / 1000,
    cpuS: (user + system) / 1_000_000,
    peakRssMiB: process.resourceUsage().maxRSS / 1024,
    outcome,
  }
  process.stdout.write(JSON.stringify(figures))
}
