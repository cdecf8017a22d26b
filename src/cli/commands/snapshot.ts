import { type Command, InvalidArgumentError } from 'commander'
import type { SourceDiff } from '../../app/snapshot/diff-sources.ts'
import type { SnapshotRecord } from '../../catalog/catalog.ts'
import { facts } from '../output.ts'
import { count, formatBytes, formatTime } from '../render/units.ts'
import type { Run } from '../run.ts'
import { snapshotSource } from '../source-argument.ts'
import { auditColumns, auditDocument, auditRows } from './audit-rows.ts'
import { packageDocument } from './package-rows.ts'
import { registerRetention } from './snapshot-retention.ts'
import { labelsOf, snapshotColumns, snapshotDocument } from './snapshot-rows.ts'

export function registerSnapshot(program: Command, run: Run): void {
  const snapshot = program
    .command('snapshot')
    .description('snapshots: names for what a repository held at one moment')

  snapshot
    .command('create')
    .description("freeze a repository's latest revision under a name")
    .argument('[source]', 'ID@NAME')
    .option('--repo-id <id>', 'the repository, where it is not in ID@NAME')
    .option('--name <name>', "the snapshot's name, where it is not in ID@NAME")
    .option('--description <text>', 'why it was made')
    .option('--label <key=value>', 'a label; may be given again', collectLabel, {})
    .option('--pin', 'keep it whatever `retention` says')
    .addHelpText(
      'after',
      '\nExample: chantal snapshot create epel9@2026-11 --description "November patches" --label ticket=OPS-42\n',
    )
    .action((source: string | undefined, options: CreateOptions, command: Command) =>
      run(command, async (session) => {
        const { createSnapshot } = await import('../../app/snapshot/create-snapshot.ts')
        const input = {
          source: snapshotSource(source, { repository: options.repoId, name: options.name }, '--name'),
          description: options.description ?? null,
          labels: options.label,
          isPinned: options.pin ?? false,
        }
        const record = await createSnapshot(await session.context(), input, session.signal)
        session.output.one(recordDocument(record), () => [created(record)])
        session.suggest(`To let clients have it: \`chantal publish snapshot ${input.source}\`.`)
      }),
    )

  snapshot
    .command('list')
    .description('list snapshots, oldest first')
    .argument('[id...]', 'ids of repositories, or shell patterns')
    .addHelpText('after', '\nExample: chantal snapshot list epel9\n')
    .action((ids: readonly string[], _: object, command: Command) =>
      run(command, async (session) => {
        const { listSnapshots } = await import('../../app/snapshot/list-snapshots.ts')
        const rows = await listSnapshots(await session.catalogContext(), { ids }, session.signal)
        session.output.list(rows, {
          columns: snapshotColumns,
          machine: snapshotDocument,
          empty: 'There is no snapshot.',
        })
      }),
    )

  snapshot
    .command('show')
    .description('show what a source is: a snapshot, a latest revision, or the one of a moment')
    .argument('<source>', 'ID, ID@NAME or ID@20261101T000000Z')
    .addHelpText('after', '\nExample: chantal snapshot show epel9@2026-11\n')
    .action((source: string, _: object, command: Command) =>
      run(command, async (session) => {
        const { showSource } = await import('../../app/snapshot/list-snapshots.ts')
        const view = await showSource(await session.catalogContext(), { source }, session.signal)
        const document = { ...view, snapshot: view.snapshot && snapshotDocument(view.snapshot) }
        session.output.one(document, () =>
          facts([
            ['source', view.source],
            ['revision', view.revision],
            ['mode', view.mode],
            ['packages', view.packages],
            ['size', formatBytes(view.sizeBytes)],
            ['synced', formatTime(view.sealedAt)],
            ['created', view.snapshot && formatTime(view.snapshot.createdAt)],
            ['by', view.snapshot?.createdBy ?? null],
            ['pinned', view.snapshot && (view.snapshot.pinned ? 'yes' : 'no')],
            ['description', view.snapshot?.description ?? null],
            ['labels', view.snapshot && (labelsOf(view.snapshot) || null)],
            ['published', view.published.join(', ') || null],
          ]),
        )
      }),
    )

  snapshot
    .command('content')
    .description('list the packages of a source for an audit: checksums, origin, signature')
    .argument('<source>', 'ID, ID@NAME or ID@20261101T000000Z')
    .addHelpText('after', '\nExample: chantal snapshot content epel9@2026-11 --format csv > audit.csv\n')
    .action((source: string, _: object, command: Command) =>
      run(command, async (session) => {
        const { auditContent } = await import('../../app/snapshot/audit-content.ts')
        const audited = await auditContent(await session.catalogContext(), { source }, session.signal)
        if (session.output.format === 'json') session.output.json(audited.map(auditDocument))
        else
          session.output.list(audited.flatMap(auditRows), {
            columns: auditColumns,
            empty: 'It holds no package.',
          })
      }),
    )

  snapshot
    .command('diff')
    .description("compare two sources; with one, a snapshot with its repository's latest revision")
    .argument('<from>', 'ID, ID@NAME or ID@20261101T000000Z')
    .argument('[to]', 'another source')
    .addHelpText('after', '\nExample: chantal snapshot diff epel9@2026-10 epel9@2026-11\n')
    .action((from: string, to: string | undefined, _: object, command: Command) =>
      run(command, async (session) => {
        const { diffSources } = await import('../../app/snapshot/diff-sources.ts')
        const diff = await diffSources(
          await session.catalogContext(),
          { from, to: to ?? null },
          session.signal,
        )
        session.output.one(diffDocument(diff), () => diffLines(diff), diffRows(diff))
      }),
    )

  snapshot
    .command('copy')
    .description('give what a source shows another snapshot name')
    .argument('<from>', 'ID@FROM')
    .argument('<to>', 'ID@TO')
    .addHelpText('after', '\nExample: chantal snapshot copy epel9@2026-11 epel9@production\n')
    .action((from: string, to: string, _: object, command: Command) =>
      run(command, async (session) => {
        const { copySnapshot } = await import('../../app/snapshot/create-snapshot.ts')
        const record = await copySnapshot(await session.context(), { from, to }, session.signal)
        session.output.one(recordDocument(record), () => [created(record)])
      }),
    )

  snapshot
    .command('delete')
    .description("remove a snapshot's name; what only it held is freed by the next `chantal pool gc`")
    .argument('<source>', 'ID@NAME')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only show what would be deleted')
    .addHelpText('after', '\nExample: chantal snapshot delete epel9@2026-01 --yes\n')
    .action((source: string, options: { yes?: boolean; dryRun?: boolean }, command: Command) =>
      run(command, async (session) => {
        const { deleteSnapshot } = await import('../../app/snapshot/delete-snapshot.ts')
        const context = await session.context()
        const preview = await deleteSnapshot(context, { source, dryRun: true }, session.signal)
        if (!options.dryRun)
          await session.confirm(
            `delete ${preview.source} with ${count(preview.packages, 'package')}`,
            options.yes,
          )
        const result = options.dryRun
          ? preview
          : await deleteSnapshot(context, { source, dryRun: false }, session.signal)
        session.output.one(result, () => [
          `${result.deleted ? 'deleted' : 'would delete'} ${result.source} (${count(result.packages, 'package')})`,
        ])
        if (result.deleted) session.suggest('To free what only it held: `chantal pool gc`.')
      }),
    )

  registerRetention(snapshot, run)
}

interface CreateOptions {
  readonly repoId?: string
  readonly name?: string
  readonly description?: string
  readonly label: Readonly<Record<string, string>>
  readonly pin?: boolean
}

function recordDocument(record: SnapshotRecord): object {
  const { repository, name, revision, createdAt, description, labels, createdBy, isPinned } = record
  return snapshotDocument({
    source: `${repository}@${name}`,
    revision: revision.number,
    packages: revision.packageCount,
    sizeBytes: revision.totalSize,
    createdAt,
    description,
    labels,
    createdBy,
    pinned: isPinned,
    published: [],
  })
}

function created({ repository, name, revision }: SnapshotRecord): string {
  return `created ${repository}@${name}: revision ${revision.number}, ${count(revision.packageCount, 'package')}`
}

function diffDocument({ from, to, added, removed, updated, replaced }: SourceDiff): object {
  return {
    from,
    to,
    added: added.map(packageDocument),
    removed: removed.map(packageDocument),
    updated: updated.map((change) => ({
      ...change,
      from: packageDocument(change.from),
      to: packageDocument(change.to),
    })),
    replaced: replaced.map(packageDocument),
  }
}

/** For CSV: one change a row. */
function diffRows({ added, removed, updated, replaced }: SourceDiff): readonly object[] {
  const row = (
    change: string,
    name: string,
    architecture: string | null,
    from: string | null,
    to: string | null,
  ) => ({ change, name, architecture, from, to })
  return [
    ...added.map((pkg) => row('added', pkg.name, pkg.architecture, null, pkg.version)),
    ...removed.map((pkg) => row('removed', pkg.name, pkg.architecture, pkg.version, null)),
    ...updated.map(({ name, architecture, from, to }) =>
      row('updated', name, architecture, from.version, to.version),
    ),
    ...replaced.map((pkg) => row('replaced', pkg.name, pkg.architecture, pkg.version, pkg.version)),
  ]
}

function diffLines({ from, to, added, removed, updated, replaced }: SourceDiff): readonly string[] {
  if (added.length + removed.length + updated.length + replaced.length === 0)
    return [`${from} and ${to} hold the same packages.`]
  return [
    `${from} -> ${to}: ${added.length} added, ${removed.length} removed, ${updated.length} updated, ${replaced.length} replaced`,
    ...added.map(({ key }) => `+ ${key}`),
    ...removed.map(({ key }) => `- ${key}`),
    ...updated.map(
      (change) =>
        `^ ${change.name}${change.architecture ? `.${change.architecture}` : ''}  ${change.from.version} -> ${change.to.version}`,
    ),
    ...replaced.map(({ key }) => `~ ${key}`),
  ]
}

function collectLabel(
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It has to be KEY=VALUE.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}
