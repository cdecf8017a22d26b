import type { Command } from 'commander'
import type { DatabaseStatistics } from '../../app/database/database-statistics.ts'
import type { LeaseHealth } from '../../catalog/lease.ts'
import { facts } from '../output.ts'
import { type Column, renderTable } from '../render/table.ts'
import { formatBytes, formatTime } from '../render/units.ts'
import type { Run } from '../run.ts'
import { describeLeaseState } from './lease.ts'

export function registerDatabaseFigures(db: Command, run: Run): void {
  db.command('stats')
    .description('show catalog and pool in figures, by repository, ecosystem and month')
    .addHelpText('after', '\nExample: chantal db stats --json\n')
    .action((_: object, command: Command) =>
      run(command, async (session) => {
        const { databaseStatistics } = await import('../../app/database/database-statistics.ts')
        const result = await databaseStatistics(await session.catalogContext(), {}, session.signal)
        session.output.one(result, () => statisticsLines(result), result.byRepository)
      }),
    )

  db.command('status')
    .description('show schema, size and leases of the database, and change nothing')
    .addHelpText('after', '\nExample: chantal db status\n')
    .action((_: object, command: Command) =>
      run(command, async (session) => {
        const status = await (await session.database()).status()
        session.output.one(status, () => [
          ...facts([
            ['engine', status.engine],
            ['location', status.location],
            ['catalog', status.id ?? 'not made yet'],
            ['size', formatBytes(status.sizeBytes)],
            ['schema', `${status.schema} of ${status.knownSchema}`],
            [
              'pending',
              status.pending.map(({ number, name }) => `${number}: ${name}`).join(', ') || 'nothing',
            ],
          ]),
          '',
          status.leases.length === 0
            ? 'Nobody is at work.'
            : renderTable(leaseColumns, status.leases).trimEnd(),
        ])
      }),
    )
}

const ratio = (value: number | null) => (value === null ? null : value.toFixed(2))

function statisticsLines(figures: DatabaseStatistics): readonly string[] {
  return [
    ...facts([
      ['database', `${figures.engine}, ${formatBytes(figures.sizeBytes)}`],
      ['revisions', `${figures.revisions} kept, ${figures.prunedRevisions} forgotten`],
      ['snapshots', figures.snapshots],
      ['publications', `${figures.publications}, ${figures.generations} generations`],
      ['packages', `${figures.packages} rows, ${figures.packageFiles} files`],
      ['other files', figures.repositoryFiles],
      ['native records', `${figures.recordChunks} chunks, ${formatBytes(figures.recordBytes)}`],
      ['syncs', figures.syncs],
      ['pool', `${figures.blobs} blobs, ${formatBytes(figures.blobBytes)}`],
      [
        'referenced',
        `${formatBytes(figures.referencedBytes)}, dedupe ratio ${ratio(figures.dedupeRatio) ?? '-'}`,
      ],
      ['published', `${formatBytes(figures.publishedBytes)}, ratio ${ratio(figures.publishedRatio) ?? '-'}`],
    ]),
    ...figures.recent.map(
      ({ days, revisions, fetchedFiles, fetchedBytes }) =>
        `last ${days === 1 ? '24 hours' : `${days} days`}: ${revisions} revisions, ${fetchedFiles} files fetched (${formatBytes(fetchedBytes)})`,
    ),
    ...section(repositoryColumns, figures.byRepository),
    ...section(ecosystemColumns, figures.byEcosystem),
    ...section(monthColumns, figures.months),
  ]
}

function section<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): readonly string[] {
  return rows.length === 0 ? [] : ['', renderTable(columns, rows).trimEnd()]
}

function figure<Row>(title: string, of: (row: Row) => number): Column<Row> {
  return { title, align: 'right', show: (row) => String(of(row)) }
}

function size<Row>(title: string, of: (row: Row) => number): Column<Row> {
  return { title, align: 'right', show: (row) => formatBytes(of(row)) }
}

type OfRepository = DatabaseStatistics['byRepository'][number]
type OfEcosystem = DatabaseStatistics['byEcosystem'][number]
type OfMonth = DatabaseStatistics['months'][number]

const repositoryColumns: readonly Column<OfRepository>[] = [
  { title: 'REPOSITORY', show: ({ repository }) => repository },
  figure('REVISIONS', ({ revisions }) => revisions),
  figure('SNAPSHOTS', ({ snapshots }) => snapshots),
  figure('PACKAGES', ({ packages }) => packages),
  size('SIZE', ({ sizeBytes }) => sizeBytes),
  size('HELD', ({ heldBytes }) => heldBytes),
  size('ONLY HERE', ({ ownBytes }) => ownBytes),
]

const ecosystemColumns: readonly Column<OfEcosystem>[] = [
  { title: 'ECOSYSTEM', show: ({ ecosystem }) => ecosystem },
  figure('REPOSITORIES', ({ repositories }) => repositories),
  figure('REVISIONS', ({ revisions }) => revisions),
  figure('PACKAGES', ({ packages }) => packages),
  size('SIZE', ({ sizeBytes }) => sizeBytes),
  size('HELD', ({ heldBytes }) => heldBytes),
]

const monthColumns: readonly Column<OfMonth>[] = [
  { title: 'MONTH', show: ({ month }) => month },
  figure('REVISIONS', ({ revisions }) => revisions),
  figure('ADDED', ({ packagesAdded }) => packagesAdded),
  figure('REMOVED', ({ packagesRemoved }) => packagesRemoved),
  size('FETCHED', ({ fetchedBytes }) => fetchedBytes),
  figure('PACKAGES', ({ packages }) => packages),
  size('SIZE', ({ sizeBytes }) => sizeBytes),
]

const leaseColumns: readonly Column<LeaseHealth>[] = [
  { title: 'RESOURCE', show: ({ resource }) => resource },
  { title: 'STATE', show: describeLeaseState },
  { title: 'PURPOSE', show: ({ purpose }) => purpose },
  { title: 'HOST', show: ({ host }) => host },
  { title: 'PID', align: 'right', show: ({ pid }) => String(pid) },
  { title: 'SINCE', show: ({ acquiredAt }) => formatTime(acquiredAt) },
]
