import { type Command, InvalidArgumentError } from 'commander'
import type { SourceMember } from '../../app/snapshot/list-snapshots.ts'
import type { Snapshot } from '../../app/snapshot/snapshots.ts'
import { facts } from '../output.ts'
import { count, formatBytes, formatTime } from '../render/units.ts'
import type { Run } from '../run.ts'
import { snapshotSource } from '../source-argument.ts'
import { auditColumns, auditDocument, auditRows } from './audit-rows.ts'
import { diffDocument, diffLines, diffRows } from './diff-rows.ts'
import { registerRetention } from './snapshot-retention.ts'
import { labelsOf, snapshotColumns, snapshotDocument } from './snapshot-rows.ts'

export function registerSnapshot(program: Command, run: Run): void {
  const snapshot = program
    .command('snapshot')
    .description('snapshots: names for what a repository or a view held at one moment')

  snapshot
    .command('create')
    .description("freeze a repository's latest revision under a name, or those of all members of a view")
    .argument('[source]', 'ID@NAME, of a view NAME@SNAPSHOT')
    .option('--repo-id <id>', 'the repository, where it is not in ID@NAME')
    .option('--view <name>', 'the view, where it is not in NAME@SNAPSHOT')
    .option('--name <name>', "the snapshot's name, where it is not in ID@NAME")
    .option('--description <text>', 'why it was made')
    .option('--label <key=value>', 'a label; may be given again', collectLabel, {})
    .option('--pin', 'keep it whatever `retention` says')
    .option('--allow-partial', "freeze a view although a member's last sync was partial or failed")
    .addHelpText(
      'after',
      '\nExample: chantal snapshot create epel9@2026-11 --description "November patches" --label ticket=OPS-42\n',
    )
    .action((source: string | undefined, options: CreateOptions, command: Command) =>
      run(command, async (session) => {
        const { createSnapshot } = await import('../../app/snapshot/create-snapshot.ts')
        const { viewOfNew } = await import('../../app/snapshot/list-snapshots.ts')
        const { repoId: repository, view, name } = options
        const input = {
          source: snapshotSource(source, { repository, view, name }, '--name'),
          description: options.description ?? null,
          labels: options.label,
          isPinned: options.pin ?? false,
          allowPartial: options.allowPartial ?? false,
        }
        const made = await createSnapshot(await session.context(), input, session.signal)
        session.output.one(snapshotDocument(viewOfNew(made)), () => [created(made)])
        session.suggest(`To let clients have it: \`chantal publish snapshot ${input.source}\`.`)
      }),
    )

  snapshot
    .command('list')
    .description('list snapshots, oldest first')
    .argument('[id...]', 'ids of repositories, names of views, or shell patterns')
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
            ['members', view.members.map(describeMember).join(', ') || null],
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
    .description(
      'compare two sources; with one, a snapshot with what is latest. Of views also member by member',
    )
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
        const { viewOfNew } = await import('../../app/snapshot/list-snapshots.ts')
        const made = await copySnapshot(await session.context(), { from, to }, session.signal)
        session.output.one(snapshotDocument(viewOfNew(made)), () => [created(made)])
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
  readonly view?: string
  readonly name?: string
  readonly description?: string
  readonly label: Readonly<Record<string, string>>
  readonly pin?: boolean
  readonly allowPartial?: boolean
}

function created({ source, kind, revisions }: Snapshot): string {
  const what = kind === 'view' ? count(revisions.length, 'member') : `revision ${revisions[0].number}`
  return `created ${source}: ${what}, ${count(packagesOf(revisions), 'package')}`
}

function describeMember({ repository, revision, mode, packages }: SourceMember): string {
  return `${repository} (revision ${revision}, ${mode}, ${count(packages, 'package')})`
}

const packagesOf = (revisions: Snapshot['revisions']) =>
  revisions.reduce((sum, { packageCount }) => sum + packageCount, 0)

function collectLabel(
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It has to be KEY=VALUE.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}
