import type { Command } from 'commander'
import type { PrunedSnapshot, PruneOutput } from '../../app/snapshot/prune-snapshots.ts'
import { renderTable } from '../render/table.ts'
import { count, formatBytes, formatTime } from '../render/units.ts'
import type { Run } from '../run.ts'
import { snapshotDocument } from './snapshot-rows.ts'

/** What decides how long snapshots stay: pins, and policies. */
export function registerRetention(snapshot: Command, run: Run): void {
  snapshot
    .command('prune')
    .description('remove snapshots that the `retention` of their repository or view does not keep')
    .argument(
      '[id...]',
      'ids of repositories, names of views, or shell patterns; without, all that have a policy',
    )
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only show which would go, why the others stay, and how many bytes that frees')
    .addHelpText('after', '\nExample: chantal snapshot prune --dry-run\n')
    .action((ids: readonly string[], options: { yes?: boolean; dryRun?: boolean }, command: Command) =>
      run(command, async (session) => {
        const { pruneSnapshots } = await import('../../app/snapshot/prune-snapshots.ts')
        const context = await session.context()
        const preview = await pruneSnapshots(context, { ids, dryRun: true }, session.signal)
        if (!options.dryRun && preview.removed > 0)
          await session.confirm(
            `remove ${count(preview.removed, 'snapshot')} (${firstSources(preview)})`,
            options.yes,
          )
        const agreed = preview.snapshots.filter(goes).map(({ source }) => source)
        const result = options.dryRun
          ? preview
          : await pruneSnapshots(context, { ids, dryRun: false, agreed }, session.signal)
        session.output.one(result, () => pruneLines(result), result.snapshots)
        if (!result.dryRun && result.removed > 0)
          session.suggest('To free what only they held: `chantal pool gc`.')
      }),
    )

  const pinning = [
    ['pin', true, 'keep a snapshot whatever `retention` says, and refuse to delete it'],
    ['unpin', false, 'let a pinned snapshot go again'],
  ] as const
  for (const [name, isPinned, description] of pinning) {
    snapshot
      .command(name)
      .description(description)
      .argument('<source>', 'ID@NAME')
      .addHelpText('after', `\nExample: chantal snapshot ${name} epel9@2026-11\n`)
      .action((source: string, _: object, command: Command) =>
        run(command, async (session) => {
          const { pinSnapshot } = await import('../../app/snapshot/pin-snapshot.ts')
          const view = await pinSnapshot(await session.context(), { source, isPinned }, session.signal)
          session.output.one(snapshotDocument(view), () => [`${name}ned ${view.source}`])
        }),
      )
  }
}

const goes = ({ action }: PrunedSnapshot) => action === 'remove'

function firstSources({ snapshots }: PruneOutput): string {
  const sources = snapshots.filter(goes).map(({ source }) => source)
  return sources.length <= 5
    ? sources.join(', ')
    : `${sources.slice(0, 5).join(', ')} and ${sources.length - 5} more`
}

function pruneLines(result: PruneOutput): readonly string[] {
  const { snapshots, removed, kept, freedBlobs, freedBytes, dryRun } = result
  if (snapshots.length === 0) return ['There is no snapshot of a repository or view with a retention policy.']
  const table = renderTable(
    [
      { title: 'SOURCE', show: ({ source }) => source },
      { title: 'CREATED', show: ({ createdAt }) => formatTime(createdAt) },
      { title: 'PACKAGES', align: 'right', show: ({ packages }) => String(packages) },
      { title: 'ACTION', show: ({ action }) => action },
      { title: 'KEPT BY', show: keepers },
    ],
    snapshots,
  )
  return [
    table.trimEnd(),
    '',
    `${dryRun ? 'would remove' : 'removed'} ${count(removed, 'snapshot')} and ${dryRun ? 'keep' : 'kept'} ${kept}; \`chantal pool gc\` ${dryRun ? 'would then free' : 'frees'} ${count(freedBlobs, 'blob')} (${formatBytes(freedBytes)})`,
  ]
}

function keepers({ keptBy, published, viewSnapshots }: PrunedSnapshot): string {
  return keptBy
    .map((rule) => {
      if (rule === 'published') return `published at ${published.join(', ')}`
      if (rule === 'view_snapshot') return `frozen in ${viewSnapshots.join(', ')}`
      return rule === 'no_policy' ? 'no retention policy' : rule
    })
    .join('; ')
}
