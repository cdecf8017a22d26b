import type { Command } from 'commander'
import type { ViewDetails, ViewMemberRow, ViewRow } from '../../app/view/list-views.ts'
import { facts } from '../output.ts'
import { type Column, renderTable } from '../render/table.ts'
import { formatBytes, formatTime } from '../render/units.ts'
import type { Run } from '../run.ts'
import { diffDocument, diffLines, diffRows } from './diff-rows.ts'

export function registerView(program: Command, run: Run): void {
  const view = program.command('view').description('views: several repositories published as one')

  view
    .command('list')
    .description('list the views of the configuration')
    .addHelpText('after', '\nExample: chantal view list --json\n')
    .action((_: object, command: Command) =>
      run(command, async (session) => {
        const { listViews } = await import('../../app/view/list-views.ts')
        const rows = await listViews(await session.catalogContext(), {}, session.signal)
        session.output.list(rows, { columns: viewColumns, empty: 'There is no view in the configuration.' })
      }),
    )

  view
    .command('show')
    .description('show everything that is known of a view')
    .argument('<name>')
    .addHelpText('after', '\nExample: chantal view show el9\n')
    .action((name: string, _: object, command: Command) =>
      run(command, async (session) => {
        const { showView } = await import('../../app/view/list-views.ts')
        const details = await showView(await session.catalogContext(), { name }, session.signal)
        session.output.one(details, () => viewFacts(details), details.members)
      }),
    )

  view
    .command('diff')
    .description('show what has changed since a source in what is latest of a view, as a whole and by member')
    .argument('<name>', 'the view')
    .argument('<source>', 'NAME@SNAPSHOT or NAME@20261101T000000Z, or another source')
    .addHelpText('after', '\nExample: chantal view diff el9 el9@2026-10\n')
    .action((name: string, source: string, _: object, command: Command) =>
      run(command, async (session) => {
        const { configuredView } = await import('../../app/configured.ts')
        const { diffSources } = await import('../../app/snapshot/diff-sources.ts')
        const to = configuredView(await session.settings(), name).name
        const diff = await diffSources(await session.catalogContext(), { from: source, to }, session.signal)
        session.output.one(diffDocument(diff), () => diffLines(diff), diffRows(diff))
      }),
    )
}

const viewColumns: readonly Column<ViewRow>[] = [
  { title: 'NAME', show: ({ name }) => name },
  { title: 'TYPE', spare: 2, show: ({ type }) => type },
  { title: 'MEMBERS', show: ({ members }) => members.join(' ') },
  { title: 'PACKAGES', align: 'right', show: ({ packages }) => String(packages) },
  {
    title: 'SIZE',
    align: 'right',
    spare: 1,
    show: ({ sizeBytes }) => formatBytes(sizeBytes),
    csv: ({ sizeBytes }) => sizeBytes,
  },
  { title: 'READY', show: ({ ready }) => (ready ? 'yes' : 'no') },
  { title: 'DESCRIPTION', spare: 3, show: ({ description }) => description ?? '' },
]

const memberColumns: readonly Column<ViewMemberRow>[] = [
  { title: 'MEMBER', show: ({ repository }) => repository },
  { title: 'MODE', show: ({ mode }) => mode },
  { title: 'REVISION', align: 'right', show: ({ revision }) => (revision === null ? '-' : String(revision)) },
  { title: 'PACKAGES', align: 'right', show: ({ packages }) => String(packages) },
  { title: 'SIZE', align: 'right', show: ({ sizeBytes }) => formatBytes(sizeBytes) },
  { title: 'LAST SYNC', show: ({ lastSync }) => (lastSync ? formatTime(lastSync.at) : 'never') },
  { title: 'STATUS', show: ({ lastSync }) => lastSync?.status ?? '-' },
  { title: 'READY', show: describeReadiness },
]

function describeReadiness({ ready, mode, revision }: ViewMemberRow): string {
  if (ready) return 'yes'
  return mode === 'hosted' && revision === null ? 'no: upload to it' : 'no: sync it'
}

function viewFacts(view: ViewDetails): readonly string[] {
  return [
    ...facts([
      ['name', view.name],
      ['description', view.description],
      ['type', view.type],
      ['packages', view.packages],
      ['size', formatBytes(view.sizeBytes)],
      ['signed with', view.signedWith ?? 'nothing'],
      ['snapshots', view.snapshots.join(', ') || null],
      ['published', view.published.join(', ') || null],
    ]),
    '',
    renderTable(memberColumns, view.members).trimEnd(),
  ]
}
